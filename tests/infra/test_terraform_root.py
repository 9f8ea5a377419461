"""The Terraform root, applied for whole environments to the control plane: what is made, what is sent, what is left."""

from __future__ import annotations

import copy
import importlib.util
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from mlops_kit.infra import by_hand, settings
from mlops_kit.infra.state import State
from mlops_kit.local import storage
from mlops_kit.local.settings import (
    MANAGEMENT_HOST,
    STORAGE_ACCOUNT,
    STORAGE_KEY,
    STORAGE_SUFFIX,
    TENANT,
)

PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("MLOPS_KIT_SHARED", PROJECT.parent / "shared"))
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"  # the control plane's own
GUID = "99999999-0000-0000-0000-000000000001"
_NUMBERS = itertools.count(1)
LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv-keys"
KEY = f"https://kv-keys.vault.azure.net/keys/own/{'0' * 32}"
# Everything that can be wanted, behind a network of its own.
EVERYTHING: dict[str, Any] = {
    "profile": "secure",
    "soft_deleted": "purge",
    "storage": {"containers": ["data", "models"]},
    "observability": {"emails": ["ops@example.com"], "alerts": {"quota": {"metric": "Quota Utilization Percentage"}}},
    "identity_and_access": {
        "github": {"repository": "acme/shop"},
        "role_assignments": {"team": {"role": "data_scientist", "principal_id": GUID, "principal_type": "Group"}},
    },
    "workspace": {"network": "byo_vnet", "customer_managed_key": {"vault_id": VAULT, "key_id": KEY}},
    "compute": {
        "clusters": {"cpu-cluster": {"ssh": {"user": "ops", "public_key": "ssh-ed25519 AAAA"}}},
        "instances": {
            "ci-ana": {
                "ssh": {"public_key": "ssh-ed25519 AAAA"},
                "assigned_user": {"tenant_id": GUID, "object_id": GUID},
                "setup_script": {"text": "echo hi"},
                "start": "0 7 * * 1-5",
                "stop": "0 19 * * 1-5",
            }
        },
    },
    "kubernetes": {},
    "registry": {},
    "data_trigger": {"triggers": {"new-data": {"container": "data", "prefix": "training/", "pipeline": "train"}}},
    "budget": {"amount": 500, "start": "2026-01-01", "emails": ["ops@example.com"]},
}


@pytest.fixture
def root(terraform) -> Any:
    """A copy of the root and its modules, ready to plan; the state stays in the copy."""
    for folder in ("infra/terraform", "modules/terraform"):
        shutil.copytree(PROJECT / folder, terraform.folder / folder)
    made = replace(terraform, folder=terraform.folder / "infra" / "terraform")
    (made.folder / "override.tf").write_text(LOCAL_BACKEND, encoding="utf-8")
    made.run("init")
    return made


@pytest.fixture
def wanted(shipped, base, load) -> Callable[[str], dict[str, Any]]:
    """Return what the engines are given for a shipped environment, or for ``everything``.

    Its names are its own: those of a vault and a workspace that were deleted stay taken.
    """

    def values(name: str) -> dict[str, Any]:
        own = f"tf{next(_NUMBERS)}"
        places = {"subscription_id": SUBSCRIPTION, "resource_group": f"rg-{own}", "name": f"mlw-{own}"}
        if name == "everything":
            base["workspace"] = places
            return settings.values(settings.infrastructure(load({**base, "infra": {**EVERYTHING, "stem": own}}, name)))
        overrides = [f"workspace.{key}={value}" for key, value in places.items()]
        if name == "local":  # its account is the one in Azurite, which the control plane's own group holds
            overrides.append(f"infra.storage.name=st{own}")
        return settings.values(settings.infrastructure(shipped(name, *overrides, f"infra.stem={own}")))

    return values


def _fill(root: Any, values: dict[str, Any]) -> None:
    (root.folder / "terraform.tfvars.json").write_text(json.dumps(values), encoding="utf-8")


def _instances(root: Any) -> Iterator[dict[str, Any]]:
    """Yield what the state says of every resource."""
    state = json.loads((root.folder / "terraform.tfstate").read_text(encoding="utf-8"))
    for resource in state["resources"]:
        if resource["mode"] == "managed":
            yield from (one["attributes"] for one in resource["instances"])


def _group(values: dict[str, Any]) -> str:
    group = values["resource_group"]
    return f"/subscriptions/{group['subscription_id']}/resourceGroups/{group['name']}"


def _applied_and_taken_down(root: Any, values: dict[str, Any], arm: Any) -> str:
    """Apply, assert that a second plan is empty, destroy, assert that nothing is left; return what apply printed."""
    _fill(root, values)
    told: str = root.apply()
    root.assert_stable()
    assert root.outputs()["workspace_id"] == f"{_group(values)}/providers/{_WORKSPACES}/{values['workspace']['name']}"
    ids = [one["id"] for one in _instances(root)]
    root.run("destroy", "-auto-approve")
    assert [one for one in ids if arm("GET", one) is not None] == []
    assert arm("GET", _group(values)) is None
    return told


_WORKSPACES = "Microsoft.MachineLearningServices/workspaces"


def test_the_quick_profile_is_applied_in_order_is_stable_and_leaves_nothing(root, wanted, arm):
    values = wanted("dev")
    values["resource_group"]["delete_lock"] = "do-not-delete"
    told = _applied_and_taken_down(root, values, arm)
    order = [line.partition(": Creation complete")[0] for line in told.splitlines() if "Creation comp" in line]
    grants = [index for index, one in enumerate(order) if "access.azapi_resource.role_assignments" in one]
    assert max(grants) < order.index("module.workspace.azapi_resource.this")
    assert order[-1] == "module.resource_group.azapi_resource.lock[0]"


@pytest.mark.infra
@pytest.mark.parametrize("name", ["local", "test", "prod"])
def test_a_shipped_environment_is_applied_is_stable_and_leaves_nothing(name, root, wanted, arm):
    _applied_and_taken_down(root, wanted(name), arm)


def test_everything_is_applied_with_valid_bodies_and_leaves_nothing(root, wanted, arm):
    arm("PUT", VAULT.partition("/providers/")[0], {"location": "westeurope"})
    vault = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "enablePurgeProtection": True}
    arm("PUT", VAULT, {"location": "westeurope", "properties": {**vault, "enableRbacAuthorization": True}})
    values = wanted("everything")
    _fill(root, values)
    root.apply()
    root.assert_stable()
    _check_bodies(root)
    _check_outputs(root, values)
    root.run("destroy", "-auto-approve")
    assert arm("GET", _group(values)) is None


def _check_outputs(root: Any, values: dict[str, Any]) -> None:
    found = root.outputs()
    assert sorted(found["compute_ids"]) == ["ci-ana", "cpu-cluster", "image-build"]
    for name in ("identity_ids", "identity_principal_ids", "identity_client_ids"):
        assert sorted(found[name]) == sorted(values["identity_and_access"]["identities"])
        assert all(found[name].values())
    assert found["subnet_ids"]["compute"].endswith("/subnets/snet-compute")
    assert found["registry_name"] == values["registry"]["name"]
    assert found["key_vault_when_soft_deleted"] == "purge"
    assert None not in found.values()


def _check_bodies(root: Any) -> None:
    """Assert that every body is one of its published type, where the types are at hand."""
    validator = _validator()
    if validator is None:
        return
    faults = {}
    sent = list(_instances(root))
    assert len(sent) > 60
    for attributes in sent:
        kind, _, version = attributes["type"].partition("@")
        found = validator.validate(kind, version, _sent(attributes))
        assert found is not None, f"{SHARED}/data/arm-types has no file for {attributes['type']}"
        if found:
            faults[attributes["id"]] = found
    assert faults == {}


def _validator() -> ModuleType | None:
    path = SHARED / "tools" / "validate_arm.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("validate_arm", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _sent(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the body that was sent for a resource of the state."""
    from mlops_kit.local.iac.azapi import bodies, identity

    body = copy.deepcopy((attributes.get("body") or {"value": {}})["value"])
    body |= {name: attributes[name] for name in ("location", "tags") if attributes.get(name)}
    if attributes.get("identity"):
        body["identity"] = identity.body(attributes["identity"][0])
    whole = bodies.without_nulls(body) if attributes.get("ignore_null_property") else body
    return dict(whole)


@pytest.mark.infra
def test_r43_a_change_of_one_environment_is_shown_by_what_it_does(root, wanted):
    values = wanted("dev")
    _fill(root, values)
    root.apply()
    more = copy.deepcopy(values)
    more["compute"]["clusters"]["cpu-cluster"]["max_instances"] = 6
    _fill(root, more)
    cluster = 'module.compute.azapi_resource.this["cpu-cluster"]'
    assert root.changes() == {cluster: ["update"]}
    more["compute"]["clusters"]["cpu-cluster"]["identity"] = "system"
    _fill(root, more)
    assert root.changes() == {cluster: ["update"]}
    more["compute"]["clusters"]["cpu-cluster"]["size"] = "Standard_DS3_v2"
    _fill(root, more)
    assert root.changes() == {cluster: ["delete", "create"]}
    _fill(root, values)
    root.run("destroy", "-auto-approve")


@pytest.mark.infra
def test_what_is_taken_out_of_a_map_goes_from_the_service(root, wanted, arm):
    values = wanted("test")
    network = values["workspace"]["network"]
    rule = {"service_tag": None, "protocol": None, "port_ranges": None, "type": "FQDN"}
    network["isolation_mode"] = "AllowOnlyApprovedOutbound"
    network["outbound_rules"] = {name: {**rule, "fqdn": f"{name}.org"} for name in ("pypi", "conda")}
    _fill(root, values)
    root.apply()
    del network["outbound_rules"]["conda"]
    _fill(root, values)
    assert root.changes() == {"module.workspace.azapi_resource.this": ["update"]}
    root.apply()
    there = arm("GET", f"{_group(values)}/providers/{_WORKSPACES}/{values['workspace']['name']}")
    rules = there["properties"]["managedNetwork"]["outboundRules"]
    assert [name for name, one in rules.items() if one["category"] == "UserDefined"] == ["pypi"]
    root.run("destroy", "-auto-approve")


def test_a_value_of_the_wrong_type_is_refused_before_anything_is_asked(root, wanted):
    values = wanted("dev")
    values["compute"]["clusters"]["cpu-cluster"]["max_instances"] = "many"
    _fill(root, values)
    assert "a number is required" in root.run("plan", expect=1)


@pytest.fixture
def state_account(local_workspace) -> Iterator[Callable[[str], dict[str, Any]]]:
    """A container for states in Azurite, which has no identities; return what is in a blob of it."""
    signature = storage.account_signature(STORAGE_ACCOUNT, STORAGE_KEY)
    container = f"https://{STORAGE_ACCOUNT}.blob.{STORAGE_SUFFIX}/tfstate"
    with httpx.Client(verify=httpx.create_ssl_context(os.environ["SSL_CERT_FILE"])) as client:
        client.put(f"{container}?restype=container&{signature}")
        yield lambda blob: client.get(f"{container}/{blob}?{signature}").json()


KEPT = State(STORAGE_ACCOUNT, "tfstate", "shop/dev.tfstate")
# What leads the backend to Azurite.
SIGNED = {
    "ARM_METADATA_HOSTNAME": MANAGEMENT_HOST,
    "ARM_SAS_TOKEN": storage.account_signature(STORAGE_ACCOUNT, STORAGE_KEY),
}


def test_by_hand_the_state_of_an_environment_is_kept_on_a_storage_account(root, wanted, state_account):
    """By the files that `infra values --write` writes, and nothing else of ours."""
    project = root.folder.parents[1]
    shutil.copytree(PROJECT / "infra" / "pulumi", project / "infra" / "pulumi")
    (root.folder / "override.tf").unlink()
    by_hand.write(project, "dev", wanted("dev"), (), KEPT)
    root = replace(root, environ={**root.environ, **SIGNED})
    root.run("init", "-reconfigure", "-backend-config=backend/dev.hcl")
    root.run("apply", "-auto-approve", "-var-file=dev.tfvars.json")
    assert len(state_account("shop/dev.tfstate")["resources"]) > 10
    assert not (root.folder / "terraform.tfstate").exists()
    root.run("plan", "-detailed-exitcode", "-var-file=dev.tfvars.json")
    root.run("destroy", "-auto-approve", "-var-file=dev.tfvars.json")
