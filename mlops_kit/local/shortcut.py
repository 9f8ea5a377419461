"""Paths that a shell takes as one word: commands name inputs without quotes, and on Azure no path has blanks."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

_ONE_WORD = re.compile(r"[\w./~+@%=:,-]+")


def to(folder: Path) -> Path:
    """Return the folder itself, or a link to it where its path has characters that mean something to a shell.

    Raises OSError where something else is at the place of the link.
    """
    if _ONE_WORD.fullmatch(str(folder)):
        return folder
    link = _link(folder)
    if not _is_ours(link, folder):
        link.symlink_to(folder)
    return link


def remove(folder: Path) -> None:
    """Remove the link to a folder, if there is one."""
    if _is_ours(_link(folder), folder):
        _link(folder).unlink()


def _link(folder: Path) -> Path:
    place = tempfile.gettempdir()
    name = f"mlops-kit-{os.getuid()}-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    return Path(place if _ONE_WORD.fullmatch(place) else "/tmp") / name  # noqa: S108  its owner and its target are checked


def _is_ours(link: Path, folder: Path) -> bool:
    """Say whether the link is there; in a folder that all may write to, only one of our own is followed."""
    return link.is_symlink() and link.lstat().st_uid == os.getuid() and link.readlink() == folder
