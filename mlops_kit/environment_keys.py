"""The keys an environment may have and the kind of value each takes: ``schemas/environment.json``, asked by path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlops_kit.documents import Map, Node, Scalar
from mlops_kit.errors import EnvironmentFileError
from mlops_kit.expressions import SecretText, has_expressions
from mlops_kit.layers import FROM_ENV
from mlops_kit.nearest import did_you_mean
from mlops_kit.scalars import typed, written

SCHEMA = Path(__file__).parent / "schemas" / "environment.json"
_ANYTHING: Mapping[str, Any] = {}
_WORDS = {"object": "a mapping", "boolean": "true or false", "string": "text"}


@cache
def schema() -> Mapping[str, Any]:
    """Return the JSON schema of environment files; the caller must not change it."""
    loaded: dict[str, Any] = json.loads(SCHEMA.read_bytes())
    return loaded


def required() -> tuple[str, ...]:
    """Return the dotted paths that every environment must have a value for, once all layers are merged."""
    return tuple(schema()["x-required"])


def below(part: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """Return the schema of a key below a part of the schema, or None when the key is not allowed."""
    if key in part.get("properties", {}):
        return part["properties"][key]  # type: ignore[no-any-return]
    if key.startswith("x-") and "^x-" in part.get("patternProperties", {}):
        return _ANYTHING
    free = part.get("additionalProperties", True)
    if isinstance(free, Mapping):
        return free
    return _ANYTHING if free and part.get("type", "object") == "object" else None


def at(path: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the schema of a path; anything goes where the schema is silent."""
    part: Mapping[str, Any] | None = schema()
    for key in path:
        part = below(part, key) if part else part
    return part or _ANYTHING


def faults(node: Node, part: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[EnvironmentFileError]:
    """Yield every unknown key and every value of the wrong kind; values with expressions are judged when evaluated."""
    if isinstance(node, Scalar):
        if node.value is not None and not has_expressions(node.text) and (wrong := misfit(node.value, part)):
            yield EnvironmentFileError(f"{'.'.join(path)}: {wrong}", node.place)
    elif node.tag == FROM_ENV:
        return
    elif not isinstance(node, Map):
        if part.get("type", "array") != "array" or "enum" in part:
            yield EnvironmentFileError(f"{'.'.join(path)}: {_expected(part)} is expected, not a list", node.place)
    elif part.get("type", "object") != "object" or "enum" in part:
        yield EnvironmentFileError(f"{'.'.join(path)}: {_expected(part)} is expected, not a mapping", node.place)
    else:
        for entry in node.entries:
            inner = below(part, entry.key.text)
            if inner is None:
                yield _unknown(entry.key, part, path)
            else:
                yield from faults(entry.value, inner, (*path, entry.key.text))


def _unknown(key: Scalar, part: Mapping[str, Any], path: tuple[str, ...]) -> EnvironmentFileError:
    known = list(part.get("properties", {}))
    tail = did_you_mean(key.text, known) or f"; known are {', '.join(known)}"
    hint = "" if path or "did you" in tail else "; your own values belong below vars"
    where = f" in {'.'.join(path)}" if path else ""
    return EnvironmentFileError(f"unknown key {key.text!r}{where}{tail}{hint}", key.place)


def _expected(part: Mapping[str, Any]) -> str:
    return f"one of {', '.join(part['enum'])}" if "enum" in part else _WORDS.get(part.get("type", ""), "another value")


def misfit(value: Any, part: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a single value, or None."""
    if "enum" in part and value not in part["enum"]:
        return f"{value!r} is not {_expected(part)}" + did_you_mean(str(value), list(part["enum"]))
    kind = part.get("type")
    if (kind == "boolean" and not isinstance(value, bool)) or kind == "object":
        return f"{_expected(part)} is expected, not {written(value)!r}"
    return None


def fitted(value: Any, text: str | None, part: Mapping[str, Any]) -> Any:
    """Return a single value as its place needs it: text where text is needed (as it was written), else typed.

    Raises:
        ValueError: The place needs a value of another kind.
    """
    if value is None or isinstance(value, SecretText):
        return value
    kind = part.get("type")
    if isinstance(value, bool | int | float):
        return (text if text is not None else written(value)) if kind == "string" or "enum" in part else value
    if kind == "boolean" and isinstance(value, str):
        value = typed(value)
    if not isinstance(value, Mapping | tuple) and (wrong := misfit(value, part)):
        raise ValueError(wrong)
    return value
