"""A job's command line: ``${{inputs.x}}`` and ``${{outputs.y}}`` are replaced, groups ``$[[ ]]`` kept or dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Bindings are named as in the command: ``inputs.x``, ``outputs.y``. None is an input without a value.
Bindings = Mapping[str, str | None]

_EXPRESSION = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
_GROUP = re.compile(r"[ \t]*\$\[\[(.*?)\]\][ \t]*", re.DOTALL)


class UnboundError(Exception):
    """A command refers to what the job does not have, or needs an input that has no value."""

    def __init__(self, name: str, known: Iterable[str], *, declared: bool) -> None:
        self.name = name
        listed = ", ".join(sorted(known)) or "none"
        what = "which has no value" if declared else f"which the job does not have (it has: {listed})"
        hint = "; put it into an optional group: $[[ ... ]]" if declared else ""
        super().__init__(f"The command refers to '{name}', {what}{hint}.")


def references(command: str) -> list[str]:
    """Return the names of all expressions of a command, in order of appearance."""
    return _EXPRESSION.findall(command)


def required(command: str) -> list[str]:
    """Return the names of the expressions outside optional groups."""
    return references(_GROUP.sub(" ", command))


def check(command: str, bindings: Bindings) -> None:
    """Raise UnboundError where ``rendered`` would.

    An optional input that was left out is not among the job's inputs: a group that asks for it is dropped.
    """
    needed = required(command)
    for name in references(command):
        if name not in bindings and (name in needed or not name.startswith("inputs.")):
            raise UnboundError(name, bindings, declared=False)
    for name in needed:
        if bindings[name] is None:
            raise UnboundError(name, bindings, declared=True)


def rendered(command: str, bindings: Bindings) -> str:
    """Return the command with every expression replaced by its text.

    An optional group stays, without its brackets, if all its inputs have a value. However its author spaced it, what
    stays of it is separated by one blank from its neighbours, and a dropped group leaves no second blank behind.
    """
    check(command, bindings)
    settled = _GROUP.sub(lambda group: _settled(group, bindings), command)
    return _EXPRESSION.sub(lambda found: str(bindings[found[1]]), settled)


def _settled(group: re.Match[str], bindings: Bindings) -> str:
    inner = group[1].strip()
    if any(bindings.get(name) is None for name in references(inner)):
        inner = ""
    before = "" if _starts_line(group) else " "
    after = "" if _ends_line(group) else " "
    return f"{before}{inner}{after}" if inner else (before and after)


def _starts_line(group: re.Match[str]) -> bool:
    return group.start() == 0 or group.string[group.start() - 1] == "\n"


def _ends_line(group: re.Match[str]) -> bool:
    return group.end() == len(group.string) or group.string[group.end()] in "\r\n"
