"""Roles: defined, assigned, and enforced for a principal that is chosen by the client id of its credential."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from mlops_kit.local.settings import API_URL, MANAGEMENT_URL

OWNER, READER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
DATA_SCIENTIST, COMPUTE_OPERATOR = "f6c7c914-8db3-469d-8ca1-694a8f32e121", "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815"
_ML = "Microsoft.MachineLearningServices/workspaces"
# The split of the course: IT operations make computes and datastores, data scientists run jobs and register models.
IT_OPS = {
    "actions": [f"{_ML}/read", f"{_ML}/*/read", f"{_ML}/computes/*", f"{_ML}/datastores/*"],
    "notActions": [],
}
SCIENTIST = {
    "actions": [f"{_ML}/*/read", f"{_ML}/*/action", f"{_ML}/*/write", f"{_ML}/*/delete"],
    "notActions": [
        f"{_ML}/write",
        f"{_ML}/delete",
        *(f"{_ML}/{part}/{verb}" for part in ("computes", "datastores") for verb in ("write", "delete")),
    ],
}


@pytest.fixture(scope="module")
def assign(group: Any) -> Callable[..., Any]:
    """Assign a role (its guid) to a principal at a scope."""

    def assign(principal: str, role: str, scope: str = "", **more: Any) -> Any:
        scope = scope or group.id
        definition = f"{'/'.join(scope.split('/')[:3])}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        facts = {"principalId": principal, "roleDefinitionId": definition, "principalType": "ServicePrincipal", **more}
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}{principal}{role}")
        body = {"location": None, "properties": {key: value for key, value in facts.items() if value}}
        return group.put(f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", body)

    return assign


@pytest.fixture(scope="module")
def principal(group: Any) -> Callable[[str], tuple[str, str]]:
    """Make a user-assigned identity; return its object id and its client id."""

    def make(name: str) -> tuple[str, str]:
        made = group.put(f"Microsoft.ManagedIdentity/userAssignedIdentities/{name}").properties
        return made["principalId"], made["clientId"]

    return make


@pytest.fixture(scope="module")
def arm_as(ml: Any, group: Any) -> Callable[[str], Any]:
    """Return the group as the principal with a client id sees it."""
    from azure.identity import ManagedIdentityCredential
    from azure.mgmt.resource.resources import ResourceManagementClient

    def connect(client_id: str) -> Any:
        client = ResourceManagementClient(
            ManagedIdentityCredential(client_id=client_id),
            ml.subscription_id,
            base_url=MANAGEMENT_URL,
            credential_scopes=[f"{MANAGEMENT_URL}/.default"],
        )
        return replace(group, arm=client)

    return connect


@pytest.fixture(scope="module")
def ml_as(ml: Any) -> Callable[[str], Any]:
    """Return the default workspace as the principal with a client id sees it."""
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    def connect(client_id: str) -> Any:
        credential = DefaultAzureCredential(managed_identity_client_id=client_id)
        return MLClient(credential, ml.subscription_id, ml.resource_group_name, ml.workspace_name)

    return connect


def _role(group: Any, name: str, *permissions: dict[str, Any], scope: str = "") -> str:
    subscription = group.id.partition("/resourceGroups/")[0]
    guid = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    facts = {"roleName": name, "permissions": list(permissions), "assignableScopes": [scope or subscription]}
    path = f"{scope or subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
    group.put(path, {"location": None, "properties": facts})
    return guid


# Definitions and assignments ---------------------------------------------------------------------------------------


def test_built_in_roles_are_listed_with_their_ids_and_found_by_name(group: Any) -> None:
    roles = {one["properties"]["roleName"]: one for one in group.list("Microsoft.Authorization/roleDefinitions")}
    ids = {name: one["name"] for name, one in roles.items()}

    assert (ids["Owner"], ids["Reader"], ids["Contributor"]) == (OWNER, READER, CONTRIBUTOR)
    assert (ids["AzureML Data Scientist"], ids["AzureML Compute Operator"]) == (DATA_SCIENTIST, COMPUTE_OPERATOR)
    assert ids["Storage Blob Data Contributor"] == "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    assert ids["Key Vault Secrets User"] == "4633458b-17de-408a-b874-0445c86b69e6"
    assert ids["AcrPull"] == "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    found = group.list("Microsoft.Authorization/roleDefinitions?$filter=roleName eq 'AcrPull'")
    assert [one["name"] for one in found] == [ids["AcrPull"]]
    assert group.get(f"/providers/Microsoft.Authorization/roleDefinitions/{READER}").properties["permissions"][0][
        "actions"
    ] == ["*/read"]


def test_custom_role_belongs_to_the_subscription_whatever_scope_it_was_written_at(group: Any) -> None:
    guid = _role(group, f"role {group.name}", IT_OPS, scope=group.id)
    subscription = group.id.partition("/resourceGroups/")[0]
    found = group.get(f"Microsoft.Authorization/roleDefinitions/{guid}")

    assert found.id == f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
    assert found.properties["type"] == "CustomRole"
    custom = group.list("Microsoft.Authorization/roleDefinitions?$filter=type eq 'CustomRole'")
    assert guid in {one["name"] for one in custom}
    elsewhere = group.list(f"{group.id}-x/providers/Microsoft.Authorization/roleDefinitions")
    assert guid not in {one["name"] for one in elsewhere}


def test_name_of_a_role_is_unique(group: Any) -> None:
    _role(group, f"unique {group.name}", IT_OPS)
    body = {"roleName": f"Unique {group.name}", "permissions": [IT_OPS], "assignableScopes": [group.id]}
    path = f"Microsoft.Authorization/roleDefinitions/{uuid.uuid4()}"
    with pytest.raises(HttpResponseError, match="RoleDefinitionWithSameNameExists"):
        group.put(path, {"properties": body})
    with pytest.raises(HttpResponseError, match="RoleDefinitionWithSameNameExists"):
        group.put(path, {"properties": {**body, "roleName": "reader"}})


def test_what_is_no_action_is_refused(group: Any) -> None:
    body = {"roleName": "bad", "permissions": [{"actions": ["compute write"]}], "assignableScopes": [group.id]}
    with pytest.raises(HttpResponseError, match="InvalidActionOrNotAction.*'compute write'"):
        group.put(f"Microsoft.Authorization/roleDefinitions/{uuid.uuid4()}", {"properties": body})


def test_role_is_assigned_once_to_a_principal_at_a_scope_even_under_another_name(
    group: Any, assign: Any, principal: Any
) -> None:
    who, _ = principal("id-once")
    made = assign(who, READER)
    assert assign(who, READER).id == made.id
    again = {key: made.properties[key] for key in ("principalId", "roleDefinitionId", "principalType")}
    with pytest.raises(HttpResponseError, match=f"already exists. The ID .* is {made.name}") as refused:
        group.put(f"Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", {"properties": again})
    assert (refused.value.status_code, refused.value.error.code) == (409, "RoleAssignmentExists")

    changed = {**again, "principalId": str(uuid.uuid4())}
    with pytest.raises(HttpResponseError, match="RoleAssignmentUpdateNotPermitted"):
        group.put(made.id, {"properties": changed})
    assign(who, CONTRIBUTOR)
    group.delete(made.id)
    group.put(f"Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", {"properties": again})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"principalId": "ada@contoso.test"}, "InvalidPrincipalId"),
        ({"roleDefinitionId": f"/providers/x/{uuid.uuid4()}"}, "RoleDefinitionDoesNotExist"),
    ],
)
def test_assignment_needs_a_principal_and_a_role(group: Any, change: dict[str, str], code: str) -> None:
    facts = {"principalId": str(uuid.uuid4()), "roleDefinitionId": f"/x/{READER}", **change}
    with pytest.raises(HttpResponseError) as refused:
        group.put(f"Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", {"properties": facts})

    assert refused.value.error.code == code


def test_assigned_role_cannot_be_deleted(group: Any, assign: Any, principal: Any) -> None:
    who, _ = principal("id-holder")
    guid = _role(group, f"held {group.name}", IT_OPS)
    held = assign(who, guid)
    with pytest.raises(HttpResponseError, match="RoleDefinitionHasAssignments"):
        group.delete(f"Microsoft.Authorization/roleDefinitions/{guid}")
    group.delete(held.id)
    group.delete(f"Microsoft.Authorization/roleDefinitions/{guid}")
    with pytest.raises(ResourceNotFoundError):
        group.get(f"Microsoft.Authorization/roleDefinitions/{guid}")


def test_assignments_are_listed_at_above_and_below_a_scope(group: Any, assign: Any, principal: Any) -> None:
    who, _ = principal("id-listed")
    subscription = group.id.partition("/resourceGroups/")[0]
    inner = group.put("Microsoft.ManagedIdentity/userAssignedIdentities/id-scope").id
    made = {where: assign(who, READER, scope).id for where, scope in _places(subscription, group.id, inner)}
    mine = f"$filter=principalId eq '{who}'"
    collection = "Microsoft.Authorization/roleAssignments"

    assert {one["id"] for one in group.list(f"{collection}?{mine}")} == set(made.values())
    at = {one["id"] for one in group.list(f"{collection}?$filter=atScope()")}
    assert {made["subscription"], made["group"]} <= at
    assert made["resource"] not in at
    group.delete(made["subscription"])


def _places(*scopes: str) -> list[tuple[str, str]]:
    return list(zip(("subscription", "group", "resource"), scopes, strict=True))


# Enforcement ---------------------------------------------------------------------------------------------------------


def test_reader_reads_and_is_refused_in_the_words_of_azure(
    group: Any, assign: Any, principal: Any, arm_as: Any
) -> None:
    who, client = principal("id-reader")
    assign(who, READER)
    mine = arm_as(client)
    identity = "Microsoft.ManagedIdentity/userAssignedIdentities/id-reader"

    assert mine.get(identity).name == "id-reader"
    with pytest.raises(HttpResponseError) as refused:
        mine.put(identity)
    assert (refused.value.status_code, refused.value.error.code) == (403, "AuthorizationFailed")
    assert refused.value.error.message.startswith(
        f"The client '{client}' with object id '{who}' does not have authorization to perform action"
        f" 'Microsoft.ManagedIdentity/userAssignedIdentities/write' over scope '{group.id}/providers/{identity}'"
    )


def test_rights_are_those_of_a_scope_and_of_what_is_below_it(
    arm: Any, group: Any, assign: Any, principal: Any, arm_as: Any
) -> None:
    who, client = principal("id-inner")
    inner = group.get("Microsoft.ManagedIdentity/userAssignedIdentities/id-inner").id
    assign(who, CONTRIBUTOR, inner)
    mine = arm_as(client)

    mine.put(inner, {"tags": {"mine": "1"}})
    assert (
        mine.put(f"{inner}/federatedIdentityCredentials/ci-dev", {"location": None, "properties": _CI}).name == "ci-dev"
    )
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        mine.put("Microsoft.ManagedIdentity/userAssignedIdentities/id-other")
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        arm_as(client).arm.resource_groups.create_or_update(f"{group.name}-mine", {"location": "westeurope"})


_CI = {"issuer": "https://ci.test", "subject": "repo:acme/churn:environment:dev", "audiences": ["api"]}


def test_identity_is_assigned_only_by_who_may_assign_it(group: Any, assign: Any, principal: Any, arm_as: Any) -> None:
    who, client = principal("id-assigner")
    accounts = {"actions": ["Microsoft.Storage/storageAccounts/*"]}
    assign(who, _role(group, f"accounts {group.name}", accounts))
    mine, other = arm_as(client), group.get("Microsoft.ManagedIdentity/userAssignedIdentities/id-assigner").id
    body = {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    path = f"Microsoft.Storage/storageAccounts/st{uuid.uuid4().hex[:8]}"
    mine.put(path, body)
    with_identity = {**body, "identity": {"type": "UserAssigned", "userAssignedIdentities": {other: {}}}}
    with pytest.raises(HttpResponseError, match="userAssignedIdentities/assign/action' on the linked") as refused:
        mine.put(path, with_identity)
    assert (refused.value.status_code, refused.value.error.code) == (403, "LinkedAuthorizationFailed")

    assign(who, "f1a07417-d97a-45cb-824c-7a7467783830", other)  # Managed Identity Operator
    assert mine.put(path, with_identity).identity.user_assigned_identities[other].principal_id == who


def test_contributor_may_not_assign_roles(assign: Any, group: Any, principal: Any, arm_as: Any) -> None:
    who, client = principal("id-contributor")
    assign(who, CONTRIBUTOR)
    facts = {"principalId": who, "roleDefinitionId": f"/x/{OWNER}", "principalType": "ServicePrincipal"}
    with pytest.raises(HttpResponseError, match="'Microsoft.Authorization/roleAssignments/write'"):
        arm_as(client).put(f"Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", {"properties": facts})


def test_lists_are_shortened_to_what_may_be_read(group: Any, assign: Any, principal: Any, arm_as: Any) -> None:
    who, client = principal("id-short")
    assign(who, READER)
    mine = arm_as(client).arm

    assert [one.name for one in mine.resource_groups.list()] == [group.name]
    assert {one.id.split("/")[4] for one in mine.resources.list()} == {group.name}


def test_deployment_has_the_rights_of_its_caller(group: Any, assign: Any, principal: Any, ml: Any) -> None:
    from azure.identity import ManagedIdentityCredential
    from azure.mgmt.resource.deployments import DeploymentsMgmtClient

    who, client = principal("id-deployer")
    deploys = {
        "actions": ["Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read"]
    }
    assign(who, _role(group, f"deployer {group.name}", deploys))
    deployer = DeploymentsMgmtClient(
        credential=ManagedIdentityCredential(client_id=client),
        subscription_id=ml.subscription_id,
        base_url=MANAGEMENT_URL,
        credential_scopes=[f"{MANAGEMENT_URL}/.default"],
    )
    resource = {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31", "name": "id-d"}
    template = {"contentVersion": "1.0.0.0", "resources": [{**resource, "location": "westeurope"}]}
    body = {"properties": {"mode": "Incremental", "template": template}}
    with pytest.raises(HttpResponseError, match=r"action 'Microsoft\.ManagedIdentity/userAssignedIdentities/write'"):
        deployer.deployments.begin_create_or_update(group.name, "by-another", body).result()


def test_it_ops_make_computes_and_datastores_but_run_nothing(
    ml: Any, group: Any, assign: Any, principal: Any, ml_as: Any
) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import AmlCompute, AzureBlobDatastore, Model

    who, client = principal("id-it-ops")
    assign(who, _role(group, f"it_ops {group.name}", IT_OPS), ml.workspaces.get().id)
    mine = ml_as(client)

    mine.compute.begin_create_or_update(AmlCompute(name="by-it-ops", max_instances=1)).result()
    store = AzureBlobDatastore(name="by_it_ops", account_name="devstoreaccount1", container_name="by-it-ops")
    assert mine.datastores.create_or_update(store).name == "by_it_ops"
    job = command(command="true", environment="AzureML-minimal@latest", compute="cpu-cluster")
    with pytest.raises(HttpResponseError, match=rf"action '{_ML}/jobs/write'"):
        mine.jobs.create_or_update(job)
    with pytest.raises(HttpResponseError, match=rf"action '{_ML}/models/versions/write'"):
        mine.models.create_or_update(Model(name="by-it-ops", version="1", path="azureml://jobs/x/outputs/artifacts/m"))
    mine.compute.begin_delete("by-it-ops").result()
    mine.datastores.delete("by_it_ops")


def test_data_scientists_run_and_register_but_make_no_computes_and_datastores(
    ml: Any, group: Any, assign: Any, principal: Any, ml_as: Any, tmp_path: Any, jobs: Any
) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import AmlCompute, AzureBlobDatastore, Model

    who, client = principal("id-scientist")
    assign(who, _role(group, f"data_scientist {group.name}", SCIENTIST), ml.workspaces.get().id)
    mine = replace(jobs, ml=ml_as(client))
    (tmp_path / "model.txt").write_text("weights")

    job = command(command="echo hello", environment="AzureML-minimal@latest", compute="cpu-cluster")
    assert mine.wait(mine.ml.jobs.create_or_update(job)).status == "Completed"
    model = Model(name=f"by-scientist-{uuid.uuid4().hex[:6]}", path=str(tmp_path / "model.txt"))
    assert mine.ml.models.create_or_update(model).version == "1"
    with pytest.raises(HttpResponseError, match=rf"action '{_ML}/computes/write'"):
        mine.ml.compute.begin_create_or_update(AmlCompute(name="by-scientist", max_instances=1))
    store = AzureBlobDatastore(name="by_scientist", account_name="devstoreaccount1", container_name="by-scientist")
    with pytest.raises(HttpResponseError, match=rf"action '{_ML}/datastores/write'"):
        mine.ml.datastores.create_or_update(store)
    with pytest.raises(HttpResponseError, match=rf"action '{_ML}/datastores/delete'"):
        mine.ml.datastores.delete("workspacefilestore")


def test_built_in_data_scientist_may_make_datastores_but_no_computes(
    ml: Any, assign: Any, principal: Any, ml_as: Any
) -> None:
    from azure.ai.ml.entities import AmlCompute, AzureBlobDatastore

    who, client = principal("id-built-in")
    assign(who, DATA_SCIENTIST, ml.workspaces.get().id)
    mine = ml_as(client)
    store = AzureBlobDatastore(name="by_built_in", account_name="devstoreaccount1", container_name="by-built-in")

    assert mine.datastores.create_or_update(store).name == "by_built_in"
    with pytest.raises(HttpResponseError, match=rf"action '{_ML}/computes/write'"):
        mine.compute.begin_create_or_update(AmlCompute(name="by-built-in", max_instances=1))
    ml.datastores.delete("by_built_in")


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/history/v1.0{workspace}/experiments", "experiments/runs/read"),
        ("POST", "/history/v1.0{workspace}/runs:query", "experiments/runs/read"),
        ("PATCH", "/history/v1.0{workspace}/runs/x", "experiments/runs/write"),
        ("POST", "/mlflow/v1.0{workspace}/api/2.0/mlflow/runs/search", "experiments/runs/read"),
        ("POST", "/mlflow/v1.0{workspace}/api/2.0/mlflow/runs/create", "experiments/runs/write"),
        ("POST", "/mlflow/v1.0{workspace}/api/2.0/mlflow/registered-models/create", "models/write"),
        ("GET", "/mlflow/v1.0{workspace}/api/2.0/mlflow/model-versions/search", "models/read"),
        ("POST", "/MLFLOW/v1.0{workspace}/api/2.0/MLFLOW/registered-models/create", "models/write"),
    ],
)
def test_services_of_a_workspace_are_guarded_like_its_resources(
    ml: Any, principal: Any, arm_as: Any, method: str, path: str, action: str
) -> None:
    from azure.core.rest import HttpRequest

    _, client = principal("id-nobody")
    workspace = ml.workspaces.get().id
    mine = arm_as(client).arm._client
    answer = mine.send_request(HttpRequest(method, f"{API_URL}{path.format(workspace=workspace)}", json={}))

    assert answer.status_code == 403
    assert f"'{_ML}/{action}' over scope '{workspace}'" in answer.json()["error"]["message"]


def test_caller_asks_for_its_own_permissions(group: Any, assign: Any, principal: Any, arm_as: Any) -> None:
    who, client = principal("id-asks")
    assign(who, "ba92f5b4-2d11-453d-a403-e96b0029c9fe")
    assign(who, READER)
    mine = arm_as(client).list("Microsoft.Authorization/permissions")
    granted = {action for one in mine for action in one["dataActions"]}

    assert "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write" in granted
    assert group.list("Microsoft.Authorization/permissions")[0]["actions"] == ["*"]


def test_principal_that_nobody_knows_gets_no_token(arm_as: Any) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    with pytest.raises(ClientAuthenticationError, match="No identity '.*' is known here"):
        arm_as(str(uuid.uuid4())).get("Microsoft.ManagedIdentity/userAssignedIdentities/id-reader")


def test_object_id_of_a_person_with_a_role_is_a_principal_too(group: Any, assign: Any, arm_as: Any) -> None:
    ada = str(uuid.uuid4())
    assign(ada, READER, principalType="User")

    assert arm_as(ada).arm.resource_groups.get(group.name).name == group.name


def test_token_names_the_principal_it_was_given_to(plane_env: Any, principal: Any) -> None:
    import base64
    import json

    from azure.identity import ManagedIdentityCredential

    who, client = principal("id-claims")
    token = ManagedIdentityCredential(client_id=client).get_token(f"{MANAGEMENT_URL}/.default").token
    body = token.split(".")[1]

    assert json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["oid"] == who
