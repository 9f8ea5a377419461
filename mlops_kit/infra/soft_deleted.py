"""Vaults and workspaces that are deleted but not gone: found, recovered, purged, or told.

A name stays taken for the retention period. What is done about it is the environment's ``infra.soft_deleted``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.infra.arm import GROUPS, VAULTS, WORKSPACES, Arm, group_id

_ML = "Microsoft.MachineLearningServices"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deleted vault or workspace that keeps its name until ``until``; ``policy`` is what to do about it."""

    kind: str  # vault, workspace
    id: str
    location: str
    until: str
    policy: str
    protected: bool = False  # from purging

    @property
    def name(self) -> str:
        """Return the name that is taken."""
        return self.id.rpartition("/")[2]

    def __str__(self) -> str:
        """Return what it is, in words."""
        return f"the {self.kind} {self.name!r} is deleted but not gone: it is kept until {self.until}"


def find(arm: Arm, values: Mapping[str, Any]) -> tuple[Tombstone, ...]:
    """Return the deleted vault and workspace whose names the environment needs."""
    return (*_vaults(arm, values), *_workspaces(arm, values))


def _vaults(arm: Arm, values: Mapping[str, Any]) -> Iterator[Tombstone]:
    group, vault = values["resource_group"], values["key_vault"]
    place = f"/subscriptions/{group['subscription_id']}/providers/Microsoft.KeyVault/locations/{group['location']}"
    found = arm.find(f"{place}/deletedVaults/{vault['name']}", VAULTS)
    if found is not None:
        facts = found["properties"]
        until, is_protected = str(facts.get("scheduledPurgeDate")), bool(facts.get("purgeProtectionEnabled"))
        yield Tombstone(
            "vault", facts["vaultId"], facts["location"], until, vault["when_soft_deleted"], protected=is_protected
        )


def _workspaces(arm: Arm, values: Mapping[str, Any]) -> Iterator[Tombstone]:
    """Yield the deleted workspace; Azure answers 404 where it does not list them, and refuses the name later."""
    workspace = values["workspace"]
    wanted = f"{group_id(values)}/providers/{_ML}/workspaces/{workspace['name']}".lower()
    listed = arm.find(
        f"/subscriptions/{values['resource_group']['subscription_id']}/providers/{_ML}/deletedWorkspaces", WORKSPACES
    )
    for one in (listed or {}).get("value", []):
        facts = one["properties"]
        if str(facts["workspaceArmId"]).lower() == wanted:
            until = str(facts.get("scheduledPurgeTime"))
            policy = workspace["when_soft_deleted"]
            yield Tombstone("workspace", facts["workspaceArmId"], one.get("location", ""), until, policy)


def require_possible(found: tuple[Tombstone, ...]) -> None:
    """Refuse to go on where a name is taken and the policy leaves it so, or the purge is impossible."""
    for one in found:
        if one.policy == "refuse":
            raise UsageError(
                f"{one}; set infra.soft_deleted to recover or purge, or give infra.suffix another value for a new name"
            )
        if one.policy == "purge" and one.protected:
            raise UsageError(
                f"{one}, and it is protected from purging; set infra.soft_deleted to recover, or give infra.suffix"
                " another value for a new name"
            )


def resolve(arm: Arm, values: Mapping[str, Any], one: Tombstone) -> None:
    """Purge or recover what is deleted, as its policy says; afterwards the name is free, or the resource is there."""
    _RESOLVE[one.kind, one.policy](arm, values, one)


def purge(arm: Arm, one: Tombstone) -> None:
    """Let go of the name at once; what was in it is lost."""
    _RESOLVE[one.kind, "purge"](arm, {}, one)


def _purge_vault(arm: Arm, values: Mapping[str, Any], one: Tombstone) -> None:
    del values
    place = f"/subscriptions/{one.id.split('/')[2]}/providers/Microsoft.KeyVault/locations/{one.location}"
    arm.send("POST", f"{place}/deletedVaults/{one.name}/purge", VAULTS)


def _purge_workspace(arm: Arm, values: Mapping[str, Any], one: Tombstone) -> None:
    del values
    arm.send("DELETE", one.id, WORKSPACES, forceToPurge="true")


def _recover_vault(arm: Arm, values: Mapping[str, Any], one: Tombstone) -> None:
    """Bring the vault back, with what is in it; its group, which went with it, has to be there first."""
    group, vault = values["resource_group"], values["key_vault"]
    if arm.find(group_id(values), GROUPS) is None:
        arm.send("PUT", group_id(values), GROUPS, {"location": group["location"], "tags": group["tags"]})
    tenant = vault["tenant_id"] or "00000000-0000-0000-0000-000000000000"  # ignored when a vault is recovered
    properties = {"createMode": "recover", "tenantId": tenant, "sku": {"family": "A", "name": vault["sku"]}}
    arm.send("PUT", one.id, VAULTS, {"location": one.location, "properties": properties})


def _recover_workspace(arm: Arm, values: Mapping[str, Any], one: Tombstone) -> None:
    """Bring the workspace back; Azure does that only where the storage account and the vault are still there."""
    providers = f"{group_id(values)}/providers"
    properties = {
        "allowRecoverSoftDeletedWorkspace": True,
        "storageAccount": f"{providers}/Microsoft.Storage/storageAccounts/{values['storage']['name']}",
        "keyVault": f"{providers}/Microsoft.KeyVault/vaults/{values['key_vault']['name']}",
    }
    body = {"location": one.location, "identity": {"type": "SystemAssigned"}, "properties": properties}
    try:
        arm.send("PUT", one.id, WORKSPACES, body)
    except OperationFailed as refused:
        raise OperationFailed(
            f"{one}, and it could not be recovered: {refused}; set infra.soft_deleted to purge, or give the workspace"
            " another name"
        ) from None


_RESOLVE = {
    ("vault", "purge"): _purge_vault,
    ("vault", "recover"): _recover_vault,
    ("workspace", "purge"): _purge_workspace,
    ("workspace", "recover"): _recover_workspace,
}
