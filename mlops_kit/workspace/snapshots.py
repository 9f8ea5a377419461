"""A code folder as a code version of the workspace: uploaded in parallel, and once, whoever else uploads the same.

azure-ai-ml asks the service for a code version of the same content before it uploads one
(azure/ai/ml/operations/_code_operations.py, create_or_update, 1.35). It finds what is made here, and what
it has made is found here.
"""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import Any

from mlops_kit import packaging
from mlops_kit.packaging import Package
from mlops_kit.workspace import blobs

HASH_VERSION = "202208"  # of packaging.content_id; get_content_hash_version of azure-ai-ml 1.35
UPLOADED = {"upload_status": "completed"}  # azure/ai/ml/_artifacts/_constants.py, UPLOAD_CONFIRMATION


def ensure(ml: Any, folder: str, packaged: Package) -> str | None:
    """Return the id of the code version of what ships of a code folder named ``folder``; make it where there is none.

    Its name and the place of its files follow from the content: whoever uploads the same, now or after an
    interruption, writes the same files to the same place. It exists only once all of them are there.

    None says that the SDK is to upload, in its own way: where the service refuses something here, the SDK asks again,
    and its error is the one to be told; a store may take no signed addresses.

    Raises:
        OperationFailed: A file could not be uploaded, or changed meanwhile.
    """
    from azure.core.exceptions import HttpResponseError

    digest = packaging.content_id(packaged)
    try:
        return _found(ml, digest) or _made(ml, folder, packaged, digest)
    except HttpResponseError:
        return None


def name_of(digest: str) -> str:
    """Return the name of the code version of a content, in the form that the SDK gives its random ones."""
    return str(uuid.UUID(digest[:32]))


def _found(ml: Any, digest: str) -> str | None:
    known = _versions(ml).list(name=name_of(digest), hash=digest, hash_version=HASH_VERSION, **_scope(ml))
    return next((str(each.id) for each in known), None)


def _made(ml: Any, folder: str, packaged: Package, digest: str) -> str | None:
    address = {"name": name_of(digest), "version": "1"}
    wanted = {
        "pendingUploadType": "TemporaryBlobReference",
        "pendingUploadId": str(uuid.uuid5(uuid.UUID(name_of(digest)), folder)),
    }
    place = _versions(ml).create_or_get_start_pending_upload(**address, body=wanted, **_scope(ml))
    reference = place.blob_reference_for_consumption
    signed = getattr(reference.credential, "sas_uri", None)
    if not signed:
        return None
    with closing(blobs.open_container(signed)) as container:
        blobs.upload(
            container,
            [blobs.File(f"{folder}/{file.path}", file.source, file.size) for file in packaged.files],
            lambda: packaging.content_id(packaged) == digest,
            {**UPLOADED, **address},
        )
    properties = {"hash_sha256": digest, "hash_version": HASH_VERSION}
    content = {"codeUri": f"{reference.blob_uri}/{folder}", "isAnonymous": True, "properties": properties}
    return str(_versions(ml).create_or_update(**address, body={"properties": content}, **_scope(ml)).id)


def _versions(ml: Any) -> Any:
    """Return the SDK's client of code versions; it has no public one."""
    return ml._code._version_operation  # noqa: SLF001


def _scope(ml: Any) -> dict[str, str]:
    return {"resource_group_name": ml.resource_group_name, "workspace_name": ml.workspace_name}
