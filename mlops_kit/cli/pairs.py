"""``KEY=VALUE`` options."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_kit.errors import UsageError


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """Return ``KEY=VALUE`` texts as a dictionary; the value may hold further equal signs."""
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError(f"{option} {text!r} is not KEY=VALUE")
        found[key] = value
    return found
