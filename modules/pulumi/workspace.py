"""The Azure Machine Learning workspace, with the services that it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from mlops_kit.infra import contract
from modules.pulumi.place import Place


@dataclass(frozen=True, slots=True)
class Foundation:
    """The ids of what a workspace stands on; ``container_registry`` None lets Azure make one with the first image."""

    storage: pulumi.Input[str]
    key_vault: pulumi.Input[str]
    application_insights: pulumi.Input[str]
    container_registry: pulumi.Input[str] | None
    identities: Mapping[str, pulumi.Output[str]]
    subnets: Mapping[str, pulumi.Output[str]]


class Workspace(pulumi.ComponentResource):
    """The workspace of kind Default. It acts as its user-assigned identity, whose grants must exist before.

    Storage account and vault cannot be changed later. Source: SDK class machinelearningservices.Workspace.
    """

    def __init__(
        self,
        name: str,
        args: contract.Workspace,
        place: Place,
        *,
        foundation: Foundation,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:Workspace", name, None, opts)
        identity = foundation.identities[args.identity]
        self.workspace = ml.Workspace(
            name,
            workspace_name=args.name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            kind="Default",
            sku=ml.SkuArgs(name="Basic", tier=ml.SkuTier.BASIC),
            identity=ml.ManagedServiceIdentityArgs(
                type=ml.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity]
            ),
            primary_user_assigned_identity=identity,
            friendly_name=args.friendly_name,
            description=args.description,
            storage_account=foundation.storage,
            key_vault=foundation.key_vault,
            application_insights=foundation.application_insights,
            container_registry=foundation.container_registry,
            system_datastores_auth_mode=args.datastore_auth,
            image_build_compute=args.image_build_compute,
            public_network_access=args.network.public_network_access,
            managed_network=_managed_network(args.network),
            serverless_compute_settings=_serverless(args.serverless, foundation.subnets),
            encryption=_encryption(args.customer_managed_key, identity),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self.workspace.id
        self.name = self.workspace.name
        self.register_outputs({"id": self.id, "name": self.name})


def _managed_network(args: contract.Network) -> ml.ManagedNetworkSettingsArgs | None:
    if args.isolation_mode == "Disabled":
        return None
    rules = {name: _outbound_rule(rule) for name, rule in args.outbound_rules.items()}
    return ml.ManagedNetworkSettingsArgs(isolation_mode=args.isolation_mode, outbound_rules=rules or None)


def _outbound_rule(args: contract.OutboundRule) -> ml.FqdnOutboundRuleArgs | ml.ServiceTagOutboundRuleArgs:
    if args.type == "FQDN":
        return ml.FqdnOutboundRuleArgs(type="FQDN", category=ml.RuleCategory.USER_DEFINED, destination=args.fqdn)
    return ml.ServiceTagOutboundRuleArgs(
        type="ServiceTag",
        category=ml.RuleCategory.USER_DEFINED,
        destination=ml.ServiceTagDestinationArgs(
            service_tag=args.service_tag, protocol=args.protocol, port_ranges=args.port_ranges
        ),
    )


def _serverless(
    args: contract.Serverless, subnets: Mapping[str, pulumi.Output[str]]
) -> ml.ServerlessComputeSettingsArgs | None:
    if args.subnet is None and not args.no_public_ip:
        return None
    return ml.ServerlessComputeSettingsArgs(
        serverless_compute_custom_subnet=subnets[args.subnet] if args.subnet is not None else None,
        serverless_compute_no_public_ip=args.no_public_ip,
    )


def _encryption(
    args: contract.CustomerManagedKey | None, identity: pulumi.Input[str]
) -> ml.EncryptionPropertyArgs | None:
    if args is None:
        return None
    return ml.EncryptionPropertyArgs(
        status=ml.EncryptionStatus.ENABLED,
        identity=ml.IdentityForCmkArgs(user_assigned_identity=identity),
        key_vault_properties=ml.KeyVaultPropertiesArgs(key_vault_arm_id=args.vault_id, key_identifier=args.key_id),
    )
