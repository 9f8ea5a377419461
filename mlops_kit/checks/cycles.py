"""Steps of a pipeline that wait for each other: each circle once, with its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.checks.bindings import references
from mlops_kit.checks.findings import Finding, error
from mlops_kit.checks.pipelines import RUNS

if TYPE_CHECKING:
    from mlops_kit.checks.bindings import Reference
    from mlops_kit.checks.pipelines import Pipeline, Step

Readers = dict[str, dict[str, "Reference"]]  # step -> each step that reads its outputs, and the reference by which


def faults(pipeline: Pipeline) -> list[Finding]:
    """Return a finding for each group of steps of which none can be first, at the reference that closes the circle."""
    readers = _readers(pipeline.steps)
    findings: list[Finding] = []
    seen: set[str] = set()
    for step in pipeline.steps:
        circle = _circle(step.name, readers) if step.name not in seen else []
        if circle:
            seen |= _group(step.name, readers)
            path = " -> ".join([*circle, step.name])
            closing = readers[circle[-1]][step.name]
            message = (
                f"the steps wait for each other: {path}" if len(circle) > 1 else f"the step waits for itself: {path}"
            )
            findings.append(
                error("MK0307", closing.place, message, "no step of a circle can be first: remove a reference")
            )
    return findings


def _readers(steps: tuple[Step, ...]) -> Readers:
    """Return who reads the outputs of each step, in the order of the file."""
    readers: Readers = {step.name: {} for step in steps}
    for step in steps:
        for reference in references(step.node, frozenset(RUNS)):
            if reference.text.startswith("parent.jobs.") and reference.parts[2] in readers:
                readers[reference.parts[2]].setdefault(step.name, reference)
    return readers


def _circle(start: str, readers: Readers) -> list[str]:
    """Return the shortest way from a step through its readers back to it, without the end; empty when there is none."""
    ways = [[start]]
    met = {start}
    for way in ways:
        for reader in readers[way[-1]]:
            if reader == start:
                return way
            if reader not in met:
                met.add(reader)
                ways.append([*way, reader])
    return []


def _group(start: str, readers: Readers) -> set[str]:
    """Return the steps that lie on some circle with a step."""
    return {name for name in _reached(start, readers) if start in _reached(name, readers)}


def _reached(start: str, readers: Readers) -> set[str]:
    """Return the steps that come after a step, itself only when it comes after itself."""
    reached: set[str] = set()
    waiting = list(readers[start])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += readers[name]
    return reached
