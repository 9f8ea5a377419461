"""Resources of the neighbouring services, stored as they are sent plus the properties their service would add.

They are entries: a storage account, a vault or a registry made here has no service behind it, except that every
storage account's data is the one account in Azurite. Namespaces that are not listed are refused.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import group_of, stable_guid, stamped, type_of
from mlops_kit.local.arm.routes import GROUP, SUBSCRIPTION, Route
from mlops_kit.local.arm.shapes import IDENTITY, TAGS, shaped
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.settings import DOMAIN, STORAGE_KEY, STORAGE_SUFFIX, TENANT

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_kit.local.plane import Plane

STORED = frozenset(
    {
        "microsoft.authorization",
        "microsoft.containerregistry",
        "microsoft.insights",
        "microsoft.keyvault",
        "microsoft.managedidentity",
        "microsoft.network",
        "microsoft.operationalinsights",
        "microsoft.storage",
    }
)
_SHAPE = {"location": str, "tags": TAGS, "identity": IDENTITY, "properties": dict, "kind": str, "sku": dict}


def require_group(plane: Plane, resource_id: str) -> Resource:
    """Return the resource group that an id lies in; 404 with the nearest names where there is none."""
    group = group_of(resource_id)
    found = plane.store.find(group)
    if found is None:
        collection, _, name = group.rpartition("/")
        known = (str(one.body["name"]) for one in plane.store.list(collection))
        error = NotFoundError.among("resource group", name, known)
        error.code = "ResourceGroupNotFound"
        raise error
    return found


def write(plane: Plane, resource_id: str, body: dict[str, Any]) -> Resource:
    """Create or replace a resource; what its service would add is added once and then kept."""
    previous = plane.store.find(resource_id)
    given = body.get("properties") or {}
    added = previous.private if previous else _added(resource_id)
    whole = {**body, "id": resource_id, "properties": {"provisioningState": "Succeeded", **given, **added}}
    if body.get("identity"):
        whole["identity"] = identity(body["identity"], previous)
    plane.store.put(stamped(plane, whole, previous), added)
    return plane.store.get(resource_id)


def identity(wanted: dict[str, Any], previous: Resource | None) -> dict[str, Any]:
    """Return an identity with the principals that the directory would give it; kept from ``previous``."""
    kept = (previous.body.get("identity") if previous else None) or {}
    kind = str(wanted.get("type", "SystemAssigned"))
    whole: dict[str, Any] = {"type": ",".join(part[:1].upper() + part[1:] for part in re.split(r",\s*", kind))}
    if "systemassigned" in kind.lower():
        whole["principalId"] = kept.get("principalId") or str(uuid.uuid4())
        whole["tenantId"] = TENANT
    users = {**kept.get("userAssignedIdentities", {}), **(wanted.get("userAssignedIdentities") or {})}
    # A client removes an assigned identity by sending null for it.
    whole["userAssignedIdentities"] = {
        one: {"principalId": stable_guid(one, "principal"), "clientId": stable_guid(one, "client")}
        for one, facts in users.items()
        if facts is not None
    }
    if not whole["userAssignedIdentities"]:
        del whole["userAssignedIdentities"]
    return whole


def registry_credentials(registry: Resource) -> dict[str, Any]:
    """Return the admin account of a container registry."""
    name = str(registry.body["name"])
    passwords = [{"name": slot, "value": stable_guid(registry.id, slot)} for slot in ("password", "password2")]
    return {"username": name, "passwords": passwords, "location": registry.body.get("location")}


def _storage(name: str, resource_id: str) -> dict[str, Any]:
    del resource_id
    endpoints = {kind: f"https://{name}.{kind}.{STORAGE_SUFFIX}/" for kind in ("blob", "dfs", "file")}
    return {"primaryEndpoints": endpoints, "statusOfPrimary": "available"}


def _vault(name: str, resource_id: str) -> dict[str, Any]:
    del resource_id
    return {"vaultUri": f"https://{name}.vault.{DOMAIN}/", "tenantId": TENANT}


def _insights(name: str, resource_id: str) -> dict[str, Any]:
    del name
    key, app = stable_guid(resource_id, "key"), stable_guid(resource_id, "app")
    connection = f"InstrumentationKey={key};IngestionEndpoint=https://insights.{DOMAIN}/;ApplicationId={app}"
    return {"InstrumentationKey": key, "AppId": app, "ConnectionString": connection}


def _registry(name: str, resource_id: str) -> dict[str, Any]:
    del resource_id
    return {"loginServer": f"{name.lower()}.azurecr.{DOMAIN}"}


def _user_identity(name: str, resource_id: str) -> dict[str, Any]:
    del name
    principal, client = stable_guid(resource_id, "principal"), stable_guid(resource_id, "client")
    return {"principalId": principal, "clientId": client, "tenantId": TENANT}


def _log_analytics(name: str, resource_id: str) -> dict[str, Any]:
    del name
    return {"customerId": stable_guid(resource_id)}


def _scoped(name: str, resource_id: str) -> dict[str, Any]:
    del name
    return {"scope": resource_id.lower().rpartition("/providers/microsoft.authorization/")[0] or "/"}


_ADDED: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "microsoft.storage/storageaccounts": _storage,
    "microsoft.keyvault/vaults": _vault,
    "microsoft.insights/components": _insights,
    "microsoft.containerregistry/registries": _registry,
    "microsoft.managedidentity/userassignedidentities": _user_identity,
    "microsoft.operationalinsights/workspaces": _log_analytics,
    "microsoft.authorization/roleassignments": _scoped,
}


def _added(resource_id: str) -> dict[str, Any]:
    make = _ADDED.get(type_of(resource_id).lower())
    return make(resource_id.rpartition("/")[2], resource_id) if make else {}


def _storage_keys(found: Resource) -> dict[str, Any]:
    del found
    return {"keys": [{"keyName": slot, "value": STORAGE_KEY, "permissions": "FULL"} for slot in ("key1", "key2")]}


def _shared_keys(found: Resource) -> dict[str, Any]:
    return {slot: stable_guid(found.id, slot) for slot in ("primarySharedKey", "secondarySharedKey")}


_ACTIONS: dict[tuple[str, str], Callable[[Resource], dict[str, Any]]] = {
    ("microsoft.storage/storageaccounts", "listkeys"): _storage_keys,
    ("microsoft.operationalinsights/workspaces", "sharedkeys"): _shared_keys,
    ("microsoft.containerregistry/registries", "listcredentials"): registry_credentials,
}


def _id(call: Call) -> str:
    """Return the id that a call names, in canonical spelling; 501 where the service is none of the stored ones."""
    scope = f"/subscriptions/{call.params['subscription']}"
    if "group" in call.params:
        scope = f"{scope}/resourceGroups/{call.params['group']}"
    resource_id = f"{scope}/providers/{call.params['namespace']}/{call.params['rest']}"
    namespace = type_of(resource_id).partition("/")[0]
    if namespace.lower() not in STORED:
        raise ArmError(
            501,
            "NotImplemented",
            f"The local control plane does not implement {call.method} {call.path}. Nothing was done.",
        )
    return resource_id


def _is_collection(resource_id: str) -> bool:
    after = resource_id.lower().rpartition("/providers/")[2]
    return len(after.split("/")) % 2 == 0


def _put(plane: Plane, call: Call) -> Reply:
    resource_id = _id(call)
    if _is_collection(resource_id):
        raise BadRequestError(f"The id '{resource_id}' ends in a type: it has no name.")
    if "group" in call.params:
        require_group(plane, resource_id)
    parent = resource_id.rsplit("/", 2)[0]
    if type_of(resource_id).count("/") > 1 and not _is_built_in_part(parent):
        plane.store.get(parent)
    there = plane.store.find(resource_id)
    return Reply(200 if there else 201, write(plane, resource_id, shaped(call.json(), _SHAPE)).body)


def _is_built_in_part(resource_id: str) -> bool:
    """Say whether an id is a part that a service makes itself, such as ``storageAccounts/x/blobServices/default``."""
    return resource_id.endswith("/default")


def _patch(plane: Plane, call: Call) -> Reply:
    found = plane.store.get(_id(call))
    change = shaped(call.json(), _SHAPE)
    properties = {**found.properties, **(change.get("properties") or {})}
    return Reply(200, write(plane, found.id, {**found.body, **change, "properties": properties}).body)


def _get(plane: Plane, call: Call) -> Reply:
    resource_id = _id(call)
    if not _is_collection(resource_id):
        return Reply(200, plane.store.get(resource_id).body)
    if "/providers/microsoft.authorization/" in resource_id.lower():
        return Reply(200, {"value": _assignments(plane, resource_id, call.query.get("$filter", ""))})
    return Reply(200, {"value": [one.body for one in plane.store.list(resource_id)]})


def _assignments(plane: Plane, collection: str, expression: str) -> list[dict[str, Any]]:
    """Return what is granted at a scope and below it, which is how Authorization lists."""
    scope, _, kind = collection.lower().rpartition("/providers/microsoft.authorization/")
    marker = f"/providers/microsoft.authorization/{kind}/"
    bodies = [one.body for one in plane.store.under(scope) if marker in one.id.lower()]
    if found := re.search(r"(principalId|roleName) eq '([^']*)'", expression):
        bodies = [body for body in bodies if body["properties"].get(found[1]) == found[2]]
    return bodies


def _head(plane: Plane, call: Call) -> Reply:
    return Reply(204 if plane.store.find(_id(call)) else 404)


def _delete(plane: Plane, call: Call) -> Reply:
    return Reply(200 if plane.store.delete(_id(call)) else 204)


def _act(plane: Plane, call: Call) -> Reply:
    resource_id, _, action = _id(call).rpartition("/")
    act = _ACTIONS.get((type_of(resource_id).lower(), action.lower()))
    if act is None:
        raise ArmError(501, "NotImplemented", f"The local control plane does not implement POST {call.path}.")
    return Reply(200, act(plane.store.get(resource_id)))


_HANDLERS = {"PUT": _put, "GET": _get, "PATCH": _patch, "HEAD": _head, "DELETE": _delete, "POST": _act}
ROUTES = tuple(
    Route(method, f"{scope}/providers/{{namespace}}/{{rest*}}", handler)
    for scope in (GROUP, SUBSCRIPTION)
    for method, handler in _HANDLERS.items()
)
