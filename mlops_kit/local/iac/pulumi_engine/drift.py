"""What was changed outside: the inputs of a resource as they would have to be for what is there now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_kit.local.iac.pulumi_engine.bodies import as_inputs
from mlops_kit.local.iac.pulumi_engine.resource_types import ResourceType
from mlops_kit.local.iac.pulumi_engine.values import Secret, revealed

_ABSENT = object()
# Properties that no program gave and somebody added: only these, since services add many others by themselves.
_ADDED = frozenset({"tags", "identity", "sku", "kind"})


def moved(
    row: ResourceType, inputs: dict[str, Any], before: Mapping[str, Any], live: Mapping[str, Any]
) -> dict[str, Any]:
    """Return ``inputs`` with what changed from the outputs recorded ``before`` to those that are ``live``.

    What a service spells its own way, adds or leaves out is no drift: it was so when the outputs were recorded.
    """
    old, new = as_inputs(inputs, before), as_inputs(inputs, live)
    known = {name: value for name, value in new.items() if name in inputs or name in _ADDED}
    return dict(_moved(inputs, old, known, "", row.written_only))


def _moved(given: Any, before: Any, live: Any, where: str, silent: frozenset[str]) -> Any:
    if where in silent:
        return given
    if isinstance(given, Secret):
        now = _moved(given.value, before, live, where, silent)
        return given if revealed(now) == revealed(given) else Secret(now)
    if isinstance(given, Mapping) and isinstance(live, Mapping):
        return _moved_mapping(given, before if isinstance(before, Mapping) else {}, live, where, silent)
    if isinstance(given, list) and isinstance(live, list):
        old = before if isinstance(before, list) else []
        pairs = enumerate(live)
        return [
            _moved(given[place], _item(old, place), one, f"{where}[*]", silent) if place < len(given) else one
            for place, one in pairs
            if place < len(given) or one not in old
        ]
    return given if same(before, live, where) or same(given, live, where) else live


def _moved_mapping(
    given: Mapping[str, Any], before: Mapping[str, Any], live: Mapping[str, Any], where: str, silent: frozenset[str]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in given.items():
        place = f"{where}.{name}" if where else name
        if name in live:
            result[name] = _moved(value, before.get(name), live[name], place, silent)
        elif name not in before:  # never answered: nothing can be said about it
            result[name] = value
    added = {name: value for name, value in live.items() if name not in given and name not in before}
    return result | {name: value for name, value in added.items() if value not in (None, {}, [])}


def _item(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else _ABSENT


def same(one: Any, other: Any, where: str = "") -> bool:
    """Compare two values as ARM does: ids without case, locations without case and blanks."""
    if not isinstance(one, str) or not isinstance(other, str):
        return bool(one == other)
    if where == "location":
        return _region(one) == _region(other)
    if one.startswith("/") and other.startswith("/"):
        return one.lower().rstrip("/") == other.lower().rstrip("/")
    return one == other


def _region(text: str) -> str:
    return text.replace(" ", "").lower()


def said_by(given: Any, live: Any) -> Any:
    """Return of what is live the parts that inputs say something about: a service adds many others by itself."""
    given = revealed(given)
    if isinstance(given, Mapping) and isinstance(live, Mapping):
        return {name: said_by(value, live[name]) for name, value in given.items() if name in live}
    return live


def unlike(given: Any, live: Any, where: str = "") -> list[str]:
    """Return the paths at which a resource that exists is not as the inputs say."""
    given = revealed(given)
    if isinstance(given, Mapping) and isinstance(live, Mapping):
        return [
            path
            for name, value in given.items()
            for path in unlike(value, live.get(name), f"{where}.{name}" if where else name)
        ]
    if isinstance(given, list) and isinstance(live, list) and len(given) == len(live):
        return [path for place, value in enumerate(given) for path in unlike(value, live[place], f"{where}[{place}]")]
    return [] if same(given, live, where) else [where]
