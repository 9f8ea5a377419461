"""What a step gives to the component it runs, against what that component declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.checks.bindings import names
from mlops_kit.checks.findings import Finding, did_you_mean, error, warning
from mlops_kit.checks.kinds import FAMILIES
from mlops_kit.checks.pipelines import is_optional, text_of
from mlops_kit.documents import Map, Scalar
from mlops_kit.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.pipelines import Step
    from mlops_kit.documents import Node


def faults(step: Step) -> list[Finding]:
    """Return what is wrong with what a step runs and with the names of what it gives."""
    twice = _said_twice(step.node)
    if step.component is None:
        return twice
    if text_of(step.node.get("type")).lower() == "sweep" and text_of(step.component.get("type")).lower() == "pipeline":
        return twice  # no pipeline can be the trial: what it declares does not matter
    wrong = _wrong_kind(step, step.component)
    return twice + (wrong or [*_undeclared(step, step.component), *_lacking(step, step.component)])


def _said_twice(step: Map) -> list[Finding]:
    """Warn of a command beside a component, which the SDK drops."""
    if step.get("component") is None or not isinstance(step.get("command"), Scalar):
        return []
    message = "the step runs its `component`, and its `command` is ignored"
    return [warning("MK0315", step.key_place("command"), message, "keep `component` or `command`")]


def _wrong_kind(step: Step, component: Map) -> list[Finding]:
    """Report a component of another type than the step's; the trials of sweeps have a check of their own."""
    declared = step.node.get("type")
    kind = text_of(declared).lower()
    runs = text_of(component.get("type")).lower() or "command"
    if declared is None or kind == runs or kind not in FAMILIES["component"].kinds or "$" in runs:
        return []
    message = f"the step is of type `{kind}`, and its component of type `{runs}`"
    return [error("MK0316", declared.place, message, f"write `type: {runs}`")]


def _undeclared(step: Step, component: Map) -> Iterator[Finding]:
    """Yield what a step gives that its component does not declare."""
    for port in ("inputs", "outputs"):
        known, given = names(component.get(port)), step.node.get(port)
        for entry in given.entries if isinstance(given, Map) else ():
            name = entry.key.text
            if name not in known:
                hint = did_you_mean(name, known) or f"declared {port}: {', '.join(sorted(known)) or 'none'}"
                yield error("MK0303", entry.key.place, f"the component has no {port[:-1]} `{name}`", hint)


def _lacking(step: Step, component: Map) -> list[Finding]:
    """Report the inputs that a component requires and its step does not give, by value or by search."""
    known = names(component.get("inputs"))
    given = names(step.node.get("inputs")) | names(step.node.get("search_space"))
    meant = {near for name in given - known for near in nearest(name, known)}  # misspelt is not missing, too
    return [
        error("MK0304", step.node.place, f"the component requires the input `{name}`", "give it under `inputs`")
        for name in sorted(_required(component.get("inputs")) - given - meant)
    ]


def _required(inputs: Node | None) -> set[str]:
    """Return the inputs without a default that are not optional."""
    entries = inputs.entries if isinstance(inputs, Map) else ()
    return {
        entry.key.text
        for entry in entries
        if isinstance(entry.value, Map) and entry.value.get("default") is None and not is_optional(entry.value)
    }
