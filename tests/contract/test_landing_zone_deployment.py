"""A whole landing zone as one ARM template: expressions, order, loops and a nested deployment."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from mlops_kit.local.settings import TENANT

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def _resource(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": f"Microsoft.{type_}", "apiVersion": "2024-01-01", "name": name, **more}


def _located(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return _resource(type_, name, location="[parameters('location')]", **more)


TEMPLATE: dict[str, Any] = {
    "contentVersion": "1.0.0.0",
    "parameters": {
        "location": {"type": "string", "defaultValue": "[resourceGroup().location]"},
        "stem": {"type": "string"},
        "containers": {"type": "array", "defaultValue": ["raw", "features"]},
    },
    "variables": {
        "storage": "[concat('st', parameters('stem'))]",
        "vault": "[format('kv-{0}', parameters('stem'))]",
        "workspace": "[concat('mlw-', parameters('stem'))]",
        "storageId": "[resourceId('Microsoft.Storage/storageAccounts', variables('storage'))]",
        "identityId": "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id-train')]",
        "reader": f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{READER}')]",
    },
    # In the reverse of the order in which they need each other.
    "resources": [
        _resource(
            "MachineLearningServices/workspaces/computes",
            "[format('{0}/cpu', variables('workspace'))]",
            location="[parameters('location')]",
            dependsOn=["[resourceId('Microsoft.MachineLearningServices/workspaces', variables('workspace'))]", "vnet"],
            properties={
                "computeType": "AmlCompute",
                "properties": {
                    "subnet": {"id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'vnet', 'train')]"},
                    "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 2},
                },
            },
        ),
        _resource(
            "Authorization/roleAssignments",
            "[guid(variables('storageId'), 'id-train', 'reader')]",
            scope="[variables('storageId')]",
            dependsOn=["[variables('storage')]", "[variables('identityId')]"],
            properties={
                "principalId": "[reference(variables('identityId'), '2023-01-31').principalId]",
                "roleDefinitionId": "[variables('reader')]",
                "principalType": "ServicePrincipal",
            },
        ),
        _located(
            "MachineLearningServices/workspaces",
            "[variables('workspace')]",
            dependsOn=["[variables('storage')]", "[variables('vault')]", "telemetry", "[variables('identityId')]"],
            identity={"type": "UserAssigned", "userAssignedIdentities": {"[variables('identityId')]": {}}},
            properties={
                "storageAccount": "[variables('storageId')]",
                "keyVault": "[resourceId('Microsoft.KeyVault/vaults', variables('vault'))]",
                "applicationInsights": "[reference('telemetry').outputs.id.value]",
                "primaryUserAssignedIdentity": "[variables('identityId')]",
            },
        ),
        _resource(
            "Resources/deployments",
            "telemetry",
            properties={
                "mode": "Incremental",
                "expressionEvaluationOptions": {"scope": "inner"},
                "parameters": {"location": {"value": "[parameters('location')]"}},
                "template": {
                    "contentVersion": "1.0.0.0",
                    "parameters": {"location": {"type": "string"}},
                    "resources": [
                        _located(
                            "Insights/components",
                            "appi",
                            kind="web",
                            dependsOn=["log-zone"],
                            properties={
                                "Application_Type": "web",
                                "WorkspaceResourceId": "[resourceId('Microsoft.OperationalInsights/workspaces',"
                                " 'log-zone')]",
                            },
                        ),
                        _located("OperationalInsights/workspaces", "log-zone"),
                    ],
                    "outputs": {
                        "id": {"type": "string", "value": "[resourceId('Microsoft.Insights/components', 'appi')]"}
                    },
                },
            },
        ),
        _resource(
            "Storage/storageAccounts/blobServices/containers",
            "[format('{0}/default/{1}', variables('storage'), parameters('containers')[copyIndex()])]",
            copy={"name": "containers", "count": "[length(parameters('containers'))]"},
            dependsOn=["[variables('storage')]"],
        ),
        _resource(
            "Authorization/locks",
            "keep",
            scope="[variables('storageId')]",
            dependsOn=["containers"],
            properties={"level": "CanNotDelete"},
        ),
        _located("Storage/storageAccounts", "[variables('storage')]", kind="StorageV2", sku={"name": "Standard_LRS"}),
        _located(
            "KeyVault/vaults",
            "[variables('vault')]",
            properties={"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}},
        ),
        _located("ManagedIdentity/userAssignedIdentities", "id-train"),
        _located(
            "Network/virtualNetworks",
            "vnet",
            properties={
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [{"name": "train", "properties": {"addressPrefix": "10.0.0.0/24"}}],
            },
        ),
    ],
    "outputs": {
        "workspaceId": {"type": "string", "value": "[reference(variables('workspace')).workspaceId]"},
        "blob": {"type": "string", "value": "[reference(variables('storageId')).primaryEndpoints.blob]"},
    },
}


@pytest.fixture(scope="module")
def deployments(options: dict[str, Any]) -> Any:
    from azure.mgmt.resource.deployments import DeploymentsMgmtClient

    return DeploymentsMgmtClient(**options).deployments


@pytest.fixture(scope="module")
def stem() -> str:
    return uuid.uuid4().hex[:8]


def _body(stem: str, **more: Any) -> dict[str, Any]:
    given = {"stem": {"value": stem}, **{name: {"value": value} for name, value in more.items()}}
    return {"properties": {"mode": "Incremental", "template": TEMPLATE, "parameters": given}}


@pytest.fixture(scope="module")
def done(deployments: Any, group: Any, stem: str) -> Any:
    return deployments.begin_create_or_update(group.name, "zone", _body(stem)).result()


def test_what_if_of_an_empty_group_creates_all_and_writes_nothing(deployments: Any, group: Any, stem: str) -> None:
    changes = deployments.begin_what_if(group.name, "zone", _body(stem)).result().changes
    kinds = {one.resource_id.rpartition("/providers/")[2].split("/")[1] for one in changes}

    assert {"workspaces", "storageAccounts", "vaults", "virtualNetworks", "locks"} <= kinds
    assert {one.change_type for one in changes} <= {"Create", "Unsupported"}
    assert list(group.arm.resources.list_by_resource_group(group.name)) == []


def test_landing_zone_is_written_in_the_order_of_its_needs(group: Any, done: Any, stem: str) -> None:
    storage = f"Microsoft.Storage/storageAccounts/st{stem}"
    compute = group.get(f"Microsoft.MachineLearningServices/workspaces/mlw-{stem}/computes/cpu")
    grants = group.list(f"{storage}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()")

    assert done.properties.outputs["blob"]["value"] == f"https://st{stem}.blob.core.mlops.test/"
    assert uuid.UUID(done.properties.outputs["workspaceId"]["value"])
    assert compute.properties["properties"]["subnet"]["id"].endswith("/virtualNetworks/vnet/subnets/train")
    assert [one["name"] for one in group.list(f"{storage}/blobServices/default/containers")] == ["raw", "features"]
    mine = group.get("Microsoft.ManagedIdentity/userAssignedIdentities/id-train").properties["principalId"]
    assert mine in {one["properties"]["principalId"] for one in grants}


def test_second_deployment_and_its_what_if_change_nothing(deployments: Any, group: Any, done: Any, stem: str) -> None:
    def tags() -> dict[str, str]:
        return {one.id: one.properties.get("etag", "") for one in map(group.get, ids)}

    ids = [one.id for one in done.properties.output_resources if "/deployments/" not in one.id]
    before = tags()
    changes = deployments.begin_what_if(group.name, "zone", _body(stem, location="West Europe")).result().changes
    changed = [one for one in changes if one.change_type not in {"NoChange", "Unsupported"}]
    again = deployments.begin_create_or_update(group.name, "zone", _body(stem)).result()

    assert [(one.resource_id, one.delta) for one in changed if "/deployments/" not in one.resource_id] == []
    assert again.properties.provisioning_state == "Succeeded"
    assert tags() == before


def test_deployment_stops_at_a_rule_of_a_type_and_names_it(deployments: Any, group: Any, done: Any, stem: str) -> None:
    body = _body(stem, location="eastus")
    with pytest.raises(HttpResponseError, match="already exists in location 'westeurope'"):
        deployments.begin_create_or_update(group.name, "moved", body).result()
    with pytest.raises(HttpResponseError, match="ScopeLocked"):
        group.delete(f"Microsoft.Storage/storageAccounts/st{stem}")
