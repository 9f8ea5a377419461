"""All modules together: the infrastructure of one environment, in the order in which Azure can make it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_azure_native import Provider

from mlops_kit.infra import contract
from modules.pulumi.budget import Budget
from modules.pulumi.compute import Compute, Surroundings
from modules.pulumi.container_registry import ContainerRegistry
from modules.pulumi.data_trigger import DataTrigger
from modules.pulumi.identity_and_access import IdentityAndAccess, RoleAssignments
from modules.pulumi.key_vault import KeyVault
from modules.pulumi.kubernetes import Kubernetes
from modules.pulumi.network import Network, PrivateEndpoints
from modules.pulumi.observability import Observability, WorkspaceMonitoring
from modules.pulumi.registry import Registry
from modules.pulumi.resource_group import DeleteLock, ResourceGroup
from modules.pulumi.storage import Storage
from modules.pulumi.workspace import Foundation, Workspace


def landing_zone(wanted: contract.Infrastructure) -> dict[str, Any]:
    """Declare everything that ``wanted`` names, in its subscription; return the named outputs.

    What the workspace needs is granted before it is created. The delete lock comes last and goes first.
    """
    provider = Provider("azure", subscription_id=wanted.resource_group.subscription_id)
    opts = pulumi.ResourceOptions(providers={"azure-native": provider})
    group = ResourceGroup("resource-group", wanted.resource_group, opts)
    place = group.place
    access = IdentityAndAccess("identity", wanted.identity_and_access, place, group_id=group.id, opts=opts)
    network = Network("network", wanted.workspace.network, place, opts)
    storage = Storage("storage", wanted.storage, place, subnets=network.subnet_ids, opts=opts)
    vault = KeyVault(
        "key-vault",
        wanted.key_vault,
        place,
        subnets=network.subnet_ids,
        principals=access.principal_ids,
        opts=opts,
    )
    observability = Observability("observability", wanted.observability, place, opts)
    images = wanted.container_registry
    container_registry = ContainerRegistry("container-registry", images, place, opts) if images is not None else None

    assignments = wanted.identity_and_access.role_assignments
    services: list[pulumi.Resource] = [storage, vault, observability]
    services += [container_registry] if container_registry is not None else []
    grants = RoleAssignments(
        "grants", _granted(assignments, on_workspace=False), access, guarded=[group, *services], opts=opts
    )
    workspace = Workspace(
        "workspace",
        wanted.workspace,
        place,
        foundation=Foundation(
            storage=storage.id,
            key_vault=vault.id,
            application_insights=observability.application_insights_id,
            container_registry=container_registry.id if container_registry is not None else None,
            identities=access.ids,
            subnets=network.subnet_ids,
        ),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[grants])),
    )

    targets: dict[str, pulumi.Input[str]] = {"storage": storage.id, "key_vault": vault.id, "workspace": workspace.id}
    targets |= {"container_registry": container_registry.id} if container_registry is not None else {}
    endpoints = PrivateEndpoints(
        "private-endpoint",
        wanted.workspace.network.private_endpoints,
        place,
        around=network,
        targets=targets,
        opts=opts,
    )
    monitoring = WorkspaceMonitoring(
        "monitoring", wanted.observability, place, observability=observability, workspace_id=workspace.id, opts=opts
    )
    users = RoleAssignments("users", _granted(assignments, on_workspace=True), access, guarded=[workspace], opts=opts)
    around = Surroundings(workspace.name, access.ids, network.subnet_ids)
    # A compute in a private network is reached through the endpoints of the workspace, which must be there before.
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[endpoints]))
    compute = Compute("compute", wanted.compute, place, around=around, opts=after)
    cluster = wanted.kubernetes
    kubernetes = Kubernetes("kubernetes", cluster, place, around=around, opts=after) if cluster is not None else None
    registry = Registry("registry", wanted.registry, place, opts) if wanted.registry is not None else None
    trigger = _data_trigger(wanted.data_trigger, group=group, storage=storage, access=access, grants=grants, opts=opts)
    budget = Budget("budget", wanted.budget, group_id=group.id, opts=opts) if wanted.budget is not None else None

    optional = [one for one in (container_registry, kubernetes, registry, trigger, budget) if one is not None]
    everything = [access, network, storage, vault, observability, grants, workspace, endpoints, monitoring, users]
    if wanted.resource_group.delete_lock is not None:
        guarded = [*everything, compute, *optional]
        DeleteLock("lock", wanted.resource_group.delete_lock, group_id=group.id, guarded=guarded, opts=opts)

    return {
        "subscription_id": wanted.resource_group.subscription_id,
        "location": wanted.resource_group.location,
        "resource_group_id": group.id,
        "resource_group_name": group.name,
        "storage_id": storage.id,
        "storage_name": storage.name,
        "storage_blob_endpoint": storage.blob_endpoint,
        "key_vault_id": vault.id,
        "key_vault_name": vault.name,
        "key_vault_uri": vault.uri,
        "key_vault_when_soft_deleted": wanted.key_vault.when_soft_deleted,
        "log_analytics_id": observability.log_analytics_id,
        "application_insights_id": observability.application_insights_id,
        "action_group_id": observability.action_group_id,
        "container_registry_id": container_registry.id if container_registry is not None else None,
        "container_registry_login_server": container_registry.login_server if container_registry is not None else None,
        "identity_ids": access.ids,
        "identity_principal_ids": access.principal_ids,
        "identity_client_ids": access.client_ids,
        "custom_role_ids": {key: role.id for key, role in wanted.identity_and_access.custom_roles.items()},
        "virtual_network_id": network.virtual_network_id,
        "subnet_ids": network.subnet_ids,
        "dns_zone_ids": network.dns_zone_ids,
        "private_endpoint_ids": endpoints.ids,
        "workspace_id": workspace.id,
        "workspace_name": workspace.name,
        "workspace_when_soft_deleted": wanted.workspace.when_soft_deleted,
        "compute_ids": compute.ids,
        "kubernetes_cluster_id": kubernetes.cluster_id if kubernetes is not None else None,
        "kubernetes_compute_id": kubernetes.compute_id if kubernetes is not None else None,
        "registry_id": registry.id if registry is not None else None,
        "registry_name": registry.name if registry is not None else None,
        "data_trigger_id": trigger.id if trigger is not None else None,
        "data_trigger_subscription_ids": trigger.subscription_ids if trigger is not None else {},
        "budget_id": budget.id if budget is not None else None,
    }


def _granted(
    assignments: Mapping[str, contract.RoleAssignment], *, on_workspace: bool
) -> dict[str, contract.RoleAssignment]:
    return {key: one for key, one in assignments.items() if (one.scope == "workspace") is on_workspace}


def _data_trigger(
    wanted: contract.DataTrigger | None,
    *,
    group: ResourceGroup,
    storage: Storage,
    access: IdentityAndAccess,
    grants: RoleAssignments,
    opts: pulumi.ResourceOptions,
) -> DataTrigger | None:
    """Declare the trigger after the grant that lets its identity write to the queue."""
    if wanted is None:
        return None
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[grants]))
    identity = access.ids[wanted.identity]
    return DataTrigger("data-trigger", wanted, group.place, account=storage, identity_id=identity, opts=after)
