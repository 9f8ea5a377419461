"""The storage account of a workspace: HTTPS only, TLS 1.2, no public blobs, keys only where they are wanted."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import storage

from mlops_kit.infra import contract
from modules.pulumi.place import Place


class Storage(pulumi.ComponentResource):
    """The account, its blob service (versions, soft delete in days) and its containers.

    ``subnets`` holds the ids of the subnets that the firewall may name, by their key.
    Source: learn.microsoft.com/azure/templates/microsoft.storage/storageaccounts.
    """

    def __init__(
        self,
        name: str,
        args: contract.Storage,
        place: Place,
        *,
        subnets: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:Storage", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        self.account = storage.StorageAccount(
            name,
            account_name=args.name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            kind=storage.Kind.STORAGE_V2,
            sku=storage.SkuArgs(name=args.sku),
            enable_https_traffic_only=True,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            allow_blob_public_access=False,
            allow_shared_key_access=args.shared_keys,
            default_to_o_auth_authentication=None if args.shared_keys else True,
            public_network_access=args.firewall.public_network_access,
            network_rule_set=_firewall(args.firewall, subnets),
            opts=inside,
        )
        storage.BlobServiceProperties(
            f"{name}-blobs",
            account_name=self.account.name,
            resource_group_name=place.resource_group_name,
            blob_services_name="default",
            is_versioning_enabled=args.versioning,
            delete_retention_policy=_retention(args.blob_soft_delete_days),
            container_delete_retention_policy=_retention(args.container_soft_delete_days),
            opts=inside,
        )
        for container in args.containers:
            storage.BlobContainer(
                f"{name}-{container}",
                account_name=self.account.name,
                resource_group_name=place.resource_group_name,
                container_name=container,
                public_access=storage.PublicAccess.NONE,
                opts=inside,
            )
        self.id = self.account.id
        self.name = self.account.name
        self.blob_endpoint = self.account.primary_endpoints.apply(lambda endpoints: endpoints.blob)
        self.register_outputs({"id": self.id, "name": self.name, "blob_endpoint": self.blob_endpoint})


def _firewall(args: contract.Firewall, subnets: Mapping[str, pulumi.Input[str]]) -> storage.NetworkRuleSetArgs:
    return storage.NetworkRuleSetArgs(
        bypass=storage.Bypass.AZURE_SERVICES,
        default_action=storage.DefaultAction(args.default_action),
        ip_rules=[storage.IPRuleArgs(i_p_address_or_range=rule) for rule in args.ip_rules],
        virtual_network_rules=[
            storage.VirtualNetworkRuleArgs(virtual_network_resource_id=subnets[key]) for key in args.subnets
        ],
    )


def _retention(days: int | None) -> storage.DeleteRetentionPolicyArgs:
    """Return a policy; None switches it off. Days are 1 to 365."""
    return storage.DeleteRetentionPolicyArgs(enabled=days is not None, days=days)
