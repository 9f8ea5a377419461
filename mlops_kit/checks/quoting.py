"""Texts that look like something else: this project keeps ``version: 1.10`` as it is written, no other tool does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from mlops_kit.checks.findings import Edit, Finding, warning
from mlops_kit.documents import Map, Scalar
from mlops_kit.scalars import reads_as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject

TEXTS = ("tags", "properties", "environment_variables")  # maps of texts that are sent as they are read


def check(subject: Subject) -> list[Finding]:
    """Return the texts of a document that readers of YAML 1.1, the SDK among them, take for another value."""
    return [_finding(node, read) for node in _texts(subject.root) if (read := _read_elsewhere(node)) != node.text]


def _texts(root: Map) -> Iterator[Scalar]:
    """Yield the values that stand for text: the version, and those of tags, properties and variables, of steps too."""
    version, steps = root.get("version"), root.get("jobs")
    if isinstance(version, Scalar):
        yield version
    for owner in (root, *(entry.value for entry in steps.entries)) if isinstance(steps, Map) else (root,):
        if isinstance(owner, Map):
            yield from _held(owner)


def _held(owner: Map) -> Iterator[Scalar]:
    for entry in owner.entries:
        if entry.key.text in TEXTS and isinstance(entry.value, Map):
            yield from (inner.value for inner in entry.value.entries if isinstance(inner.value, Scalar))


def _read_elsewhere(node: Scalar) -> str:
    """Return the text that YAML 1.1 makes of a plain value; the same text where it makes nothing else of it."""
    text = node.text
    is_count = text.isdecimal() and not text.startswith("0")
    if node.quoted or is_count or reads_as_text(text) or not _stands(node):
        return text
    value = yaml.safe_load(text)
    return text if value is None or (isinstance(value, bool) and text.lower() == str(value).lower()) else str(value)


def _stands(node: Scalar) -> bool:
    """Return whether a value stands in its file as it is, and was not made of an expression."""
    path = Path(node.place.path)
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if path.is_file() else []
    at = node.place
    return 0 < at.line <= len(lines) and lines[at.line - 1].startswith(node.text, at.column - 1)


def _finding(node: Scalar, read: str) -> Finding:
    message = f"`{node.text}` is `{read}` to every reader of YAML 1.1, such as az ml"
    return warning("MK0110", node.place, message, f'write "{node.text}"', Edit(node.text, f'"{node.text}"'))
