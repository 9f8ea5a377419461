"""What a document ships: the digest of its content and its local files, and code folders that hold just what ships."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mlops_kit import packaging
from mlops_kit.errors import UsageError

CODE_KEYS = frozenset({"code", "additional_includes"})
DOCUMENT_KEYS = frozenset({"component", "trial", "job", "create_job", "conda_file"})  # a text here may name a YAML file
REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
INNER = ("component", "trial", "task", "jobs")  # what a job, a step or a component may have its code in

# From the name of a code folder and what ships of it to the id of its code version; None leaves the upload to the SDK.
Upload = Callable[[str, packaging.Package], str | None]


def _nowhere(_name: str, _packaged: packaging.Package) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class LocalPath:
    """A local file or folder that a document names: by which key, and where it is."""

    key: str
    path: Path


def digest(text: str, path: Path) -> str:
    """Return a digest of a document and of all that ships with it, equal on every machine.

    ``text`` is the YAML; relative paths in it start at the folder of ``path``.
    """
    total = hashlib.sha256()
    for line in _lines(yaml.safe_load(text), path.parent, (path.resolve(),)):
        total.update(line.encode() + b"\0")
    return total.hexdigest()[:16]


def _lines(document: Any, folder: Path, opened: tuple[Path, ...]) -> Iterator[str]:
    """Yield the document and one line per local path in it; files that are documents in turn are entered."""
    yield json.dumps(document, sort_keys=True, default=str)
    for each in sorted(set(_local_paths(document, folder, "")), key=lambda each: (each.key, str(each.path))):
        yield each.key
        if not _is_document(each):
            pack = packaging.package if each.key.rpartition(".")[2] in CODE_KEYS else packaging.data_package
            yield packaging.content_id(pack(each.path))
        elif each.path.resolve() not in opened:
            inner = yaml.safe_load(each.path.read_text(encoding="utf-8-sig"))
            yield from _lines(inner, each.path.parent, (*opened, each.path.resolve()))


def _local_paths(document: Any, folder: Path, key: str) -> Iterator[LocalPath]:
    """Yield the existing local files and folders that a document points to, at any depth; ``key`` leads to it."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _local_paths(value, folder, f"{key}.{name}".lstrip("."))
    elif isinstance(document, list):
        for value in document:
            yield from _local_paths(value, folder, key)
    elif isinstance(document, str) and (path := _path(document, key.rpartition(".")[2])):
        found = _existing(folder / path)
        if found:
            yield LocalPath(key, found)


def _path(text: str, key: str) -> str:
    """Return the path that a text under a key is, the empty string for any other text."""
    if text.startswith("file:"):
        return text.removeprefix("file:")
    return text if key in {"path", *CODE_KEYS, *DOCUMENT_KEYS} and not REMOTE.match(text) else ""


def _existing(path: Path) -> Path | None:
    """Return a path that exists; ``lib.zip`` among the additional includes may stand for the folder ``lib``."""
    zipped = [path.with_suffix("")] if path.suffix == ".zip" else []
    return next((each for each in (path, *zipped) if each.exists()), None)


def _is_document(found: LocalPath) -> bool:
    """Tell whether a file is YAML that the SDK reads, not one that it uploads as it is."""
    is_upload = found.key.rpartition(".")[2] in {"path", *CODE_KEYS}
    return not is_upload and found.path.is_file() and found.path.suffix.lower() in {".yml", ".yaml"}


@dataclass(frozen=True, slots=True)
class Staging:
    """What the SDK gets for each code folder: the code version that ``upload`` made, or a copy below ``target``."""

    target: Path
    upload: Upload
    made: dict[tuple[Path, bool], str] = field(default_factory=dict)

    def code(self, given: Any, start: Path, *, is_whole: bool) -> Any:
        """Return what stands for a code folder; what is no local folder, or is a copy already, stays as it is.

        ``is_whole`` says that nothing else ships with it: only then can it be uploaded here.
        """
        if not isinstance(given, str | os.PathLike) or REMOTE.match(str(given)):
            return given
        source = (start / given).resolve()
        if not source.is_dir() or source.is_relative_to(self.target.resolve()):
            return given
        if (source, is_whole) not in self.made:
            self.made[source, is_whole] = self._made(source, is_whole=is_whole)
        return self.made[source, is_whole]

    def _made(self, source: Path, *, is_whole: bool) -> str:
        packaged = packaging.package(source)
        if too_much := packaging.excess(packaged, packaging.limits()):
            raise UsageError(f"the code folder {source} {too_much}")
        uploaded = self.upload(source.name, packaged) if is_whole and packaged.files else None
        return uploaded or str(self._copied(source.name, packaged))

    def _copied(self, name: str, packaged: packaging.Package) -> Path:
        copy = Path(tempfile.mkdtemp(dir=self.target)) / name
        copy.mkdir()
        for file in packaged.files:
            _copy(file.source, copy / file.path)
        return copy


@contextlib.contextmanager
def staged(entity: Any, upload: Upload = _nowhere) -> Iterator[None]:
    """Point the SDK's object at code versions, or at copies of its code folders that hold what ships, while it is sent.

    Of the ignore files azure-ai-ml reads one, in the code folder itself, and it uploads ``.git``
    (azure/ai/ml/_utils/_asset_utils.py, 1.35).

    Raises:
        UsageError: A code folder ships more than the service takes.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-kit-") as folder:
        _stage_below(entity, Path.cwd(), Staging(Path(folder), upload))
        yield


def _stage_below(entity: Any, above: Path, staging: Staging) -> None:
    """Stage the code of an entity and of the steps and components in it; ``above`` is where their paths start."""
    held = vars(entity)
    start = Path(held.get("_base_path") or above)
    included = held.get("additional_includes")
    if held.get("code"):
        entity.code = staging.code(held["code"], start, is_whole=not included)
    if included:
        entity.additional_includes = [staging.code(each, start, is_whole=False) for each in included]
    # Steps of a pipeline make up any attribute that they are asked for.
    inner = [getattr(entity, name) for name in INNER if name in held or hasattr(type(entity), name)]
    for each in inner:
        for part in each.values() if type(each) is dict else [each]:
            if hasattr(part, "__dict__"):
                _stage_below(part, start, staging)


def _copy(source: Path, target: Path) -> None:
    """Make a file appear a second time, without a second copy of its bytes where the disk allows."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source.resolve())
    except OSError:  # another disk, or a file system without links
        shutil.copy2(source, target)
