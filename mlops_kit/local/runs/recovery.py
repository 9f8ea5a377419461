"""What is done about a job that was under way when the control plane was killed: its processes end, its files stay."""

from __future__ import annotations

import logging
import shutil
import threading
from typing import TYPE_CHECKING

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.processes import Started
from mlops_kit.local.runs import ending, states
from mlops_kit.local.runs.process import end_recorded
from mlops_kit.local.runs.states import Outcome
from mlops_kit.local.runs.work import collect, folder_of

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

log = logging.getLogger(__name__)


def recover(plane: Plane, job: Resource, stopping: threading.Event) -> None:
    """End a job that an earlier control plane left unfinished; it has failed, or is cancelled where that was asked."""
    status = str(job.properties["status"])
    end_recorded([Started(**one) for one in job.private.get("processes") or []])
    workspace, name = ids.workspace_of(job.id), str(job.body["name"])
    if plane.store.find(workspace) is None:
        states.forget(plane, job.id)
        return
    outcome = Outcome(
        states.FAILED, f"The local control plane was killed while the job was {status.lower()}.", "SystemError"
    )
    if status == states.CANCEL_REQUESTED:
        outcome = Outcome(states.CANCELED, "The job was cancelled.")
    if job.private.get("outcome"):
        outcome = Outcome(**job.private["outcome"])
    _keep_files(plane, workspace, name)
    ending.end(plane, job.id, outcome, {}, stopping)
    _finish_tracking(plane, workspace, name, outcome)


def _keep_files(plane: Plane, workspace: str, name: str) -> None:
    folder = folder_of(plane.settings, ids.workspace_guid(plane, workspace), name)
    try:
        if folder.exists():
            collect(plane, workspace, name, folder)
    except (ArmError, OSError) as error:
        log.warning("the files of %s were not kept: %s", name, error)
        shutil.rmtree(folder / "inputs", ignore_errors=True)


def _finish_tracking(plane: Plane, workspace: str, name: str, outcome: Outcome) -> None:
    try:
        if plane.tracking.run(workspace, name):
            ended = int(plane.now().timestamp() * 1000)
            plane.tracking.finish_run(workspace, name, states.MLFLOW_STATUS[outcome.status], ended)
    except (ArmError, OSError) as error:
        log.warning("the MLflow run of %s was not finished: %s", name, error)


def cancel_orphans(plane: Plane) -> None:
    """Cancel the children that were still queued when the control plane was killed and their parent with it."""
    for job in states.unfinished(plane):
        parent = job.properties.get("parentJobName")
        found = plane.store.find(f"{ids.workspace_of(job.id)}/jobs/{parent}") if parent else None
        if parent and (found is None or found.properties["status"] in states.FINAL):
            states.end(plane, job.id, Outcome(states.CANCELED, f"Its parent '{parent}' has ended."))
