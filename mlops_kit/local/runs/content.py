"""Blob content on disk, one copy per content: what read-only inputs and code snapshots are served from.

Copies are shared by all jobs and must not be written. Files have no write bit, which stops everyone but root; so each
copy is also compared with its record when a job ends, and a copy that was changed is never served again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.local.arm.wire import NotFoundError
from mlops_kit.local.storage import Blob, BlobStore

_RECORD = "content.json"
_FILES = "files"


@dataclass(frozen=True, slots=True)
class Copy:
    """A shared copy of a blob or of all blobs under a prefix. ``path`` is the file, or the folder."""

    path: Path
    record: Path


class ContentCache:
    """The shared copies of one control plane, below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def file(self, blobs: BlobStore, container: str, path: str) -> Copy:
        """Return the copy of one blob; 404 where there is none."""
        found = [blob for blob in blobs.list(container, path) if blob.name == path]
        if not found:
            raise NotFoundError(f"The file '{path}' in the container '{container}'")
        copy = self._copied(blobs, container, path, found)
        return Copy(copy.path / path.rpartition("/")[2], copy.record)

    def folder(self, blobs: BlobStore, container: str, prefix: str) -> Copy:
        """Return the copy of all blobs under a prefix (or of the one blob of that name, in a folder); 404 without."""
        base = prefix.strip("/")
        found = [b for b in blobs.list(container, base) if not base or b.name == base or b.name.startswith(f"{base}/")]
        if not found:
            raise NotFoundError(f"The folder '{base}' in the container '{container}'")
        return self._copied(blobs, container, base, found)

    def clean(self) -> None:
        """Delete copies that were changed or never completed. No job may run."""
        for folder in self._folder.glob("*/*"):
            if not (folder / _RECORD).exists():
                shutil.rmtree(folder, ignore_errors=True)

    def _copied(self, blobs: BlobStore, container: str, base: str, found: list[Blob]) -> Copy:
        key = _key(container, base, found)
        with self._locks[key]:
            for record in (self._folder / key).glob(f"*/{_RECORD}"):
                return Copy(_place(record, base), record)
            return self._download(blobs, container, base, self._folder / key / uuid.uuid4().hex[:8])

    def _download(self, blobs: BlobStore, container: str, base: str, folder: Path) -> Copy:
        record = folder / _RECORD
        target = _place(record, base)
        target.mkdir(parents=True)
        blobs.download_tree(container, base, target)
        for file in _files(target):
            file.chmod(0o444)
        draft = record.with_suffix(".new")
        draft.write_text(json.dumps(_listing(target)), encoding="utf-8")
        draft.replace(record)
        return Copy(target, record)


def changed(copy: Copy) -> str:
    """Return what was done to a copy since it was made, or ''; a changed copy is withdrawn."""
    folder = copy.path if copy.path.is_dir() else copy.path.parent
    try:
        before: dict[str, list[int]] = json.loads(copy.record.read_text(encoding="utf-8"))
    except FileNotFoundError:  # another job has changed it, and that job was told
        return ""
    after = _listing(folder)
    if before == after:
        return ""
    copy.record.unlink(missing_ok=True)
    name = next(name for name in sorted({*before, *after}) if before.get(name) != after.get(name))
    what = "added" if name not in before else "deleted" if name not in after else "changed"
    return f"'{name}' was {what}"


def private(copy: Copy, target: Path) -> Path:
    """Copy content to a place of a job's own, where it may be written; return the file or the folder."""
    target.mkdir(parents=True, exist_ok=True)
    if copy.path.is_dir():
        for source in _files(copy.path):
            place = target / source.relative_to(copy.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
        return target
    shutil.copyfile(copy.path, target / copy.path.name)
    return target / copy.path.name


def _place(record: Path, base: str) -> Path:
    """Return the folder of the files; its name is the one that the user knows."""
    return record.parent / _FILES / (base.rpartition("/")[2] or "data")


def _key(container: str, base: str, found: list[Blob]) -> str:
    digest = hashlib.sha256(f"{container}\0{base}".encode())
    for blob in found:
        digest.update(f"\0{blob.name}\0{blob.size}\0{blob.etag}\0{blob.modified.isoformat()}".encode())
    return digest.hexdigest()[:32]


def _files(folder: Path) -> list[Path]:
    return [Path(root) / name for root, _, names in os.walk(folder) for name in names]


def _listing(folder: Path) -> dict[str, list[int]]:
    """Return size and time of change of every file, by relative path."""
    facts = ((file, file.lstat()) for file in _files(folder))
    return {file.relative_to(folder).as_posix(): [fact.st_size, fact.st_mtime_ns] for file, fact in facts}
