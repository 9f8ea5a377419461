"""Comments that pass over a finding and say why: ``# mlops-kit: ignore[MK0302] the next version reads it``.

A comment stands at the end of the line, or alone on the line before. Where a block text (``|`` or ``>``) begins, it
holds for all lines of the text, which have no place for a comment of YAML.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, did_you_mean, error, warning
from mlops_kit.errors import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MARKER = "mlops-kit:"
_MARK = re.compile(r"#\s*mlops-kit:\s*ignore\b(?:\[([^\]]*)\])?(.*)")
_BLOCK = re.compile(r"[|>][-+0-9]*\s*(#.*)?$")
_EXPRESSION = re.compile(r"(?<!\$)\$\{(?!\{)")
PROTECTED = "protected"  # in the title of a code that is found in such environments only
# Errors that stop the command itself: passing them over would not make the file readable or the environment whole.
FIRM = re.compile(r"MK0100|MK0103|MK0601|MK061\d|MK07\d\d|MK080\d")


@dataclass(frozen=True, slots=True)
class Mark:
    """One comment, the lines that it holds for, and whether what stands there is rendered from an expression."""

    place: Place
    codes: tuple[str, ...]
    reason: str
    lines: range
    is_rendered: bool


Met = defaultdict[tuple[Mark, str], list[Finding]]  # the findings that a comment holds for, by its codes


def applied(findings: Iterable[Finding], whole: Mapping[str, str] | None = None) -> list[Finding]:
    """Return findings, those that a comment passes over marked as suppressed, and what is wrong with the comments.

    ``whole`` maps the files that were checked from end to end to their texts: a comment in one of them that passes over
    nothing is a finding, too.
    """
    found = list(findings)
    texts = dict(whole or {})
    texts.update((path, _text(path)) for path in {each.place.path for each in found} - texts.keys())
    marks = {path: marks_of(text, path) for path, text in texts.items() if MARKER in text}
    if not marks:
        return found
    met: Met = defaultdict(list)
    judged = [_judged(finding, marks.get(finding.place.path, ()), met) for finding in found]
    for path, held in marks.items():
        judged += [fault for mark in held for fault in _faults(mark, met, is_whole=path in (whole or {}))]
    return judged


def standing(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that no comment passes over."""
    return [finding for finding in findings if finding.suppressed is None]


def _text(path: str) -> str:
    file = Path(path)
    return file.read_text(encoding="utf-8-sig", errors="replace") if file.is_file() else ""


def marks_of(text: str, path: str) -> tuple[Mark, ...]:
    """Return the comments of a text."""
    lines = text.splitlines()
    matches = ((number, _MARK.search(line)) for number, line in enumerate(lines) if MARKER in line)
    return tuple(_mark(match, number, lines, path) for number, match in matches if match)


def _mark(match: re.Match[str], number: int, lines: Sequence[str], path: str) -> Mark:
    """Return one comment; ``number`` counts lines from 0."""
    codes = tuple(code for part in (match[1] or "").split(",") if (code := part.strip().upper()))
    is_alone = not match.string[: match.start()].strip()
    covered = _held(number, lines, is_alone)
    is_rendered = any(_EXPRESSION.search(lines[each]) for each in covered)
    shifted = range(covered.start + 1, covered.stop + 1)
    return Mark(Place(path, number + 1, match.start() + 1), codes, match[2].strip(), shifted, is_rendered)


def _held(number: int, lines: Sequence[str], is_alone: bool) -> range:
    """Return the lines that a comment holds for, counted from 0: one, or all of a block text that begins there."""
    first = number
    while is_alone and first < len(lines) and lines[first].lstrip().startswith("#"):
        first += 1
    if first == len(lines):
        return range(first, first)
    last = first + 1
    if _BLOCK.search(lines[first]):
        indent = _indent(lines[first])
        while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > indent):
            last += 1
    return range(first, last)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _judged(finding: Finding, marks: Iterable[Mark], met: Met) -> Finding:
    """Return a finding, marked as suppressed where a comment passes over it; note what each comment has met."""
    holding = [mark for mark in marks if finding.code in mark.codes and finding.place.line in mark.lines]
    for mark in holding:
        met[mark, finding.code].append(finding)
    return replace(finding, suppressed=holding[0].reason) if holding and not is_firm(finding) else finding


def is_firm(finding: Finding) -> bool:
    """Return whether no comment can pass over a finding."""
    return finding.severity == "error" and FIRM.fullmatch(finding.code) is not None


def _faults(mark: Mark, met: Met, *, is_whole: bool) -> Iterator[Finding]:
    """Yield what is wrong with a comment."""
    from mlops_kit.checks import codes  # reads a folder, which only a comment is worth

    known = codes.codes()
    if not mark.codes:
        hint = "write `# mlops-kit: ignore[CODE] reason`"
        yield error("MK0802", mark.place, "the comment does not say which code it passes over", hint)
    elif not mark.reason:
        yield error("MK0802", mark.place, "the comment gives no reason", "write why after the bracket")
    for code in mark.codes:
        found = met.get((mark, code), [])
        if code not in known:
            hint = did_you_mean(code, known) or "`mlops-kit explain` lists the codes"
            yield error("MK0802", mark.place, f"no finding has the code `{code}`", hint)
        elif any(map(is_firm, found)):
            yield error("MK0802", mark.place, f"{code} cannot be passed over", "what is refused there must be mended")
        elif not found and mark.reason and is_whole and not mark.is_rendered and PROTECTED not in codes.title(code):
            yield warning("MK0803", mark.place, f"nothing here has the code {code}", "remove the comment")
