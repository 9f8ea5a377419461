"""Virtual networks, their subnets, and private DNS zones.

A subnet may be written inside its network or by itself, and is seen in both. What is in use is not deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import stamped
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.providers.resource_rules import entity_tag

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.providers.resource_rules import Draft

# What keeps a subnet from being deleted: it has interfaces of these in it.
_DWELLERS = frozenset(
    {
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.ContainerService/managedClusters/agentPools",
        "Microsoft.MachineLearningServices/workspaces/computes",
        "Microsoft.Network/privateEndpoints",
    }
)


def admit(plane: Plane, draft: Draft) -> dict[str, Any]:
    """Return the body of a network: without a list of subnets it keeps those it has, with one it has only those."""
    del plane
    if "subnets" in draft.properties or draft.previous is None:
        return draft.body
    subnets = draft.previous.properties.get("subnets") or []
    return {**draft.body, "properties": {**draft.properties, "subnets": subnets}}


def written(plane: Plane, network: Resource) -> None:
    """Write each subnet of a network as the resource that it is; drop those that the network does not name."""
    wanted = {str(one["name"]).lower(): one for one in network.properties.get("subnets") or []}
    for there in plane.store.list(f"{network.id}/subnets"):
        if str(there.body["name"]).lower() not in wanted:
            _check_unused(plane, there)
            plane.store.delete(there.id)
    for one in wanted.values():
        resource_id = f"{network.id}/subnets/{one['name']}"
        properties = {"provisioningState": "Succeeded", **(one.get("properties") or {})}
        body = stamped(plane, {"id": resource_id, "properties": properties}, plane.store.find(resource_id))
        plane.store.put({**body, "etag": entity_tag(body, "etag")})
    _show(plane, network.id)


def forget(plane: Plane, network: Resource) -> None:
    """Delete a network whose subnets nothing is in."""
    for subnet in plane.store.list(f"{network.id}/subnets"):
        _check_unused(plane, subnet)
    plane.store.delete(network.id)


def forget_zone(plane: Plane, zone: Resource) -> None:
    """Delete a private DNS zone that is linked to no network."""
    links = [one.id for one in plane.store.list(f"{zone.id}/virtualNetworkLinks")]
    if links:
        raise ArmError(
            409,
            "CannotDeleteResource",
            "Can not delete resource before nested resources are deleted. Some existing nested resource IDs include:"
            f" '{', '.join(links)}'.",
        )
    plane.store.delete(zone.id)


def subnet_written(plane: Plane, subnet: Resource) -> None:
    """Show a subnet inside its network."""
    _show(plane, subnet.id.rpartition("/subnets/")[0])


def forget_subnet(plane: Plane, subnet: Resource) -> None:
    """Delete a subnet that nothing is in."""
    _check_unused(plane, subnet)
    plane.store.delete(subnet.id)
    _show(plane, subnet.id.rpartition("/subnets/")[0])


def _show(plane: Plane, network_id: str) -> None:
    network = plane.store.get(network_id)
    shown = [
        {key: one.body[key] for key in ("id", "name", "type", "etag", "properties") if key in one.body}
        for one in plane.store.list(f"{network_id}/subnets")
    ]
    body = {**network.body, "properties": {**network.properties, "subnets": shown}}
    plane.store.put({**body, "etag": entity_tag(body, "etag")})


def _check_unused(plane: Plane, subnet: Resource) -> None:
    found = [one.id for one in plane.store.mentioning(f'"{subnet.id}"') if one.body.get("type") in _DWELLERS]
    if found:
        raise ArmError(
            400,
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.body['name']} is in use by {', '.join(found)} and cannot be deleted. In order to delete"
            " the subnet, delete all the resources within the subnet.",
        )
