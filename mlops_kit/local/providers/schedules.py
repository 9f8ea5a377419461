"""Schedules of a workspace: jobs that are submitted when their trigger says, and at once when they are triggered."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, ConflictError, NotFoundError, Reply, concerning
from mlops_kit.local.providers import job_bodies, jobs, version_routes
from mlops_kit.local.schedules import firing, triggers

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

Properties = dict[str, Any]
LATER = {
    "CreateMonitor": "Monitors run in a later version of the local control plane.",
    "ImportData": "Imports of data need services that only Azure has.",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,230}")  # its jobs carry the time behind it, in a name of 255 characters
_READ_ONLY_MOUNT = "ReadOnlyMount"
# What a schedule takes of an existing job, besides what jobs of its type consist of.
_DESCRIBING = ("jobType", "description", "tags", "experimentName", "identity", "properties")


def find(plane: Plane, workspace: str, name: str) -> Resource:
    """Return a schedule; 404 with the nearest names where there is none."""
    found = plane.store.find(f"{workspace}/schedules/{name}")
    if found is None:
        plane.store.get(workspace, f"The workspace '{workspace.rpartition('/')[2]}'")
        raise NotFoundError.among("schedule", name, plane.store.names(f"{workspace}/schedules"))
    return found


def _put(plane: Plane, call: Call) -> Reply:
    plane.store.get(call.workspace, f"The workspace '{call.params['workspace']}'")
    name, given = call.params["schedule"], call.json().get("properties")
    if not _NAME.fullmatch(name):
        raise BadRequestError(
            f"The schedule name '{name}' is not valid: use 1 to 231 letters, digits, '-' and '_', the first a letter or"
            " digit.",
            target="name",
        )
    if not isinstance(given, dict):
        raise BadRequestError("The body has no object 'properties'.", target="properties")
    schedule_id = f"{call.workspace}/schedules/{name}"
    previous = plane.store.find(schedule_id)
    written = _completed(plane, call.workspace, {"id": schedule_id, "properties": given}, previous)
    with plane.store.transaction():
        plane.store.put(written.body, written.private)
        mark = firing.watch if written.properties["isEnabled"] else firing.forget
        mark(plane, written.id)
    plane.schedules.wake()
    return Reply(200 if previous else 201, plane.store.get(schedule_id).body)


def _completed(plane: Plane, workspace: str, sent: Properties, previous: Resource | None) -> Resource:
    """Return a schedule with what the service fills in; 400, 404 or 501 where it could not fire or its job not run."""
    given = sent["properties"]
    definition = _definition(given.get("action") or {})
    trigger = given.get("trigger") or {}
    triggers.read(trigger)
    before = previous.properties["trigger"] if previous else None
    enabled = given.get("isEnabled")
    properties = {
        "description": None,
        "displayName": None,
        **given,
        "tags": given.get("tags") or {},
        "properties": given.get("properties") or {},
        "isEnabled": True if enabled is None else bool(enabled),
        "provisioningState": "Succeeded",
        "trigger": triggers.started(trigger, plane.now(), before),
        "action": {"actionType": "CreateJob", "jobDefinition": _with_modes(definition)},
    }
    body = ids.stamped(plane, {**sent, "properties": properties}, previous)
    source = definition.get("sourceJobId")
    private = {"job": _taken(plane, workspace, str(source), definition)} if source else {}
    schedule = Resource(body, private)
    if properties["isEnabled"] or previous is None:  # one whose job cannot run any more can still be disabled
        _check_job(plane, workspace, schedule)
    return schedule


def _definition(action: Properties) -> Properties:
    kind = str(action.get("actionType"))
    if kind in LATER:
        raise ArmError(501, "NotImplemented", f"{LATER[kind]} No schedule was stored.", target="properties.action")
    definition = action.get("jobDefinition")
    if kind != "CreateJob" or not isinstance(definition, dict):
        raise BadRequestError("A schedule needs an action 'CreateJob' with a job.", target="properties.action")
    return definition


def _with_modes(definition: Properties) -> Properties:
    """Return a job with the mode of each input that has a path and says none, which the service shows."""
    inputs = {name: _with_mode(port) for name, port in (definition.get("inputs") or {}).items()}
    return {**definition, **({"inputs": inputs} if inputs else {})}


def _with_mode(port: Any) -> Any:
    has_path = isinstance(port, dict) and port.get("uri")
    return {**port, "mode": port.get("mode") or _READ_ONLY_MOUNT} if has_path else port


def _taken(plane: Plane, workspace: str, source: str, definition: Properties) -> Properties:
    """Return the job of a schedule that names an existing one: what that consists of, and what the schedule changes."""
    job = jobs.find(plane, workspace, source.rpartition("/jobs/")[2])
    kind = str(job.properties["jobType"])
    taken = {key: job.properties.get(key) for key in (*_DESCRIBING, *job_bodies.CONTENT.get(kind, ()))}
    for key, value in definition.items():
        before = taken.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            taken[key] = {**before, **value}
        elif value:
            taken[key] = value
    return taken


def _check_job(plane: Plane, workspace: str, schedule: Resource) -> None:
    """Refuse a schedule whose job would be refused if it were submitted now."""
    now = plane.now()
    with concerning("properties.action.jobDefinition"):
        name = firing.job_name(str(schedule.body["name"]), now)
        job_bodies.completed(plane, workspace, name, firing.job_of(schedule, now))


def _get(plane: Plane, call: Call) -> Reply:
    return Reply(200, find(plane, call.workspace, call.params["schedule"]).body)


def _list(plane: Plane, call: Call) -> Reply:
    """Answer GET of all schedules, those that are enabled unless asked otherwise."""
    plane.store.get(call.workspace, f"The workspace '{call.params['workspace']}'")
    view = call.query.get("listViewType", "EnabledOnly").lower()
    found = plane.store.list(f"{call.workspace}/schedules")
    shown = [one for one in found if view == "all" or one.properties["isEnabled"] == (view == "enabledonly")]
    return version_routes.page(call, shown)


def _delete(plane: Plane, call: Call) -> Reply:
    found = plane.store.find(f"{call.workspace}/schedules/{call.params['schedule']}")
    if found is None:
        return Reply(204)
    if found.properties["isEnabled"]:
        name = found.body["name"]
        raise BadRequestError(f"Cannot delete an active trigger: disable the schedule '{name}' first.")
    with plane.store.transaction():
        plane.store.delete(found.id)
        firing.forget(plane, found.id)
    return accepted(plane, call)


def _trigger(plane: Plane, call: Call) -> Reply:
    """Submit the job of a schedule for the time that the caller names: again for the same time is the same job."""
    schedule = find(plane, call.workspace, call.params["schedule"])
    if not schedule.properties["isEnabled"]:
        raise ConflictError(f"The schedule '{schedule.body['name']}' is disabled; enable it first.")
    text = str(call.json().get("scheduleTime") or "")
    try:
        moment = datetime.fromisoformat(text) if text else plane.now()
    except ValueError:
        raise BadRequestError(f"'{text}' is no time.", target="scheduleTime") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    fired = firing.submit(plane, schedule, moment)
    if fired.outcome == firing.REFUSED:
        raise BadRequestError(f"The job {fired.job} was refused: {fired.message}")
    return Reply(200, {"submissionId": fired.job, "scheduleActionType": "CreateJob"})


_ONE = f"{WORKSPACE}/schedules/{{schedule}}"
ROUTES = (
    Route("GET", f"{WORKSPACE}/schedules", _list),
    Route("GET", _ONE, _get),
    Route("PUT", _ONE, _put, slow=True, does="executed"),
    Route("DELETE", _ONE, _delete, does="executed"),
    Route("POST", f"{_ONE}/trigger", _trigger, slow=True, does="executed"),
)
