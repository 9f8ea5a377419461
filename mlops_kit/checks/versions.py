"""What a version specifier of pip or conda allows, as far as bounds go: ``>=3.5,<4`` is everything from 3.5 to 4."""

from __future__ import annotations

import re
from dataclasses import dataclass

Numbers = tuple[float, ...]
_CLAUSE = re.compile(r"(===|==|~=|!=|<=|>=|<|>|=)?\s*v?(\d{1,18}(?:\.\d{1,18})*)(\.\*|\*)?([A-Za-z+-][\w.+-]*)?")
_END = float("inf")


@dataclass(frozen=True, slots=True)
class Span:
    """The versions from ``low`` to ``high``; an end that is not included counts as included, which is near enough."""

    low: Numbers = (0,)
    high: Numbers = (_END,)

    def is_within(self, other: Span) -> bool:
        """Return whether every version of this span lies in another."""
        return other.low <= self.low and self.high <= other.high


EVERYTHING = Span()


def numbers(text: str) -> Numbers:
    """Return ``1.10`` as (1, 10)."""
    return tuple(int(part) for part in text.split("."))


def span(specifier: str) -> Span:
    """Return the versions that a specifier allows; what cannot be told bounds nothing."""
    low, high = EVERYTHING.low, EVERYTHING.high
    for clause in specifier.strip("() ").split(","):
        found = _CLAUSE.match(clause.strip())
        if not found or "|" in clause:
            return EVERYTHING
        below, above = _bounds(found[1] or "=", numbers(found[2]), bool(found[3]))
        low, high = max(low, below), min(high, above)
    return Span(low, high)


def _bounds(operator: str, version: Numbers, is_open: bool) -> tuple[Numbers, Numbers]:
    """Return the lowest and the highest version that one clause allows."""
    if operator in ("==", "===") and not is_open:
        return version, version
    if operator in ("=", "=="):
        return version, (*version, _END)
    if operator == "~=":
        return version, (*version[:-1], _END)
    if operator in (">", ">="):
        return version, EVERYTHING.high
    if operator == "<=":
        return EVERYTHING.low, version
    return EVERYTHING.low, _before(version) if operator == "<" else EVERYTHING.high


def _before(version: Numbers) -> Numbers:
    """Return the end of what lies before a version: before 3.9 it is the end of 3.8."""
    trimmed = version
    while len(trimmed) > 1 and trimmed[-1] == 0:
        trimmed = trimmed[:-1]
    return (*trimmed[:-1], trimmed[-1] - 1, _END)
