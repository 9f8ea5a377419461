"""Running a sweep: trials are started, watched while they report their metric, stopped early; the best is named."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError, NotFoundError
from mlops_kit.local.providers import job_bodies
from mlops_kit.local.runs import parents, states
from mlops_kit.local.runs.children import Children, Draft
from mlops_kit.local.runs.states import JobFailedError, Outcome
from mlops_kit.local.runs.sweeps import outline, trials
from mlops_kit.local.runs.sweeps.outline import Outline
from mlops_kit.local.runs.sweeps.rounds import Rounds
from mlops_kit.local.runs.sweeps.samplers import Point
from mlops_kit.local.runs.work import Work

_LOOK_SECONDS = 0.2  # how often the metrics of running trials are looked at where a policy may stop them


@dataclass(slots=True)
class _Sweep:
    """A sweep under way."""

    work: Work
    outline: Outline
    children: Children
    deadline: float | None
    points: dict[str, Point] = field(default_factory=dict)  # trial -> its point
    reports: dict[str, Sequence[float]] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)  # of the trials that completed
    ended: dict[str, Resource] = field(default_factory=dict)
    is_exhausted: bool = False

    @property
    def is_over(self) -> bool:
        """Say whether the time of the whole sweep is up."""
        return self.deadline is not None and time.monotonic() > self.deadline


def run(work: Work) -> parents.Ended:
    """Run a sweep job to its end; return how it ended and the properties that it has now."""
    return parents.run(work, "sweep", lambda children: _driven(work, children))


def _driven(work: Work, children: Children) -> parents.Ended:
    plan = outline.read(work.properties)
    states.advance(work.plane, work.job.id, states.RUNNING)
    sweep = _Sweep(work, plan, children, time.monotonic() + plan.timeout if plan.timeout else None)
    _drive(sweep)
    return _result(sweep)


def _drive(sweep: _Sweep) -> None:
    """Start trials and wait for them, until there are no more or the time is up."""
    rounds = Rounds(sweep.outline.policy) if sweep.outline.policy else None
    while True:
        if sweep.is_over:
            for stopped in sweep.children.end_all():
                _end_trial(sweep, stopped)
            return
        _start_more(sweep)
        if not sweep.children.running:
            return
        child = sweep.children.next(_patience(sweep, watched=rounds is not None))
        if child is not None:
            _end_trial(sweep, child)
        if rounds is not None:
            _stop_early(sweep, rounds)


def _patience(sweep: _Sweep, *, watched: bool) -> float | None:
    left = None if sweep.deadline is None else max(0.01, sweep.deadline - time.monotonic())
    return min(_LOOK_SECONDS, left or _LOOK_SECONDS) if watched else left


def _start_more(sweep: _Sweep) -> None:
    plan = sweep.outline
    while not sweep.is_exhausted and len(sweep.children.running) < plan.concurrent and len(sweep.points) < plan.total:
        point = plan.sampler.pick()
        if point is None:
            sweep.is_exhausted = True
            return
        _start(sweep, point)


def _start(sweep: _Sweep, point: Point) -> None:
    work, number = sweep.work, len(sweep.points)
    name = f"{work.name}_{number}"
    try:
        sent = trials.body(work.properties, number, point)
        body = job_bodies.completed(work.plane, work.workspace, name, sent)
    except (trials.UnknownParameterError, ArmError) as error:
        raise JobFailedError(f"Trial {number} could not be started: {error}") from error
    sweep.points[name] = point
    sweep.children.start(Draft(name, body, {"requiredMetric": sweep.outline.metric}))


def _end_trial(sweep: _Sweep, child: Resource) -> None:
    """Take note of how a trial ended; only one that completed and logged its metric counts."""
    name = str(child.body["name"])
    sweep.ended[name] = child
    sweep.reports[name] = _history(sweep, name)
    score = None
    if child.properties["status"] == states.COMPLETED and sweep.reports[name]:
        score = sweep.outline.best_of(sweep.reports[name])
        sweep.scores[name] = score
    sweep.outline.sampler.tell(sweep.points[name], score)


def _stop_early(sweep: _Sweep, rounds: Rounds) -> None:
    for name in sweep.children.running:
        sweep.reports[name] = _history(sweep, name)
    for name in rounds.stops(sweep.reports, list(sweep.children.running)):
        states.note(sweep.work.plane, sweep.children.running[name], private={"stoppedBy": "early termination"})
        sweep.children.cancel(name)


def _history(sweep: _Sweep, trial: str) -> list[float]:
    """Return what a trial has reported so far."""
    try:
        rows = sweep.work.plane.tracking.metric_history(sweep.work.workspace, trial, sweep.outline.metric)
    except NotFoundError:  # its run is only being created
        return []
    return [row["value"] for row in rows]


def _result(sweep: _Sweep) -> tuple[Outcome, dict[str, object]]:
    """Name the best trial; a sweep without one has failed."""
    plan = sweep.outline
    if not sweep.scores:
        return Outcome(states.FAILED, _reason(sweep)), {}
    best = max(sweep.scores, key=lambda name: plan.sign * sweep.scores[name])
    facts = {
        "best_child_run_id": best,
        "score": str(sweep.scores[best]),
        "best_metric_status": "Succeeded",
        "best_data_container_id": f"dcid.{best}",
    }
    kept: dict[str, Any] = sweep.work.plane.store.get(sweep.work.job.id).properties.get("properties") or {}
    properties: dict[str, object] = {"properties": {**kept, **facts}}
    if made := sweep.ended[best].properties.get("outputs"):
        properties["outputs"] = made
    return Outcome(states.COMPLETED), properties


def _reason(sweep: _Sweep) -> str:
    """Say why no trial can be used."""
    when = " when its time was up" if sweep.is_over else ""
    lines = [f"The sweep has no trial{when} that completed and logged the metric '{sweep.outline.metric}'."]
    for name, child in list(sweep.ended.items())[:5]:
        message = (child.private.get("error") or {}).get("message", "")
        lines.append(f"{name}: {child.properties['status']}. {message}".strip())
    return "\n".join(lines)
