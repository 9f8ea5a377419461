"""User-assigned identities: who each is in the directory. One that is deleted and made again is somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import stable_guid
from mlops_kit.local.settings import TENANT

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.providers.resource_rules import Draft

_FACTS = ("principalId", "clientId", "tenantId")


def admit(plane: Plane, draft: Draft) -> dict[str, Any]:
    """Return an identity with what the directory knows of it: as before, or new with each time that it is made."""
    if draft.previous is not None:
        facts = {name: draft.previous.properties[name] for name in _FACTS}
    else:
        facts = {**_entry(draft.id, plane.store.next_number(f"identity {draft.id.lower()}")), "tenantId": TENANT}
    return {**draft.body, "properties": {**draft.properties, **facts}}


def assigned(plane: Plane, identity_id: str) -> dict[str, str]:
    """Return what a resource shows of an identity that it was given."""
    found = plane.store.find(identity_id)
    if found is None:
        return _entry(identity_id, 1)
    return {name: found.properties[name] for name in ("principalId", "clientId")}


def _entry(identity_id: str, time: int) -> dict[str, str]:
    """Return the guids of an identity: the same on every machine that makes it as many times."""
    more = () if time == 1 else (str(time),)
    return {f"{what}Id": stable_guid(identity_id, what, *more) for what in ("principal", "client")}
