"""The body of a job of any type, checked and completed as the service does before it is stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.wire import ArmError, BadRequestError
from mlops_kit.local.providers import command_jobs, pipeline_jobs, sweep_jobs
from mlops_kit.local.runs import states
from mlops_kit.local.settings import PORTAL_URL
from mlops_kit.local.tracking import tracking_url

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

Properties = dict[str, Any]
# How the body of each type of job is checked and completed.
KINDS: dict[str, Callable[[Plane, str, Properties], Properties]] = {
    "Command": command_jobs.completed,
    "Pipeline": pipeline_jobs.completed,
    "Sweep": sweep_jobs.completed,
}
CONTENT: dict[str, tuple[str, ...]] = {
    "Command": command_jobs.CONTENT,
    "Pipeline": pipeline_jobs.CONTENT,
    "Sweep": sweep_jobs.CONTENT,
}
LATER = {
    "AutoML": "Automated ML runs in a later version of the local control plane; submit a command job.",
    "Spark": "Spark jobs run in a later version of the local control plane; submit a command job.",
    "FineTuning": "Fine-tuning jobs need services that only Azure has.",
    "Labeling": "Labelling jobs need services that only Azure has.",
}
DEFAULT_EXPERIMENT = "Default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_EXPERIMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,255}")


def completed(plane: Plane, workspace: str, name: str, given: Properties) -> Properties:
    """Return the properties of a new job; 400, 404, 409 or 501 where it could not be run."""
    kind = str(given.get("jobType"))
    _check(name, given, kind)
    return KINDS[kind](plane, workspace, _described(workspace, name, given))


def _check(name: str, given: Properties, kind: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequestError(
            f"The job name '{name}' is not valid: use 1 to 255 letters, digits, '-' and '_', the first a letter or"
            " digit.",
            target="name",
        )
    if kind in LATER:
        raise ArmError(501, "NotImplemented", f"{LATER[kind]} No job was stored.", target="jobType")
    if kind not in KINDS:
        known = ", ".join((*KINDS, *LATER))
        raise BadRequestError(f"'{kind}' is not a type of job; known types: {known}.", target="jobType")
    experiment = str(given.get("experimentName") or DEFAULT_EXPERIMENT)
    if not _EXPERIMENT.fullmatch(experiment):
        raise BadRequestError(
            f"The experiment name '{experiment}' is not valid: use 1 to 256 letters, digits, '-' and '_', the first a"
            " letter or digit.",
            target="experimentName",
        )


def _described(workspace: str, name: str, given: Properties) -> Properties:
    """Return the properties with what every type of job has."""
    kept = {key: value for key, value in given.items() if key not in {"status", "startTimeUtc", "endTimeUtc"}}
    return {
        "description": None,
        "computeId": None,
        **kept,
        "displayName": given.get("displayName") or name,
        "experimentName": given.get("experimentName") or DEFAULT_EXPERIMENT,
        "tags": {key: str(value) for key, value in (given.get("tags") or {}).items()},
        "properties": given.get("properties") or {},
        "isArchived": bool(given.get("isArchived")),
        "services": {**(given.get("services") or {}), **services(workspace, name)},
        "status": states.QUEUED,
    }


def services(workspace: str, name: str) -> Properties:
    """Return the services that every job has: its MLflow tracking and its page."""
    page = f"{PORTAL_URL}/runs/{name}?wsid={workspace}"  # the SDK adds the tenant
    return {
        kind: {"jobServiceType": kind, "endpoint": endpoint, "port": None, "status": None, "properties": None}
        for kind, endpoint in (("Tracking", tracking_url(workspace)), ("Studio", page))
    }
