"""Key vaults are deleted but not gone: their name stays taken, they are recovered or purged, if that is allowed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from mlops_kit.local.settings import TENANT


def _body(**more: Any) -> dict[str, Any]:
    return {"properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, **more}}


@pytest.fixture
def path() -> str:
    return f"Microsoft.KeyVault/vaults/kv-{uuid.uuid4().hex[:8]}"


def _deleted(group: Any, path: str = "") -> str:
    """Return the path of the deleted vaults of the subscription, or of one in westeurope."""
    subscription = group.id.partition("/resourceGroups/")[0]
    if not path:
        return f"{subscription}/providers/Microsoft.KeyVault/deletedVaults"
    name = path.rpartition("/")[2]
    return f"{subscription}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/{name}"


def test_deleted_vault_is_listed_with_the_end_of_its_retention(group: Any, path: str) -> None:
    made = group.put(path, {**_body(softDeleteRetentionInDays=7), "tags": {"a": "1"}})
    group.delete(path)
    listed = {one["name"]: one for one in group.list(_deleted(group))}
    facts = listed[made.name]["properties"]

    assert not group.there(path)
    assert (facts["vaultId"], facts["location"], facts["tags"]) == (made.id, "westeurope", {"a": "1"})
    assert facts["scheduledPurgeDate"][:10] > facts["deletionDate"][:10]
    assert group.send("GET", _deleted(group, path)).json() == listed[made.name]


def test_name_of_a_deleted_vault_is_taken_until_it_is_purged(group: Any, path: str) -> None:
    group.put(path, _body())
    group.delete(path)
    with pytest.raises(HttpResponseError, match="already exists in deleted state") as refused:
        group.put(path, _body())
    assert (refused.value.status_code, refused.value.error.code) == (409, "ConflictError")

    assert group.send("POST", f"{_deleted(group, path)}/purge").status_code == 202
    assert group.send("GET", _deleted(group, path)).status_code == 404
    assert group.put(path, _body()).name


def test_recovered_vault_is_as_it_was(group: Any, path: str) -> None:
    group.put(path, _body(enableRbacAuthorization=True))
    group.put(f"{path}/secrets/kept", {"properties": {"value": "x"}})
    group.delete(path)
    other = {"tenantId": str(uuid.UUID(int=0)), "enableRbacAuthorization": False}
    recovered = group.put(path, _body(createMode="recover", **other))

    assert recovered.properties["tenantId"] == TENANT
    assert recovered.properties["enableRbacAuthorization"] is True
    assert "createMode" not in recovered.properties
    assert group.there(f"{path}/secrets/kept")
    assert recovered.name not in {one["name"] for one in group.list(_deleted(group))}


def test_recovering_what_was_never_deleted_is_refused(group: Any, path: str) -> None:
    with pytest.raises(ResourceNotFoundError, match="The deleted vault"):
        group.put(path, _body(createMode="recover"))


def test_protected_vault_cannot_be_purged_nor_unprotected(group: Any, path: str) -> None:
    group.put(path, _body(enablePurgeProtection=True))
    assert group.put(path, _body()).properties["enablePurgeProtection"] is True
    with pytest.raises(HttpResponseError, match="irreversible action"):
        group.put(path, _body(enablePurgeProtection=False))
    group.delete(path)
    refused = group.send("POST", f"{_deleted(group, path)}/purge")

    assert (refused.status_code, refused.json()["error"]["code"]) == (405, "MethodNotAllowed")
    assert "protected from purging and is kept until 20" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"enableSoftDelete": False}, "irreversible action"),
        ({"softDeleteRetentionInDays": 3}, "a vault is kept 7 to 90 days"),
    ],
)
def test_soft_delete_cannot_be_done_without(group: Any, path: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(HttpResponseError, match=told):
        group.put(path, _body(**given))


def test_vaults_of_a_deleted_group_are_kept(arm: Any, group: Any, path: str) -> None:
    other = f"{group.name}-gone"
    arm.resource_groups.create_or_update(other, {"location": "westeurope"})
    made = group.put(f"{group.id}-gone/providers/{path}", _body())
    arm.resource_groups.begin_delete(other).result()

    assert group.send("GET", _deleted(group, path)).json()["properties"]["vaultId"] == made.id
