"""The built-in roles of Azure that an Azure ML landing zone assigns: name, id, what each permits.

The ids are the same in every tenant, and those that "Azure built-in roles" (learn.microsoft.com) names as of 9 April
2026. The permissions are those that Azure publishes, as far as they concern services that this control plane knows.
"""

from __future__ import annotations

from dataclasses import dataclass

_ML = "Microsoft.MachineLearningServices"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices"
_VAULT = "Microsoft.KeyVault"
_VAULT_READ = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    f"{_VAULT}/checkNameAvailability/read",
    f"{_VAULT}/deletedVaults/read",
    f"{_VAULT}/locations/*/read",
    f"{_VAULT}/vaults/*/read",
    f"{_VAULT}/operations/read",
)
_COMMON = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
)


@dataclass(frozen=True, slots=True)
class BuiltInRole:
    """One role; the four lists are those of a role definition's only permission."""

    name: str
    id: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()


OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ROLES = (
    BuiltInRole("Owner", OWNER, ("*",)),
    BuiltInRole(
        "Contributor",
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
            "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
        ),
    ),
    BuiltInRole("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", ("*/read",)),
    BuiltInRole(
        "User Access Administrator",
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    BuiltInRole(
        "Role Based Access Control Administrator",
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
    ),
    BuiltInRole(
        "AzureML Data Scientist",
        "f6c7c914-8db3-469d-8ca1-694a8f32e121",
        tuple(f"{_ML}/workspaces/*/{verb}" for verb in ("read", "action", "delete", "write")),
        tuple(
            f"{_ML}/workspaces/{what}"
            for what in (
                "delete",
                "write",
                "computes/*/write",
                "computes/*/delete",
                "computes/listKeys/action",
                "listKeys/action",
                "hubs/write",
                "hubs/delete",
                "featurestores/write",
                "featurestores/delete",
            )
        ),
    ),
    BuiltInRole(
        "AzureML Compute Operator",
        "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815",
        (f"{_ML}/workspaces/computes/*", f"{_ML}/workspaces/notebooks/vm/*"),
    ),
    BuiltInRole(
        "AzureML Registry User",
        "1823dd4f-9b8c-4ab6-ab4e-7397a3684615",
        (f"{_ML}/registries/read", f"{_ML}/registries/assets/*"),
    ),
    BuiltInRole(
        "AzureML Metrics Writer (preview)",
        "635dd51f-9968-44d3-b7fb-6d9a6bd613ae",
        (f"{_ML}/workspaces/metrics/*/write",),
    ),
    BuiltInRole(
        "Storage Account Contributor",
        "17d1049b-9a84-46fb-8f53-869881c3d3ab",
        (
            *_COMMON,
            "Microsoft.Insights/diagnosticSettings/*",
            "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
            "Microsoft.Storage/storageAccounts/*",
        ),
    ),
    BuiltInRole(
        "Storage Blob Data Owner",
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        (f"{_BLOBS}/containers/*", f"{_BLOBS}/generateUserDelegationKey/action"),
        (),
        (f"{_BLOBS}/containers/blobs/*",),
    ),
    BuiltInRole(
        "Storage Blob Data Contributor",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        (
            *(f"{_BLOBS}/containers/{verb}" for verb in ("delete", "read", "write")),
            f"{_BLOBS}/generateUserDelegationKey/action",
        ),
        (),
        tuple(f"{_BLOBS}/containers/blobs/{verb}" for verb in ("delete", "read", "write", "move/action", "add/action")),
    ),
    BuiltInRole(
        "Storage Blob Data Reader",
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        (f"{_BLOBS}/containers/read", f"{_BLOBS}/generateUserDelegationKey/action"),
        (),
        (f"{_BLOBS}/containers/blobs/read",),
    ),
    BuiltInRole(
        "Storage File Data Privileged Contributor",
        "69566ab7-960f-475b-8e7c-b3118f30c6bd",
        (),
        (),
        (
            *(
                f"Microsoft.Storage/storageAccounts/fileServices/fileShares/files/{verb}"
                for verb in ("read", "write", "delete", "modifypermissions/action")
            ),
            "Microsoft.Storage/storageAccounts/fileServices/readFileBackupSemantics/action",
            "Microsoft.Storage/storageAccounts/fileServices/writeFileBackupSemantics/action",
        ),
    ),
    BuiltInRole(
        "Key Vault Administrator",
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        (*_COMMON, *_VAULT_READ),
        (),
        (f"{_VAULT}/vaults/*",),
    ),
    BuiltInRole(
        "Key Vault Contributor",
        "f25e0fa2-a7c8-4377-a976-54943a77a395",
        (*_COMMON, f"{_VAULT}/*"),
        (f"{_VAULT}/locations/deletedVaults/purge/action", f"{_VAULT}/hsmPools/*", f"{_VAULT}/managedHsms/*"),
    ),
    BuiltInRole(
        "Key Vault Reader",
        "21090545-7ca7-4776-b22c-e363652d74d2",
        _VAULT_READ,
        (),
        (f"{_VAULT}/vaults/*/read", f"{_VAULT}/vaults/secrets/readMetadata/action"),
    ),
    BuiltInRole(
        "Key Vault Secrets Officer",
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        (*_COMMON, *_VAULT_READ),
        (),
        (f"{_VAULT}/vaults/secrets/*",),
    ),
    BuiltInRole(
        "Key Vault Secrets User",
        "4633458b-17de-408a-b874-0445c86b69e6",
        (),
        (),
        (f"{_VAULT}/vaults/secrets/getSecret/action", f"{_VAULT}/vaults/secrets/readMetadata/action"),
    ),
    BuiltInRole(
        "Key Vault Crypto Officer",
        "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
        (*_COMMON, *_VAULT_READ),
        (),
        (f"{_VAULT}/vaults/keys/*", f"{_VAULT}/vaults/keyrotationpolicies/*"),
    ),
    BuiltInRole(
        "Key Vault Crypto User",
        "12338af0-0e69-4776-bea7-57ae8d297424",
        (),
        (),
        tuple(
            f"{_VAULT}/vaults/keys/{verb}"
            for verb in (
                "read",
                "update/action",
                "backup/action",
                "encrypt/action",
                "decrypt/action",
                "wrap/action",
                "unwrap/action",
                "sign/action",
                "verify/action",
            )
        ),
    ),
    BuiltInRole(
        "Key Vault Crypto Service Encryption User",
        "e147488a-f6f5-4113-8e2d-b22465e65bf6",
        ("Microsoft.EventGrid/eventSubscriptions/write", "Microsoft.EventGrid/eventSubscriptions/read"),
        (),
        tuple(f"{_VAULT}/vaults/keys/{verb}" for verb in ("read", "wrap/action", "unwrap/action")),
    ),
    BuiltInRole(
        "AcrPull", "7f951dda-4ed3-4680-a7ca-43fe172d538d", ("Microsoft.ContainerRegistry/registries/pull/read",)
    ),
    BuiltInRole(
        "AcrPush",
        "8311e382-0749-4cb8-b61a-304f252e45ec",
        (
            "Microsoft.ContainerRegistry/registries/pull/read",
            "Microsoft.ContainerRegistry/registries/push/write",
        ),
    ),
    BuiltInRole(
        "Managed Identity Operator",
        "f1a07417-d97a-45cb-824c-7a7467783830",
        (
            *_COMMON,
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
        ),
    ),
    BuiltInRole(
        "Managed Identity Contributor",
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        (
            *_COMMON,
            *(
                f"Microsoft.ManagedIdentity/userAssignedIdentities/{verb}"
                for verb in ("read", "write", "delete", "federatedIdentityCredentials/*")
            ),
        ),
    ),
    BuiltInRole("Network Contributor", "4d97b98b-1d4f-4787-a291-c67834d212e7", (*_COMMON, "Microsoft.Network/*")),
    BuiltInRole(
        "Private DNS Zone Contributor",
        "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
        (
            *_COMMON,
            "Microsoft.Network/privateDnsZones/*",
            "Microsoft.Network/privateDnsOperationResults/*",
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/virtualNetworks/join/action",
        ),
    ),
    BuiltInRole(
        "Monitoring Metrics Publisher",
        "3913510d-42f4-4e42-8a64-420c390055eb",
        ("Microsoft.Insights/Register/Action", "Microsoft.Resources/subscriptions/resourceGroups/read"),
        (),
        ("Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"),
    ),
    BuiltInRole(
        "Monitoring Reader",
        "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
        ("*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"),
    ),
    BuiltInRole(
        "Log Analytics Reader",
        "73c42c96-874c-492b-b04d-ab87d138a893",
        (
            "*/read",
            "Microsoft.OperationalInsights/workspaces/analytics/query/action",
            "Microsoft.OperationalInsights/workspaces/search/action",
            "Microsoft.Support/*",
        ),
        ("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
    ),
    BuiltInRole(
        "EventGrid EventSubscription Contributor",
        "428e0ff0-5e57-4d9c-a221-2c70d0e0a443",
        (
            *_COMMON,
            "Microsoft.EventGrid/eventSubscriptions/*",
            "Microsoft.EventGrid/topicTypes/eventSubscriptions/read",
            "Microsoft.EventGrid/locations/eventSubscriptions/read",
        ),
    ),
    BuiltInRole(
        "Storage Queue Data Message Sender",
        "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
        data_actions=("Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action",),
    ),
    BuiltInRole(
        "Storage Queue Data Message Processor",
        "8a0f0c08-91a1-4084-bc3d-661d67233fed",
        data_actions=(
            "Microsoft.Storage/storageAccounts/queueServices/queues/messages/read",
            "Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action",
        ),
    ),
    BuiltInRole(
        "EventGrid Data Sender",
        "d5a91429-5739-47e2-a06b-3470a27159e7",
        ("Microsoft.EventGrid/topics/read", "Microsoft.EventGrid/domains/read"),
        (),
        ("Microsoft.EventGrid/events/send/action",),
    ),
    BuiltInRole(
        "Azure Kubernetes Service Cluster User Role",
        "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
        (
            "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
            "Microsoft.ContainerService/managedClusters/read",
        ),
    ),
    BuiltInRole(
        "Azure Kubernetes Service Contributor Role",
        "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
        (
            "Microsoft.ContainerService/managedClusters/read",
            "Microsoft.ContainerService/managedClusters/write",
            "Microsoft.Resources/deployments/*",
        ),
    ),
    BuiltInRole(
        "Cost Management Reader",
        "72fafb9e-0641-4937-9268-a91bfd8191a3",
        (
            *_COMMON,
            "Microsoft.Consumption/*/read",
            "Microsoft.CostManagement/*/read",
            "Microsoft.Billing/billingPeriods/read",
        ),
    ),
)
