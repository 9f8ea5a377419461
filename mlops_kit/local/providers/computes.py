"""Computes: clusters, instances, and attached Kubernetes, virtual machine and Spark pools, all labels for this host.

A compute is ready as soon as it is written. Only an instance has states of its own: a stopped one takes no jobs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import AUTHOR, stamped, timestamp
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.shapes import IDENTITY, TAGS, shaped
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, ConflictError, NotFoundError, Reply
from mlops_kit.local.providers import usages, workspaces
from mlops_kit.local.providers.resources import identity
from mlops_kit.local.settings import TENANT
from mlops_kit.local.signing import OBJECT_ID

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

# The SDK sends these in lower case and dispatches on them in this case.
KINDS = {
    kind.lower(): kind for kind in ("AmlCompute", "ComputeInstance", "Kubernetes", "VirtualMachine", "SynapseSpark")
}
ATTACHED = frozenset({"Kubernetes", "VirtualMachine", "SynapseSpark"})
REFUSED = {
    "databricks": "Azure Databricks cannot be attached: azure-ai-ml has no Databricks compute."
    " Run that step in Databricks itself, or on an AmlCompute cluster.",
    "aks": "AKS inference clusters (azure-ai-ml v1) cannot be created; attach the cluster as type 'kubernetes'.",
    "hdinsight": "HDInsight cannot be attached; use an AmlCompute cluster or a Synapse Spark pool.",
    "datalakeanalytics": "Azure Data Lake Analytics was retired in February 2024; use an AmlCompute cluster.",
    "datafactory": "Data Factory cannot be attached; run the data movement as a job on an AmlCompute cluster.",
}
# Characters of a name, by kind: Azure's naming rules for workspaces/computes.
_LENGTHS = {"ComputeInstance": (3, 24), "AmlCompute": (2, 32)}
_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?")
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
_SECRETS = ("password", "privateKeyData")
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


def create_cluster(plane: Plane, workspace_id: str, name: str) -> Resource:
    """Create a cluster with the settings that the SDK would send for ``AmlCompute(name=...)``."""
    properties = {"computeType": "AmlCompute", "properties": {"scaleSettings": {"maxNodeCount": 4, "minNodeCount": 0}}}
    location = workspaces.find(plane, workspace_id).body["location"]
    return _write(plane, workspace_id, name, {"location": location, "properties": properties})


def _find(plane: Plane, workspace_id: str, name: str) -> Resource:
    found = plane.store.find(f"{workspace_id}/computes/{name}")
    if found is None:
        workspaces.find(plane, workspace_id)
        known = (str(one.body["name"]) for one in plane.store.list(f"{workspace_id}/computes"))
        raise NotFoundError.among("compute", name, known)
    return found


def _write(plane: Plane, workspace_id: str, name: str, body: dict[str, Any]) -> Resource:
    resource_id = f"{workspace_id}/computes/{name}"
    previous = plane.store.find(resource_id)
    given = body.get("properties") or {}
    kind = _kind(given.get("computeType"))
    _check_name(name, kind)
    details = given.get("properties") or {}
    if previous:
        _check_change(previous, kind, details)
    details, secrets = _DETAILS[kind](plane, name, details, previous)
    if kind in ATTACHED and not given.get("resourceId"):
        raise BadRequestError(f"The compute '{name}' has no resourceId: name what is attached.", target="resourceId")
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
        whole["identity"] = identity(body["identity"], previous)
    plane.store.put(stamped(plane, whole, previous), secrets)
    return plane.store.get(resource_id)


def _kind(text: Any) -> str:
    lowered = str(text or "").lower()
    if lowered in REFUSED:
        raise ArmError(501, "NotImplemented", REFUSED[lowered], target="computeType")
    if lowered not in KINDS:
        known = ", ".join(KINDS.values())
        raise BadRequestError(f"The compute type '{text}' is not one of {known}.", target="computeType")
    return KINDS[lowered]


def _check_name(name: str, kind: str) -> None:
    least, most = _LENGTHS.get(kind, (2, 32))
    if not _NAME.fullmatch(name) or not least <= len(name) <= most:
        raise BadRequestError(
            f"The compute name '{name}' is not valid: use {least} to {most} letters, digits and hyphens, begin with a"
            " letter and do not end with a hyphen.",
            target="name",
        )


def _check_change(previous: Resource, kind: str, details: dict[str, Any]) -> None:
    name, earlier = previous.body["name"], previous.properties
    if kind != earlier["computeType"]:
        raise ConflictError(f"The compute '{name}' is of type {earlier['computeType']} and cannot become {kind}.")
    for field in ("vmSize", "vmPriority"):
        was, wanted = earlier["properties"].get(field), details.get(field)
        if was and wanted and was.lower() != wanted.lower():
            raise ConflictError(
                f"The {field} of the compute '{name}' is {was} and cannot become {wanted};"
                " delete it and create it anew."
            )


_Details = tuple[dict[str, Any], dict[str, Any]]


def _cluster(plane: Plane, name: str, given: dict[str, Any], previous: Resource | None) -> _Details:
    earlier = previous.properties["properties"] if previous else {}
    scale: dict[str, Any] = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"}
    scale |= {key: value for key, value in (given.get("scaleSettings") or {}).items() if value is not None}
    least, most = scale["minNodeCount"], scale["maxNodeCount"]
    if not 0 <= least <= most:
        raise BadRequestError(
            f"The cluster '{name}' cannot have at least {least} and at most {most} nodes.", target="scaleSettings"
        )
    usages.check_nodes(name, most)
    size = given.get("vmSize") or earlier.get("vmSize") or "Standard_DS3_v2"
    usages.check_size(size)
    account, secrets = _split(given.get("userAccountCredentials"), ("adminUserPassword",))
    details = {
        "osType": "Linux",
        "vmPriority": earlier.get("vmPriority", "Dedicated"),
        "isolatedNetwork": False,
        "remoteLoginPortPublicAccess": "NotSpecified",
        "enableNodePublicIp": True,
        **given,
        "vmSize": size,
        "scaleSettings": scale,
        "allocationState": "Steady",
        "allocationStateTransitionTime": timestamp(plane.now()),
        "errors": None,
    }
    if account:
        details["userAccountCredentials"] = account
    return details, secrets


def _instance(plane: Plane, name: str, given: dict[str, Any], previous: Resource | None) -> _Details:
    del name
    earlier = previous.properties["properties"] if previous else {}
    size = given.get("vmSize") or earlier.get("vmSize") or "Standard_DS3_v2"
    usages.check_size(size)
    details = {
        "applicationSharingPolicy": "Shared",
        "computeInstanceAuthorizationType": "personal",
        "enableNodePublicIp": True,
        **given,
        "vmSize": size,
        "state": earlier.get("state", "Running"),
        "errors": None,
        "applications": [],
        "connectivityEndpoints": {"publicIpAddress": None, "privateIpAddress": "127.0.0.1"},
        "createdBy": {"userName": AUTHOR, "userOrgId": TENANT, "userId": OBJECT_ID},
        "lastOperation": earlier.get("lastOperation") or _operation(plane, "Create"),
    }
    ssh = given.get("sshSettings")
    if ssh:
        details["sshSettings"] = {"adminUserName": "azureuser", "sshPublicAccess": "Disabled", **ssh}
    if (schedules := (given.get("schedules") or {}).get("computeStartStop")) is not None:
        numbered = [
            {"id": str(number), "provisioningStatus": "Completed", **one} for number, one in enumerate(schedules)
        ]
        details["schedules"] = {"computeStartStop": numbered}
    return details, {}


def _machine(plane: Plane, name: str, given: dict[str, Any], previous: Resource | None) -> _Details:
    del plane, name, previous
    account, secrets = _split(given.get("administratorAccount"), _SECRETS)
    return {"sshPort": 22, **given, "administratorAccount": account}, secrets


def _as_given(plane: Plane, name: str, given: dict[str, Any], previous: Resource | None) -> _Details:
    del plane, name, previous
    return given, {}


_DETAILS: dict[str, Callable[[Plane, str, dict[str, Any], Resource | None], _Details]] = {
    "AmlCompute": _cluster,
    "ComputeInstance": _instance,
    "VirtualMachine": _machine,
    "Kubernetes": _as_given,
    "SynapseSpark": _as_given,
}


def _split(account: dict[str, Any] | None, secret: tuple[str, ...]) -> _Details:
    """Return an account without its secrets, and the secrets."""
    whole = account or {}
    public = {key: value for key, value in whole.items() if key not in secret}
    return public, {key: value for key, value in whole.items() if key in secret and value is not None}


def _operation(plane: Plane, name: str) -> dict[str, str]:
    return {
        "operationName": name,
        "operationTime": timestamp(plane.now()),
        "operationStatus": "Succeeded",
        "operationTrigger": "User",
    }


def _with_nodes(body: dict[str, Any], jobs: list[Resource]) -> dict[str, Any]:
    """Return a cluster's body with the counts of nodes that run jobs at this moment."""
    if body["properties"]["computeType"] != "AmlCompute":
        return body
    details = body["properties"]["properties"]
    busy = sum(usages.nodes_of(job.properties) for job in jobs if _is_on(job, body["id"]))
    least, most = details["scaleSettings"]["minNodeCount"], details["scaleSettings"]["maxNodeCount"]
    present = min(most, max(busy, least))
    counts = dict.fromkeys(("preparing", "unusable", "leaving", "preempted"), 0)
    counts |= {"running": min(busy, present), "idle": present - min(busy, present)}
    details = {
        **details,
        "currentNodeCount": present,
        "targetNodeCount": present,
        "nodeStateCounts": {f"{state}NodeCount": count for state, count in counts.items()},
    }
    return {**body, "properties": {**body["properties"], "properties": details}}


def _is_on(job: Resource, compute_id: str) -> bool:
    target = str(job.properties.get("computeId") or "").rpartition("/")[2].lower()
    return target == compute_id.rpartition("/")[2].lower() and job.properties.get("status") in usages.ACTIVE


def _cancel_jobs(plane: Plane, compute: Resource) -> None:
    workspace_id = compute.id.rpartition("/computes/")[0]
    for job in plane.store.list(f"{workspace_id}/jobs"):
        if _is_on(job, compute.id):
            plane.runs.cancel(job.id)


def _put(plane: Plane, call: Call) -> Reply:
    name, body = call.params["compute"], shaped(call.json(), _SHAPE)
    workspace = workspaces.find(plane, call.workspace)
    there = plane.store.find(f"{call.workspace}/computes/{name}")
    stored = _write(
        plane, call.workspace, name, {**body, "location": body.get("location") or workspace.body["location"]}
    )
    return Reply(200 if there else 201, _with_nodes(stored.body, []))


def _patch(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call.workspace, call.params["compute"])
    change = (shaped(call.json(), _SHAPE).get("properties") or {}).get("properties") or {}
    details = found.properties["properties"]
    scale = {**(details.get("scaleSettings") or {}), **(change.get("scaleSettings") or {})}
    merged = {**details, **change, **({"scaleSettings": scale} if scale else {})}
    body = {**found.body, "properties": {**found.properties, "properties": merged}}
    stored = _write(plane, call.workspace, str(found.body["name"]), body)
    return Reply(200, _with_nodes(stored.body, []))


def _get(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call.workspace, call.params["compute"])
    # Only a cluster's counts depend on the jobs, which may be many.
    is_cluster = found.properties["computeType"] == "AmlCompute"
    return Reply(200, _with_nodes(found.body, plane.store.list(f"{call.workspace}/jobs") if is_cluster else []))


def _list(plane: Plane, call: Call) -> Reply:
    workspaces.find(plane, call.workspace)
    jobs = plane.store.list(f"{call.workspace}/jobs")
    return Reply(
        200, {"value": [_with_nodes(one.body, jobs) for one in plane.store.list(f"{call.workspace}/computes")]}
    )


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
    details = {**details, "state": state, "lastOperation": _operation(plane, _TRIGGERS[action])}
    body = {**found.body, "properties": {**found.properties, "properties": details}}
    plane.store.put(stamped(plane, body, found))
    return accepted(plane, call)


def _nodes(plane: Plane, call: Call) -> Reply:
    found = _find(plane, call.workspace, call.params["compute"])
    jobs = [job for job in plane.store.list(f"{call.workspace}/jobs") if _is_on(job, found.id)]
    holders = [str(job.body["name"]) for job in jobs for _ in range(usages.nodes_of(job.properties))]
    counts = _with_nodes(found.body, jobs)["properties"]["properties"]
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
