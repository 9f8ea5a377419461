"""The ledger of running minutes: what the computes of a control plane would be paid for.

An instance runs from its start to its stop, whether or not the control plane does. A node of a cluster runs while a
job holds it and for the idle time after that; the minutes of a cluster are those of all its nodes together.
"""

from __future__ import annotations

import heapq
import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mlops_kit.local.arm.ids import seconds_of, timestamp

_SECONDS, _SINCE = "ranSeconds", "runsSince"
_COMPUTES = "SELECT body, private FROM resources WHERE collection LIKE '/subscriptions/%/workspaces/%/computes'"
_JOBS = """
SELECT collection,
       json_extract(body, '$.properties.computeId'),
       json_extract(body, '$.properties.resources.instanceCount'),
       json_extract(body, '$.properties.startTimeUtc'),
       json_extract(body, '$.properties.endTimeUtc')
FROM resources WHERE collection LIKE '/subscriptions/%/workspaces/%/jobs'
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """How long a compute has run since it was created: ``minutes`` of an instance, node minutes of a cluster."""

    workspace: str
    name: str
    type: str
    size: str
    minutes: float


@dataclass(frozen=True, slots=True)
class Use:
    """So many nodes, held from one moment to another."""

    nodes: int
    begun: datetime
    ended: datetime


def switched(private: Mapping[str, Any], now: datetime, *, runs: bool) -> dict[str, Any]:
    """Return what is kept of an instance that runs, or is stopped, from now on."""
    return {**private, _SECONDS: _seconds(private, now), _SINCE: timestamp(now) if runs else None}


def stops_at(private: Mapping[str, Any], used: datetime | None, idle: str | None) -> datetime | None:
    """Return when an instance stops by itself: the idle time after its start, or after its last job if that is later.

    None where it is stopped or has no idle time.
    """
    since = private.get(_SINCE)
    if not since or not idle:
        return None
    began = datetime.fromisoformat(since)
    return max(began, used or began) + timedelta(seconds=seconds_of(idle))


def _seconds(private: Mapping[str, Any], now: datetime) -> float:
    """Return how long an instance has run: what is counted, and the time since, if it runs.

    A clock that was moved back counts nothing.
    """
    since, counted = private.get(_SINCE), float(private.get(_SECONDS, 0))
    return counted + max(0.0, (now - datetime.fromisoformat(since)).total_seconds()) if since else counted


def read(database: Path, now: datetime) -> tuple[Ran, ...]:
    """Return how long each compute of a resource store has run, by workspace and name; attached ones are not ours.

    Raises:
        sqlite3.DatabaseError: The store cannot be read.
    """
    if not database.is_file():
        return ()
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        computes = [(json.loads(body), json.loads(private)) for body, private in connection.execute(_COMPUTES)]
        uses = _uses(connection.execute(_JOBS) if computes else (), now)
    found = (_ran(body, private, uses, now) for body, private in computes)
    return tuple(sorted((one for one in found if one), key=lambda one: (one.workspace, one.name)))


def _uses(jobs: Iterable[tuple[Any, ...]], now: datetime) -> dict[str, list[Use]]:
    """Return by the id of a compute, in lower case, what jobs held of it; one that never ran held nothing."""
    found: dict[str, list[Use]] = {}
    for collection, compute, nodes, begun, ended in jobs:
        if compute and begun:
            since, until = datetime.fromisoformat(begun), datetime.fromisoformat(ended) if ended else now
            key = f"{collection.rpartition('/')[0]}/computes/{compute.rpartition('/')[2].lower()}"
            found.setdefault(key, []).append(Use(int(nodes or 1), since, max(since, until)))
    return found


def _ran(
    body: Mapping[str, Any], private: Mapping[str, Any], uses: Mapping[str, list[Use]], now: datetime
) -> Ran | None:
    properties = body["properties"]
    kind, details = properties["computeType"], properties["properties"]
    if kind == "ComputeInstance":
        used = max((use.ended for use in uses.get(body["id"].lower(), ())), default=None)
        over = stops_at(private, used, details.get("idleTimeBeforeShutdown"))
        seconds = _seconds(private, min(now, over or now))
    elif kind == "AmlCompute":
        created = datetime.fromisoformat(properties["createdOn"])
        seconds = node_seconds(details["scaleSettings"], uses.get(body["id"].lower(), ()), created, now)
    else:
        return None
    workspace, _, name = body["id"].rpartition("/computes/")
    return Ran(workspace.rpartition("/")[2], name, kind.lower(), details["vmSize"], round(seconds / 60, 2))


def node_seconds(scale: Mapping[str, Any], uses: Iterable[Use], created: datetime, now: datetime) -> float:
    """Return the seconds that the nodes of a cluster have run, all together.

    At each moment it has as many nodes as were held at once within the idle time before, and what ``scale`` allows.
    """
    least, most = scale["minNodeCount"], scale["maxNodeCount"]
    kept = list(_kept(uses, scale.get("nodeIdleTimeBeforeScaleDown")))
    total = 0.0
    for nodes, since, until in _present(kept, created, max(created, now)):
        total += min(most, max(least, nodes)) * (until - since).total_seconds()
    return total


def _kept(uses: Iterable[Use], idle: str | None) -> Iterator[Use]:
    """Yield how many nodes were held from each moment at which that changed, and the idle time beyond."""
    changes: dict[datetime, int] = {}
    for use in uses:
        changes[use.begun] = changes.get(use.begun, 0) + use.nodes
        changes[use.ended] = changes.get(use.ended, 0) - use.nodes
    moments, held = sorted(changes), 0
    for since, until in itertools.pairwise(moments):
        held += changes[since]
        if held:
            yield Use(held, since, until + timedelta(seconds=seconds_of(idle)))


def _present(kept: list[Use], created: datetime, now: datetime) -> Iterator[tuple[int, datetime, datetime]]:
    """Yield the most nodes that are kept, from moment to moment between two of them."""
    moments = sorted({created, now, *(one for use in kept for one in (use.begun, use.ended) if created < one < now)})
    coming = sorted(kept, key=lambda use: use.begun, reverse=True)
    there: list[tuple[int, datetime]] = []
    for since, until in itertools.pairwise(moments):
        while coming and coming[-1].begun <= since:
            use = coming.pop()
            heapq.heappush(there, (-use.nodes, use.ended))
        while there and there[0][1] <= since:
            heapq.heappop(there)
        yield -there[0][0] if there else 0, since, until
