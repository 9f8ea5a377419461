"""Code snapshots: one version per content, however often and at whatever time it is uploaded."""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mlops_kit.local import uris
from mlops_kit.local.arm import ids
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import BadRequestError, Call, Reply
from mlops_kit.local.providers import registries, version_routes, versions
from mlops_kit.local.providers.versions import Draft, Kind
from mlops_kit.local.settings import STORAGE_ACCOUNT

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

_HASH = "hash_sha256"  # the property in which azure-ai-ml 1.35 sends a snapshot's content hash
_HASH_VERSION = "hash_version"


def code_location(plane: Plane, workspace: str, code_id: str) -> tuple[str, str]:
    """Return the container and the prefix of a code snapshot's files; 400 where its code is elsewhere, as in git."""
    return uris.resolve(plane, uris.parse(code_id, workspace), kind="codes")


def empty(plane: Plane, registry: str) -> str:
    """Return the id of the code asset without files that a registry gives to a component without code."""
    name = ids.stable_guid(registry, "empty")
    code_id = versions.version_id(registry, "codes", name, "1")
    if plane.store.find(code_id) is None:
        address = _address(registries.new_container(plane, registry))
        versions.write(plane, KIND, Draft(registry, name, "1", {"codeUri": address}))
    return code_id


def _address(container: str) -> str:
    return f"https://{STORAGE_ACCOUNT}.blob.{uris.PUBLIC_SUFFIX}/{container}"


def _identity(properties: dict[str, Any], _private: Any) -> dict[str, Any]:
    return {"codeUri": properties.get("codeUri")}


def _complete(_plane: Plane, draft: Draft) -> Draft:
    if not draft.properties.get("codeUri"):
        raise BadRequestError("A code asset needs a codeUri.", target="properties.codeUri")
    return replace(draft, properties={**draft.properties, "tags": draft.properties.get("tags") or {}})


KIND = Kind("codes", "code asset", complete=_complete, identity=_identity)


def _index_id(workspace: str, properties: dict[str, Any]) -> str:
    """Return the id under which the code of a content hash is found, or '' where no hash was sent."""
    entries = properties.get("properties") or {}
    digest = entries.get(_HASH)
    return f"{workspace}/codeHashes/{digest}-{entries.get(_HASH_VERSION, '')}" if digest else ""


def _known(plane: Plane, index: str) -> Resource | None:
    entry = plane.store.find(index) if index else None
    return plane.store.find(str(entry.body["code"])) if entry else None


def _list(plane: Plane, call: Call) -> Reply:
    """Answer GET of versions; with ``hash`` all codes of the workspace are searched, whatever name was asked for."""
    digest = call.query.get("hash")
    if not digest:
        return version_routes.list_versions(KIND, plane, call)
    entries = {_HASH: digest, _HASH_VERSION: call.query.get("hashVersion", "")}
    found = _known(plane, _index_id(call.workspace, {"properties": entries}))
    return Reply(200, {"value": [found.body] if found else []})


def _put(plane: Plane, call: Call) -> Reply:
    """Answer PUT of a version with the code of the same content where there is one: its upload came first."""
    draft = version_routes.draft_of(plane, call)
    index = _index_id(call.workspace, draft.properties)
    with plane.store.transaction():
        known = _known(plane, index)
        own = versions.version_id(call.workspace, "codes", draft.name, draft.version)
        if known is None or known.id.lower() == own.lower():
            written, new = versions.write(plane, KIND, draft)
            if index:
                plane.store.put(ids.stamped(plane, {"id": index, "code": written.id, "properties": {}}, None))
            return Reply(201 if new else 200, written.body)
    _discard(plane, draft, known)
    return Reply(200, known.body)


def _discard(plane: Plane, draft: Draft, known: Resource) -> None:
    """Delete the files of an upload that lost against another one of the same content."""
    uploaded = uris.parse(str(draft.properties.get("codeUri")), draft.workspace)
    kept = uris.parse(str(known.properties["codeUri"]), draft.workspace)
    if isinstance(uploaded, uris.BlobPath) and uploaded != kept:
        plane.blobs.delete(uploaded.container, uploaded.path)


def _start_upload(plane: Plane, call: Call) -> Reply:
    """Answer with a place for a snapshot's files: that of the ``pendingUploadId``, a fresh one where none is given.

    Each snapshot has a container of its own, as on Azure: the SDK takes a code address apart as container and
    folder, and it accepts no other suffix than that of public Azure.
    """
    plane.store.get(call.workspace, f"The workspace '{call.params['workspace']}'")
    asked = str(call.json().get("pendingUploadId") or uuid.uuid4())
    container = f"code-{ids.stable_guid(call.workspace, asked)}"
    plane.blobs.ensure_container(container)
    reference = {
        "blobUri": _address(container),
        "storageAccountArmId": f"{call.workspace.partition('/providers/')[0]}"
        f"/providers/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}",
        "credential": {"credentialType": "SAS", "sasUri": plane.blobs.sas_url(container, None, permissions="rwdl")},
    }
    kind = {"pendingUploadId": asked, "pendingUploadType": "TemporaryBlobReference"}
    return Reply(200, {**kind, "blobReferenceForConsumption": reference})


_VERSIONS = f"{WORKSPACE}/codes/{{name}}/versions"
ROUTES = (
    Route("GET", f"{WORKSPACE}/codes", partial(version_routes.list_containers, KIND)),
    Route("GET", f"{WORKSPACE}/codes/{{name}}", partial(version_routes.get_container, KIND)),
    Route("GET", _VERSIONS, _list),
    Route("GET", f"{_VERSIONS}/{{version}}", partial(version_routes.get_version, KIND)),
    Route("PUT", f"{_VERSIONS}/{{version}}", _put, slow=True),
    Route("DELETE", f"{_VERSIONS}/{{version}}", partial(version_routes.delete_version, KIND)),
    Route("POST", f"{_VERSIONS}/{{version}}/startPendingUpload", _start_upload, slow=True),
)
