"""Data assets: files, folders and MLTables under a name and a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_kit.local import uris
from mlops_kit.local.arm.wire import BadRequestError, concerning
from mlops_kit.local.providers import version_routes
from mlops_kit.local.providers.versions import Draft, Kind

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

TYPES = ("uri_file", "uri_folder", "mltable")


def _complete(plane: Plane, draft: Draft) -> Draft:
    properties = draft.properties
    kind, uri = properties.get("dataType"), properties.get("dataUri")
    if kind not in TYPES:
        raise BadRequestError(
            f"'{kind}' is not a type of data; known types: {', '.join(TYPES)}.", target="properties.dataType"
        )
    if not uri:
        raise BadRequestError("A data asset needs a dataUri.", target="properties.dataUri")
    with concerning("properties.dataUri"):
        location = uris.parse(str(uri), draft.workspace)
        if isinstance(location, uris.JobOutput):
            plane.store.get(f"{location.workspace}/jobs/{location.job}", f"The job '{location.job}'")
        stored = uris.settled(plane, str(uri), draft.workspace)
    if kind != "uri_file" and not stored.endswith("/"):
        stored += "/"
    added = {
        "dataUri": stored,
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
    }
    return replace(draft, properties={**properties, **added})


def _identity(properties: Mapping[str, Any], _private: Mapping[str, Any]) -> dict[str, Any]:
    return {"dataType": properties.get("dataType"), "dataUri": str(properties.get("dataUri")).lower()}


def _container(draft: Draft) -> dict[str, Any]:
    return {"dataType": draft.properties.get("dataType", "uri_folder")}


KIND = Kind("data", "data asset", complete=_complete, identity=_identity, kept=("dataUri",), container=_container)


ROUTES = version_routes.routes(KIND)
