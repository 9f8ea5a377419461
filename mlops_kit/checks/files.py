"""What checks may ask about the disk: whether a path is a file or a folder, and what a YAML file holds."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from mlops_kit import documents, requirements
from mlops_kit.documents import Map, Scalar
from mlops_kit.errors import DocumentError, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
SCHEMES = "azureml|https?|wasbs?|abfss?|adl|s3|gs|hdfs|runs|models|mlflow-artifacts|git\\+[a-z]+"
REMOTE = re.compile(rf"^({SCHEMES}):")


class Files:
    """Answers from the disk, each asked for once; ``root`` is the project folder, None outside of a project."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = os.path.realpath(root) if root else None
        self._kinds: dict[str, Literal["file", "folder", ""]] = {}
        self._maps: dict[str, Map | None] = {}
        self._requirements: dict[str, requirements.Requirements] = {}
        self._outside: dict[str, bool] = {}
        self._answers: dict[tuple[Any, str], Any] = {}
        self.unreadable: list[DocumentError] = []  # what was wrong with the YAML files that were asked for

    def kind(self, path: str) -> Literal["file", "folder", ""]:
        """Return whether a path is a ``file``, a ``folder`` or nothing."""
        if path not in self._kinds:
            self._kinds[path] = _kind(path)
        return self._kinds[path]

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder of the project, to suggest one."""
        is_known = self.kind(folder) == "folder" and not self.is_outside(folder)
        return sorted(path.name for path in Path(folder).iterdir()) if is_known else []

    def is_outside(self, path: str) -> bool:
        """Return whether a path leads out of the project, links followed."""
        if path not in self._outside:
            self._outside[path] = self.root is not None and _is_outside(path, self.root)
        return self._outside[path]

    def map(self, path: str) -> Map | None:
        """Return what a YAML file holds, or None when it lies outside, cannot be read or holds no map."""
        if path not in self._maps:
            self._maps[path] = None if self.is_outside(path) else self._map(path)
        return self._maps[path]

    def _map(self, path: str) -> Map | None:
        try:
            found = documents.load(Path(path))
        except DocumentError as fault:
            self.unreadable.append(fault)
            return None
        root = found[0].root if found else None
        return root if isinstance(root, Map) else None

    def requirements(self, path: str) -> requirements.Requirements:
        """Return what a pip requirements file asks for."""
        if path not in self._requirements:
            self._requirements[path] = requirements.read(Path(path))
        return self._requirements[path]

    def once(self, question: Callable[[str], T], path: str) -> T:
        """Return what a function says of a path; a second time it is not asked."""
        key = (question, path)
        if key not in self._answers:
            self._answers[key] = question(path)
        answer: T = self._answers[key]
        return answer


def _kind(path: str) -> Literal["file", "folder", ""]:
    known = Path(path)
    try:
        return "folder" if known.is_dir() else "file" if known.exists() else ""
    except (OSError, ValueError):
        return ""  # too long, or not a path at all: it does not exist


def _is_outside(path: str, root: str) -> bool:
    try:
        real = os.path.realpath(path)
    except ValueError:
        return False  # not a path: reported as missing
    return real != root and not real.startswith(root + os.sep)


def is_below(path: str, folder: str) -> bool:
    """Return whether an absolute path is a folder or lies in it, as far as its text says."""
    return path == folder or path.startswith(folder + os.sep)


def matching(folder: str, pattern: str) -> Iterator[Path]:
    """Yield what a relative pattern, where ``**`` is any number of folders, matches in a folder."""
    try:
        yield from Path(folder).glob(pattern)
    except (NotImplementedError, ValueError, IndexError, OSError):
        return  # not a pattern: it matches nothing


def place_in(scalar: Scalar, fragment: str) -> Place:
    """Return where a piece of a scalar's text stands in the file; the scalar's own place when it is not found there."""
    place = scalar.place
    path = Path(place.path)
    if not place.line or not path.is_file():
        return place
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines[place.line - 1 :], start=place.line):
        column = line.find(fragment, place.column - 1 if number == place.line else 0)
        if column >= 0:
            return Place(place.path, number, column + 1)
    return _folded(lines, place, fragment)


def _folded(lines: list[str], place: Place, fragment: str) -> Place:
    """Return where a piece begins that goes over several lines of the file, which YAML joined by blanks."""
    text = "\n".join(lines[place.line - 1 :])
    found = re.compile(r"\s+".join(map(re.escape, fragment.split()))).search(text, place.column - 1)
    if not found or not fragment.strip():
        return place
    above = text[: found.start()]
    return Place(place.path, place.line + above.count("\n"), found.start() - above.rfind("\n"))


@lru_cache(maxsize=4096)
def local_path(text: str, folder: str) -> str | None:
    """Return the absolute path that a text written in a file of ``folder`` means, None when it is not a local path."""
    written = text.removeprefix("file:")
    if not written or "${{" in written or REMOTE.match(written):
        return None
    return os.path.normpath(Path(folder, written.replace("\\", "/")))
