"""What the engine reports: frozen steps, their differences, and the faults that end a run."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mlops_kit.errors import OperationFailed, UsageError

Action = Literal["create", "update", "replace", "delete", "same", "import", "read", "refresh", "forget"]
CHANGES: frozenset[Action] = frozenset({"create", "update", "replace", "delete", "import", "forget"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that is not as it was; ``before`` and ``after`` are JSON values, secrets masked."""

    path: str  # properties.scaleSettings.maxNodeCount, subnets[0].name
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """What happens, or happened, to one resource. ``id`` is None where only the ``up`` will tell it.

    ``reasons`` say why a resource is replaced: the immutable properties that differ, or what it depends on.
    ``forget`` takes a resource out of the state and leaves it where it is; ``refresh`` is drift that was found.
    """

    urn: str
    type: str  # azure-native:storage:StorageAccount
    name: str
    id: str | None
    action: Action
    reasons: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """A named output of the stack; ``value`` is a JSON value, in clear even where it is ``secret``."""

    value: Any
    secret: bool = False
    known: bool = True

    def __repr__(self) -> str:
        """Return the value, or the mask in its place."""
        return "Output([secret])" if self.secret else f"Output({self.value!r})"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one command: the steps in the order in which they ended, and the outputs of the stack."""

    command: str
    steps: tuple[Step, ...] = ()
    outputs: Mapping[str, Output] = field(default_factory=dict)
    messages: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Step, ...]:
        """Return the steps that change something in Azure or in the state."""
        return tuple(step for step in self.steps if step.action in CHANGES)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many steps there are of each action."""
        return dict(Counter(step.action for step in self.steps))

    def fingerprint(self) -> str:
        """Return a digest of what would be changed, by which a plan is recognised when it is applied later."""
        facts = sorted(json.dumps(asdict(step), sort_keys=True, default=str) for step in self.changes)
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON data, secret outputs included: write it to private files only."""
        return asdict(self)


def report_from_json(facts: Mapping[str, Any]) -> Report:
    """Return the report that ``as_json`` wrote."""
    return Report(
        facts["command"],
        tuple(step_from_json(one) for one in facts["steps"]),
        {name: Output(**one) for name, one in facts["outputs"].items()},
        tuple(facts["messages"]),
    )


def step_from_json(facts: Mapping[str, Any]) -> Step:
    """Return one step of such a report."""
    differences = tuple(Difference(**one) for one in facts["differences"])
    return Step(**{**facts, "reasons": tuple(facts["reasons"]), "differences": differences})


class DeploymentError(OperationFailed):
    """A run of the engine ended early; ``report`` holds what was done until then, and the state file knows it, too."""

    def __init__(self, faults: tuple[str, ...], report: Report) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults
        self.report = report


class DeviationError(UsageError):
    """A saved plan no longer says what an ``up`` would do; ``moved`` tells in what they differ."""

    def __init__(self, planned: Report, present: Report) -> None:
        before = {(step.action, step.name) for step in planned.changes}
        now = {(step.action, step.name) for step in present.changes}
        found = tuple(f"{action} {name}" for action, name in sorted(before ^ now))
        self.moved = found or ("the same resources, other values",)
        super().__init__(
            f"the plan is stale, nothing was changed; it differs in: {', '.join(self.moved)}; preview again"
        )
        self.planned = planned
        self.present = present
