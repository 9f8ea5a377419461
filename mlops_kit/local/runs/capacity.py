"""How many nodes jobs may use at a time: a compute's own, or this host's cores for jobs that name no compute."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.providers import computes, usages

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

SERVERLESS = "serverless"
NO_COMPUTE = "no compute"  # of jobs that do nothing but wait for their children
PARENTS = frozenset({"Pipeline", "Sweep"})
HOST_NAMES = ("", SERVERLESS, "local")  # computes that are this host, under no name of its own


def queue_of(job: Resource) -> str:
    """Return what a job waits for: its compute, or the one serverless queue of all workspaces; a parent for nothing."""
    if job.properties["jobType"] in PARENTS:
        return NO_COMPUTE
    name = str(job.properties.get("computeId") or "").rpartition("/")[2]
    if name.lower() in HOST_NAMES:
        return SERVERLESS
    return f"{ids.workspace_of(job.id)}/computes/{name}".lower()


def nodes(plane: Plane, queue: str) -> int:
    """Return how many nodes a queue may use at a time; 0 where its compute takes no jobs now."""
    if queue == NO_COMPUTE:
        return sys.maxsize
    if queue == SERVERLESS:
        return max(2, usages.cores())
    try:
        return computes.runnable(plane, ids.workspace_of(queue), queue).nodes
    except ArmError:
        return 0
