"""Workspace connections: where other services are and how to sign in; stored, with their secrets kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.local.arm.ids import stamped
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.shapes import shaped
from mlops_kit.local.arm.wire import BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.providers import workspaces

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

_SHAPE = {"properties": {"category": str, "target": str, "authType": str, "credentials": dict, "metadata": dict}}
# What a GET may show of credentials: names of identities. Everything else is a secret.
_SHOWN = frozenset({"clientid", "resourceid", "tenantid", "username", "developertoken", "authurl"})
# Kinds that are lists of data sources rather than services; listed on request only.
_DATA = frozenset({"azureblob", "adlsgen2", "azuresqldb", "azuresynapseanalytics", "snowflake", "s3", "azureonelake"})


def _find(plane: Plane, call: Call) -> Resource:
    name = call.params["connection"]
    found = plane.store.find(f"{call.workspace}/connections/{name}")
    if found is None:
        workspaces.find(plane, call.workspace)
        known = (str(one.body["name"]) for one in plane.store.list(f"{call.workspace}/connections"))
        raise NotFoundError.among("connection", name, known)
    return found


def _put(plane: Plane, call: Call) -> Reply:
    workspaces.find(plane, call.workspace)
    properties = shaped(call.json(), _SHAPE).get("properties") or {}
    for field in ("category", "target"):
        if not properties.get(field):
            raise BadRequestError(f"The connection '{call.params['connection']}' has no {field}.", target=field)
    resource_id = f"{call.workspace}/connections/{call.params['connection']}"
    credentials = properties.get("credentials") or {}
    shown = {key: value for key, value in credentials.items() if key.lower() in _SHOWN}
    properties = {"authType": "None", "isSharedToAll": True, "metadata": {}, **properties, "credentials": shown or None}
    previous = plane.store.find(resource_id)
    stored = stamped(plane, {"id": resource_id, "properties": properties}, previous)
    plane.store.put(stored, {"credentials": credentials})
    return Reply(200, stored)


def _get(plane: Plane, call: Call) -> Reply:
    return Reply(200, _find(plane, call).body)


def _secrets(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call)
    return Reply(200, {**found.body, "properties": {**found.properties, **found.private}})


def _list(plane: Plane, call: Call) -> Reply:
    workspaces.find(plane, call.workspace)
    bodies = [one.body for one in plane.store.list(f"{call.workspace}/connections")]
    category, target = call.query.get("category", "").lower(), call.query.get("target", "")
    if category:
        bodies = [one for one in bodies if one["properties"]["category"].lower() == category]
    elif call.query.get("includeAll", "").lower() != "true":
        bodies = [one for one in bodies if one["properties"]["category"].lower() not in _DATA]
    if target:
        bodies = [one for one in bodies if one["properties"]["target"] == target]
    return Reply(200, {"value": bodies})


def _delete(plane: Plane, call: Call) -> Reply:
    there = plane.store.delete(f"{call.workspace}/connections/{call.params['connection']}")
    return Reply(200 if there else 204)


_ONE = f"{WORKSPACE}/connections/{{connection}}"
ROUTES = (
    Route("GET", f"{WORKSPACE}/connections", _list),
    Route("PUT", _ONE, _put),
    Route("GET", _ONE, _get),
    Route("DELETE", _ONE, _delete),
    Route("POST", f"{_ONE}/listsecrets", _secrets),
)
