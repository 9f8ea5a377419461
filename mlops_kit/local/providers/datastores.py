"""Datastores: named places in storage. The data of each is a container in Azurite, whatever its kind.

A file share is kept as a container ``share-<name>``: clients that speak the SMB or Files protocol cannot reach it.
A Data Lake Gen2 file system is kept as a container of the same name and answers the blob protocol only. Storage
accounts other than the local one exist by name: jobs read and write them through the container they are mapped to.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import parse, stamped, workspace_guid
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.shapes import TAGS, shaped
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, ConflictError, NotFoundError, Reply
from mlops_kit.local.settings import STORAGE_ACCOUNT, STORAGE_KEY, STORAGE_SUFFIX

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

DEFAULT = "workspaceblobstore"
ARTIFACTS = "workspaceartifactstore"

# Which property names the place inside the account.
PLACES = {"AzureBlob": "containerName", "AzureFile": "fileShareName", "AzureDataLakeGen2": "filesystem"}
REFUSED = {
    "AzureDataLakeGen1": "Azure Data Lake Storage Gen1 was retired in February 2024;"
    " register the data as an Azure Data Lake Gen2 datastore (type: azure_data_lake_gen2).",
    "OneLake": "A OneLake datastore needs Microsoft Fabric, which the local control plane does not imitate;"
    " use a blob or Data Lake Gen2 datastore.",
    "Hdfs": "An HDFS datastore cannot be reached from the local control plane; use a blob datastore.",
}
_SHAPE = {
    "properties": {
        **dict.fromkeys(("datastoreType", "accountName", "description", "endpoint", "protocol", *PLACES.values()), str),
        "credentials": {"credentialsType": str, "secrets": {"secretsType": str}},
        "tags": TAGS,
    }
}
_NAME = re.compile(r"[A-Za-z0-9_]{1,255}")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_CONTAINER = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


def container(plane: Plane, workspace_id: str, name: str) -> str:
    """Return the container that holds a datastore's data; 404 with the nearest names where there is none."""
    return str(_get(plane, workspace_id, name).private["container"])


def default_datastore(plane: Plane, workspace_id: str) -> str:
    """Return the name of the workspace's default datastore."""
    members = plane.store.list(f"{workspace_id}/datastores")
    return next((str(one.body["name"]) for one in members if one.properties.get("isDefault")), DEFAULT)


def built_in(guid: str) -> dict[str, tuple[str, str]]:
    """Return the kind and the place of the four datastores that the workspace with this guid has."""
    return {
        DEFAULT: ("AzureBlob", f"azureml-blobstore-{guid}"),
        ARTIFACTS: ("AzureBlob", f"azureml-{guid}"),
        "workspacefilestore": ("AzureFile", f"azureml-filestore-{guid}"),
        "workspaceworkingdirectory": ("AzureFile", f"code-{guid}"),
    }


def create_containers(plane: Plane, guid: str) -> None:
    """Create the containers of the built-in datastores; before the workspace, so that none is ever without them."""
    for kind, place in built_in(guid).values():
        plane.blobs.ensure_container(_container(kind, STORAGE_ACCOUNT, place, ours=True))


def create_built_in(plane: Plane, workspace_id: str) -> None:
    """Write the four datastores of a new workspace."""
    for name, (kind, place) in built_in(workspace_guid(plane, workspace_id)).items():
        properties = {
            "datastoreType": kind,
            "accountName": STORAGE_ACCOUNT,
            PLACES[kind]: place,
            "credentials": {"credentialsType": "AccountKey"},
            "isDefault": name == DEFAULT,
        }
        _store(plane, workspace_id, name, {"properties": properties}, {})


def forget(plane: Plane, workspace_id: str) -> None:
    """Delete the data of a workspace that is deleted: its containers carry its guid, so nothing else is in them."""
    guid = workspace_guid(plane, workspace_id)
    for one in plane.store.list(f"{workspace_id}/datastores"):
        if guid in one.private["container"]:
            plane.blobs.delete(one.private["container"], "")


def _get(plane: Plane, workspace_id: str, name: str) -> Resource:
    found = plane.store.find(f"{workspace_id}/datastores/{name}")
    if found is None:
        known = (str(one.body["name"]) for one in plane.store.list(f"{workspace_id}/datastores"))
        raise NotFoundError.among("datastore", name, known)
    return found


def _store(plane: Plane, workspace_id: str, name: str, body: dict[str, Any], secrets: dict[str, Any]) -> Resource:
    resource_id = f"{workspace_id}/datastores/{name}"
    previous = plane.store.find(resource_id)
    given = body["properties"]
    ours = _is_ours(plane, workspace_id, given["accountName"])
    properties = {
        "description": None,
        "tags": {},
        "properties": {},
        "isDefault": bool(previous and previous.properties["isDefault"]),
        "endpoint": STORAGE_SUFFIX,
        "protocol": "https",
        "serviceDataAccessAuthIdentity": "None",
        "subscriptionId": parse(workspace_id)["subscriptions"],
        "resourceGroup": parse(workspace_id)["resourcegroups"],
        **given,
    }
    place = _container(given["datastoreType"], given["accountName"], given[PLACES[given["datastoreType"]]], ours=ours)
    private = {"container": place, "ours": ours, "secrets": secrets}
    plane.store.put(stamped(plane, {**body, "id": resource_id, "properties": properties}, previous), private)
    return plane.store.get(resource_id)


def _is_ours(plane: Plane, workspace_id: str, account: str) -> bool:
    workspace = plane.store.get(workspace_id)
    return account in {STORAGE_ACCOUNT, str(workspace.properties.get("storageAccount", "")).rpartition("/")[2]}


def _container(kind: str, account: str, place: str, *, ours: bool) -> str:
    name = place if ours else f"{account}-{place}"
    if kind == "AzureFile":
        name = f"share-{name}"
    if len(name) <= 63:
        return name
    return f"{name[:46]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _check(name: str, body: dict[str, Any]) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequestError(
            f"The datastore name '{name}' is not valid: use 1 to 255 letters, digits and underscores.", target="name"
        )
    properties = body.get("properties") or {}
    kind = properties.get("datastoreType")
    if kind in REFUSED:
        raise ArmError(501, "NotImplemented", REFUSED[kind], target="datastoreType")
    if kind not in PLACES:
        known = ", ".join(PLACES)
        raise BadRequestError(f"The datastore type '{kind}' is not one of {known}.", target="datastoreType")
    for field in ("accountName", PLACES[kind]):
        if not properties.get(field):
            raise BadRequestError(f"The datastore '{name}' has no {field}.", target=field)
    if not _ACCOUNT.fullmatch(properties["accountName"]):
        raise BadRequestError(
            f"The account name '{properties['accountName']}' is not valid: use 3 to 24 lower-case letters and digits.",
            target="accountName",
        )
    place = str(properties[PLACES[kind]])
    if not _CONTAINER.fullmatch(place):
        raise BadRequestError(
            f"The {PLACES[kind]} '{place}' is not valid: use 3 to 63 lower-case letters, digits and single hyphens.",
            target=PLACES[kind],
        )


def _without_secrets(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    properties = body["properties"]
    credentials = dict(properties.get("credentials") or {"credentialsType": "None"})
    # A client that sends back what it read sends its secrets as null.
    secrets = {key: value for key, value in (credentials.pop("secrets", None) or {}).items() if value is not None}
    if set(secrets) == {"secretsType"}:
        secrets = {}
    return {**body, "properties": {**properties, "credentials": credentials}}, secrets


def _put(plane: Plane, call: Call) -> Reply:
    name, body = call.params["datastore"], shaped(call.json(), _SHAPE)
    plane.store.get(call.workspace, f"The workspace '{call.params['workspace']}'")
    _check(name, body)
    there = plane.store.find(f"{call.workspace}/datastores/{name}")
    body, secrets = _without_secrets(body)
    # The flag can only be moved by the service; a client that sends back what it read must not clear it.
    body["properties"].pop("isDefault", None)
    stored = _store(plane, call.workspace, name, body, secrets or (there.private["secrets"] if there else {}))
    plane.blobs.ensure_container(stored.private["container"])
    return Reply(200 if there else 201, stored.body)


def _read(plane: Plane, call: Call) -> Reply:
    return Reply(200, _get(plane, call.workspace, call.params["datastore"]).body)


def _list(plane: Plane, call: Call) -> Reply:
    plane.store.get(call.workspace, f"The workspace '{call.params['workspace']}'")
    query = call.query
    bodies = [one.body for one in plane.store.list(f"{call.workspace}/datastores")]
    if "isDefault" in query:
        wanted = query["isDefault"].lower() == "true"
        bodies = [one for one in bodies if one["properties"]["isDefault"] is wanted]
    if query.get("names"):
        names = {name.strip().lower() for name in query["names"].split(",")}
        bodies = [one for one in bodies if one["name"].lower() in names]
    if query.get("searchText"):
        bodies = [one for one in bodies if query["searchText"].lower() in one["name"].lower()]
    if query.get("orderBy", "").lower() == "name":
        bodies.sort(key=lambda one: str(one["name"]), reverse=query.get("orderByAsc", "true").lower() == "false")
    # ``count`` is a page size: the rest would follow under nextLink, so one page may hold more.
    return Reply(200, {"value": bodies})


def _delete(plane: Plane, call: Call) -> Reply:
    name = call.params["datastore"]
    found = plane.store.find(f"{call.workspace}/datastores/{name}")
    if found is None:
        return Reply(204)
    if name == ARTIFACTS or found.properties["isDefault"]:
        raise ConflictError(f"The datastore '{name}' holds the workspace's own data and cannot be deleted.")
    plane.store.delete(found.id)
    return Reply(200)


def _secrets(plane: Plane, call: Call) -> Reply:
    found = _get(plane, call.workspace, call.params["datastore"])
    kind = found.properties["credentials"]["credentialsType"]
    if kind == "None":
        raise BadRequestError(f"The datastore '{found.body['name']}' uses the caller's identity and has no secrets.")
    if kind == "AccountKey" and found.private["ours"]:
        return Reply(200, {"secretsType": "AccountKey", "key": STORAGE_KEY})
    return Reply(200, {"secretsType": kind, **found.private["secrets"]})


_ONE = f"{WORKSPACE}/datastores/{{datastore}}"
ROUTES = (
    Route("GET", f"{WORKSPACE}/datastores", _list),
    Route("GET", _ONE, _read),
    Route("PUT", _ONE, _put, slow=True, does="executed"),
    Route("DELETE", _ONE, _delete),
    Route("POST", f"{_ONE}/listSecrets", _secrets),
)
