"""Computes: clusters, instances, and attached Kubernetes, virtual machine and Spark pools, all labels for this host.

A compute is ready as soon as it is written. Only an instance has states of its own: a stopped one takes no jobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_kit.local import ledger
from mlops_kit.local.arm.ids import stamped, timestamp
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.shapes import IDENTITY, TAGS, shaped
from mlops_kit.local.arm.wire import BadRequestError, Call, ConflictError, NotFoundError, Reply
from mlops_kit.local.providers import usages, workspaces
from mlops_kit.local.providers.cluster_nodes import counted, is_on, last_used
from mlops_kit.local.providers.compute_kinds import (
    ATTACHED,
    DETAILS,
    FIXED,
    REFERS,
    check_change,
    check_name,
    kind_of,
    operation,
    without_default_size,
)
from mlops_kit.local.providers.resource_rules import Draft, check_fixed, check_references, placed
from mlops_kit.local.providers.resources import identity

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

_SHAPE = {
    "location": str,
    "tags": TAGS,
    "identity": IDENTITY,
    "properties": {
        **dict.fromkeys(("computeType", "resourceId", "description", "computeLocation"), str),
        "properties": {
            **dict.fromkeys(("vmSize", "vmPriority", "idleTimeBeforeShutdown"), str),
            "scaleSettings": {"minNodeCount": int, "maxNodeCount": int, "nodeIdleTimeBeforeScaleDown": str},
            "userAccountCredentials": dict,
            "administratorAccount": dict,
            "sshSettings": dict,
            "schedules": {"computeStartStop": [dict]},
        },
    },
}
_TRIGGERS = {"start": "Start", "stop": "Stop", "restart": "Restart"}


@dataclass(frozen=True, slots=True)
class Compute:
    """A compute that takes a job now: ``nodes`` is how many processes a job may ask for."""

    name: str
    kind: str
    nodes: int


def runnable(plane: Plane, workspace_id: str, name: str) -> Compute:
    """Return the compute of this name (or ARM id) if it takes jobs now; otherwise say in one sentence why not."""
    found = _find(plane, workspace_id, name.rpartition("/")[2])
    label, kind = str(found.body["name"]), str(found.properties["computeType"])
    details = found.properties["properties"]
    if kind == "SynapseSpark":
        raise BadRequestError(f"The compute '{label}' is a Spark pool, which runs Spark jobs only.", target="computeId")
    if kind == "ComputeInstance" and details["state"] != "Running":
        raise ConflictError(
            f"The compute instance '{label}' is {details['state'].lower()}; start it to run jobs on it."
        )
    nodes = 1
    if kind == "AmlCompute":
        nodes = details["scaleSettings"]["maxNodeCount"]
    elif kind == "Kubernetes":
        nodes = usages.MOST_NODES  # the size of an attached cluster is not known to the workspace
    if nodes < 1:
        raise BadRequestError(
            f"The cluster '{label}' has a maximum of 0 nodes, so no job can run on it.", target="computeId"
        )
    return Compute(label, kind, nodes)


def create_cluster(plane: Plane, workspace_id: str, name: str, size: str) -> Resource:
    """Create a cluster as ``AmlCompute(name=..., size=...)`` does it, closed to ssh: its nodes are this machine."""
    scale = {"maxNodeCount": 4, "minNodeCount": 0}
    details = {"vmSize": size, "remoteLoginPortPublicAccess": "Disabled", "scaleSettings": scale}
    properties = {"computeType": "AmlCompute", "properties": details}
    location = workspaces.find(plane, workspace_id).body["location"]
    return _write(plane, workspace_id, name, {"location": location, "properties": properties})


def _find(plane: Plane, workspace_id: str, name: str) -> Resource:
    found = plane.store.find(f"{workspace_id}/computes/{name}")
    if found is None:
        workspaces.find(plane, workspace_id)
        known = (str(one.body["name"]) for one in plane.store.list(f"{workspace_id}/computes"))
        raise NotFoundError.among("compute", name, known)
    return _settled(plane, found)


def _settled(plane: Plane, found: Resource) -> Resource:
    """Return a compute as it is now: an instance that nobody has used for its idle time has stopped when that ended."""
    details = found.properties["properties"]
    idle = details.get("idleTimeBeforeShutdown")
    if found.properties["computeType"] != "ComputeInstance" or details["state"] != "Running" or not idle:
        return found
    jobs = plane.store.list(f"{found.id.rpartition('/computes/')[0]}/jobs")
    over = ledger.stops_at(found.private, last_used(jobs, found.id, plane.now()), idle)
    if over is None or over > plane.now():
        return found
    ended = {**operation(plane, "Stop"), "operationTime": timestamp(over), "operationTrigger": "IdleShutdown"}
    properties = {**found.properties, "properties": {**details, "state": "Stopped", "lastOperation": ended}}
    plane.store.put({**found.body, "properties": properties}, ledger.switched(found.private, over, runs=False))
    return plane.store.get(found.id)


def _write(plane: Plane, workspace_id: str, name: str, body: dict[str, Any]) -> Resource:
    resource_id = f"{workspace_id}/computes/{name}"
    there = plane.store.find(resource_id)
    previous = _settled(plane, there) if there else None
    given = body.get("properties") or {}
    kind = kind_of(given.get("computeType"))
    check_name(name, kind)
    details = given.get("properties") or {}
    if previous:
        details = without_default_size(details)
        check_change(previous, kind, details)
    given = {**given, "properties": details}
    draft = Draft(resource_id, {**body, "properties": given}, previous)
    check_fixed(FIXED.get(kind, ()), draft)
    check_references(plane, draft, REFERS)
    details, secrets = DETAILS[kind](plane, name, details, previous)
    if kind in ATTACHED and not given.get("resourceId"):
        raise BadRequestError(f"The compute '{name}' has no resourceId: name what is attached.", target="resourceId")
    body = placed(body, Draft(resource_id, body, previous))
    now = timestamp(plane.now())
    properties = {
        "computeLocation": body.get("location"),
        "disableLocalAuth": True,
        **given,
        "computeType": kind,
        "provisioningState": "Succeeded",
        "provisioningErrors": None,
        "isAttachedCompute": kind in ATTACHED,
        "createdOn": previous.properties["createdOn"] if previous else now,
        "modifiedOn": now,
        "properties": details,
    }
    whole = {**body, "id": resource_id, "properties": properties}
    if body.get("identity"):
        whole["identity"] = identity(plane, body["identity"], previous, replace=True)
    if kind == "ComputeInstance":
        secrets |= _ledger(plane, previous.private if previous else {}, properties)
    plane.store.put(stamped(plane, whole, previous), secrets)
    return plane.store.get(resource_id)


def _ledger(plane: Plane, kept: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """Return what the ledger keeps of an instance that is now in the state that its properties say."""
    return ledger.switched(kept, plane.now(), runs=properties["properties"]["state"] == "Running")


def _cancel_jobs(plane: Plane, compute: Resource) -> None:
    workspace_id = compute.id.rpartition("/computes/")[0]
    for job in plane.store.list(f"{workspace_id}/jobs"):
        if is_on(job, compute.id):
            plane.runs.cancel(job.id)


def _put(plane: Plane, call: Call) -> Reply:
    name, body = call.params["compute"], shaped(call.json(), _SHAPE)
    workspace = workspaces.find(plane, call.workspace)
    there = plane.store.find(f"{call.workspace}/computes/{name}")
    stored = _write(
        plane, call.workspace, name, {**body, "location": body.get("location") or workspace.body["location"]}
    )
    return Reply(200 if there else 201, counted(stored.body, [], plane.now()))


def _patch(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call.workspace, call.params["compute"])
    change = (shaped(call.json(), _SHAPE).get("properties") or {}).get("properties") or {}
    details = found.properties["properties"]
    scale = {**(details.get("scaleSettings") or {}), **(change.get("scaleSettings") or {})}
    merged = {**details, **change, **({"scaleSettings": scale} if scale else {})}
    body = {**found.body, "properties": {**found.properties, "properties": merged}}
    stored = _write(plane, call.workspace, str(found.body["name"]), body)
    return Reply(200, counted(stored.body, [], plane.now()))


def _get(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call.workspace, call.params["compute"])
    # Only a cluster's counts depend on the jobs, which may be many.
    is_cluster = found.properties["computeType"] == "AmlCompute"
    jobs = plane.store.list(f"{call.workspace}/jobs") if is_cluster else []
    return Reply(200, counted(found.body, jobs, plane.now()))


def _list(plane: Plane, call: Call) -> Reply:
    workspaces.find(plane, call.workspace)
    jobs, now = plane.store.list(f"{call.workspace}/jobs"), plane.now()
    computes = [_settled(plane, one) for one in plane.store.list(f"{call.workspace}/computes")]
    return Reply(200, {"value": [counted(one.body, jobs, now) for one in computes]})


def _delete(plane: Plane, call: Call) -> Reply:
    found = plane.store.find(f"{call.workspace}/computes/{call.params['compute']}")
    if found is None:
        return Reply(204)
    kind, action = found.properties["computeType"], call.query.get("underlyingResourceAction", "Delete")
    if action == "Detach" and kind not in ATTACHED:
        raise BadRequestError(f"The compute '{found.body['name']}' ({kind}) was not attached; delete it instead.")
    _cancel_jobs(plane, found)
    plane.store.delete(found.id)
    return accepted(plane, call)


def _switch(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call.workspace, call.params["compute"])
    name, kind = found.body["name"], found.properties["computeType"]
    action = call.path.rpartition("/")[2].lower()
    if kind != "ComputeInstance":
        raise BadRequestError(f"The compute '{name}' is of type {kind}; only an instance can {action}.")
    details = found.properties["properties"]
    if action != "start":
        _cancel_jobs(plane, found)
    if action == "restart" and details["state"] != "Running":
        raise ConflictError(f"The compute instance '{name}' is {details['state'].lower()}; start it instead.")
    state = "Stopped" if action == "stop" else "Running"
    details = {**details, "state": state, "lastOperation": operation(plane, _TRIGGERS[action])}
    properties = {**found.properties, "properties": details}
    body = stamped(plane, {**found.body, "properties": properties}, found)
    plane.store.put(body, _ledger(plane, found.private, properties))
    return accepted(plane, call)


def _nodes(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call.workspace, call.params["compute"])
    jobs = plane.store.list(f"{call.workspace}/jobs")
    holding = [job for job in jobs if is_on(job, found.id)]
    holders = [str(job.body["name"]) for job in holding for _ in range(usages.nodes_of(job.properties))]
    counts = counted(found.body, jobs, plane.now())["properties"]["properties"]
    present = counts.get("currentNodeCount", len(holders))
    holders = holders[:present]
    states = [("running", run) for run in holders] + [("idle", None)] * (present - len(holders))
    nodes = [
        {
            "nodeId": f"tvmps_{number:04d}",
            "privateIpAddress": "127.0.0.1",
            "publicIpAddress": None,
            "port": None,
            "nodeState": state,
            "runId": run,
        }
        for number, (state, run) in enumerate(states)
    ]
    return Reply(200, {"nodes": nodes})


def _keys(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call.workspace, call.params["compute"])
    kind = found.properties["computeType"]
    if kind != "VirtualMachine":
        raise BadRequestError(f"The compute '{found.body['name']}' is of type {kind} and has no keys.")
    account = found.properties["properties"]["administratorAccount"]
    return Reply(200, {"computeType": kind, "administratorAccount": {**account, **found.private}})


_ONE = f"{WORKSPACE}/computes/{{compute}}"
ROUTES = (
    Route("GET", f"{WORKSPACE}/computes", _list),
    Route("GET", _ONE, _get),
    Route("PUT", _ONE, _put),
    Route("PATCH", _ONE, _patch),
    Route("DELETE", _ONE, _delete, slow=True, does="executed"),
    Route("POST", f"{_ONE}/start", _switch, does="executed"),
    Route("POST", f"{_ONE}/stop", _switch, slow=True, does="executed"),
    Route("POST", f"{_ONE}/restart", _switch, slow=True, does="executed"),
    Route("POST", f"{_ONE}/listNodes", _nodes, does="executed"),
    Route("POST", f"{_ONE}/listKeys", _keys),
)
