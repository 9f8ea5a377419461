"""MLTable files: keys and transformations that there are, paths inside of the folder that lead to something.

The names are those of the schema that the package ``mltable`` (1.6) reads a file by.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit import documents
from mlops_kit.checks.files import is_below, local_path, matching
from mlops_kit.checks.findings import Edit, Finding, brief, did_you_mean, error
from mlops_kit.documents import List, Map, Scalar, displayed
from mlops_kit.errors import DocumentError, Place
from mlops_kit.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.documents import Entry, Node

NAME = "MLTable"
KEYS = ("$schema", "type", "metadata", "paths", "traits", "transformations", "query_source")
PATH_KEYS = ("file", "folder", "pattern")
_STREAMS = {"include_path_column", "path_column"}
# transformation -> its settings; None where it has no map of settings that is known
TRANSFORMATIONS: dict[str, frozenset[str] | None] = {
    "read_delimited": frozenset(
        {"delimiter", "header", "support_multi_line", "empty_as_string", "encoding", "infer_column_types",
         "partition_size", *_STREAMS}
    ),
    "read_parquet": frozenset(_STREAMS),
    "read_json_lines": frozenset({"invalid_lines", "encoding", "partition_size", *_STREAMS}),
    "read_delta_lake": frozenset({"version_as_of", "timestamp_as_of", "include_path_column"}),
    "extract_columns_from_partition_format": frozenset({"partition_format"}),
    "sample": frozenset({"sampler", "sampler_arguments"}),
    "take_random_sample": frozenset({"probability", "seed"}),
    **dict.fromkeys(
        ("select_partitions", "filter", "take", "skip", "drop_columns", "keep_columns", "convert_column_types")
    ),
}  # fmt: skip
_ENCODINGS = ("utf8", "utf-8", "iso88591", "latin1", "ascii", "utf16", "windows1252")
VALUES = {
    ("read_delimited", "header"): (
        "no_header", "from_first_file", "all_files_different_headers", "all_files_same_headers",
    ),
    ("read_delimited", "encoding"): (*_ENCODINGS, "utf8 bom", "iso-8859-1", "latin-1", "utf-16", "windows-1252"),
    ("read_json_lines", "encoding"): (*_ENCODINGS, "utf8bom"),
    ("read_json_lines", "invalid_lines"): ("error", "drop"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A folder with an MLTable file: what the file holds, and why that cannot be read."""

    folder: str
    root: Map | None
    fault: DocumentError | None = None


def read(folder: str) -> Table:
    """Return the MLTable of a folder that holds one."""
    path = Path(folder, NAME)
    try:
        loaded = documents.load(path)
    except DocumentError as fault:
        return Table(folder, None, fault)
    root = loaded[0].root if loaded else None
    if isinstance(root, Map):
        return Table(folder, root)
    return Table(folder, None, DocumentError("the document is no map", Place(displayed(path), 1, 1)))


def faults(table: Table, files: Files) -> list[Finding]:
    """Return what is wrong with an MLTable file, beside its columns."""
    if table.root is None:
        fault = table.fault
        return [error("MK0100", fault.place or Place(table.folder), fault.message)] if fault else []
    return [
        *_keys(table.root),
        *(found for item in _items(table.root, "paths") for found in _path(item, table.folder, files)),
        *(found for item in _items(table.root, "transformations") for found in _transformation(item)),
    ]


def _keys(root: Map) -> Iterator[Finding]:
    """Report keys that an MLTable does not have, and that it says nowhere what to read."""
    unknown = [entry.key for entry in root.entries if entry.key.text not in KEYS]
    yield from (_unknown(key, "", KEYS) for key in unknown)
    if any(nearest(key.text, KEYS) == ["paths"] for key in unknown):
        return
    if root.get("paths") is None and root.get("query_source") is None:
        yield error("MK0104", root.place, "required key `paths` is missing", "list what is read: `- file: ./data.csv`")


def _unknown(key: Scalar, owner: str, known: Iterable[str]) -> Finding:
    where = f" in `{owner}`" if owner else ""
    hint = did_you_mean(key.text, known) or f"known keys: {', '.join(sorted(known))}"
    return error("MK0102", key.place, f"unknown key `{key.text}`{where}", hint)


def _items(root: Map, key: str) -> Iterable[Node]:
    node = root.get(key)
    return node.items if isinstance(node, List) else ()


def _path(item: Node, folder: str, files: Files) -> Iterator[Finding]:
    """Report one entry of ``paths``."""
    entries = item.entries if isinstance(item, Map) else ()
    if len(entries) != 1 or entries[0].key.text not in PATH_KEYS or not isinstance(entries[0].value, Scalar):
        yield _no_path(item, entries)
        return
    key, value = entries[0].key.text, entries[0].value
    target = local_path(value.text, folder)
    if target is None:
        return
    if "\\" in value.text:
        slashed = value.text.replace("\\", "/")
        message = f"`{value.text}` is written with backslashes"
        yield error("MK0403", value.place, message, f"write `{slashed}`", Edit(value.text, slashed))
    elif os.path.isabs(value.text):  # noqa: PTH117  a text, not yet a path
        hint = "give a path relative to the MLTable, or an address"
        yield error("MK0411", value.place, f"`{value.text}` is a path of this machine only", hint)
    elif not is_below(target, folder):
        message = f"`{value.text}` leads out of the folder of the MLTable, which is all that is uploaded"
        yield error("MK0411", value.place, message, "put the data below that folder, or give its address")
    elif key == "pattern":
        yield from _pattern(value, target, folder)
    else:
        yield from _local(key, value, target, files)


def _no_path(item: Node, entries: tuple[Entry, ...]) -> Finding:
    """Report an entry of ``paths`` that does not say what it is."""
    if isinstance(item, Scalar):
        key = "pattern" if "*" in item.text else "file"
        return error("MK0410", item.place, f"`{brief(item.text)}` is a text", f"write `{key}: {item.text}`")
    unknown = next((entry.key for entry in entries if entry.key.text not in PATH_KEYS), None)
    if unknown is not None:
        hint = did_you_mean(unknown.text, PATH_KEYS) or f"expected one of {', '.join(PATH_KEYS)}"
        return error("MK0410", unknown.place, f"`{unknown.text}` is no kind of path", hint)
    message = f"an entry of `paths` is one of {', '.join(PATH_KEYS)}"
    return error("MK0410", item.place, message, "write one entry for each")


def _pattern(value: Scalar, target: str, folder: str) -> Iterator[Finding]:
    if not any(True for _ in matching(folder, os.path.relpath(target, folder))):
        shown = displayed(Path(folder))
        yield error("MK0412", value.place, f"`{value.text}` matches nothing", f"looked in {shown}")


def _local(wanted: str, value: Scalar, target: str, files: Files) -> Iterator[Finding]:
    """Report a file or folder that is not there, or is the other of the two."""
    kind = files.kind(target)
    if not kind:
        near = did_you_mean(Path(target).name, files.names(str(Path(target).parent)))
        hint = near or f"looked for {displayed(Path(target))}"
        yield error("MK0401", value.place, f"{wanted} `{value.text}` does not exist", hint)
    elif kind != wanted:
        yield error("MK0404", value.place, f"`{value.text}` is a {kind}", f"write `{kind}: {value.text}`")


def _transformation(item: Node) -> Iterator[Finding]:
    """Report one transformation that there is not, and settings that it does not have."""
    if isinstance(item, Scalar):
        if item.text not in TRANSFORMATIONS:
            yield _no_transformation(item)
    elif isinstance(item, Map):
        for entry in item.entries:
            if entry.key.text not in TRANSFORMATIONS:
                yield _no_transformation(entry.key)
            elif isinstance(entry.value, Map):
                yield from _settings(entry.key.text, entry.value)


def _no_transformation(name: Scalar) -> Finding:
    hint = did_you_mean(name.text, TRANSFORMATIONS) or f"known are {', '.join(sorted(TRANSFORMATIONS))}"
    return error("MK0413", name.place, f"`{brief(name.text)}` is no transformation of an MLTable", hint)


def _settings(transformation: str, settings: Map) -> Iterator[Finding]:
    known = TRANSFORMATIONS[transformation]
    for entry in settings.entries:
        key, value = entry.key, entry.value
        if known is not None and key.text not in known:
            yield _unknown(key, transformation, known)
        elif isinstance(value, Scalar):
            allowed = VALUES.get((transformation, key.text))
            if allowed and value.text not in allowed:
                hint = did_you_mean(value.text, allowed) or f"expected one of {', '.join(allowed)}"
                yield error("MK0106", value.place, f"`{brief(value.text)}` is not a value of `{key.text}`", hint)
            elif key.text == "delimiter" and len(value.text) not in (1, 2):
                message = f"`{brief(value.text)}` is not a form that `delimiter` can have"
                yield error("MK0107", value.place, message, 'expected one or two signs, such as "," or "\\t"')
