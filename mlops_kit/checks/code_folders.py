"""Code folders: what ships of them, before anything is uploaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding, error, warning
from mlops_kit.documents import List, Map, Scalar
from mlops_kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node
    from mlops_kit.packaging import Package

_NAMED = 5  # empty folders of one code folder that are told


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the code folders of a document."""
    for code in _codes(subject.root):
        path = local_path(code.text, subject.folder)
        if path and subject.files.kind(path) == "folder" and not subject.files.is_outside(path):
            yield from _faults(code, subject.files.once(_packaged, path))


def _codes(node: Node) -> Iterator[Scalar]:
    """Yield the values of all keys ``code`` below a node."""
    if isinstance(node, Map):
        for entry in node.entries:
            if entry.key.text == "code" and isinstance(entry.value, Scalar):
                yield entry.value
            else:
                yield from _codes(entry.value)
    elif isinstance(node, List):
        for item in node.items:
            yield from _codes(item)


def _packaged(path: str) -> Package | str:
    """Return what ships of a folder, or why that cannot be said."""
    from mlops_kit import packaging  # most documents have no code

    try:
        return packaging.package(Path(path))
    except UsageError as fault:
        return str(fault)


def _faults(code: Scalar, found: Package | str) -> Iterator[Finding]:
    from mlops_kit import packaging

    if isinstance(found, str):
        yield error("MK0431", code.place, found)
    elif not found.files:
        hint = "the folder is empty, or its ignore files leave nothing"
        yield error("MK0431", code.place, f"of the code folder `{code.text}` nothing ships", hint)
    elif too_much := packaging.excess(found, packaging.limits()):
        hint = "leave files out with .gitignore or .amlignore; 'mlops-kit package' lists them"
        yield error("MK0431", code.place, f"the code folder `{code.text}` {too_much}", hint)
    elif found.empty_folders:
        shown = ", ".join(f"`{folder}`" for folder in found.empty_folders[:_NAMED])
        more = len(found.empty_folders) - _NAMED
        named = f"{shown} and {more} more" if more > 0 else shown
        hint = "put a file into each, such as an empty .gitkeep"
        yield warning(
            "MK0430", code.place, f"empty folders of the code folder `{code.text}` do not ship: {named}", hint
        )
