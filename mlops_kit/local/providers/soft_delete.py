"""Resources that are deleted but not gone: kept under their id for a retention period, recovered or purged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mlops_kit.local.arm.ids import timestamp
from mlops_kit.local.arm.store import Resource

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

_GRAVE = "/deleted"


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deleted resource as it was, and its two dates as ARM writes them."""

    resource: Resource
    deleted: str
    purged: str

    def due(self, now: datetime) -> bool:
        """Say whether the retention period is over."""
        return datetime.fromisoformat(self.purged) <= now


def bury(plane: Plane, resource: Resource, days: int) -> None:
    """Take a resource, with everything below it, out of sight for ``days`` days."""
    now = plane.now()
    dates = {"deleted": timestamp(now), "purged": timestamp(now + timedelta(days=days))}
    with plane.store.transaction():
        plane.store.put(resource.body, {**resource.private, "grave": dates})
        plane.store.delete(_GRAVE + resource.id)
        plane.store.move(resource.id, _GRAVE + resource.id)


def buried(plane: Plane, resource_id: str) -> Deleted | None:
    """Return the deleted resource of this id; None where there is none, or its retention period is over."""
    return _deleted(plane, plane.store.find(_GRAVE + resource_id))


def buried_name(plane: Plane, kind: str, name: str) -> Deleted | None:
    """Return the deleted resource of a type with a name, wherever it was; None where there is none."""
    found = (_deleted(plane, one) for one in plane.store.named(kind, name) if "grave" in one.private)
    return next((one for one in found if one is not None), None)


def all_buried(plane: Plane, kind: str, scope: str) -> list[Deleted]:
    """Return the deleted resources of a type below a scope."""
    found = (_deleted(plane, one) for one in plane.store.of_type(kind, _GRAVE + scope))
    return [one for one in found if one is not None]


def _deleted(plane: Plane, found: Resource | None) -> Deleted | None:
    if found is None:
        return None
    dates = found.private["grave"]
    whole = Deleted(found, dates["deleted"], dates["purged"])
    return None if whole.due(plane.now()) else whole


def overdue(plane: Plane, resource_id: str) -> Resource | None:
    """Return a deleted resource whose retention period is over, so that what it holds can be purged."""
    found = plane.store.find(_GRAVE + resource_id)
    return found if found is not None and _deleted(plane, found) is None else None


def exhume(plane: Plane, resource_id: str) -> Resource:
    """Bring a deleted resource back under its id, with everything below it."""
    with plane.store.transaction():
        plane.store.move(_GRAVE + resource_id, resource_id)
        found = plane.store.get(resource_id)
        plane.store.put(found.body, {key: value for key, value in found.private.items() if key != "grave"})
    return plane.store.get(resource_id)


def purge(plane: Plane, resource_id: str) -> None:
    """Forget a deleted resource for ever."""
    plane.store.delete(_GRAVE + resource_id)
