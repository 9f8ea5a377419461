"""The key vault of a workspace: always soft delete, access by roles, purge protection where it is wanted."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import authorization, keyvault

from mlops_kit.infra import contract
from modules.pulumi.place import Place


class KeyVault(pulumi.ComponentResource):
    """The vault. ``soft_delete_days`` are 7 to 90; without ``tenant_id`` it is that of whoever runs the program.

    ``principals`` are the principal ids of the identities by key, for its access policies.

    Source: learn.microsoft.com/azure/templates/microsoft.keyvault/vaults.
    """

    def __init__(
        self,
        name: str,
        args: contract.KeyVault,
        place: Place,
        *,
        subnets: Mapping[str, pulumi.Input[str]],
        principals: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:KeyVault", name, None, opts)
        tenant = args.tenant_id or self._own_tenant()
        policies = _policies(args.access_policies, tenant, principals)
        self.vault = keyvault.Vault(
            name,
            vault_name=args.name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            properties=keyvault.VaultPropertiesArgs(
                sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName(args.sku)),
                tenant_id=tenant,
                enable_rbac_authorization=args.rbac,
                access_policies=None if args.rbac else policies,
                enable_soft_delete=True,
                soft_delete_retention_in_days=args.soft_delete_days,
                # False is refused: once on, it is never off, so that only true may be said.
                enable_purge_protection=True if args.purge_protection else None,
                public_network_access=args.firewall.public_network_access,
                network_acls=_firewall(args.firewall, subnets),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self.vault.id
        self.name = self.vault.name
        self.uri = self.vault.properties.apply(lambda properties: properties.vault_uri)
        self.register_outputs({"id": self.id, "name": self.name, "uri": self.uri})

    def _own_tenant(self) -> pulumi.Output[str]:
        return authorization.get_client_config_output(opts=pulumi.InvokeOptions(parent=self)).tenant_id


def _policies(
    policies: Mapping[str, contract.AccessPolicy],
    tenant: pulumi.Input[str],
    principals: Mapping[str, pulumi.Input[str]],
) -> list[keyvault.AccessPolicyEntryArgs]:
    """Return the policies by their keys, sorted as Terraform sorts them."""
    return [
        keyvault.AccessPolicyEntryArgs(
            tenant_id=tenant,
            object_id=principals[one.identity] if one.identity is not None else one.principal_id or "",
            permissions=keyvault.PermissionsArgs(
                keys=list(one.keys), secrets=list(one.secrets), certificates=list(one.certificates)
            ),
        )
        for _, one in sorted(policies.items())
    ]


def _firewall(args: contract.Firewall, subnets: Mapping[str, pulumi.Input[str]]) -> keyvault.NetworkRuleSetArgs:
    return keyvault.NetworkRuleSetArgs(
        bypass=keyvault.NetworkRuleBypassOptions.AZURE_SERVICES,
        default_action=keyvault.NetworkRuleAction(args.default_action),
        ip_rules=[keyvault.IPRuleArgs(value=rule) for rule in args.ip_rules],
        virtual_network_rules=[keyvault.VirtualNetworkRuleArgs(id=subnets[key]) for key in args.subnets],
    )
