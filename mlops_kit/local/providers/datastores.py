"""Datastores: named places in storage. Blob datastores of the local account are containers in Azurite."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from mlops_kit.local.arm.wire import NotFoundError

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

DEFAULT = "workspaceblobstore"
ARTIFACTS = "workspaceartifactstore"


def container(plane: Plane, workspace_id: str, name: str) -> str:
    """Return the container that holds a datastore's data; 404 with the nearest names where there is no such datastore."""
    found = plane.store.find(f"{workspace_id}/datastores/{name}")
    if found is None:
        raise NotFoundError(_unknown(plane, workspace_id, name))
    return str(found.private["container"])


def default_datastore(plane: Plane, workspace_id: str) -> str:
    """Return the name of the workspace's default datastore."""
    members = plane.store.list(f"{workspace_id}/datastores")
    return next((str(one.body["name"]) for one in members if one.properties.get("isDefault")), DEFAULT)


def _unknown(plane: Plane, workspace_id: str, name: str) -> str:
    names = [str(one.body["name"]) for one in plane.store.list(f"{workspace_id}/datastores")]
    near = get_close_matches(name, names, n=3) or names
    return f"The datastore '{name}' (this workspace has: {', '.join(near) or 'none'})"
