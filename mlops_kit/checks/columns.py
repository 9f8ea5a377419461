"""The columns of a table, as far as the head of its first file tells them, and those that are named and not there."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.files import is_below, local_path, matching
from mlops_kit.checks.findings import Finding, did_you_mean, error
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.checks.tables import Table
    from mlops_kit.documents import Node

Columns = tuple[str, ...]
HEAD = 1 << 16  # bytes of a file that are read; no header is longer
MOST_FILES = 1000  # that are looked at in order to find the first
ENCODINGS = {
    "iso88591": "latin-1",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "latin-1": "latin-1",
    "utf16": "utf-16",
    "utf-16": "utf-16",
    "windows1252": "cp1252",
    "windows-1252": "cp1252",
}
SELECTORS = {"drop_columns", "keep_columns"}
FILTERED = re.compile(r"\bcol\(\s*(?:\"([^\"]+)\"|'([^']+)')\s*\)")
PARTITION = re.compile(r"\{(\w+)(?::[^}]*)?\}")
POINTER = "version https://git-lfs.github.com/"  # stands in a checkout for a file that was not fetched


def of(table: Table, files: Files) -> tuple[Columns | None, list[Finding]]:
    """Return the columns of a table after its transformations, None where they cannot be told, and what is wrong."""
    columns: Columns | None = None
    findings: list[Finding] = []
    for name, settings in _transformations(table):
        if name == "read_delimited":
            columns = _header(table, settings, files)
        elif name.startswith("read_"):
            columns = None
        if columns is None:
            continue
        findings += [fault for node in _named(name, settings) for fault in missing(node, columns)]
        columns = _after(name, settings, columns)
    return columns, findings


def missing(node: Scalar, columns: Columns) -> Iterator[Finding]:
    """Report a column that a table does not have."""
    if node.text not in columns:
        shown = ", ".join(columns) if len(columns) <= 12 else f"{', '.join(columns[:11])} and {len(columns) - 11} more"
        hint = did_you_mean(node.text, columns) or f"columns: {shown}"
        yield error("MK0414", node.place, f"the table has no column `{node.text}`", hint)


def _transformations(table: Table) -> Iterator[tuple[str, Node | None]]:
    """Yield the transformations of a table in their order, each with its settings."""
    node = table.root.get("transformations") if table.root else None
    for item in node.items if isinstance(node, List) else ():
        if isinstance(item, Scalar):
            yield item.text, None
        elif isinstance(item, Map):
            yield from ((entry.key.text, entry.value) for entry in item.entries)


def _setting(settings: Node | None, key: str, usual: str = "") -> str:
    value = settings.get(key) if isinstance(settings, Map) else None
    return value.text if isinstance(value, Scalar) else usual


def _header(table: Table, settings: Node | None, files: Files) -> Columns | None:
    """Return the columns of the first local file, None where there is none or its first line is no header."""
    if _setting(settings, "header") in ("no_header", "all_files_different_headers"):
        return None
    file = _first_file(table, files)
    if file is None or files.is_outside(str(file)):
        return None
    encoding = ENCODINGS.get(_setting(settings, "encoding"), "utf-8-sig")
    head = _head(file).decode(encoding, errors="replace")
    delimiter = _setting(settings, "delimiter", ",")
    if len(delimiter) != 1 or head.startswith(POINTER) or not ("\n" in head or len(head) < HEAD):
        return None
    import csv  # few jobs name a table

    try:
        columns = tuple(next(csv.reader(head.splitlines(), delimiter=delimiter), ()))
    except (csv.Error, TypeError):
        return None
    return (*columns, *_path_columns(settings)) if columns else None


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as content:
            return content.read(HEAD)
    except OSError:
        return b""


def _first_file(table: Table, files: Files) -> Path | None:
    """Return the first file that the paths of a table lead to."""
    node = table.root.get("paths") if table.root else None
    first = node.items[0] if isinstance(node, List) and node.items else None
    entry = first.entries[0] if isinstance(first, Map) and first.entries else None
    path = local_path(entry.value.text, table.folder) if entry and isinstance(entry.value, Scalar) else None
    if entry is None or path is None or not is_below(path, table.folder):
        return None
    if entry.key.text == "file":
        return Path(path) if files.kind(path) == "file" else None
    if entry.key.text == "pattern":
        found = matching(table.folder, os.path.relpath(path, table.folder))
    else:
        found = matching(path, "**/*.csv")  # what else lies there, such as the MLTable itself, is no table
    return min((each for each in islice(found, MOST_FILES) if each.is_file()), default=None)


def _path_columns(settings: Node | None) -> Columns:
    """Return the columns for the path of the file that a transformation adds."""
    named = _setting(settings, "path_column")
    is_asked = _setting(settings, "include_path_column").lower() == "true"
    return (named,) if named else ("Path",) if is_asked else ()


def _named(transformation: str, settings: Node | None) -> Iterator[Scalar]:
    """Yield the columns that a transformation names."""
    if transformation in SELECTORS:
        yield from _selected(settings)
    elif transformation == "convert_column_types" and isinstance(settings, List):
        for item in settings.items:
            if isinstance(item, Map):
                yield from _selected(item.get("columns"))
    elif transformation == "filter" and isinstance(settings, Scalar):
        for found in FILTERED.finditer(settings.text):
            yield Scalar(found[1] or found[2], found[1] or found[2], settings.place)


def _selected(node: Node | None) -> Iterator[Scalar]:
    """Yield the columns of a selector: one, or a list; a pattern names none."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, List):
        yield from (item for item in node.items if isinstance(item, Scalar))


def _after(transformation: str, settings: Node | None, columns: Columns) -> Columns | None:
    """Return the columns that a transformation leaves."""
    if transformation == "extract_columns_from_partition_format":
        return (*columns, *PARTITION.findall(_setting(settings, "partition_format")))
    if transformation not in SELECTORS:
        return columns
    if isinstance(settings, Map):
        return None  # a pattern of columns
    selected = {node.text for node in _selected(settings)}
    return tuple(column for column in columns if (column in selected) == (transformation == "keep_columns"))
