"""The inputs that a component declares: defaults that they would take, limits that their types can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.checks import ports
from mlops_kit.checks.findings import Finding, brief, error
from mlops_kit.checks.pipelines import text_of
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Entry

NUMBERS = frozenset({"integer", "number"})
LIMITS = {"default": frozenset(ports.LITERALS), "min": NUMBERS, "max": NUMBERS}  # key -> the types that can have it


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the declared inputs of a component, of its own file or written in a step."""
    if subject.kind.endswith("_component"):
        yield from _inputs(subject.root)
    jobs = subject.root.get("jobs") if subject.kind.startswith("pipeline_") else None
    for entry in jobs.entries if isinstance(jobs, Map) else ():
        component = entry.value.get("component") if isinstance(entry.value, Map) else None
        if isinstance(component, Map):
            yield from _inputs(component)


def _inputs(component: Map) -> Iterator[Finding]:
    inputs = component.get("inputs")
    for entry in inputs.entries if isinstance(inputs, Map) else ():
        if isinstance(entry.value, Map) and ports.type_of(entry.value):
            yield from _input(entry, entry.value)


def _input(entry: Entry, port: Map) -> Iterator[Finding]:
    """Yield what is wrong with one declared input; a default is looked at when the limits are sound."""
    kind, name = ports.type_of(port), entry.key.text
    misplaced = [key for key, types in LIMITS.items() if port.get(key) is not None and kind not in types]
    for key in misplaced:
        message = f"input `{name}` of type {kind} can have no `{key}`"
        yield error("MK0321", port.key_place(key), message, f"only {_listed(LIMITS[key])} can")
    low, high = ports.limits(port)
    if not misplaced and low is not None and high is not None and low > high:
        message = f"`min` of input `{name}` is {text_of(port.get('min'))}, and `max` is {text_of(port.get('max'))}"
        yield error("MK0614", port.key_place("min"), message)
    elif not misplaced and isinstance(default := port.get("default"), Scalar):
        misfit = ports.misfit(default, port)
        if misfit:
            message = f"the default of input `{name}` is `{brief(default.text)}`"
            yield error(misfit.code, default.place, message, misfit.expected)


def _listed(types: frozenset[str]) -> str:
    *first, last = sorted(types)
    return f"{', '.join(first)} and {last}"
