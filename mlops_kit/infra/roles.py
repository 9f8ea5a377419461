"""Which roles there are, what the custom ones allow, and which of them the identities of an environment need."""

from __future__ import annotations

from collections.abc import Mapping

# Built-in roles by name: "Azure built-in roles" (learn.microsoft.com, as of 9 April 2026)
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
SCOPES = {
    "resource_group": "",
    "storage": "/providers/Microsoft.Storage/storageAccounts/{storage}",
    "key_vault": "/providers/Microsoft.KeyVault/vaults/{key_vault}",
    "container_registry": "/providers/Microsoft.ContainerRegistry/registries/{container_registry}",
    "log_analytics": "/providers/Microsoft.OperationalInsights/workspaces/{log_analytics}",
    "application_insights": "/providers/Microsoft.Insights/components/{application_insights}",
    "workspace": "/providers/Microsoft.MachineLearningServices/workspaces/{workspace}",
}
# What the roles that give access to what is in a vault are as permissions of an access policy: keys, secrets,
# certificates ("Azure built-in roles for Key Vault data plane operations").
VAULT_PERMISSIONS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "Key Vault Administrator": (("all",), ("all",), ("all",)),
    "Key Vault Secrets User": ((), ("get", "list"), ()),
}
SERVICES = tuple(scope for scope in SCOPES if scope != "resource_group")
# identity -> (scope, role). Those of the workspace: "Set up authentication between Azure Machine Learning and other
# services", user-assigned identity; those of compute let jobs read and write data without keys.
NEEDS: Mapping[str, tuple[tuple[str, str], ...]] = {
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
CUSTOM_ROLES: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
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
            f"{_ML}/workspaces/read",
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
CUSTOM = tuple(CUSTOM_ROLES)
