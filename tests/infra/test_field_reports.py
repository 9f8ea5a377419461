"""What people reported of other tools, with their input: names, tombstones, fresh identities, keys."""

from __future__ import annotations

import os

import pytest

from mlops_kit.errors import EnvironmentFileError, UsageError
from mlops_kit.infra import names, rules, settings, soft_deleted
from mlops_kit.local.settings import MANAGEMENT_URL

GUID = "99999999-0000-0000-0000-000000000001"
KV = "Microsoft.KeyVault"


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_r40_long_project_gets_valid_names_in_every_environment(load, base, environment):
    """The namespace and the postfix of the report, and a stem of 17 characters."""
    for project in ("mlopsv2hez", "seventeen-letters"):
        base |= {"project": project, "infra": {"suffix": "0918", "registry": {}}}
        loaded = load(base, environment)
        assert [str(finding) for finding in rules.findings(loaded) if finding.severity == "error"] == []
        found = names.physical_names(loaded)
        assert found == names.physical_names(load(base, environment))
        assert 3 <= len(found["storage"]) <= 24
        assert found["storage"].isalnum()
        assert 3 <= len(found["key_vault"]) <= 24
        assert found["key_vault"][0].isalpha()
        assert "--" not in found["key_vault"]


def test_r40_name_that_ends_in_digits_after_a_hyphen_is_told_with_its_rule(load, base):
    base["infra"] = {"compute": {"clusters": {"cpu-cluster-1": {}}}}
    (finding,) = (one for one in rules.findings(load(base)) if one.severity == "error")
    assert finding.code == "MK0611"
    assert "`cpu-cluster-1`" in finding.message


@pytest.fixture
def door(local_workspace):
    """The questions to Azure Resource Manager, on the control plane of the session."""
    from mlops_kit.workspace.arm import ArmDoor
    from mlops_kit.workspace.credentials import choose

    return ArmDoor(lambda: choose("default", os.environ), MANAGEMENT_URL)


@pytest.mark.parametrize(("number", "policy"), enumerate(["refuse", "purge", "recover"]))
def test_r41_deleted_vault_is_seen_and_handled_as_its_environment_says(arm, door, shipped, number, policy):
    group = f"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-tomb{number}"
    places = [f"workspace.resource_group=rg-tomb{number}", f"infra.key_vault.name=kv-tomb{number}"]
    policies = [f"infra.soft_deleted={policy}", "infra.key_vault.purge_protection=false"]
    values = settings.values(settings.infrastructure(shipped("local", *places, *policies)))
    vault = f"{group}/providers/{KV}/vaults/kv-tomb{number}"
    body = {"sku": {"family": "A", "name": "standard"}, "tenantId": GUID, "enableRbacAuthorization": True}
    arm("PUT", group, {"location": "local"})
    arm("PUT", vault, {"location": "local", "properties": body})
    unknown: list[str] = []
    assert soft_deleted.find(door, values, unknown.append) == ()
    arm("DELETE", vault)

    (tombstone,) = soft_deleted.find(door, values, unknown.append)
    assert (tombstone.kind, tombstone.name, tombstone.policy) == ("vault", f"kv-tomb{number}", policy)
    assert f"it is kept until {tombstone.until}" in str(tombstone)
    assert tombstone.until.startswith("20")
    if policy == "refuse":
        with pytest.raises(UsageError, match="set infra.soft_deleted to recover or purge, or give infra.suffix"):
            soft_deleted.require_possible((tombstone,))
        return
    soft_deleted.require_possible((tombstone,))
    soft_deleted.resolve(door, values, tombstone)
    assert soft_deleted.find(door, values, unknown.append) == ()
    assert unknown == []
    assert (arm("GET", vault) is not None) == (policy == "recover")


def test_r41_vault_that_is_protected_from_purging_is_refused_before_anything_runs():
    one = soft_deleted.Tombstone("vault", "/vaults/kv", "local", "2026-02-01", "purge", protected=True)
    with pytest.raises(UsageError, match="kept until 2026-02-01, and it is protected from purging; set infra"):
        soft_deleted.require_possible((one,))


def test_r41_prod_never_purges_by_itself(shipped):
    values = settings.values(settings.infrastructure(shipped("prod")))
    assert {values[part]["when_soft_deleted"] for part in ("key_vault", "workspace")} & {"purge"} == set()


def test_r42_every_grant_names_the_type_of_its_principal(shipped):
    for name in ("local", "dev", "test", "prod"):
        access = settings.values(settings.infrastructure(shipped(name)))["identity_and_access"]
        types = {one["principal_type"] for one in access["role_assignments"].values()}
        assert types == {"ServicePrincipal"}


def test_r42_principal_that_is_no_guid_is_refused_before_anything_runs(load, base):
    base["infra"]["identity_and_access"] = {"role_assignments": {"team": {"role": "Reader", "principal_id": "ana"}}}
    with pytest.raises(EnvironmentFileError, match="principal_id"):
        settings.infrastructure(load(base))


def test_r23_environment_without_storage_keys_has_identities_that_reach_the_data(shipped):
    """The role's id is Azure's own for Storage Blob Data Contributor."""
    for name, overrides in (("prod", ()), ("dev", ("infra.storage.shared_keys=false",))):
        values = settings.values(settings.infrastructure(shipped(name, *overrides)))
        assert (values["storage"]["shared_keys"], values["workspace"]["datastore_auth"]) == (False, "identity")
        reach = {
            one["identity"]
            for one in values["identity_and_access"]["role_assignments"].values()
            if one["scope"] == "storage" and one["role_definition_id"].endswith("/ba92f5b4-2d11-453d-a403-e96b0029c9fe")
        }
        assert {"workspace", "compute"} <= reach
