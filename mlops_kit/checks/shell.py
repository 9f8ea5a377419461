"""What a shell makes of a command: quotes that stay open, and lines that folding joins."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.files import place_in
from mlops_kit.checks.findings import Finding, brief, error, warning

if TYPE_CHECKING:
    from mlops_kit.documents import Scalar

# words that start a command of their own and are hardly ever an argument
PROGRAMS = "python3?|pip3?|bash|sh|cd|export|mkdir|rm|cp|mv|ls|cat|wget|curl|unzip|tar|apt-get|chmod|Rscript|source"
FIRST = re.compile(rf"(?:{PROGRAMS}|echo|mlflow)\s\S")
NEXT = re.compile(rf"(?<=\s)(?:{PROGRAMS})\s+[^\s=]")
GOES_ON = re.compile(r"(?:&&|\|\|?|;|\\|[({]|\b(?:do|then|else))$|-c\s*[\"']?$")
PLATFORM = re.compile(r"\$\{\{[^{}]*\}\}|\$\[\[|\]\]")
NESTED = re.compile(r"<<|\$\(|`|\$'|\$\{")  # quoting starts anew within these, or follows rules of its own
# One piece of a command in which quotes pair. (Repeated here, and possessively, it fails in Python 3.11.0 to 3.11.3.)
PIECE = re.compile(r"""[^'"\\\#]+|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|(?<![^\s;])\#[^\n]*|(?<=[^\s;])\#""", re.DOTALL)


def faults(command: Scalar) -> list[Finding]:
    """Return what a shell would take otherwise than it was surely meant."""
    return [*_open_quote(command), *_folded(command)]


def _open_quote(command: Scalar) -> list[Finding]:
    """Report a quote without its end; commands with nested quoting are left alone."""
    text = command.text
    if _is_plain(text) or NESTED.search(PLATFORM.sub("", text)):
        return []
    hidden = PLATFORM.sub(lambda match: "x" * len(match[0]), text)
    end = 0
    while piece := PIECE.match(hidden, end):
        end = piece.end()
    if end == len(hidden) or hidden[end] not in "'\"":
        return []
    rest = text[end:].splitlines()[0]
    message = f"the quote before `{brief(rest[1:])}` has no end, so the shell runs nothing"
    return [error("MK0322", place_in(command, rest), message, f"close it, or write `\\{hidden[end]}`")]


def _is_plain(text: str) -> bool:
    """Return whether the quotes of a text surely pair: one kind of quotes, and nothing that takes their meaning."""
    single, double = text.count("'"), text.count('"')
    if not single and not double:
        return True
    return not (single and double) and (single + double) % 2 == 0 and not any(sign in text for sign in "\\#")


def _folded(command: Scalar) -> list[Finding]:
    """Warn of a folded block whose lines are commands of their own: the shell gets one line, and one command."""
    if not command.quoted or not FIRST.match(command.text) or not NEXT.search(command.text):
        return []
    lines = _source(command)
    for before, line in pairwise(lines):
        first, then = before.strip(), line.strip()
        if FIRST.match(first) and FIRST.match(then) and not GOES_ON.search(first) and _indent(before) == _indent(line):
            message = f"the block is folded, so `{brief(then)}` becomes an argument of the line before"
            return [
                warning(
                    "MK0324", place_in(command, then), message, "write `|` for `>`, or end the line before with `&&`"
                )
            ]
    return []


def _source(command: Scalar) -> list[str]:
    """Return the lines of a block that is folded (``>``) as they stand in the file; of any other value, none."""
    path, line, column = Path(command.place.path), command.place.line, command.place.column
    if not line or not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()[line - 1 :]
    if not lines or lines[0][column - 1 : column] != ">":
        return []
    body = lines[1:]
    width = _indent(body[0]) if body else 0
    block = []
    for each in body:
        if each.strip() and _indent(each) < width:
            break
        block.append(each)
    return block


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
