"""Every resource type that is stored for its own sake, with its rules; a type that is not listed here is refused.

Names: "Naming rules and restrictions for Azure resources" of Microsoft's documentation. Required and read-only fields:
the published type files of the services.
"""

from __future__ import annotations

from mlops_kit.local.arm.ids import type_of
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.providers import (
    access,
    federated_credentials,
    locks,
    networks,
    node_pools,
    roles,
    user_identities,
    vaults,
)
from mlops_kit.local.providers import resource_facts as facts
from mlops_kit.local.providers.resource_rules import TypeRules
from mlops_kit.nearest import nearest

_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_CONTAINER = r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*|\$root|\$web|\$logs"
_CONTAINER_SAYS = "3 to 63 lower-case letters, digits and single hyphens"
_ALERT = r"[^*#&+:<>?@%{}\\/|]{0,259}[^*#&+:<>?@%{}\\/| .]"
_ALERT_SAYS = "1 to 260 characters, none of *#&+:<>?@%{}\\/|, and no space or dot at the end"
_NETWORK = r"[A-Za-z0-9]([\w.-]{0,78}\w)?"
_NETWORK_SAYS = "1 to 80 letters, digits, '_', '.' and '-', beginning with a letter or digit"
_EVENT = r"[A-Za-z0-9-]{3,50}"
_SUBSCRIPTION = TypeRules(
    name=r"[A-Za-z0-9_.~-]{3,64}",
    says="3 to 64 letters, digits and '-'",
    located=False,
    # No destination is needed: the one in deliveryWithResourceIdentity takes its place.
    refers=(
        "properties.destination.properties.resourceId",
        "properties.deliveryWithResourceIdentity.destination.properties.resourceId",
        "properties.deadLetterDestination.properties.resourceId",
    ),
    secret=("properties.destination.properties.endpointUrl",),
    facts=facts.event_subscription,
)
_FIXED_CLUSTER = (
    "properties.dnsPrefix",
    "properties.nodeResourceGroup",
    "properties.networkProfile.networkPlugin",
    "properties.networkProfile.serviceCidr",
    "properties.networkProfile.podCidr",
    "properties.apiServerAccessProfile.enablePrivateCluster",
)

TYPES: dict[str, TypeRules] = {
    "Microsoft.Authorization/locks": TypeRules(
        name=r"[\w.()-]{0,89}[\w()-]",
        says="1 to 90 letters, digits, '.', '_', '-' and parentheses, and no '.' at the end",
        located=False,
        needs=("properties.level",),
        admit=locks.admit,
        listed=locks.listed,
    ),
    "Microsoft.Authorization/roleAssignments": TypeRules(
        name=_GUID,
        says="a GUID",
        located=False,
        needs=("properties.principalId", "properties.roleDefinitionId"),
        admit=roles.admit_assignment,
        listed=roles.list_assignments,
    ),
    "Microsoft.Authorization/roleDefinitions": TypeRules(
        name=_GUID,
        says="a GUID",
        located=False,
        needs=("properties.roleName", "properties.assignableScopes", "properties.permissions"),
        admit=roles.admit_definition,
        forget=roles.forget_definition,
        place=roles.place,
        standing=roles.standing,
        listed=roles.list_definitions,
    ),
    "Microsoft.Authorization/permissions": TypeRules(listed=access.own, read_only=True),
    "Microsoft.Consumption/budgets": TypeRules(
        name=r"[\w-]{1,63}",
        says="1 to 63 letters, digits, '_' and '-'",
        located=False,
        needs=(
            "properties.amount",
            "properties.category",
            "properties.timeGrain",
            "properties.timePeriod.startDate",
        ),
        fixed=("properties.category", "properties.timeGrain", "properties.timePeriod.startDate"),
        etag="eTag",
        facts=facts.budget,
    ),
    "Microsoft.ContainerRegistry/registries": TypeRules(
        name=r"[A-Za-z0-9]{5,50}",
        says="5 to 50 letters and digits",
        needs=("sku.name",),
        taken=(
            "AlreadyInUse",
            "The registry DNS name {name} is already in use. You can check if the name is available.",
        ),
        facts=facts.container_registry,
    ),
    "Microsoft.ContainerService/managedClusters": TypeRules(
        name=r"[A-Za-z0-9]([\w-]{0,61}[A-Za-z0-9])?",
        says="1 to 63 letters, digits, '_' and '-', beginning and ending with a letter or digit",
        fixed=_FIXED_CLUSTER,
        refers=(
            "properties.agentPoolProfiles.*.vnetSubnetID",
            "properties.addonProfiles.omsagent.config.logAnalyticsWorkspaceResourceID",
        ),
        secret=("properties.windowsProfile.adminPassword", "properties.servicePrincipalProfile.secret"),
        etag="eTag",
        facts=facts.kubernetes,
        admit=node_pools.admit,
        written=node_pools.written,
    ),
    "Microsoft.ContainerService/managedClusters/agentPools": TypeRules(
        name=r"[a-z][a-z0-9]{0,11}",
        says="1 to 12 lower-case letters and digits, beginning with a letter",
        located=False,
        fixed=("properties.vmSize", "properties.osType", "properties.vnetSubnetID", "properties.osDiskSizeGB"),
        refers=("properties.vnetSubnetID",),
        etag="eTag",
        facts=facts.agent_pool,
        written=node_pools.pool_written,
        forget=node_pools.forget_pool,
    ),
    "Microsoft.EventGrid/eventSubscriptions": _SUBSCRIPTION,
    "Microsoft.EventGrid/systemTopics": TypeRules(
        name=_EVENT,
        says="3 to 50 letters, digits and '-'",
        needs=("properties.source", "properties.topicType"),
        fixed=("properties.source", "properties.topicType"),
        refers=("properties.source",),
        facts=facts.system_topic,
    ),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": _SUBSCRIPTION,
    "Microsoft.EventGrid/topics": TypeRules(name=_EVENT, says="3 to 50 letters, digits and '-'"),
    "Microsoft.EventGrid/topics/eventSubscriptions": _SUBSCRIPTION,
    "Microsoft.Insights/actionGroups": TypeRules(
        name=_ALERT, says=_ALERT_SAYS, needs=("properties.groupShortName", "properties.enabled")
    ),
    "Microsoft.Insights/activityLogAlerts": TypeRules(
        name=_ALERT,
        says=_ALERT_SAYS,
        needs=("properties.scopes", "properties.condition"),
        refers=("properties.actions.actionGroups.*.actionGroupId",),
    ),
    "Microsoft.Insights/components": TypeRules(
        name=r"[^%&\\?/]{0,259}[^%&\\?/ .]",
        says="1 to 260 characters, none of %&\\?/, and no space or dot at the end",
        needs=("kind", "properties.Application_Type"),
        refers=("properties.WorkspaceResourceId",),
        etag="etag",
        facts=facts.insights,
    ),
    "Microsoft.Insights/diagnosticSettings": TypeRules(
        located=False,
        refers=(
            "properties.workspaceId",
            "properties.storageAccountId",
        ),
    ),
    "Microsoft.Insights/metricAlerts": TypeRules(
        name=_ALERT,
        says=_ALERT_SAYS,
        needs=tuple(
            f"properties.{field}"
            for field in ("severity", "enabled", "scopes", "evaluationFrequency", "windowSize", "criteria")
        ),
        refers=("properties.scopes.*", "properties.actions.*.actionGroupId"),
    ),
    "Microsoft.Insights/scheduledQueryRules": TypeRules(
        name=_ALERT,
        says=_ALERT_SAYS,
        refers=("properties.scopes.*", "properties.actions.actionGroups.*"),
    ),
    "Microsoft.KeyVault/vaults": TypeRules(
        name=r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]",
        says="3 to 24 letters, digits and single hyphens, beginning with a letter and not ending with a hyphen",
        needs=("properties.tenantId", "properties.sku.name"),
        fixed=("properties.tenantId",),
        refers=("properties.networkAcls.virtualNetworkRules.*.id",),
        taken=("VaultAlreadyExists", "The vault name '{name}' is already in use. Vault names are globally unique."),
        facts=facts.vault,
        admit=vaults.admit,
        forget=vaults.forget,
    ),
    "Microsoft.KeyVault/vaults/keys": TypeRules(
        name=r"[A-Za-z0-9-]{1,127}",
        says="1 to 127 letters, digits and '-'",
        located=False,
        needs=("properties.kty",),
        fixed=("properties.kty", "properties.keySize", "properties.curveName"),
        facts=facts.vault_key,
    ),
    "Microsoft.KeyVault/vaults/secrets": TypeRules(
        name=r"[A-Za-z0-9-]{1,127}",
        says="1 to 127 letters, digits and '-'",
        located=False,
        secret=("properties.value",),
        facts=facts.vault_secret,
    ),
    "Microsoft.KubernetesConfiguration/extensions": TypeRules(
        name=r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?",
        says="1 to 63 letters, digits, '.' and '-'",
        located=False,
        needs=("properties.extensionType",),
        fixed=("properties.extensionType", "properties.scope"),
        secret=("properties.configurationProtectedSettings",),
        facts=facts.extension,
    ),
    "Microsoft.ManagedIdentity/userAssignedIdentities": TypeRules(
        name=r"[A-Za-z0-9][\w-]{2,127}",
        says="3 to 128 letters, digits, '_' and '-', beginning with a letter or digit",
        admit=user_identities.admit,
    ),
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": TypeRules(
        name=r"[A-Za-z0-9][\w-]{2,119}",
        says="3 to 120 letters, digits, '_' and '-', beginning with a letter or digit",
        located=False,
        needs=("properties.issuer", "properties.subject", "properties.audiences"),
        admit=federated_credentials.admit,
    ),
    "Microsoft.Network/networkSecurityGroups": TypeRules(
        name=_NETWORK, says=_NETWORK_SAYS, etag="etag", facts=facts.network
    ),
    "Microsoft.Network/networkSecurityGroups/securityRules": TypeRules(
        name=_NETWORK, says=_NETWORK_SAYS, located=False, etag="etag"
    ),
    "Microsoft.Network/privateDnsZones": TypeRules(
        name=r"(?=.{1,253}$)[\w-]{1,63}(\.[\w-]{1,63})+",
        says="2 to 34 labels with dots between",
        etag="etag",
        facts=facts.dns_zone,
        forget=networks.forget_zone,
    ),
    "Microsoft.Network/privateDnsZones/A": TypeRules(located=False, etag="etag"),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": TypeRules(
        name=_NETWORK,
        says=_NETWORK_SAYS,
        needs=("properties.virtualNetwork.id", "properties.registrationEnabled"),
        fixed=("properties.virtualNetwork.id",),
        refers=("properties.virtualNetwork.id",),
        etag="etag",
        facts=facts.dns_link,
    ),
    "Microsoft.Network/privateEndpoints": TypeRules(
        name=r"[A-Za-z0-9][\w.-]{0,62}\w",
        says="2 to 64 letters, digits, '_', '.' and '-', beginning with a letter or digit",
        needs=("properties.subnet.id",),
        fixed=(
            "properties.subnet.id",
            "properties.privateLinkServiceConnections.*.properties.privateLinkServiceId",
            "properties.privateLinkServiceConnections.*.properties.groupIds",
            "properties.customNetworkInterfaceName",
        ),
        refers=(
            "properties.subnet.id",
            "properties.privateLinkServiceConnections.*.properties.privateLinkServiceId",
            "properties.manualPrivateLinkServiceConnections.*.properties.privateLinkServiceId",
        ),
        etag="etag",
        facts=facts.private_endpoint,
    ),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": TypeRules(
        name=_NETWORK,
        says=_NETWORK_SAYS,
        located=False,
        refers=("properties.privateDnsZoneConfigs.*.properties.privateDnsZoneId",),
        etag="etag",
    ),
    "Microsoft.Network/virtualNetworks": TypeRules(
        name=r"[A-Za-z0-9][\w.-]{0,62}\w",
        says="2 to 64 letters, digits, '_', '.' and '-', beginning with a letter or digit",
        refers=("properties.subnets.*.properties.networkSecurityGroup.id",),
        etag="etag",
        facts=facts.network,
        admit=networks.admit,
        written=networks.written,
        forget=networks.forget,
    ),
    "Microsoft.Network/virtualNetworks/subnets": TypeRules(
        name=_NETWORK,
        says=_NETWORK_SAYS,
        located=False,
        refers=("properties.networkSecurityGroup.id",),
        etag="etag",
        written=networks.subnet_written,
        forget=networks.forget_subnet,
    ),
    "Microsoft.OperationalInsights/workspaces": TypeRules(
        name=r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
        says="4 to 63 letters, digits and '-', beginning and ending with a letter or digit",
        etag="etag",
        facts=facts.log_analytics,
    ),
    "Microsoft.OperationalInsights/workspaces/savedSearches": TypeRules(located=False, etag="etag"),
    "Microsoft.OperationalInsights/workspaces/tables": TypeRules(located=False),
    "Microsoft.Storage/storageAccounts": TypeRules(
        name=r"[a-z0-9]{3,24}",
        says="3 to 24 lower-case letters and digits",
        needs=("sku.name", "kind"),
        fixed=(
            "kind",
            "properties.isHnsEnabled",
            "properties.isNfsV3Enabled",
            "properties.encryption.requireInfrastructureEncryption",
        ),
        refers=(
            "properties.networkAcls.virtualNetworkRules.*.id",
            "properties.encryption.identity.userAssignedIdentity",
        ),
        parts=tuple(f"{service}Services/default" for service in ("blob", "file", "queue", "table")),
        taken=("StorageAccountAlreadyTaken", "The storage account named {name} is already taken."),
        facts=facts.storage_account,
    ),
    **{
        f"Microsoft.Storage/storageAccounts/{service}Services": TypeRules(
            name="default", says="the name 'default'", located=False
        )
        for service in ("blob", "file", "queue", "table")
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": TypeRules(
        name=_CONTAINER, says=_CONTAINER_SAYS, located=False, etag="etag", facts=facts.container
    ),
    "Microsoft.Storage/storageAccounts/fileServices/shares": TypeRules(
        name=_CONTAINER, says=_CONTAINER_SAYS, located=False, etag="etag"
    ),
    "Microsoft.Storage/storageAccounts/managementPolicies": TypeRules(
        name="default", says="the name 'default'", located=False
    ),
    "Microsoft.Storage/storageAccounts/queueServices/queues": TypeRules(
        name=_CONTAINER, says=_CONTAINER_SAYS, located=False
    ),
    "Microsoft.Storage/storageAccounts/tableServices/tables": TypeRules(
        name=r"[A-Za-z][A-Za-z0-9]{2,62}", says="3 to 63 letters and digits", located=False
    ),
}

_BY_NAME = {name.lower(): (name, rules) for name, rules in TYPES.items()}


def rules_of(resource_id: str, doing: str = "") -> tuple[str, TypeRules]:
    """Return the type of an id in its own letter case, and its rules; 501 (naming ``doing``) for any other type."""
    kind = type_of(resource_id)
    found = _BY_NAME.get(kind.lower())
    if found is None:
        near = nearest(kind, TYPES, 2, close=0.85)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ArmError(
            501,
            "NotImplemented",
            f"The local control plane does not implement {doing or kind}. Nothing was done.{hint}",
        )
    return found
