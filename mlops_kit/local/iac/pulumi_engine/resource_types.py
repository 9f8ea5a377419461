"""The resource types that the engine knows: where each is in ARM, what cannot be changed, where names differ.

The SDK carries no such table (the provider's plugin does), so ours holds what the modules use. The names were compared,
property by property, with the published Bicep types of the API version that each class of the SDK states.
"""

from __future__ import annotations

import functools
import importlib
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops_kit.errors import LocalError

PACKAGE = "azure-native"
# What ARM keeps beside `properties`; see "resource body" in the ARM template reference.
TOP_LEVEL = frozenset(
    {"location", "tags", "identity", "sku", "kind", "plan", "zones", "extendedLocation", "managedBy", "eTag"}
)
_GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
_REFERENCE = frozenset({"id", "name", "type"})  # of a part that is a resource itself, the rest being its properties


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One row: the id as a template over the inputs, and what differs from the ordinary shape of a body.

    ``immutable`` holds property paths as ``replace_on_changes`` takes them; the names in ``path`` always are.
    ``renamed`` maps the SDK's names to ARM's. ``wrapped`` maps property paths of parts to the names that stay outside
    of the part's own ``properties``. A ``singleton`` is there as long as its parent: it is set, never deleted.
    """

    path: str
    immutable: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    wrapped: Mapping[str, frozenset[str]] = field(default_factory=dict)
    top_level: frozenset[str] = TOP_LEVEL
    whole: bool = False  # the SDK shows `properties` as one argument instead of its members
    singleton: bool = False
    written_only: frozenset[str] = frozenset()  # sent, and never answered

    @property
    def segments(self) -> tuple[str, ...]:
        """Return the inputs that make up the id, from left to right."""
        return tuple(re.findall(r"{(\w+)}", self.path))


def _in(provider: str, *, scope: str = _GROUP) -> str:
    return f"{scope}/providers/Microsoft.{provider}"


_ML = _in("MachineLearningServices/workspaces/{workspaceName}")
_STORAGE = _in("Storage/storageAccounts/{accountName}")
_NETWORK = _in("Network")
_EVENT_SUBSCRIPTION = {
    "destination": frozenset({"endpointType"}),
    "destination.deliveryAttributeMappings[*]": frozenset({"name", "type"}),
    "deadLetterDestination": frozenset({"endpointType"}),
    "deliveryWithResourceIdentity.destination": frozenset({"endpointType"}),
    "deliveryWithResourceIdentity.destination.deliveryAttributeMappings[*]": frozenset({"name", "type"}),
    "deadLetterWithResourceIdentity.deadLetterDestination": frozenset({"endpointType"}),
}
_SUBNET = {
    "delegations[*]": _REFERENCE,
    "networkSecurityGroup": _REFERENCE | {"location", "tags"},
    "networkSecurityGroup.securityRules[*]": _REFERENCE,
    "routeTable": _REFERENCE | {"location", "tags"},
    "serviceEndpointPolicies[*]": _REFERENCE | {"location", "tags"},
}
_LOCK = _in("Authorization/locks/{lockName}", scope="{scope}")
_BUDGET = ResourceType(
    _in("Consumption/budgets/{budgetName}", scope="{scope}"),
    immutable=("category", "timeGrain", "timePeriod.startDate"),
)

TYPES: Mapping[str, ResourceType] = {
    "resources:ResourceGroup": ResourceType(_GROUP, immutable=("location", "managedBy")),
    "storage:StorageAccount": ResourceType(
        _STORAGE,
        immutable=(
            "location",
            "kind",
            "extendedLocation",
            "isHnsEnabled",
            "enableNfsV3",
            "immutableStorageWithVersioning",
            "encryption.requireInfrastructureEncryption",
        ),
        renamed={
            "enableHttpsTrafficOnly": "supportsHttpsTrafficOnly",
            "enableNfsV3": "isNfsV3Enabled",
            "networkRuleSet": "networkAcls",
            "networkRuleSet.ipRules[*].iPAddressOrRange": "value",
            "networkRuleSet.virtualNetworkRules[*].virtualNetworkResourceId": "id",
            "encryption.keyVaultProperties": "keyvaultproperties",
            "encryption.keyVaultProperties.keyName": "keyname",
            "encryption.keyVaultProperties.keyVaultUri": "keyvaulturi",
            "encryption.keyVaultProperties.keyVersion": "keyversion",
            "encryption.encryptionIdentity": "identity",
            "encryption.encryptionIdentity.encryptionUserAssignedIdentity": "userAssignedIdentity",
            "encryption.encryptionIdentity.encryptionFederatedIdentityClientId": "federatedIdentityClientId",
        },
    ),
    "storage:BlobServiceProperties": ResourceType(f"{_STORAGE}/blobServices/{{blobServicesName}}", singleton=True),
    "storage:BlobContainer": ResourceType(
        f"{_STORAGE}/blobServices/default/containers/{{containerName}}",
        immutable=("defaultEncryptionScope", "denyEncryptionScopeOverride"),
    ),
    "storage:Queue": ResourceType(f"{_STORAGE}/queueServices/default/queues/{{queueName}}"),
    "storage:ManagementPolicy": ResourceType(f"{_STORAGE}/managementPolicies/{{managementPolicyName}}"),
    "keyvault:Vault": ResourceType(
        _in("KeyVault/vaults/{vaultName}"), immutable=("location", "properties.tenantId"), whole=True
    ),
    "operationalinsights:Workspace": ResourceType(
        _in("OperationalInsights/workspaces/{workspaceName}"),
        immutable=("location",),
        top_level=TOP_LEVEL - {"sku"},  # the only service of ours that keeps it among the properties
    ),
    "applicationinsights:Component": ResourceType(
        _in("Insights/components/{resourceName}"),
        immutable=("location", "applicationType"),
        renamed={
            "applicationType": "Application_Type",
            "flowType": "Flow_Type",
            "requestSource": "Request_Source",
            "hockeyAppId": "HockeyAppId",
            "disableIpMasking": "DisableIpMasking",
            "disableLocalAuth": "DisableLocalAuth",
            "forceCustomerStorageForProfiler": "ForceCustomerStorageForProfiler",
            "immediatePurgeDataOn30Days": "ImmediatePurgeDataOn30Days",
            "ingestionMode": "IngestionMode",
            "retentionInDays": "RetentionInDays",
            "samplingPercentage": "SamplingPercentage",
            "workspaceResourceId": "WorkspaceResourceId",
            # answered only
            "appId": "AppId",
            "applicationId": "ApplicationId",
            "connectionString": "ConnectionString",
            "creationDate": "CreationDate",
            "instrumentationKey": "InstrumentationKey",
            "tenantId": "TenantId",
        },
    ),
    "monitor:DiagnosticSetting": ResourceType(_in("Insights/diagnosticSettings/{name}", scope="{resourceUri}")),
    "monitor:MetricAlert": ResourceType(
        _in("Insights/metricAlerts/{ruleName}"),
        immutable=("location",),
        renamed={"criteria.odataType": "odata.type"},
    ),
    "monitor:ActionGroup": ResourceType(_in("Insights/actionGroups/{actionGroupName}"), immutable=("location",)),
    "containerregistry:Registry": ResourceType(
        _in("ContainerRegistry/registries/{registryName}"),
        immutable=("location", "zoneRedundancy"),
        renamed={"networkRuleSet.ipRules[*].iPAddressOrRange": "value"},
    ),
    "managedidentity:UserAssignedIdentity": ResourceType(
        _in("ManagedIdentity/userAssignedIdentities/{resourceName}"), immutable=("location",)
    ),
    "managedidentity:FederatedIdentityCredential": ResourceType(
        _in("ManagedIdentity/userAssignedIdentities/{resourceName}")
        + "/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}"
    ),
    "authorization:RoleAssignment": ResourceType(
        _in("Authorization/roleAssignments/{roleAssignmentName}", scope="{scope}"),
        immutable=("principalId", "principalType", "roleDefinitionId", "delegatedManagedIdentityResourceId"),
    ),
    "authorization:RoleDefinition": ResourceType(
        _in("Authorization/roleDefinitions/{roleDefinitionId}", scope="{scope}"), renamed={"roleType": "type"}
    ),
    "authorization:ManagementLockByScope": ResourceType(_LOCK),
    "authorization:ManagementLockAtResourceGroupLevel": ResourceType(_in("Authorization/locks/{lockName}")),
    "network:VirtualNetwork": ResourceType(
        f"{_NETWORK}/virtualNetworks/{{virtualNetworkName}}",
        immutable=("location", "extendedLocation"),
        wrapped={
            "subnets[*]": _REFERENCE,
            **{f"subnets[*].{path}": outside for path, outside in _SUBNET.items()},
            "virtualNetworkPeerings[*]": _REFERENCE,
        },
    ),
    "network:Subnet": ResourceType(
        f"{_NETWORK}/virtualNetworks/{{virtualNetworkName}}/subnets/{{subnetName}}", wrapped=_SUBNET
    ),
    "network:NetworkSecurityGroup": ResourceType(
        f"{_NETWORK}/networkSecurityGroups/{{networkSecurityGroupName}}",
        immutable=("location",),
        wrapped={"securityRules[*]": _REFERENCE},
    ),
    "network:PrivateEndpoint": ResourceType(
        f"{_NETWORK}/privateEndpoints/{{privateEndpointName}}",
        immutable=(
            "location",
            "subnet",
            "customNetworkInterfaceName",
            "privateLinkServiceConnections[*].privateLinkServiceId",
            "privateLinkServiceConnections[*].groupIds",
        ),
        wrapped={
            "subnet": _REFERENCE,
            "privateLinkServiceConnections[*]": _REFERENCE,
            "manualPrivateLinkServiceConnections[*]": _REFERENCE,
            "ipConfigurations[*]": _REFERENCE,
        },
    ),
    "network:PrivateDnsZoneGroup": ResourceType(
        f"{_NETWORK}/privateEndpoints/{{privateEndpointName}}/privateDnsZoneGroups/{{privateDnsZoneGroupName}}",
        wrapped={"privateDnsZoneConfigs[*]": _REFERENCE},
    ),
    "privatedns:PrivateZone": ResourceType(f"{_NETWORK}/privateDnsZones/{{privateZoneName}}", immutable=("location",)),
    "privatedns:VirtualNetworkLink": ResourceType(
        f"{_NETWORK}/privateDnsZones/{{privateZoneName}}/virtualNetworkLinks/{{virtualNetworkLinkName}}",
        immutable=("location", "virtualNetwork"),
    ),
    "machinelearningservices:Workspace": ResourceType(
        _ML,
        # keyVault and storageAccount: "cannot be changed once the workspace has been created" (SDK docstring)
        immutable=("location", "keyVault", "storageAccount", "hbiWorkspace", "encryption", "kind"),
        wrapped={"sharedPrivateLinkResources[*]": frozenset({"name"})},
    ),
    "machinelearningservices:Compute": ResourceType(
        f"{_ML}/computes/{{computeName}}",
        # A cluster or an instance is updated in its scale, identity, idle time and schedules only.
        immutable=(
            "location",
            "properties.computeType",
            "properties.computeLocation",
            "properties.resourceId",
            "properties.disableLocalAuth",
            *(
                f"properties.properties.{name}"
                for name in (
                    "computeInstanceAuthorizationType",
                    "enableNodePublicIp",
                    "isolatedNetwork",
                    "osType",
                    "personalComputeInstanceSettings",
                    "remoteLoginPortPublicAccess",
                    "setupScripts",
                    "sshSettings",
                    "subnet",
                    "userAccountCredentials",
                    "virtualMachineImage",
                    "vmPriority",
                    "vmSize",
                )
            ),
        ),
        whole=True,
        written_only=frozenset({"properties.properties.userAccountCredentials"}),
    ),
    "machinelearningservices:Datastore": ResourceType(
        f"{_ML}/datastores/{{name}}",
        immutable=("properties.datastoreType",),
        whole=True,
        written_only=frozenset({"properties.credentials.secrets"}),
    ),
    "machinelearningservices:WorkspaceConnection": ResourceType(
        f"{_ML}/connections/{{connectionName}}",
        immutable=("properties.category",),
        whole=True,
        written_only=frozenset({"properties.credentials"}),
    ),
    "machinelearningservices:ManagedNetworkSettingsRule": ResourceType(
        f"{_ML}/outboundRules/{{ruleName}}", immutable=("properties.type",), whole=True
    ),
    "machinelearningservices:Registry": ResourceType(
        _in("MachineLearningServices/registries/{registryName}"),
        immutable=("location",),
        wrapped={"registryPrivateEndpointConnections[*]": frozenset({"id", "location"})},
    ),
    "containerservice:ManagedCluster": ResourceType(
        _in("ContainerService/managedClusters/{resourceName}"),
        # networkProfile.outboundType: "can only be set at cluster creation time" (SDK docstring)
        immutable=(
            "location",
            "dnsPrefix",
            "fqdnSubdomain",
            "nodeResourceGroup",
            "networkProfile.outboundType",
            "networkProfile.serviceCidr",
            "networkProfile.dnsServiceIP",
            "networkProfile.networkPlugin",
            "networkProfile.podCidr",
            "apiServerAccessProfile.enablePrivateCluster",
        ),
    ),
    "containerservice:AgentPool": ResourceType(
        _in("ContainerService/managedClusters/{resourceName}/agentPools/{agentPoolName}"),
        immutable=("vmSize", "osType", "osDiskType", "osDiskSizeGB", "vnetSubnetID", "availabilityZones"),
    ),
    "kubernetesconfiguration:Extension": ResourceType(
        _GROUP
        + "/providers/{clusterRp}/{clusterResourceName}/{clusterName}"
        + "/providers/Microsoft.KubernetesConfiguration/extensions/{extensionName}",
        immutable=("extensionType", "scope"),
        written_only=frozenset({"configurationProtectedSettings"}),
    ),
    "eventgrid:SystemTopic": ResourceType(
        _in("EventGrid/systemTopics/{systemTopicName}"), immutable=("location", "source", "topicType")
    ),
    "eventgrid:SystemTopicEventSubscription": ResourceType(
        _in("EventGrid/systemTopics/{systemTopicName}/eventSubscriptions/{eventSubscriptionName}"),
        wrapped=_EVENT_SUBSCRIPTION,
    ),
    "eventgrid:EventSubscription": ResourceType(
        _in("EventGrid/eventSubscriptions/{eventSubscriptionName}", scope="{scope}"), wrapped=_EVENT_SUBSCRIPTION
    ),
    "consumption:Budget": _BUDGET,
    "costmanagement:Budget": _BUDGET,
    "logic:Workflow": ResourceType(_in("Logic/workflows/{workflowName}"), immutable=("location",)),
}


def find(token: str) -> ResourceType | None:
    """Return the row of a type token such as ``azure-native:storage:StorageAccount``; None where there is none."""
    package, _, rest = token.partition(":")
    return TYPES.get(rest) if package == PACKAGE else None


@functools.cache
def api_version(token: str) -> str:
    """Return the ARM API version that the SDK's class states in its docstring, which is what its properties follow."""
    _, module, name = token.split(":")
    cls = getattr(importlib.import_module(f"pulumi_azure_native.{module}"), name)
    stated = " ".join(one.__doc__ or "" for one in typing.get_overloads(cls.__init__))
    found = re.search(r"Azure REST API version (\S+?)\.\s", stated)
    if found is None:
        raise LocalError(f"the class of {token} in this version of pulumi-azure-native states no API version")
    return found[1]
