"""What is left when an environment's infrastructure is destroyed: locks, names that stay taken, what others made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from mlops_kit.errors import OperationFailed
from mlops_kit.infra import soft_deleted
from mlops_kit.infra.arm import GROUPS, LOCKS, Arm, group_id
from mlops_kit.infra.soft_deleted import Tombstone

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is left of an environment, as ids; ``purged`` is gone for good, ``state`` is the engine's.

    ``unknown`` says what could not be found out: rights at a resource group go with the group.
    """

    group: str | None
    locks: tuple[str, ...]
    resources: tuple[str, ...]
    soft_deleted: tuple[Tombstone, ...]
    purged: tuple[str, ...]
    state: str | None = None
    unknown: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the receipt as JSON data."""
        return asdict(self)

    def as_text(self) -> str:
        """Return the receipt for a reader."""
        lines = [f"  {line}" for line in self._lines()]
        left = ["left behind:", *lines] if lines else [] if self.unknown else ["nothing is left behind"]
        left += [f"not known: {one}" for one in self.unknown]
        return "\n".join([*left, *([f"the state of the engine, now empty: {self.state}"] if self.state else [])])

    def _lines(self) -> Iterator[str]:
        if self.group:
            yield f"resource group {self.group}"
        yield from (f"lock {one}" for one in self.locks)
        yield from (f"resource {one}" for one in self.resources)
        yield from (f"{one}; at that name 'infra up' will {one.fate}" for one in self.soft_deleted)


def outsiders(arm: Arm, values: Mapping[str, Any], owned: Iterable[str]) -> tuple[str, ...]:
    """Return the ids in the resource group that the engine does not own: they would go with the group."""
    ours = {one.lower() for one in owned}
    listed = arm.find(f"{group_id(values)}/resources", GROUPS) or {}
    found = [str(one["id"]) for one in listed.get("value", [])]
    return tuple(one for one in found if one.lower() not in ours)


NOTHING = Receipt(None, (), (), (), ())
"""What is left of an environment of which nothing was ever made."""


def receipt(arm: Arm, values: Mapping[str, Any], *, purged: tuple[str, ...], state: str | None) -> Receipt:
    """Look at what is left after a destroy; what the service does not answer is left open."""
    group = group_id(values)
    unknown: list[str] = []

    def asked(question: Callable[[], _Found], otherwise: _Found) -> _Found:
        try:
            return question()
        except OperationFailed as refused:
            unknown.append(str(refused))
            return otherwise

    is_there = asked(lambda: arm.find(group, GROUPS) is not None, otherwise=False)
    return Receipt(
        group if is_there else None,
        asked(lambda: _locks(arm, group), ()) if is_there else (),
        asked(lambda: outsiders(arm, values, ()), ()) if is_there else (),
        soft_deleted.find(arm, values, unknown.append),
        purged,
        state,
        tuple(unknown),
    )


def _locks(arm: Arm, group: str) -> tuple[str, ...]:
    found = arm.find(f"{group}/providers/Microsoft.Authorization/locks", LOCKS) or {}
    return tuple(str(one["id"]) for one in found.get("value", []))
