"""Code folders: what ships of them, before anything is uploaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding, error, warning
from mlops_kit.documents import Map, Scalar
from mlops_kit.errors import Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_kit.checks.subject import Subject

_NAMED = 5  # empty folders of one code folder that are told


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the code folders of a document."""
    for code in _codes(subject.root):
        path = local_path(code.text, subject.folder)
        if path and subject.files.kind(path) == "folder" and not subject.files.is_outside(path):
            report, message, hint = subject.files.once(_said, path)
            if report:
                yield report(code.place, message, hint)


def _codes(root: Map) -> Iterator[Scalar]:
    """Yield the values of all keys ``code`` in a map and in the maps below."""
    waiting = [root]
    while waiting:
        for entry in waiting.pop().entries:
            if isinstance(entry.value, Map):
                waiting.append(entry.value)
            elif entry.key.text == "code" and isinstance(entry.value, Scalar):
                yield entry.value


_Report = Callable[[Place, str, str], Finding]


def _said(path: str) -> tuple[_Report | None, str, str]:
    """Return how to report what is wrong with a code folder, and the words for it."""
    from mlops_kit import packaging  # most documents have no code

    try:
        found = packaging.package(Path(path))
    except UsageError as fault:
        return partial(error, "MK0431"), str(fault), ""
    if not found.files:
        hint = "the folder is empty, or its ignore files leave nothing"
        return partial(error, "MK0431"), "nothing of the code folder ships", hint
    if too_much := packaging.excess(found, packaging.limits()):
        hint = "leave files out with .gitignore or .amlignore; 'mlops-kit package' lists them"
        return partial(error, "MK0431"), f"the code folder {too_much}", hint
    if found.empty_folders:
        hint = "put a file into each, such as an empty .gitkeep"
        return partial(warning, "MK0430"), f"empty folders do not ship: {_named(found.empty_folders)}", hint
    return None, "", ""


def _named(folders: Sequence[str]) -> str:
    shown = ", ".join(f"`{folder}`" for folder in folders[:_NAMED])
    more = len(folders) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
