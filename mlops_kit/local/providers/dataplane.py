"""What Azure ML's data libraries ask the workspace's API host: where assets are, and how a datastore is reached.

``azure-ai-ml`` asks for addresses when it downloads a job's outputs; ``mltable`` and ``azureml-fsspec`` ask for the
datastore behind an ``azureml://`` address, and for the data asset behind its id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local import uris
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError, Call, Reply
from mlops_kit.local.providers import versions
from mlops_kit.local.settings import STORAGE_ACCOUNT, STORAGE_KEY, STORAGE_SUFFIX

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane


def _resolved_data(plane: Plane, call: Call) -> Reply:
    """Answer where each of the data assets in ``values`` is."""
    return Reply(200, {"values": _resolved(plane, call, "data", "uri")})


def _resolved_models(plane: Plane, call: Call) -> Reply:
    """Answer where each of the models in ``values`` is."""
    return Reply(200, {"values": _resolved(plane, call, "models", "path")})


def _resolved(plane: Plane, call: Call, kind: str, field: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for asset in call.json().get("values") or []:
        try:
            found[asset] = _where(plane, str(asset), call.workspace, kind, field)
        except ArmError as missing:  # an asset that is not there is left out, as on Azure
            if missing.status != 404:
                raise
    return found


def _where(plane: Plane, asset: str, workspace: str, kind: str, field: str) -> dict[str, Any]:
    location = uris.parse(asset, workspace)
    if not isinstance(location, uris.AssetReference):
        return {field: uris.settled(plane, asset, workspace), "type": "uri_folder"}
    collection = location.kind or kind
    wanted = location.version or location.label
    found = versions.find_version(plane, location.workspace, collection, location.name, wanted).properties
    if collection == "models":
        return {field: found["modelUri"], "type": found.get("modelType")}
    return {field: found["dataUri"], "type": found["dataType"]}


def _datastore(plane: Plane, call: Call) -> Reply:
    """Answer how a datastore is reached, its key included, as the data libraries read it."""
    name = call.params["name"]
    found = plane.store.get(f"{call.workspace}/datastores/{name}", f"The datastore '{name}'")
    return Reply(200, _shown_datastore(found))


def _shown_datastore(datastore: Resource) -> dict[str, Any]:
    """Return a datastore of the local account; other accounts are shown without credentials."""
    properties = datastore.properties
    ours = properties.get("accountName") == STORAGE_ACCOUNT
    section = {
        "accountName": properties.get("accountName"),
        "containerName": properties.get("containerName") or properties.get("fileShareName"),
        "endpoint": STORAGE_SUFFIX if ours else properties.get("endpoint"),
        "protocol": properties.get("protocol") or "https",
        "credentialType": "AccountKey" if ours else "None",
        "credential": STORAGE_KEY if ours else None,
        "accountKey": STORAGE_KEY if ours else None,
        "isSas": False,
        "areWorkspaceManagedIdentitiesAllowed": False,
        "serviceDataAccessAuthIdentity": "None",
    }
    return {
        "name": datastore.body["name"],
        "dataStoreType": properties.get("datastoreType"),
        "hasBeenValidated": True,
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
        "isDefault": bool(properties.get("isDefault")),
        "azureStorageSection": section,
    }


def _data_version(plane: Plane, call: Call) -> Reply:
    """Answer a version of a data asset as the data libraries read it."""
    name, version = call.params["name"], call.params["version"]
    return Reply(200, _shown_version(name, versions.find_version(plane, call.workspace, "data", name, version)))


def _by_asset_id(plane: Plane, call: Call) -> Reply:
    """Answer the version of a data asset that an id names."""
    asset = uris.parse(str(call.json().get("value")), call.workspace)
    if not isinstance(asset, uris.AssetReference):
        raise ArmError(400, "ValidationError", f"{asset} does not name a data asset.", target="value")
    found = versions.find_version(plane, asset.workspace, "data", asset.name, asset.version or asset.label)
    return Reply(200, _shown_version(asset.name, found))


def _shown_version(name: str, found: Resource) -> dict[str, Any]:
    properties = found.properties
    system = found.body["systemData"]
    version = {
        "assetId": f"azureml:{found.id}",
        "dataContainerName": name,
        "dataType": {"mltable": "MLTable", "uri_file": "UriFile", "uri_folder": "UriFolder"}[properties["dataType"]],
        "dataUri": properties["dataUri"],
        "versionId": versions.version_of(found),
        "mutableProps": {
            "isArchived": properties.get("isArchived", False),
            "description": properties.get("description"),
            "tags": properties.get("tags") or {},
        },
        "referencedDataUris": properties.get("referencedUris"),
        "properties": properties.get("properties") or {},
    }
    return {
        "dataVersion": version,
        "entityMetadata": {"createdTime": system["createdAt"], "modifiedTime": system["lastModifiedAt"]},
        "isV2": True,
    }


_DATA = f"/data/v1.0{WORKSPACE}"
ROUTES = (
    Route("POST", f"{_DATA}/dataversion/batchGetResolvedUris", _resolved_data),
    Route("POST", f"/modelregistry/v1.0{WORKSPACE}/models/batchGetResolvedUris", _resolved_models),
    Route("GET", f"{_DATA}/dataversion/{{name}}/versions/{{version}}", _data_version),
    Route("POST", f"{_DATA}/dataversion/getByAssetId", _by_asset_id),
    Route("GET", f"/datastore/v1.0{WORKSPACE}/datastores/{{name}}", _datastore),
)
