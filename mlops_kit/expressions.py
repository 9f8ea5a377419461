"""``${root.path}`` in a text: found, evaluated strictly in a sandbox, and put back; all else stays byte-identical.

An expression begins with a root and a dot: ``${env.name | upper}``. ``${{...}}``, ``$[[...]]``, ``${HOME}`` and
``${x[0]}`` are not ours. ``$${`` is a literal ``${``. A text that is exactly one expression becomes its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Self

from mlops_kit.errors import ExpressionError, Place
from mlops_kit.nearest import did_you_mean
from mlops_kit.scalars import written

if TYPE_CHECKING:
    from jinja2.environment import TemplateExpression
    from jinja2.sandbox import SandboxedEnvironment

ROOTS = ("env", "var", "project", "git", "process", "secret")
Locate = Callable[[str], Place]
"""Gives the place of an expression, as written with its braces; called only when it fails."""

_START = re.compile(r"\$\$\{|\$\{\{|\$\{\s*([A-Za-z_]+)\s*\.")
# What may nest: the time to compile an expression grows with the square of its depth.
_NESTING = re.compile(r"[-+(\[{]|\bnot\b")
_MOST_NESTED = 50
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
# What a filter raises about a value that it cannot take.
_OF_FILTERS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_PATH = re.compile(r"\s*([a-z]+)((?:\.[A-Za-z_][A-Za-z0-9_]*)+)\s*")
_NEAR_ROOTS = {
    **dict.fromkeys(("envs", "environment", "environ"), "env"),
    **dict.fromkeys(("vars", "variable", "variables", "param", "params", "parameter", "parameters"), "var"),
    **dict.fromkeys(("secrets",), "secret"),
    **dict.fromkeys(("projects",), "project"),
}


class Root(Mapping[str, Any]):
    """The values below one root; where one is missing, ``noun`` names it in the message, ``hint`` says what to do."""

    def __init__(self, values: Mapping[str, Any], noun: str, hint: str = "") -> None:
        self.values_by_name = values
        self.noun = noun
        self.hint = hint

    def __getitem__(self, name: str) -> Any:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)


class ProcessRoot(Root):
    """Environment variables: a missing one is named, the others are nobody's business."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values, "environment variable")


@dataclass(frozen=True, slots=True)
class Secret:
    """The name of a secret that is resolved where the text is used."""

    name: str

    def __str__(self) -> str:
        """Return the expression as it is written."""
        return f"${{secret.{self.name}}}"


class SecretText(str):
    """A text with secrets still in it; as a string it shows their expressions, never their values."""

    __slots__ = ("parts",)
    parts: tuple[str | Secret, ...]

    def __new__(cls, parts: Sequence[str | Secret]) -> Self:
        """Return the text of these parts."""
        text = super().__new__(cls, "".join(map(str, parts)))
        text.parts = tuple(parts)
        return text

    def reveal(self, lookup: Callable[[str], str]) -> str:
        """Return the text with every secret's value, as ``lookup`` gives it."""
        return "".join(lookup(part.name) if isinstance(part, Secret) else part for part in self.parts)


def evaluate(text: str, roots: Mapping[str, Any], locate: Locate) -> Any:
    """Return the text with its expressions evaluated, or the value when the text is exactly one expression.

    A text with a ``secret`` in it becomes a SecretText.

    Raises:
        ExpressionError: An expression is not closed, cannot be parsed, names something unknown, or gives no text where
            text is needed.
    """
    if "${" not in text:
        return text
    try:
        parts = _parts(text)
    except _UnclosedError as error:
        raise ExpressionError("'${' is never closed; write '$${' for a literal one", locate(error.source)) from None
    if len(parts) == 1 and isinstance(parts[0], _Expression):
        return _value(parts[0], roots, locate)
    pieces = [part if isinstance(part, str) else _piece(part, roots, locate) for part in parts]
    flat = [piece for item in pieces for piece in (item.parts if isinstance(item, SecretText) else (item,))]
    return SecretText(flat) if any(isinstance(piece, Secret) for piece in flat) else "".join(map(str, flat))


def has_expressions(text: str) -> bool:
    """Say whether a text holds an expression of ours, or the escape of one."""
    if "${" not in text:
        return False
    try:
        parts = _parts(text)
    except _UnclosedError:
        return True
    return len(parts) != 1 or parts[0] != text


@dataclass(frozen=True, slots=True)
class _Expression:
    source: str

    def __str__(self) -> str:
        return f"${{{self.source}}}"


class _UnclosedError(Exception):
    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.source = source


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[str | _Expression, ...]:
    """Cut a text into literal pieces and expressions."""
    parts: list[str | _Expression] = []
    literal, position = "", 0
    while found := _START.search(text, position):
        literal += text[position : found.start()]
        if found.group() == "$${":
            literal, position = literal + "${", found.end()
        elif found.group() == "${{":
            end = text.find("}}", found.end())
            position = len(text) if end < 0 else end + 2
            literal += text[found.start() : position]
        elif found.group(1) not in ROOTS and found.group(1) not in _NEAR_ROOTS:
            literal, position = literal + found.group(), found.end()
        else:
            begin = found.start() + 2
            position = _closing(text, begin)
            parts += [literal, _Expression(text[begin : position - 1])]
            literal = ""
    parts.append(literal + text[position:])
    return tuple(part for part in parts if part != "")


def _closing(text: str, begin: int) -> int:
    """Return the position after the brace that closes an expression; braces in quotes do not count."""
    depth, quote, position = 1, "", begin
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                position += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character in "{}":
            depth += 1 if character == "{" else -1
            if not depth:
                return position + 1
        position += 1
    raise _UnclosedError(text[begin - 2 : begin + 20])


def _piece(expression: _Expression, roots: Mapping[str, Any], locate: Locate) -> str:
    """Return the value of an expression as a part of a text."""
    value = _value(expression, roots, locate)
    if value is None:
        raise ExpressionError(f"{expression} is null and cannot be part of a text", locate(str(expression)))
    if not isinstance(value, str | bool | int | float):
        kind = "a mapping" if isinstance(value, Mapping) else "a list"
        raise ExpressionError(f"{expression} is {kind} and cannot be part of a text", locate(str(expression)))
    return value if isinstance(value, str) else written(value)


def _value(expression: _Expression, roots: Mapping[str, Any], locate: Locate) -> Any:
    if path := _PATH.fullmatch(expression.source):
        names = path.group(2)[1:].split(".")
        return _at(expression, path.group(1), names, roots, locate)
    root = re.match(r"\s*([A-Za-z_]+)", expression.source)
    if root and root.group(1) == "secret":
        message = f"{expression}: a secret is not known here, only its name can be used, as in ${{secret.NAME}}"
        raise ExpressionError(message, locate(str(expression)))
    return _computed(expression, roots, locate)


def _at(expression: _Expression, root: str, names: list[str], roots: Mapping[str, Any], locate: Locate) -> Any:
    """Return the value at a plain path: what almost every expression is, so it goes without Jinja."""
    if root == "secret" and len(names) == 1:
        return SecretText([Secret(names[0])])
    value: Any = roots.get(root)
    if value is None:
        raise ExpressionError(f"{expression}: {_no_root(root, roots)}", locate(str(expression)))
    for name in names:
        if not isinstance(value, Mapping) or name not in value:
            raise ExpressionError(f"{expression}: {_missing(value, name)}", locate(str(expression)))
        value = value[name]
    return value


def _no_root(root: str, roots: Mapping[str, Any]) -> str:
    if root in ROOTS:
        return f"{root!r} cannot be used here, only {', '.join(roots)}"
    return f"there is no root {root!r}, did you mean {_NEAR_ROOTS[root]!r}?"


def _missing(container: Any, name: str) -> str:
    """Say that a container lacks a name, and which near name it has."""
    if isinstance(container, ProcessRoot):
        return f"environment variable {name!r} is not set"
    if not isinstance(container, Mapping):
        kind = "a list" if isinstance(container, Sequence) and not isinstance(container, str) else "a single value"
        return f"there is no {name!r} in {kind}"
    noun = f"{container.noun} " if isinstance(container, Root) else ""
    tail = did_you_mean(name, container) or f"; known are {', '.join(sorted(container)) or 'none'}"
    hint = f"; {container.hint}" if isinstance(container, Root) and container.hint else ""
    return f"there is no {noun}{name!r}{tail}{hint}"


def _computed(expression: _Expression, roots: Mapping[str, Any], locate: Locate) -> Any:
    import jinja2

    if len(_NESTING.findall(_LITERAL.sub("", expression.source))) > _MOST_NESTED:
        raise ExpressionError(f"{_shortened(expression)}: it is nested too deeply", locate(str(expression)))
    try:
        result = _compiled(expression.source)(**roots)
        if isinstance(result, jinja2.Undefined):
            str(result)  # raises, with the sentence that says what is missing
        return _settled(result)
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError(f"{expression}: {error.message}", locate(str(expression))) from None
    except (SyntaxError, MemoryError):  # of Python itself, which Jinja compiles to
        raise ExpressionError(f"{_shortened(expression)}: it is nested too deeply", locate(str(expression))) from None
    except (jinja2.TemplateError, *_OF_FILTERS) as error:
        raise ExpressionError(f"{expression}: {error}", locate(str(expression))) from None


def _shortened(expression: _Expression) -> str:
    text = str(expression)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _settled(value: Any) -> Any:
    """Return a result as YAML data: iterators as lists, text as plain text."""
    if value is None or isinstance(value, bool | int | float | Mapping | list | tuple | SecretText):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Iterator | range):
        return [_settled(item) for item in value]
    raise TypeError(f"gives a {type(value).__name__}, which YAML cannot hold")


@lru_cache(maxsize=1024)
def _compiled(source: str) -> TemplateExpression:
    return _sandbox().compile_expression(source, undefined_to_none=False)


@cache
def _sandbox() -> SandboxedEnvironment:
    from mlops_kit import sandbox  # Jinja is imported where something is computed, not for a plain path

    return sandbox.sandbox(_missing, ROOTS[:-1])
