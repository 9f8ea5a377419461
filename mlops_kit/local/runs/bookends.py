"""What every run of a job begins and ends with: its MLflow run, and its files among the artefacts of the workspace."""

from __future__ import annotations

import logging
import sqlite3
from concurrent.futures import Future
from dataclasses import asdict

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.runs import states
from mlops_kit.local.runs.process import CANCELLED, EXPIRED, SHUT_DOWN
from mlops_kit.local.runs.states import Outcome
from mlops_kit.local.runs.work import Work, clear, collect

log = logging.getLogger(__name__)

PARENT_TAG = "mlflow.parentRunId"


def begin(work: Work) -> Future[str]:
    """Let the MLflow run of the job be created; the job's own first call to MLflow waits for it, the job does not."""
    properties = work.properties
    parent = properties.get("parentJobName")
    return work.plane.tracking.begin_run(
        work.workspace,
        work.name,
        str(properties["experimentName"]),
        name=str(properties.get("displayName") or work.name),
        tags={**(properties.get("tags") or {}), **({PARENT_TAG: str(parent)} if parent else {})},
        start_ms=int(work.plane.now().timestamp() * 1000),
    )


def stopped(work: Work) -> Outcome:
    """Return how a job ends that was asked to stop."""
    limit = ids.seconds_of((work.properties.get("limits") or {}).get("timeout"))
    reasons = {
        CANCELLED: Outcome(states.CANCELED, "The job was cancelled."),
        EXPIRED: Outcome(states.CANCELED, f"The job ran longer than its limit of {limit:g} seconds and was cancelled."),
        SHUT_DOWN: Outcome(states.FAILED, "The local control plane was stopped while the job ran.", "SystemError"),
    }
    return reasons[work.control.reason]


def conclude(work: Work, tracked: Future[str], outcome: Outcome) -> Outcome:
    """Keep what the job left and end its MLflow run; return how the job ended: one that cannot be kept has failed."""
    outcome = _measured(work, outcome)
    # If this control plane ends meanwhile, the next one still knows why the job has not completed.
    kept = None if outcome.status == states.COMPLETED else {"outcome": asdict(outcome)}
    try:
        states.advance(work.plane, work.job.id, states.FINALIZING, private=kept)
    except sqlite3.OperationalError as error:  # the disk is full, most likely of what the job wrote: its logs are kept
        reason = f"{outcome.message}\nThe job could not be kept: {error}.".strip()
        outcome = Outcome(states.FAILED, reason, "SystemError")
        clear(work.folder)
    outcome = _collected(work, outcome)
    _finish(work, tracked, outcome)
    return outcome


def _measured(work: Work, outcome: Outcome) -> Outcome:
    """Let a job fail that did not log the metric it was run for, as the trial of a sweep is."""
    wanted = work.job.private.get("requiredMetric")
    if not wanted or outcome.status != states.COMPLETED:
        return outcome
    logged = work.plane.tracking.run(work.workspace, work.name).get("metrics", {})
    if wanted in logged:
        return outcome
    there = ", ".join(sorted(logged)) or "none"
    return Outcome(states.FAILED, f"The job did not log its primary metric '{wanted}' (logged metrics: {there}).")


def _collected(work: Work, outcome: Outcome) -> Outcome:
    """Keep the logs and artefacts; a job whose files cannot be kept has failed, and its folder stays."""
    try:
        collect(work.plane, work.workspace, work.name, work.folder)
    except (ArmError, OSError) as error:
        reason = f"{outcome.message}\n" if outcome.message else ""
        return Outcome(states.FAILED, f"{reason}The files of the job could not be kept: {error}", "SystemError")
    return outcome


def _finish(work: Work, tracked: Future[str], outcome: Outcome) -> None:
    try:
        tracked.result()
        ended = int(work.plane.now().timestamp() * 1000)
        work.plane.tracking.finish_run(work.workspace, work.name, states.MLFLOW_STATUS[outcome.status], ended)
    except (ArmError, OSError) as error:
        log.warning("the MLflow run of %s was not finished: %s", work.name, error)
