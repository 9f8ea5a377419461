"""A wish with what is known about it: where it is in ARM, what it was until now, and what has to be done about that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mlops_kit.local.iac.pulumi_engine.differences import Path, differing, matches, parse, spell
from mlops_kit.local.iac.pulumi_engine.drift import same
from mlops_kit.local.iac.pulumi_engine.resource_types import ResourceType, api_version
from mlops_kit.local.iac.pulumi_engine.state import Entry
from mlops_kit.local.iac.pulumi_engine.wishes import Wish

Change = tuple[Path, Any, Any]  # where, before, after


class Refused(Exception):  # noqa: N818  what the engine says to the program
    """A wish that cannot be granted."""


@dataclass(frozen=True, slots=True)
class Case:
    """A wish, its row of the table of types, its inputs as they count, its ARM id, and the entry that it had.

    The id is None where a part of it is not known yet.
    """

    wish: Wish
    row: ResourceType
    inputs: dict[str, Any]
    id: str | None
    prior: Entry | None

    @property
    def subject(self) -> str:
        """Return how sentences call the resource."""
        return f"{self.wish.type} {self.wish.name!r}"

    @property
    def version(self) -> str:
        """Return the API version of the requests about it."""
        return api_version(self.wish.type)

    @property
    def known_id(self) -> str:
        """Return the id, which an up always knows."""
        if self.id is None:
            raise Refused(f"{self.subject}: its name is not known")
        return self.id

    @property
    def settings(self) -> dict[str, Any]:
        """Return the inputs that are no part of the id."""
        names = {*self.row.segments, "resourceGroupName"}
        return {name: value for name, value in self.inputs.items() if name not in names}

    def changes_from(self, prior: Entry) -> list[Change]:
        """Return what differs from the inputs of an entry."""
        return [one for one in differing(prior.inputs, self.inputs) if not self._is_spelling(prior, *one)]

    def _is_spelling(self, prior: Entry, path: Path, before: Any, after: Any) -> bool:
        """Say whether a difference is one of letter case in a name, an id or a location, which ARM does not see."""
        if self._names(path) and self.id is not None:
            return same(prior.id, self.id)
        return same(before, after, spell(path))

    def _names(self, path: Path) -> bool:
        return len(path) == 1 and path[0] in self.row.segments

    def replaced_for(self, prior: Entry, changes: Iterable[Change]) -> tuple[str, ...]:
        """Return the properties that change and cannot: for them the resource is replaced."""
        patterns = [parse(one) for one in (*self.row.immutable, *self.wish.replace_on_changes)]
        paths = [path for path, _, _ in changes]
        reasons = {
            spell(path) for path in paths if self._names(path) or any(matches(pattern, path) for pattern in patterns)
        }
        if not reasons and self.id is not None and not same(self.id, prior.id):
            reasons = {"id"}  # another subscription: not an input of the resource itself
        return tuple(sorted(reasons))  # inputs come in any order, and a plan is recognised by what it says
