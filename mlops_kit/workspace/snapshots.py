"""A code folder as a code version of the workspace, there before the SDK looks for it: uploaded once, and in parallel.

azure-ai-ml asks the service for a code version of the same content before it uploads one
(azure/ai/ml/operations/_code_operations.py, create_or_update, 1.35). It finds what is made here, and uploads nothing.
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


def ensure(ml: Any, folder: str, packaged: Package) -> None:
    """Make a code version of what ships of a code folder named ``folder``, unless the workspace has one.

    Its name and the place of its files follow from the content: whoever uploads the same, now or after an
    interruption, writes the same files to the same place. It exists only once all of them are there.

    What the service refuses here the SDK will ask for again, in its own way, and its error is the one to be told.

    Raises:
        OperationFailed: A file could not be uploaded, or changed meanwhile.
    """
    from azure.core.exceptions import HttpResponseError

    digest = packaging.content_id(packaged)
    try:
        _ensure(ml, folder, packaged, digest)
    except HttpResponseError:
        return


def name_of(digest: str) -> str:
    """Return the name of the code version of a content, in the form that the SDK gives its random ones."""
    return str(uuid.UUID(digest[:32]))


def _ensure(ml: Any, folder: str, packaged: Package, digest: str) -> None:
    versions = ml._code._version_operation  # noqa: SLF001  the SDK has no public client of code versions
    scope = {"resource_group_name": ml.resource_group_name, "workspace_name": ml.workspace_name}
    name, version = name_of(digest), "1"
    if any(versions.list(name=name, hash=digest, hash_version=HASH_VERSION, **scope)):
        return
    wanted = {
        "pendingUploadType": "TemporaryBlobReference",
        "pendingUploadId": str(uuid.uuid5(uuid.UUID(name), folder)),
    }
    place = versions.create_or_get_start_pending_upload(name=name, version=version, body=wanted, **scope)
    reference = place.blob_reference_for_consumption
    address = getattr(reference.credential, "sas_uri", None)
    if not address:  # the store takes no signatures: the SDK goes there with the caller's own identity
        return
    with closing(blobs.open_container(address)) as container:
        blobs.upload(
            container,
            [blobs.File(f"{folder}/{file.path}", file.source, file.size) for file in packaged.files],
            lambda: packaging.content_id(packaged) == digest,
            {**UPLOADED, "name": name, "version": version},
        )
    properties = {"hash_sha256": digest, "hash_version": HASH_VERSION}
    made = {"codeUri": f"{reference.blob_uri}/{folder}", "isAnonymous": True, "properties": properties}
    versions.create_or_update(name=name, version=version, body={"properties": made}, **scope)
