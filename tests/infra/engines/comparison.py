"""Two stores beside each other: what is equal but for letter case, time and what a service makes up is equal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_MADE_UP = frozenset({"etag", "eTag", "systemData"})
_SHOWN = 120  # characters of a value in a report

Found = Mapping[str, Mapping[str, Any]]


def differences(left: Found, right: Found, names: tuple[str, str], given: Mapping[str, Any]) -> list[str]:
    """Return one line per difference of two stores, by id and property; ``given`` is what both engines got."""
    known = json.dumps(given).lower()
    return _compared(_plain(left, known), _plain(right, known), names)


def same_outputs(left: Mapping[str, Any], right: Mapping[str, Any], names: tuple[str, str]) -> list[str]:
    """Return one line per difference of two sets of outputs; null and absent are the same."""
    ours, theirs = ({name: value for name, value in one.items() if value is not None} for one in (left, right))
    return _compared(_plain(ours, ""), _plain(theirs, ""), names)


def _compared(left: Mapping[str, Any], right: Mapping[str, Any], names: tuple[str, str]) -> list[str]:
    lines = []
    for key in sorted(left.keys() | right.keys()):
        if key not in left or key not in right:
            lines.append(f"{key}: only {names[key in right]} makes it")
        else:
            lines += [f"{key}: {line}" for line in _unequal("", left[key], right[key], names)]
    return lines


def _unequal(path: str, left: Any, right: Any, names: tuple[str, str]) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            below = f"{path}.{key}" if path else key
            yield from _unequal(below, left.get(key, _ABSENT), right.get(key, _ABSENT), names)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _unequal(f"{path}[{index}]", one, other, names)
    elif left != right:
        yield f"{path or 'value'}: {names[0]} {_shown(left)}, {names[1]} {_shown(right)}"


class _Absent:
    """A property that is not there."""


_ABSENT = _Absent()


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "has none"
    text = json.dumps(value, sort_keys=True)
    return f"has {text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}"


def _plain(found: Mapping[str, Any], known: str) -> dict[str, Any]:
    """Return what was found without what differs from one run to the next.

    A GUID that a service made up is called after the place where it stands first, so that whoever refers to it must
    refer to the same thing in both stores.
    """
    places: dict[str, str] = {}
    return {key.lower(): _value(found[key], key.lower(), places, known) for key in sorted(found, key=str.lower)}


def _value(value: Any, where: str, places: dict[str, str], known: str) -> Any:
    if isinstance(value, Mapping):
        return {
            _text(key, where, places, known) if key.startswith("/") else key: _value(
                value[key], f"{where}.{key}", places, known
            )
            for key in sorted(value)
            if key not in _MADE_UP
        }
    if isinstance(value, list):
        return [_value(one, f"{where}[{index}]", places, known) for index, one in enumerate(_in_order(value))]
    return _text(value, where, places, known) if isinstance(value, str) else value


def _in_order(values: list[Any]) -> list[Any]:
    """Return a list as it is; parts that have names, such as subnets, by name: their order says nothing."""
    named = all(isinstance(one, Mapping) and "name" in one for one in values)
    return sorted(values, key=lambda one: str(one["name"])) if named else values


def _text(value: str, where: str, places: dict[str, str], known: str) -> str:
    text = value.lower() if value.lower().startswith("/subscriptions/") else value

    def called(match: re.Match[str]) -> str:
        guid = match.group()
        return guid if guid in known or guid in where else places.setdefault(guid, f"<made at {where}>")

    return _TIME.sub("<time>", _GUID.sub(called, text))
