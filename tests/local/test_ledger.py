"""The minutes that computes have run, by a clock that the test sets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from mlops_kit.local import ledger
from mlops_kit.local.arm.ids import timestamp
from mlops_kit.local.arm.operations import Operations
from mlops_kit.local.arm.routes import RouteTable
from mlops_kit.local.arm.store import Resource, ResourceStore
from mlops_kit.local.arm.wire import ArmError, Call
from mlops_kit.local.faults import Faults
from mlops_kit.local.ledger import Use
from mlops_kit.local.plane import Plane
from mlops_kit.local.providers import cluster_nodes, computes
from mlops_kit.local.settings import DEFAULT_WORKSPACE, LocalSettings
from mlops_kit.local.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORKSPACE = DEFAULT_WORKSPACE.id
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved; ``at`` is in minutes from the begin."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> datetime:
        return moment(self.at)


def moment(minutes: float) -> datetime:
    return BEGUN + timedelta(minutes=minutes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plane(tmp_path: Path, clock: Clock) -> Iterator[Plane]:
    # Computes touch neither blobs nor MLflow nor the scheduler.
    nothing = cast("Any", None)
    store = ResourceStore(tmp_path / "resources.db")
    store.put({"id": WORKSPACE, "name": "mlw-local", "location": "local", "properties": {"workspaceId": "guid"}})
    faults, signer = Faults(tmp_path / "faults.json"), Signer(b"k")
    yield Plane(LocalSettings(tmp_path), store, Operations(), signer, nothing, nothing, nothing, clock, faults, nothing)
    store.close()


@pytest.fixture
def ask(plane: Plane) -> Callable[..., None]:
    """Call the handler of a route of computes."""
    table = RouteTable(computes.ROUTES)

    def asked(method: str, path: str, body: dict[str, Any] | None = None) -> None:
        route, params = table.find(method, f"{WORKSPACE}/computes/{path}")
        route.handler(
            plane, Call(method, f"{WORKSPACE}/computes/{path}", {}, {}, json.dumps(body or {}).encode(), params)
        )

    return asked


INSTANCE = {"properties": {"computeType": "ComputeInstance", "properties": {"vmSize": "Standard_DS11_v2"}}}


def minutes(plane: Plane, at: float) -> dict[str, float]:
    return {one.name: one.minutes for one in ledger.read(plane.settings.database, moment(at))}


def test_instance_counts_from_its_creation_and_not_while_it_is_stopped(plane, clock, ask):
    ask("PUT", "desk", INSTANCE)
    assert minutes(plane, 0) == {"desk": 0}
    assert minutes(plane, 12.5) == {"desk": 12.5}
    clock.at = 20
    ask("POST", "desk/stop")
    assert minutes(plane, 20) == minutes(plane, 500) == {"desk": 20}
    clock.at = 100
    ask("POST", "desk/start")
    assert minutes(plane, 105) == {"desk": 25}


@pytest.mark.parametrize("again", ["start", "restart", ""])
def test_what_finds_an_instance_running_leaves_what_is_counted(again, plane, clock, ask):
    ask("PUT", "desk", INSTANCE)
    clock.at = 10
    ask("POST", f"desk/{again}") if again else ask("PUT", "desk", {**INSTANCE, "tags": {"a": "b"}})
    assert minutes(plane, 30) == {"desk": 30}


def idling(minutes: int) -> dict[str, Any]:
    details = {"vmSize": "Standard_DS11_v2", "idleTimeBeforeShutdown": f"PT{minutes}M"}
    return {"properties": {"computeType": "ComputeInstance", "properties": details}}


def test_instance_that_nobody_uses_stops_after_its_idle_time_and_is_paid_until_then(plane, clock, ask):
    ask("PUT", "desk", idling(30))
    job(plane, "first", "desk", 20, 25)
    assert minutes(plane, 54) == {"desk": 54}
    assert minutes(plane, 500) == {"desk": 55}  # also before anybody looks at it
    clock.at = 54
    assert computes.runnable(plane, WORKSPACE, "desk").name == "desk"
    clock.at = 56
    with pytest.raises(ArmError, match="The compute instance 'desk' is stopped; start it"):
        computes.runnable(plane, WORKSPACE, "desk")
    stopped = plane.store.get(f"{WORKSPACE}/computes/desk").properties["properties"]["lastOperation"]
    assert (stopped["operationTime"], stopped["operationTrigger"]) == (timestamp(moment(55)), "IdleShutdown")
    clock.at = 100
    ask("POST", "desk/start")
    assert minutes(plane, 500) == {"desk": 85}


def test_job_that_runs_keeps_its_instance_up(plane, clock, ask):
    ask("PUT", "desk", idling(30))
    job(plane, "long", "desk", 20, None)
    clock.at = 500
    assert computes.runnable(plane, WORKSPACE, "desk").name == "desk"
    assert minutes(plane, 500) == {"desk": 500}


def test_instance_that_has_stopped_by_itself_stays_so_when_it_is_written(plane, clock, ask):
    ask("PUT", "desk", idling(30))
    clock.at = 60
    ask("PUT", "desk", {**idling(30), "tags": {"a": "b"}})
    assert plane.store.get(f"{WORKSPACE}/computes/desk").properties["properties"]["state"] == "Stopped"
    assert minutes(plane, 90) == {"desk": 30}


def test_idle_time_that_is_no_duration_is_refused(ask):
    wrong = {"vmSize": "Standard_DS11_v2", "idleTimeBeforeShutdown": "soon"}
    with pytest.raises(ArmError, match="The compute 'desk' cannot wait idle: 'soon' is not a duration"):
        ask("PUT", "desk", {"properties": {"computeType": "ComputeInstance", "properties": wrong}})


def test_clock_that_was_moved_back_counts_nothing(plane, clock, ask):
    clock.at = 60
    ask("PUT", "desk", INSTANCE)
    cluster = computes.create_cluster(plane, WORKSPACE, "cpu-cluster", "Standard_DS3_v2")
    job(plane, "first", cluster.id, 70, None)
    assert minutes(plane, 10) == {"cpu-cluster": 0, "desk": 0}
    clock.at = 10
    ask("POST", "desk/stop")
    assert minutes(plane, 100)["desk"] == 0


def test_second_stop_adds_nothing(plane, clock, ask):
    ask("PUT", "desk", INSTANCE)
    for clock.at in (10, 20, 30):
        ask("POST", "desk/stop")
    assert minutes(plane, 40) == {"desk": 10}


def test_instance_that_is_made_anew_begins_anew(plane, clock, ask):
    ask("PUT", "desk", INSTANCE)
    clock.at = 10
    ask("DELETE", "desk")
    assert minutes(plane, 11) == {}
    ask("PUT", "desk", INSTANCE)
    assert minutes(plane, 13) == {"desk": 3}


def test_cluster_counts_nodes_while_jobs_hold_them_and_for_the_idle_time(plane):
    cluster = computes.create_cluster(plane, WORKSPACE, "cpu-cluster", "Standard_DS3_v2")  # idle for 2 minutes
    job(plane, "first", cluster.id, 0, 10, nodes=2)
    job(plane, "second", "azureml:cpu-cluster".partition(":")[2], 30, None)
    assert minutes(plane, 5) == {"cpu-cluster": 10}
    assert minutes(plane, 25) == {"cpu-cluster": 24}
    assert minutes(plane, 40) == {"cpu-cluster": 34}


def test_row_names_workspace_type_and_size_and_what_is_attached_is_not_there(plane, ask):
    machine = {"administratorAccount": {"username": "ops"}, "address": "10.0.0.4"}
    resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm"
    plane.store.put({"id": resource, "name": "vm", "properties": {}})
    ask(
        "PUT",
        "attached",
        {"properties": {"computeType": "VirtualMachine", "resourceId": resource, "properties": machine}},
    )
    ask("PUT", "desk", INSTANCE)
    (row,) = ledger.read(plane.settings.database, moment(1))
    assert row == ledger.Ran("mlw-local", "desk", "computeinstance", "Standard_DS11_v2", 1.0)


def test_state_folder_without_a_store_has_no_ledger(tmp_path):
    assert ledger.read(tmp_path / "resources.db", BEGUN) == ()


def job(plane: Plane, name: str, compute: str, begun: float, ended: float | None, nodes: int = 1) -> None:
    times = {"startTimeUtc": timestamp(moment(begun))} | ({"endTimeUtc": timestamp(moment(ended))} if ended else {})
    status = "Completed" if ended else "Running"
    properties = {"computeId": compute, "status": status, "resources": {"instanceCount": nodes}, **times}
    plane.store.put({"id": f"{WORKSPACE}/jobs/{name}", "name": name, "properties": properties})


@pytest.mark.parametrize(("least", "most"), [(0, 4), (1, 3)])
def test_node_minutes_are_the_nodes_that_the_cluster_shows_added_up(least, most, plane):
    """Over 30 jobs that come and go, against what a GET counts, half a minute at a time."""
    cluster = computes.create_cluster(plane, WORKSPACE, "cpu-cluster", "Standard_DS3_v2")
    scale = {"minNodeCount": least, "maxNodeCount": most, "nodeIdleTimeBeforeScaleDown": "PT5M"}
    cluster.properties["properties"]["scaleSettings"] = scale
    uses = [Use(1 + one % 3, moment(one * 37 % 101), moment(one * 37 % 101 + 1 + one * 13 % 11)) for one in range(30)]
    shown = sum(_nodes(cluster, uses, moment(half / 2 + 0.25)) for half in range(240))  # nothing changes in the middle
    assert ledger.node_seconds(scale, uses, BEGUN, moment(120)) == shown * 30
    assert shown > 100


def _nodes(cluster: Resource, uses: list[Use], now: datetime) -> int:
    """Return how many nodes a GET shows at a moment."""
    jobs = []
    for use in uses:
        ended = (
            {"endTimeUtc": timestamp(use.ended), "status": "Completed"} if use.ended <= now else {"status": "Running"}
        )
        begun = {"startTimeUtc": timestamp(use.begun), "resources": {"instanceCount": use.nodes}, **ended}
        if use.begun <= now:
            jobs.append(Resource({"properties": {"computeId": cluster.id, **begun}}, {}))
    details = cluster_nodes.counted(cluster.body, jobs, now)["properties"]["properties"]
    return int(details["currentNodeCount"])
