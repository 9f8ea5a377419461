"""Property paths, and what differs between the inputs that a resource had and those that it is to have."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlops_kit.local.iac.pulumi_engine.results import Difference
from mlops_kit.local.iac.pulumi_engine.values import Secret, masked, revealed

Path = tuple[str | int, ...]
_TOKEN = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.\[\]]+)')
_ABSENT = object()
EVERY = "*"


def parse(path: str) -> Path:
    """Return the segments of ``a.b[0]["c.d"].*``, the spelling of ignore_changes and replace_on_changes."""
    segments: list[str | int] = []
    for quoted, index, name in _TOKEN.findall(path):
        if index:
            segments.append(EVERY if index == EVERY else int(index))
        else:
            segments.append(quoted.replace('\\"', '"') if quoted else name)
    return tuple(segments)


def spell(path: Path) -> str:
    """Return the text of a path, the inverse of ``parse``."""
    text = ""
    for segment in path:
        if isinstance(segment, int):
            text += f"[{segment}]"
        elif re.fullmatch(r"[^.\[\]\"]+", segment):
            text += f".{segment}" if text else segment
        else:
            text += f'["{segment}"]'
    return text


def matches(pattern: Path, path: Path) -> bool:
    """Say whether a path lies at or below a pattern, or above it: a whole that changes changes its parts."""
    return all(one in (EVERY, other) for one, other in zip(pattern, path, strict=False))


def differing(before: Any, after: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Yield each place at which two values differ, with both values; whether a value is secret is no difference."""
    if isinstance(before, Secret) or isinstance(after, Secret):
        if revealed(before) != revealed(after):
            yield path, Secret(before), Secret(after)
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            yield from differing(before.get(name), after.get(name), (*path, name))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            pair = (before[index : index + 1] or [None], after[index : index + 1] or [None])
            yield from differing(pair[0][0], pair[1][0], (*path, index))
    elif before != after:
        yield path, before, after


def described(found: Iterable[tuple[Path, Any, Any]]) -> tuple[Difference, ...]:
    """Return differences for people, by path, since inputs come in any order: the path as text, secrets masked."""
    told = (Difference(spell(path), masked(before), masked(after)) for path, before, after in found)
    return tuple(sorted(told, key=lambda one: one.path))


def keep(inputs: dict[str, Any], previous: Mapping[str, Any], patterns: Iterable[str]) -> dict[str, Any]:
    """Return inputs in which the places that ``patterns`` name are as they were (the option ignore_changes)."""
    kept: Any = copy.deepcopy(inputs)
    for pattern in patterns:
        kept = _kept(kept, previous, parse(pattern))
    return dict(kept)


def _kept(value: Any, previous: Any, pattern: Path) -> Any:
    if not pattern:
        return copy.deepcopy(previous)
    if not isinstance(value, dict | list) or not isinstance(previous, Mapping | list):
        return value
    for segment in _segments(value, previous, pattern[0]):
        old = _at(previous, segment)
        new = _at(value, segment)
        if old is _ABSENT and len(pattern) == 1:
            _drop(value, segment)
        elif len(pattern) == 1:
            _put(value, segment, copy.deepcopy(old))
        elif old is not _ABSENT and new is not _ABSENT:
            _put(value, segment, _kept(new, old, pattern[1:]))
    return value


def _segments(value: Any, previous: Any, segment: str | int) -> list[str | int]:
    if segment != EVERY:
        return [segment]
    if isinstance(value, dict) and isinstance(previous, Mapping):
        return list(dict.fromkeys((*value, *previous)))
    return list(range(len(value)))


def _at(value: Any, segment: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(str(segment), _ABSENT)
    if isinstance(value, list) and isinstance(segment, int) and segment < len(value):
        return value[segment]
    return _ABSENT


def _put(value: dict[str, Any] | list[Any], segment: str | int, one: Any) -> None:
    if isinstance(value, dict):
        value[str(segment)] = one
    elif isinstance(segment, int) and segment < len(value):
        value[segment] = one


def _drop(value: dict[str, Any] | list[Any], segment: str | int) -> None:
    if isinstance(value, dict):
        value.pop(str(segment), None)
