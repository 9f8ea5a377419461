"""The tracking process by itself: no control plane, no storage, the real process on a temporary database."""

import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mlops_kit.local.arm.store import ResourceStore
from mlops_kit.local.arm.wire import ArmError, NotFoundError, call_of
from mlops_kit.local.settings import DEFAULT_WORKSPACE, LocalSettings
from mlops_kit.local.tracking import Tracking

WORKSPACE = DEFAULT_WORKSPACE.id
GUID = "11111111-2222-3333-4444-555555555555"


def _settings(folder: Path) -> LocalSettings:
    settings = LocalSettings(folder)
    ResourceStore(settings.database).put({"id": WORKSPACE, "name": "mlw-local", "properties": {"workspaceId": GUID}})
    return settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return _settings(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def tracking(settings):
    door = Tracking(settings)
    yield door
    door.stop()


def _post(tracking, path, **body):
    call = call_of("POST", "/x", {"content-type": "application/json"}, json.dumps(body).encode())
    return tracking.forward(WORKSPACE, call, f"api/2.0/mlflow/{path}")


def _get(tracking, path, query):
    return tracking.forward(WORKSPACE, call_of("GET", f"/x?{query}", {}), f"api/2.0/mlflow/{path}")


def test_run_has_the_id_of_its_job_and_the_place_of_its_artefacts(tracking):
    experiment = tracking.ensure_run(WORKSPACE, "happy_dog_1", "first", name="shown", tags={"a": "b"}, start_ms=1000)
    run = json.loads(_get(tracking, "runs/get", "run_id=happy_dog_1").body)["run"]
    assert run["info"]["run_id"] == "happy_dog_1"
    assert run["info"]["experiment_id"] == experiment
    assert int(run["info"]["start_time"]) == 1000
    assert run["info"]["artifact_uri"] == (
        f"https://api.mlops.test/mlflow/v1.0{WORKSPACE}/api/2.0/mlflow-artifacts/artifacts"
        "/ExperimentRun/dcid.happy_dog_1"
    )
    assert tracking.run(WORKSPACE, "happy_dog_1")["tags"] == {"a": "b", "mlflow.runName": "shown"}


def test_ensuring_a_run_again_changes_nothing(tracking):
    first = tracking.ensure_run(WORKSPACE, "twice", "first", name="one", tags={"a": "1"})
    assert tracking.ensure_run(WORKSPACE, "twice", "other", name="two", tags={"a": "2"}) == first
    assert tracking.run(WORKSPACE, "twice")["tags"] == {"a": "1", "mlflow.runName": "one"}


def test_ensuring_a_run_brings_a_deleted_experiment_back(tracking):
    experiment = tracking.ensure_run(WORKSPACE, "before", "deleted")
    assert _post(tracking, "experiments/delete", experiment_id=experiment).status == 200
    assert tracking.experiment(WORKSPACE, experiment)["lifecycle_stage"] == "deleted"
    assert tracking.ensure_run(WORKSPACE, "after", "deleted") == experiment
    assert tracking.experiment(WORKSPACE, experiment)["lifecycle_stage"] == "active"


def test_metrics_are_read_back_with_their_history_also_nan(tracking):
    tracking.ensure_run(WORKSPACE, "metrics", "first")
    for step, value in enumerate((3, 1, 2)):
        _post(tracking, "runs/log-metric", run_id="metrics", key="loss", value=value, timestamp=step, step=step)
    _post(tracking, "runs/log-metric", run_id="metrics", key="gone", value="NaN", timestamp=1, step=0)
    metrics = tracking.run(WORKSPACE, "metrics")["metrics"]
    assert metrics["loss"] == 2
    assert math.isnan(metrics["gone"])
    history = tracking.metric_history(WORKSPACE, "metrics", "loss")
    assert [(row["step"], row["value"]) for row in history] == [(0, 3.0), (1, 1.0), (2, 2.0)]


def test_finished_run_has_its_status_and_end(tracking):
    tracking.ensure_run(WORKSPACE, "ends", "first", start_ms=5)
    tracking.update_tags(WORKSPACE, "ends", {"why": "it crashed"})
    tracking.finish_run(WORKSPACE, "ends", "FAILED", 77)
    run = tracking.run(WORKSPACE, "ends")
    assert run["status"] == "FAILED"
    assert int(run["info"]["end_time"]) == 77
    assert run["tags"]["why"] == "it crashed"


def test_missing_run_is_empty_and_finishing_it_is_not_found(tracking):
    assert tracking.run(WORKSPACE, "nobody") == {}
    with pytest.raises(NotFoundError, match="nobody"):
        tracking.finish_run(WORKSPACE, "nobody", "FINISHED", 1)


def test_missing_workspace_is_named(tracking):
    with pytest.raises(NotFoundError, match="The workspace 'other' was not found"):
        tracking.run(WORKSPACE.replace("mlw-local", "other"), "any")


def test_fault_of_mlflow_is_a_400_that_its_client_does_not_repeat(tracking):
    call = call_of("POST", "/x", {"content-type": "application/json"}, b'{"rows": []}')
    reply = tracking.forward(WORKSPACE, call, "internal/search/nothing")
    assert reply.status == 400
    assert json.loads(reply.body) == {"error_code": "INTERNAL_ERROR", "message": "KeyError: 'nothing'"}


def test_logged_model_is_in_its_runs_artefacts_and_gives_way_to_the_next(tracking):
    experiment = tracking.ensure_run(WORKSPACE, "logs", "first")
    created = {"experiment_id": experiment, "name": "model", "source_run_id": "logs"}
    first = json.loads(_post(tracking, "logged-models", **created).body)["model"]["info"]
    assert first["artifact_uri"].endswith("/ExperimentRun/dcid.logs/model")
    old, new = tracking.displace_model(WORKSPACE, "logs", "model")
    assert (old, new) == (first["artifact_uri"], old.replace("dcid.logs/model", f"models/{first['model_id']}"))
    second = json.loads(_post(tracking, "logged-models", **created).body)["model"]["info"]
    assert second["artifact_uri"] == old
    assert tracking.logged_model(WORKSPACE, first["model_id"])["info"]["artifact_uri"] == new
    assert tracking.displace_model(WORKSPACE, "logs", "absent") is None


def test_search_language_of_the_registry_selects_sorts_and_pages(tracking):
    rows = [{"name": name, "tags": [{"key": "n", "value": str(n)}]} for n, name in enumerate(("b", "a", "c"))]
    found = tracking.search(WORKSPACE, "registered_models", rows, {"filter": "tags.n != '2'", "order_by": ["name ASC"]})
    assert [row["name"] for row in found["registered_models"]] == ["a", "b"]
    page = tracking.search(WORKSPACE, "registered_models", rows, {"max_results": 2})
    rest = tracking.search(
        WORKSPACE, "registered_models", rows, {"max_results": 2, "page_token": page["next_page_token"]}
    )
    assert [len(page["registered_models"]), len(rest["registered_models"])] == [2, 1]
    with pytest.raises(ArmError, match="Invalid"):
        tracking.search(WORKSPACE, "registered_models", rows, {"filter": "colour = 'red'"})


def _processes() -> list[psutil.Process]:
    return [
        one for one in psutil.Process().children(recursive=True) if "mlops_kit.local.tracking_server" in one.cmdline()
    ]


def test_killed_process_is_replaced_and_nothing_is_lost(tmp_path):
    tracking = Tracking(_settings(tmp_path))
    try:
        others = {one.pid for one in _processes()}
        tracking.ensure_run(WORKSPACE, "kept", "first")
        [process] = [one for one in _processes() if one.pid not in others]
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert tracking.run(WORKSPACE, "kept")["status"] == "RUNNING"
    finally:
        tracking.stop()
    assert {one.pid for one in _processes()} == others


def test_workspace_created_again_under_its_name_starts_empty(tmp_path):
    settings = _settings(tmp_path)
    tracking = Tracking(settings)
    try:
        tracking.ensure_run(WORKSPACE, "old", "first")
        new = {"id": WORKSPACE, "name": "mlw-local", "properties": {"workspaceId": GUID.replace("1", "9")}}
        ResourceStore(settings.database).put(new)
        assert tracking.run(WORKSPACE, "old") == {}
    finally:
        tracking.stop()
    assert len(list(settings.tracking.glob("*.db"))) == 2


def test_deleted_workspace_leaves_no_process_and_no_runs(tmp_path):
    settings = _settings(tmp_path)
    tracking = Tracking(settings)
    others = {one.pid for one in _processes()}
    try:
        tracking.ensure_run(WORKSPACE, "gone", "first")
        tracking.forget(WORKSPACE)
        assert {one.pid for one in _processes()} == others
        assert list(settings.tracking.iterdir()) == []
        assert tracking.run(WORKSPACE, "gone") == {}
    finally:
        tracking.stop()


def test_process_ends_with_the_program_that_started_it(tmp_path):
    _settings(tmp_path)
    script = (
        "import os, sys\nfrom pathlib import Path\n"
        "from mlops_kit.local.settings import LocalSettings\nfrom mlops_kit.local.tracking import Tracking\n"
        f"tracking = Tracking(LocalSettings(Path({str(tmp_path)!r})))\n"
        f"tracking.run({WORKSPACE!r}, 'x')\n"
        "import psutil\nprint(psutil.Process().children()[0].pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False, timeout=120)
    assert ran.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while psutil.pid_exists(int(ran.stdout)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(ran.stdout))


def test_process_answers_nobody_without_its_secret(tracking, settings):
    import httpx

    tracking.run(WORKSPACE, "x")
    port = int((settings.tracking / f"{GUID}.port").read_text())
    answer = httpx.get(f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/get?experiment_id=0", trust_env=False)
    assert answer.status_code == 403
    assert "Default" not in answer.text


def test_variables_of_a_users_mlflow_do_not_reach_the_process(tmp_path):
    before = dict(os.environ)
    os.environ.update(MLFLOW_TRACKING_URI="https://nowhere.test", MLFLOW_ENABLE_WORKSPACES="true")
    tracking = Tracking(_settings(tmp_path))
    try:
        tracking.ensure_run(WORKSPACE, "one", "first")
        assert tracking.run(WORKSPACE, "one")["status"] == "RUNNING"
    finally:
        os.environ.clear()
        os.environ.update(before)
        tracking.stop()
    [database] = tmp_path.joinpath("tracking").glob("*.db")
    assert sqlite3.connect(database).execute("SELECT run_uuid FROM runs").fetchall() == [("one",)]
