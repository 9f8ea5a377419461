"""One module per resource type: a URL table ``ROUTES``, its handlers and its rules. This module lists them all."""

from __future__ import annotations

from mlops_kit.local.arm import operations
from mlops_kit.local.plane import Plane
from mlops_kit.local.providers import (
    clock,
    codes,
    components,
    computes,
    connections,
    data,
    dataplane,
    datastores,
    deleted_workspaces,
    deployment_runs,
    deployments,
    environments,
    history,
    identity,
    jobs,
    mlflow,
    mlflow_artifacts,
    mlflow_registry,
    models,
    outbound_rules,
    registries,
    registry_assets,
    resource_groups,
    resources,
    schedules,
    subscriptions,
    usages,
    vaults,
    workspaces,
)
from mlops_kit.local.providers.locations import LOCATION

ROUTES = (
    *operations.ROUTES,
    *identity.ROUTES,
    *subscriptions.ROUTES,
    *resource_groups.ROUTES,
    *resources.ROUTES,
    *vaults.ROUTES,
    *deployments.ROUTES,
    *workspaces.ROUTES,
    *deleted_workspaces.ROUTES,
    *outbound_rules.ROUTES,
    *datastores.ROUTES,
    *computes.ROUTES,
    *connections.ROUTES,
    *usages.ROUTES,
    *jobs.ROUTES,
    *schedules.ROUTES,
    *clock.ROUTES,
    *history.ROUTES,
    *mlflow.ROUTES,
    *mlflow_artifacts.ROUTES,
    *mlflow_registry.ROUTES,
    *codes.ROUTES,
    *components.ROUTES,
    *data.ROUTES,
    *dataplane.ROUTES,
    *environments.ROUTES,
    *models.ROUTES,
    *registries.ROUTES,
    *registry_assets.ROUTES,
)


def prepare(plane: Plane) -> None:
    """Create what every instance has, where it is not there yet: group, workspace with its datastores, computes."""
    deployment_runs.mend(plane)
    name = plane.settings.workspace
    # All or nothing: a process that is killed here must not leave a workspace that lacks something.
    with plane.store.transaction():
        if plane.store.find(resource_groups.group_id(name.subscription, name.group)) is None:
            resource_groups.create(plane, name.subscription, name.group, {"location": LOCATION})
        if plane.store.find(name.id) is None:
            workspaces.create(plane, name, LOCATION)
            for compute in plane.settings.computes:
                computes.create_cluster(plane, name.id, compute, plane.settings.compute_size)
