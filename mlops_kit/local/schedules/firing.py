"""One fire of a schedule: which are due, the job that it submits, and the mark up to which a schedule has fired.

The name of the job follows from the schedule and the time: no restart and no kill makes a second one. The mark lies
outside of the workspace's resources, like that of an unfinished job, so that all are found without reading them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops_kit import fire_times
from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.providers import job_bodies, jobs
from mlops_kit.local.runs import states
from mlops_kit.local.schedules import triggers

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

Properties = dict[str, Any]
SCHEDULE = "azureml.scheduleName"
SUBMITTED, REPEATED, REFUSED = "submitted", "was submitted before", "could not be submitted"
_AFTER = timedelta(microseconds=1)
_MARKS = "/scheduled"
# What jobs of schedules may say of themselves ("How to schedule pipeline job", expressions in inputs and outputs).
_NAME, _TIME = "${{name}}", "${{creation_context.trigger_time}}"


@dataclass(frozen=True, slots=True)
class Fired:
    """What became of one fire: the job of that name was submitted, was there already, or was refused."""

    schedule: str
    at: str
    job: str
    outcome: str
    message: str = ""


def watch(plane: Plane, schedule_id: str) -> None:
    """Let a schedule fire from now on."""
    plane.store.put(_mark(schedule_id, plane.now()))


def forget(plane: Plane, schedule_id: str) -> None:
    """Let a schedule fire no more."""
    plane.store.delete(_mark_id(schedule_id))


def rewind(plane: Plane, moment: datetime) -> None:
    """Let schedules that have fired beyond a moment count from that moment again."""
    for mark in plane.store.under(_MARKS):
        if datetime.fromisoformat(mark.body["since"]) > moment:
            plane.store.put(_mark(str(mark.body["schedule"]), moment))


def due(plane: Plane, until: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield the fires up to a moment that have not been, in order of time, with the id of the schedule."""
    return heapq.merge(*(_due(schedule, since, until) for schedule, since in _watched(plane)))


def upcoming(plane: Plane) -> datetime | None:
    """Return when the next schedule fires, or should have fired."""
    found = (_fires(schedule, since) for schedule, since in _watched(plane))
    return min((moment for moment in (next(each, None) for each in found) if moment), default=None)


def fire(plane: Plane, schedule_id: str, moment: datetime) -> Fired | None:
    """Let a schedule fire for a moment; None where it has been deleted, disabled or changed meanwhile."""
    mark, schedule = plane.store.find(_mark_id(schedule_id)), plane.store.find(schedule_id)
    if mark is None or schedule is None or datetime.fromisoformat(mark.body["since"]) >= moment:
        return None
    fired = submit(plane, schedule, moment)
    with plane.store.transaction():
        mark = plane.store.find(_mark_id(schedule_id))
        if mark is not None and datetime.fromisoformat(mark.body["since"]) < moment:
            plane.store.put(_mark(schedule_id, moment))
    return fired


def submit(plane: Plane, schedule: Resource, moment: datetime) -> Fired:
    """Submit the job of a schedule for a moment, unless it has been."""
    workspace, title = ids.workspace_of(schedule.id), str(schedule.body["name"])
    name = job_name(title, moment)
    fired = Fired(title, ids.timestamp(moment), name, SUBMITTED)
    if plane.store.find(f"{workspace}/jobs/{name}") is not None:
        return Fired(title, fired.at, name, REPEATED)
    given = job_of(schedule, moment)
    try:
        jobs.submit(plane, workspace, name, given)
    except ArmError as error:
        _keep_refused(plane, workspace, name, given, error)
        return Fired(title, fired.at, name, REFUSED, error.message)
    return fired


def job_name(schedule: str, moment: datetime) -> str:
    """Return the name of the job of a fire, as the service writes it; parts of a second only where there are any."""
    moment = moment.astimezone(UTC)
    return f"{schedule}-{moment:%Y%m%dT%H%M%S}{f'{moment:%f}' if moment.microsecond else ''}Z"


def job_of(schedule: Resource, moment: datetime) -> Properties:
    """Return the properties of the job that a schedule submits for a moment."""
    name = job_name(str(schedule.body["name"]), moment)
    texts = {_NAME: name, _TIME: f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    given = schedule.private.get("job") or schedule.properties["action"]["jobDefinition"]
    return {
        **{key: value for key, value in given.items() if key != "sourceJobId"},
        "displayName": name,
        "properties": {**(given.get("properties") or {}), SCHEDULE: str(schedule.body["name"])},
        **{key: _filled(given.get(key) or {}, texts) for key in ("inputs", "outputs")},
    }


def _filled(ports: Properties, texts: dict[str, str]) -> Properties:
    """Return inputs or outputs with the name and the time of the job in place of their expressions."""
    return {name: _replaced(port, texts) if isinstance(port, dict) else port for name, port in ports.items()}


def _replaced(port: Properties, texts: dict[str, str]) -> Properties:
    found = dict(port)
    for key in found.keys() & {"value", "uri"}:
        for text, value in texts.items():
            if isinstance(found[key], str):
                found[key] = found[key].replace(text, value)
    return found


def _keep_refused(plane: Plane, workspace: str, name: str, given: Properties, error: ArmError) -> None:
    """Keep a job that could not be submitted as one that has failed: nobody else is there to read the reason."""
    properties = {
        **given,
        "experimentName": given.get("experimentName") or job_bodies.DEFAULT_EXPERIMENT,
        "services": job_bodies.services(workspace, name),
        "isArchived": False,
    }
    body = {"id": f"{workspace}/jobs/{name}", "properties": properties}
    reason = f"The schedule could not submit its job: {error.message}"
    with plane.store.transaction():
        states.queue(plane, ids.stamped(plane, body, None), {})
        states.end(plane, str(body["id"]), states.Outcome(states.FAILED, reason))


def _watched(plane: Plane) -> Iterator[tuple[Resource, datetime]]:
    """Yield each schedule that fires, and until when it has; one whose workspace is deleted stays marked."""
    for mark in plane.store.under(_MARKS):
        schedule = plane.store.find(str(mark.body["schedule"]))
        if schedule is not None:
            yield schedule, datetime.fromisoformat(mark.body["since"])


def _due(schedule: Resource, since: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
    for moment in _fires(schedule, since):
        if moment > until:
            return
        yield moment, schedule.id


def _fires(schedule: Resource, since: datetime) -> Iterator[datetime]:
    return fire_times.fires(triggers.read(schedule.properties["trigger"]), since + _AFTER)


def _mark(schedule_id: str, since: datetime) -> Properties:
    return {"id": _mark_id(schedule_id), "schedule": schedule_id, "since": since.isoformat(), "properties": {}}


def _mark_id(schedule_id: str) -> str:
    return f"{_MARKS}/{schedule_id.lower().replace('/', ':')}"
