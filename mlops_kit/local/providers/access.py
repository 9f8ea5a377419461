"""Who may do what: role assignments at a scope and above it, evaluated as Azure does, for any principal but the owner.

Actions of ARM calls follow from method and path. Calls to the data plane of a workspace (run history, MLflow, model
registry) count as actions on its experiments, models and data. Blobs are not guarded: Azurite knows no roles.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import scopes, type_of
from mlops_kit.local.arm.wire import ArmError, Call, Reply
from mlops_kit.local.providers import roles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.local.plane import Plane

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_ML = "Microsoft.MachineLearningServices/workspaces"
# What a call to a service of a workspace is a call on.
_SERVICES = {
    "history": "experiments/runs",
    "mlflow": "experiments/runs",
    "artifact": "experiments/runs",
    "modelregistry": "models",
    "data": "data",
    "datastore": "datastores",
}
# What a write that names one of these must be allowed to do with it, besides the write itself.
_LINKED = {
    kind.lower(): f"{kind}/{verb}/action"
    for kind, verb in (
        ("Microsoft.ManagedIdentity/userAssignedIdentities", "assign"),
        ("Microsoft.Network/virtualNetworks/subnets", "join"),
    )
}
_MODELS = re.compile(r"/mlflow/(registered-models|model-versions|logged-models)", re.IGNORECASE)
_READING = re.compile(r"(search|query|get|rundata|batchget|metadata)[\w-]*$", re.IGNORECASE)
# What every principal may ask: which subscriptions, regions and services there are, and how its own call went on.
_OPEN = re.compile(
    r"/subscriptions(/[^/]+(/locations|/providers(/[^/]+)?|/providers/[^/]+/locations/[^/]+/operations/.*)?)?/?",
    re.IGNORECASE,
)
# Lists that Azure shortens to what the caller may read, rather than to refuse them.
_SHORTENED = re.compile(r"/subscriptions/[^/]+/(resourcegroups|resources)", re.IGNORECASE)


def check(plane: Plane, call: Call) -> None:
    """403 in the words of Azure Resource Manager where the caller's roles do not permit a call."""
    if "/subscriptions/" not in call.path.lower() or (call.method in {"GET", "HEAD"} and _is_open(call.path)):
        return
    action, scope = action_of(call.method, call.path)
    if not permits(plane, call.principal, action, scope):
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{_client(plane, call.principal)}' with object id '{call.principal}' does not have"
            f" authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was"
            " recently granted, please refresh your credentials.",
        )
    if call.method in {"PUT", "PATCH"} and call.path.lower().startswith("/subscriptions/"):
        _check_linked(plane, call, action, scope)


def _check_linked(plane: Plane, call: Call, action: str, scope: str) -> None:
    """403 where a write gives away an identity, or enters a subnet, that the caller may not use."""
    for resource_id in _ids(call.json()):
        needed = _LINKED.get(type_of(resource_id).lower())
        if needed and not permits(plane, call.principal, needed, resource_id):
            raise ArmError(
                403,
                "LinkedAuthorizationFailed",
                f"The client '{_client(plane, call.principal)}' with object id '{call.principal}' has permission to"
                f" perform action '{action}' on scope '{scope}'; however, it does not have permission to perform"
                f" action(s) '{needed}' on the linked scope(s) '{resource_id}' (respectively) or the linked scope(s)"
                " are invalid.",
            )


def _ids(value: Any) -> Iterator[str]:
    """Yield every resource id in a body, those that are keys too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _ids(key)
            yield from _ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids(inner)
    elif isinstance(value, str) and value.lower().startswith("/subscriptions/"):
        yield value


def _is_open(path: str) -> bool:
    return bool(_OPEN.fullmatch(path) or _SHORTENED.fullmatch(path))


def shortened(plane: Plane, call: Call, reply: Reply) -> Reply:
    """Return a list without what the caller may not read."""
    if call.method != "GET" or not _SHORTENED.fullmatch(call.path) or not isinstance(reply.body, dict):
        return reply
    kept = [
        one
        for one in reply.body.get("value", [])
        if permits(plane, call.principal, action_of("GET", one["id"])[0], one["id"])
    ]
    return Reply(reply.status, {**reply.body, "value": kept}, reply.headers)


def action_of(method: str, path: str) -> tuple[str, str]:
    """Return the action that a call is, such as ``Microsoft.Storage/storageAccounts/write``, and its scope."""
    service, at = path.split("/", 2)[1].lower(), path.lower().find("/subscriptions/")
    inner = path[at:]
    scope = scopes(inner)[-1]
    if service in _SERVICES and at > 0:
        kind = "models" if _MODELS.search(path) else _SERVICES[service]
        reads = method in {"GET", "HEAD"} or (method == "POST" and _READING.search(path.rpartition("/")[2]))
        return f"{_ML}/{kind}/{'read' if reads else 'write'}", "/".join(inner.split("/")[:9])
    kind = type_of(inner)
    if "/providers/" not in inner.lower():
        kind = "/".join(["Microsoft.Resources", *inner.strip("/").split("/")[::2]])
    return f"{kind}/{_VERBS.get(method, 'action')}", scope


def permits(plane: Plane, principal: str, action: str, scope: str, *, data: bool = False) -> bool:
    """Say whether a principal may perform an action (``data``: a data action) at a scope."""
    allowed, excepted = ("dataActions", "notDataActions") if data else ("actions", "notActions")
    return any(
        holds(one.get(allowed, ()), action) and not holds(one.get(excepted, ()), action)
        for one in permissions(plane, principal, scope)
    )


def permissions(plane: Plane, principal: str, scope: str) -> Iterator[dict[str, Any]]:
    """Yield the permissions of every role that a principal has at a scope or above it; the owner has all."""
    if not principal:
        yield {"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []}
        return
    collections = [f"{one}/providers/{roles.ASSIGNMENTS}" for one in scopes(scope)]
    for one in plane.store.gather(collections):
        if str(one.properties["principalId"]).lower() == principal.lower():
            role = roles.definition(plane, one.properties["roleDefinitionId"])
            yield from role["properties"]["permissions"] if role else ()


def own(plane: Plane, call: Call, collection: str) -> list[dict[str, Any]]:
    """Return the caller's own permissions at a scope."""
    return list(permissions(plane, call.principal, roles.scope_of(collection)))


def holds(patterns: list[str], action: str) -> bool:
    """Say whether one of the patterns of a role holds an action; letter case does not count."""
    return any(_pattern(one).fullmatch(action) for one in patterns)


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of an action with wildcards; ``a/*/b`` holds ``a/b`` too, as in Azure's own roles."""
    escaped = re.escape(text).replace(r"/\*/", "/(?:.*/)?").replace(r"\*", ".*")
    return re.compile(escaped, re.IGNORECASE)


def _client(plane: Plane, principal: str) -> str:
    for one in plane.store.of_type("Microsoft.ManagedIdentity/userAssignedIdentities"):
        if one.properties["principalId"] == principal:
            return str(one.properties["clientId"])
    return principal
