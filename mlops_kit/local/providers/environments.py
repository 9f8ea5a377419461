"""Environment assets: image, conda file or build context. The same content is the same version, and stays it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml

from mlops_kit.local import uris
from mlops_kit.local.arm.wire import BadRequestError
from mlops_kit.local.providers import version_routes, versions
from mlops_kit.local.providers.versions import Draft, Kind

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane


def _complete(plane: Plane, draft: Draft) -> Draft:
    properties = draft.properties
    _check_conda(properties.get("condaFile"))
    build = properties.get("build") or {}
    private = {"context": _content(plane, draft.workspace, str(build["contextUri"]))} if "contextUri" in build else {}
    added = {
        "environmentType": "UserCreated",
        "osType": _system(properties.get("osType") or "Linux"),
        **({"build": {"dockerfilePath": "Dockerfile", **build}} if build else {}),
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
    }
    return replace(draft, properties={**properties, **added}, private=private)


def _system(text: str) -> str:
    """Return the operating system in the service's spelling; the SDK writes it in lower case into downloaded files."""
    known = {name.lower(): name for name in ("Linux", "Windows")}
    if str(text).lower() not in known:
        raise BadRequestError(f"The osType '{text}' is neither Linux nor Windows.", target="properties.osType")
    return known[str(text).lower()]


def _check_conda(text: str | None) -> None:
    """Refuse a conda file that is not a mapping with a list of dependencies."""
    if text is None:
        return
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadRequestError(f"The conda file is not YAML: {error}.", target="properties.condaFile") from None
    if not isinstance(document, dict) or not isinstance(document.get("dependencies", []), list):
        raise BadRequestError(
            "The conda file must be a mapping whose 'dependencies' are a list.", target="properties.condaFile"
        )


def _content(plane: Plane, workspace: str, context: str) -> str:
    """Return a digest of a build context, so that a second upload of the same files is the same environment."""
    location = uris.parse(context, workspace)
    if isinstance(location, uris.WebAddress):
        return context
    container, prefix = uris.resolve(plane, location)
    prefix = prefix.rstrip("/") + "/"
    digest = hashlib.sha256()
    for blob in sorted(plane.blobs.list(container, prefix), key=lambda blob: blob.name):
        digest.update(blob.name.removeprefix(prefix).encode() + b"\0")
        content = hashlib.sha256()
        for piece in plane.blobs.stream(container, blob.name):
            content.update(piece)
        digest.update(content.digest())
    return digest.hexdigest()


def _identity(properties: Mapping[str, Any], private: Mapping[str, Any]) -> dict[str, Any]:
    build = properties.get("build") or {}
    conda = properties.get("condaFile")
    return {
        "image": properties.get("image"),
        "condaFile": yaml.safe_load(conda) if conda else None,
        "build.contextUri": private.get("context"),
        "build.dockerfilePath": build.get("dockerfilePath"),
        "osType": properties.get("osType"),
        "inferenceConfig": properties.get("inferenceConfig"),
    }


KIND = Kind(
    "environments",
    "environment",
    complete=_complete,
    identity=_identity,
    kept=("image", "condaFile", "build"),
    offered=versions.offered_containers,
)
ROUTES = version_routes.routes(KIND)
