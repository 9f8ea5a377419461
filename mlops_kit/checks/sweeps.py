"""Sweeps, as jobs and as steps of pipelines: sampling, early termination, limits, objective, what trials are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.checks import pipelines, search_spaces
from mlops_kit.checks.bindings import idle, named, names, references
from mlops_kit.checks.findings import Finding, did_you_mean, error, warning
from mlops_kit.checks.pipelines import Step, text_of
from mlops_kit.checks.ranges import COUNT, NOT_NEGATIVE, POSITIVE, Range, above, number, outside
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

# The bounds that the page on tuning hyperparameters states.
TRIALS = Range(1, 1000)
CONCURRENT = Range(1, 100)
PERCENTAGE = Range(1, 99)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with a sweep job, and with each sweep step of a pipeline."""
    if subject.kind == "sweep_job":
        trial = subject.root.get("trial")
        yield from _sweep(subject.root)
        if isinstance(trial, Map):
            yield from _unused(subject.root, trial)
        return
    pipeline = pipelines.read(subject)
    for step in pipeline.steps if pipeline else ():
        if text_of(step.node.get("type")).lower() == "sweep":
            yield from _bindings(step.node)
            yield from _sweep(step.node)
            yield from _trial(step)


def check_sampling(owner: Map, spaces: Iterator[Map]) -> Iterator[Finding]:
    """Yield what is wrong with a sampler, its early termination and the spaces that it draws from."""
    sampler = search_spaces.sampler_of(owner)
    for space in spaces:
        yield from search_spaces.check(space, sampler)
    policy = owner.get("early_termination")
    if isinstance(policy, Map):
        yield from _policy(policy)
        if sampler == "bayesian":
            place = owner.key_place("early_termination")
            message = "`bayesian` learns from finished trials, early termination cuts them off"
            yield error("MK0906", place, message, "remove `early_termination`, or sample with `random`")


def _sweep(sweep: Map) -> Iterator[Finding]:
    """Yield what is wrong with a sweep, whatever its trial is."""
    space, limits, objective = sweep.get("search_space"), sweep.get("limits"), sweep.get("objective")
    if space is None or (isinstance(space, Map) and not space.entries):
        place = space.place if space else sweep.place
        yield error("MK0908", place, "a sweep has nothing to search", "give at least one name under `search_space`")
    if sweep.get("sampling_algorithm") is None:
        message = "a sweep does not say how it samples its search space"
        yield error("MK0915", sweep.place, message, "add `sampling_algorithm: random`, `grid` or `bayesian`")
    yield from check_sampling(sweep, iter([space] if isinstance(space, Map) else []))
    if isinstance(limits, Map):
        yield from _limits(limits)
        yield from _grid(sweep, space, limits)
    if isinstance(objective, Map):
        yield from _objective(objective)


def _policy(policy: Map) -> Iterator[Finding]:
    """Yield what is wrong with an early termination policy."""
    yield from outside(policy, "evaluation_interval", COUNT, "MK0907")
    yield from outside(policy, "delay_evaluation", NOT_NEGATIVE, "MK0907")
    yield from outside(policy, "truncation_percentage", PERCENTAGE, "MK0907")
    if text_of(policy.get("type")).lower() != "bandit":
        return
    factor, amount = policy.get("slack_factor"), policy.get("slack_amount")
    hint = "give one of `slack_factor`, a ratio, and `slack_amount`, an absolute distance"
    if factor is None and amount is None:
        yield error("MK0907", policy.place, "a bandit policy without slack ends every trial but the best", hint)
    elif factor is not None and amount is not None:
        later = max(policy.key_place("slack_factor"), policy.key_place("slack_amount"))
        yield error("MK0907", later, "a bandit policy has both `slack_factor` and `slack_amount`", hint)
    else:
        yield from outside(policy, "slack_factor", POSITIVE, "MK0907")
        yield from outside(policy, "slack_amount", POSITIVE, "MK0907")


def _limits(limits: Map) -> Iterator[Finding]:
    """Yield limits out of range or against each other; a timeout that any job can have is checked with its machines."""
    wrong = [
        *outside(limits, "max_total_trials", TRIALS, "MK0909"),
        *outside(limits, "max_concurrent_trials", CONCURRENT, "MK0909"),
        *outside(limits, "trial_timeout", POSITIVE, "MK0909"),
    ]
    yield from wrong
    if not wrong:
        yield from above(limits, "max_concurrent_trials", "max_total_trials", "MK0909")
        yield from above(limits, "trial_timeout", "timeout", "MK0909") if _runs(limits) else ()


def _runs(limits: Map) -> bool:
    """Return whether the sweep has time to run in, or no limit of it."""
    given = number(limits.get("timeout"))
    return given is None or given in POSITIVE


def _grid(sweep: Map, space: Node | None, limits: Map) -> Iterator[Finding]:
    """Warn of a grid that the limit cuts."""
    node, most = limits.get("max_total_trials"), number(limits.get("max_total_trials"))
    if search_spaces.sampler_of(sweep) != "grid" or not isinstance(space, Map) or node is None or most is None:
        return
    size = search_spaces.grid_size(space)
    if most in TRIALS and size > most:
        message = f"the grid has {size} combinations, and `max_total_trials` stops after {most:g}"
        yield warning("MK0910", node.place, message, f"write {size}" if size in TRIALS else "list fewer values")


def _objective(objective: Map) -> Iterator[Finding]:
    metric = objective.get("primary_metric")
    if isinstance(metric, Scalar) and metric.value is not None and not metric.text.strip():
        message = "`primary_metric` is empty"
        yield error("MK0911", metric.place, message, "name the metric that the trial logs")


def _unused(sweep: Map, trial: Map) -> Iterator[Finding]:
    """Yield names of the search space that the command of the trial does not read."""
    for key in idle(sweep.get("search_space"), _searched(trial)) if text_of(trial.get("command")) else ():
        message = f"the command of the trial does not read `{key.text}`, so all its values train the same"
        hint = f"write `--{key.text} ${{{{search_space.{key.text}}}}}` in the command"
        yield error("MK0912", key.place, message, hint)


def _searched(trial: Map) -> set[str]:
    """Return the names of the search space that a trial reads as such."""
    return named(references(trial), "search_space.")


def _trial(step: Step) -> Iterator[Finding]:
    """Yield what is wrong with the trial of a step, which is a component, and the names that it is given."""
    trial, component, space = step.node.get("trial"), step.component, step.node.get("search_space")
    if component is None or trial is None:
        return
    if isinstance(trial, Scalar) and text_of(component.get("type")).lower() == "pipeline":
        message = "a pipeline cannot be the trial of a sweep"
        yield error("MK0913", trial.place, message, "sweep over the one command that is tuned")
        return
    known = names(component.get("inputs")) | _searched(component)
    for entry in space.entries if isinstance(space, Map) else ():
        if entry.key.text not in known:
            message = f"the trial has no input `{entry.key.text}`"
            hint = did_you_mean(entry.key.text, known) or f"declared inputs: {', '.join(sorted(known)) or 'none'}"
            yield error("MK0912", entry.key.place, message, hint)


def _bindings(step: Map) -> Iterator[Finding]:
    """Yield values of a search space that would come from the pipeline: the space is fixed when it is submitted."""
    space = step.get("search_space")
    for found in references(space) if space is not None else ():
        message = f"`{found.written}` cannot stand in a search space, which is fixed before the pipeline runs"
        yield error("MK0914", found.place, message, "write the value, or `${var.NAME}` to give it when it is rendered")
