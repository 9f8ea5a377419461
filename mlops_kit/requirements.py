"""A pip requirements file as a conda specification: what ``conda_file`` becomes where it names one.

conda gives the entries of ``pip:`` to pip as lines of a file of their own, on the machine that builds the image. Lines
of files named with ``-r`` are taken in; a line that needs another file of this machine is a fault.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mlops_kit import documents
from mlops_kit.documents import Document, Entry, List, Map, Node, Scalar, from_data
from mlops_kit.errors import DocumentError, Place

PYTHON = "python=3.11"  # the same on every machine; a conda file names another
_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"(--[a-z-]+|-[a-zA-Z])[\s=]*(.*)")
_URL = re.compile(r"(?!file:)[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ARCHIVE = re.compile(r"\.(whl|zip|tar\.gz|tar\.bz2|tgz)$")
# Name, extras, then versions or an address, then a marker or options of the line (PEP 508, and what pip adds to it).
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?\s*(\[[^\]]*\])?\s*"
    r"(\(?\s*(===|==|~=|!=|<=|>=|<|>)\s*[^\s;,=<>!~]+(\s*,\s*(===|==|~=|!=|<=|>=|<|>)\s*[^\s;,=<>!~]+)*\s*\)?|@\s*\S+)?"
    r"\s*(;.*|--[a-z].*)?"
)
_CONDA_PIN = re.compile(r"([A-Za-z0-9][\w.\[\],-]*?)\s*=\s*([\w.*]+)")
_NESTED = ("-r", "--requirement")
_NEEDS_FILE = {
    "-r": "a requirements file",
    "--requirement": "a requirements file",
    "-c": "a constraints file",
    "--constraint": "a constraints file",
    "-e": "a folder",
    "--editable": "a folder",
    "-f": "a folder of packages",
    "--find-links": "a folder of packages",
    "-i": "an index",
    "--index-url": "an index",
    "--extra-index-url": "an index",
}
_FREE = {
    "--no-index",
    "--no-binary",
    "--only-binary",
    "--prefer-binary",
    "--pre",
    "--require-hashes",
    "--trusted-host",
    "--use-feature",
}


@dataclass(frozen=True, slots=True)
class Requirements:
    """The lines that pip reads, those of nested files in their place, and what is wrong with the others."""

    lines: tuple[Scalar, ...]
    faults: tuple[DocumentError, ...]


def is_requirements(path: str) -> bool:
    """Return whether a path names a pip requirements file, which ends in ``.txt``."""
    return path.endswith(".txt")


def read(path: Path) -> Requirements:
    """Return what a requirements file asks for, comments and line breaks removed, each line with its place."""
    found = list(_lines(path, ()))
    lines = tuple(each for each in found if isinstance(each, Scalar))
    return Requirements(lines, tuple(each for each in found if isinstance(each, DocumentError)))


def line_fault(line: str) -> str | None:
    """Say what is wrong with one line where it stands alone: pip cannot read it, or only on this machine."""
    said = " ".join(line.split())  # a scalar of YAML may hold any number of blanks, where the pattern is slow
    option = _OPTION.fullmatch(said)
    return _option_fault(option[1], option[2]) if option else _requirement_fault(said)


def wrapped(document: Document) -> Document:
    """Return a document with a conda specification in place of each requirements file that it names.

    An environment written as ``file:FILE`` is put in place, too, where that file names a requirements file.

    Raises:
        DocumentError: A line cannot be installed away from this machine, or a file cannot be read.
    """
    root = _wrapped(document.root, document.path.absolute().parent)
    return document if root is document.root else replace(document, root=root)


def _lines(path: Path, above: tuple[Path, ...]) -> Iterator[Scalar | DocumentError]:
    """Yield the lines and the faults of one file; ``above`` are the files that take it in."""
    try:
        text = documents.read_text(path)
    except DocumentError as fault:
        yield fault
        return
    for number, line in _logical(text):
        place = Place(documents.displayed(path), number, 1)
        option = _OPTION.fullmatch(line)
        if option and option[1] in _NESTED and not _URL.match(option[2]):
            yield from _nested(path.parent / option[2], place, (*above, path.resolve()))
        elif wrong := line_fault(line):
            yield DocumentError(wrong, place)
        else:
            yield Scalar(line, line, place, quoted=True)


def _nested(path: Path, place: Place, above: tuple[Path, ...]) -> Iterator[Scalar | DocumentError]:
    if path.resolve() in above:
        yield DocumentError(f"{path.name} takes itself in", place)
    elif not os.path.isfile(path):  # noqa: PTH113  pathlib raises for a name that is too long
        yield DocumentError(f"there is no file {documents.displayed(path)}", place)
    else:
        yield from _lines(path, above)


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line that says something with its number; a backslash at the end joins it with the next."""
    parts: list[str] = []
    begun = 1
    for number, line in enumerate(text.splitlines(), start=1):
        begun = begun if parts else number
        is_comment = line.lstrip().startswith("#")
        parts.append("" if is_comment else line.removesuffix("\\"))
        if line.endswith("\\") and not is_comment:
            continue
        if said := _said(parts):
            yield begun, said
        parts = []
    if said := _said(parts):
        yield begun, said


def _said(parts: list[str]) -> str:
    return " ".join(_COMMENT.sub("", "".join(parts)).split())


def _option_fault(name: str, value: str) -> str | None:
    if name in _NEEDS_FILE:
        if _URL.match(value):
            return None
        return f"`{name} {value}` needs {_NEEDS_FILE[name]} of this machine, which is not shipped; only a URL can stay"
    return None if name in _FREE else f"`{name}` is no option that a requirements file can have"


def _requirement_fault(line: str) -> str | None:
    address = line.partition(" @ ")[2] or line
    target = address.split(" ")[0].split(";")[0]
    if _URL.match(target):
        local = target.startswith("git+file:")
    else:
        local = target.startswith((".", "/", "~", "file:")) or "/" in target or bool(_ARCHIVE.search(target))
    if local:
        return f"`{line}` is a path of this machine, which is not shipped; name a version or a URL"
    if _URL.match(target) or _REQUIREMENT.fullmatch(line):
        return None
    conda = _CONDA_PIN.fullmatch(line)
    expected = f"write `{conda[1]}=={conda[2]}`" if conda else "expected NAME==VERSION or the like"
    return f"`{line}` is not a requirement that pip reads; {expected}"


def _wrapped(node: Node, folder: Path) -> Node:
    if isinstance(node, List):
        items = tuple(_wrapped(item, folder) for item in node.items)
        return node if _same(items, node.items) else replace(node, items=items)
    if not isinstance(node, Map):
        return node
    values = [_value(entry, folder) for entry in node.entries]
    if _same(values, [entry.value for entry in node.entries]):
        return node
    entries = (Entry(entry.key, value) for entry, value in zip(node.entries, values, strict=True))
    return replace(node, entries=tuple(entries))


def _same(new: list[Node] | tuple[Node, ...], old: list[Node] | tuple[Node, ...]) -> bool:
    return all(one is other for one, other in zip(new, old, strict=True))


def _value(entry: Entry, folder: Path) -> Node:
    """Return the value of one key of a document that lies in ``folder``."""
    key, value = entry.key.text, entry.value
    if not isinstance(value, Scalar):
        return _wrapped(value, folder)
    if key == "conda_file" and is_requirements(value.text):
        return _specification(folder / value.text.removeprefix("file:"), value.place)
    if key == "environment" and value.text.startswith("file:"):
        return _in_place(value, folder / value.text.removeprefix("file:"))
    return value


def _specification(path: Path, place: Place) -> Map:
    found = read(path)
    if found.faults:
        raise found.faults[0]
    pip = [{"pip": [line.text for line in found.lines]}] if found.lines else []
    node = from_data({"channels": ["conda-forge"], "dependencies": [PYTHON, "pip", *pip]}, place)
    assert isinstance(node, Map)  # noqa: S101  made of a mapping
    return node


def _in_place(reference: Scalar, path: Path) -> Node:
    """Return the environment of a file where it names a requirements file, which the SDK would not read; else as is."""
    root = documents.load(path)[0].root if os.path.isfile(path) else reference  # noqa: PTH113  as above
    conda = root.get("conda_file") if isinstance(root, Map) else None
    if not isinstance(root, Map) or not isinstance(conda, Scalar) or not is_requirements(conda.text):
        return reference
    # In a job an environment has no name of its own.
    kept = tuple(entry for entry in root.entries if entry.key.text not in {"$schema", "name", "version"})
    return _wrapped(replace(root, entries=kept), path.parent)
