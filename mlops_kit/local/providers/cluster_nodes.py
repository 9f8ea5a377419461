"""The nodes of a cluster at a moment: those that run jobs, and those that wait for the next until their time is up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm import ids
from mlops_kit.local.ledger import Use
from mlops_kit.local.providers import usages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_kit.local.arm.store import Resource

_GONE = ("preparing", "unusable", "leaving", "preempted")  # states that no node is in here


def is_on(job: Resource, compute_id: str) -> bool:
    """Return whether a job holds nodes of a compute now."""
    return _names(job, compute_id) and job.properties.get("status") in usages.ACTIVE


def last_used(jobs: Iterable[Resource], compute_id: str, now: datetime) -> datetime | None:
    """Return when the last job on a compute ended, ``now`` where one is on it, None where none ever was."""
    ends = (
        now if is_on(job, compute_id) else job.properties.get("endTimeUtc") for job in jobs if _names(job, compute_id)
    )
    return max((datetime.fromisoformat(end) if isinstance(end, str) else end for end in ends if end), default=None)


def counted(body: dict[str, Any], jobs: Iterable[Resource], now: datetime) -> dict[str, Any]:
    """Return a cluster's body with the counts of its nodes; any other compute's as it is.

    A node that a job has left stays for the idle time that the cluster says, and never longer than a busier moment
    lies back: jobs fill the nodes that are there before the cluster grows.
    """
    if body["properties"]["computeType"] != "AmlCompute":
        return body
    details = body["properties"]["properties"]
    scale = details["scaleSettings"]
    here = [job for job in jobs if _names(job, body["id"])]
    busy = sum(usages.nodes_of(job.properties) for job in here if job.properties.get("status") in usages.ACTIVE)
    idle = timedelta(seconds=ids.seconds_of(scale.get("nodeIdleTimeBeforeScaleDown")))
    warm = _most_at_once(list(_uses(here, now - idle, now)), now - idle)
    present = min(scale["maxNodeCount"], max(busy, warm, scale["minNodeCount"]))
    counts = dict.fromkeys(_GONE, 0)
    counts |= {"running": min(busy, present), "idle": present - min(busy, present)}
    details = {
        **details,
        "currentNodeCount": present,
        "targetNodeCount": present,
        "nodeStateCounts": {f"{state}NodeCount": count for state, count in counts.items()},
    }
    return {**body, "properties": {**body["properties"], "properties": details}}


def _names(job: Resource, compute_id: str) -> bool:
    target = str(job.properties.get("computeId") or "").rpartition("/")[2].lower()
    return target == compute_id.rpartition("/")[2].lower()


def _uses(jobs: Iterable[Resource], since: datetime, now: datetime) -> Iterator[Use]:
    """Yield the jobs that ran between two moments; one that never ran held no node."""
    for job in jobs:
        begun, ended = (job.properties.get(f"{edge}TimeUtc") for edge in ("start", "end"))
        until = datetime.fromisoformat(ended) if ended else now
        if begun and until > since:
            yield Use(usages.nodes_of(job.properties), datetime.fromisoformat(begun), until)


def _most_at_once(uses: list[Use], since: datetime) -> int:
    """Return the most nodes that were held at one moment since then."""
    moments = {max(use.begun, since) for use in uses}
    return max((sum(use.nodes for use in uses if use.begun <= one < use.ended) for one in moments), default=0)
