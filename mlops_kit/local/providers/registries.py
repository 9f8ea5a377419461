"""Registries: created, found by their name, listed and deleted. ``azureml`` (curated environments) is built in.

What a registry holds is stored under ``azureml://registries/NAME``, the beginning of its assets' ids; the registry
itself is an ARM resource. Its storage accounts and container registries are entries only, as those of workspaces.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import parse, stable_guid, stamped
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import GROUP, PROVIDER, SUBSCRIPTION, Route
from mlops_kit.local.arm.shapes import IDENTITY, TAGS, shaped
from mlops_kit.local.arm.wire import BadRequestError, Call, ConflictError, NotFoundError, Reply, registry_id
from mlops_kit.local.providers import resources
from mlops_kit.local.providers.resource_rules import Draft, check_references, check_tags, placed
from mlops_kit.local.runs import curated
from mlops_kit.local.settings import API_URL, TENANT

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

_ONE = f"{PROVIDER}/registries/{{registry}}"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,32}")
_SHAPE = {
    "location": str,
    "tags": TAGS,
    "identity": IDENTITY,
    "properties": {"regionDetails": [{"location": str, "acrDetails": [dict], "storageAccountDetails": [dict]}]},
}
# The kinds of account that a registry makes for itself in each of its regions: resource type, wire names.
_ACCOUNTS = (
    ("acrDetails", "systemCreatedAcrAccount", "Microsoft.ContainerRegistry/registries"),
    ("storageAccountDetails", "systemCreatedStorageAccount", "Microsoft.Storage/storageAccounts"),
)


def require(plane: Plane, name: str) -> str:
    """Return the ARM id of a registry, or '' for the one that is built in; 404 with the nearest names otherwise."""
    if name.lower() == curated.REGISTRY:
        return ""
    entry = plane.store.find(registry_id(name))
    if entry is None:
        known = [str(one.body["registry"]).rpartition("/")[2] for one in plane.store.list(registry_id("").rstrip("/"))]
        raise NotFoundError.among("registry", name, [curated.REGISTRY, *known])
    return str(entry.body["registry"])


def delete(plane: Plane, registry: Resource) -> None:
    """Forget a registry with all it holds, and delete the files of its assets."""
    owner = registry_id(str(registry.body["name"]))
    for upload in plane.store.list(f"{owner}/uploads"):
        plane.blobs.delete(upload.id.rpartition("/")[2], "")
    with plane.store.transaction():
        plane.store.delete(owner)
        plane.store.delete(registry.id)


def new_container(plane: Plane, owner: str) -> str:
    """Create a container for an asset's files; the registry knows it, and deletes it with itself."""
    container = f"registry-{uuid.uuid4()}"
    plane.blobs.ensure_container(container)
    plane.store.put({"id": f"{owner}/uploads/{container}", "properties": {}})
    return container


def _id(call: Call) -> str:
    return _ONE.format(**call.params)


def _put(plane: Plane, call: Call) -> Reply:
    name, body = call.params["registry"], shaped(call.json(), _SHAPE)
    if not _NAME.fullmatch(name):
        raise BadRequestError(
            f"The registry name '{name}' is not valid: use 2 to 33 letters, digits, '-' and '_', and begin with a"
            " letter or digit.",
            target="name",
        )
    resources.require_group(plane, _id(call))
    if not body.get("location"):
        raise BadRequestError(f"The registry '{name}' has no location.", target="location")
    previous = plane.store.find(_id(call))
    draft = Draft(_id(call), body, previous)
    body = placed(body, draft)
    check_tags(body)
    check_references(plane, draft, ())
    taken = plane.store.find(registry_id(name))
    if name.lower() == curated.REGISTRY or (taken is not None and previous is None):
        raise ConflictError(f"The registry name '{name}' is taken: it is unique in all resource groups.")
    identity = body.get("identity") or {"type": "SystemAssigned"}
    whole = {
        **body,
        "id": _id(call),
        "tags": body.get("tags") or {},
        "identity": resources.identity(plane, identity, previous, replace=True),
        "properties": _properties(name, body.get("properties") or {}),
    }
    with plane.store.transaction():
        plane.store.put(stamped(plane, whole, previous))
        plane.store.put({"id": registry_id(name), "registry": _id(call), "properties": {}})
    return Reply(200 if previous else 201, plane.store.get(_id(call)).body)


def _properties(name: str, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "publicNetworkAccess": "Enabled",
        **{key: value for key, value in given.items() if value is not None},
        "regionDetails": [_region(name, region) for region in given.get("regionDetails") or []],
        "discoveryUrl": f"{API_URL}/registrymanagement/v1.0/registries/{name}/discovery",
        "provisioningState": "Succeeded",
    }


def _region(name: str, region: dict[str, Any]) -> dict[str, Any]:
    """Return the details of a region with the accounts that the service would have made in it."""
    made = {
        key: [
            _account(one, kind, f"{name}{region.get('location')}{number}", where)
            for number, one in enumerate(region.get(key) or [])
        ]
        for key, kind, where in _ACCOUNTS
    }
    return {**region, **made}


def _account(account: dict[str, Any], kind: str, seed: str, where: str) -> dict[str, Any]:
    if not account.get(kind):
        return account
    short = stable_guid(seed, where).replace("-", "")[:20]
    made = {"resourceId": f"/subscriptions/{stable_guid(seed)}/resourceGroups/azureml-rg/providers/{where}/{short}"}
    return {**account, kind: {**account[kind], "armResourceId": made}}


def _get(plane: Plane, call: Call) -> Reply:
    found = plane.store.find(_id(call))
    if found is None:
        resources.require_group(plane, _id(call))
        known = (str(one.body["name"]) for one in plane.store.list(_id(call).rpartition("/")[0]))
        raise NotFoundError.among("registry", call.params["registry"], known)
    return Reply(200, found.body)


def _list(plane: Plane, call: Call) -> Reply:
    group = resources.require_group(plane, GROUP.format(**call.params))
    return Reply(200, {"value": [one.body for one in of_group(plane, group.id)]})


def _list_all(plane: Plane, call: Call) -> Reply:
    groups = plane.store.list(f"{SUBSCRIPTION.format(**call.params)}/resourceGroups")
    return Reply(200, {"value": [one.body for group in groups for one in of_group(plane, group.id)]})


def of_group(plane: Plane, group: str) -> list[Resource]:
    """Return the registries of a resource group."""
    return plane.store.list(f"{group}/providers/Microsoft.MachineLearningServices/registries")


def _delete(plane: Plane, call: Call) -> Reply:
    found = plane.store.find(_id(call))
    if found is None:
        return Reply(204)
    delete(plane, found)
    return accepted(plane, call)


def _discovery(plane: Plane, call: Call) -> Reply:
    """Answer where a registry is served: clients know its name only."""
    arm = require(plane, call.params["registry"])
    home, location = parse(arm), "local"
    if arm:
        body = plane.store.get(arm).body
        location = str(body["location"])
    document = {
        "registryName": arm.rpartition("/")[2] or curated.REGISTRY,
        "tenantId": TENANT,
        "primaryRegion": location,
        "regions": [location],
        "subscriptionId": home.get("subscriptions") or plane.settings.workspace.subscription,
        "resourceGroup": home.get("resourcegroups") or plane.settings.workspace.group,
        "primaryRegionResourceProviderUri": f"{API_URL}/",
    }
    return Reply(200, document)


ROUTES = (
    Route("GET", f"{PROVIDER}/registries", _list),
    Route("GET", f"{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/registries", _list_all),
    Route("GET", _ONE, _get),
    Route("PUT", _ONE, _put),
    Route("DELETE", _ONE, _delete, slow=True, does="executed"),
    Route("GET", "/registrymanagement/v1.0/registries/{registry}/discovery", _discovery),
)
