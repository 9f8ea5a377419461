"""Numbers that the service takes within bounds only, and pairs of which one may not be above the other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, brief, error
from mlops_kit.checks.ranges import number
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_kit.documents import Node

AMOUNT = re.compile(r"(\d+(?:\.\d+)?)([EPTGMK]i|[EPTGMk]|m|)")
_UNITS = {
    "": 1.0,
    "m": 0.001,
    "k": 1e3,
    **{f"{letter}": 1e3 ** (power + 2) for power, letter in enumerate("MGTPE")},
    **{f"{letter}i": 1024.0 ** (power + 1) for power, letter in enumerate("KMGTPE")},
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and the largest number, and what the number counts where the key does not say it."""

    least: int
    most: int | None = None
    unit: str = ""

    def words(self) -> str:
        """Return the bounds as a sentence."""
        unit = f" {self.unit}" if self.unit else ""
        if self.most is None:
            return f"the least is {self.least}{unit}"
        if self.least == self.most:
            return f"it must be {self.least}{unit}"
        return f"allowed are {self.least} to {self.most}{unit}"


def is_amount(text: str) -> bool:
    """Return whether a text is an amount of Kubernetes, such as ``500m``, ``2`` or ``1.5Gi``."""
    return "${{" in text or AMOUNT.fullmatch(text) is not None


def amount(node: Node | None) -> float | None:
    """Return an amount of cores or bytes, None where it is none."""
    found = AMOUNT.fullmatch(node.text) if isinstance(node, Scalar) else None
    return float(found[1]) * _UNITS[found[2]] if found else None


def outside(node: Node | None, bounds: Mapping[str, Bounds]) -> Iterator[Finding]:
    """Yield the numbers of a map that lie outside of the bounds of their keys."""
    for entry in node.entries if isinstance(node, Map) else ():
        allowed = bounds.get(entry.key.text)
        value = number(entry.value) if allowed else None
        if allowed is None or value is None or not isinstance(entry.value, Scalar):
            continue
        if value < allowed.least or (allowed.most is not None and value > allowed.most):
            message = f"`{entry.key.text}` is {brief(entry.value.text)}"
            yield error("MK1007", entry.value.place, message, allowed.words())


def crossed(node: Node | None, low: str, high: str, usual: Mapping[str, float] | None = None) -> Iterator[Finding]:
    """Yield the fault that the smaller of two keys of a map is above the larger.

    ``usual`` holds what the service takes where one of the keys is left out.
    """
    if not isinstance(node, Map):
        return
    low_node, high_node = node.get(low), node.get(high)
    if usual is None and (low_node is None or high_node is None):
        return
    least = number(low_node) if low_node is not None else (usual or {}).get(low)
    most = number(high_node) if high_node is not None else (usual or {}).get(high)
    if least is None or most is None or least <= most:
        return
    place = low_node or high_node or node
    other = f"`{high}` is {most:g}" if high_node else f"`{high}` is left out and so {most:g}"
    yield error("MK1008", place.place, f"`{low}` is {least:g} and {other}", f"write a `{high}` of {least:g} or more")
