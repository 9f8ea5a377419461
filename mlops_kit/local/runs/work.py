"""What one run of a job has at hand: the control plane, the job as submitted, its folders, and the way to stop it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.providers import datastores
from mlops_kit.local.runs.content import ContentCache
from mlops_kit.local.runs.process import Control
from mlops_kit.local.settings import LocalSettings
from mlops_kit.local.tracking import ARTIFACT_ROOT

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

LOGS = "user_logs"
SYSTEM_LOGS = "system_logs"
CODE = "code"  # the working directory of the command: its code, and nothing beside it
COLLECTED = ("outputs", "logs")  # the folders of the working directory whose files are artefacts


@dataclass(frozen=True, slots=True)
class Work:
    """One job that is being run."""

    plane: Plane
    job: Resource
    control: Control
    cache: ContentCache
    folder: Path

    @property
    def workspace(self) -> str:
        """Return the id of the job's workspace."""
        return ids.workspace_of(self.job.id)

    @property
    def name(self) -> str:
        """Return the name of the job."""
        return str(self.job.body["name"])

    @property
    def properties(self) -> dict[str, Any]:
        """Return the job as it was submitted."""
        return self.job.properties

    @property
    def code(self) -> Path:
        """Return the working directory of the command."""
        return self.folder / CODE

    @property
    def logs(self) -> Path:
        """Return the folder of the logs that the command's processes write."""
        return self.folder / LOGS


def folder_of(settings: LocalSettings, guid: str, name: str) -> Path:
    """Return the folder of a job while it runs; ``guid`` is the workspace's."""
    return settings.runs / guid / name


def folder_of_job(plane: Plane, job_id: str) -> Path:
    """Return the folder of a job while it runs."""
    guid = ids.workspace_guid(plane, ids.workspace_of(job_id))
    return folder_of(plane.settings, guid, str(plane.store.get(job_id).body["name"]))


def clear(folder: Path) -> None:
    """Delete what is in the folder of a job, but for its logs."""
    for place in folder.iterdir() if folder.is_dir() else ():
        if place.name not in {LOGS, SYSTEM_LOGS}:
            shutil.rmtree(place, ignore_errors=True)


def fresh(folder: Path) -> None:
    """Make the folder of a job, empty but for those that every job has."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in (LOGS, SYSTEM_LOGS, *(f"{CODE}/{one}" for one in COLLECTED)):
        (folder / name).mkdir(parents=True)


def artifact_prefix(name: str) -> str:
    """Return where the artefacts of a job are in the workspace's artefact datastore."""
    return f"{ARTIFACT_ROOT}/dcid.{name}"


def collect(plane: Plane, workspace: str, name: str, folder: Path) -> None:
    """Upload what a job left: its logs, and the files in ``outputs`` and ``logs``; then remove its folder.

    The folder stays where the upload fails, so that the logs can still be read from it.
    """
    container = datastores.container(plane, workspace, datastores.ARTIFACTS)
    places = {LOGS: folder / LOGS, SYSTEM_LOGS: folder / SYSTEM_LOGS}
    places |= {one: folder / CODE / one for one in COLLECTED}
    for target, source in places.items():
        if source.is_dir():
            plane.blobs.upload_tree(container, f"{artifact_prefix(name)}/{target}", source)
    shutil.rmtree(folder, ignore_errors=True)
