"""Text <-> value of one plain scalar, by the YAML 1.2 core schema, and written so that YAML 1.1 reads the same.

Only true/false, null, plain integers and decimals get types; ``no``, ``010``, ``12:30:45``, ``2024-01-01`` are text.
"""

from __future__ import annotations

import re
from typing import Any, Self

from yaml.resolver import Resolver

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,4000})")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_MAY_HAVE_TYPE = frozenset("+-.0123456789tTfFnN~")


def typed(text: str) -> Any:
    """Return the value of a plain scalar: bool, None, int, float, or the text itself."""
    if text and text[0] not in _MAY_HAVE_TYPE:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        value = float(text)
        return text if value in _INFINITE else value
    return text


_INFINITE = (float("inf"), float("-inf"))


class WrittenFloat(float):
    """A decimal that remembers how it was written (``0.10``, ``1e3``), for places that need text."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, value: float, text: str) -> Self:
        """Return the number with its text."""
        number = super().__new__(cls, value)
        number.text = text
        return number


def remembering(value: Any, text: str) -> Any:
    """Return a value that remembers its text where that would be written otherwise."""
    return WrittenFloat(value, text) if isinstance(value, float) and written(value) != text else value


def written(value: Any) -> str:
    """Return how a scalar value is written, so that YAML 1.1 and 1.2 read it alike: ``null``, ``1.0e-05``, text.

    Raises:
        ValueError: The value is not a finite scalar.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, WrittenFloat):
        return value.text
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value == value and value not in _INFINITE:  # noqa: PLR0124  not-a-number
        digits, exponent, power = repr(value).partition("e")
        return digits + ("" if "." in digits else ".0") + exponent + power
    if isinstance(value, str):
        return value
    raise ValueError(f"{value!r} ({type(value).__name__}) is not a value that YAML can hold")


_SAME_IN_BOTH = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


def same_in_both(text: str) -> bool:
    """Say whether YAML 1.1 and 1.2 read the same number from this text."""
    return _SAME_IN_BOTH.fullmatch(text) is not None


_YAML_1_1: dict[str, list[tuple[str, re.Pattern[str]]]] = Resolver.yaml_implicit_resolvers


def reads_as_text(text: str) -> bool:
    """Say whether a plain scalar of this text is text in YAML 1.2 core and in YAML 1.1 as PyYAML reads it."""
    if not text or not isinstance(typed(text), str):
        return False
    return not any(pattern.match(text) for _, pattern in _YAML_1_1.get(text[0], ()))
