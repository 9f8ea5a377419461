"""The keys an environment may have and the kind of value each takes: ``schemas/environment.json``, asked by path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlops_kit.documents import Map, Node, Scalar
from mlops_kit.errors import EnvironmentFileError
from mlops_kit.expressions import SecretText, has_expressions
from mlops_kit.layers import FROM_ENV, children
from mlops_kit.nearest import did_you_mean
from mlops_kit.scalars import typed, written

SCHEMA = Path(__file__).parent / "schemas" / "environment.json"
_ANYTHING: Mapping[str, Any] = {}
_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "boolean": "true or false",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
}


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
    if part.get("type") == "array":
        return part.get("items", _ANYTHING)  # type: ignore[no-any-return]
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
        if node.value is not None and not has_expressions(node.text) and (wrong := _misfit_as_written(node, part)):
            yield EnvironmentFileError(f"{'.'.join(path)}: {wrong}", node.place)
    elif node.tag == FROM_ENV:
        return
    elif not isinstance(node, Map):
        if part.get("type", "array") != "array" or "enum" in part:
            yield EnvironmentFileError(f"{'.'.join(path)}: {_expected(part)} is expected, not a list", node.place)
        for step, item in children(node) if "items" in part else ():
            yield from faults(item, part["items"], (*path, step))
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
    known = [name for name, inner in part.get("properties", {}).items() if not inner.get("deprecated")]
    tail = did_you_mean(key.text, known) or f"; known are {', '.join(known)}"
    hint = "" if path or "did you" in tail else "; your own values belong below vars"
    where = f" in {'.'.join(path)}" if path else ""
    return EnvironmentFileError(f"unknown key {key.text!r}{where}{tail}{hint}", key.place)


def _expected(part: Mapping[str, Any]) -> str:
    if "enum" in part:
        return f"one of {', '.join(map(str, part['enum']))}"
    words = _WORDS.get(part.get("type", ""), "another value")
    limits = [f"{word} {part[key]}" for key, word in _LIMITS.items() if key in part]
    return f"{words} {' '.join(limits)}" if limits else words


_LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to"}


def _misfit_as_written(node: Scalar, part: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a value of a file; text is judged as it was written, whatever it looks like."""
    return misfit(node.text if part.get("type") == "string" else node.value, part)


def misfit(value: Any, part: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a single value, or None."""
    if "enum" in part:
        known = part["enum"]
        return (
            None if value in known else f"{value!r} is not {_expected(part)}" + did_you_mean(str(value), _texts(known))
        )
    if not _is_of(part.get("type"), value) or not _is_within(value, part):
        return f"{_expected(part)} is expected, not {written(value)!r}"
    if isinstance(value, str) and not re.search(part.get("pattern", ""), value):
        return f"{value!r} does not have the form {part['pattern']}"
    return None


def _texts(known: list[Any]) -> list[str]:
    return [each for each in known if isinstance(each, str)]


def _is_of(kind: str | None, value: Any) -> bool:
    """Say whether a single value is of a kind; where text is needed, any value is taken as it was written."""
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in {"integer", "number"}:
        return isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
    return kind not in {"object", "array"}


def _is_within(value: Any, part: Mapping[str, Any]) -> bool:
    if isinstance(value, str):
        return True
    least, above, most = (part.get(key, value) for key in _LIMITS)
    return bool(least <= value <= most and ("exclusiveMinimum" not in part or value > above))


def fitted(value: Any, text: str | None, part: Mapping[str, Any]) -> Any:
    """Return a single value as its place needs it: text where text is needed (as it was written), else typed.

    Raises:
        ValueError: The place needs a value of another kind.
    """
    if value is None or isinstance(value, SecretText):
        return value
    kind = part.get("type")
    if isinstance(value, bool | int | float):
        is_text = kind == "string" or ("enum" in part and kind is None)
        value = (text if text is not None else written(value)) if is_text else value
    elif kind in _TYPED and isinstance(value, str):
        value = typed(value)
    if not isinstance(value, Mapping | tuple) and (wrong := misfit(value, part)):
        raise ValueError(wrong)
    return value


_TYPED = frozenset({"boolean", "integer", "number"})
