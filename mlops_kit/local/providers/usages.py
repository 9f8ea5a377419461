"""Virtual machine sizes and quota: the quota is this host's cores, and a size is a label.

A node of a cluster is a group of processes on this host. It reserves nothing, so clusters of any usual shape are
accepted; what counts against the quota is one core for each node that runs a job at the moment.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.routes import SUBSCRIPTION, Route
from mlops_kit.local.arm.wire import BadRequestError, Call, Reply, did_you_mean

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

# name, vCPUs, memory in GB, GPUs: the sizes that Microsoft's examples and courses name
_SIZES = (
    ("Standard_A2_v2", 2, 4, 0),
    ("Standard_D2_v2", 2, 7, 0),
    ("Standard_D2s_v3", 2, 8, 0),
    ("Standard_D4s_v3", 4, 16, 0),
    ("Standard_D8s_v3", 8, 32, 0),
    ("Standard_DS1_v2", 1, 3.5, 0),
    ("Standard_DS2_v2", 2, 7, 0),
    ("Standard_DS3_v2", 4, 14, 0),
    ("Standard_DS4_v2", 8, 28, 0),
    ("Standard_DS5_v2", 16, 56, 0),
    ("Standard_DS11_v2", 2, 14, 0),
    ("Standard_DS12_v2", 4, 28, 0),
    ("Standard_DS13_v2", 8, 56, 0),
    ("Standard_E4s_v3", 4, 32, 0),
    ("Standard_E8s_v3", 8, 64, 0),
    ("Standard_F2s_v2", 2, 4, 0),
    ("Standard_F4s_v2", 4, 8, 0),
    ("Standard_F8s_v2", 8, 16, 0),
    ("Standard_NC4as_T4_v3", 4, 28, 1),
    ("Standard_NC6s_v3", 6, 112, 1),
    ("Standard_NC24ads_A100_v4", 24, 220, 1),
)
_NAME = re.compile(r"(standard|basic)_[a-z]+\d+[a-z0-9_-]*", re.IGNORECASE)
# Microsoft's own limit for a cluster before a support request; more processes than this would not help anybody.
MOST_NODES = 100


def cores() -> int:
    """Return the cores of this host."""
    return os.cpu_count() or 1


def check_size(name: str) -> None:
    """Accept any name of the form that Azure gives its sizes; 400 with the nearest known names otherwise."""
    if _NAME.fullmatch(name):
        return
    hint = did_you_mean(name, (one[0] for one in _SIZES))
    raise BadRequestError(f"The size '{name}' is not a virtual machine size.{hint}", target="vmSize")


def check_nodes(name: str, nodes: int) -> None:
    """400 naming both numbers where a cluster asks for more nodes than can be of use on this host."""
    if nodes > MOST_NODES:
        raise BadRequestError(
            f"The compute '{name}' asks for {nodes} nodes, but the quota of this host ({cores()} cores) is"
            f" {MOST_NODES} nodes.",
            target="maxNodeCount",
        )


def _sizes(plane: Plane, call: Call) -> Reply:
    del plane, call
    return Reply(200, {"value": [_size(*row) for row in _SIZES]})


def _size(name: str, processors: int, memory: float, gpus: int) -> dict[str, Any]:
    family = re.sub(r"\d+", "", name.removeprefix("Standard_").partition("_")[0])
    return {
        "name": name,
        "family": f"standard{family}Family",
        "vCPUs": processors,
        "gpus": gpus,
        "osVhdSizeMB": 1047552,
        "maxResourceVolumeMB": 0,
        "memoryGB": memory,
        "lowPriorityCapable": True,
        "premiumIO": name.startswith(("Standard_DS", "Standard_D2s", "Standard_D4s", "Standard_D8s")),
        "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
    }


def _usages(plane: Plane, call: Call) -> Reply:
    subscription, location = call.params["subscription"], call.params["location"]
    scope = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/usages"
    rows = (
        ("TotalDedicatedCores", "Total Cluster Dedicated Regional vCPUs", running_nodes(plane, subscription), cores()),
        ("TotalLowPriorityCores", "Total Cluster LowPriority Regional vCPUs", 0, cores()),
        ("Clusters", "Machine Learning Clusters", clusters(plane, subscription), 500),
    )
    value = [
        {
            "id": f"{scope}/{key}",
            "amlWorkspaceLocation": location,
            "type": "Microsoft.MachineLearningServices/usages",
            "unit": "Count",
            "currentValue": current,
            "limit": limit,
            "name": {"value": text, "localizedValue": text},
        }
        for key, text, current, limit in rows
    ]
    return Reply(200, {"value": value})


def running_nodes(plane: Plane, subscription: str) -> int:
    """Return how many nodes run jobs of a subscription at this moment; a client's own MLflow run is on none."""
    jobs = (job.properties for scope in workspaces(plane, subscription) for job in plane.store.list(f"{scope}/jobs"))
    return sum(nodes_of(job) for job in jobs if job.get("resources") and job.get("status") in ACTIVE)


def clusters(plane: Plane, subscription: str) -> int:
    """Return how many computes a subscription has."""
    return sum(len(plane.store.list(f"{scope}/computes")) for scope in workspaces(plane, subscription))


def workspaces(plane: Plane, subscription: str) -> list[str]:
    """Return the ids of a subscription's workspaces."""
    groups = plane.store.list(f"/subscriptions/{subscription}/resourceGroups")
    kind = "providers/Microsoft.MachineLearningServices/workspaces"
    return [one.id for group in groups for one in plane.store.list(f"{group.id}/{kind}")]


# The states in which a job holds its nodes.
ACTIVE = frozenset({"Starting", "Provisioning", "Preparing", "Running", "Finalizing", "CancelRequested"})


def nodes_of(job: dict[str, Any]) -> int:
    """Return the nodes that a job's properties ask for."""
    return int((job.get("resources") or {}).get("instanceCount") or 1)


_LOCATION = f"{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/{{location}}"
ROUTES = (
    Route("GET", f"{_LOCATION}/usages", _usages, does="executed"),
    Route("GET", f"{_LOCATION}/vmSizes", _sizes),
)
