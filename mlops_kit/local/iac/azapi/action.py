"""``azapi_resource_action``: one call on a resource, when it is applied or when it is destroyed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_kit.local.iac.azapi import bodies, ids, secrets
from mlops_kit.local.iac.azapi.resource import check_terms
from mlops_kit.local.iac.azapi.session import Change, Kind, Outcome, Session, Values
from mlops_kit.local.iac.azapi.tables import RESOURCE_ACTION
from mlops_kit.local.iac.azapi.values import UNKNOWN, Dynamic, is_unknown
from mlops_kit.local.iac.client import ArmRefusal, Terms
from mlops_kit.local.iac.refusals import Refusal

_DEFAULTS = {"method": "POST", "when": "apply"}
_CHOICES = {"method": ("POST", "PATCH", "PUT", "DELETE", "GET", "HEAD"), "when": ("apply", "destroy")}
_CALLING = ("body", "response_export_values", "sensitive_response_export_values", "method", "type", "query_parameters")


def validate(config: Values) -> None:
    """Refuse a configuration that can be known to be wrong."""
    if not is_unknown(config["type"]):
        ids.versioned(config["type"])
    for name, known in _CHOICES.items():
        if isinstance(config[name], str) and config[name] not in known:
            raise Refusal(f"Invalid {name}", f"{config[name]!r} is not one of {', '.join(known)}.", name)
    check_terms(config)


def plan(session: Session, change: Change) -> Outcome:
    """Return the planned state; a changed call is made again, another address is another resource."""
    del session
    config, prior = change.config, change.prior
    planned = {**change.planned, **{name: value for name, value in _DEFAULTS.items() if config[name] is None}}
    results = dict.fromkeys(("output", "sensitive_output", "exist"), UNKNOWN)
    if prior is None:
        return Outcome({**planned, **results, "id": UNKNOWN}, change.private)
    again = any(planned[name] != prior[name] for name in _CALLING) or secrets.changed(config, prior, change.private)
    if again and planned["when"] == "apply":
        planned |= results
    else:
        planned |= {name: prior[name] for name in results}
    replace = [name for name in ("resource_id", "action") if not _alike(name, planned, prior)]
    return Outcome({**planned, "id": prior["id"]}, change.private, tuple(replace))


def _alike(name: str, planned: Values, prior: Values) -> bool:
    return bool(planned[name] == prior[name])


def apply(session: Session, change: Change) -> Outcome:
    """Make the call, if it is one for applying and something of it has changed."""
    planned, prior = change.planned, change.prior
    state = {**planned, "id": _path(planned)}
    if planned["when"] == "destroy":
        return Outcome({**state, "output": None, "sensitive_output": None, "exist": None}, {})
    if prior is not None and not is_unknown(planned["output"]):
        return Outcome(state, change.private)
    sensitive = secrets.to_send(change.config, prior)
    exists, answer = _call(session, state, session.terms(planned, "create", requests=""), sensitive)
    return Outcome({**state, **outputs(state, answer), "exist": exists}, secrets.remembered(change.config))


def _path(model: Values) -> str:
    return f"{model['resource_id']}/{model['action']}" if model["action"] else str(model["resource_id"])


def _call(session: Session, model: Values, terms: Terms, sensitive: Mapping[str, Any]) -> tuple[bool, Any]:
    """Make the call; return whether the resource exists, and the answer."""
    with session.locks.held(model["locks"]):
        try:
            return True, call(session, model, terms, sensitive)
        except ArmRefusal as refusal:
            if refusal.status == 404 and model["ignore_not_found"]:
                return False, None
            raise Refusal("Failed to perform action", f"{model['method']} {_path(model)}: {refusal}") from None


def call(session: Session, model: Values, terms: Terms, sensitive: Mapping[str, Any] | None = None) -> Any:
    """Make the call that a resource's or a data source's arguments describe; return the answer."""
    body = model["body"].json() if isinstance(model["body"], Dynamic) else None
    if sensitive:
        body = bodies.merged(body or {}, sensitive)
    return session.client.send(model["method"], _path(model), ids.versioned(model["type"]).version, body, terms)


def outputs(model: Values, answer: Any) -> Values:
    """Return the two outputs of a call."""
    wanted = {"output": "response_export_values", "sensitive_output": "sensitive_response_export_values"}
    return {name: bodies.exported(answer, model[argument]) for name, argument in wanted.items()}


def destroy(session: Session, state: Values) -> None:
    """Make the call, if it is one for destroying."""
    if state["when"] == "destroy":
        _call(session, state, session.terms(state, "delete", requests=""), {})


def read(session: Session, state: Values, private: Mapping[str, Any]) -> Outcome:
    """Return the state as it is: a call that was made cannot drift."""
    del session
    return Outcome(state, private)


def adopt(session: Session, text: str) -> Values:
    """Refuse: a call is no resource."""
    del session
    raise Refusal("Cannot import", f"azapi_resource_action is a call, not a resource: {text}")


KIND = Kind(RESOURCE_ACTION, validate, plan, apply, destroy, read, adopt)
