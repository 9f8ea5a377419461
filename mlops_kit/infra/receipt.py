"""What is left when an environment's infrastructure is destroyed: locks, names that stay taken, what others made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mlops_kit.infra import soft_deleted
from mlops_kit.infra.arm import GROUPS, LOCKS, Arm, group_id
from mlops_kit.infra.soft_deleted import Tombstone


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is left of an environment, as ids; ``purged`` is gone for good, ``state`` is the engine's."""

    group: str | None
    locks: tuple[str, ...]
    resources: tuple[str, ...]
    soft_deleted: tuple[Tombstone, ...]
    purged: tuple[str, ...]
    state: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the receipt as JSON data."""
        return asdict(self)

    def as_text(self) -> str:
        """Return the receipt for a reader."""
        lines = [f"  {line}" for line in self._lines()]
        left = ["left behind:", *lines] if lines else ["nothing is left behind"]
        return "\n".join([*left, *([f"the state of the engine, now empty: {self.state}"] if self.state else [])])

    def _lines(self) -> Iterator[str]:
        if self.group:
            yield f"resource group {self.group}"
        yield from (f"lock {one}" for one in self.locks)
        yield from (f"resource {one}" for one in self.resources)
        yield from (f"{one}; at that name 'infra up' will {_WILL[one.policy]}" for one in self.soft_deleted)


_WILL = {"recover": "recover it", "purge": "purge it", "refuse": "refuse to go on"}


def outsiders(arm: Arm, values: Mapping[str, Any], owned: Iterable[str]) -> tuple[str, ...]:
    """Return the ids in the resource group that the engine does not own: they would go with the group."""
    ours = {one.lower() for one in owned}
    listed = arm.find(f"{group_id(values)}/resources", GROUPS) or {}
    found = [str(one["id"]) for one in listed.get("value", [])]
    return tuple(one for one in found if one.lower() not in ours)


NOTHING = Receipt(None, (), (), (), ())
"""What is left of an environment of which nothing was ever made."""


def receipt(arm: Arm, values: Mapping[str, Any], *, purged: tuple[str, ...], state: str | None) -> Receipt:
    """Look at what is left after a destroy."""
    group = group_id(values)
    is_there = arm.find(group, GROUPS) is not None
    locks = (arm.find(f"{group}/providers/Microsoft.Authorization/locks", LOCKS) or {}) if is_there else {}
    return Receipt(
        group if is_there else None,
        tuple(str(one["id"]) for one in locks.get("value", [])),
        outsiders(arm, values, ()) if is_there else (),
        soft_deleted.find(arm, values),
        purged,
        state,
    )
