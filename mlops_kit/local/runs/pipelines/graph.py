"""Which step of a pipeline needs which other one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_STEP = re.compile(r"\$\{\{\s*parent\.jobs\.([^.\s{}]+)")


def needs(node: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the steps that a node is bound to, anywhere in it."""
    return frozenset(name for text in _texts(node) for name in _STEP.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def cycle(needed: Mapping[str, frozenset[str]]) -> list[str]:
    """Return a cycle as a path whose first step is its last, too; empty where there is none."""
    done: set[str] = set()
    for start in needed:
        path: list[str] = []
        if found := _cycle_from(start, needed, done, path):
            return found
    return []


def _cycle_from(step: str, needed: Mapping[str, frozenset[str]], done: set[str], path: list[str]) -> list[str]:
    """Follow what a step needs; iterative, so that a chain may be as long as it likes."""
    stack = [(step, iter(sorted(needed.get(step, ()))))]
    path.append(step)
    while stack:
        current, rest = stack[-1]
        follower = next(rest, None)
        if follower is None:
            stack.pop()
            path.pop()
            done.add(current)
        elif follower in path:
            return [*path[path.index(follower) :], follower]
        elif follower not in done:
            path.append(follower)
            stack.append((follower, iter(sorted(needed.get(follower, ())))))
    return []
