"""Numbers of a document that must lie within a range."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, brief, error
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from mlops_kit.documents import Node


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers from ``low`` to ``high``; ``is_open`` leaves out the two themselves."""

    low: float = -inf
    high: float = inf
    is_open: bool = False

    def __contains__(self, number: float) -> bool:
        """Return whether a number lies in the range."""
        return self.low < number < self.high if self.is_open else self.low <= number <= self.high

    def __str__(self) -> str:
        """Return the range as it stands in a sentence: ``1 to 99``, ``1 or more``, ``above 0``."""
        if self.low == -inf:
            return f"{self.high:g} or less"
        if self.high == inf:
            return f"above {self.low:g}" if self.is_open else f"{self.low:g} or more"
        return f"above {self.low:g} and below {self.high:g}" if self.is_open else f"{self.low:g} to {self.high:g}"


COUNT = Range(1)
POSITIVE = Range(0, is_open=True)
NOT_NEGATIVE = Range(0)


def number(node: Node | None) -> float | None:
    """Return the number that is written, None where none is: absent, wrong (the schema says so) or filled in later."""
    if not isinstance(node, Scalar) or node.value is None:
        return None
    try:
        given = float(node.text)
    except ValueError:
        return None
    return given if isfinite(given) else None


def outside(owner: Map, key: str, allowed: Range, code: str, hint: str = "") -> list[Finding]:
    """Return a finding when the number at a key of a map lies out of its range."""
    node = owner.get(key)
    given = number(node)
    if given is None or given in allowed or not isinstance(node, Scalar):
        return []
    return [error(code, node.place, f"`{key}` is `{brief(node.text)}`; allowed is {allowed}", hint)]


def above(owner: Map, low: str, high: str, code: str, *, equal: bool = False) -> list[Finding]:
    """Return a finding when the number at ``low`` exceeds that at ``high``, or reaches it where ``equal`` is wrong."""
    node, limit = owner.get(low), owner.get(high)
    lower, higher = number(node), number(limit)
    if lower is None or higher is None or not isinstance(node, Scalar) or not isinstance(limit, Scalar):
        return []
    if lower < higher or (lower == higher and not equal):
        return []
    words = "not below" if equal else "above"
    return [error(code, node.place, f"`{low}` is `{node.text}`, which is {words} `{high}`, `{limit.text}`")]
