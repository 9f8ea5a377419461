"""Every key of the schema changes what the engines get, or is refused: none is accepted and does nothing (R44)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mlops_kit import environment_keys
from mlops_kit.infra import rules, settings, state

GUIDS = [f"99999999-0000-0000-0000-00000000000{index}" for index in range(2)]
GROUP = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups"
VNET = f"{GROUP}/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub"
SUBNETS = [f"{VNET}/subnets/{name}" for name in ("endpoints", "compute", "other")]
KEYS = [f"https://v.vault.azure.net/keys/k/{digit * 32}" for digit in "ab"]
SSH = {"user": "ops", "public_key": "ssh-ed25519 AAAA"}

# Everything switched on, so that no key lacks what it is about.
EVERYTHING: dict[str, Any] = {
    "profile": "secure",
    "state": {"storage_account": "ststate"},
    "storage": {"containers": ["data", "more"]},
    "observability": {"emails": ["ops@example.com"], "alerts": {"busy": {"metric": "Active Nodes"}}},
    "identity_and_access": {
        "github": {"repository": "Acme-Org/Fc-App"},
        "role_assignments": {"team": {"role": "Reader", "principal_id": GUIDS[0]}},
    },
    "workspace": {"network": "byo_vnet", "customer_managed_key": {"vault_id": f"{GROUP}/r", "key_id": KEYS[0]}},
    "compute": {
        "clusters": {"cpu": {"ssh": SSH}},
        "instances": {
            "ana": {
                "ssh": {"public_key": SSH["public_key"]},
                "assigned_user": {"tenant_id": GUIDS[0], "object_id": GUIDS[0]},
                "setup_script": {"text": "echo setup"},
                "startup_script": {"text": "echo start"},
                "start": "0 7 * * 1-5",
            }
        },
    },
    "kubernetes": {
        "node_pools": {"work": {}},
        "instance_types": {"small": {"node_selector": {"pool": "work"}}, "big": {"cpu": "4", "memory": "16Gi"}},
    },
    "registry": {},
    "data_trigger": {"triggers": {"new-data": {"container": "data", "pipeline": "train"}}},
    "budget": {"amount": 500, "start": "2026-01-01", "emails": ["ops@example.com"]},
}
MANAGED = {"workspace.network": "managed", "workspace.isolation": "allow_only_approved_outbound"}
RULE = {"workspace.outbound_rules.*": {"service_tag": "AzureMonitor"}}
# What must be said, too, so that a key is about something; a value of None takes the key away.
BESIDE: Mapping[str, Mapping[str, Any]] = {
    "allowed_when_protected": {"..protected": True},
    "workspace.isolation": {"workspace.network": "managed"},
    "workspace.outbound_rules.*.fqdn": MANAGED,
    "workspace.outbound_rules.*.service_tag": MANAGED,
    "workspace.outbound_rules.*.protocol": {**MANAGED, **RULE},
    "workspace.outbound_rules.*.ports": {**MANAGED, **RULE},
    "workspace.virtual_network.endpoints_subnet_id": {"workspace.virtual_network.compute_subnet_id": SUBNETS[1]},
    "workspace.virtual_network.compute_subnet_id": {"workspace.virtual_network.endpoints_subnet_id": SUBNETS[0]},
    "container_registry.public_access": {"container_registry.sku": "Premium"},
    "container_registry.sku": {"container_registry.public_access": "all"},
    "workspace.public_access": {"workspace.private_endpoints": None},
}
# Two values of keys whose schema does not say what is valid.
VALUES: Mapping[str, list[Any]] = {
    "stem": ["alpha", "beta"],
    "suffix": ["one", "two"],
    "allowed_locations": [["westeurope"], ["northeurope"]],
    "allowed_sizes": [["Standard_DS3_v2", "Standard_DS11_v2"], ["Standard_E4s_v3"]],
    "storage.name": ["stone", "sttwo"],
    "storage.containers": [["data"], ["data", "models"]],
    "observability.log_analytics_name": ["log-one", "log-two"],
    "container_registry.name": ["crone", "crtwo"],
    "key_vault.tenant_id": GUIDS,
    "key_vault.soft_delete_days": [7, 90],
    "observability.application_insights_id": [f"{GROUP}/{name}" for name in "ab"],
    "identity_and_access.github.repository": ["Acme-Org/Fc-App", "acme-org/fc-app"],
    "identity_and_access.role_assignments.*.role": ["Reader", "data_scientist"],
    "identity_and_access.role_assignments.*.scope": ["workspace", "storage"],
    "identity_and_access.role_assignments.*.principal_id": GUIDS,
    "workspace.virtual_network.address_space": [["10.0.0.0/16"], ["10.0.0.0/8"]],
    "workspace.virtual_network.endpoints_prefix": ["10.0.2.0/24", "10.0.3.0/24"],
    "workspace.virtual_network.compute_prefix": ["10.0.2.0/24", "10.0.3.0/24"],
    "workspace.virtual_network.endpoints_subnet_id": [SUBNETS[0], SUBNETS[2]],
    "workspace.virtual_network.compute_subnet_id": [SUBNETS[1], SUBNETS[2]],
    "workspace.private_endpoints": [["workspace"], ["workspace", "key_vault"]],
    "workspace.dns_zones_in": [f"{GROUP}/{name}" for name in "ab"],
    "workspace.image_build_compute": ["cpu", "builder"],
    "workspace.customer_managed_key.vault_id": [f"{GROUP}/{name}" for name in "ab"],
    "workspace.customer_managed_key.key_id": KEYS,
    "compute.clusters.*.size": ["Standard_DS3_v2", "Standard_DS12_v2"],
    "compute.clusters.*.subnet_id": SUBNETS[:2],
    "compute.instances.*.subnet_id": SUBNETS[:2],
    "compute.clusters.*.ssh.public_key": ["ssh-ed25519 A", "ssh-ed25519 B"],
    "compute.instances.*.ssh.public_key": ["ssh-ed25519 A", "ssh-ed25519 B"],
    "compute.instances.*.assigned_user.tenant_id": GUIDS,
    "compute.instances.*.assigned_user.object_id": GUIDS,
    "compute.instances.*.start": ["0 7 * * *", "0 8 * * *"],
    "compute.instances.*.stop": ["0 18 * * *", "0 19 * * *"],
    "kubernetes.cluster_id": [
        f"{GROUP}/rg-hub/providers/Microsoft.ContainerService/managedClusters/{name}" for name in "ab"
    ],
    "kubernetes.version": ["1.31", "1.32"],
    "kubernetes.default_instance_type": ["small", "big"],
    "registry.locations": [["westeurope"], ["northeurope"]],
    "data_trigger.triggers.*.container": ["data", "more"],
    "data_trigger.triggers.*.webhook_url": ["https://a.example.com", "https://b.example.com"],
    "budget.thresholds": [[50], [50, 100]],
    "budget.start": ["2026-01-01", "2026-02-01"],
}
TAKEN_AWAY = {"kubernetes.cluster_id": ["kubernetes.node_pools"]}
EXAMPLES = {"*.emails": [["a@example.com"], ["b@example.com"]], "*.allowed_ips": [["192.0.2.7"], ["192.0.2.8"]]}


def leaves(part: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Mapping[str, Any]]]:
    free = part.get("additionalProperties")
    inner = part.get("properties") or ({"*": free} if isinstance(free, Mapping) else {})
    if not inner:
        yield ".".join(path), part
    for key, below in inner.items():
        yield from leaves(below, (*path, key))


# Names of v1 are other names of keys that are here; test_rules has them.
LEAVES = {path: part for path, part in leaves(environment_keys.schema()["properties"]["infra"]) if "x-v2" not in part}
NULLABLE = [path for path, part in LEAVES.items() if "x-null" in part]


def candidates(path: str, part: Mapping[str, Any]) -> list[Any]:
    """Return values of a key that are valid in themselves."""
    if path in VALUES:
        return VALUES[path]
    if found := EXAMPLES.get(f"*.{path.rpartition('.')[2]}"):
        return found
    if "enum" in part:
        return list(part["enum"])
    if part.get("type") == "array":
        enum = part["items"].get("enum")
        return [[enum[0]], list(enum)] if enum else [["a"], ["a", "b"]]
    if part["type"] in {"integer", "number"}:
        return [part.get("minimum", 1) + 1, part.get("minimum", 1) + 2]
    return [False, True] if part["type"] == "boolean" else ["one", "two"]


def put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a path; ``*`` is the first name that stands there, else a new one."""
    *above, last = path.split(".")
    for step in above:
        tree = tree.setdefault(next(iter(tree), "new") if step == "*" else step, {})
    tree[next(iter(tree), "new") if last == "*" else last] = value


def take(tree: dict[str, Any], path: str) -> None:
    *above, last = path.split(".")
    for step in above:
        tree = tree.get(step, {})
    tree.pop(last, None)


@pytest.fixture
def outcome(load, base):
    """Return a function: what comes of a value at a key, as the data of the engines or as codes of refusal."""

    def outcome_of(path: str, value: Any) -> Any:
        data = copy.deepcopy(base)
        data["infra"] = copy.deepcopy(EVERYTHING)
        for beside, other in BESIDE.get(path, {}).items():
            data["protected"] = True if beside.startswith("..") else data.get("protected", False)
            if not beside.startswith(".."):
                put(data["infra"], beside, other)
        for gone in TAKEN_AWAY.get(path, ()):
            take(data["infra"], gone)
        put(data["infra"], path, value)
        environment = load(data)
        found = [finding for finding in rules.findings(environment) if finding.severity == "error"]
        if found:
            return sorted(f"{finding.code} {finding.message}" for finding in found)
        return {"state": state.state(environment), **settings.values(settings.infrastructure(environment))}

    return outcome_of


def test_everything_switched_on_is_accepted(outcome):
    assert isinstance(outcome("stem", None), dict)


@pytest.mark.parametrize("path", LEAVES)
def test_r44_key_changes_what_the_engines_get_or_is_refused(path, outcome):
    found = [outcome(path, value) for value in candidates(path, LEAVES[path])]
    for index, one in enumerate(found):
        for other in found[:index]:
            assert one != other or isinstance(one, list), path
    accepted = sum(isinstance(one, dict) for one in found)
    assert accepted > 1 or path in POLICIES - STATE, found


STATE = frozenset(path for path in LEAVES if path.startswith("state."))
POLICIES = STATE | {"allowed_locations", "allowed_sizes", "allowed_when_protected"}
"""Keys that decide what else is accepted, or where the engines keep their state, and nothing of what is built."""


def objects(part: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Mapping[str, Any]]]:
    free = part.get("additionalProperties")
    inner = part.get("properties") or ({"*": free} if isinstance(free, Mapping) else {})
    for key, below in inner.items():
        if below.get("type") == "object":
            yield ".".join((*path, key)), below
            yield from objects(below, (*path, key))


UNWANTED = [path for path, part in objects(environment_keys.schema()["properties"]["infra"]) if "x-null" in part]
UNWANTED.remove("workspace.outbound_rules.*")  # with byo_vnet there are none


@pytest.mark.parametrize("path", UNWANTED)
def test_thing_that_is_null_is_not_there(path, outcome):
    assert outcome(path, None) != outcome("stem", None)


@pytest.mark.parametrize("path", NULLABLE)
def test_null_means_what_the_schema_says_and_changes_what_the_engines_get(path, outcome):
    values = [value for value in candidates(path, LEAVES[path]) if isinstance(outcome(path, value), dict)]
    assert outcome(path, None) != outcome(path, values[0])
