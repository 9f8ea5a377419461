"""Key vaults: always soft-deleted, then recovered or purged; protection from purging cannot be taken back.

A vault is an entry: nothing answers at its address. Names of vaults are unique in all of Azure, also deleted ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import SUBSCRIPTION, Route
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.providers import soft_delete
from mlops_kit.local.providers.resource_rules import Draft, without

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.providers.soft_delete import Deleted

KIND = "Microsoft.KeyVault/vaults"
_DAYS = 90
_TAKEN_BY_DELETED = (
    "A vault with the same name already exists in deleted state. You need to either recover or purge existing key"
    " vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete."
)


def admit(plane: Plane, draft: Draft) -> dict[str, Any]:
    """Return the body of a vault, recovered where it asks for that; refuse what cannot be taken back."""
    draft = _recovered(plane, draft)
    earlier = draft.previous.properties if draft.previous else {}
    given = draft.properties
    if given.get("enableSoftDelete") is False:
        raise BadRequestError(
            'The property "enableSoftDelete" can be set to false only for creating new vault. Enabling the'
            " 'soft delete' functionality is an irreversible action.",
            target="enableSoftDelete",
        )
    if given.get("enablePurgeProtection") is False and earlier.get("enablePurgeProtection"):
        raise BadRequestError(
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is'
            " an irreversible action.",
            target="enablePurgeProtection",
        )
    days = given.get("softDeleteRetentionInDays", earlier.get("softDeleteRetentionInDays", _DAYS))
    if not isinstance(days, int) or not 7 <= days <= _DAYS:
        raise BadRequestError(
            f"The property 'softDeleteRetentionInDays' is {days}: a vault is kept 7 to {_DAYS} days.",
            target="softDeleteRetentionInDays",
        )
    kept = {"enablePurgeProtection": True} if earlier.get("enablePurgeProtection") else {}
    defaults = {"enableSoftDelete": True, "softDeleteRetentionInDays": days, "accessPolicies": []}
    return without({**draft.body, "properties": {**defaults, **given, **kept}}, "properties.createMode")


def _recovered(plane: Plane, draft: Draft) -> Draft:
    """Return the draft with the deleted vault in place that it recovers; 409 for the name of a deleted one."""
    if draft.previous is not None:
        return draft
    grave = soft_delete.buried_name(plane, KIND, draft.name)
    wants = str(draft.properties.get("createMode", "default")).lower() == "recover"
    if grave is None:
        if wants:
            raise NotFoundError(f"The deleted vault '{draft.name}'")
        return draft
    if not wants:
        raise ArmError(409, "ConflictError", _TAKEN_BY_DELETED, target="name")
    if grave.resource.id.lower() != draft.id.lower():
        raise ArmError(
            409, "ConflictError", f"The deleted vault '{draft.name}' can be recovered as {grave.resource.id}."
        )
    there = soft_delete.exhume(plane, grave.resource.id)
    return Draft(there.id, there.body, there)  # as it was: what else the request says is not taken


def forget(plane: Plane, vault: Resource) -> None:
    """Delete a vault, which keeps it for its retention period."""
    soft_delete.bury(plane, vault, vault.properties.get("softDeleteRetentionInDays", _DAYS))


def _shown(deleted: Deleted) -> dict[str, Any]:
    vault = deleted.resource
    name, location = str(vault.body["name"]), str(vault.body["location"])
    subscription = vault.id.split("/")[2]
    properties = {
        "vaultId": vault.id,
        "location": location,
        "tags": vault.body.get("tags") or {},
        "deletionDate": deleted.deleted,
        "scheduledPurgeDate": deleted.purged,
        **({"purgeProtectionEnabled": True} if vault.properties.get("enablePurgeProtection") else {}),
    }
    return {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{name}",
        "name": name,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": properties,
    }


def _find(plane: Plane, call: Call) -> Deleted:
    name, scope = call.params["vault"], f"/subscriptions/{call.params['subscription']}"
    known = soft_delete.all_buried(plane, KIND, scope)
    for one in known:
        same_place = str(one.resource.body["location"]).lower() == call.params["location"].lower()
        if str(one.resource.body["name"]).lower() == name.lower() and same_place:
            return one
    raise NotFoundError.among("deleted vault", name, (str(one.resource.body["name"]) for one in known))


def _get(plane: Plane, call: Call) -> Reply:
    return Reply(200, _shown(_find(plane, call)))


def _list(plane: Plane, call: Call) -> Reply:
    known = soft_delete.all_buried(plane, KIND, f"/subscriptions/{call.params['subscription']}")
    return Reply(200, {"value": [_shown(one) for one in known]})


def _purge(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call)
    if found.resource.properties.get("enablePurgeProtection"):
        raise ArmError(
            405,
            "MethodNotAllowed",
            f"Operation 'DeletedVaultPurge' is not allowed: '{found.resource.body['name']}' is protected from purging"
            f" and is kept until {found.purged}.",
        )
    soft_delete.purge(plane, found.resource.id)
    return accepted(plane, call)


_PROVIDER = f"{SUBSCRIPTION}/providers/Microsoft.KeyVault"
_ONE = f"{_PROVIDER}/locations/{{location}}/deletedVaults/{{vault}}"
ROUTES = (
    Route("GET", f"{_PROVIDER}/deletedVaults", _list),
    Route("GET", _ONE, _get),
    Route("POST", f"{_ONE}/purge", _purge),
)
