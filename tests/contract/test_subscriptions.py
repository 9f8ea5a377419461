"""What belongs to a subscription rather than to a group: itself, its locations, resources and deployments."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from mlops_kit.local.settings import MANAGEMENT_URL, TENANT

PRINCIPAL = "11111111-2222-3333-4444-555555555555"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
GROUP = {
    "type": "Microsoft.Resources/resourceGroups",
    "apiVersion": "2024-03-01",
    "name": "[parameters('group')]",
    "location": "westeurope",
    "tags": {"by": "template"},
}
NESTED = {
    "type": "Microsoft.Resources/deployments",
    "apiVersion": "2022-09-01",
    "name": "inside",
    "resourceGroup": "[parameters('group')]",
    "dependsOn": ["[resourceId('Microsoft.Resources/resourceGroups/', parameters('group'))]"],
    "properties": {
        "mode": "Incremental",
        "template": {
            "contentVersion": "1.0.0.0",
            "resources": [
                {
                    "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
                    "apiVersion": "2023-01-31",
                    "name": "id-inside",
                    "location": "westeurope",
                }
            ],
        },
    },
}
TEMPLATE = {
    "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "parameters": {"group": {"type": "string"}},
    "resources": [GROUP, NESTED],
    "outputs": {"made": {"type": "string", "value": "[parameters('group')]"}},
}


@pytest.fixture(scope="module")
def deployments(options: dict[str, Any]) -> Any:
    from azure.mgmt.resource.deployments import DeploymentsMgmtClient

    return DeploymentsMgmtClient(**options)


def _get(arm: Any, path: str) -> Any:
    """Send a request through the client's own pipeline: no client for subscriptions is among our dependencies."""
    from azure.core.rest import HttpRequest

    answer = arm._client.send_request(HttpRequest("GET", f"{MANAGEMENT_URL}{path}?api-version=2022-12-01"))
    answer.raise_for_status()
    return answer.json()


def _body(group: str) -> dict[str, Any]:
    properties = {"mode": "Incremental", "template": TEMPLATE, "parameters": {"group": {"value": group}}}
    return {"location": "westeurope", "properties": properties}


@pytest.fixture
def group() -> str:
    return f"rg-{uuid.uuid4().hex[:8]}"


def test_the_subscription_and_its_tenant_are_the_ones_of_tokens(arm: Any, ml: Any) -> None:
    assert [one["subscriptionId"] for one in _get(arm, "/subscriptions")["value"]] == [ml.subscription_id]
    found = _get(arm, f"/subscriptions/{ml.subscription_id}")
    assert (found["state"], found["tenantId"]) == ("Enabled", TENANT)
    assert [one["tenantId"] for one in _get(arm, "/tenants")["value"]] == [TENANT]


def test_locations_name_regions_that_templates_use(arm: Any, ml: Any) -> None:
    names = {one["name"] for one in _get(arm, f"/subscriptions/{ml.subscription_id}/locations")["value"]}
    assert {"westeurope", "eastus", "local"} <= names


def test_providers_are_listed_as_registered(arm: Any) -> None:
    states = {one.namespace: one.registration_state for one in arm.providers.list()}
    assert states["Microsoft.MachineLearningServices"] == states["Microsoft.Storage"] == "Registered"


def test_resources_of_all_groups_are_listed(arm: Any, ml: Any) -> None:
    found = {one.name: one.type for one in arm.resources.list()}
    assert found[ml.workspace_name] == "Microsoft.MachineLearningServices/workspaces"
    kinds = {one.type for one in arm.resources.list(filter="resourceType eq 'Microsoft.KeyVault/vaults'")}
    assert kinds == {"Microsoft.KeyVault/vaults"}


def test_a_resource_of_the_subscription_lives_through_its_id(arm: Any, ml: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    scope = f"/subscriptions/{ml.subscription_id}"
    role = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    target = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    body = {"properties": {"roleDefinitionId": role, "principalId": PRINCIPAL}}
    version = "2022-04-01"

    made = arm.resources.begin_create_or_update_by_id(target, body, api_version=version).result()
    assert made.properties["principalId"] == PRINCIPAL
    assert arm.resources.check_existence_by_id(target, api_version=version)
    changed = {"properties": {"description": "reads"}}
    arm.resources.begin_update_by_id(target, changed, api_version=version).result()
    assert arm.resources.get_by_id(target, api_version=version).properties["description"] == "reads"
    arm.resources.begin_delete_by_id(target, api_version=version).result()
    assert not arm.resources.check_existence_by_id(target, api_version=version)
    with pytest.raises(ResourceNotFoundError):
        arm.resources.get_by_id(target, api_version=version)


def test_a_deployment_makes_a_group_and_is_recorded(arm: Any, deployments: Any, group: str) -> None:
    from azure.core.exceptions import ResourceExistsError

    operations = deployments.deployments
    made = operations.begin_create_or_update_at_subscription_scope("makes-a-group", _body(group)).result()

    assert made.properties.outputs["made"]["value"] == group
    assert arm.resource_groups.get(group).tags == {"by": "template"}
    assert operations.check_existence_at_subscription_scope("makes-a-group")
    assert operations.get_at_subscription_scope("makes-a-group").properties.provisioning_state == "Succeeded"
    assert "makes-a-group" in {one.name for one in operations.list_at_subscription_scope()}
    exported = operations.export_template_at_subscription_scope("makes-a-group").template
    assert exported["resources"] == [GROUP, NESTED]
    assert [one.name for one in arm.resources.list_by_resource_group(group)] == ["id-inside"]
    steps = list(deployments.deployment_operations.list_at_subscription_scope("makes-a-group"))
    targets = [one.properties.target_resource.id for one in steps if one.properties.target_resource]
    assert f"/subscriptions/{arm._config.subscription_id}/resourceGroups/{group}" in targets
    one = deployments.deployment_operations.get_at_subscription_scope("makes-a-group", steps[0].operation_id)
    assert one.properties.provisioning_state == "Succeeded"
    with pytest.raises(ResourceExistsError, match="is Succeeded and cannot be canceled"):
        operations.cancel_at_subscription_scope("makes-a-group")


def test_a_deployment_is_checked_and_foreseen_without_being_carried_out(arm: Any, deployments: Any, group: str) -> None:
    operations = deployments.deployments
    assert operations.begin_validate_at_subscription_scope("foreseen", _body(group)).result().error is None
    foreseen = operations.begin_what_if_at_subscription_scope("foreseen", _body(group)).result()

    created = f"/subscriptions/{arm._config.subscription_id}/resourceGroups/{group}"
    assert ("Create", created) in {(one.change_type, one.resource_id) for one in foreseen.changes}
    assert not arm.resource_groups.check_existence(group)
    assert not operations.check_existence_at_subscription_scope("foreseen")


def test_a_finished_deployment_cannot_be_cancelled_but_deleted(deployments: Any, group: str) -> None:
    from azure.core.exceptions import HttpResponseError

    operations = deployments.deployments
    operations.begin_create_or_update_at_subscription_scope("finished", _body(group)).result()
    with pytest.raises(HttpResponseError) as refused:
        operations.cancel_at_subscription_scope("finished")
    assert refused.value.status_code == 409
    operations.begin_delete_at_subscription_scope("finished").result()
    assert not operations.check_existence_at_subscription_scope("finished")
