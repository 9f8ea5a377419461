"""Terraform values as they travel: msgpack with unknowns, and dynamic values that carry their own type.

A known value is what msgpack makes of it (dict, list, str, bool, int, float; numbers that fit no double are text).
An unknown is the msgpack extension that stood for it, kept whole so that it goes back as it came. Types are cty's
JSON notation: ``"string"``, ``["list", "string"]``, ``["object", {"a": "number"}]``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgpack

Unknown = msgpack.ExtType
UNKNOWN = msgpack.ExtType(0, b"\x00")
_EMPTY = ["object", {}]


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A value of a dynamic attribute: its type beside it, as the wire has it."""

    type: Any
    value: Any

    def json(self) -> Any:
        """Return the value as JSON data; unknowns stay unknown."""
        return to_json(self.type, self.value)


EMPTY_OBJECT = Dynamic(_EMPTY, {})


def is_unknown(value: Any) -> bool:
    """Say whether a value as a whole is unknown."""
    return isinstance(value, Unknown) or (isinstance(value, Dynamic) and isinstance(value.value, Unknown))


def is_null(value: Any) -> bool:
    """Say whether a value is null; a dynamic null may come with a type."""
    return value is None or (isinstance(value, Dynamic) and value.value is None)


def wholly_known(value: Any) -> bool:
    """Say whether nothing in a value is unknown."""
    if isinstance(value, Dynamic):
        return wholly_known(value.value)
    if isinstance(value, Mapping):
        return all(wholly_known(item) for item in value.values())
    if isinstance(value, list):
        return all(wholly_known(item) for item in value)
    return not isinstance(value, Unknown)


def decode(raw: bytes, dynamic: Iterable[str]) -> dict[str, Any] | None:
    """Return an object from msgpack, None for null; ``dynamic`` names its dynamic attributes."""
    whole: dict[str, Any] | None = msgpack.unpackb(raw, raw=False, strict_map_key=False)
    if whole is None:
        return None
    for name in dynamic:
        if name in whole:
            whole[name] = decode_dynamic(whole[name])
    return whole


def decode_dynamic(value: Any) -> Any:
    """Return a dynamic value: None, an unknown without a type, or a ``Dynamic``."""
    if value is None or isinstance(value, Unknown):
        return value
    notation, inner = value
    return Dynamic(json.loads(notation), inner)


def encode(value: Any) -> bytes:
    """Return the msgpack of a value in which dynamic values are ``Dynamic``."""
    packed: bytes = msgpack.packb(value, default=_wire, use_bin_type=True)
    return packed


def _wire(value: Any) -> Any:
    if isinstance(value, Dynamic):
        return [json.dumps(value.type, separators=(",", ":")).encode(), value.value]
    if isinstance(value, Decimal):  # from a state file, which has more digits than a double
        return _wire_number(value)
    raise TypeError(f"a {type(value).__name__} is no Terraform value")


def to_json(kind: Any, value: Any) -> Any:
    """Return a value of a cty type as JSON data."""
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(kind, str):
        if kind == "dynamic":
            inner = decode_dynamic(value)
            return inner.json() if isinstance(inner, Dynamic) else inner
        return _number(value) if kind == "number" else value
    family, of = kind[0], kind[1]
    if family == "object":
        return {name: to_json(of[name], item) for name, item in value.items()}
    if family == "map":
        return {name: to_json(of, item) for name, item in value.items()}
    if family == "tuple":
        return [to_json(each, item) for each, item in zip(of, value, strict=True)]
    return [to_json(of, item) for item in value]


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    exact = Decimal(value)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def from_json(data: Any, like: Any = None) -> Dynamic:
    """Return JSON data as a dynamic value, of the type ``like`` as far as the data fits it.

    A list that was written as ``tolist([...])`` stays a list; without a type to follow, lists become tuples and
    mappings objects, which is what Terraform makes of literals.
    """
    kind, value = _typed(data, like)
    return Dynamic(kind, value)


def _typed(data: Any, like: Any) -> tuple[Any, Any]:
    if isinstance(data, bool):
        return "bool", data
    if isinstance(data, str):
        return "string", data
    if isinstance(data, int | float):
        return "number", _wire_number(data)
    if isinstance(data, Mapping):
        return _typed_mapping(data, like)
    if isinstance(data, list):
        return _typed_list(data, like)
    return like if like is not None else "dynamic", data  # null and unknown fit every type


def _typed_mapping(data: Mapping[str, Any], like: Any) -> tuple[Any, Any]:
    family, of = _family(like)
    if family == "map":
        items = {name: _typed(item, of) for name, item in data.items()}
        if all(kind == of for kind, _ in items.values()):
            return like, {name: value for name, (_, value) in items.items()}
    hints = of if family == "object" else {}
    items = {name: _typed(item, hints.get(name)) for name, item in data.items()}
    return ["object", {name: kind for name, (kind, _) in items.items()}], {n: value for n, (_, value) in items.items()}


def _typed_list(data: list[Any], like: Any) -> tuple[Any, Any]:
    family, of = _family(like)
    if family in {"list", "set"}:
        items = [_typed(item, of) for item in data]
        if all(kind == of for kind, _ in items):
            return like, [value for _, value in items]
    hints = [*of, *[None] * len(data)] if family == "tuple" else [None] * len(data)
    items = [_typed(item, hint) for item, hint in zip(data, hints, strict=False)]
    return ["tuple", [kind for kind, _ in items]], [value for _, value in items]


def _family(like: Any) -> tuple[str, Any]:
    return (like[0], like[1]) if isinstance(like, list) else ("", None)


def _wire_number(value: float | Decimal) -> Any:
    """Return a number as cty sends it: what a double cannot hold exactly is text in decimal notation."""
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if not math.isfinite(value):
        raise ValueError("JSON knows no infinite numbers")
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))  # 0.1, not the double nearest to it
    return float(exact) if Decimal(float(exact)) == exact else format(exact, "f")


def from_state(stored: Any) -> Any:
    """Return a dynamic value from a state file, where it is ``{"value": ..., "type": ...}``."""
    if stored is None:
        return None
    kind = stored["type"]
    return Dynamic(kind, _from_plain(kind, stored["value"]))


def _from_plain(kind: Any, data: Any) -> Any:
    if data is None:
        return None
    family, of = _family(kind)
    if family == "object":
        return {name: _from_plain(of[name], item) for name, item in data.items()}
    if family == "map":
        return {name: _from_plain(of, item) for name, item in data.items()}
    if family == "tuple":
        return [_from_plain(each, item) for each, item in zip(of, data, strict=True)]
    if family:
        return [_from_plain(of, item) for item in data]
    return _wire_number(data) if kind == "number" and not isinstance(data, str) else data


def same(one: Any, other: Any) -> bool:
    """Say whether two JSON values are equal; unlike in Python, true is not 1. Unknown equals nothing."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(item, other[name]) for name, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, Unknown) or isinstance(one, bool) != isinstance(other, bool):
        return False
    return bool(one == other)


def same_dynamic(one: Any, other: Any) -> bool:
    """Say whether two dynamic values mean the same JSON, whatever their types; both must be known."""
    plain = [item.json() if isinstance(item, Dynamic) else item for item in (one, other)]
    return same(plain[0], plain[1])
