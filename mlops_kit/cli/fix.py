"""``validate --fix``: the safe edits of findings, made in the text of a file so that all else stays as it was written.

An edit is kept only when it changes one value or key, and when the file has fewer findings after it, none of them new.
"""

from __future__ import annotations

import codecs
import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_kit import documents, expressions
from mlops_kit.checks.findings import Edit, Finding, brief
from mlops_kit.documents import List, Map, Node, Scalar
from mlops_kit.errors import DocumentError, Place
from mlops_kit.files import write_whole

Check = Callable[[str], Sequence[Finding]]  # text of a file -> what is wrong with it


@dataclass(frozen=True, slots=True)
class Fixed:
    """A file before and after its edits, and the findings that they mended."""

    path: Path
    before: str
    after: str
    mended: tuple[Finding, ...]


def fixed(path: Path, check: Check) -> Fixed:
    """Return a file with every edit made that is safe; nothing is written."""
    text = before = documents.read_text(path)
    found, mended = check(text), list[Finding]()
    while True:
        text, found, done = _round(text, found, path, check)
        mended += done
        if not done:
            return Fixed(path, before, text, tuple(sorted(mended, key=lambda each: each.place)))


def _round(
    text: str, found: Sequence[Finding], path: Path, check: Check
) -> tuple[str, Sequence[Finding], list[Finding]]:
    """Make the edits of a text from its end backwards; one may be safe only after another, so there are rounds."""
    done: list[Finding] = []
    for finding in sorted(_editable(found, path), key=lambda each: each.place, reverse=True):
        changed = _changed(text, finding, path)
        after = check(changed) if changed else found
        if changed and _is_better(after, found):
            text, found = changed, after
            done.append(finding)
    return text, found, done


def write(file: Fixed) -> None:
    """Write a fixed file in one step, with the byte order mark and the permissions that it had."""
    real = file.path.resolve()  # what a link points to, not the link
    mark = codecs.BOM_UTF8 if real.read_bytes().startswith(codecs.BOM_UTF8) else b""
    write_whole(real, mark + file.after.encode(), real.stat().st_mode & 0o777)


def difference(file: Fixed) -> str:
    """Return what an edit changes as a unified diff."""
    shown = documents.displayed(file.path)
    before, after = (text.splitlines(keepends=True) for text in (file.before, file.after))
    lines = [line if line.endswith("\n") else f"{line}\n" for line in difflib.unified_diff(before, after, shown, shown)]
    return "".join(lines).rstrip("\n")


def line(finding: Finding) -> str:
    """Return the line that says what was done about a finding."""
    done = f"; now `{brief(finding.edit.new)}`" if finding.edit else ""
    return f"{finding.place}: fixed[{finding.code}]: {finding.message}{done}"


def _editable(found: Sequence[Finding], path: Path) -> list[Finding]:
    """Return the findings of a file that an edit may mend, those without a comment that passes over them."""
    shown = documents.displayed(path)
    return [each for each in found if each.edit and each.suppressed is None and each.place.path == shown]


def _is_better(after: Sequence[Finding], before: Sequence[Finding]) -> bool:
    """Return whether findings have become fewer and none is new; that some stand elsewhere now makes no difference."""
    kinds = [Counter((each.code, each.message) for each in found) for found in (after, before)]
    return len(after) < len(before) and not kinds[0] - kinds[1]


def _changed(text: str, finding: Finding, path: Path) -> str | None:
    """Return a text with an edit made wherever it applies in one value or key; None where that is not certain."""
    edit = finding.edit
    if edit is None or not finding.place.line:
        return None
    changed, start = None, _offset(text, finding.place)
    while (at := (changed or text).find(edit.old, start)) >= 0:
        wanted = _edited(changed or text, at, edit)
        if not _touches_one(text, wanted, finding.place, path):
            break
        changed, start = wanted, at + len(edit.new)
    return changed


def _offset(text: str, place: Place) -> int:
    """Return where a place is in a text."""
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: place.line - 1])) + place.column - 1


def _edited(text: str, at: int, edit: Edit) -> str:
    return text[:at] + edit.new + text[at + len(edit.old) :]


def _touches_one(before: str, after: str, place: Place, path: Path) -> bool:
    """Return whether two texts differ in one value or key that begins at or before a place and holds no expression."""
    try:
        old, new = (documents.parse(text, path) for text in (before, after))
        pairs = [pair for one, other in zip(old, new, strict=True) for pair in _differing(one.root, other.root)]
    except (DocumentError, ValueError):  # no YAML any more, or another shape
        return False
    places = {was.place for was, _ in pairs}
    is_rendered = any(expressions.has_expressions(was.text) for was, _ in pairs)
    return len(places) == 1 and min(places) <= place and not is_rendered


def _differing(old: Node, new: Node) -> Iterator[tuple[Scalar, Scalar]]:
    """Yield the keys and values that two trees of one shape have differently.

    Raises:
        ValueError: The trees are not of one shape.
    """
    if isinstance(old, Map) and isinstance(new, Map):
        for one, other in zip(old.entries, new.entries, strict=True):
            yield from _differing(one.key, other.key)
            yield from _differing(one.value, other.value)
    elif isinstance(old, List) and isinstance(new, List):
        for item, changed in zip(old.items, new.items, strict=True):
            yield from _differing(item, changed)
    elif isinstance(old, Scalar) and isinstance(new, Scalar):
        if (old.text, old.quoted) != (new.text, new.quoted):
            yield old, new
    else:
        raise ValueError("another shape")  # noqa: TRY004  not an argument of the wrong type
