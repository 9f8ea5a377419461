"""The expressions of ARM templates, such as ``"[concat('a', parameters('b'))]"``: parsed, checked and evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mlops_kit.local.arm.wire import ArmError, did_you_mean

Function = Callable[..., Any]
Functions = Mapping[str, Function]  # by name in lower case: ARM does not look at the case of a function's name


class TemplateError(ArmError):
    """400: the template is wrong; the message begins with the place in it."""

    def __init__(self, place: str, fault: str) -> None:
        super().__init__(400, "InvalidTemplate", f"Deployment template at {place}: {fault}", target=place)


@dataclass(frozen=True, slots=True)
class Literal:
    """A text in quotes or a whole number."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Apply:
    """A function applied to arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """``target.key`` or ``target[key]``."""

    target: Node
    key: Node


Node = Literal | Apply | Member

_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)|'(?P<text>(?:[^']|'')*)'|(?P<number>-?\d+)|(?P<mark>[().,\[\]]))")
# These decide which of their arguments is evaluated.
_LAZY = frozenset({"if", "and", "or"})


def is_expression(text: str) -> bool:
    """Say whether a text of a template is an expression; ``[[`` begins a text that really starts with a bracket."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def evaluate(value: Any, functions: Functions, place: str) -> Any:
    """Return ``value`` with every expression in it, at any depth, replaced by its result."""
    if isinstance(value, str):
        if is_expression(value):
            return _result(_parsed(value[1:-1], place), functions, place)
        return value[1:] if value.startswith("[[") else value
    if isinstance(value, dict):
        # A key may be an expression too, as in ``userAssignedIdentities``.
        return {
            evaluate(key, functions, place): evaluate(one, functions, f"{place}.{key}") for key, one in value.items()
        }
    if isinstance(value, list):
        return [evaluate(one, functions, f"{place}[{index}]") for index, one in enumerate(value)]
    return value


def check(value: Any, known: frozenset[str], place: str) -> None:
    """400 for the first expression that cannot be parsed or calls a function that does not exist."""
    if isinstance(value, str) and is_expression(value):
        _check_names(_parsed(value[1:-1], place), known, place)
    elif isinstance(value, dict):
        for key, one in value.items():
            check(key, known, place)
            check(one, known, f"{place}.{key}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            check(one, known, f"{place}[{index}]")


def _check_names(node: Node, known: frozenset[str], place: str) -> None:
    match node:
        case Apply(name, arguments):
            if name.lower() not in known:
                hint = did_you_mean(name, known)
                raise TemplateError(place, f"the function '{name}' is not known to the local control plane.{hint}")
            for argument in arguments:
                _check_names(argument, known, place)
        case Member(target, key):
            _check_names(target, known, place)
            _check_names(key, known, place)
        case _:
            return


def _result(node: Node, functions: Functions, place: str) -> Any:
    match node:
        case Literal(value):
            return value
        case Member(target, key):
            return _member(_result(target, functions, place), _result(key, functions, place), place)
        case Apply(name, arguments) if name.lower() in _LAZY:
            return _lazy(name.lower(), arguments, functions, place)
        case Apply(name, arguments):
            function = functions.get(name.lower())
            if function is None:
                raise TemplateError(place, f"the function '{name}' cannot be used here.")
            values = [_result(argument, functions, place) for argument in arguments]
            try:
                return function(*values)
            except ArmError:
                raise
            except (ArithmeticError, LookupError, TypeError, ValueError) as fault:
                shown = ", ".join(repr(value) for value in values)
                raise TemplateError(place, f"{name}({shown[:200]}) cannot be evaluated: {fault}.") from None


def _lazy(name: str, arguments: tuple[Node, ...], functions: Functions, place: str) -> Any:
    if name == "if":
        if len(arguments) != 3:
            raise TemplateError(place, f"'if' takes 3 arguments, not {len(arguments)}.")
        chosen = arguments[1] if _truth(arguments[0], functions, place) else arguments[2]
        return _result(chosen, functions, place)
    truths = (_truth(argument, functions, place) for argument in arguments)
    return all(truths) if name == "and" else any(truths)


def _truth(node: Node, functions: Functions, place: str) -> bool:
    value = _result(node, functions, place)
    if not isinstance(value, bool):
        raise TemplateError(place, f"true or false is needed, not {value!r}.")
    return value


def _member(target: Any, key: Any, place: str) -> Any:
    if isinstance(target, dict):
        names = {str(name).lower(): name for name in target}
        if str(key).lower() in names:
            return target[names[str(key).lower()]]
        raise TemplateError(place, f"there is no property '{key}'; there are: {', '.join(map(str, target)) or 'none'}.")
    if isinstance(target, list) and isinstance(key, int) and -len(target) <= key < len(target):
        return target[key]
    kind = f"an array of {len(target)}" if isinstance(target, list) else f"a {type(target).__name__}"
    raise TemplateError(place, f"'{key}' cannot be taken from {kind}.")


@lru_cache(maxsize=2048)
def _tokens(text: str) -> tuple[tuple[str, str], ...]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"'{text[at : at + 20]}' is not understood")
        kind = str(found.lastgroup)
        tokens.append((kind, found[kind]))
        at = found.end()
    return tuple(tokens)


@lru_cache(maxsize=2048)
def _parsed(text: str, place: str) -> Node:
    try:
        tokens = list(_tokens(text))
        node = _expression(tokens)
    except ValueError as fault:
        raise TemplateError(place, f"the expression [{text}] cannot be read: {fault}.") from None
    if tokens:
        raise TemplateError(place, f"the expression [{text}] cannot be read: '{tokens[0][1]}' is left over.")
    return node


def _expression(tokens: list[tuple[str, str]]) -> Node:
    kind, text = _take(tokens)
    node: Node
    if kind == "text":
        return Literal(text.replace("''", "'"))
    if kind == "number":
        return Literal(int(text))
    if kind != "name":
        raise ValueError(f"a function, a text or a number is needed, not '{text}'")
    node = Apply(text, _arguments(tokens))
    while tokens and tokens[0][1] in {".", "["} and tokens[0][0] == "mark":
        if _take(tokens)[1] == ".":
            node = Member(node, Literal(_take(tokens)[1]))
        else:
            node = Member(node, _expression(tokens))
            _expect(tokens, "]")
    return node


def _arguments(tokens: list[tuple[str, str]]) -> tuple[Node, ...]:
    _expect(tokens, "(")
    arguments: list[Node] = []
    while tokens and tokens[0] != ("mark", ")"):
        if arguments:
            _expect(tokens, ",")
        arguments.append(_expression(tokens))
    _expect(tokens, ")")
    return tuple(arguments)


def _take(tokens: list[tuple[str, str]]) -> tuple[str, str]:
    if not tokens:
        raise ValueError("it ends too early")
    return tokens.pop(0)


def _expect(tokens: list[tuple[str, str]], mark: str) -> None:
    kind, text = _take(tokens)
    if (kind, text) != ("mark", mark):
        raise ValueError(f"'{mark}' is needed before '{text}'")
