"""Resource groups, neighbouring resources and template deployments through azure-mgmt-resource."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from mlops_kit.local.settings import STORAGE_KEY


@pytest.fixture(scope="module")
def deployer(options) -> Any:
    from azure.mgmt.resource.deployments import DeploymentsMgmtClient

    return DeploymentsMgmtClient(**options)


@pytest.fixture
def group(arm) -> str:
    name = f"rg-{uuid.uuid4().hex[:8]}"
    arm.resource_groups.create_or_update(name, {"location": "westeurope", "tags": {"env": "test"}})
    return name


def _deploy(deployer, group: str, template: dict[str, Any], **parameters: Any) -> Any:
    body = {
        "properties": {
            "mode": "Incremental",
            "template": {"contentVersion": "1.0.0.0", **template},
            "parameters": {name: {"value": value} for name, value in parameters.items()},
        }
    }
    return deployer.deployments.begin_create_or_update(group, "main", body).result()


def _vault(name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "Microsoft.KeyVault/vaults",
        "apiVersion": "2023-07-01",
        "name": name,
        "location": "[resourceGroup().location]",
        "properties": {"tenantId": "[subscription().tenantId]", "sku": {"family": "A", "name": "standard"}},
        **more,
    }


def test_group_is_created_found_listed_and_changed(arm, group):
    found = arm.resource_groups.get(group)
    assert (found.name, found.location, found.tags) == (group, "westeurope", {"env": "test"})
    assert found.properties.provisioning_state == "Succeeded"
    assert arm.resource_groups.check_existence(group)
    assert not arm.resource_groups.check_existence("rg-of-nobody")
    assert group in {one.name for one in arm.resource_groups.list()}
    assert [one.name for one in arm.resource_groups.list(filter="tagName eq 'env' and tagValue eq 'nope'")] == []
    assert arm.resource_groups.update(group, {"tags": {"env": "prod"}}).tags == {"env": "prod"}
    assert arm.resource_groups.get(group).location == "westeurope"


def test_group_is_found_in_any_letter_case(arm, group):
    assert arm.resource_groups.get(group.upper()).name == group


def test_deleted_group_takes_its_resources_with_it(arm, deployer, group):
    from azure.core.exceptions import ResourceNotFoundError

    _deploy(deployer, group, {"resources": [_vault("kv-gone")]})
    assert [one.name for one in arm.resources.list_by_resource_group(group)] == ["kv-gone"]
    arm.resource_groups.begin_delete(group).result()
    assert not arm.resource_groups.check_existence(group)
    with pytest.raises(ResourceNotFoundError, match="was not found"):
        arm.resource_groups.get(group)
    arm.resource_groups.create_or_update(group, {"location": "local"})
    assert list(arm.resources.list_by_resource_group(group)) == []


def test_unknown_group_names_the_nearest(arm):
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="Did you mean 'rg-local'"):
        arm.resource_groups.get("rg-locl")


def test_bad_group_name_is_refused_with_the_rule(arm):
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match=r"no '\.' at the end"):
        arm.resource_groups.create_or_update("dot.", {"location": "local"})


def test_default_group_lists_the_workspace_and_what_it_depends_on(arm, ml):
    listed = arm.resources.list_by_resource_group(ml.resource_group_name)
    types = {one.type for one in listed if one.name.endswith((ml.workspace_name, "devstoreaccount1"))}
    assert types == {
        "Microsoft.MachineLearningServices/workspaces",
        "Microsoft.Storage/storageAccounts",
        "Microsoft.KeyVault/vaults",
        "Microsoft.Insights/components",
        "Microsoft.OperationalInsights/workspaces",
    }


def test_resources_are_filtered_by_type(arm, deployer, group):
    identity = {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31", "name": "id-a"}
    _deploy(deployer, group, {"resources": [_vault("kv-one"), {**identity, "location": "local"}]})
    found = arm.resources.list_by_resource_group(group, filter="resourceType eq 'Microsoft.KeyVault/vaults'")
    assert [one.name for one in found] == ["kv-one"]


def test_provider_is_registered_and_an_unknown_one_is_not_found(arm):
    from azure.core.exceptions import ResourceNotFoundError

    assert arm.providers.get("Microsoft.MachineLearningServices").registration_state == "Registered"
    assert arm.providers.register("microsoft.storage").namespace == "Microsoft.Storage"
    with pytest.raises(ResourceNotFoundError, match=r"Did you mean 'Microsoft\.Storage'"):
        arm.providers.get("Microsoft.Storag")


def test_generic_resource_lives_through_its_id(arm, group, ml):
    from azure.core.exceptions import ResourceNotFoundError

    subscription = ml.subscription_id
    account = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/stone"
    body = {"location": "local", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "tags": {"a": "1"}}
    made = arm.resources.begin_create_or_update_by_id(account, body, api_version="2023-01-01").result()
    assert made.properties["primaryEndpoints"]["blob"] == "https://stone.blob.core.mlops.test/"
    assert arm.resources.check_existence_by_id(account, api_version="2023-01-01")
    changed = arm.resources.begin_update_by_id(account, {"tags": {"a": "2"}}, api_version="2023-01-01").result()
    assert (changed.tags, changed.sku.name) == ({"a": "2"}, "Standard_LRS")
    arm.resources.begin_delete_by_id(account, api_version="2023-01-01").result()
    with pytest.raises(ResourceNotFoundError):
        arm.resources.get_by_id(account, api_version="2023-01-01")


def test_resource_of_a_service_that_is_not_imitated_is_refused(arm, group, ml):
    from azure.core.exceptions import HttpResponseError

    subscription = ml.subscription_id
    machine = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/vm"
    with pytest.raises(HttpResponseError, match="does not implement PUT") as refused:
        arm.resources.begin_create_or_update_by_id(machine, {"location": "local"}, api_version="2023-01-01")
    assert refused.value.status_code == 501


def test_deployment_writes_resources_and_answers_outputs(arm, deployer, group):
    template = {
        "parameters": {"prefix": {"type": "string"}, "count": {"type": "int", "defaultValue": 2}},
        "variables": {"account": "[concat('st', uniqueString(resourceGroup().id))]"},
        "resources": [
            _vault("[format('{0}-{1:D2}', parameters('prefix'), copyIndex(1))]", copy={"name": "vaults", "count": 2}),
            {
                "type": "Microsoft.Storage/storageAccounts",
                "apiVersion": "2023-01-01",
                "name": "[variables('account')]",
                "location": "local",
                "kind": "StorageV2",
                "sku": {"name": "Standard_LRS"},
                "dependsOn": ["vaults"],
            },
            _vault("never", condition="[greater(parameters('count'), 5)]"),
        ],
        "outputs": {
            "blob": {"type": "string", "value": "[reference(variables('account')).primaryEndpoints.blob]"},
            "key": {
                "type": "string",
                "value": "[listKeys(resourceId('Microsoft.Storage/storageAccounts', variables('account')),"
                " '2023-01-01').keys[0].value]",
            },
        },
    }
    done = _deploy(deployer, group, template, prefix="kv")
    names = {one.name for one in arm.resources.list_by_resource_group(group)}
    account = next(name for name in names if name.startswith("st"))
    assert names == {"kv-01", "kv-02", account}
    assert done.properties.outputs["blob"]["value"] == f"https://{account}.blob.core.mlops.test/"
    assert done.properties.outputs["key"]["value"] == STORAGE_KEY
    assert done.properties.provisioning_state == "Succeeded"
    assert len(done.properties.output_resources) == 3
    order = [one.properties.target_resource.resource_name for one in deployer.deployment_operations.list(group, "main")]
    assert order == ["kv-01", "kv-02", account]


def test_deployment_follows_depends_on_whatever_the_order_of_the_template(deployer, group):
    subnet = {
        "type": "Microsoft.Network/virtualNetworks/subnets",
        "apiVersion": "2023-04-01",
        "name": "net/sub",
        "dependsOn": ["[resourceId('Microsoft.Network/virtualNetworks', 'net')]"],
        "properties": {"addressPrefix": "10.0.0.0/24"},
    }
    net = {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-04-01", "name": "net", "location": "local"}
    _deploy(deployer, group, {"resources": [subnet, net]})
    order = [one.properties.target_resource.resource_name for one in deployer.deployment_operations.list(group, "main")]
    assert order == ["net", "net/sub"]


def test_deployment_that_has_ended_tells_its_operations_and_cannot_be_cancelled(deployer, group):
    from azure.core.exceptions import ResourceExistsError

    net = {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-04-01", "name": "net", "location": "local"}
    _deploy(deployer, group, {"resources": [net]})
    [listed] = deployer.deployment_operations.list(group, "main")
    one = deployer.deployment_operations.get(group, "main", listed.operation_id)
    assert one.properties.target_resource.resource_name == "net"
    with pytest.raises(ResourceExistsError, match="is Succeeded and cannot be canceled"):
        deployer.deployments.cancel(group, "main")


def test_nested_deployment_writes_in_another_group_and_is_recorded(arm, deployer, group):
    other = f"rg-{uuid.uuid4().hex[:8]}"
    arm.resource_groups.create_or_update(other, {"location": "local"})
    nested = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "resourceGroup": other,
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"who": {"value": "[parameters('who')]"}},
            "template": {
                "contentVersion": "1.0.0.0",
                "parameters": {"who": {"type": "string"}},
                "resources": [_vault("[concat('kv-', parameters('who'))]")],
                "outputs": {"group": {"type": "string", "value": "[resourceGroup().name]"}},
            },
        },
    }
    template = {
        "parameters": {"who": {"type": "string"}},
        "resources": [nested],
        "outputs": {"inner": {"type": "string", "value": "[reference('inner').outputs.group.value]"}},
    }
    done = _deploy(deployer, group, template, who="ada")
    assert [one.name for one in arm.resources.list_by_resource_group(other)] == ["kv-ada"]
    assert deployer.deployments.get(other, "inner").properties.outputs["group"]["value"] == other
    assert done.properties.outputs["inner"]["value"] == other


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        (_vault("[conct('a', 'b')]"), r"resources\[0\].name: the function 'conct' is not known.*'concat'"),
        (_vault("[concat('a' 'b')]"), r"resources\[0\].name: the expression .* cannot be read"),
        (_vault("a", dependsOn=["b"]), r"resources\[0\].dependsOn: the resource 'b' is not defined"),
        (_vault("a/b"), r"resources\[0\].name: the type 'Microsoft.KeyVault/vaults' needs 1 names"),
        (_vault("a", location="[parameters('region')]"), "the parameter 'region' is not defined"),
    ],
)
def test_faulty_template_is_refused_at_its_place_and_nothing_is_written(arm, deployer, group, resource, told):
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match=told):
        _deploy(deployer, group, {"resources": [resource]})
    assert list(arm.resources.list_by_resource_group(group)) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "no value is given for: env"),
        ({"env": "qa"}, "'qa' is not one of the allowed values dev, prod"),
        ({"env": 3}, "a value of type string is needed, not 3"),
        ({"env": "dev", "size": 1}, "the parameter 'size' is not defined; there are: env"),
    ],
)
def test_unfit_parameter_is_refused_by_name(deployer, group, given, told):
    from azure.core.exceptions import HttpResponseError

    template = {"parameters": {"env": {"type": "string", "allowedValues": ["dev", "prod"]}}, "resources": []}
    with pytest.raises(HttpResponseError, match=told):
        _deploy(deployer, group, template, **given)


def test_resource_that_is_refused_fails_the_deployment_with_its_reason(deployer, group):
    from azure.core.exceptions import HttpResponseError

    workspace = {
        "type": "Microsoft.MachineLearningServices/workspaces",
        "apiVersion": "2024-10-01",
        "name": "x",
        "location": "local",
    }
    with pytest.raises(HttpResponseError, match="The workspace name 'x' is not valid"):
        _deploy(deployer, group, {"resources": [_vault("kv-kept"), workspace]})
    failed = deployer.deployments.get(group, "main")
    assert failed.properties.provisioning_state == "Failed"
    assert "The workspace name 'x' is not valid" in failed.properties.error.message
    states = {
        one.properties.target_resource.resource_name: one.properties.provisioning_state
        for one in deployer.deployment_operations.list(group, "main")
    }
    assert states == {"kv-kept": "Succeeded", "x": "Failed"}


def test_what_if_shows_what_would_change_and_writes_nothing(arm, deployer, group):
    _deploy(deployer, group, {"resources": [_vault("kv-old", tags={"a": "1"})]})
    template = {"contentVersion": "1.0.0.0", "resources": [_vault("kv-old", tags={"a": "2"}), _vault("kv-new")]}
    body = {"properties": {"mode": "Incremental", "template": template}}
    result = deployer.deployments.begin_what_if(group, "next", body).result()
    changes = {one.resource_id.rpartition("/")[2]: one for one in result.changes}
    assert changes["kv-new"].change_type == "Create"
    assert changes["kv-old"].change_type == "Modify"
    assert [(one.path, one.before, one.after) for one in changes["kv-old"].delta] == [("tags.a", "1", "2")]
    assert [one.name for one in arm.resources.list_by_resource_group(group)] == ["kv-old"]
    assert not deployer.deployments.check_existence(group, "next")


def test_validate_reports_the_fault_of_a_template(deployer, group):
    from azure.core.exceptions import HttpResponseError

    good = {"properties": {"mode": "Incremental", "template": {"resources": [_vault("kv")]}}}
    assert deployer.deployments.begin_validate(group, "check", good).result().error is None
    bad = {"properties": {"mode": "Incremental", "template": {"resources": [_vault("[nope()]")]}}}
    with pytest.raises(HttpResponseError, match="the function 'nope' is not known"):
        deployer.deployments.begin_validate(group, "check", bad).result()


def test_complete_mode_is_refused(deployer, group):
    from azure.core.exceptions import HttpResponseError

    body = {"properties": {"mode": "Complete", "template": {"resources": []}}}
    with pytest.raises(HttpResponseError, match="would delete whatever the template does not name"):
        deployer.deployments.begin_create_or_update(group, "main", body)


def test_deployments_are_listed_exported_and_deleted(deployer, group):
    template = {"parameters": {"secret": {"type": "securestring"}}, "resources": [_vault("kv-listed")]}
    _deploy(deployer, group, template, secret="do-not-show")
    assert [one.name for one in deployer.deployments.list_by_resource_group(group)] == ["main"]
    assert deployer.deployments.export_template(group, "main").template["resources"][0]["name"] == "kv-listed"
    assert "do-not-show" not in json.dumps(deployer.deployments.get(group, "main").as_dict())
    deployer.deployments.begin_delete(group, "main").result()
    assert not deployer.deployments.check_existence(group, "main")


def test_role_assignment_is_listed_at_the_scope_above_it(arm, deployer, group):
    template = {
        "resources": [
            _vault("kv-role"),
            {
                "type": "Microsoft.Authorization/roleAssignments",
                "apiVersion": "2022-04-01",
                "name": "[guid(resourceGroup().id, 'reader')]",
                "scope": "Microsoft.KeyVault/vaults/kv-role",
                "dependsOn": ["kv-role"],
                "properties": {
                    "principalId": "00000000-0000-0000-0000-0000000000ee",
                    "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', "
                    "'acdd72a7-3385-48ef-bd42-f606fba81ae7')]",
                },
            },
        ]
    }
    done = _deploy(deployer, group, template)
    assignment = next(one.id for one in done.properties.output_resources if "roleAssignments" in one.id)
    stored = arm.resources.get_by_id(assignment, api_version="2022-04-01")
    assert "/vaults/kv-role/providers/Microsoft.Authorization/roleAssignments/" in assignment
    assert stored.properties["roleDefinitionId"].endswith("/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7")
    assert stored.properties["scope"].endswith("/vaults/kv-role")


def test_loops_of_variables_and_properties_make_lists(arm, deployer, group):
    template = {
        "variables": {
            "base": "kv",
            "copy": [{"name": "names", "count": 2, "input": "[concat(variables('base'), copyIndex('names'))]"}],
        },
        "resources": [
            _vault(
                "[variables('names')[1]]",
                properties={
                    "tenantId": "[tenant().tenantId]",
                    "sku": {"name": "standard"},
                    "copy": [{"name": "rules", "count": 2, "input": {"n": "[copyIndex('rules', 5)]", "t": "[[x]"}}],
                },
            )
        ],
        "outputs": {
            "names": {"type": "array", "copy": {"count": 2, "input": "[toUpper(variables('names')[copyIndex()])]"}}
        },
    }
    done = _deploy(deployer, group, template)
    vault = arm.resources.get_by_id(done.properties.output_resources[0].id, api_version="2023-07-01")
    assert vault.name == "kv1"
    assert vault.properties["rules"] == [{"n": 5, "t": "[x]"}, {"n": 6, "t": "[x]"}]
    assert done.properties.outputs["names"]["value"] == ["KV0", "KV1"]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ({"variables": {"a": "[variables('b')]", "b": "[variables('a')]"}}, "the variable 'a' is defined by itself"),
        ({"parameters": {"a": {"type": "string", "defaultValue": "[parameters('a')]"}}}, "'a' is defined by itself"),
        ({"resources": ["x"]}, r"resources\[0\]: a resource must be an object, not 'x'"),
        ({"resources": [_vault("v", copy={"name": "l", "count": 9000})]}, "a loop runs 0 to 800 times, not 9000"),
        ({"resources": [_vault("v", dependsOn="v")]}, r"The field 'resources\[0\].dependsOn' must be a list"),
        (
            {"resources": [_vault("a", dependsOn=["b"]), _vault("b", dependsOn=["a"])]},
            "the resources wait for each other: a -> b -> a",
        ),
    ],
)
def test_template_of_the_wrong_shape_is_refused_at_its_place(deployer, group, template, told):
    from azure.core.exceptions import HttpResponseError

    use = {"o": {"type": "string", "value": "[variables('a')]"}} if "variables" in template else {}
    with pytest.raises(HttpResponseError, match=told):
        _deploy(deployer, group, {"resources": [], "outputs": use, **template})
