"""The functions of ARM templates that depend on their arguments alone, as Microsoft's template reference defines them.

``uniqueString`` gives 13 characters that depend on its arguments only, but not the ones Azure would give: its
algorithm is not published.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote, urljoin

# The namespace of guid(): Azure makes a version 5 uuid of its arguments joined by hyphens.
_GUIDS = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")


def _concat(*parts: Any) -> Any:
    if parts and isinstance(parts[0], list):
        return [one for part in parts for one in part]
    return "".join(text(part) for part in parts)


def text(value: Any) -> str:
    """Return a value as ``string()`` writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _format(template: str, *values: Any) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]  # a doubled brace is a brace
        value = values[int(found[1])]
        if not found[2]:
            return text(value)
        kind, width = found[2][0].upper(), int(found[2][1:] or 0)
        if kind == "D":
            return f"{int(value):0{width}d}"
        if kind == "X":
            return f"{int(value):0{width}X}"
        raise ValueError(f"the format '{found[2]}' is not known")

    return re.sub(r"\{\{|\}\}|\{(\d+)(?::(\w+))?\}", one, template)


def _guid(*parts: str) -> str:
    return str(uuid.uuid5(_GUIDS, "-".join(parts)))


def _unique_string(*parts: str) -> str:
    digest = hashlib.sha256("-".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:13]


def _contains(container: Any, wanted: Any) -> bool:
    if isinstance(container, dict):
        return text(wanted).lower() in {key.lower() for key in container}
    return wanted in container


def _empty(value: Any) -> bool:
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        if value.lower() not in {"true", "false", "1", "0"}:
            raise ValueError(f"'{value}' is neither true nor false")
        return value.lower() in {"true", "1"}
    return bool(value)


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _split(value: str, marks: str | list[str]) -> list[str]:
    wanted = marks if isinstance(marks, list) else [marks]
    return re.split("|".join(re.escape(mark) for mark in wanted), value)


def _substring(value: str, start: int, length: int | None = None) -> str:
    end = len(value) if length is None else start + length
    if not 0 <= start <= end <= len(value):
        raise ValueError(f"the text has {len(value)} characters")
    return value[start:end]


def _create_object(*pairs: Any) -> dict[str, Any]:
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


def _union(*parts: Any) -> Any:
    if isinstance(parts[0], dict):
        merged: dict[str, Any] = {}
        for part in parts:
            for key, value in part.items():
                both = isinstance(merged.get(key), dict) and isinstance(value, dict)
                merged[key] = _union(merged[key], value) if both else value
        return merged
    return list({text(one): one for part in parts for one in part}.values())


def _intersection(first: Any, *others: Any) -> Any:
    if isinstance(first, dict):
        return {key: value for key, value in first.items() if all(key in o and o[key] == value for o in others)}
    return [one for one in first if all(one in other for other in others)]


def _numbers(values: tuple[Any, ...]) -> Iterable[int]:
    found: list[int] = values[0] if isinstance(values[0], list) else list(values)
    return found


def _index(function: Callable[[str, str], int]) -> Callable[[Any, Any], int]:
    def of(container: Any, wanted: Any) -> int:
        if isinstance(container, list):
            return container.index(wanted) if wanted in container else -1
        return function(container.lower(), wanted.lower())

    return of


def _same(first: Any, second: Any) -> bool:
    return type(first) is type(second) and bool(first == second)


def _pad_left(value: Any, width: int, fill: str = " ") -> str:
    return text(value).rjust(width, fill)


def _items(value: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value[key]} for key in sorted(value, key=str.lower)]


def _uri(first: str, second: str) -> str:
    return urljoin(first if first.endswith("/") else f"{first}/", second.removeprefix("/"))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "array": lambda value: value if isinstance(value, list) else [value],
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64tojson": lambda value: json.loads(base64.b64decode(value)),
    "base64tostring": lambda value: base64.b64decode(value).decode(),
    "bool": _bool,
    "coalesce": _coalesce,
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _create_object,
    "div": lambda a, b: int(a / b),
    "empty": _empty,
    "endswith": lambda value, end: value.lower().endswith(end.lower()),
    "equals": _same,
    "false": lambda: False,
    "first": lambda value: value[0] if value else ("" if isinstance(value, str) else None),
    "float": float,
    "format": _format,
    "greater": lambda a, b: a > b,
    "greaterorequals": lambda a, b: a >= b,
    "guid": _guid,
    "indexof": _index(str.find),
    "int": int,
    "intersection": _intersection,
    "items": _items,
    "join": lambda values, mark: mark.join(text(value) for value in values),
    "json": json.loads,
    "last": lambda value: value[-1] if value else ("" if isinstance(value, str) else None),
    "lastindexof": _index(str.rfind),
    "length": len,
    "less": lambda a, b: a < b,
    "lessorequals": lambda a, b: a <= b,
    "max": lambda *values: max(_numbers(values)),
    "min": lambda *values: min(_numbers(values)),
    "mod": lambda a, b: a - b * int(a / b),
    "mul": lambda a, b: a * b,
    "newguid": lambda: str(uuid.uuid4()),
    "not": lambda value: not value,
    "null": lambda: None,
    "objectkeys": lambda value: sorted(value, key=str.lower),
    "padleft": _pad_left,
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda value, old, new: value.replace(old, new),
    "skip": lambda value, count: value[max(count, 0) :],
    "split": _split,
    "startswith": lambda value, start: value.lower().startswith(start.lower()),
    "string": text,
    "sub": lambda a, b: a - b,
    "substring": _substring,
    "take": lambda value, count: value[: max(count, 0)],
    "tolower": str.lower,
    "toupper": str.upper,
    "trim": str.strip,
    "true": lambda: True,
    "union": _union,
    "uniquestring": _unique_string,
    "uri": _uri,
    "uricomponent": lambda value: quote(value, safe="-_.!~*'()"),
    "uricomponenttostring": unquote,
}
