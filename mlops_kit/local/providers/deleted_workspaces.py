"""Workspaces that are deleted but not gone: their name stays taken for 14 days, in which they are recovered or purged.

As in Azure, runs, models, data and all other assets stay, computes do not; a workspace with a key of its customer is
not kept. Only the kind Default is kept here. The list of deleted workspaces is in no published specification; it is
answered where scripts ask for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.routes import SUBSCRIPTION, Route
from mlops_kit.local.arm.wire import ArmError, Call, Reply
from mlops_kit.local.providers import datastores, soft_delete
from mlops_kit.local.runs import states

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.providers.soft_delete import Deleted

KIND = "Microsoft.MachineLearningServices/workspaces"
DAYS = 14


def keeps(workspace: Resource) -> bool:
    """Say whether a workspace of this kind is kept when it is deleted."""
    return workspace.body["kind"] == "Default" and not workspace.properties.get("encryption")


def bury(plane: Plane, workspace: Resource) -> None:
    """Take a workspace out of sight; its computes are gone for ever, and what still ran counts as canceled."""
    plane.tracking.release(workspace.id)
    for job in plane.store.list(f"{workspace.id}/jobs"):
        states.end(plane, job.id, states.Outcome(states.CANCELED))
    for compute in plane.store.list(f"{workspace.id}/computes"):
        plane.store.delete(compute.id)
    soft_delete.bury(plane, workspace, DAYS)


def erase(plane: Plane, workspace: Resource) -> None:
    """Delete a workspace with the data of its own datastores and its runs."""
    datastores.forget(plane, workspace.id)
    plane.tracking.forget(workspace.id)
    plane.store.delete(workspace.id)


def exhumed(plane: Plane, workspace_id: str) -> Resource | None:
    """Return a deleted workspace, brought back; None where there is none."""
    return soft_delete.exhume(plane, workspace_id) if soft_delete.buried(plane, workspace_id) else None


def recovered(plane: Plane, workspace_id: str, wanted: dict[str, Any]) -> Resource | None:
    """Bring a deleted workspace back for a request that asks for it; 400 where its name is taken by a deleted one."""
    if soft_delete.overdue(plane, workspace_id) is not None:
        erase(plane, soft_delete.exhume(plane, workspace_id))
        return None
    there = soft_delete.buried(plane, workspace_id)
    if there is None:
        return None
    flag = (wanted.get("properties") or {}).get("allowRecoverSoftDeletedWorkspace")
    if str(flag).lower() != "true":
        raise ArmError(
            400,
            "BadRequest",
            "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete"
            f" (it is kept until {there.purged})",
            target="name",
        )
    return soft_delete.exhume(plane, workspace_id)


def _shown(deleted: Deleted) -> dict[str, Any]:
    workspace = deleted.resource
    scope = "/".join(workspace.id.split("/")[:3])
    properties = {
        "workspaceArmId": workspace.id,
        "workspaceId": workspace.properties["workspaceId"],
        "deletionTime": deleted.deleted,
        "scheduledPurgeTime": deleted.purged,
    }
    return {
        "id": f"{scope}/providers/Microsoft.MachineLearningServices/deletedWorkspaces/{workspace.body['name']}",
        "name": workspace.body["name"],
        "type": "Microsoft.MachineLearningServices/deletedWorkspaces",
        "location": workspace.body["location"],
        "properties": properties,
    }


def _list(plane: Plane, call: Call) -> Reply:
    known = soft_delete.all_buried(plane, KIND, SUBSCRIPTION.format(**call.params))
    return Reply(200, {"value": [_shown(one) for one in known]})


ROUTES = (Route("GET", f"{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/deletedWorkspaces", _list),)
