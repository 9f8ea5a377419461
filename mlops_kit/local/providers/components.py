"""Components: specs completed the way the service completes them; the behaviour of a version never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_kit.local import uris
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.wire import REGISTRIES, BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.providers import codes, version_routes, versions
from mlops_kit.local.providers.versions import Draft, Kind
from mlops_kit.local.runs import curated

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

ANONYMOUS = "azureml_anonymous"
DEFAULT_VERSION = "azureml_default"  # the version that means the label ``default``
_SCHEMAS = {
    "command": "CommandComponent",
    "parallel": "ParallelComponent",
    "pipeline": "PipelineComponent",
    "automl": "AutoMLComponent",
    "spark": "SparkComponent",
    "data_transfer": "DataTransferComponent",
    "sweep": "SweepComponent",
}
_EDITABLE = {"description", "display_name", "tags", "version", "name", "id", "_source", "$schema", "creation_context"}


def _complete(plane: Plane, draft: Draft) -> Draft:
    properties = draft.properties
    spec = properties.get("componentSpec")
    if not isinstance(spec, dict) or not spec.get("type"):
        raise BadRequestError("A component needs a componentSpec with a type.", target="properties.componentSpec")
    done = completed(plane, draft.workspace, spec)
    # A parallel component's own resources only serve its nodes as a default; the service does not return them.
    private = {"resources": done.pop("resources")} if spec["type"] == "parallel" and "resources" in done else {}
    added = {
        "componentSpec": done,
        "description": properties.get("description") or spec.get("description"),
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
        "isAnonymous": bool(properties.get("isAnonymous")) or draft.name == ANONYMOUS,
    }
    return replace(draft, properties={**properties, **added}, private=private)


def completed(plane: Plane, workspace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a component's spec with what the service fills in: schema, optional inputs, one instance, texts."""
    kind = str(spec["type"])
    done = {"$schema": f"http://azureml/sdk-2-0/{_SCHEMAS.get(kind, 'Component')}.json", **spec}
    if spec.get("inputs"):
        done["inputs"] = {name: _input(entry) for name, entry in spec["inputs"].items()}
    if isinstance(spec.get("distribution"), dict):
        done["distribution"] = {name: _text(value) for name, value in spec["distribution"].items()}
    if kind == "command":
        done["resources"] = {"instance_count": 1, **(spec.get("resources") or {})}
        if workspace.startswith(REGISTRIES) and not spec.get("code"):
            done["code"] = codes.empty(plane, workspace)
    if kind == "pipeline":
        done["is_deterministic"] = bool(spec.get("is_deterministic"))
    if isinstance(spec.get("environment"), str):
        done["environment"] = _expanded(plane, workspace, spec["environment"])
    task = spec.get("task")  # a parallel component's environment is in its task; an AutoML task is a text
    if isinstance(task, dict) and isinstance(task.get("environment"), str):
        done["task"] = {**task, "environment": _expanded(plane, workspace, task["environment"])}
    return done


def _input(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    done = {"optional": False, **entry}
    for name in {"default", "min", "max"} & done.keys():
        done[name] = _text(done[name])
    if isinstance(done.get("default"), str):
        done["default"] = done["default"].removeprefix("azureml:")
    return done


def _text(value: Any) -> Any:
    """Return numbers as text, as the service does; everything else unchanged."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _expanded(plane: Plane, workspace: str, environment: str) -> str:
    """Return the full id of a curated environment, which the SDK sends in its short form.

    It is the id in the registry, unless the workspace holds an environment of that name.
    """
    if "/" in environment:
        return environment
    named = uris.parse(environment if environment.startswith("azureml:") else f"azureml:{environment}", workspace)
    if not isinstance(named, uris.AssetReference):
        return environment
    wanted = named.version or named.label
    try:
        found = versions.find_version(plane, workspace, "environments", named.name, wanted)
    except NotFoundError:
        if not curated.is_curated(named.name):
            raise
    else:
        if plane.store.text(found.id) is not None:
            return found.id if found.id.startswith("azureml:") else f"azureml:{found.id}"
    return curated.registry_resource(named.name, wanted).id


def _named(draft: Draft) -> Draft:
    """Write the name and the version into the spec; an anonymous component keeps those it was loaded with."""
    spec = dict(draft.properties["componentSpec"])
    if draft.name == ANONYMOUS:
        spec = {"name": ANONYMOUS, "version": draft.version, **spec}
    else:
        spec |= {"name": draft.name, "version": draft.version}
    return replace(draft, properties={**draft.properties, "componentSpec": spec})


def _identity(properties: Mapping[str, Any], _private: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a version keeps; an anonymous one is named by the hash of its content, which says it already."""
    if properties.get("isAnonymous"):
        return {}
    spec: Mapping[str, Any] = properties["componentSpec"]
    return {name: value for name, value in spec.items() if name not in _EDITABLE}


def _number(plane: Plane, _count: int) -> str:
    """Return a moment as a version: only a component's first version is a number."""
    now = plane.now()
    return now.strftime("%Y-%m-%d-%H-%M-%S-") + f"{now.microsecond * 10:07d}"


KIND = Kind("components", "component", complete=_complete, identity=_identity, frozen=False, number=_number)


def _put(plane: Plane, call: Call) -> Reply:
    """Answer PUT of a version."""
    draft = version_routes.draft_of(plane, call)
    written, new = versions.save(plane, KIND, _named(_complete(plane, draft)))
    return Reply(201 if new else 200, written.body)


def _get(plane: Plane, call: Call) -> Reply:
    """Answer GET of a version; ``azureml_default`` is the one labelled ``default``."""
    if call.params["version"] != DEFAULT_VERSION:
        return version_routes.get_version(KIND, plane, call)
    found = versions.find_version(plane, call.owner, "components", call.params["name"], "default")
    label = f"{versions.container_id(call.owner, 'components', call.params['name'])}/labels/default"
    return Reply(200, {**found.body, "id": label})


def routes(owner: str = WORKSPACE) -> tuple[Route, ...]:
    """Return the URL table of components under the template of their owner."""
    version = f"{owner}/components/{{name}}/versions/{{version}}"
    own = {"PUT": Route("PUT", version, _put), "GET": Route("GET", version, _get)}
    shared = version_routes.routes(KIND, owner)
    return tuple(own.get(route.method, route) if route.template == version else route for route in shared)


ROUTES = routes()
