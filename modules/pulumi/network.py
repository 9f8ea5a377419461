"""The network around a workspace: virtual network, private DNS zones, and the private addresses of its services."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import network, privatedns

from mlops_kit.infra import contract
from modules.pulumi.place import Place

_EVERYWHERE = "global"  # private DNS belongs to no region


class Network(pulumi.ComponentResource):
    """The virtual network with its subnets, and the DNS zones that are linked to it; or those that exist.

    Subnets are part of the network's own body: an update of a network without them would delete them.
    Source: learn.microsoft.com/azure/machine-learning/how-to-configure-private-link.
    """

    def __init__(
        self, name: str, args: contract.Network, place: Place, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-kit:modules:Network", name, None, opts)
        self._inside = pulumi.ResourceOptions(parent=self)
        self.virtual_network_id = self._virtual_network(name, args, place)
        self.subnet_ids = {key: self._subnet_id(subnet) for key, subnet in args.subnets.items()}
        self.dns_zone_ids = {zone: self._dns_zone(name, zone, one, place) for zone, one in args.dns_zones.items()}
        self.register_outputs({"subnet_ids": self.subnet_ids})

    def _virtual_network(self, name: str, args: contract.Network, place: Place) -> pulumi.Output[str] | None:
        if args.virtual_network is None:
            return pulumi.Output.from_input(args.virtual_network_id) if args.virtual_network_id else None
        made = network.VirtualNetwork(
            name,
            virtual_network_name=args.virtual_network.name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            address_space=network.AddressSpaceArgs(address_prefixes=list(args.virtual_network.address_space)),
            subnets=[_subnet(subnet) for subnet in args.subnets.values() if subnet.prefix is not None],
            opts=self._inside,
        )
        return made.id

    def _subnet_id(self, subnet: contract.Subnet) -> pulumi.Output[str]:
        if subnet.id is not None or self.virtual_network_id is None:
            return pulumi.Output.from_input(subnet.id or "")
        return pulumi.Output.concat(self.virtual_network_id, "/subnets/", subnet.name)

    def _dns_zone(self, name: str, zone: str, args: contract.DnsZone, place: Place) -> pulumi.Output[str]:
        if args.id is not None:
            return pulumi.Output.from_input(args.id)
        made = privatedns.PrivateZone(
            f"{name}-{zone}",
            private_zone_name=zone,
            resource_group_name=place.resource_group_name,
            location=_EVERYWHERE,
            tags=dict(place.tags),
            opts=self._inside,
        )
        if args.link is not None and self.virtual_network_id is not None:
            privatedns.VirtualNetworkLink(
                f"{name}-{zone}-link",
                virtual_network_link_name=args.link,
                private_zone_name=made.name,
                resource_group_name=place.resource_group_name,
                location=_EVERYWHERE,
                tags=dict(place.tags),
                registration_enabled=False,
                virtual_network=privatedns.SubResourceArgs(id=self.virtual_network_id),
                opts=self._inside,
            )
        return made.id


def _subnet(args: contract.Subnet) -> network.SubnetArgs:
    return network.SubnetArgs(
        name=args.name,
        address_prefix=args.prefix,
        service_endpoints=[network.ServiceEndpointPropertiesFormatArgs(service=one) for one in args.service_endpoints],
        private_endpoint_network_policies=network.VirtualNetworkPrivateEndpointNetworkPolicies.DISABLED,
    )


class PrivateEndpoints(pulumi.ComponentResource):
    """Private addresses in the subnet ``endpoints``, by key; ``targets`` holds the ids of the modules' resources."""

    def __init__(
        self,
        name: str,
        args: Mapping[str, contract.PrivateEndpoint],
        place: Place,
        *,
        around: Network,
        targets: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:PrivateEndpoints", name, None, opts)
        self.ids = {
            key: self._endpoint(f"{name}-{key}", one, place, around, targets[one.target]) for key, one in args.items()
        }
        self.register_outputs({"ids": self.ids})

    def _endpoint(
        self,
        name: str,
        args: contract.PrivateEndpoint,
        place: Place,
        around: Network,
        target: pulumi.Input[str],
    ) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        endpoint = network.PrivateEndpoint(
            name,
            private_endpoint_name=args.name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            subnet={"id": around.subnet_ids["endpoints"]},  # as SubnetArgs it would carry policies, too
            private_link_service_connections=[
                network.PrivateLinkServiceConnectionArgs(
                    name=args.name, private_link_service_id=target, group_ids=[args.group_id]
                )
            ],
            opts=inside,
        )
        if args.dns_zones:
            network.PrivateDnsZoneGroup(
                f"{name}-dns",
                private_dns_zone_group_name="default",
                private_endpoint_name=endpoint.name,
                resource_group_name=place.resource_group_name,
                private_dns_zone_configs=[
                    network.PrivateDnsZoneConfigArgs(
                        name=zone.replace(".", "-"), private_dns_zone_id=around.dns_zone_ids[zone]
                    )
                    for zone in args.dns_zones
                ],
                opts=inside,
            )
        return endpoint.id
