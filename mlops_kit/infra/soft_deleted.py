"""Vaults and workspaces that are deleted but not gone: found, recovered, purged, or told.

A name stays taken for the retention period. What is done about it is the environment's ``infra.soft_deleted``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.infra.arm import GROUPS, STORAGE, VAULTS, WORKSPACES, Arm, group_id
from mlops_kit.infra.changes import Change, Changes

_ML = "Microsoft.MachineLearningServices"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deleted vault or workspace that keeps its name until ``until``; ``policy`` is what to do about it.

    ``lacks`` names the storage account without which Azure does not bring a workspace back, where it is gone.
    """

    kind: str  # vault, workspace
    id: str
    location: str
    until: str
    policy: str
    protected: bool = False  # from purging
    lacks: str | None = None

    @property
    def name(self) -> str:
        """Return the name that is taken."""
        return self.id.rpartition("/")[2]

    def is_called(self, names: Iterable[str]) -> bool:
        """Say whether a person means it, by its name or its id."""
        return any(name.lower() in {self.name.lower(), self.id.lower()} for name in names)

    def __str__(self) -> str:
        """Return what it is, in words."""
        return f"the {self.kind} {self.name!r} is deleted but not gone: it is kept until {self.until}"

    @property
    def fate(self) -> str:
        """Return what an ``up`` will do about it, in words."""
        if self.policy == "recover" and self.lacks:
            return f"refuse to go on without --delete {self.name}, for its storage account {self.lacks!r} is gone"
        return {"recover": "recover it", "purge": "purge it", "refuse": "refuse to go on"}[self.policy]


def find(arm: Arm, values: Mapping[str, Any], tell: Callable[[str], None]) -> tuple[Tombstone, ...]:
    """Return the deleted vault and workspace whose names the environment needs.

    Not everybody may ask for them, who may do all the rest; ``tell`` hears what is not known. A name that is taken is
    refused by the service in any case.
    """
    found: list[Tombstone] = []
    for kind, look in (("vault", _vaults), ("workspace", _workspaces)):
        try:
            found += look(arm, values)
        except OperationFailed as refused:
            tell(f"whether a deleted {kind} keeps its name is not known: {refused}")
    return tuple(found)


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
            lacks = _lacking(arm, values) if policy == "recover" else None
            yield Tombstone("workspace", facts["workspaceArmId"], one.get("location", ""), until, policy, lacks=lacks)


def _storage_id(values: Mapping[str, Any]) -> str:
    return f"{group_id(values)}/providers/Microsoft.Storage/storageAccounts/{values['storage']['name']}"


def _lacking(arm: Arm, values: Mapping[str, Any]) -> str | None:
    """Return the storage account of the workspace where it is gone; a vault that is gone is recovered first."""
    name: str = values["storage"]["name"]
    return None if arm.find(_storage_id(values), STORAGE) is not None else name


def as_allowed(found: Iterable[Tombstone], named: Iterable[str]) -> tuple[Tombstone, ...]:
    """Return what is found, with what cannot come back to be purged where a person has named it."""
    return tuple(replace(one, policy="purge") if one.lacks and one.is_called(named) else one for one in found)


def require_possible(found: tuple[Tombstone, ...], *, adopts: bool = True) -> None:
    """Refuse to go on where a name is taken and the policy leaves it so, or what the policy says is impossible.

    ``adopts`` says that the engine takes over what is recovered.
    """
    for one in found:
        if one.policy == "recover" and one.lacks:
            raise UsageError(
                f"{one}, and it cannot come back, for its storage account {one.lacks!r} is gone; nothing was changed."
                f" Give --delete {one.name} to purge it, or infra.suffix another value for a new name"
            )
        if one.policy == "recover" and not adopts:
            raise UsageError(
                f"{one}; the pulumi CLI does not take over what is recovered, nothing was changed. Recover it by hand,"
                f" then run 'pulumi import' for {one.id}"
            )
        if one.policy == "refuse":
            raise UsageError(
                f"{one}; set infra.soft_deleted to recover or purge, or give infra.suffix another value for a new name"
            )
        if one.policy == "purge" and one.protected:
            raise UsageError(
                f"{one}, and it is protected from purging; set infra.soft_deleted to recover, or give infra.suffix"
                " another value for a new name"
            )


def require_expected(found: tuple[Tombstone, ...], changes: Changes, owned: Iterable[str]) -> None:
    """Refuse to go on where the engine still counts on what is deleted: its plan is not one that makes it anew."""
    ours = {one.lower() for one in owned}
    for one in found:
        if one.id.lower() in ours and not any(_makes(item, one) for item in changes.items):
            raise UsageError(
                f"{one}, and the plan does not know that; nothing was changed. Run 'mlops-kit infra refresh -e"
                f" {changes.environment}', then plan again"
            )


def _makes(item: Change, one: Tombstone) -> bool:
    """Say whether a change makes the resource; the id of what is not there yet may not be known."""
    if item.action not in {"create", "replace"}:
        return False
    return item.id.lower() == one.id.lower() if item.id else item.name == one.name and one.kind in item.type.lower()


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
        "storageAccount": _storage_id(values),
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
