"""What registries hold: the assets of workspaces under other addresses, their uploads, and sharing from a workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlops_kit.local import uris
from mlops_kit.local.arm import ids
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import PROVIDER, Handler, Route
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, ConflictError, NotFoundError, Reply, registry_id
from mlops_kit.local.providers import (
    codes,
    components,
    data,
    environments,
    models,
    registries,
    version_routes,
    versions,
)
from mlops_kit.local.providers.versions import Draft, Kind
from mlops_kit.local.runs import curated
from mlops_kit.local.settings import STORAGE_ACCOUNT

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

_REGISTRY = f"/mferp/managementfrontend{PROVIDER}/registries/{{registry}}"
# The kinds that can be shared, and the property that says where the files of each are.
_SHARED: dict[str, tuple[Kind, str]] = {
    "models": (models.KIND, "modelUri"),
    "data": (data.KIND, "dataUri"),
    "environments": (environments.KIND, "contextUri"),  # in its ``build``
}
_COMPUTED = {"provisioningState", "isArchived", "jobName", "datastoreId"}


def _guarded(handler: Handler, *, writes: bool) -> Handler:
    """Return a handler that answers 404 without the registry, and 403 where a built-in registry would be written."""

    def guarded(plane: Plane, call: Call) -> Reply:
        registries.require(plane, call.params["registry"])
        if writes and call.params["registry"].lower() == curated.REGISTRY:
            raise ArmError(403, "AuthorizationFailed", f"The registry '{call.params['registry']}' can only be read.")
        return handler(plane, call)

    return guarded


def _start_upload(plane: Plane, call: Call) -> Reply:
    """Answer with a container of its own for the files of a new version; 409 where the version exists."""
    asset = _asset(call)
    if plane.store.find(versions.version_id(asset.workspace, asset.kind, asset.name, asset.version)):
        raise ConflictError(f"Version '{asset.version}' of '{asset.name}' exists in this registry.")
    container = registries.new_container(plane, call.owner)
    reference = _reference(plane, call, plane.blobs.url(container), container, "rwdl")
    return Reply(200, {"temporaryDataReferenceId": container, **reference})


def _reference(plane: Plane, call: Call, address: str, container: str, permissions: str) -> dict[str, Any]:
    """Return an address with a signature for its container, as the service writes it."""
    account = f"/subscriptions/{call.params['subscription']}/resourceGroups/{call.params['group']}"
    return {
        "blobReferenceForConsumption": {
            "blobUri": address,
            "storageAccountArmId": f"{account}/providers/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}",
            "credential": {
                "credentialType": "SAS",
                "sasUri": plane.blobs.sas_url(container, None, permissions=permissions),
            },
        }
    }


def _read_files(plane: Plane, call: Call) -> Reply:
    """Answer with a signature under which the files of a version can be read."""
    asset = _asset(call)
    container, path = uris.resolve(plane, asset)
    return Reply(200, _reference(plane, call, plane.blobs.url(container, path), container, "rl"))


def _asset(call: Call) -> uris.AssetReference:
    """Return the version of an asset of this registry that a body is about."""
    given = uris.parse(str(call.json().get("assetId")), call.owner)
    if not isinstance(given, uris.RegistryReference) or registry_id(given.registry) != call.owner:
        raise BadRequestError(f"The assetId is not one of the registry '{call.params['registry']}'.", target="assetId")
    return given.asset


def _share(plane: Plane, call: Call) -> Reply:
    """Copy a version from a workspace, files included; the copy does not depend on the workspace any more."""
    wanted = call.json().get("properties") or {}
    source = _source(plane, str(wanted.get("sourceAssetId")))
    if source.kind not in _SHARED:
        known = ", ".join(_SHARED)
        raise ArmError(501, "NotImplemented", f"Of {source.kind}, nothing can be shared locally; only of {known}.")
    found = versions.find_version(plane, source.workspace, source.kind, source.name, source.version)
    name = str(wanted.get("destinationName") or source.name)
    version = str(wanted.get("destinationVersion") or source.version)
    if plane.store.find(versions.version_id(call.owner, source.kind, name, version)):
        raise ConflictError(f"Version '{version}' of '{name}' exists in this registry.")
    properties = _copied(plane, call.owner, source.kind, found)
    versions.write(plane, _SHARED[source.kind][0], Draft(call.owner, name, version, properties))
    return accepted(plane, call)


def _source(plane: Plane, asset_id: str) -> uris.AssetReference:
    """Read ``azureml://locations/L/workspaces/GUID/KIND/NAME/versions/V``: it names its workspace by the guid."""
    guid = asset_id.partition("/workspaces/")[2].partition("/")[0]
    if not asset_id.startswith("azureml://locations/") or not guid:
        raise BadRequestError(f"'{asset_id}' is not the id of a workspace's asset.", target="sourceAssetId")
    known = (one for one in plane.store.under("/subscriptions") if one.properties.get("workspaceId") == guid)
    workspace = next((one.id for one in known if one.id == ids.workspace_of(one.id)), None)
    if workspace is None:
        raise NotFoundError(f"The workspace with the guid '{guid}'")
    asset = uris.parse(asset_id, workspace)
    if not isinstance(asset, uris.AssetReference) or not asset.version:
        raise BadRequestError(f"'{asset_id}' does not name a version of an asset.", target="sourceAssetId")
    return asset


def _copied(plane: Plane, owner: str, kind: str, found: Resource) -> dict[str, Any]:
    """Return the properties of a version for its copy, whose files are in a container of the registry."""
    properties = {key: value for key, value in found.properties.items() if key not in _COMPUTED}
    holder = properties.get("build") or {} if kind == "environments" else properties
    key = _SHARED[kind][1]
    if key not in holder:
        return properties
    copied = {**holder, key: _copy_files(plane, owner, str(holder[key]), ids.workspace_of(found.id))}
    return {**properties, "build": copied} if kind == "environments" else copied


def _copy_files(plane: Plane, owner: str, address: str, workspace: str) -> str:
    """Copy a file or folder into a container of the registry and return its new address."""
    location = uris.parse(address, workspace)
    if isinstance(location, uris.WebAddress):
        return address
    source, path = uris.resolve(plane, location)
    prefix, target = path.rstrip("/"), registries.new_container(plane, owner)
    for blob in plane.blobs.list(source, prefix):
        if blob.name == prefix or blob.name.startswith(f"{prefix}/"):
            plane.blobs.copy(blob, source, target, blob.name)
    return plane.blobs.url(target, path)


_TABLES: tuple[Callable[[str], tuple[Route, ...]], ...] = (
    components.routes,
    models.routes,
    lambda owner: version_routes.routes(data.KIND, owner),
    lambda owner: version_routes.routes(environments.KIND, owner),
    # Code is written and read with the component that brings it; clients list none.
    lambda owner: tuple(one for one in version_routes.routes(codes.KIND, owner) if one.template.endswith("{version}")),
)
_OWN = (
    Route("PUT", f"{_REGISTRY}/tempdatarefs/{{name}}/versions/{{version}}", _start_upload, slow=True),
    Route("POST", f"{_REGISTRY}/datarefs/{{name}}/versions/{{version}}", _read_files, slow=True),
    Route("POST", f"{_REGISTRY}/import", _share, slow=True, does="executed"),
)
ROUTES = tuple(
    Route(
        route.method,
        route.template,
        _guarded(route.handler, writes=route.method != "GET"),
        slow=route.slow,
        does=route.does,
    )
    for route in (*(route for table in _TABLES for route in table(_REGISTRY)), *_OWN)
    if route.method != "DELETE" and "/labels/" not in route.template  # clients delete nothing here, and read lists
)
