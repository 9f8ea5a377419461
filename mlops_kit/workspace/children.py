"""The children of a job, which are jobs themselves: the steps of a pipeline, the trials of a sweep."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_kit.workspace import failures, jobs, tracking
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.enums import word

PARENTS = frozenset({"pipeline", "sweep", "automl"})


@dataclass(frozen=True, slots=True)
class Child:
    """One child as the list of a job shows it.

    ``reused`` is the earlier job that stands for it, and ``reuse`` why one does or does not, where the service says so.
    """

    name: str
    title: str  # the name of the step, or what the trial is called
    status: str
    reused: str = ""
    reuse: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)  # of a trial


@dataclass(frozen=True, slots=True)
class Ran:
    """A child with what it logged and, once it has started, for how many seconds it ran."""

    child: Child
    metrics: Mapping[str, float]
    seconds: float | None


def listed(ml: Any, job: str) -> list[Child]:
    """Return the children of a job, the first started first; the SDK yields None for kinds that it cannot read."""
    found = [child(each) for each in ml.jobs.list(parent_job_name=job) if each is not None]
    return found[::-1]


def child(job: Any) -> Child:
    """Return what the list of the SDK says of a child."""
    properties, tags = job.properties or {}, job.tags or {}
    return Child(
        job.name,
        job.display_name or job.name,
        word(job.status),
        properties.get("azureml.reusedrunid", ""),
        properties.get("mlops_kit.reuse", ""),
        _parameters(properties.get("hyperparameters") or tags.get("hyperparameters") or ""),
    )


def _parameters(text: str) -> dict[str, Any]:
    """Return the point of a search space that a trial tries, which the service keeps as JSON."""
    found = json.loads(text) if text.startswith("{") else {}
    return {name.lstrip("-"): value for name, value in found.items()}


def of(workspace: Workspace, name: str) -> list[Ran]:
    """Return the children of a job with what they logged."""
    parent = jobs.get(workspace, name)
    with failures.readable(f"list the children of the job {name!r}"):
        found = listed(workspace.ml, name)
        runs = tracking.children(workspace.tracking, parent.experiment_name, name, time.time()) if found else {}
    logged = {each.name: runs.get(each.name, (tracking.Logged(), None)) for each in found}
    return [Ran(each, logged[each.name][0].metrics, logged[each.name][1]) for each in found]
