"""Tags of a subscription, group or resource as a resource: ``ID/providers/Microsoft.Resources/tags/default``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.shapes import TAGS, shaped
from mlops_kit.local.arm.wire import BadRequestError, Call, Reply
from mlops_kit.local.providers import subscriptions
from mlops_kit.local.providers.resource_rules import check_tags

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

_SHAPE = {"operation": str, "properties": {"tags": TAGS}}
_END = "/providers/Microsoft.Resources/tags/default"


def _scope(call: Call) -> str:
    return call.path[: -len(_END)]


def _body(plane: Plane, call: Call) -> dict[str, Any]:
    """Return the body of what carries the tags; 404 where it is not there."""
    scope = _scope(call)
    if scope.count("/") == 2:
        return subscriptions.body(plane, call.params["subscription"])
    return plane.store.get(scope).body


def _write(plane: Plane, call: Call, tags: dict[str, Any]) -> Reply:
    body = {**_body(plane, call), "tags": tags}
    check_tags(body)
    plane.store.put({"properties": {}, **body})
    return Reply(200, _shown(call, tags))


def _shown(call: Call, tags: dict[str, Any]) -> dict[str, Any]:
    own = {"id": f"{_scope(call)}{_END}", "name": "default", "type": "Microsoft.Resources/tags"}
    return {**own, "properties": {"tags": tags}}


def _asked(call: Call) -> tuple[str, dict[str, Any]]:
    body = shaped(call.json(), _SHAPE)
    return str(body.get("operation", "")).lower(), (body.get("properties") or {}).get("tags") or {}


def _get(plane: Plane, call: Call) -> Reply:
    return Reply(200, _shown(call, _body(plane, call).get("tags") or {}))


def _put(plane: Plane, call: Call) -> Reply:
    return _write(plane, call, _asked(call)[1])


def _patch(plane: Plane, call: Call) -> Reply:
    """Merge, replace or delete tags; a deletion names tags, or tags with the value that they must have."""
    (operation, given), there = _asked(call), _body(plane, call).get("tags") or {}
    if operation == "merge":
        return _write(plane, call, {**there, **given})
    if operation == "replace":
        return _write(plane, call, given)
    if operation == "delete":
        gone = {name for name, value in given.items() if value in {"", None, there.get(name)}}
        return _write(plane, call, {name: value for name, value in there.items() if name not in gone})
    raise BadRequestError(f"The operation '{operation}' is not one of Merge, Replace, Delete.", target="operation")


def _delete(plane: Plane, call: Call) -> Reply:
    _write(plane, call, {})
    return Reply(200)


def concerned(path: str) -> bool:
    """Say whether a path leads to tags; what comes before them is of any length, so no route can tell."""
    return path.lower().endswith(_END.lower())


HANDLERS = {"GET": _get, "PUT": _put, "PATCH": _patch, "DELETE": _delete}
