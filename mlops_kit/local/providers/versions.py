"""The rules that all versioned assets share: containers, versions, labels, lists, archiving and immutability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import NotFoundError

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane


def find_version(plane: Plane, workspace: str, kind: str, name: str, version_or_label: str) -> Resource:
    """Return a version of an asset; 404 where there is none.

    ``kind`` is the collection (``data``, ``models``, ``environments``, ``components``, ``codes``); the label
    ``latest`` and an empty text mean the version created last.
    """
    members = plane.store.list(f"{workspace}/{kind}/{name}/versions", newest_first=True)
    if version_or_label in {"", "latest"} and members:
        return members[0]
    found = plane.store.find(f"{workspace}/{kind}/{name}/versions/{version_or_label}")
    if found is None:
        raise NotFoundError(f"Version '{version_or_label}' of '{name}' in {kind}")
    return found
