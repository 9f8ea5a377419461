"""Running a pipeline: each step is started when what it needs has ended, as many at a time as their computes allow."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.providers import job_bodies
from mlops_kit.local.runs import bookends, states
from mlops_kit.local.runs.children import Children, Draft
from mlops_kit.local.runs.pipelines import bindings, plan, ports, reuse, steps, tracking
from mlops_kit.local.runs.pipelines.bindings import Value
from mlops_kit.local.runs.pipelines.plan import PipelinePlan
from mlops_kit.local.runs.pipelines.steps import Step
from mlops_kit.local.runs.states import JobFailedError, Outcome, StoppedError
from mlops_kit.local.runs.work import CODE, Work, fresh

LOG = "logs/azureml/executionlogs.txt"  # what the SDK prints of a pipeline that it follows


@dataclass(slots=True)
class _Progress:
    """How far a pipeline has come. ``ended`` holds the outputs of the steps that completed."""

    waiting: dict[str, Step]
    running: dict[str, str] = field(default_factory=dict)  # name of the child -> name of its step
    ended: dict[str, Mapping[str, Value]] = field(default_factory=dict)
    children: dict[str, Resource] = field(default_factory=dict)  # by step
    failures: list[tuple[str, Resource]] = field(default_factory=list)


def run(work: Work) -> tuple[Outcome, dict[str, object]]:
    """Run a pipeline job to its end; return how it ended and the properties that it has now."""
    fresh(work.folder)
    tracked = bookends.begin(work)
    properties: dict[str, object] = {}
    children = Children(work)
    try:
        outline = plan.read(work.plane, work.workspace, work.properties)
        states.advance(work.plane, work.job.id, states.RUNNING)
        progress = _Progress(dict(outline.steps))
        outcome = _drive(work, outline, progress, children)
        if outcome.status == states.COMPLETED:
            properties = {"outputs": _outputs(outline, progress)}
    except StoppedError:
        outcome = bookends.stopped(work)
    except JobFailedError as failure:
        outcome = Outcome(states.FAILED, str(failure))
    except (ArmError, OSError, sqlite3.OperationalError) as failure:
        outcome = Outcome(states.FAILED, f"The pipeline could not be run: {failure}", "SystemError")
    finally:
        children.end_all()
    return bookends.conclude(work, tracked, outcome), properties


def _drive(work: Work, outline: PipelinePlan, progress: _Progress, children: Children) -> Outcome:
    """Start what can be started and wait for what runs, until nothing is left."""
    while True:
        while _start_ready(work, outline, progress, children):
            pass
        if not progress.running:
            break
        child = children.next()
        if child is not None:
            _end_step(work, progress, progress.running.pop(str(child.body["name"])), child)
        if progress.failures and not _goes_on(outline):
            break
    if progress.failures:
        return Outcome(states.FAILED, _reason(progress))
    return Outcome(states.COMPLETED)


def _goes_on(outline: PipelinePlan) -> bool:
    """Say whether steps that do not need a failed one still run, as they do unless the pipeline says otherwise."""
    return str(outline.settings.get("continue_on_step_failure", True)).lower() != "false"


def _start_ready(work: Work, outline: PipelinePlan, progress: _Progress, children: Children) -> bool:
    """Start every step whose needs have completed; say whether one of them ended at once, as a reused one does."""
    ready = [step for name, step in progress.waiting.items() if outline.needs[name] <= progress.ended.keys()]
    if ready:
        work.control.check()
        _log(work, f"Submitting {len(ready)} runs, first five are: {', '.join(step.name for step in ready[:5])}")
    ended = False
    for step in ready:
        del progress.waiting[step.name]
        ended |= _start(work, outline, progress, children, step)
    return ended


def _start(work: Work, outline: PipelinePlan, progress: _Progress, children: Children, step: Step) -> bool:
    """Start a step, or let an earlier run stand for it; say whether it has ended already."""
    draft, key = _draft(work, outline, progress, step)
    if key is None:
        progress.running[draft.name] = step.name
        children.start(draft)
        return False
    found = reuse.verdict(work, step, key)
    facts = {"mlops_kit.reuse": found.reason}
    if found.source is None:
        reuse.remember(work, key, draft.name)
        children.start(_with(draft, facts))
        progress.running[draft.name] = step.name
        return False
    child = children.keep(_reused(draft, found.source, facts), Outcome(states.COMPLETED))
    tracking.copy(work, found.source, child)
    _end_step(work, progress, step.name, child)
    return True


def _draft(work: Work, outline: PipelinePlan, progress: _Progress, step: Step) -> tuple[Draft, reuse.Key | None]:
    """Return a step as a job, checked as one that a client submits, and what its result depends on."""
    try:
        given = outline.given(step, progress.ended)
        sent = steps.properties(step, given)
        name = ids.stable_guid(work.job.id, step.name)
        body = job_bodies.completed(work.plane, work.workspace, name, sent)
    except (bindings.UnboundError, ports.MisfitError, ArmError) as error:
        raise JobFailedError(f"{step.title} could not be started: {error}") from error
    found = reuse.key(work, body) if body["jobType"] != "Pipeline" else None
    return Draft(name, body), found


def _with(draft: Draft, facts: Mapping[str, str]) -> Draft:
    return Draft(draft.name, {**draft.properties, "properties": {**draft.properties["properties"], **facts}})


def _reused(draft: Draft, source: Resource, facts: Mapping[str, str]) -> Draft:
    """Return a step for which an earlier run stands: its outputs are those of that run, and it says so."""
    labels = {
        "azureml.isreused": "true",
        "azureml.reusedrunid": str(source.body["name"]),
        "azureml.reusedpipelinerunid": str(source.properties.get("parentJobName") or ""),
    }
    marked = _with(draft, {**facts, **labels})
    return Draft(draft.name, {**marked.properties, "outputs": source.properties.get("outputs") or {}})


def _end_step(work: Work, progress: _Progress, step: str, child: Resource) -> None:
    progress.children[step] = child
    status = str(child.properties["status"])
    _log(work, f"Completing processing run id {child.body['name']} ({step}: {status}).")
    if status != states.COMPLETED:
        progress.failures.append((step, child))
        return
    made = child.properties.get("outputs") or {}
    progress.ended[step] = {
        name: {"jobInputType": str(one["jobOutputType"]), "uri": str(one["uri"])} for name, one in made.items()
    }


def _reason(progress: _Progress) -> str:
    """Say which steps failed and why, and which were never started."""
    parts = []
    for step, child in progress.failures:
        status = str(child.properties["status"])
        word = "failed" if status == states.FAILED else "was cancelled"
        message = (child.private.get("error") or {}).get("message", "")
        parts.append(f"The step '{step}' ({child.body['name']}) {word}: {message}".rstrip(": "))
    if progress.waiting:
        parts.append(f"Not started: {', '.join(progress.waiting)}.")
    return "\n".join(parts)


def _outputs(outline: PipelinePlan, progress: _Progress) -> dict[str, Any]:
    """Return the outputs of the pipeline: each is the output of one of its steps."""
    found: dict[str, Any] = {}
    for name, step in outline.steps.items():
        for port, given in (step.node.get("outputs") or {}).items():
            whole = bindings.pipeline_output(given)
            made = (progress.children[name].properties.get("outputs") or {}).get(port) if whole else None
            if made:
                found[whole] = made
    return found


def _log(work: Work, text: str) -> None:
    place = work.folder / CODE / LOG
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a", encoding="utf-8") as log:
        log.write(f"[{ids.timestamp(work.plane.now())}] {text}\n")
