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
    from mlops_kit.checks.pipelines import Step
    from mlops_kit.documents import Node


def faults(step: Step) -> list[Finding]:
    """Return what is wrong with what a step runs and with the names of what it gives."""
    if step.component is None:
        return []
    twice = _said_twice(step)
    wrong = _wrong_kind(step, step.component)
    return twice + (wrong or _names(step, step.component))


def _said_twice(step: Step) -> list[Finding]:
    """Warn of a command beside a component, which the SDK drops."""
    for key in ("command", "task"):
        if step.node.get("component") is not None and isinstance(step.node.get(key), Scalar | Map):
            message = f"the step runs its `component`, and its `{key}` is ignored"
            return [warning("MK0315", step.node.key_place(key), message, f"keep `component` or `{key}`")]
    return []


def _wrong_kind(step: Step, component: Map) -> list[Finding]:
    """Report a component of another type than the step's; the trials of sweeps have a check of their own."""
    declared = step.node.get("type")
    kind = text_of(declared).lower()
    runs = text_of(component.get("type")).lower() or "command"
    if declared is None or kind == runs or kind not in FAMILIES["component"].kinds or "$" in runs:
        return []
    message = f"the step is of type `{kind}`, and its component of type `{runs}`"
    return [error("MK0316", declared.place, message, f"write `type: {runs}`")]


def _names(step: Step, component: Map) -> list[Finding]:
    """Check that a step gives its component what it declares, and everything it requires."""
    missing = _required(component.get("inputs")) - names(step.node.get("inputs")) - names(step.node.get("search_space"))
    findings: list[Finding] = []
    for port in ("inputs", "outputs"):
        known = names(component.get(port))
        for key in _keys(step.node.get(port)):
            if key.text not in known:
                missing -= set(nearest(key.text, known))  # misspelt is not missing, too
                hint = did_you_mean(key.text, known) or f"declared {port}: {', '.join(sorted(known)) or 'none'}"
                findings.append(error("MK0303", key.place, f"the component has no {port[:-1]} `{key.text}`", hint))
    return findings + [
        error("MK0304", step.node.place, f"the component requires the input `{name}`", "give it under `inputs`")
        for name in sorted(missing)
    ]


def _keys(node: Node | None) -> list[Scalar]:
    return [entry.key for entry in node.entries] if isinstance(node, Map) else []


def _required(inputs: Node | None) -> set[str]:
    """Return the inputs without a default that are not optional."""
    entries = inputs.entries if isinstance(inputs, Map) else ()
    return {
        entry.key.text
        for entry in entries
        if isinstance(entry.value, Map) and entry.value.get("default") is None and not is_optional(entry.value)
    }
