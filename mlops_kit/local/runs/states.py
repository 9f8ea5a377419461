"""The life of a job in the store: Queued, Preparing, Running, Finalizing, then Completed, Failed or Canceled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

QUEUED, PREPARING, RUNNING, FINALIZING = "Queued", "Preparing", "Running", "Finalizing"
CANCEL_REQUESTED = "CancelRequested"
COMPLETED, FAILED, CANCELED = "Completed", "Failed", "Canceled"
FINAL = frozenset({COMPLETED, FAILED, CANCELED})
MLFLOW_STATUS = {COMPLETED: "FINISHED", FAILED: "FAILED", CANCELED: "KILLED"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended. ``message`` says why, in one or more sentences; it is empty for a job that completed."""

    status: str
    message: str = ""
    code: str = "UserError"


class JobFailedError(Exception):
    """The job cannot go on; the message is the reason that its user reads."""


class StoppedError(Exception):
    """The job was asked to stop: cancelled, over its time, or the control plane ends."""


def queue(plane: Plane, body: dict[str, Any], private: dict[str, Any]) -> None:
    """Store a new job as Queued, and remember it as unfinished."""
    body["properties"]["status"] = QUEUED
    with plane.store.transaction():
        plane.store.put(body, {**private, "times": {QUEUED: ids.timestamp(plane.now())}})
        plane.store.put({"id": _marker(str(body["id"])), "job": body["id"], "properties": {}})


def unfinished(plane: Plane) -> list[Resource]:
    """Return every job of every workspace that has not ended, in order of submission."""
    found = [plane.store.find(str(marker.body["job"])) for marker in plane.store.under("/unfinished")]
    return [job for job in found if job is not None]


def advance(plane: Plane, job_id: str, status: str, *, private: Mapping[str, Any] | None = None) -> bool:
    """Let a job reach a state that is not final; say whether it did.

    A job that has ended stays as it is, and one that is asked to cancel keeps saying so.
    """
    with plane.store.transaction():
        job = plane.store.find(job_id)
        if job is None or job.properties["status"] in FINAL:
            return False
        if job.properties["status"] != CANCEL_REQUESTED:
            job.properties["status"] = status
        if status == RUNNING:
            job.properties["startTimeUtc"] = ids.timestamp(plane.now())
        plane.store.put(ids.stamped(plane, job.body, job), _timed(plane, job, status, private))
    return True


def note(plane: Plane, job_id: str, *, private: Mapping[str, Any]) -> None:
    """Keep facts about a job that only this control plane knows."""
    with plane.store.transaction():
        job = plane.store.find(job_id)
        if job is not None:
            plane.store.put(job.body, {**job.private, **private})


def end(plane: Plane, job_id: str, outcome: Outcome, properties: Mapping[str, Any] | None = None) -> None:
    """Let a job reach its final state; one that has ended already stays as it is."""
    with plane.store.transaction():
        plane.store.delete(_marker(job_id))
        job = plane.store.find(job_id)
        if job is None or job.properties["status"] in FINAL:
            return
        job.properties.update(properties or {})
        job.properties["status"] = outcome.status
        job.properties["endTimeUtc"] = ids.timestamp(plane.now())
        facts = {"processes": [], "error": {"code": outcome.code, "message": outcome.message}}
        plane.store.put(
            ids.stamped(plane, job.body, job),
            _timed(plane, job, outcome.status, facts if outcome.message else {"processes": []}),
        )


def forget(plane: Plane, job_id: str) -> None:
    """Remove a job from the store."""
    with plane.store.transaction():
        plane.store.delete(_marker(job_id))
        plane.store.delete(job_id)


def _timed(plane: Plane, job: Resource, status: str, private: Mapping[str, Any] | None) -> dict[str, Any]:
    times = {**job.private.get("times", {}), status: ids.timestamp(plane.now())}
    return {**job.private, **(private or {}), "times": times}


def _marker(job_id: str) -> str:
    return f"/unfinished/{job_id.lower().replace('/', ':')}"
