"""The trials of a sweep job in the order of a metric, and the best of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops_kit.errors import UsageError
from mlops_kit.workspace import children, jobs
from mlops_kit.workspace.children import Ran
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.enums import word
from mlops_kit.workspace.unknown import not_found


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep looks for, its trials, and the name of the best one, empty as long as there is none."""

    name: str
    metric: str
    is_minimized: bool
    trials: tuple[Ran, ...]
    best: str


def read(workspace: Workspace, name: str) -> Sweep:
    """Return a sweep with its trials; raises :class:`UsageError` for a job of another kind."""
    job = _sweep(workspace, name)
    minimized = str(job.objective.goal).lower() == "minimize"
    trials = tuple(children.of(workspace, name))
    return Sweep(name, str(job.objective.primary_metric), minimized, trials, best_name(job))


def best(workspace: Workspace, name: str) -> str:
    """Return the name of the best trial of a sweep; raises :class:`UsageError` where it names none."""
    job = _sweep(workspace, name)
    found = best_name(job)
    if not found:
        raise UsageError(f"the sweep {name!r} names no best trial: it is {word(job.status)}")
    return found


def _sweep(workspace: Workspace, name: str) -> Any:
    job = jobs.get(workspace, name)
    kind = word(job.type).lower()
    if kind != "sweep":
        raise UsageError(f"the job {name!r} is a {kind} job: only a sweep has trials")
    return job


def best_name(job: Any) -> str:
    """Return the name of the best trial that the service wrote to the properties of a sweep."""
    return str((job.properties or {}).get("best_child_run_id") or "")


def ranked(sweep: Sweep, metric: str = "") -> list[Ran]:
    """Return the trials by a metric, those without it last; the highest first, or the best one of the sweep's own.

    Trials that did not complete come after those that did: they are never the best. Raises :class:`UsageError` for a
    metric that no trial has logged.
    """
    wanted = metric or sweep.metric
    known = sorted({name for trial in sweep.trials for name in trial.metrics})
    if metric and metric not in known:
        raise not_found("metric of the trials", metric, known)
    sign = 1 if sweep.is_minimized and wanted == sweep.metric else -1

    def place(trial: Ran) -> tuple[bool, bool, float]:
        value = trial.metrics.get(wanted, math.nan)
        return trial.child.status != "Completed", math.isnan(value), 0.0 if math.isnan(value) else sign * value

    return sorted(sweep.trials, key=place)


def varied(trials: Sequence[Ran]) -> list[str]:
    """Return the hyperparameters of the trials, in their order."""
    return list({name: None for trial in trials for name in trial.child.parameters})
