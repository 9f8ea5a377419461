"""Local paths in a document: they exist, are of the right kind, stay in the project and are written with slashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Edit, Finding, brief, did_you_mean, error
from mlops_kit.documents import List, Map, Scalar, displayed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Entry, Node

Wanted = Literal["file", "folder", "any"]
# declared type -> what the path must be, and the file a folder must hold
TYPES: dict[str, tuple[Wanted, str]] = {
    "uri_file": ("file", ""),
    "uri_folder": ("folder", ""),
    "mltable": ("folder", "MLTable"),
    "mlflow_model": ("folder", "MLmodel"),
}
ANYTHING: tuple[Wanted, str] = ("any", "")
FILE_KEYS = {"component", "trial", "create_job", "import_data", "conda_file"}  # a text here names a file
DATA_KEYS = {"training_data", "validation_data", "test_data", "build", "model", "specification", "specification_path"}
ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(:[A-Za-z0-9._-]+|@[A-Za-z0-9._-]+)")  # name:version or name@label
BELOW_KEYS = {"scoring_script", "entry_script", "dockerfile_path"}  # in the folder that another key names
SCRIPT_KEYS = BELOW_KEYS - {"dockerfile_path"}
DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class LocalPath:
    """A local path in a document: the scalar, the folder it is relative to, what it must be and what it must hold."""

    node: Scalar
    folder: str
    key: str
    wanted: Wanted
    holds: str = ""


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with the local paths of a document."""
    root, folder = subject.root, subject.folder
    found = (*_root_path(root, subject.kind, folder), *_inside(root, folder, ("", "")))
    return [finding for path in found for finding in faults(path, subject.files)]


def _root_path(root: Map, kind: str, folder: str) -> Iterator[LocalPath]:
    """Yield the ``path`` of a data asset, a model or code."""
    path = root.get("path")
    if kind in ("data", "model", "code") and isinstance(path, Scalar):
        usual = "uri_folder" if kind == "data" and root.get("type") is None else ""
        yield LocalPath(path, folder, "path", *TYPES.get(_text(root.get("type")) or usual, ANYTHING))


def _inside(node: Map, folder: str, trail: tuple[str, str]) -> Iterator[LocalPath]:
    """Yield the local paths in a map; ``trail`` holds the key it stands at and the key above that."""
    for entry in node.entries:
        key, value = entry.key.text, entry.value
        if isinstance(value, Scalar):
            yield from _scalar(node, entry, folder, trail)
        elif isinstance(value, Map):
            if key == "entry":
                yield from _entry(node, value, folder)
            if key != "outputs":
                yield from _inside(value, folder, (key, trail[0]))
        else:
            yield from _items(value, folder, (key, trail[0]))


def _items(node: List, folder: str, trail: tuple[str, str]) -> Iterator[LocalPath]:
    """Yield the local paths in a list."""
    for item in node.items:
        if isinstance(item, Map):
            yield from _inside(item, folder, trail)
        elif isinstance(item, Scalar) and trail[0] == "additional_includes":
            yield LocalPath(item, folder, trail[0], "any")


def _scalar(node: Map, entry: Entry, folder: str, trail: tuple[str, str]) -> Iterator[LocalPath]:
    """Yield the path that the value of a key is, if it is one."""
    key, value = entry.key.text, entry.value
    if not isinstance(value, Scalar) or value.value is None:
        return
    if key == "code":
        yield LocalPath(value, folder, key, "any")
    elif key in FILE_KEYS or (key, trail[0]) == ("job", "create_job") or _is_file_reference(entry):
        yield LocalPath(value, folder, key, "file")
    elif key == "path" and trail[0] == "build":
        yield LocalPath(value, folder, key, "folder", "" if _text(node.get("dockerfile_path")) else "Dockerfile")
    elif key == "dockerfile_path" and (context := local_path(_text(node.get("path")), folder)):
        yield LocalPath(value, context, key, "file")
    elif key == "path" and (trail[1] == "inputs" or trail[0] in DATA_KEYS):
        # in mode direct the program gets the text itself, and may well resolve a wildcard
        declared = "" if _text(node.get("mode")) == "direct" else _text(node.get("type"))
        yield LocalPath(value, folder, key, *TYPES.get(declared, ANYTHING))
    elif key in SCRIPT_KEYS:
        code = local_path(_text(node.get("code")), folder)
        if code:
            yield LocalPath(value, code, key, "file")


def _entry(node: Map, entry: Map, folder: str) -> Iterator[LocalPath]:
    """Yield the file that a Spark job starts with."""
    code, file = local_path(_text(node.get("code")), folder), entry.get("file")
    if code and isinstance(file, Scalar):
        yield LocalPath(file, code, "entry_script", "file")


def _is_file_reference(entry: Entry) -> bool:
    """Return whether an environment is written as ``file:./environment.yml``."""
    return entry.key.text == "environment" and _text(entry.value).startswith("file:")


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def faults(path: LocalPath, files: Files) -> list[Finding]:
    """Return the first thing that is wrong with a path; one fault yields one finding."""
    text, place = path.node.text, path.node.place
    if DRIVE.match(text):
        hint = "give a path relative to this file, with slashes"
        return [error("MK0326", place, f"`{text}` starts with a drive letter, which only one machine has", hint)]
    absolute = local_path(text, path.folder)
    if "*" in text and _is_taken_literally(path, absolute, files):
        hint = "give the folder, or an MLTable that has `pattern:`" if path.key == "path" else "give the folder"
        return [error("MK0405", place, f"`{text}` holds a wildcard, which is taken literally", hint)]
    if absolute is None:
        return _unversioned(path) if path.key == "path" else []
    if "\\" in text:
        slashed = text.replace("\\", "/")
        message = f"`{text}` is written with backslashes"
        return [error("MK0403", place, message, f"write `{slashed}`", Edit(text, slashed))]
    if files.is_outside(absolute):
        return [error("MK0402", place, f"`{text}` leads out of the project")]
    if path.key in BELOW_KEYS and files.kind(path.folder) != "folder":
        return []  # the missing folder is one fault, reported where it is named
    return kind_faults(path, files)


def _is_taken_literally(path: LocalPath, absolute: str | None, files: Files) -> bool:
    """Return whether nothing resolves the wildcard of a path: no service does, and no file here has such a name."""
    if absolute is None:
        return path.key == "path" and path.wanted != "any"
    return not files.kind(absolute)


def _unversioned(path: LocalPath) -> list[Finding]:
    """Report a reference to a data asset or model that says neither version nor label."""
    text = path.node.text
    if not re.fullmatch(r"azureml:[A-Za-z0-9._-]+", text):
        return []
    hint = f"write `{text}:VERSION` or `{text}@latest`"
    return [error("MK0107", path.node.place, f"`{text}` names no version", hint)]


def kind_faults(path: LocalPath, files: Files) -> list[Finding]:
    """Report a local path that does not exist, is of the wrong kind or lacks a file."""
    absolute = local_path(path.node.text, path.folder)
    if absolute is None:
        return []
    text, place, kind = brief(path.node.text), path.node.place, files.kind(absolute)
    if not kind and ASSET.fullmatch(path.node.text):
        return [error("MK0107", place, f"`{text}` is no local path and no reference", f"write `azureml:{text}`")]
    if not kind:
        near = did_you_mean(Path(absolute).name, files.names(str(Path(absolute).parent)))
        what = "file or folder" if path.wanted == "any" else path.wanted
        hint = near or f"looked for {displayed(Path(absolute))}"
        return [error("MK0401", place, f"{what} `{text}` does not exist", hint)]
    if path.wanted not in ("any", kind):
        return [error("MK0404", place, f"`{text}` is a {kind}", f"expected a {path.wanted}")]
    if path.holds and not files.kind(f"{absolute}/{path.holds}"):
        hint = _instead_of(path.holds, files.names(absolute))
        return [error("MK0406", place, f"folder `{text}` holds no file named {path.holds}", hint)]
    return []


def _instead_of(wanted: str, names: list[str]) -> str:
    """Say what to do with a file whose name differs from the wanted one by its case or a suffix only."""
    found = next((name for name in names if name.partition(".")[0].lower() == wanted.lower()), "")
    if found and wanted == "Dockerfile":
        return f"write `dockerfile_path: {found}`"
    return f"rename `{found}` to `{wanted}`" if found else ""
