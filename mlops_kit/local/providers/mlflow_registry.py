"""MLflow's model registry over the workspace's models: what is registered through one is found through the other.

Names that no model of the workspace has are passed on to MLflow's own registry, which holds prompts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.routes import Handler, Route
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import BadRequestError, Call, ConflictError, NotFoundError, Reply
from mlops_kit.local.plane import Plane
from mlops_kit.local.providers import mlflow_sources, models, versions
from mlops_kit.local.providers.mlflow import API, forward, mlflow_errors
from mlops_kit.local.providers.mlflow_artifacts import client_url

_PROMPT_TAG = "mlflow.prompt.is_prompt"
_PROMPTS_ONLY = re.compile(r"mlflow\.prompt\.is_prompt`?\s*=\s*'true'", re.IGNORECASE)
_STAGES = {stage.lower(): stage for stage in ("None", "Staging", "Production", "Archived")}
# Keys of a version's ``properties`` that keep what MLflow says and Azure ML has no field for.
_SOURCE = "mlflow.modelSourceUri"
_MODEL_ID = "mlflow.modelId"
_RUN = "mlflow.runId"
_Json = dict[str, Any]


def _models(workspace: str) -> str:
    return f"{workspace}/models"


def _container(plane: Plane, workspace: str, name: str) -> Resource:
    return plane.store.get(f"{_models(workspace)}/{name}", f"The registered model '{name}'")


def _version(plane: Plane, workspace: str, name: str, version: str) -> Resource:
    return plane.store.get(
        f"{_models(workspace)}/{name}/versions/{version}", f"Version {version} of the model '{name}'"
    )


def _versions(plane: Plane, workspace: str, name: str) -> list[Resource]:
    return plane.store.list(f"{_models(workspace)}/{name}/versions", newest_first=True)


# What MLflow's client reads ----------------------------------------------------------------------------------------


def _milliseconds(resource: Resource, field: str) -> int:
    text = str(resource.body["systemData"][field]).replace("Z", "+00:00")
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _rows(tags: dict[str, Any] | None) -> list[dict[str, str]]:
    return [{"key": key, "value": str(value)} for key, value in (tags or {}).items()]


def _shown_version(container: Resource | None, version: Resource) -> _Json:
    properties, kept = version.properties, version.properties.get("properties") or {}
    aliases = container.private.get("aliases", {}) if container else {}
    name, number = version.id.split("/")[-3], version.id.rpartition("/")[2]
    return {
        "name": name,
        "version": number,
        "creation_timestamp": _milliseconds(version, "createdAt"),
        "last_updated_timestamp": _milliseconds(version, "lastModifiedAt"),
        "user_id": "",
        "current_stage": properties.get("stage") or "None",
        "description": properties.get("description") or "",
        "source": kept.get(_SOURCE) or properties.get("modelUri") or "",
        "run_id": kept.get(_RUN) or properties.get("jobName") or "",
        "status": "READY",
        "tags": _rows(properties.get("tags")),
        "aliases": [alias for alias, named in aliases.items() if named == number],
        **({"model_id": kept[_MODEL_ID]} if _MODEL_ID in kept else {}),
    }


def _shown_model(plane: Plane, workspace: str, container: Resource) -> _Json:
    name, aliases = container.id.rpartition("/")[2], container.private.get("aliases", {})
    latest: dict[str, _Json] = {}
    for version in _versions(plane, workspace, name):
        shown = _shown_version(container, version)
        latest.setdefault(shown["current_stage"], shown)
    return {
        "name": name,
        "creation_timestamp": _milliseconds(container, "createdAt"),
        "last_updated_timestamp": _milliseconds(container, "lastModifiedAt"),
        "description": container.properties.get("description") or "",
        "tags": _rows(container.properties.get("tags")),
        "latest_versions": list(latest.values()),
        "aliases": [{"alias": alias, "version": number} for alias, number in aliases.items()],
    }


# Registered models -------------------------------------------------------------------------------------------------


def _create_model(plane: Plane, call: Call) -> Reply:
    body = call.json()
    name, tags = str(body.get("name", "")), _tags(body)
    if tags.get(_PROMPT_TAG) == "true":
        return forward(plane, call)
    with plane.store.transaction():
        if plane.store.find(f"{_models(call.workspace)}/{name}"):
            raise ConflictError(f"Registered Model (name={name}) already exists.")
        properties = {"description": body.get("description") or None, "tags": tags, "properties": {}}
        container = versions.ensure_container(plane, models.KIND, call.workspace, name, properties)
        shown = _shown_model(plane, call.workspace, container)
    return Reply(200, {"registered_model": shown})


def _tags(body: _Json) -> dict[str, str]:
    return {str(row["key"]): str(row.get("value", "")) for row in body.get("tags") or []}


def _get_model(plane: Plane, call: Call) -> Reply:
    container = _container(plane, call.workspace, call.query["name"])
    return Reply(200, {"registered_model": _shown_model(plane, call.workspace, container)})


def _update_model(plane: Plane, call: Call) -> Reply:
    body = call.json()
    container = _container(plane, call.workspace, body["name"])
    container.properties["description"] = body.get("description", "")
    return _model_saved(plane, call, container)


def _model_saved(plane: Plane, call: Call, container: Resource) -> Reply:
    plane.store.put(ids.stamped(plane, container.body, container), container.private)
    saved = _container(plane, call.workspace, str(container.body["name"]))
    return Reply(200, {"registered_model": _shown_model(plane, call.workspace, saved)})


def _delete_model(plane: Plane, call: Call) -> Reply:
    container = _container(plane, call.workspace, call.json()["name"])
    plane.store.delete(container.id)
    return Reply(200, {})


def _rename_model(plane: Plane, call: Call) -> Reply:
    name = _container(plane, call.workspace, call.json()["name"]).body["name"]
    raise BadRequestError(f"Azure ML cannot rename a model; register '{name}' again under its new name.")


def _tag_model(plane: Plane, call: Call) -> Reply:
    body = call.json()
    container = _container(plane, call.workspace, body["name"])
    container.properties["tags"] = _retagged(container, call.method, body)
    _model_saved(plane, call, container)
    return Reply(200, {})


def _retagged(resource: Resource, method: str, body: _Json) -> dict[str, str]:
    tags: dict[str, str] = dict(resource.properties.get("tags") or {})
    if method == "DELETE":
        tags.pop(body["key"], None)
    else:
        tags[body["key"]] = body.get("value", "")
    return tags


def _search_models(plane: Plane, call: Call) -> Reply:
    if _PROMPTS_ONLY.search(call.query.get("filter", "")):
        return forward(plane, call)
    rows = [_shown_model(plane, call.workspace, one) for one in plane.store.list(_models(call.workspace))]
    return Reply(200, plane.tracking.search(call.workspace, "registered_models", rows, _question(call)))


def _question(call: Call) -> _Json:
    """Return a search's filter, order and page, from the query of a GET or the body of a POST."""
    given: _Json = call.json() if call.raw else dict(call.query)
    order = given.get("order_by") or []
    return {**given, "order_by": [order] if isinstance(order, str) else order}


def _latest(plane: Plane, call: Call) -> Reply:
    given: dict[str, Any] = (
        call.json() if call.raw else {**call.query, "stages": parse_qs(call.query_string).get("stages")}
    )
    container = _container(plane, call.workspace, given["name"])
    stages = {_stage(stage) for stage in given.get("stages") or []} or set(_STAGES.values())
    latest = _shown_model(plane, call.workspace, container)["latest_versions"]
    return Reply(200, {"model_versions": [one for one in latest if one["current_stage"] in stages]})


# Aliases -----------------------------------------------------------------------------------------------------------


def _set_alias(plane: Plane, call: Call) -> Reply:
    body = call.json()
    with plane.store.transaction():
        container = _container(plane, call.workspace, body["name"])
        _version(plane, call.workspace, body["name"], str(body["version"]))
        aliases = {**container.private.get("aliases", {}), body["alias"]: str(body["version"])}
        plane.store.put(container.body, {**container.private, "aliases": aliases})
    return Reply(200, {})


def _delete_alias(plane: Plane, call: Call) -> Reply:
    body = {**call.query, **call.json()}
    with plane.store.transaction():
        container = _container(plane, call.workspace, body["name"])
        aliases = {key: value for key, value in container.private.get("aliases", {}).items() if key != body["alias"]}
        plane.store.put(container.body, {**container.private, "aliases": aliases})
    return Reply(200, {})


def _get_alias(plane: Plane, call: Call) -> Reply:
    name, alias = call.query["name"], call.query["alias"]
    container = _container(plane, call.workspace, name)
    if alias not in container.private.get("aliases", {}):
        raise NotFoundError(f"The alias '{alias}' of the model '{name}'")
    version = _version(plane, call.workspace, name, container.private["aliases"][alias])
    return Reply(200, {"model_version": _shown_version(container, version)})


# Versions ----------------------------------------------------------------------------------------------------------


def _create_version(plane: Plane, call: Call) -> Reply:
    body = call.json()
    container = _container(plane, call.workspace, body["name"])
    source = mlflow_sources.located(plane, call.workspace, body)
    kept = {_SOURCE: str(body["source"]), _RUN: source.run_id, _MODEL_ID: source.model_id}
    version = models.register_model(
        plane,
        call.workspace,
        str(container.body["name"]),
        path_uri=mlflow_sources.address(plane, call.workspace, source),
        job=source.run_id if plane.store.find(f"{call.workspace}/jobs/{source.run_id}") else "",
        tags=_tags(body),
        properties={key: value for key, value in kept.items() if value},
        description=str(body.get("description") or ""),
    )
    return Reply(200, {"model_version": _shown_version(container, version)})


def _get_version(plane: Plane, call: Call) -> Reply:
    name = call.query["name"]
    version = _version(plane, call.workspace, name, call.query["version"])
    return Reply(200, {"model_version": _shown_version(_container(plane, call.workspace, name), version)})


def _download_uri(plane: Plane, call: Call) -> Reply:
    name, version = call.query["name"], call.query["version"]
    _version(plane, call.workspace, name, version)
    return Reply(200, {"artifact_uri": client_url(call.workspace, f"models/{name}/versions/{version}")})


def _update_version(plane: Plane, call: Call) -> Reply:
    body = call.json()
    return _version_saved(plane, call, body, {"description": body.get("description", "")})


def _stage(text: str) -> str:
    stage = _STAGES.get(text.lower())
    if stage is None:
        raise BadRequestError(f"Invalid Model Version stage: {text}. It is one of {', '.join(_STAGES.values())}.")
    return stage


def _transition(plane: Plane, call: Call) -> Reply:
    body = call.json()
    stage = _stage(body["stage"])
    if body.get("archive_existing_versions"):
        for other in _versions(plane, call.workspace, body["name"]):
            if other.properties.get("stage") == stage:
                plane.store.put({**other.body, "properties": {**other.properties, "stage": "Archived"}})
    return _version_saved(plane, call, body, {"stage": stage})


def _version_saved(plane: Plane, call: Call, body: _Json, change: _Json) -> Reply:
    with plane.store.transaction():
        found = _version(plane, call.workspace, body["name"], str(body["version"]))
        found.properties.update(change)
        plane.store.put(ids.stamped(plane, found.body, found))
    container = _container(plane, call.workspace, body["name"])
    return Reply(200, {"model_version": _shown_version(container, plane.store.get(found.id))})


def _tag_version(plane: Plane, call: Call) -> Reply:
    body = call.json()
    found = _version(plane, call.workspace, body["name"], str(body["version"]))
    _version_saved(plane, call, body, {"tags": _retagged(found, call.method, body)})
    return Reply(200, {})


def _delete_version(plane: Plane, call: Call) -> Reply:
    body = call.json()
    with plane.store.transaction():
        found = _version(plane, call.workspace, body["name"], str(body["version"]))
        container = _container(plane, call.workspace, body["name"])
        gone = str(body["version"])
        aliases = {alias: named for alias, named in container.private.get("aliases", {}).items() if named != gone}
        plane.store.put(container.body, {**container.private, "aliases": aliases})
        versions.remove(plane, models.KIND, call.workspace, str(container.body["name"]), found.id.rpartition("/")[2])
    return Reply(200, {})


def _search_versions(plane: Plane, call: Call) -> Reply:
    if _PROMPTS_ONLY.search(call.query.get("filter", "")):
        return forward(plane, call)
    rows = [
        _shown_version(container, version)
        for container in plane.store.list(_models(call.workspace))
        for version in _versions(plane, call.workspace, str(container.body["name"]))
    ]
    return Reply(200, plane.tracking.search(call.workspace, "model_versions", rows, _question(call)))


# -------------------------------------------------------------------------------------------------------------------


def _or_prompt(handler: Handler) -> Handler:
    """Pass a call on to MLflow's own registry where the workspace has no model of the name that it is about."""

    def answer(plane: Plane, call: Call) -> Reply:
        given = call.json() if call.raw else {}
        name = str(given.get("name") or call.query.get("name") or "")
        if name and plane.store.find(f"{_models(call.workspace)}/{name}") is None:
            return forward(plane, call)
        return handler(plane, call)

    return answer


_MODELS: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "registered-models/get", _get_model),
    ("PATCH", "registered-models/update", _update_model),
    ("DELETE", "registered-models/delete", _delete_model),
    ("POST", "registered-models/rename", _rename_model),
    ("POST", "registered-models/set-tag", _tag_model),
    ("DELETE", "registered-models/delete-tag", _tag_model),
    ("GET", "registered-models/get-latest-versions", _latest),
    ("POST", "registered-models/get-latest-versions", _latest),
    ("POST", "registered-models/alias", _set_alias),
    ("DELETE", "registered-models/alias", _delete_alias),
    ("GET", "registered-models/alias", _get_alias),
    ("POST", "model-versions/create", _create_version),
    ("GET", "model-versions/get", _get_version),
    ("GET", "model-versions/get-download-uri", _download_uri),
    ("PATCH", "model-versions/update", _update_version),
    ("POST", "model-versions/transition-stage", _transition),
    ("DELETE", "model-versions/delete", _delete_version),
    ("POST", "model-versions/set-tag", _tag_version),
    ("DELETE", "model-versions/delete-tag", _tag_version),
)


def _routes() -> Iterator[Route]:
    yield Route("POST", f"{API}/registered-models/create", mlflow_errors(_create_model), slow=True)
    yield Route("GET", f"{API}/registered-models/search", mlflow_errors(_search_models), slow=True)
    yield Route("GET", f"{API}/model-versions/search", mlflow_errors(_search_versions), slow=True)
    for method, path, handler in _MODELS:
        yield Route(method, f"{API}/{path}", mlflow_errors(_or_prompt(handler)), slow=True)


ROUTES = tuple(_routes())
