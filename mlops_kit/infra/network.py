"""The network of an environment: who reaches each service, subnets, private endpoints, DNS zones, outbound rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_kit.infra import derived
from mlops_kit.infra.contract import DnsZone, Firewall, Network, OutboundRule, PrivateEndpoint, Subnet, VirtualNetwork
from mlops_kit.infra.wanted import Wanted

ISOLATION = {
    "allow_internet_outbound": "AllowInternetOutbound",
    "allow_only_approved_outbound": "AllowOnlyApprovedOutbound",
}
# target -> (module, sub-resource, DNS zones): "Azure Private Endpoint private DNS zone values" (learn.microsoft.com)
ENDPOINTS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "workspace": (
        "workspace",
        "amlworkspace",
        ("privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"),
    ),
    "storage_blob": ("storage", "blob", ("privatelink.blob.core.windows.net",)),
    "storage_file": ("storage", "file", ("privatelink.file.core.windows.net",)),
    "key_vault": ("key_vault", "vault", ("privatelink.vaultcore.azure.net",)),
    "container_registry": ("container_registry", "registry", ("privatelink.azurecr.io",)),
}
_SERVICES = ("Microsoft.Storage", "Microsoft.KeyVault")  # subnets are let in by the firewalls of these


def enabled(access: str) -> str:
    """Return ARM's ``publicNetworkAccess``: a firewall with selected networks is one of the public address."""
    return "Disabled" if access == "disabled" else "Enabled"


def firewall(tree: Wanted, service: str) -> Firewall:
    """Return who reaches the storage account or the vault."""
    part = tree[service]
    selected = part["public_access"] == "selected"
    return Firewall(
        enabled(part["public_access"]),
        "Allow" if part["public_access"] == "all" else "Deny",
        tuple(part["allowed_ips"]) if selected else (),
        tuple(_subnets(tree)) if selected else (),
    )


def network(tree: Wanted, named: Mapping[str, str]) -> Network:
    """Return the network of the workspace."""
    part = tree["workspace"]
    subnets = _subnets(tree)
    created = any(subnet.prefix for subnet in subnets.values())
    existing = next((subnet.id.rpartition("/subnets/")[0] for subnet in subnets.values() if subnet.id), None)
    space = tuple(part["virtual_network"]["address_space"])
    endpoints = {target: _endpoint(target, named) for target in derived.endpoints(tree)}
    zones = dict.fromkeys(zone for endpoint in endpoints.values() for zone in endpoint.dns_zones)
    return Network(
        mode=part["network"],
        public_network_access=enabled(derived.workspace_access(tree)),
        isolation_mode=ISOLATION[part["isolation"]] if part["network"] == "managed" else "Disabled",
        outbound_rules={name: _outbound(rule) for name, rule in part["outbound_rules"].items()},
        virtual_network=VirtualNetwork(named["virtual_network"], space) if created else None,
        virtual_network_id=existing,
        subnets=subnets,
        private_endpoints=endpoints,
        dns_zones={zone: _zone(zone, part["dns_zones_in"], named) for zone in zones},
    )


def _subnets(tree: Wanted) -> dict[str, Subnet]:
    """Return the subnets by use: of endpoints, where there are any, and of compute, where it is in your network."""
    part = tree["workspace"]
    uses = {"public": (), "managed": ("endpoints",), "byo_vnet": ("endpoints", "compute")}[part["network"]]
    return {use: _subnet(use, part["virtual_network"]) for use in uses}


def _subnet(use: str, part: Wanted) -> Subnet:
    if existing := part[f"{use}_subnet_id"]:
        return Subnet(existing.rpartition("/")[2], None, existing, ())
    return Subnet(f"snet-{use}", part[f"{use}_prefix"], None, _SERVICES)


def _endpoint(target: str, named: Mapping[str, str]) -> PrivateEndpoint:
    module, group_id, zones = ENDPOINTS[target]
    return PrivateEndpoint(named[f"private_endpoint.{target}"], module, group_id, zones)


def _zone(zone: str, group: str | None, named: Mapping[str, str]) -> DnsZone:
    if group:
        return DnsZone(f"{group}/providers/Microsoft.Network/privateDnsZones/{zone}", None)
    return DnsZone(None, named["virtual_network"])


def _outbound(rule: Mapping[str, Any]) -> OutboundRule:
    if "fqdn" in rule:
        return OutboundRule("FQDN", rule["fqdn"], None, None, None)
    return OutboundRule("ServiceTag", None, rule.get("service_tag"), rule["protocol"], rule["ports"])
