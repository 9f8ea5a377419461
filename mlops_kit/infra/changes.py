"""What an engine would do, or did: one typed line per resource, one summary, whichever engine it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Action = Literal["create", "update", "replace", "delete", "adopt", "forget", "same"]
ACTIONS: tuple[Action, ...] = ("create", "update", "replace", "delete", "adopt", "forget", "same")
SIGNS: Mapping[Action, str] = {
    "create": "+",
    "update": "~",
    "replace": "-/+",
    "delete": "-",
    "adopt": "=",
    "forget": "x",
    "same": " ",
}
MASK = "[secret]"
UNKNOWN = "[unknown]"  # what only the run will tell
MOST_DIFFERENCES = 8  # of one resource, as text; JSON has them all


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that changes; both values are JSON values, secrets masked, None where there is none (yet)."""

    path: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource. ``address`` is the engine's own name for it, ``name`` the physical one.

    ``id`` is None where only the engine's run will tell it. ``reasons`` say why a resource is replaced or goes.
    ``adopt`` takes over what exists, with ``differences`` where it is changed on the way; ``forget`` leaves a resource
    where it is and stops looking after it.
    """

    address: str
    type: str
    name: str
    action: Action
    id: str | None = None
    reasons: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    def is_called(self, name: str) -> bool:
        """Say whether a person means this resource: by its address, its id or its physical name."""
        return name == self.address or (bool(name) and name.lower() in {self.name.lower(), (self.id or "").lower()})


@dataclass(frozen=True, slots=True)
class Changes:
    """All changes of one plan or one run; ``drift`` is what was changed outside since the engine last looked."""

    environment: str
    engine: str
    items: tuple[Change, ...] = ()
    drift: tuple[Change, ...] = ()
    outputs: tuple[str, ...] = ()  # names of the outputs whose values change

    @property
    def real(self) -> tuple[Change, ...]:
        """Return what changes something, in Azure or in what the engine remembers."""
        return tuple(item for item in self.items if item.action != "same")

    @property
    def differs(self) -> bool:
        """Say whether anything is to be done."""
        return bool(self.real or self.outputs)

    @property
    def summary(self) -> dict[Action, int]:
        """Return how many resources there are of each action, all actions named."""
        return {action: sum(item.action == action for item in self.items) for action in ACTIONS}

    def as_dict(self) -> dict[str, Any]:
        """Return the changes as JSON data, without the resources that stay as they are."""
        return {
            "environment": self.environment,
            "engine": self.engine,
            "summary": self.summary,
            "changes": [asdict(item) for item in self.real],
            "drift": [asdict(item) for item in self.drift],
            "outputs": list(self.outputs),
        }


def from_dict(facts: Mapping[str, Any]) -> Changes:
    """Return the changes that ``as_dict`` wrote."""
    items, drift = (tuple(_change(one) for one in facts[key]) for key in ("changes", "drift"))
    return Changes(facts["environment"], facts["engine"], items, drift, tuple(facts["outputs"]))


def _change(facts: Mapping[str, Any]) -> Change:
    differences = tuple(Difference(**one) for one in facts["differences"])
    return Change(**{**facts, "reasons": tuple(facts["reasons"]), "differences": differences})


def as_text(changes: Changes) -> str:
    """Return changes for a reader: one line per resource, its differences below, the summary last."""
    lines = [line for item in changes.real for line in _lines(item)]
    if changes.drift:
        lines += ["changed outside:", *(f"  {line}" for item in changes.drift for line in _lines(item))]
    if changes.outputs:
        few = len(changes.outputs) <= MOST_DIFFERENCES
        lines.append(f"outputs that change: {', '.join(changes.outputs) if few else len(changes.outputs)}")
    return "\n".join([*lines, summary_line(changes)])


def summary_line(changes: Changes) -> str:
    """Return ``3 create, 1 update, 12 same``, or that nothing changes."""
    counts = [f"{count} {action}" for action, count in changes.summary.items() if count]
    return ", ".join(counts) if counts else "nothing to do"


def _lines(item: Change) -> Iterable[str]:
    why = f": {'; '.join(item.reasons)}" if item.reasons else ""
    yield f"{SIGNS[item.action]:>3} {item.action:<7} {item.type} {item.name} ({item.address}){why}"
    for one in item.differences[:MOST_DIFFERENCES]:
        yield f"        {one.path}: {shown(one.before)} -> {shown(one.after)}"
    if (more := len(item.differences) - MOST_DIFFERENCES) > 0:
        yield f"        and {more} more"


def shown(value: Any) -> str:
    """Return a value in at most sixty characters."""
    import json

    text = value if value in (MASK, UNKNOWN) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def differences(before: Any, after: Any, path: str = "") -> Iterable[Difference]:
    """Yield the places at which two JSON values differ; lists are compared item by item."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old, new = (values[index] if index < len(values) else None for values in (before, after))
            yield from differences(old, new, f"{path}[{index}]")
    elif before != after:
        yield Difference(path, before, after)
