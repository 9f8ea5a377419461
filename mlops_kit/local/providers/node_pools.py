"""Node pools of an AKS cluster: one may be written inside its cluster or by itself, and is seen in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import stamped
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import BadRequestError
from mlops_kit.local.providers.resource_rules import entity_tag

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.providers.resource_rules import Draft


def admit(plane: Plane, draft: Draft) -> dict[str, Any]:
    """Return the body of a cluster with all of its pools: those that it does not name stay."""
    given = draft.properties.get("agentPoolProfiles") or []
    if draft.previous is None and not any(str(one.get("mode", "System")) == "System" for one in given):
        raise BadRequestError(
            f"The cluster '{draft.name}' has no node pool of mode System.", target="properties.agentPoolProfiles"
        )
    named = {str(one.get("name", "")).lower() for one in given}
    others = [_profile(one) for one in _pools(plane, draft.id) if str(one.body["name"]).lower() not in named]
    return {**draft.body, "properties": {**draft.properties, "agentPoolProfiles": [*given, *others]}}


def written(plane: Plane, cluster: Resource) -> None:
    """Write each pool of a cluster as the resource that it is."""
    for profile in cluster.properties["agentPoolProfiles"]:
        resource_id = f"{cluster.id}/agentPools/{profile['name']}"
        properties = {key: value for key, value in profile.items() if key != "name"}
        facts = {"provisioningState": "Succeeded", "powerState": {"code": "Running"}}
        body = stamped(plane, {"id": resource_id, "properties": properties | facts}, plane.store.find(resource_id))
        plane.store.put({**body, "eTag": entity_tag(body, "eTag")})


def pool_written(plane: Plane, pool: Resource) -> None:
    """Show a pool inside its cluster."""
    _show(plane, pool.id.rpartition("/agentPools/")[0] or pool.id.rsplit("/", 2)[0])


def forget_pool(plane: Plane, pool: Resource) -> None:
    """Delete a pool that is not the last one of mode System."""
    cluster_id = pool.id.rsplit("/", 2)[0]
    rest = [one for one in _pools(plane, cluster_id) if one.id != pool.id]
    if not any(str(one.properties.get("mode", "System")) == "System" for one in rest):
        raise BadRequestError(f"There has to be at least one system agent pool: '{pool.body['name']}' is the last.")
    plane.store.delete(pool.id)
    _show(plane, cluster_id)


def _pools(plane: Plane, cluster_id: str) -> list[Resource]:
    return plane.store.list(f"{cluster_id}/agentPools")


def _profile(pool: Resource) -> dict[str, Any]:
    return {"name": pool.body["name"], **pool.properties}


def _show(plane: Plane, cluster_id: str) -> None:
    cluster = plane.store.get(cluster_id)
    profiles = [_profile(one) for one in _pools(plane, cluster_id)]
    body = {**cluster.body, "properties": {**cluster.properties, "agentPoolProfiles": profiles}}
    plane.store.put({**body, "eTag": entity_tag(body, "eTag")})
