"""Workspaces through the real SDK: created from its own ARM template, changed, diagnosed, deleted."""

from __future__ import annotations

import json
import urllib.request
import uuid
from typing import Any

import pytest

from mlops_kit.local.settings import API_URL, MANAGEMENT_URL, STORAGE_KEY


def _name(prefix: str = "mlw") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def made(ml) -> Any:
    """Make one workspace with default dependent resources; it takes the SDK a second."""
    from azure.ai.ml.entities import Workspace

    wanted = Workspace(
        name=_name(),
        location="westeurope",
        display_name="Churn",
        description="Who leaves",
        hbi_workspace=True,
        tags={"team": "a"},
    )
    return ml.workspaces.begin_create(wanted).result()


def test_default_workspace_is_there_with_its_facts(ml):
    found = ml.workspaces.get()
    assert (found.name, found.resource_group, found.location) == (ml.workspace_name, ml.resource_group_name, "local")
    assert found.mlflow_tracking_uri == f"{API_URL}/mlflow/v1.0{found.id}"
    assert found.storage_account.endswith("/storageAccounts/devstoreaccount1")
    assert uuid.UUID(found._workspace_id).version == 4
    assert found.public_network_access == "Enabled"


def test_discovery_document_names_the_api(ml):
    with urllib.request.urlopen(ml.workspaces.get().discovery_url) as answer:
        assert json.load(answer)["api"] == API_URL


def test_created_workspace_comes_back_as_it_was_asked_for(ml, made):
    found = ml.workspaces.get(made.name)
    assert (found.display_name, found.description, found.location) == ("Churn", "Who leaves", "westeurope")
    assert found.hbi_workspace is True
    assert found.tags["team"] == "a"
    assert found.tags["createdByToolkit"].startswith("sdk-v2-")
    assert found.identity.type == "system_assigned"
    assert uuid.UUID(found.identity.principal_id)
    assert found.managed_network.isolation_mode == "Disabled"


def test_created_workspace_has_the_resources_it_depends_on(ml, made):
    from azure.ai.ml._utils._workspace_utils import get_generic_arm_resource_by_arm_id

    types = {
        made.storage_account: "Microsoft.Storage/storageAccounts",
        made.key_vault: "Microsoft.KeyVault/vaults",
        made.application_insights: "Microsoft.Insights/components",
    }
    for resource_id, kind in types.items():
        found = get_generic_arm_resource_by_arm_id(ml._credential, ml.subscription_id, resource_id, "2023-01-01")
        assert (found.type, found.location) == (kind, "westeurope")
    insights = get_generic_arm_resource_by_arm_id(
        ml._credential, ml.subscription_id, made.application_insights, "2020-02-02"
    )
    assert uuid.UUID(insights.properties["InstrumentationKey"])
    logs = get_generic_arm_resource_by_arm_id(
        ml._credential, ml.subscription_id, insights.properties["WorkspaceResourceId"], "2020-08-01"
    )
    assert logs.type == "Microsoft.OperationalInsights/workspaces"


def test_created_workspace_has_datastores_of_its_own(ml, made):
    from azure.ai.ml import MLClient

    other = MLClient(ml._credential, ml.subscription_id, ml.resource_group_name, made.name)
    default = other.datastores.get_default(include_secrets=True)
    assert default.container_name == f"azureml-blobstore-{made._workspace_id}"
    assert default.credentials.account_key == STORAGE_KEY
    assert default.container_name != ml.datastores.get_default().container_name


def test_workspaces_are_listed_by_group_subscription_and_kind(ml, made):
    assert {ml.workspace_name, made.name} <= {one.name for one in ml.workspaces.list()}
    assert made.name in {one.name for one in ml.workspaces.list(scope="subscription")}
    assert made.name not in {one.name for one in ml.workspaces.list(filtered_kinds=["hub", "project"])}


def test_update_changes_what_is_given_and_keeps_the_rest(ml, made):
    found = ml.workspaces.get(made.name)
    found.description, found.tags = "Changed", {"team": "b"}
    found.public_network_access = "Disabled"
    changed = ml.workspaces.begin_update(found).result()
    assert (changed.description, changed.display_name) == ("Changed", "Churn")
    again = ml.workspaces.get(made.name)
    assert (again.tags, again.public_network_access) == ({"team": "b"}, "Disabled")
    assert again._workspace_id == made._workspace_id
    assert again.storage_account == made.storage_account


def test_creating_an_existing_workspace_updates_it(ml, made):
    from azure.ai.ml.entities import Workspace

    again = ml.workspaces.begin_create(
        Workspace(name=made.name, location="westeurope", display_name="Renamed")
    ).result()
    assert (again.display_name, again._workspace_id) == ("Renamed", made._workspace_id)
    ml.workspaces.begin_update(ml.workspaces.get(made.name), display_name="Churn").result()


def test_keys_are_those_of_the_dependent_resources(ml, made):
    keys = ml.workspaces.get_keys(made.name)
    assert keys.user_storage_key == STORAGE_KEY
    assert keys.user_storage_resource_id == made.storage_account
    assert uuid.UUID(keys.app_insights_instrumentation_key)
    ml.workspaces.begin_sync_keys(made.name).result()


def test_diagnosis_names_a_dependent_resource_that_is_gone(ml):
    from azure.ai.ml._utils._workspace_utils import delete_resource_by_arm_id
    from azure.ai.ml.entities import Workspace

    made = ml.workspaces.begin_create(Workspace(name=_name(), location="local")).result()
    assert ml.workspaces.begin_diagnose(made.name).result().key_vault_results == []
    delete_resource_by_arm_id(ml._credential, ml.subscription_id, made.key_vault, "2023-07-01")
    faults = ml.workspaces.begin_diagnose(made.name).result().key_vault_results
    assert [(one.code, made.key_vault in one.message) for one in faults] == [("ResourceNotFound", True)]


def test_existing_dependent_resources_are_used(ml, made):
    from azure.ai.ml.entities import Workspace

    wanted = Workspace(
        name=_name(),
        location="local",
        storage_account=made.storage_account,
        key_vault=made.key_vault,
        application_insights=made.application_insights,
    )
    other = ml.workspaces.begin_create(wanted).result()
    assert (other.storage_account, other.key_vault) == (made.storage_account, made.key_vault)
    assert other.application_insights == made.application_insights


def test_user_assigned_identity_is_added_and_removed(ml, arm):
    from azure.ai.ml.entities import IdentityConfiguration, ManagedIdentityConfiguration, Workspace

    group = f"/subscriptions/{ml.subscription_id}/resourceGroups/{ml.resource_group_name}"
    user = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-train"
    arm.resources.begin_create_or_update_by_id(user, {"location": "local"}, api_version="2023-01-31").result()
    identity = IdentityConfiguration(
        type="user_assigned", user_assigned_identities=[ManagedIdentityConfiguration(resource_id=user)]
    )
    wanted = Workspace(name=_name(), location="local", identity=identity, primary_user_assigned_identity=user)
    made = ml.workspaces.begin_create(wanted).result()
    assert [one.resource_id for one in made.identity.user_assigned_identities] == [user]
    raw = ml.workspaces._operation.get(ml.resource_group_name, made.name)
    assert uuid.UUID(raw.identity.user_assigned_identities[user].client_id)
    made.identity = IdentityConfiguration(type="system_assigned")
    ml.workspaces.begin_update(made).result()
    assert not ml.workspaces.get(made.name).identity.user_assigned_identities


def test_identity_type_of_a_yaml_file_comes_back_in_the_services_spelling(ml, arm, tmp_path):
    from azure.ai.ml import load_workspace

    group = f"/subscriptions/{ml.subscription_id}/resourceGroups/{ml.resource_group_name}"
    users = [f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-yaml{n}" for n in (1, 2)]
    for user in users:
        arm.resources.begin_create_or_update_by_id(user, {"location": "local"}, api_version="2023-01-31").result()
    path, name = tmp_path / "workspace.yml", _name()

    def written(kind: str) -> Any:
        identity = {"type": kind, "user_assigned_identities": {user: {"client_id": "x"} for user in users}}
        path.write_text(json.dumps({"name": name, "location": "local", "identity": identity}))
        return load_workspace(path, params_override=[{"primary_user_assigned_identity": users[0]}])

    made = ml.workspaces.begin_create(written("user_assigned")).result()
    assert made.identity.type == "user_assigned"
    assert ml.workspaces._operation.get(ml.resource_group_name, name).identity.type == "UserAssigned"
    both = ml.workspaces.begin_update(written("system_assigned, user_assigned")).result()
    assert both.identity.type == "system_assigned,user_assigned"
    assert uuid.UUID(both.identity.principal_id)
    assert {one.resource_id for one in both.identity.user_assigned_identities} == set(users)


def test_deleted_workspace_is_gone_and_a_new_one_of_that_name_is_another(ml):
    from azure.ai.ml.entities import Workspace
    from azure.core.exceptions import ResourceNotFoundError

    name = _name()
    first = ml.workspaces.begin_create(Workspace(name=name, location="local")).result()
    ml.workspaces.begin_delete(name, delete_dependent_resources=True, permanently_delete=True).result()
    with pytest.raises(ResourceNotFoundError, match=name):
        ml.workspaces.get(name)
    second = ml.workspaces.begin_create(Workspace(name=name, location="local")).result()
    assert second._workspace_id != first._workspace_id
    ml.workspaces.begin_delete(name, delete_dependent_resources=False).result()


def test_dependent_resources_go_with_the_workspace_only_on_request(ml):
    from azure.ai.ml._utils._workspace_utils import get_generic_arm_resource_by_arm_id
    from azure.ai.ml.entities import Workspace
    from azure.core.exceptions import ResourceNotFoundError

    kept = ml.workspaces.begin_create(Workspace(name=_name(), location="local")).result()
    ml.workspaces.begin_delete(kept.name, delete_dependent_resources=False).result()
    assert get_generic_arm_resource_by_arm_id(ml._credential, ml.subscription_id, kept.key_vault, "2023-07-01").name
    gone = ml.workspaces.begin_create(Workspace(name=_name(), location="local")).result()
    ml.workspaces.begin_delete(gone.name, delete_dependent_resources=True).result()
    with pytest.raises(ResourceNotFoundError):
        get_generic_arm_resource_by_arm_id(ml._credential, ml.subscription_id, gone.key_vault, "2023-07-01")


def test_unknown_workspace_names_the_nearest(ml):
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="Did you mean 'mlw-local'"):
        ml.workspaces.get("mlw-lokal")


def test_bad_name_fails_the_creation_with_the_rule(ml):
    from azure.ai.ml.entities import Workspace
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="use 3 to 33 letters"):
        ml.workspaces.begin_create(Workspace(name="x" * 34, location="local")).result()


def test_project_shares_what_its_hub_has(ml):
    from azure.ai.ml._utils._workspace_utils import get_generic_arm_resource_by_arm_id
    from azure.ai.ml._vendor.azure_resources._resource_management_client import ResourceManagementClient
    from azure.ai.ml.entities import Hub
    from azure.core.exceptions import HttpResponseError

    hub = ml.workspaces.begin_create(Hub(name=_name("hub"), location="local")).result()
    # azure-ai-ml 1.35.2 cannot create a project: it sends the text 'PublicNetworkAccessType.ENABLED'.
    name = _name("proj")
    project = f"{hub.id.rpartition('/')[0]}/{name}"
    client = ResourceManagementClient(
        ml._credential, ml.subscription_id, base_url=MANAGEMENT_URL, credential_scopes=[f"{MANAGEMENT_URL}/.default"]
    )
    body = {"location": "local", "kind": "project", "properties": {"hubResourceId": hub.id}}
    client.resources.begin_create_or_update_by_id(project, "2024-10-01", body).result()
    assert (hub._kind, ml.workspaces.get(name)._kind) == ("hub", "project")
    assert ml.workspaces.get(name).storage_account == hub.storage_account
    stored = get_generic_arm_resource_by_arm_id(ml._credential, ml.subscription_id, hub.id, "2024-10-01")
    assert stored.properties["associatedWorkspaces"] == [project]
    assert [one.name for one in ml.workspaces.list(filtered_kinds="project")] == [name]
    with pytest.raises(HttpResponseError, match=f"still has projects: {name}"):
        ml.workspaces.begin_delete(hub.name, delete_dependent_resources=False)
    ml.workspaces.begin_delete(name, delete_dependent_resources=False).result()
    ml.workspaces.begin_delete(hub.name, delete_dependent_resources=False).result()


def test_project_without_a_hub_is_refused(ml):
    from azure.ai.ml._vendor.azure_resources._resource_management_client import ResourceManagementClient
    from azure.core.exceptions import HttpResponseError

    client = ResourceManagementClient(
        ml._credential, ml.subscription_id, base_url=MANAGEMENT_URL, credential_scopes=[f"{MANAGEMENT_URL}/.default"]
    )
    project = f"{ml.workspaces.get().id.rpartition('/')[0]}/{_name('proj')}"
    body = {"location": "local", "kind": "project", "properties": {"hubResourceId": "/nowhere"}}
    with pytest.raises(HttpResponseError, match="A project needs a hub: '/nowhere' is not one"):
        client.resources.begin_create_or_update_by_id(project, "2024-10-01", body)


def test_feature_store_is_created_from_the_template_of_the_sdk(ml):
    from azure.ai.ml.entities import FeatureStore

    made = ml.feature_stores.begin_create(FeatureStore(name=_name("fs"), location="local")).result()
    assert (made._kind, made.compute_runtime.spark_runtime_version) == ("featurestore", "3.4.0")
    assert made.name in {one.name for one in ml.feature_stores.list()}


def test_connection_keeps_its_key_apart(ml):
    from azure.ai.ml.entities import ApiKeyConfiguration, WorkspaceConnection
    from azure.core.exceptions import ResourceNotFoundError

    name = _name("conn")
    wanted = WorkspaceConnection(
        name=name,
        type="custom",
        target="https://search.contoso.test",
        credentials=ApiKeyConfiguration(key="do-not-show"),
        metadata={"team": "a"},
    )
    ml.connections.create_or_update(wanted)
    found = ml.connections.get(name)
    assert (found.target, found.metadata["team"]) == ("https://search.contoso.test", "a")
    raw = ml.connections._operation.get(ml.resource_group_name, ml.workspace_name, name)
    assert "do-not-show" not in json.dumps(raw.as_dict())
    assert ml.connections.get(name, populate_secrets=True).credentials.key == "do-not-show"
    assert name in {one.name for one in ml.connections.list()}
    ml.connections.delete(name)
    with pytest.raises(ResourceNotFoundError, match=name):
        ml.connections.get(name)


def test_outbound_rules_of_a_managed_network_are_kept_added_and_removed(ml):
    from azure.ai.ml.constants._workspace import IsolationMode
    from azure.ai.ml.entities import FqdnDestination, ManagedNetwork, ServiceTagDestination, Workspace

    tag = ServiceTagDestination(name="factory", protocol="TCP", port_ranges="80, 8080-8089", service_tag="DataFactory")
    network = ManagedNetwork(isolation_mode=IsolationMode.ALLOW_ONLY_APPROVED_OUTBOUND, outbound_rules=[tag])
    made = ml.workspaces.begin_create(Workspace(name=_name(), location="local", managed_network=network)).result()
    assert made.managed_network.isolation_mode == "AllowOnlyApprovedOutbound"
    rules = ml.workspace_outbound_rules
    added = rules.begin_create(
        workspace_name=made.name, rule=FqdnDestination(name="torch", destination="*.pytorch.org")
    )
    assert (added.result().destination, added.result().category) == ("*.pytorch.org", "UserDefined")
    found = {rule.name: rule for rule in rules.list(workspace_name=made.name)}
    assert set(found) == {"factory", "torch"}
    assert (found["factory"].service_tag, found["factory"].port_ranges) == ("DataFactory", "80, 8080-8089")
    made.managed_network = ManagedNetwork(
        isolation_mode=IsolationMode.ALLOW_ONLY_APPROVED_OUTBOUND,
        outbound_rules=[FqdnDestination(name="more", destination="a.test")],
    )
    ml.workspaces.begin_update(made).result()
    assert rules.get(workspace_name=made.name, outbound_rule_name="torch").destination == "*.pytorch.org"
    rules.begin_remove(workspace_name=made.name, outbound_rule_name="torch").result()
    assert {rule.name for rule in rules.list(workspace_name=made.name)} == {"factory", "more"}


def test_a_managed_network_is_provisioned_and_stays_so(ml):
    """What `az ml workspace provision-network` does."""
    from azure.ai.ml.entities import ManagedNetwork, Workspace

    network = ManagedNetwork(isolation_mode="AllowInternetOutbound")
    wanted = Workspace(name=_name(), location="local", managed_network=network)
    made = ml.workspaces.begin_create(wanted).result()
    for include_spark, is_ready in ((False, False), (True, True), (False, True)):
        asked = ml.workspaces.begin_provision_network(workspace_name=made.name, include_spark=include_spark)
        done = asked.result(timeout=20)
        assert (done.status, done.spark_ready) == ("Active", is_ready)
    made.description = "changed"
    ml.workspaces.begin_update(made).result()
    status = ml.workspaces.get(made.name).managed_network.status
    assert (status.status, status.spark_ready) == ("Active", True)


def test_a_network_that_is_not_managed_is_not_provisioned(ml):
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="has no managed network"):
        ml.workspaces.begin_provision_network(workspace_name=ml.workspace_name)


def test_outbound_rule_needs_a_managed_network(ml):
    from azure.ai.ml.entities import FqdnDestination
    from azure.core.exceptions import HttpResponseError

    rule = FqdnDestination(name="torch", destination="*.pytorch.org")
    with pytest.raises(HttpResponseError, match="has no managed network"):
        ml.workspace_outbound_rules.begin_create(workspace_name=ml.workspace_name, rule=rule)
