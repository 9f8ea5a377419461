"""``azapi_resource``: one ARM resource whose body the configuration owns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_kit.local.iac.azapi import bodies, identity, ids, secrets
from mlops_kit.local.iac.azapi.bodies import Comparison
from mlops_kit.local.iac.azapi.session import Change, Kind, Outcome, Session, Values
from mlops_kit.local.iac.azapi.tables import RESOURCE
from mlops_kit.local.iac.azapi.values import (
    EMPTY_OBJECT,
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
from mlops_kit.local.iac.waiting import Deadline, Retry

DEFAULTS: Mapping[str, Any] = {
    "body": EMPTY_OBJECT,
    "ignore_casing": False,
    "ignore_missing_property": True,
    "ignore_null_property": False,
    "schema_validation_enabled": True,
}
_OPERATIONS = ("create", "read", "update", "delete")
_OWN_ARGUMENT = ("name", "parent_id", "location", "tags", "identity")  # what a body must not say a second time
# Arguments that say how to ask, not what to have: a change of these alone is no request.
_LOCAL = frozenset(
    {"timeouts", "retry", *(f"{op}_{what}" for op in ("create", "delete", "read")
                            for what in ("headers", "query_parameters"))}
)  # fmt: skip


def location(text: Any) -> str:
    """Return a region as it is compared: ``West Europe`` is ``westeurope``."""
    return str(text or "").replace(" ", "").lower()


def validate(config: Values) -> None:
    """Refuse a configuration that can be known to be wrong before anything is asked."""
    if not is_unknown(config["type"]):
        kind = ids.versioned(config["type"]).type
        if config["parent_id"] is None and kind.lower() != ids.GROUP_TYPE.lower():
            raise Refusal("Missing parent_id", f"A {kind} lies in another resource: set parent_id.", "parent_id")
    if config["name"] is None:
        raise Refusal("Missing name", "Set name: the stand-in makes no names of its own.", "name")
    if isinstance(config["parent_id"], str):
        ids.check(config["parent_id"], "parent_id")
    for argument in ("body", "sensitive_body"):
        _check_body(config, argument)
    if wholly_known(config["identity"]):
        identity.validate(config["identity"])
    check_terms(config)


def check_terms(config: Values) -> None:
    """Refuse durations and patterns that cannot be read."""
    timeouts = config["timeouts"]
    if isinstance(timeouts, Mapping) and wholly_known(timeouts):
        import threading

        for operation in _OPERATIONS:
            Deadline.of(timeouts, operation, threading.Event())
    if wholly_known(config["retry"]):
        Retry.of(config["retry"])


def _check_body(config: Values, argument: str) -> None:
    body = config[argument]
    if is_null(body) or not isinstance(body, Dynamic) or is_unknown(body):
        return
    if not isinstance(body.value, Mapping):
        raise Refusal(f"Invalid {argument}", "It must be an object; jsonencode() is not needed.", argument)
    for name in set(_OWN_ARGUMENT) & set(body.value):
        if name in {"name", "parent_id"} or config[name]:
            detail = f"{name} is an argument of the resource; {argument} must not have it too."
            raise Refusal(f"{name} is set twice", detail, argument)


def plan(session: Session, change: Change) -> Outcome:
    """Return the planned state: the configuration, its defaults, and unknowns where the service decides."""
    config, prior = change.config, change.prior
    planned = {**change.planned, **{name: value for name, value in DEFAULTS.items() if config[name] is None}}
    if prior is not None:
        planned = {**planned, **_kept(session, planned, prior, config["ignore_body_changes"])}
    if config["parent_id"] is None and not is_unknown(config["type"]):
        planned["parent_id"] = _default_parent(session, config["type"])
    planned["identity"] = identity.planned(planned["identity"], prior["identity"] if prior else [])
    planned["location"] = _given(config, planned, "location", (prior or {}).get("location"))
    planned["tags"] = _given(config, planned, "tags", None)
    if prior is None:
        return Outcome({**planned, "id": UNKNOWN, "output": UNKNOWN}, change.private)
    calls = _needs_call(config, planned, prior, change.private)
    planned = {**planned, "id": prior["id"], "output": UNKNOWN if calls else prior["output"]}
    return Outcome(planned, change.private, _replacing(planned, prior))


def _kept(session: Session, planned: Values, prior: Values, ignored: Any) -> Values:
    """Return what stays as the state has it, because the configuration only says it in other words."""
    kept: Values = {}
    if ids.equal(planned["parent_id"], prior["parent_id"]):
        kept["parent_id"] = prior["parent_id"]
    if isinstance(planned["location"], str) and location(planned["location"]) == location(prior["location"]):
        kept["location"] = prior["location"]
    for name in ("body", "response_export_values"):
        if not is_null(planned[name]) and not is_null(prior[name]) and wholly_known(planned[name]):
            if same_dynamic(planned[name], prior[name]) or (name == "body" and _is_ignored(planned, prior, ignored)):
                kept[name] = prior[name]
            elif name == "body" and _is_no_change(session, planned, prior):
                kept |= {"body": prior["body"], "type": prior["type"]}
    if "body" in kept and planned["type"] != prior["type"] and _is_no_change(session, planned, prior):
        kept["type"] = prior["type"]
    return kept


def _is_ignored(planned: Values, prior: Values, paths: Any) -> bool:
    """Say whether a body differs from that of the state only where changes are to be ignored."""
    if not isinstance(paths, list):  # unknown, or there are none
        return False
    before = prior["body"].json()
    return same(bodies.with_paths(planned["body"].json(), before, paths), before)


def _is_no_change(session: Session, planned: Values, prior: Values) -> bool:
    """Say whether the service already has what a changed body or API version asks for."""
    if not session.ignore_no_op_changes or is_unknown(planned["type"]):
        return False
    kind = ids.versioned(planned["type"])
    if kind.type.lower() != ids.versioned(prior["type"]).type.lower():
        return False
    there = session.client.find(prior["id"], kind.version, session.terms(prior, "read"))
    wanted = planned["body"].json()
    whole = bodies.merged(there or {}, prior["body"].json())  # the state knows what the service does not show
    return same(wanted, bodies.drifted(wanted, whole, Comparison.of(planned, ignore_missing=False)))


def _default_parent(session: Session, kind: str) -> Any:
    if not session.subscription:
        detail = "Set parent_id, or subscription_id of the provider, or ARM_SUBSCRIPTION_ID."
        raise Refusal(f"No subscription for a {kind}", detail, "parent_id")
    return f"/subscriptions/{session.subscription}"


def _given(config: Values, planned: Values, name: str, otherwise: Any) -> Any:
    """Return a location or tags: of the argument, of the body, or a default; unknown while the body is."""
    if config[name] is not None:
        return planned[name]
    body = planned["body"]
    if not wholly_known(body):
        return UNKNOWN
    return body.json().get(name) or otherwise


def _needs_call(config: Values, planned: Values, prior: Values, private: Mapping[str, Any]) -> bool:
    """Say whether the service has to be asked, so that the output is not known before."""
    return (
        not wholly_known(planned["body"])
        or any(planned[name] != prior[name] for name in ("type", "body", "identity", "response_export_values", "tags"))
        or secrets.changed(config, prior, private)
    )


def _replacing(planned: Values, prior: Values) -> tuple[str, ...]:
    """Return the attributes whose change cannot be made in place."""
    found = [name for name in ("name", "parent_id") if planned[name] != prior[name]]
    if not is_unknown(planned["type"]) and planned["type"].partition("@")[0].lower() != _bare_type(prior):
        found.append("type")
    # While the body is unknown, a location that is taken from it is, too: azapi compares it once the body is known.
    if wholly_known(planned["body"]) and location(planned["location"]) != location(prior["location"]):
        found.append("location")
    trigger = "replace_triggers_external_values"
    if replaces(planned[trigger], prior[trigger]):
        found.append(trigger)
    paths = planned["replace_triggers_refs"]
    if paths and wholly_known(planned["body"]):
        now, before = ([_query(model["body"], path) for path in paths] for model in (planned, prior))
        found += [] if same(now, before) else ["body"]
    return tuple(found)


def replaces(trigger: Any, before: Any) -> bool:
    """Say whether a changed external value asks for a new resource; null switches that off."""
    if is_null(trigger) or is_null(before):
        return False
    return not wholly_known(trigger) or not same_dynamic(trigger, before)


def _bare_type(model: Values) -> str:
    return str(model["type"]).partition("@")[0].lower()


def _query(body: Dynamic, path: str) -> Any:
    return bodies.exported(body.json(), Dynamic(["map", "string"], {"value": path})).json()["value"]


def apply(session: Session, change: Change) -> Outcome:
    """Create or update the resource; a failed creation that left something behind is kept, so that it is not lost."""
    planned, prior = change.planned, change.prior
    kind = ids.versioned(planned["type"])
    resource_id = ids.build(planned["parent_id"], kind.type, planned["name"])
    if prior is not None and _only_local(planned, prior):
        return Outcome({**planned, "id": prior["id"]}, change.private)
    if prior is None:
        _require_new(session, resource_id, kind.version, session.terms(planned, "read"))
    terms = session.terms(planned, "create" if prior is None else "update")
    body = _request(session, change, resource_id, kind.version)
    with session.locks.held(planned["locks"]):
        try:
            session.client.send("PUT", resource_id, kind.version, body, terms)
            answer = session.client.get(resource_id, kind.version, session.terms(planned, "read"))
        except (ArmRefusal, Refusal) as refusal:
            failed = Refusal("Failed to create or update resource", f"{kind.type} {planned['name']}: {_said(refusal)}")
            left = _left_behind(session, planned, resource_id) if prior is None else None
            if left is None:
                raise failed from None
            return Outcome(_state(planned, left, resource_id), refusal=failed)
    state = _state(planned, answer, prior["id"] if prior else resource_id)
    remembered = {"ignore_body_changes": change.config["ignore_body_changes"], **secrets.remembered(change.config)}
    return Outcome(state, {name: value for name, value in remembered.items() if value})


def _left_behind(session: Session, planned: Values, resource_id: str) -> Any:
    """Return what a failed creation has made all the same; {} where nobody can say, which the next refresh will."""
    try:
        return session.client.find(resource_id, ids.versioned(planned["type"]).version, session.terms(planned, "read"))
    except (ArmRefusal, Refusal):
        return {}


def _said(refusal: ArmRefusal | Refusal) -> str:
    return refusal.detail if isinstance(refusal, Refusal) else str(refusal)


def _only_local(planned: Values, prior: Values) -> bool:
    return all(planned[name] == prior[name] for name in planned if name not in _LOCAL)


def _require_new(session: Session, resource_id: str, version: str, terms: Any) -> None:
    try:
        there = session.client.find(resource_id, version, terms)
    except ArmRefusal as refusal:
        raise Refusal("Failed to retrieve resource", f"{resource_id}: {refusal}") from None
    if there is not None:
        detail = (
            f"{resource_id} is there already and is not in the state. To take it over, import it with an import block"
            f" or: terraform import <address> '{resource_id}?api-version={version}'"
        )
        raise Refusal("Resource already exists", detail)


def _request(session: Session, change: Change, resource_id: str, version: str) -> dict[str, Any]:
    planned, prior = change.planned, change.prior
    body: dict[str, Any] = dict(planned["body"].json())
    for name in ("location", "tags"):
        if planned[name] is not None and not is_unknown(planned[name]) and name not in body:
            body[name] = planned[name]
    if planned["identity"]:
        body["identity"] = identity.body(planned["identity"][0])
    elif prior is not None and prior["identity"] and "identity" not in body:
        body["identity"] = {"type": "None"}  # the block was there and is gone
    body = bodies.merged(body, secrets.to_send(change.config, prior), planned["list_unique_id_property"])
    ignored = change.config["ignore_body_changes"]
    if prior is not None and ignored:
        there = session.client.get(resource_id, version, session.terms(planned, "read"))
        body = bodies.with_paths(body, there, ignored)
    return bodies.without_nulls(body) if planned["ignore_null_property"] else body


def _state(planned: Values, answer: Mapping[str, Any], resource_id: str) -> Values:
    """Return the planned state with what was not known when it was planned."""
    state = {**planned, "id": resource_id, "output": bodies.exported(answer, planned["response_export_values"])}
    body = planned["body"].json()
    for name in ("location", "tags"):
        if is_unknown(state[name]):
            state[name] = body.get(name)
    if state["identity"]:
        now = identity.found(answer.get("identity")) or {}
        facts = {name: now.get(name) for name in ("principal_id", "tenant_id")}
        state["identity"] = [{**state["identity"][0], **facts}]
    return state


def read(session: Session, state: Values, private: Mapping[str, Any]) -> Outcome:
    """Return the state with what the service has now; None where the resource is gone."""
    kind = ids.versioned(state["type"])
    answer = session.client.find(state["id"], kind.version, session.terms(state, "read"))
    if answer is None:
        return Outcome(None, private)
    sent = state["body"].json() if isinstance(state["body"], Dynamic) else {}
    now = {
        **state,
        "name": ids.name_of(state["id"]),
        "parent_id": _parent(state),
        "output": bodies.exported(answer, state["response_export_values"]),
    }
    if location(answer.get("location")) not in {"", location(state["location"])}:
        now["location"] = answer["location"]
    if answer.get("tags") or state["tags"]:
        now["tags"] = answer.get("tags") or {}
    if sent.get("identity") is None:
        now["identity"] = identity.read(answer.get("identity"), state["identity"])
    found = bodies.drifted(sent, _seen(answer, sent, private), Comparison.of(state))
    if not same(found, sent):
        now["body"] = from_json(found, state["body"].type)
    return Outcome(now, private)


def _parent(state: Values) -> str:
    """Return the parent as the state spells it, where that is the same one."""
    parent = ids.parent_of(state["id"])
    return state["parent_id"] if ids.equal(parent, state["parent_id"]) else parent


def _seen(answer: Any, sent: Any, private: Mapping[str, Any]) -> Any:
    """Return an answer as if nothing had changed at the paths whose changes are ignored."""
    return bodies.with_paths(answer, sent, private.get("ignore_body_changes") or [])


def destroy(session: Session, state: Values) -> None:
    """Delete the resource; one that is gone is no fault."""
    kind = ids.versioned(state["type"])
    with session.locks.held(state["locks"]):
        try:
            session.client.send("DELETE", state["id"], kind.version, None, session.terms(state, "delete"))
        except (ArmRefusal, Refusal) as refusal:
            if isinstance(refusal, ArmRefusal) and refusal.status == 404:
                return
            detail = f"{kind.type} {ids.name_of(state['id'])}: {_said(refusal)}"
            raise Refusal("Failed to delete resource", detail) from None


def adopt(session: Session, text: str) -> Values:
    """Return the state of a resource that is there: ``<resource id>?api-version=<version>``."""
    resource_id, _, query = text.partition("?")
    version = query.removeprefix("api-version=")
    if not version or version == query:
        example = f"{resource_id}?api-version=2024-01-01"
        raise Refusal("Missing API version", f"The stand-in has no index of API versions; name one: {example}")
    ids.check(resource_id, "id")
    kind = ids.versioned(f"{ids.type_of(resource_id)}@{version}")
    state = {**RESOURCE.empty(), **DEFAULTS, "type": f"{kind.type}@{kind.version}"}
    answer = session.client.find(resource_id, version, session.terms(state, "read"))
    if answer is None:
        raise Refusal("Cannot import what is not there", f"{resource_id} was not found.")
    own = bodies.writable(answer)
    body = {name: value for name, value in own.items() if name not in _OWN_ARGUMENT}
    return {
        **state,
        "id": answer.get("id", resource_id),
        "name": ids.name_of(resource_id),
        "parent_id": ids.parent_of(resource_id),
        "location": answer.get("location"),
        "tags": answer.get("tags"),
        "identity": identity.read(answer.get("identity"), []),
        "body": from_json(body),
        "output": bodies.exported(answer, None),
    }


KIND = Kind(RESOURCE, validate, plan, apply, destroy, read, adopt)
