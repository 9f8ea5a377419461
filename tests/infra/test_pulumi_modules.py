"""The modules without any engine, on Pulumi's own mocks: what they declare, and that every value given matters."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

pulumi = pytest.importorskip("pulumi", reason="the package pulumi is missing: pip install 'mlops_kit[infra]'")
pytest.importorskip(
    "pulumi_azure_native", reason="the package pulumi-azure-native is missing: pip install 'mlops_kit[infra]'"
)

from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks  # noqa: E402
from pulumi.runtime.stack import run_pulumi_func  # noqa: E402

from mlops_kit.infra import contract, settings  # noqa: E402

EVERYTHING = {
    "profile": "secure",
    "storage": {"containers": ["data"], "allowed_ips": ["192.0.2.7"]},
    "key_vault": {"allowed_ips": ["192.0.2.7"]},
    "observability": {"emails": ["ops@example.com"]},
    "identity_and_access": {
        "github": {"repository": "Acme-Org/Fc-App"},
        "role_assignments": {
            "team": {"role": "data_scientist", "principal_id": "9" * 8 + "-0000-0000-0000-000000000001"}
        },
    },
    "compute": {
        "clusters": {"cpu-cluster": {"ssh": {"user": "ops", "public_key": "ssh-ed25519 AAAA"}}},
        "instances": {
            "ci-ana": {
                "ssh": {"public_key": "ssh-ed25519 AAAA"},
                "assigned_user": {
                    "tenant_id": "9" * 8 + "-0000-0000-0000-000000000002",
                    "object_id": "9" * 8 + "-0000-0000-0000-000000000003",
                },
                "setup_script": {"text": "echo hi"},
                "start": "0 7 * * 1-5",
            }
        },
    },
    "kubernetes": {"node_pools": {"work": {}}, "instance_types": {"small": {"node_selector": {"pool": "work"}}}},
    "registry": {},
    "data_trigger": {"triggers": {"new-data": {"container": "data", "prefix": "training/", "pipeline": "train"}}},
    "budget": {"amount": 500, "start": "2026-01-01", "emails": ["ops@example.com"]},
}


class Recorder(Mocks):
    """Remembers what was declared; every id is the name."""

    def __init__(self) -> None:
        self.declared: dict[tuple[str, str], Any] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.declared[args.typ, args.name] = args.inputs
        answered = {
            "name": args.name,
            "principalId": f"{args.name}-principal",
            "primaryEndpoints": {"blob": "https://blob"},
            "properties": {"vaultUri": "https://vault", **args.inputs.get("properties", {})},
        }
        if "identity" in args.inputs:
            answered["identity"] = {"type": args.inputs["identity"]["type"], "userAssignedIdentities": {}}
        return f"/id/of/{args.name}/a/b/c/d/e/f", answered

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:  # noqa: ARG002
        return {"tenantId": "tenant"}, []


def declared(wanted: contract.Infrastructure) -> dict[Any, Any]:
    """Return what the modules declare, the plain ones among their outputs, and the names of all outputs."""
    from modules.pulumi.landing_zone import landing_zone

    recorder, outputs = Recorder(), {}
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # before the mocks, which declare a stack on it
    pulumi.runtime.settings.reset_options()
    pulumi.runtime.set_mocks(recorder, project="shop", stack="dev")

    def program() -> None:
        outputs.update(landing_zone(wanted))

    loop.run_until_complete(run_pulumi_func(program))
    for task in asyncio.all_tasks(loop):  # outputs that nobody asked for
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    plain = {name: value for name, value in outputs.items() if isinstance(value, str)}
    return {**recorder.declared, "outputs": plain, "names of outputs": sorted(outputs)}


@pytest.fixture(scope="module")
def on_path() -> Iterator[None]:
    """Let ``modules`` be found as ``infra/pulumi`` finds it."""
    import sys
    from pathlib import Path

    project = str(Path(__file__).resolve().parents[2])
    sys.path.insert(0, project)
    yield
    sys.path.remove(project)


@pytest.fixture
def wanted(shipped: Callable[..., Any], on_path: None) -> Callable[..., contract.Infrastructure]:
    def of(name: str, **infra: Any) -> contract.Infrastructure:
        import json

        overrides = [f"infra={json.dumps(infra)}"] if infra else []
        return settings.infrastructure(shipped(name, *overrides))

    return of


def test_a_quick_environment_is_public_and_has_no_lock(wanted):
    found = declared(wanted("dev"))
    kinds = [kind for kind, _ in (key for key in found if isinstance(key, tuple))]
    assert found["azure-native:machinelearningservices:Workspace", "workspace"]["publicNetworkAccess"] == "Enabled"
    assert not [kind for kind in kinds if kind.startswith(("azure-native:network:", "azure-native:privatedns:"))]
    assert "azure-native:authorization:ManagementLockByScope" not in kinds


def test_a_protected_environment_is_private_and_locked(wanted):
    """L2-14: public access off, one private endpoint, two DNS zones."""
    found = declared(wanted("prod"))
    kinds = [kind for kind, _ in (key for key in found if isinstance(key, tuple))]
    assert found["azure-native:machinelearningservices:Workspace", "workspace"]["publicNetworkAccess"] == "Disabled"
    assert kinds.count("azure-native:network:PrivateEndpoint") == 1
    assert kinds.count("azure-native:privatedns:PrivateZone") == 2
    assert found["azure-native:authorization:ManagementLockByScope", "lock"]["level"] == "CanNotDelete"
    assert found["azure-native:keyvault:Vault", "key-vault"]["properties"]["enablePurgeProtection"] is True


def test_storage_without_keys_is_used_by_identity(wanted):
    """R23: no shared keys anywhere, and the identities may read and write blobs."""
    found = declared(wanted("prod"))
    account = found["azure-native:storage:StorageAccount", "storage"]
    assert (account["allowSharedKeyAccess"], account["defaultToOAuthAuthentication"]) == (False, True)
    workspace = found["azure-native:machinelearningservices:Workspace", "workspace"]
    assert workspace["systemDatastoresAuthMode"] == "identity"
    grants = [inputs for key, inputs in found.items() if key[0] == "azure-native:authorization:RoleAssignment"]
    contributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    who = {one["principalType"] for one in grants if one["roleDefinitionId"].endswith(contributor)}
    assert who == {"ServicePrincipal"}


def test_without_a_container_registry_none_is_declared(wanted):
    """L2-07: Azure makes one with the first image."""
    infrastructure = dataclasses.replace(wanted("dev"), container_registry=None)
    grants = {
        key: one
        for key, one in infrastructure.identity_and_access.role_assignments.items()
        if one.scope != "container_registry"
    }
    access = dataclasses.replace(infrastructure.identity_and_access, role_assignments=grants)
    found = declared(dataclasses.replace(infrastructure, identity_and_access=access))
    assert "containerRegistry" not in found["azure-native:machinelearningservices:Workspace", "workspace"]
    assert not [key for key in found if key[0] == "azure-native:containerregistry:Registry"]


def test_the_key_of_the_customer_encrypts_the_workspace_only_where_it_is_given(wanted):
    """L2-15."""
    infrastructure = wanted("dev")
    key = contract.CustomerManagedKey("/vault", "https://v.vault.azure.net/keys/k/1")
    workspace = dataclasses.replace(infrastructure.workspace, customer_managed_key=key)
    place = ("azure-native:machinelearningservices:Workspace", "workspace")
    assert "encryption" not in declared(infrastructure)[place]
    encryption = declared(dataclasses.replace(infrastructure, workspace=workspace))[place]["encryption"]
    assert encryption["keyVaultProperties"]["keyIdentifier"] == key.key_id


# What says something to people and to the commands, or is said by another field too, and nothing to a resource.
SILENT = {
    ("Network", "mode"),
    ("RoleAssignment", "role"),
    ("CustomRole", "id"),
}


class Watched:
    """Stands for a dataclass of the contract, and tells which of its fields are asked for."""

    def __init__(self, value: Any, asked: set[tuple[str, str]]) -> None:
        self._value, self._asked = value, asked

    def __getattr__(self, name: str) -> Any:
        self._asked.add((type(self._value).__name__, name))
        return watched(getattr(self._value, name), self._asked)


def watched(value: Any, asked: set[tuple[str, str]]) -> Any:
    if dataclasses.is_dataclass(value):
        return Watched(value, asked)
    if isinstance(value, Mapping):
        return {key: watched(one, asked) for key, one in value.items()}
    return tuple(watched(one, asked) for one in value) if isinstance(value, tuple) else value


def given_fields(value: Any) -> Iterator[tuple[str, str]]:
    """Yield each field of the contract that has a value somewhere."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            if inner is not None:
                yield type(value).__name__, field.name
                yield from given_fields(inner)
    elif isinstance(value, Mapping | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from given_fields(one)


def test_r44_every_value_of_the_contract_is_asked_for(wanted):
    """R44: nothing that is accepted does nothing."""
    infrastructure = wanted("test", **EVERYTHING)
    asked: set[tuple[str, str]] = set()
    declared(watched(infrastructure, asked))
    given = set(given_fields(infrastructure))
    assert given - asked - SILENT == set()
    assert len(given) > 130
