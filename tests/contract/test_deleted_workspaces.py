"""Workspaces are deleted but not gone, as the real SDK and raw requests of infrastructure tools find them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from azure.ai.ml import MLClient, command
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from mlops_kit.local.settings import TENANT

_ML = "Microsoft.MachineLearningServices/workspaces"


@pytest.fixture(scope="module")
def needs(group: Any) -> dict[str, str]:
    short = uuid.uuid4().hex[:8]
    storage = {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    vault = {"properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}}}
    return {
        "storageAccount": group.put(f"Microsoft.Storage/storageAccounts/st{short}", storage).id,
        "keyVault": group.put(f"Microsoft.KeyVault/vaults/kv-{short}", vault).id,
    }


@pytest.fixture
def made(group: Any, needs: dict[str, str]) -> Any:
    return group.put(f"{_ML}/mlw-{uuid.uuid4().hex[:8]}", {"properties": needs})


def _deleted(group: Any) -> dict[str, Any]:
    subscription = group.id.partition("/resourceGroups/")[0]
    found = group.list(f"{subscription}/providers/Microsoft.MachineLearningServices/deletedWorkspaces")
    return {one["name"]: one["properties"] for one in found}


def test_name_of_a_deleted_workspace_is_taken_and_the_refusal_names_the_end(
    ml: Any, group: Any, made: Any, needs: dict[str, str]
) -> None:
    client = MLClient(ml._credential, ml.subscription_id, group.name)
    client.workspaces.begin_delete(made.name, delete_dependent_resources=False).result()
    end = _deleted(group)[made.name]["scheduledPurgeTime"]

    with pytest.raises(ResourceNotFoundError):
        group.get(made.id)
    with pytest.raises(HttpResponseError, match=f"Please purge or recover it.*kept until {end}") as refused:
        group.put(made.id, {"properties": needs})
    assert (refused.value.status_code, refused.value.error.code) == (400, "BadRequest")


def test_recovered_workspace_has_its_assets_and_datastores_but_no_computes(
    group: Any, made: Any, needs: dict[str, str]
) -> None:
    environment = f"{made.id}/environments/kept/versions/1"
    group.put(environment, {"properties": {"image": "ubuntu:24.04"}})
    group.put(f"{made.id}/computes/cpu", {"properties": {"computeType": "AmlCompute"}})
    group.delete(made.id)
    again = group.put(made.id, {"properties": {**needs, "allowRecoverSoftDeletedWorkspace": True}})

    assert again.properties["workspaceId"] == made.properties["workspaceId"]
    assert group.send("GET", environment).status_code == 200
    assert "workspaceblobstore" in {one["name"] for one in group.list(f"{made.id}/datastores")}
    assert group.list(f"{made.id}/computes") == []
    assert made.name not in _deleted(group)


def test_workspace_is_not_recovered_without_its_storage_account(group: Any, made: Any, needs: dict[str, str]) -> None:
    group.delete(made.id)
    lost = {**needs, "keyVault": f"{needs['keyVault']}-lost", "allowRecoverSoftDeletedWorkspace": True}
    with pytest.raises(HttpResponseError):
        group.put(made.id, {"properties": lost})

    assert made.name in _deleted(group)
    assert group.send("GET", made.id).status_code == 404


def test_job_that_ran_in_a_deleted_workspace_is_canceled(ml: Any, group: Any, made: Any, needs: dict[str, str]) -> None:
    group.put(f"{made.id}/computes/cpu", {"properties": {"computeType": "AmlCompute"}})
    client = MLClient(ml._credential, ml.subscription_id, group.name, made.name)
    job = client.jobs.create_or_update(
        command(command="sleep 60", environment="AzureML-minimal@latest", compute="cpu", name="ran")
    )
    group.delete(made.id)
    group.put(made.id, {"properties": {**needs, "allowRecoverSoftDeletedWorkspace": True}})

    assert client.jobs.get(job.name).status == "Canceled"


def test_purged_workspace_is_gone_and_a_new_one_is_another(group: Any, made: Any, needs: dict[str, str]) -> None:
    group.delete(made.id)
    assert group.send("DELETE", f"{made.id}?forceToPurge=true").status_code == 202
    assert made.name not in _deleted(group)
    again = group.put(made.id, {"properties": needs})

    assert again.properties["workspaceId"] != made.properties["workspaceId"]
    assert group.send("DELETE", f"{made.id}?forceToPurge=true").status_code == 202
    assert made.name not in _deleted(group)


def test_workspace_with_a_key_of_its_customer_is_not_kept(group: Any, needs: dict[str, str]) -> None:
    key = group.put(f"{needs['keyVault']}/keys/cmk", {"properties": {"kty": "RSA"}})
    facts = {"keyVaultArmId": needs["keyVault"], "keyIdentifier": key.properties["keyUriWithVersion"]}
    encrypted = {"encryption": {"status": "Enabled", "keyVaultProperties": facts}}
    made = group.put(f"{_ML}/mlw-{uuid.uuid4().hex[:8]}", {"properties": {**needs, **encrypted}})
    group.delete(made.id)

    assert made.name not in _deleted(group)
