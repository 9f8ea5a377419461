"""Inputs of the SDK's classes as ids and bodies of ARM, and back; the table of types against SDK and store."""

import re

import pytest

from mlops_kit.errors import LocalError
from mlops_kit.local.arm.ids import type_of
from mlops_kit.local.iac.pulumi_engine.bodies import as_inputs, body_of, id_of, outputs_of
from mlops_kit.local.iac.pulumi_engine.differences import matches, parse
from mlops_kit.local.iac.pulumi_engine.resource_types import TYPES, api_version
from mlops_kit.local.iac.pulumi_engine.values import UNKNOWN, Secret
from mlops_kit.local.providers import resource_types as store

GROUP = {"resourceGroupName": "rg"}
# type, inputs as the SDK sends them, the body that ARM's reference asks for
EXAMPLES = {
    "a group has no properties": (
        "resources:ResourceGroup",
        {**GROUP, "location": "westeurope", "tags": {"a": "b"}},
        {"location": "westeurope", "tags": {"a": "b"}},
    ),
    "Log Analytics keeps its sku among the properties": (
        "operationalinsights:Workspace",
        {
            **GROUP,
            "workspaceName": "log",
            "location": "westeurope",
            "sku": {"name": "PerGB2018"},
            "retentionInDays": 30,
        },
        {"location": "westeurope", "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 30}},
    ),
    "Application Insights has names of its own": (
        "applicationinsights:Component",
        {**GROUP, "resourceName": "appi", "kind": "web", "applicationType": "web", "workspaceResourceId": "/w"},
        {"kind": "web", "properties": {"Application_Type": "web", "WorkspaceResourceId": "/w"}},
    ),
    "storage has other names for its firewall and its key": (
        "storage:StorageAccount",
        {
            **GROUP,
            "accountName": "st",
            "sku": {"name": "Standard_LRS"},
            "enableHttpsTrafficOnly": True,
            "networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"iPAddressOrRange": "192.0.2.7"}]},
            "encryption": {"keySource": "Microsoft.Keyvault", "keyVaultProperties": {"keyName": "k"}},
        },
        {
            "sku": {"name": "Standard_LRS"},
            "properties": {
                "supportsHttpsTrafficOnly": True,
                "networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "192.0.2.7"}]},
                "encryption": {"keySource": "Microsoft.Keyvault", "keyvaultproperties": {"keyname": "k"}},
            },
        },
    ),
    "a vault shows its properties as one": (
        "keyvault:Vault",
        {
            **GROUP,
            "vaultName": "kv",
            "location": "westeurope",
            "properties": {"tenantId": "t", "sku": {"name": "standard"}},
        },
        {"location": "westeurope", "properties": {"tenantId": "t", "sku": {"name": "standard"}}},
    ),
    "a cluster has properties within properties": (
        "machinelearningservices:Compute",
        {
            **GROUP,
            "workspaceName": "mlw",
            "computeName": "cpu",
            "properties": {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_DS3_v2"}},
        },
        {"properties": {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_DS3_v2"}}},
    ),
    "subnets of a network are resources with properties": (
        "network:VirtualNetwork",
        {
            **GROUP,
            "virtualNetworkName": "vnet",
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "one", "addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": "/nsg"}}],
        },
        {
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [
                    {
                        "name": "one",
                        "properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": "/nsg"}},
                    }
                ],
            }
        },
    ),
    "a private endpoint names its subnet and wraps its connections": (
        "network:PrivateEndpoint",
        {
            **GROUP,
            "privateEndpointName": "pe",
            "subnet": {"id": "/s"},
            "privateLinkServiceConnections": [{"name": "pe", "privateLinkServiceId": "/kv", "groupIds": ["vault"]}],
        },
        {
            "properties": {
                "subnet": {"id": "/s"},
                "privateLinkServiceConnections": [
                    {"name": "pe", "properties": {"privateLinkServiceId": "/kv", "groupIds": ["vault"]}}
                ],
            }
        },
    ),
    "an alert's criteria carry the type of OData": (
        "monitor:MetricAlert",
        {**GROUP, "ruleName": "r", "criteria": {"odataType": "Microsoft.Azure.Monitor.X", "allOf": []}},
        {"properties": {"criteria": {"odata.type": "Microsoft.Azure.Monitor.X", "allOf": []}}},
    ),
    "a role's type is a property": (
        "authorization:RoleDefinition",
        {"scope": "/subscriptions/s", "roleDefinitionId": "guid", "roleName": "it_ops", "roleType": "CustomRole"},
        {"properties": {"roleName": "it_ops", "type": "CustomRole"}},
    ),
    "a subscription wraps where it delivers": (
        "eventgrid:SystemTopicEventSubscription",
        {
            **GROUP,
            "systemTopicName": "t",
            "eventSubscriptionName": "s",
            "deliveryWithResourceIdentity": {
                "identity": {"type": "UserAssigned", "userAssignedIdentity": "/id"},
                "destination": {"endpointType": "StorageQueue", "queueName": "q", "resourceId": "/st"},
            },
        },
        {
            "properties": {
                "deliveryWithResourceIdentity": {
                    "identity": {"type": "UserAssigned", "userAssignedIdentity": "/id"},
                    "destination": {
                        "endpointType": "StorageQueue",
                        "properties": {"queueName": "q", "resourceId": "/st"},
                    },
                }
            }
        },
    ),
}


@pytest.mark.parametrize(("kind", "inputs", "body"), EXAMPLES.values(), ids=EXAMPLES)
def test_inputs_become_the_body_and_the_body_the_outputs(kind, inputs, body):
    row = TYPES[kind]
    assert body_of(row, inputs) == body
    answered = outputs_of(row, "2024-01-01", {"id": "/x", "name": "x", **body})
    own = {name: value for name, value in inputs.items() if name not in {*row.segments, "resourceGroupName"}}
    assert own.items() <= answered.items()


def test_assigned_identities_are_a_list_to_the_program_and_a_mapping_to_arm():
    row = TYPES["machinelearningservices:Workspace"]
    inputs = {"identity": {"type": "UserAssigned", "userAssignedIdentities": ["/one", "/two"]}}
    body = body_of(row, {**GROUP, "workspaceName": "mlw", **inputs})
    assert body["identity"]["userAssignedIdentities"] == {"/one": {}, "/two": {}}
    answered = {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {"/TWO": {"clientId": "c"}, "/three": {}}}
    }
    assert as_inputs(inputs, answered)["identity"]["userAssignedIdentities"] == ["/two", "/three"]


def test_a_secret_is_in_clear_in_the_body_only():
    row = TYPES["machinelearningservices:Datastore"]
    inputs = {**GROUP, "workspaceName": "w", "name": "d", "properties": Secret({"credentials": {"key": "k"}})}
    assert body_of(row, inputs) == {"properties": {"credentials": {"key": "k"}}}


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        ("resources:ResourceGroup", GROUP, "/subscriptions/s/resourceGroups/rg"),
        ("resources:ResourceGroup", {**GROUP, "resourceGroupName": UNKNOWN}, None),
        (
            "storage:BlobServiceProperties",
            {**GROUP, "accountName": "st"},
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st/blobServices/default",
        ),
        (
            "authorization:RoleAssignment",
            {"scope": "subscriptions/s/", "roleAssignmentName": "guid"},
            "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/guid",
        ),
        (
            "kubernetesconfiguration:Extension",
            {
                **GROUP,
                "clusterRp": "Microsoft.ContainerService",
                "clusterResourceName": "managedClusters",
                "clusterName": "aks",
                "extensionName": "azureml",
            },
            (
                "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
                "/providers/Microsoft.KubernetesConfiguration/extensions/azureml"
            ),
        ),
    ],
)
def test_the_id_follows_from_the_inputs(kind, inputs, expected):
    assert id_of(TYPES[kind], inputs, "s") == expected


def test_a_name_that_is_not_given_is_not_made_up():
    with pytest.raises(LocalError, match="the input 'vaultName' is missing"):
        id_of(TYPES["keyvault:Vault"], GROUP, "s")


def test_every_type_of_the_table_is_a_class_of_the_sdk_with_an_api_version():
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", api_version(f"azure-native:{token}")) for token in TYPES)


def test_what_the_store_refuses_to_change_the_engine_replaces():
    compared, missing = 0, []
    for token, row in TYPES.items():
        given = dict.fromkeys(row.segments, "x") | {
            "scope": "/subscriptions/s",
            "resourceUri": "/subscriptions/s",
        }
        rules = store.TYPES.get(type_of(str(id_of(row, given, "s"))))
        patterns = [parse(one) for path in row.immutable for one in (path, row.renamed.get(path, path))]
        for fixed in rules.fixed if rules is not None else ():
            path = fixed if row.whole else fixed.removeprefix("properties.").replace(".properties.", ".")
            compared += 1
            if not any(matches(one, parse(path.replace(".*", "[*]"))) for one in patterns):
                missing.append(f"{token}: {fixed}")
    assert missing == []
    assert compared > 20
