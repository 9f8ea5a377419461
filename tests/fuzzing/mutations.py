"""Turn a YAML text into one that is wrong somewhere: characters, lines, scalars, expressions. Pure but for the dice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

Mutation = Callable[[Random, str], str]

# What YAML, a template or a check may trip over; put where a value, a key or a character stood.
_SCALARS = ("", "null", "~", "true", "no", "0", "-1", "1e400", "0x1F", "010", "12:30:45", ".nan", "-.inf", "9" * 40)
_STRUCTURES = ("[]", "{}", "[[[[", "}}", "{a: {b: [c]}}", "- - -", "? x", "|", ">-", "<<: *x", "---\n", "...\n")
_ANCHORS = ("&a *a", "*nothing", "a: &a [*a]", "!!python/none", "!local x", "!!binary x")
_EXPRESSIONS = ("${", "${}", "${env.}", "${env.name", "${var.x.y.z}", "${'a' * 9}", "$${x}", "${secret.X}")
_FILTERS = ("${process.NOTHING}", "${env.name | nothing}", "${env.name | slug}", "${[] | first}", "${1 / 0}")
_BINDINGS = ("${{inputs.}}", "${{", "${{parent.jobs.a.outputs.b}}", "$[[", "]]", "$[[--x ${{inputs.x}}]]")
_ADDRESSES = ("azureml:", "azureml:a:", "azureml:a@", "azureml://", "azureml://datastores//paths/")
_PATHS = ("file:", "file:///", "..", "../" * 40, "C:\\x", "\\\\host\\x", "~", "/etc/passwd", "a\0b", "x" * 5000)
_CHARACTERS = ("\u0000", "\ufeff", "\u2028", "\t", "\r", "é", "\U0001f600", "\ud800")
_NESTED = ("- " * 200, "[" * 200, "{a: " * 150)
_WORDS = ("*/0 * * * *", "61 25 * * 9", "1/0 * * * *", "${{search_space.x}}", "type: pipeline", "type: sweep")
PIECES = (
    *(*_SCALARS, *_STRUCTURES, *_ANCHORS, *_EXPRESSIONS, *_FILTERS),
    *(*_BINDINGS, *_ADDRESSES, *_PATHS, *_CHARACTERS, *_NESTED, *_WORDS),
)


def mutated(dice: Random, text: str) -> str:
    """Return the text with one to four mutations."""
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4))):
        text = dice.choice(MUTATIONS)(dice, text)
    return text


def _character(dice: Random, text: str) -> str:
    """Replace, drop or repeat one character."""
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(("", text[at : at + 1] * 2, chr(dice.randrange(32, 127)))) + text[at + 1 :]


def _piece(dice: Random, text: str) -> str:
    """Put a piece anywhere."""
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(PIECES) + text[at:]


def _span(dice: Random, text: str) -> str:
    """Drop a span, or move it elsewhere."""
    begin = dice.randrange(len(text) + 1)
    end = min(len(text), begin + dice.randrange(1, 60))
    rest, span = text[:begin] + text[end:], text[begin:end]
    at = dice.randrange(len(rest) + 1)
    return rest if dice.random() < 0.5 else rest[:at] + span + rest[at:]


def _lines(change: Callable[[Random, list[str]], Sequence[str]]) -> Mutation:
    """Return a mutation of the lines of a text."""
    return lambda dice, text: "".join(change(dice, text.splitlines(keepends=True) or ["\n"]))


def _drop(dice: Random, lines: list[str]) -> list[str]:
    at = dice.randrange(len(lines))
    return lines[:at] + lines[at + 1 :]


def _again(dice: Random, lines: list[str]) -> list[str]:
    at, to = dice.randrange(len(lines)), dice.randrange(len(lines) + 1)
    return [*lines[:to], lines[at], *lines[to:]]


def _indent(dice: Random, lines: list[str]) -> list[str]:
    at = dice.randrange(len(lines))
    changed = lines[at][2:] if dice.random() < 0.5 else f"  {lines[at]}"
    return [*lines[:at], changed, *lines[at + 1 :]]


def _value(dice: Random, lines: list[str]) -> list[str]:
    """Put a piece where the value of a key stood."""
    at = dice.randrange(len(lines))
    key, colon, _ = lines[at].partition(": ")
    return [*lines[:at], f"{key}{colon}{dice.choice(PIECES)}\n", *lines[at + 1 :]] if colon else lines


def _key(dice: Random, lines: list[str]) -> list[str]:
    """Misspell a key, or give it the name of another one."""
    at = dice.randrange(len(lines))
    key, colon, value = lines[at].partition(":")
    if not colon:
        return lines
    other = dice.choice(lines).partition(":")[0].strip()
    indent = key[: len(key) - len(key.lstrip())]
    name = dice.choice((key.strip()[:-1], key.strip() * 2, other))
    return [*lines[:at], f"{indent}{name}{colon}{value}", *lines[at + 1 :]]


MUTATIONS: tuple[Mutation, ...] = (
    _character,
    _piece,
    _span,
    *map(_lines, (_drop, _again, _indent, _value, _value, _key)),
)
