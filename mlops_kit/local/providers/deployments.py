"""ARM template deployments to a resource group or a subscription: validate, preview, run, and what each one did."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.deployments import preview
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import GROUP, SUBSCRIPTION, Route
from mlops_kit.local.arm.shapes import TAGS, shaped
from mlops_kit.local.arm.template_plan import Planned, plan
from mlops_kit.local.arm.template_scope import Scope
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, ConflictError, Reply
from mlops_kit.local.providers import deployment_runs
from mlops_kit.local.providers.deployment_runs import door, shown
from mlops_kit.local.providers.locations import normal
from mlops_kit.local.providers.resources import require_group

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

_SHAPE = {
    "location": str,
    "tags": TAGS,
    "properties": {
        "mode": str,
        "template": dict,
        "parameters": {"*": dict, "$schema": str, "contentVersion": str},
        "templateLink": dict,
        "parametersLink": dict,
    },
}
_NAME = re.compile(r"[\w.()-]{1,64}")


def _scope(plane: Plane, call: Call) -> Scope:
    scope = Scope(call.params["subscription"], call.params.get("group", ""), call.params["deployment"])
    if scope.group:
        require_group(plane, scope.id)
    return scope


def _request(call: Call) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the body, its template and its parameters; refuse what would not be carried out."""
    body = shaped(call.json(), _SHAPE)
    properties = body.get("properties") or {}
    if str(properties.get("mode", "Incremental")).lower() == "complete":
        raise ArmError(
            501,
            "NotImplemented",
            "Mode 'Complete' would delete whatever the template does not name; the local control plane deploys in mode"
            " 'Incremental' only.",
            target="mode",
        )
    for link in ("templateLink", "parametersLink"):
        if properties.get(link):
            message = f"A {link} cannot be fetched by the local control plane; send the document itself."
            raise ArmError(501, "NotImplemented", message, target=link)
    template = properties.get("template")
    if template is None:
        raise BadRequestError("The deployment has no template.", target="template")
    given = properties.get("parameters") or {}
    # A whole parameter file may be sent, too.
    return body, template, given.get("parameters", given) if "$schema" in given else given


def _put(plane: Plane, call: Call) -> Reply:
    scope = _scope(plane, call)
    if not _NAME.fullmatch(scope.name):
        raise BadRequestError(
            f"The deployment name '{scope.name}' is not valid: use 1 to 64 letters, digits, '.', '_', '-' and"
            " parentheses.",
            target="name",
        )
    body, _, given = _request(call)
    return deployment_runs.start(plane, call, scope, body, given)


def _validate(plane: Plane, call: Call) -> Reply:
    scope = _scope(plane, call)
    _, template, given = _request(call)
    try:
        planned, _ = plan(template, given, scope, door(plane, call.principal), None)
    except ArmError as fault:
        return fault.reply()
    properties = {
        "provisioningState": "Succeeded",
        "mode": "Incremental",
        "parameters": shown(template, given),
        "validatedResources": [{"id": one.id} for one in planned if one.wanted],
    }
    body = {"id": scope.deployment_id, "name": scope.name, "type": "Microsoft.Resources/deployments"}
    return Reply(200, {**body, "properties": properties})


def _what_if(plane: Plane, call: Call) -> Reply:
    scope = _scope(plane, call)
    _, template, given = _request(call)
    there = door(plane, call.principal)
    changes = [_change(one, body, there.get(one.id)) for one, body in preview(template, given, scope, there)]
    return Reply(200, {"status": "Succeeded", "properties": {"correlationId": str(uuid.uuid4()), "changes": changes}})


def _change(one: Planned, after: dict[str, Any] | None, before: dict[str, Any] | None) -> dict[str, Any]:
    change: dict[str, Any] = {"resourceId": one.id}
    if after is None:
        reason = "It refers to a resource that does not exist yet."
        return {**change, "changeType": "Unsupported", "unsupportedReason": reason}
    after = {**after, "id": one.id, "name": one.name.rpartition("/")[2], "type": one.type}
    if before is None:
        return {**change, "changeType": "Create", "after": after}
    delta = _delta(before, after, "")
    kind = "Modify" if delta else "NoChange"
    return {**change, "changeType": kind, "before": before, "after": after, "delta": delta}


def _delta(before: dict[str, Any], after: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """Return what a template would change; what it does not mention stays as it is."""
    found = []
    for key, value in after.items():
        where = f"{path}.{key}" if path else key
        was = before.get(key)
        if isinstance(value, dict) and isinstance(was, dict):
            found += _delta(was, value, where)
        elif key not in before:
            if value is None:
                continue
            found.append({"path": where, "propertyChangeType": "Create", "after": value})
        elif was != value and not _alike(key, was, value):
            found.append({"path": where, "propertyChangeType": "Modify", "before": was, "after": value})
    return found


def _alike(key: str, was: Any, value: Any) -> bool:
    """Say whether two values mean the same: a region in two spellings, an id in two letter cases, lists of such.

    What a service added to an object in a list is no difference.
    """
    if isinstance(was, dict) and isinstance(value, dict):
        return not _delta(was, value, "")
    if isinstance(was, list) and isinstance(value, list):
        pairs = zip(was, value, strict=False)
        return len(was) == len(value) and all(one == other or _alike("", one, other) for one, other in pairs)
    if not isinstance(was, str) or not isinstance(value, str):
        return False
    if key == "location":
        return normal(was) == normal(value)
    return value.startswith("/subscriptions/") and was.lower() == value.lower()


def _get(plane: Plane, call: Call) -> Reply:
    scope = _scope(plane, call)
    return Reply(200, plane.store.get(scope.deployment_id, f"The deployment '{scope.name}'").body)


def _head(plane: Plane, call: Call) -> Reply:
    return Reply(204 if plane.store.find(_scope(plane, call).deployment_id) else 404)


def _list(plane: Plane, call: Call) -> Reply:
    scope = (GROUP if "group" in call.params else SUBSCRIPTION).format(**call.params)
    if "group" in call.params:
        require_group(plane, scope)
    found = plane.store.list(f"{scope}/providers/Microsoft.Resources/deployments", newest_first=True)
    bodies = [one.body for one in found]
    return Reply(200, {"value": bodies[: int(call.query["$top"])] if "$top" in call.query else bodies})


def _delete(plane: Plane, call: Call) -> Reply:
    scope = _scope(plane, call)
    found = plane.store.find(scope.deployment_id)
    if found is None:
        return Reply(204)
    if found.properties["provisioningState"] == deployment_runs.RUNNING:
        raise ConflictError(f"The deployment '{scope.name}' runs and cannot be deleted: cancel it first.")
    plane.store.delete(found.id)
    return accepted(plane, call)


def _cancel(plane: Plane, call: Call) -> Reply:
    deployment_runs.cancel(plane, _scope(plane, call))
    return Reply(204)


def _operations(plane: Plane, call: Call) -> Reply:
    scope = _scope(plane, call)
    found = plane.store.get(scope.deployment_id, f"The deployment '{scope.name}'")
    return Reply(200, {"value": found.private["operations"]})


def _operation(plane: Plane, call: Call) -> Reply:
    scope = _scope(plane, call)
    found = plane.store.get(scope.deployment_id, f"The deployment '{scope.name}'")
    for one in found.private["operations"]:
        if one["operationId"] == call.params["operation"]:
            return Reply(200, one)
    raise BadRequestError(f"The deployment '{scope.name}' has no operation '{call.params['operation']}'.")


def _export(plane: Plane, call: Call) -> Reply:
    scope = _scope(plane, call)
    found = plane.store.get(scope.deployment_id, f"The deployment '{scope.name}'")
    return Reply(200, {"template": found.private["template"]})


def _routes(scope: str, operations: str) -> tuple[Route, ...]:
    collection = f"{scope}/providers/Microsoft.Resources/deployments"
    one = f"{collection}/{{deployment}}"
    return (
        Route("GET", collection, _list),
        Route("PUT", one, _put, slow=True, does="executed"),
        Route("GET", one, _get),
        Route("HEAD", one, _head),
        Route("DELETE", one, _delete),
        Route("POST", f"{one}/validate", _validate, does="executed"),
        Route("POST", f"{one}/whatIf", _what_if, does="executed"),
        Route("POST", f"{one}/cancel", _cancel, does="executed"),
        Route("POST", f"{one}/exportTemplate", _export),
        Route("GET", operations, _operations),
        Route("GET", f"{operations}/{{operation}}", _operation),
    )


ROUTES = (
    *_routes(GROUP, f"{GROUP}/deployments/{{deployment}}/operations"),
    *_routes(SUBSCRIPTION, f"{SUBSCRIPTION}/providers/Microsoft.Resources/deployments/{{deployment}}/operations"),
)
