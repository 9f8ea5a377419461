"""Jobs of a workspace: submitted, listed, cancelled and deleted. What a type of job may contain is its own module's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import BadRequestError, Call, ConflictError, NotFoundError, Reply
from mlops_kit.local.providers import datastores, job_bodies, mlflow, version_routes
from mlops_kit.local.runs import states
from mlops_kit.local.runs.work import artifact_prefix

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

Properties = dict[str, Any]
UPDATABLE = ("displayName", "description", "isArchived", "tags", "properties")


def find(plane: Plane, workspace: str, name: str) -> Resource:
    """Return a job; 404 with the nearest names where there is none."""
    found = plane.store.find(f"{workspace}/jobs/{name}")
    if found is None:
        plane.store.get(workspace, f"The workspace '{workspace.rpartition('/')[2]}'")
        known = (str(job.body["name"]) for job in plane.store.list(f"{workspace}/jobs", newest_first=True))
        raise NotFoundError.among("job", name, known)
    return found


def submit(plane: Plane, workspace: str, name: str, given: Properties) -> tuple[Resource, bool]:
    """Store a job and queue it; return it and whether it is new. An existing job may only change what describes it."""
    plane.store.get(workspace, f"The workspace '{workspace.rpartition('/')[2]}'")
    kind = str(given.get("jobType"))
    previous = plane.store.find(f"{workspace}/jobs/{name}")
    if previous is not None:
        return _updated(plane, previous, given), False
    properties = job_bodies.completed(plane, workspace, name, given)
    with plane.store.transaction():
        if plane.store.find(f"{workspace}/jobs/{name}") is None:
            body = ids.stamped(plane, {"id": f"{workspace}/jobs/{name}", "properties": properties}, None)
            states.queue(plane, body, {"submitted": _content(kind, given)})
    job = plane.store.get(f"{workspace}/jobs/{name}")
    plane.runs.submit(job.id)
    return job, True


def _updated(plane: Plane, previous: Resource, given: Properties) -> Resource:
    kind = str(previous.properties["jobType"])
    sent = _content(kind, given)
    name = previous.body["name"]
    before = (previous.private.get("submitted"), _content(kind, previous.properties))
    if given.get("jobType") != kind or (sent not in before and _changed(before, sent)):
        changed = _changed(before, sent) or ["jobType"]
        raise ConflictError(
            f"The job '{name}' exists with another {', '.join(changed)}. A job never changes: submit it under another"
            " name."
        )
    return describe(plane, previous.id, {key: given[key] for key in UPDATABLE if given.get(key) is not None})


def _changed(before: tuple[Properties | None, Properties], sent: Properties) -> list[str]:
    """Return which parts of the content are neither as submitted nor as the job shows them now."""
    return [key for key, value in sent.items() if all(value != (one or {}).get(key) for one in before)]


def describe(plane: Plane, job_id: str, change: Properties) -> Resource:
    """Change what describes a job: tags and properties are merged, the rest replaced. Its content stays."""
    with plane.store.transaction():
        job = plane.store.get(job_id)
        for key in ("tags", "properties"):
            if key in change:
                change = {**change, key: {**(job.properties.get(key) or {}), **change[key]}}
        body = {**job.body, "properties": {**job.properties, **change}}
        plane.store.put(ids.stamped(plane, body, job))
        return plane.store.get(job_id)


def _content(kind: str, properties: Properties) -> Properties:
    return {key: _plain(properties.get(key)) for key in job_bodies.CONTENT.get(kind, ())}


def _plain(value: Any) -> Any:
    """Return a value without what clients send or leave out as they like: empty entries, the case of modes."""
    if isinstance(value, dict):
        plain = {key: _plain(one) for key, one in value.items() if key not in {"description", "jobLimitsType"}}
        return {key: one for key, one in plain.items() if one not in (None, {}, [], "")} or None
    return value


def _put(plane: Plane, call: Call) -> Reply:
    properties = call.json().get("properties")
    if not isinstance(properties, dict):
        raise BadRequestError("The body has no object 'properties'.", target="properties")
    job, new = submit(plane, call.workspace, call.params["job"], properties)
    return Reply(201 if new else 200, job.body)


def _get(plane: Plane, call: Call) -> Reply:
    text = plane.store.text(f"{call.workspace}/jobs/{call.params['job']}")
    return Reply(200, find(plane, call.workspace, call.params["job"]).body if text is None else text.encode())


def _list(plane: Plane, call: Call) -> Reply:
    """Answer GET of all jobs, the newest first; children are listed by their parent only."""
    plane.store.get(call.workspace, f"The workspace '{call.params['workspace']}'")
    jobs = plane.store.list(f"{call.workspace}/jobs", newest_first=True)
    return version_routes.page(call, [job for job in jobs if _asked_for(call, job)])


def _asked_for(call: Call, job: Resource) -> bool:
    query, properties = call.query, job.properties
    scheduled = properties.get("properties", {}).get("azureml.scheduleName")
    wanted = {name: query[name] for name in ("jobType", "tag", "scheduled", "scheduleId") if query.get(name)}
    return (
        not properties.get("parentJobName")
        and version_routes.viewed(call, archived=bool(properties.get("isArchived")))
        and wanted.get("jobType", properties["jobType"]).lower() == properties["jobType"].lower()
        and ("tag" not in wanted or _has_tag(properties.get("tags") or {}, wanted["tag"]))
        and ("scheduled" not in wanted or (wanted["scheduled"].lower() == "true") == bool(scheduled))
        and wanted.get("scheduleId", scheduled) == scheduled
    )


def _has_tag(tags: Properties, wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in tags and (not equals or tags[key] == value)


def _cancel(plane: Plane, call: Call) -> Reply:
    cancel(plane, find(plane, call.workspace, call.params["job"]))
    return accepted(plane, call)


def cancel(plane: Plane, job: Resource) -> None:
    """Cancel a job; one that has ended stays as it is. A client's own run is marked, its process is not ours."""
    if job.private.get("kind") != mlflow.KIND:
        plane.runs.cancel(job.id)
    elif job.properties["status"] not in states.FINAL:
        states.end(plane, job.id, states.Outcome(states.CANCELED, "The run was cancelled."))
        workspace, ended = ids.workspace_of(job.id), int(plane.now().timestamp() * 1000)
        plane.tracking.finish_run(workspace, str(job.body["name"]), states.MLFLOW_STATUS[states.CANCELED], ended)


def _delete(plane: Plane, call: Call) -> Reply:
    found = plane.store.find(f"{call.workspace}/jobs/{call.params['job']}")
    if found is None:
        return Reply(204)
    name, status = str(found.body["name"]), found.properties["status"]
    if status not in states.FINAL:
        raise ConflictError(f"The job '{name}' is {str(status).lower()}; cancel it before it is deleted.")
    container = datastores.container(plane, call.workspace, datastores.ARTIFACTS)
    plane.blobs.delete(container, artifact_prefix(name))
    states.forget(plane, found.id)
    return accepted(plane, call)


_ONE = f"{WORKSPACE}/jobs/{{job}}"
ROUTES = (
    Route("GET", f"{WORKSPACE}/jobs", _list),
    Route("GET", _ONE, _get),
    Route("PUT", _ONE, _put, slow=True, does="executed"),
    Route("DELETE", _ONE, _delete, slow=True, does="executed"),
    Route("POST", f"{_ONE}/cancel", _cancel, slow=True, does="executed"),
)
