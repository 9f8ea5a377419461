"""Blobs that start something when they change: what is there, and what of it is new and has come to rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mlops_kit.errors import UsageError
from mlops_kit.workspace import artifacts, failures
from mlops_kit.workspace.connect import Workspace


@dataclass(frozen=True, slots=True)
class Blob:
    """One blob; ``etag`` changes with every write, ``modified`` is when the last one was, in UTC."""

    name: str
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where blobs are watched: a container of a storage account, a folder in it, the end of their names."""

    account: str
    container: str
    prefix: str = ""
    suffix: str = ""


def present(workspace: Workspace, place: Place) -> tuple[Blob, ...]:
    """Return the blobs of a place, read by way of the datastore that the workspace has on its container.

    Raises:
        UsageError: It has none.
    """
    with failures.readable(f"list the container {place.container!r}"):
        store = _datastore(workspace.ml, place)
        if store is None:
            raise UsageError(
                f"no datastore of the workspace is on the container {place.container!r} of {place.account}: create one"
            )
        container = artifacts.open_store(workspace.ml, workspace.credential.token, store)
        found = container.list_blobs(name_starts_with=place.prefix or None)
        return tuple(Blob(one.name, one.etag, one.last_modified) for one in found if one.name.endswith(place.suffix))


def _datastore(ml: Any, place: Place) -> str | None:
    """Return the name of a datastore on a container."""
    for one in ml.datastores.list():
        there = (getattr(one, "account_name", None), getattr(one, "container_name", None))
        if there == (place.account, place.container):
            return str(one.name)
    return None


def due(blobs: Iterable[Blob], known: Mapping[str, str], now: datetime, rest: timedelta) -> tuple[Blob, ...]:
    """Return the blobs that are new or changed, together, once none of them was written for the time ``rest``."""
    changed = tuple(one for one in blobs if known.get(one.name) != one.etag)
    return () if any(now - one.modified < rest for one in changed) else changed
