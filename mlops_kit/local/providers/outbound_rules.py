"""A workspace's managed network: its outbound rules and its state. Nothing on this machine enforces them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import stamped
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.shapes import shaped
from mlops_kit.local.arm.wire import BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.providers import workspaces

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

KINDS = ("FQDN", "PrivateEndpoint", "ServiceTag")


def _rules(workspace: Resource) -> dict[str, dict[str, Any]]:
    rules: dict[str, dict[str, Any]] = workspace.properties["managedNetwork"].get("outboundRules", {})
    return rules


def _shown(workspace: Resource, name: str, rule: dict[str, Any]) -> dict[str, Any]:
    kind = "Microsoft.MachineLearningServices/workspaces/outboundRules"
    return {"id": f"{workspace.id}/outboundRules/{name}", "name": name, "type": kind, "properties": rule}


def _list(plane: Plane, call: Call) -> Reply:
    workspace = workspaces.find(plane, call.workspace)
    return Reply(200, {"value": [_shown(workspace, name, rule) for name, rule in _rules(workspace).items()]})


def _get(plane: Plane, call: Call) -> Reply:
    workspace, name = workspaces.find(plane, call.workspace), call.params["rule"]
    rules = _rules(workspace)
    if name not in rules:
        raise NotFoundError.among("outbound rule", name, rules)
    return Reply(200, _shown(workspace, name, rules[name]))


def _put(plane: Plane, call: Call) -> Reply:
    workspace, name = workspaces.find(plane, call.workspace), call.params["rule"]
    rule = {"category": "UserDefined", **(shaped(call.json(), {"properties": {"type": str}}).get("properties") or {})}
    if rule.get("type") not in KINDS:
        known = ", ".join(KINDS)
        raise BadRequestError(
            f"The type '{rule.get('type')}' of the rule '{name}' is not one of {known}.", target="type"
        )
    _require_network(workspace)
    _store(plane, workspace, outboundRules={**_rules(workspace), name: rule})
    return Reply(200, _shown(workspace, name, rule))


def _delete(plane: Plane, call: Call) -> Reply:
    workspace, name = workspaces.find(plane, call.workspace), call.params["rule"]
    rules = _rules(workspace)
    if name not in rules:
        return Reply(204)
    _store(plane, workspace, outboundRules={key: rule for key, rule in rules.items() if key != name})
    return accepted(plane, call)


def _provision(plane: Plane, call: Call) -> Reply:
    """Make the network before the first compute does; what is ready for Spark stays so."""
    workspace = workspaces.find(plane, call.workspace)
    _require_network(workspace)
    spark = bool(shaped(call.json() or {}, {"includeSpark": bool}).get("includeSpark"))
    before = workspace.properties["managedNetwork"].get("status") or {}
    status = {"status": "Active", "sparkReady": spark or before.get("sparkReady", False)}
    _store(plane, workspace, status=status)
    return accepted(plane, call, status)


def _require_network(workspace: Resource) -> None:
    if workspace.properties["managedNetwork"]["isolationMode"] == "Disabled":
        raise BadRequestError(
            f"The workspace '{workspace.body['name']}' has no managed network: its isolation mode is Disabled."
        )


def _store(plane: Plane, workspace: Resource, **changes: dict[str, Any]) -> None:
    network = {**workspace.properties["managedNetwork"], **changes}
    body = {**workspace.body, "properties": {**workspace.properties, "managedNetwork": network}}
    plane.store.put(stamped(plane, body, workspace))


_ONE = f"{WORKSPACE}/outboundRules/{{rule}}"
ROUTES = (
    Route("GET", f"{WORKSPACE}/outboundRules", _list),
    Route("GET", _ONE, _get),
    Route("PUT", _ONE, _put),
    Route("DELETE", _ONE, _delete),
    Route("POST", f"{WORKSPACE}/provisionManagedNetwork", _provision),
)
