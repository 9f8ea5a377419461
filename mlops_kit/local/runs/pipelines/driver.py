"""Running a pipeline: each step is started when what it needs has ended, as many at a time as their computes allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.providers import job_bodies
from mlops_kit.local.runs import parents, states
from mlops_kit.local.runs.children import Children, Draft
from mlops_kit.local.runs.pipelines import bindings, flow, made, plan, ports, reuse, steps, tracking
from mlops_kit.local.runs.pipelines.bindings import Value
from mlops_kit.local.runs.pipelines.flow import Control
from mlops_kit.local.runs.pipelines.plan import PipelinePlan
from mlops_kit.local.runs.pipelines.steps import Step
from mlops_kit.local.runs.states import JobFailedError, Outcome
from mlops_kit.local.runs.work import CODE, Work

LOG = "logs/azureml/executionlogs.txt"  # what the SDK prints of a pipeline that it follows


@dataclass(frozen=True, slots=True)
class _Turn:
    """One run of a step: the only one, or one turn of the loop whose body it is."""

    step: Step
    loop: Control | None = None
    label: str = ""
    number: int = 1
    instead: Mapping[str, Value] = field(default_factory=dict)  # inputs of this turn

    @property
    def name(self) -> str:
        """Return what the turn is called among the children of the pipeline."""
        return f"{self.step.name}_{self.label}" if self.label else self.step.name


@dataclass(slots=True)
class _Drive:
    """A pipeline under way. ``ended`` holds the outputs of the steps and loops that completed."""

    work: Work
    outline: PipelinePlan
    children: Children
    waiting: dict[str, Step]
    controls: dict[str, Control]
    following: list[_Turn] = field(default_factory=list)  # next turns of loops
    running: dict[str, _Turn] = field(default_factory=dict)  # by the name of the child
    ended: dict[str, Mapping[str, Value]] = field(default_factory=dict)
    done: dict[str, Resource] = field(default_factory=dict)  # the child of each step that completed
    turns: dict[str, dict[str, Mapping[str, Value]]] = field(default_factory=dict)  # of parallel loops, by label
    failures: list[tuple[str, Resource]] = field(default_factory=list)


def run(work: Work) -> parents.Ended:
    """Run a pipeline job to its end; return how it ended and the properties that it has now."""
    return parents.run(work, "pipeline", lambda children: _driven(work, children))


def _driven(work: Work, children: Children) -> parents.Ended:
    outline = plan.read(work.plane, work.workspace, work.properties)
    states.advance(work.plane, work.job.id, states.RUNNING)
    waiting = {name: step for name, step in outline.steps.items() if name not in outline.owned}
    drive = _Drive(work, outline, children, waiting, dict(outline.controls))
    outcome = _to_the_end(drive)
    return outcome, {"outputs": _outputs(drive)} if outcome.status == states.COMPLETED else {}


def _to_the_end(drive: _Drive) -> Outcome:
    """Start what can be started and wait for what runs, until nothing is left."""
    while True:
        while _start_ready(drive):
            pass
        if not drive.running:
            break
        child = drive.children.next()
        if child is not None:
            _end_turn(drive, drive.running.pop(str(child.body["name"])), child)
        if drive.failures and not _goes_on(drive.outline):
            break
    if drive.failures:
        return Outcome(states.FAILED, _reason(drive))
    return Outcome(states.COMPLETED)


def _goes_on(outline: PipelinePlan) -> bool:
    """Say whether steps that do not need a failed one still run, as they do unless the pipeline says otherwise."""
    return str(outline.settings.get("continue_on_step_failure", True)).lower() != "false"


# Starting ----------------------------------------------------------------------------------------------------------


def _start_ready(drive: _Drive) -> bool:
    """Start everything whose needs have completed; say whether that may have made more ready at once."""
    decided = [control for control in drive.controls.values() if _can_start(drive, control)]
    turns = [*drive.following, *(turn for control in decided for turn in _opened(drive, control))]
    drive.following.clear()
    ready = [step for name, step in drive.waiting.items() if drive.outline.needs[name] <= drive.ended.keys()]
    turns += [_Turn(drive.waiting.pop(step.name)) for step in ready]
    if turns:
        drive.work.control.check()
        named = ", ".join(turn.name for turn in turns[:5])
        _log(drive, f"Submitting {len(turns)} runs, first five are: {named}")
    ended = [_start(drive, turn) for turn in turns]
    return any(ended) or bool(decided)


def _can_start(drive: _Drive, control: Control) -> bool:
    needs = control.needs() | (drive.outline.needs[control.body] if control.body else frozenset())
    return needs <= drive.ended.keys()


def _opened(drive: _Drive, control: Control) -> list[_Turn]:
    """Decide a control node: release the steps of a condition's outcome, or return the first turns of a loop."""
    del drive.controls[control.name]
    try:
        if control.kind == flow.IF_ELSE:
            outcome = flow.is_true(drive.outline.value(control.condition, drive.ended))
            chosen = control.blocks.get(outcome, ())
            _log(drive, f"The condition of {control.name} is {outcome}: {', '.join(chosen) or 'nothing'} is run")
            drive.waiting |= {name: drive.outline.steps[name] for name in chosen}
            return []
        body = drive.outline.steps[control.body]
        if control.kind == flow.DO_WHILE:
            return [_Turn(body, control, "1")]
        given = drive.outline.value(control.items, drive.ended) if isinstance(control.items, str) else None
        each = flow.items(given["value"] if given else control.items)
    except (flow.FlowError, bindings.UnboundError) as error:
        raise JobFailedError(f"The step '{control.name}' could not be started: {error}") from error
    drive.turns[control.name] = {label: {} for label, _ in each}
    return [_Turn(body, control, label, instead=_literals(values)) for label, values in each]


def _literals(values: Mapping[str, Any]) -> dict[str, Value]:
    return {name: bindings.literal(value) for name, value in values.items()}


def _start(drive: _Drive, turn: _Turn) -> bool:
    """Start a turn, or let an earlier run stand for it; say whether it has ended already."""
    draft, key = _draft(drive, turn)
    if key is None:
        drive.running[draft.name] = turn
        drive.children.start(draft)
        return False
    found = reuse.verdict(drive.work, turn.step, turn.name, key)
    facts = {"mlops_kit.reuse": found.reason}
    if found.source is None:
        reuse.remember(drive.work, key, draft.name)
        drive.running[draft.name] = turn
        drive.children.start(_with(draft, facts))
        return False
    child = drive.children.keep(_reused(draft, found.source, facts), Outcome(states.COMPLETED))
    tracking.copy(drive.work, found.source, child)
    _end_turn(drive, turn, child)
    return True


def _draft(drive: _Drive, turn: _Turn) -> tuple[Draft, reuse.Key | None]:
    """Return a turn as a job, checked as one that a client submits, and what its result depends on."""
    work, step = drive.work, turn.step
    try:
        given = drive.outline.given(step, drive.ended, turn.instead)
        sent = {**steps.properties(step, given), **({"displayName": turn.name} if turn.label else {})}
        name = ids.stable_guid(work.job.id, turn.name)
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


# Ending ------------------------------------------------------------------------------------------------------------


def _end_turn(drive: _Drive, turn: _Turn, child: Resource) -> None:
    """Take note of how a turn ended; a loop may go on with the next one."""
    status = str(child.properties["status"])
    _log(drive, f"Completing processing run id {child.body['name']} ({turn.name}: {status}).")
    if status != states.COMPLETED:
        drive.failures.append((turn.name, child))
        return
    drive.done[turn.step.name] = child
    outputs = made.outputs(drive.work, turn.step, child)
    if turn.loop is None:
        drive.ended[turn.step.name] = outputs
    elif turn.loop.kind == flow.DO_WHILE:
        _end_of_while(drive, turn, turn.loop, outputs)
    else:
        _end_of_parallel(drive, turn, turn.loop, outputs)


def _end_of_while(drive: _Drive, turn: _Turn, loop: Control, outputs: Mapping[str, Value]) -> None:
    if turn.number < loop.limit and (not loop.condition or flow.is_true(outputs.get(loop.condition))):
        handed = {name: outputs.get(output) for output, names in loop.mapping.items() for name in names}
        number = turn.number + 1
        drive.following.append(_Turn(turn.step, loop, str(number), number, {**turn.instead, **handed}))
    else:
        drive.ended[turn.step.name] = outputs


def _end_of_parallel(drive: _Drive, turn: _Turn, loop: Control, outputs: Mapping[str, Value]) -> None:
    drive.turns[loop.name][turn.label] = {"": None, **outputs}
    if all(drive.turns[loop.name].values()):
        drive.ended[loop.name] = made.gathered(drive.work, loop.name, turn.step, drive.turns[loop.name])
        drive.ended[turn.step.name] = drive.ended[loop.name]


def _reason(drive: _Drive) -> str:
    """Say which steps failed and why, and which were never started."""
    parts = []
    for name, child in drive.failures:
        word = "failed" if child.properties["status"] == states.FAILED else "was cancelled"
        message = (child.private.get("error") or {}).get("message", "")
        parts.append(f"The step '{name}' ({child.body['name']}) {word}: {message}".rstrip(": "))
    if drive.waiting:
        parts.append(f"Not started: {', '.join(drive.waiting)}.")
    return "\n".join(parts)


def _outputs(drive: _Drive) -> dict[str, Any]:
    """Return the outputs of the pipeline: each is the output of one of its steps."""
    found: dict[str, Any] = {}
    for name, step in drive.outline.steps.items():
        for port, given in (step.node.get("outputs") or {}).items():
            whole = bindings.pipeline_output(given)
            child = drive.done.get(name)
            if whole and child is not None and (left := (child.properties.get("outputs") or {}).get(port)):
                found[whole] = left
    return found


def _log(drive: _Drive, text: str) -> None:
    place = drive.work.folder / CODE / LOG
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a", encoding="utf-8") as log:
        log.write(f"[{ids.timestamp(drive.work.plane.now())}] {text}\n")
