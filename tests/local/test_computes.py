"""Which computes take a job, as the scheduler asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from mlops_kit.local.arm.ids import timestamp
from mlops_kit.local.arm.operations import Operations
from mlops_kit.local.arm.store import ResourceStore
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.faults import Faults
from mlops_kit.local.plane import Plane
from mlops_kit.local.providers import cluster_nodes, computes
from mlops_kit.local.settings import DEFAULT_WORKSPACE, LocalSettings
from mlops_kit.local.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WORKSPACE = DEFAULT_WORKSPACE.id


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    # Computes touch neither blobs nor MLflow nor the scheduler.
    nothing = cast("Any", None)
    store = ResourceStore(tmp_path / "resources.db")
    store.put({"id": _WORKSPACE, "name": "mlw-local", "location": "local", "properties": {"workspaceId": "guid"}})
    settings, now = LocalSettings(tmp_path), lambda: datetime(2026, 1, 1, tzinfo=UTC)
    yield Plane(
        settings,
        store,
        Operations(),
        Signer(b"k"),
        nothing,
        nothing,
        nothing,
        now,
        Faults(tmp_path / "faults.json"),
        nothing,
    )
    store.close()


def _instance(plane: Plane, state: str) -> None:
    details = {"state": state}
    body = {
        "id": f"{_WORKSPACE}/computes/ada-ci",
        "name": "ada-ci",
        "properties": {"computeType": "ComputeInstance", "properties": details},
    }
    plane.store.put(body)


def test_cluster_takes_as_many_nodes_as_its_maximum_by_name_or_id(plane):
    created = computes.create_cluster(plane, _WORKSPACE, "cpu-cluster", "Standard_DS3_v2")
    wanted = computes.Compute("cpu-cluster", "AmlCompute", 4)
    assert computes.runnable(plane, _WORKSPACE, "cpu-cluster") == wanted
    assert computes.runnable(plane, _WORKSPACE, created.id.upper()) == wanted


def test_running_instance_takes_one_node_and_a_stopped_one_says_so(plane):
    _instance(plane, "Running")
    assert computes.runnable(plane, _WORKSPACE, "ada-ci").nodes == 1
    _instance(plane, "Stopped")
    with pytest.raises(ArmError, match="The compute instance 'ada-ci' is stopped; start it to run jobs on it"):
        computes.runnable(plane, _WORKSPACE, "ada-ci")


def test_unknown_compute_names_the_nearest(plane):
    computes.create_cluster(plane, _WORKSPACE, "cpu-cluster", "Standard_DS3_v2")
    with pytest.raises(ArmError, match=r"The compute 'cpu-clster' .* Did you mean 'cpu-cluster'"):
        computes.runnable(plane, _WORKSPACE, "cpu-clster")


def test_node_counts_follow_the_jobs_that_run(plane):
    created = computes.create_cluster(plane, _WORKSPACE, "cpu-cluster", "Standard_DS3_v2")
    for name, status, nodes in (("a", "Running", 2), ("b", "Queued", 1), ("c", "Completed", 1)):
        properties = {"computeId": created.id, "status": status, "resources": {"instanceCount": nodes}}
        plane.store.put({"id": f"{_WORKSPACE}/jobs/{name}", "name": name, "properties": properties})
    jobs = plane.store.list(f"{_WORKSPACE}/jobs")
    details = _counts(created, jobs, plane.now())
    assert (details["currentNodeCount"], details["nodeStateCounts"]["runningNodeCount"]) == (2, 2)


def _counts(cluster, jobs, now):
    return cluster_nodes.counted(cluster.body, jobs, now)["properties"]["properties"]


def test_nodes_stay_idle_for_the_idle_time_and_then_go(plane):
    """L5-23: a cluster shrinks to nothing, and it is paid for no longer than its idle time says."""
    created = computes.create_cluster(plane, _WORKSPACE, "cpu-cluster", "Standard_DS3_v2")  # idle for 120 s
    begun = datetime(2026, 1, 1, tzinfo=UTC)

    def job(name, first, last, nodes=1):
        times = {"startTimeUtc": timestamp(begun + timedelta(seconds=first))}
        times |= {"endTimeUtc": timestamp(begun + timedelta(seconds=last))}
        properties = {"computeId": created.id, "status": "Completed", "resources": {"instanceCount": nodes}, **times}
        plane.store.put({"id": f"{_WORKSPACE}/jobs/{name}", "name": name, "properties": properties})

    def counts(second):
        found = _counts(created, plane.store.list(f"{_WORKSPACE}/jobs"), begun + timedelta(seconds=second))
        return found["nodeStateCounts"]["idleNodeCount"], found["currentNodeCount"]

    job("first", 0, 10, nodes=2)
    job("second", 10, 60)  # takes a node that the first has left
    assert [counts(second) for second in (60, 129, 131, 179, 181)] == [(2, 2), (2, 2), (1, 1), (1, 1), (0, 0)]
    job("long", 200, 290)
    job("short", 200, 210)  # both nodes were held at once, and the one it has left waits beside the other
    assert [counts(second) for second in (211, 289, 329, 331)] == [(2, 2), (2, 2), (2, 2), (1, 1)]
    job("third", 300, 310, nodes=4)
    job("fourth", 305, 306, nodes=4)
    assert counts(311) == (4, 4)  # never more than the maximum
