"""Models: registered artefacts with flavors, from a local upload, a datastore or a job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import yaml

from mlops_kit.local import uris
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import BadRequestError, Call, NotFoundError, Reply, concerning
from mlops_kit.local.providers import version_routes, versions
from mlops_kit.local.providers.versions import Draft, Kind

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

TYPES = ("custom_model", "mlflow_model", "triton_model", "openai_model")
_RUN_FOLDER = re.compile(r"ExperimentRun/dcid\.([^/]+)/")
_FINAL = {"Completed", "Failed", "Canceled"}


def register_model(
    plane: Plane,
    workspace: str,
    name: str,
    *,
    path_uri: str,
    job: str = "",
    flavors: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
    description: str = "",
) -> Resource:
    """Register the next version (1, 2, 3, ... also when called at the same time) of a model and return it.

    ``path_uri`` is any address that Azure ML knows; ``flavors`` are read from the MLmodel file where none are given.
    """
    sent = {
        "modelUri": path_uri,
        "modelType": "mlflow_model" if flavors else None,
        "flavors": dict(flavors) if flavors else None,
        "jobName": job or None,
        "tags": dict(tags or {}),
        "properties": dict(properties or {}),
        "description": description or None,
    }
    return versions.write(plane, KIND, Draft(workspace, name, "", sent))[0]


def _complete(plane: Plane, draft: Draft) -> Draft:
    properties = draft.properties
    uri = properties.get("modelUri")
    if not uri:
        raise BadRequestError("A model needs a modelUri.", target="properties.modelUri")
    with concerning("properties.modelUri"):
        location = uris.parse(str(uri), draft.workspace)
        if isinstance(location, uris.JobOutput):
            _check_output(plane, location)
        stored = uris.settled(plane, str(uri), draft.workspace)
    flavors = properties.get("flavors") or _flavors(plane, draft.workspace, stored, properties.get("modelType"))
    kind = properties.get("modelType") or ("mlflow_model" if flavors else "custom_model")
    if kind not in TYPES:
        raise BadRequestError(
            f"'{kind}' is not a type of model; known types: {', '.join(TYPES)}.", target="properties.modelType"
        )
    run = _RUN_FOLDER.search(stored)
    added = {
        "modelUri": stored,
        "modelType": kind,
        "flavors": flavors,
        "jobName": properties.get("jobName") or (run[1] if run else None),
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
    }
    return replace(draft, properties={**properties, **added})


def _check_output(plane: Plane, output: uris.JobOutput) -> None:
    """Refuse a path that a finished job did not leave behind, and say what it did."""
    job = plane.store.get(f"{output.workspace}/jobs/{output.job}", f"The job '{output.job}'")
    container, prefix = uris.resolve(plane, output)
    path = prefix.rstrip("/")
    blobs = plane.blobs.list(container, path)
    if any(blob.name == path or blob.name.startswith(f"{path}/") for blob in blobs):
        return
    if job.properties.get("status") in _FINAL:
        top = uris.resolve(plane, replace(output, path=""))[1]
        names = sorted(blob.name.removeprefix(top).lstrip("/") for blob in plane.blobs.list(container, top))
        listed = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        raise NotFoundError(
            f"The path '{output.path}' in the output '{output.output}' of the job '{output.job}'"
            f" (it holds: {listed or 'nothing'})"
        )


def _flavors(plane: Plane, workspace: str, uri: str, kind: str | None) -> dict[str, Any]:
    """Return the flavors of the MLmodel file in a model's folder; none where there is no such file."""
    if kind not in {None, "mlflow_model"}:
        return {}
    location = uris.parse(uri, workspace)
    if isinstance(location, uris.WebAddress):
        return {}
    container, prefix = uris.resolve(plane, location)
    try:
        document = yaml.safe_load(plane.blobs.get(container, f"{prefix.rstrip('/')}/MLmodel"))
    except NotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise BadRequestError(f"The MLmodel file of the model is not YAML: {error}.", target="modelUri") from None
    flavors = document.get("flavors") if isinstance(document, dict) else None
    return {name: {"data": _texts(entries)} for name, entries in (flavors or {}).items()}


def _texts(entries: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in entries.items() if value is not None}


def _identity(properties: Mapping[str, Any], _private: Mapping[str, Any]) -> dict[str, Any]:
    uri = str(properties.get("modelUri")).rstrip("/").lower()
    return {"modelUri": uri, "modelType": properties.get("modelType") or "custom_model"}


KIND = Kind("models", "model", complete=_complete, identity=_identity, kept=("modelUri", "jobName"))


# --- version numbers ---------------------------------------------------------------------------------------------
# azure-ai-ml 1.35 takes a model's next version from its container and then writes that version, so two registrations
# at the same time write the same one. Each answer about the next version is therefore a promise, remembered for a
# minute: a write that comes just after another one took its number, and holds such a promise, gets the next number.

_PROMISE = timedelta(seconds=60)
_RACE = timedelta(seconds=10)


def _promises_id(workspace: str, name: str) -> str:
    return f"{workspace}/modelPromises/{name}"


def _promises(plane: Plane, workspace: str, name: str) -> list[str]:
    found = plane.store.find(_promises_id(workspace, name))
    limit = (plane.now() - _PROMISE).isoformat()
    return [given for given in (found.private["given"] if found else []) if given.partition(" ")[2] > limit]


def _keep(plane: Plane, workspace: str, name: str, given: list[str]) -> None:
    plane.store.put({"id": _promises_id(workspace, name), "properties": {}}, {"given": given})


def _get_container(plane: Plane, call: Call) -> Reply:
    """Answer GET of a model and remember which next version was told."""
    name, workspace = call.params["name"], call.owner
    with plane.store.transaction():
        told = versions.next_version(plane, KIND, workspace, name)
        _keep(plane, workspace, name, [*_promises(plane, workspace, name), f"{told} {plane.now().isoformat()}"])
    return version_routes.get_container(KIND, plane, call)


def _redeem(plane: Plane, workspace: str, name: str, version: str) -> bool:
    """Use up one promise of a version; say whether there was one."""
    given = _promises(plane, workspace, name)
    fitting = next((one for one in given if one.partition(" ")[0] == version), None)
    if fitting is None:
        return False
    given.remove(fitting)
    _keep(plane, workspace, name, given)
    return True


def _put_version(plane: Plane, call: Call) -> Reply:
    """Answer PUT of a version."""
    draft = _complete(plane, version_routes.draft_of(plane, call))  # reads blobs: before the store is locked
    with plane.store.transaction():
        promised = _redeem(plane, draft.workspace, draft.name, draft.version)
        previous = plane.store.find(versions.version_id(draft.workspace, "models", draft.name, draft.version))
        if promised and previous is not None and _just_written(plane, previous):
            draft = replace(draft, version="")
        written, new = versions.save(plane, KIND, draft)
    return Reply(201 if new else 200, written.body)


def _just_written(plane: Plane, version: Resource) -> bool:
    created = datetime.fromisoformat(str(version.body["systemData"]["createdAt"]))
    return plane.now() - created < _RACE


def _put_container(plane: Plane, call: Call) -> Reply:
    """Answer PUT of a model; the GET before it was not meant as a registration."""
    name = call.params["name"]
    with plane.store.transaction():
        _redeem(plane, call.owner, name, versions.next_version(plane, KIND, call.owner, name))
    return version_routes.put_container(KIND, plane, call)


def routes(owner: str = WORKSPACE) -> tuple[Route, ...]:
    """Return the URL table of models under the template of their owner."""
    model = f"{owner}/models/{{name}}"
    own = (
        Route("GET", model, _get_container),
        Route("PUT", model, _put_container),
        Route("PUT", f"{model}/versions/{{version}}", _put_version, slow=True),
    )
    replaced = {(route.method, route.template): route for route in own}
    return tuple(replaced.get((route.method, route.template), route) for route in version_routes.routes(KIND, owner))


ROUTES = routes()
