"""The steps of a pipeline job and what hands its output to what, with how each step went."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_kit import documents
from mlops_kit.errors import UsageError
from mlops_kit.workspace import children, failures, jobs
from mlops_kit.workspace.children import Ran
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.enums import word

NOT_STARTED = "NotStarted"
_OUTPUT = re.compile(r"\$\{\{\s*parent\.jobs\.([^.\s{}]+)(?:\.outputs\.([^.\s{}]+))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One step; ``needs`` are the outputs that it reads, by the step that writes them.

    ``runs`` are the jobs that it became: none before it has started, several in a loop.
    """

    name: str
    kind: str
    needs: Mapping[str, tuple[str, ...]]
    runs: tuple[Ran, ...] = field(default=())

    @property
    def status(self) -> str:
        """Return the state of its job, or of the worst of its jobs in a loop."""
        states = {ran.child.status for ran in self.runs}
        worst = next((state for state in ("Failed", "Canceled", "Running") if state in states), "")
        return worst or next(iter(sorted(states)), NOT_STARTED)

    @property
    def is_reused(self) -> bool:
        """Tell whether an earlier run stands for it."""
        return bool(self.runs) and all(ran.child.reused for ran in self.runs)

    @property
    def seconds(self) -> float | None:
        """Return for how long its jobs ran; None where nothing was started."""
        known = [ran.seconds for ran in self.runs if ran.seconds is not None and not ran.child.reused]
        return sum(known) if known else None


def read(workspace: Workspace, name: str) -> list[Step]:
    """Return the steps of a pipeline job, none before one that it needs.

    Raises:
        UsageError: The job is no pipeline.
    """
    job = jobs.get(workspace, name)
    kind = word(job.type).lower()
    if kind != "pipeline":
        raise UsageError(f"the job {name!r} is a {kind} job: only a pipeline job has steps")
    with failures.readable(f"read the steps of the job {name!r}"):
        written = io.StringIO()
        job.dump(written)
    [document] = documents.parse(written.getvalue(), Path(f"{name}.yml"))
    nodes = documents.to_data(document).get("jobs") or {}
    return in_order(steps(nodes, children.of(workspace, name)))


def steps(nodes: Mapping[str, Mapping[str, Any]], ran: list[Ran]) -> list[Step]:
    """Return the nodes of a pipeline as steps, each with the children that are runs of it."""
    names = {name: str(node.get("display_name") or name) for name, node in nodes.items()}
    return [
        Step(name, str(node.get("type") or "command"), needs(node), _runs(ran, names, name))
        for name, node in nodes.items()
    ]


def _runs(ran: list[Ran], names: Mapping[str, str], step: str) -> tuple[Ran, ...]:
    """Return the children of a step: that of its title, or those of a loop, which are called STEP_TURN."""
    own = tuple(each for each in ran if each.child.title == names[step])
    others = set(names.values())
    turns = (each for each in ran if each.child.title not in others and each.child.title.startswith(f"{step}_"))
    return own or tuple(turns)


def needs(node: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the outputs that a node is bound to anywhere in it, by the step that has them."""
    found: dict[str, dict[str, None]] = {}
    for text in _texts(node):
        for step, output in _OUTPUT.findall(text):
            found.setdefault(step, {}).update({output: None} if output else {})
    return {step: tuple(outputs) for step, outputs in found.items()}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def in_order(found: list[Step]) -> list[Step]:
    """Return steps so that each stands after what it needs, else in their order; names that are no step are ignored."""
    left = {step.name: step for step in found}
    ordered: list[Step] = []
    while left:
        ready = [step for step in left.values() if not step.needs.keys() & left.keys()]
        ready = ready or list(left.values())  # a cycle cannot run, and is shown as it was written
        ordered += ready
        for step in ready:
            del left[step.name]
    return ordered
