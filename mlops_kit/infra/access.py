"""Who may do what: the roles that the identities need, custom roles, assignments with stable names, GitHub's tokens."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping

from mlops_kit.infra.contract import CustomRole, FederatedCredential, IdentityAndAccess, RoleAssignment
from mlops_kit.infra.wanted import Wanted

# Built-in roles by name: "Azure built-in roles" (learn.microsoft.com)
BUILT_IN: Mapping[str, str] = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "AzureML Compute Operator": "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815",
    "AzureML Data Scientist": "f6c7c914-8db3-469d-8ca1-694a8f32e121",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage File Data Privileged Contributor": "69566ab7-960f-475b-8e7c-b3118f30c6bd",
    "Storage Queue Data Message Processor": "8a0f0c08-91a1-4084-bc3d-661d67233fed",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
}
CUSTOM = ("it_ops", "data_scientist")
SCOPES = {
    "resource_group": "",
    "storage": "/providers/Microsoft.Storage/storageAccounts/{storage}",
    "key_vault": "/providers/Microsoft.KeyVault/vaults/{key_vault}",
    "container_registry": "/providers/Microsoft.ContainerRegistry/registries/{container_registry}",
    "log_analytics": "/providers/Microsoft.OperationalInsights/workspaces/{log_analytics}",
    "application_insights": "/providers/Microsoft.Insights/components/{application_insights}",
    "workspace": "/providers/Microsoft.MachineLearningServices/workspaces/{workspace}",
}
SERVICES = tuple(scope for scope in SCOPES if scope != "resource_group")
# identity -> (scope, role). Those of the workspace: "Set up authentication between Azure Machine Learning and other
# services", user-assigned identity; those of compute let jobs read and write data without keys.
_NEEDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "workspace": (
        ("storage", "Contributor"),
        ("storage", "Storage Blob Data Contributor"),
        ("storage", "Storage File Data Privileged Contributor"),
        ("key_vault", "Contributor"),
        ("key_vault", "Key Vault Administrator"),
        ("container_registry", "Contributor"),
        ("application_insights", "Contributor"),
    ),
    "compute": (
        ("storage", "Storage Blob Data Contributor"),
        ("storage", "Storage File Data Privileged Contributor"),
        ("key_vault", "Key Vault Secrets User"),
        ("container_registry", "AcrPull"),
        ("workspace", "AzureML Data Scientist"),
    ),
    "deployment": (
        ("storage", "Storage Blob Data Contributor"),
        ("container_registry", "AcrPull"),
        ("workspace", "AzureML Data Scientist"),
    ),
    "trigger": (("storage", "Storage Queue Data Message Sender"),),
}
_ML = "Microsoft.MachineLearningServices"
_ROLES: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "it_ops": (
        "Creates compute and datastores; submits nothing.",
        (
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            f"{_ML}/locations/*/read",
            f"{_ML}/workspaces/read",
            f"{_ML}/workspaces/computes/*",
            f"{_ML}/workspaces/datastores/*",
        ),
        (),
    ),
    "data_scientist": (
        "Runs experiments and registers models; creates neither compute nor datastores.",
        (
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            f"{_ML}/locations/*/read",
            f"{_ML}/workspaces/*/read",
            f"{_ML}/workspaces/*/action",
            f"{_ML}/workspaces/*/write",
            f"{_ML}/workspaces/*/delete",
        ),
        (
            f"{_ML}/workspaces/write",
            f"{_ML}/workspaces/delete",
            f"{_ML}/workspaces/listKeys/action",
            f"{_ML}/workspaces/computes/write",
            f"{_ML}/workspaces/computes/delete",
            f"{_ML}/workspaces/computes/*/write",
            f"{_ML}/workspaces/computes/*/delete",
            f"{_ML}/workspaces/computes/listKeys/action",
            f"{_ML}/workspaces/datastores/write",
            f"{_ML}/workspaces/datastores/delete",
        ),
    ),
}
_ISSUER, _AUDIENCE = "https://token.actions.githubusercontent.com", "api://AzureADTokenExchange"


def access(tree: Wanted, named: Mapping[str, str], group_id: str, environment: str) -> IdentityAndAccess:
    """Return identities, roles and assignments; ``group_id`` is the id of the resource group."""
    given = tree["identity_and_access"]
    identities = {key.partition(".")[2]: name for key, name in named.items() if key.startswith("identity.")}
    custom = {key: _custom(key, named["workspace"], group_id) for key in CUSTOM} if given["custom_roles"] else {}
    assignments = [*_needed(identities, named, group_id), *_given(given["role_assignments"], named, group_id)]
    return IdentityAndAccess(
        identities=identities,
        federated_credentials=_credentials(given["github"], named, environment),
        custom_roles=custom,
        role_assignments=dict(assignments),
    )


def scope_id(scope: str, named: Mapping[str, str], group_id: str) -> str:
    """Return the resource id that a scope stands for; an id stands for itself."""
    return scope if scope.startswith("/") else group_id + SCOPES[scope].format_map(named)


def role_guid(role: str, group_id: str) -> str:
    """Return the GUID of a role: of a built-in one by its name, of a custom one of this group, or the GUID itself."""
    return _uuid(group_id, role) if role in CUSTOM else BUILT_IN.get(role, role)


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(parts).lower()))


def _custom(key: str, workspace: str, group_id: str) -> CustomRole:
    description, actions, not_actions = _ROLES[key]
    guid = role_guid(key, group_id)
    # the name of a role is unique in a tenant, so it names the workspace
    name = f"{key} ({workspace})"
    return CustomRole(guid, _definition(guid, group_id), name, description, actions, not_actions, (group_id,))


def _definition(guid: str, group_id: str) -> str:
    subscription = "/".join(group_id.split("/")[:3])
    return f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def _needed(
    identities: Mapping[str, str], named: Mapping[str, str], group_id: str
) -> Iterator[tuple[str, RoleAssignment]]:
    for identity, name in identities.items():
        principal = f"{group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        for scope, role in _NEEDS[identity]:
            if scope in SERVICES and scope not in named:  # none of ours: Azure's own, or one that exists
                continue
            key = f"{identity}-{scope}-{role}".replace(" ", "").replace("_", "-").lower()
            made = _assignment(scope, role, principal, named, group_id)
            yield key, RoleAssignment(*made[:3], identity, None, "ServicePrincipal", *made[3:])


def _given(
    given: Mapping[str, Mapping[str, str]], named: Mapping[str, str], group_id: str
) -> Iterator[tuple[str, RoleAssignment]]:
    for key, one in given.items():
        made = _assignment(one["scope"], one["role"], one["principal_id"], named, group_id)
        yield key, RoleAssignment(*made[:3], None, one["principal_id"], one["principal_type"], *made[3:])


def _assignment(
    scope: str, role: str, principal: str, named: Mapping[str, str], group_id: str
) -> tuple[str, str, str, str, str, str | None]:
    """Return name, scope, scope id, role, role definition id and custom role of an assignment."""
    target, guid = scope_id(scope, named, group_id), role_guid(role, group_id)
    kind = "id" if scope.startswith("/") else scope
    custom = role if role in CUSTOM else None
    return _uuid(target, principal, guid), kind, target, role, _definition(guid, group_id), custom


def _credentials(
    github: Mapping[str, object] | None, named: Mapping[str, str], environment: str
) -> dict[str, FederatedCredential]:
    """Return the credentials of a repository: one of the GitHub environment, one of pull requests where wanted."""
    if github is None:
        return {}
    ends = {"environment": f"environment:{github.get('environment') or environment}", "pull_request": "pull_request"}
    return {
        key: FederatedCredential(
            named[f"federated_credential.{key}"],
            "deployment",
            _ISSUER,
            f"repo:{github['repository']}:{end}",
            (_AUDIENCE,),
        )
        for key, end in ends.items()
        if f"federated_credential.{key}" in named
    }
