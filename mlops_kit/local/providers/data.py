"""Data assets: files, folders and MLTables under a name and a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_kit.local import uris
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, Reply
from mlops_kit.local.providers import versions
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
        except ArmError as missing:
            if missing.status != 404:
                raise
    return found


def _where(plane: Plane, asset: str, workspace: str, kind: str, field: str) -> dict[str, Any]:
    location = uris.parse(asset, workspace)
    if not isinstance(location, uris.AssetReference):
        return {field: uris.settled(plane, asset, workspace), "type": "uri_folder"}
    collection = location.kind or kind
    found = versions.find_version(
        plane, location.workspace, collection, location.name, location.version or location.label
    ).properties
    if collection == "models":
        return {field: found["modelUri"], "type": found.get("modelType")}
    return {field: found["dataUri"], "type": found["dataType"]}


ROUTES = (
    *versions.routes(KIND),
    Route("POST", f"/data/v1.0{WORKSPACE}/dataversion/batchGetResolvedUris", _resolved_data),
    Route("POST", f"/modelregistry/v1.0{WORKSPACE}/models/batchGetResolvedUris", _resolved_models),
)
