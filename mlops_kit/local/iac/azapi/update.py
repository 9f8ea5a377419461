"""``azapi_update_resource``: some properties of a resource that someone else owns; destroying it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_kit.local.iac.azapi import bodies, ids, secrets
from mlops_kit.local.iac.azapi.bodies import Comparison
from mlops_kit.local.iac.azapi.resource import check_terms, replaces
from mlops_kit.local.iac.azapi.session import Change, Kind, Outcome, Session, Values
from mlops_kit.local.iac.azapi.tables import UPDATE_RESOURCE
from mlops_kit.local.iac.azapi.values import (
    UNKNOWN,
    Dynamic,
    from_json,
    is_null,
    is_unknown,
    same,
    same_dynamic,
    wholly_known,
)
from mlops_kit.local.iac.client import ArmRefusal
from mlops_kit.local.iac.refusals import Refusal

_DEFAULTS = {"ignore_casing": False, "ignore_missing_property": True}
_ADDRESS = ("name", "parent_id", "resource_id")


def validate(config: Values) -> None:
    """Refuse a configuration that names no resource, or two."""
    if not is_unknown(config["type"]):
        ids.versioned(config["type"])
    by_id, by_name = config["resource_id"] is not None, config["name"] is not None
    if by_id == by_name:
        raise Refusal("Which resource?", "Set either resource_id, or name and parent_id.", "resource_id")
    check_terms(config)


def plan(session: Session, change: Change) -> Outcome:
    """Return the planned state; another address makes another resource."""
    del session
    config, prior = change.config, change.prior
    planned = {**change.planned, **{name: value for name, value in _DEFAULTS.items() if config[name] is None}}
    planned |= _address(config)
    if prior is None:
        return Outcome({**planned, "id": UNKNOWN, "output": UNKNOWN}, change.private)
    for name in _ADDRESS:
        if ids.equal(planned[name], prior[name]):
            planned[name] = prior[name]
    for name in ("body", "response_export_values"):
        known = not is_null(planned[name]) and not is_null(prior[name]) and wholly_known(planned[name])
        if known and same_dynamic(planned[name], prior[name]):
            planned[name] = prior[name]
    changed = any(planned[name] != prior[name] for name in ("type", "body", "response_export_values"))
    changed = changed or secrets.changed(config, prior, change.private)
    planned = {**planned, "id": prior["id"], "output": UNKNOWN if changed else prior["output"]}
    trigger = "replace_triggers_external_values"
    replace = [name for name in _ADDRESS if planned[name] != prior[name]]
    replace += [trigger] if replaces(planned[trigger], prior[trigger]) else []
    return Outcome(planned, change.private, tuple(replace))


def _address(config: Values) -> Values:
    """Return the name, the parent and the id of the resource, from whichever of them the configuration has."""
    if not wholly_known({name: config[name] for name in ("type", *_ADDRESS)}):
        return {name: UNKNOWN if config[name] is None else config[name] for name in _ADDRESS}
    if config["resource_id"] is not None:
        whole = ids.check(config["resource_id"], "resource_id")
        return {"name": ids.name_of(whole), "parent_id": ids.parent_of(whole), "resource_id": whole}
    parent = ids.check(config["parent_id"] or "", "parent_id")
    kind = ids.versioned(config["type"]).type
    return {"name": config["name"], "parent_id": parent, "resource_id": ids.build(parent, kind, config["name"])}


def apply(session: Session, change: Change) -> Outcome:
    """Read the resource, write it back with the configured properties, and read it again."""
    planned = {**change.planned, **_address(change.planned)}
    kind, resource_id = ids.versioned(planned["type"]), planned["resource_id"]
    with session.locks.held(planned["locks"]):
        try:
            there = session.client.get(resource_id, kind.version, session.terms(planned, "read"))
            body = _merged(change, planned, bodies.writable(there))
            terms = session.terms(planned, "create" if change.prior is None else "update", requests="update_")
            session.client.send("PUT", resource_id, kind.version, body, terms)
            answer = session.client.get(resource_id, kind.version, session.terms(planned, "read"))
        except ArmRefusal as refusal:
            raise Refusal("Failed to update resource", f"{resource_id}: {refusal}") from None
    output = bodies.exported(answer, planned["response_export_values"])
    return Outcome({**planned, "id": resource_id, "output": output}, secrets.remembered(change.config))


def _merged(change: Change, planned: Values, there: dict[str, Any]) -> Any:
    wanted = planned["body"].json() if isinstance(planned["body"], Dynamic) else {}
    unique = planned["list_unique_id_property"]
    return bodies.merged(bodies.merged(there, wanted, unique), secrets.to_send(change.config, change.prior), unique)


def destroy(session: Session, state: Values) -> None:
    """Do nothing: the resource is not ours, and what its properties were before is not known."""
    del session, state


def read(session: Session, state: Values, private: Mapping[str, Any]) -> Outcome:
    """Return the state with what the service has now of the configured properties."""
    kind = ids.versioned(state["type"])
    answer = session.client.find(state["id"], kind.version, session.terms(state, "read"))
    if answer is None:
        return Outcome(None, private)
    now = {**state, "output": bodies.exported(answer, state["response_export_values"])}
    if isinstance(state["body"], Dynamic):
        sent = state["body"].json()
        found = bodies.drifted(sent, answer, Comparison.of(state))
        now["body"] = state["body"] if same(found, sent) else from_json(found, state["body"].type)
    return Outcome(now, private)


def adopt(session: Session, text: str) -> Values:
    """Refuse: there is nothing of its own to take over."""
    del session
    raise Refusal("Cannot import", f"azapi_update_resource owns nothing; {text} is changed when it is applied.")


KIND = Kind(UPDATE_RESOURCE, validate, plan, apply, destroy, read, adopt)
