"""Plain MLflow against the control plane: tracking, artefacts, logged models, and runs as jobs of the workspace."""

from __future__ import annotations

import http.client
import json
import math
import os
import ssl
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.usefixtures("plane_env")

# What a notebook or a script does, without a word about where the server is: every logging kind of the course.
SCRIPT = """
import tempfile
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mlflow
import numpy as np
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

with mlflow.start_run(run_name="all kinds") as run:
    mlflow.log_metric("count", 10000)
    mlflow.log_metric("share", 0.25)
    mlflow.log_metric("flag", int(True))
    mlflow.log_metric("undefined", float("nan"))
    mlflow.log_param("solver", "liblinear")
    mlflow.log_text("a remark", "remark.txt")
    MlflowClient().log_batch(run.info.run_id, [Metric("list", v, 0, s) for s, v in enumerate((5, 3, 9, 1))])
    mlflow.log_metrics({"row.mean": 2.5, "row.max": 9})
    mlflow.log_table({"col1": [1, 2], "col2": ["a", "b"]}, "tables/t.json")
    figure = plt.figure()
    plt.plot([1, 2, 3])
    mlflow.log_figure(figure, "figure.png")
    mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), "image.png")
    folder = Path(tempfile.mkdtemp())
    figure.savefig(folder / "file.png")
    mlflow.log_artifact(str(folder / "file.png"))
    (folder / "sample.csv").write_text("n\\n" + "\\n".join(map(str, range(100))) + "\\n")
    mlflow.log_artifact(str(folder / "sample.csv"), "outputs")
    print(run.info.run_id)
"""


@pytest.fixture(scope="module")
def logged(plane_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run the script as a program of its own and return the id of its run."""
    script = tmp_path_factory.mktemp("script") / "all_kinds.py"
    script.write_text(SCRIPT, encoding="utf-8")
    experiment = {"MLFLOW_EXPERIMENT_NAME": "kinds"}
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env={**os.environ, **experiment}, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()[0]


@pytest.fixture
def client() -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient()


@pytest.fixture
def run_id(client: Any) -> str:
    return str(client.create_run("0").info.run_id)


def _files(run_id: str, path: str | None = None) -> list[str]:
    import mlflow

    found: list[str] = []
    for item in mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path=path):
        found += _files(run_id, item.path) if item.is_dir else [item.path]
    return found


def _http(method: str, path: str, body: bytes | None = None) -> Any:
    """Call the workspace's MLflow service below its tracking URI, as a client that is not MLflow's."""
    import requests

    token = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    return requests.request(method, f"{os.environ['MLFLOW_TRACKING_URI']}/{path}", data=body, headers=token, timeout=60)


def test_values_of_every_kind_are_read_back(logged: str, client: Any) -> None:
    run = client.get_run(logged)
    metrics = run.data.metrics
    assert math.isnan(metrics.pop("undefined"))
    assert metrics == {"count": 10000, "share": 0.25, "flag": 1, "list": 1, "row.mean": 2.5, "row.max": 9}
    assert run.data.params == {"solver": "liblinear"}
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "all kinds"
    assert client.get_experiment(run.info.experiment_id).name == "kinds"


def test_list_keeps_the_order_of_its_steps(logged: str, client: Any) -> None:
    history = client.get_metric_history(logged, "list")
    assert [(metric.step, metric.value) for metric in history] == [(0, 5), (1, 3), (2, 9), (3, 1)]


def test_files_of_every_kind_are_listed_once(logged: str) -> None:
    assert _files(logged) == [
        "figure.png",
        "file.png",
        "image.png",
        "outputs/sample.csv",
        "remark.txt",
        "tables/t.json",
    ]


def test_files_come_back_as_they_were(logged: str, tmp_path: Path) -> None:
    import mlflow

    folder = Path(mlflow.artifacts.download_artifacts(run_id=logged, artifact_path="", dst_path=str(tmp_path)))
    for name in ("figure.png", "file.png", "image.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert (folder / "outputs/sample.csv").read_text().splitlines() == ["n", *map(str, range(100))]
    assert mlflow.artifacts.load_text(f"runs:/{logged}/remark.txt") == "a remark"
    table = json.loads((folder / "tables/t.json").read_text())
    assert table == {"columns": ["col1", "col2"], "data": [[1, "a"], [2, "b"]]}


def test_artefacts_are_in_the_workspaces_artefact_store(logged: str, ml: Any, tmp_path: Path) -> None:
    ml.jobs.download(logged, download_path=tmp_path, all=True)
    assert [path.name for path in tmp_path.rglob("sample.csv")] == ["sample.csv"]


def test_search_finds_runs_by_experiment_metric_and_tag(client: Any) -> None:
    import mlflow

    name = f"search-{uuid.uuid4()}"
    experiment = mlflow.set_experiment(name).experiment_id
    try:
        for accuracy in (0.5, 0.9):
            with mlflow.start_run(tags={"kind": "try"}):
                mlflow.log_metric("accuracy", accuracy)
        found = mlflow.search_runs(
            experiment_names=[name], filter_string="metrics.accuracy > 0.6 and tags.kind = 'try'", output_format="list"
        )
        assert [run.data.metrics["accuracy"] for run in found] == [0.9]
        assert client.search_experiments(filter_string=f"name = '{name}'")[0].experiment_id == experiment
        best = client.search_runs([experiment], order_by=["metrics.accuracy ASC"], max_results=1)
        assert best[0].data.metrics["accuracy"] == 0.5
    finally:
        mlflow.set_experiment("Default")


def test_history_of_many_runs_is_read_in_one_call(client: Any) -> None:
    runs = [client.create_run("0").info.run_id for _ in range(2)]
    for number, run in enumerate(runs):
        client.log_metric(run, "loss", number, step=3)
    query = "&".join(f"run_id={run}" for run in runs)
    answer = _http("GET", f"ajax-api/2.0/mlflow/metrics/get-history-bulk?{query}&metric_key=loss&max_results=10")
    rows = {row["run_id"]: (row["step"], row["value"]) for row in answer.json()["metrics"]}
    assert rows == {runs[0]: (3, 0.0), runs[1]: (3, 1.0)}


def test_inputs_and_traces_are_kept(client: Any) -> None:
    import mlflow
    import pandas as pd

    with mlflow.start_run() as run:
        data = mlflow.data.from_pandas(pd.DataFrame({"a": [1, 2]}), name="frame")
        mlflow.log_input(data, context="training")
    assert client.get_run(run.info.run_id).inputs.dataset_inputs[0].dataset.name == "frame"
    with mlflow.start_span("step") as span:
        span.set_inputs({"question": 1})
    mlflow.flush_trace_async_logging()
    trace = client.get_trace(span.trace_id)
    assert trace.data.spans[0].name == "step"
    assert trace.data.spans[0].inputs == {"question": 1}
    client.set_trace_tag(span.trace_id, "checked", "yes")
    assert client.get_trace(span.trace_id).info.tags["checked"] == "yes"
    client.delete_trace_tag(span.trace_id, "checked")
    assert "checked" not in client.get_trace(span.trace_id).info.tags


def test_what_is_no_run_of_the_workspace_is_answered_by_mlflow_itself(client: Any) -> None:
    experiment = client.create_experiment(f"scored-{uuid.uuid4().hex[:6]}")
    wanted = {"experiment_id": experiment, "name": "nobody", "sample_rate": 0.5}
    answer = _http("PUT", "api/3.0/mlflow/scorers/online-config", json.dumps(wanted).encode())
    assert answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert "nobody" in answer.json()["message"]


def test_batch_with_params_and_tags_arrives_whole(client: Any, run_id: str) -> None:
    from mlflow.entities import Metric, Param, RunTag

    client.log_batch(
        run_id,
        metrics=[Metric("m", float(step), step, step) for step in range(500)],
        params=[Param(f"p{number}", str(number)) for number in range(50)],
        tags=[RunTag("colour", "red")],
    )
    data = client.get_run(run_id).data
    assert (data.metrics["m"], len(data.params), data.tags["colour"]) == (499, 50, "red")
    assert len(client.get_metric_history(run_id, "m")) == 500


# Artefacts ---------------------------------------------------------------------------------------------------------


def test_large_file_goes_and_comes_back_whole(client: Any, run_id: str, tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 24
    (tmp_path / "large.bin").write_bytes(content)
    client.log_artifact(run_id, str(tmp_path / "large.bin"), "a folder/ü")
    assert _files(run_id) == ["a folder/ü/large.bin"]
    back = client.download_artifacts(run_id, "a folder/ü/large.bin", str(tmp_path / "back").replace(" ", ""))
    assert Path(back).read_bytes() == content


def test_empty_file_is_a_file(client: Any, run_id: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    client.log_artifact(run_id, str(tmp_path / "empty"))
    [item] = client.list_artifacts(run_id)
    assert (item.path, item.is_dir, item.file_size) == ("empty", False, 0)
    assert Path(client.download_artifacts(run_id, "empty", str(tmp_path))).read_bytes() == b""


def test_list_of_a_file_is_empty_and_of_nothing_too(client: Any, run_id: str) -> None:
    client.log_text(run_id, "x", "one.txt")
    assert client.list_artifacts(run_id, "one.txt") == []
    assert client.list_artifacts(run_id, "two") == []


def test_missing_file_is_named(client: Any, run_id: str, tmp_path: Path) -> None:
    answer = _http("GET", f"api/2.0/mlflow-artifacts/artifacts/ExperimentRun/dcid.{run_id}/no/such.txt")
    assert answer.status_code == 404
    assert answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert "no/such.txt" in answer.json()["message"]


def test_artefacts_can_be_deleted(client: Any, run_id: str) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    client.log_text(run_id, "x", "old/a.txt")
    client.log_text(run_id, "x", "keep.txt")
    get_artifact_repository(client.get_run(run_id).info.artifact_uri).delete_artifacts("old")
    assert _files(run_id) == ["keep.txt"]


@pytest.mark.parametrize(
    "path",
    [
        "ExperimentRun/../secret",
        "ExperimentRun/dcid.x/%2e%2e/y",
        "ExperimentRun/dcid.x/%252e%252e/y",
        "other/x",
        "a%5Cb",
    ],
)
def test_paths_outside_the_artefacts_are_refused(path: str) -> None:
    # By hand: the usual clients tidy a path before they send it.
    url = urlsplit(os.environ["MLFLOW_TRACKING_URI"])
    proxy = urlsplit(os.environ["HTTPS_PROXY"])
    trust = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
    connection = http.client.HTTPSConnection(str(proxy.hostname), proxy.port, context=trust)
    connection.set_tunnel(str(url.hostname), 443)
    headers = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    target = f"{url.path}/api/2.0/mlflow-artifacts/artifacts/{path}"
    connection.request("PUT", target, b"x", headers)
    answer = connection.getresponse()
    assert answer.status == 400
    assert "Invalid path" in answer.read().decode()
    connection.close()


def test_multipart_and_presigned_transfers_are_declined_as_the_client_expects(run_id: str) -> None:
    place = f"ExperimentRun/dcid.{run_id}"
    upload = _http("POST", f"api/2.0/mlflow-artifacts/mpu/create/{place}", b'{"path": "x", "num_parts": 2}')
    assert upload.status_code == 501
    assert upload.json()["message"].startswith("Multipart upload is not supported")
    assert _http("GET", f"api/2.0/mlflow-artifacts/presigned/{place}/x").status_code == 501
    info = _http("GET", "api/3.0/mlflow/server-info").json()
    assert info["multipart_uploads_enabled"] is False


def test_artefacts_are_listed_and_read_through_the_rest_calls_of_a_run(client: Any, run_id: str) -> None:
    client.log_text(run_id, "hello", "d/a.txt")
    top = _http("GET", f"api/2.0/mlflow/artifacts/list?run_id={run_id}").json()
    assert top["files"] == [{"path": "d", "is_dir": True}]
    assert top["root_uri"] == client.get_run(run_id).info.artifact_uri
    below = _http("GET", f"api/2.0/mlflow/artifacts/list?run_id={run_id}&path=d").json()
    assert below["files"] == [{"path": "d/a.txt", "is_dir": False, "file_size": 5}]
    assert _http("GET", f"get-artifact?run_id={run_id}&path=d/a.txt").content == b"hello"
    assert _http("GET", "api/2.0/mlflow/artifacts/list?run_id=nobody").status_code == 404


def test_no_call_is_answered_without_a_token() -> None:
    import requests

    answer = requests.get(
        f"{os.environ['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=60
    )
    assert answer.status_code == 401


def test_paths_of_the_process_that_are_not_mlflows_are_not_reached(run_id: str) -> None:
    answer = _http("POST", f"internal/runs/{run_id}/displace", b'{"name": "model"}')
    assert answer.status_code == 404


# Logged models -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model_run(plane_env: dict[str, str]) -> str:
    """Return a run that logged a classifier, which predicts 0, as ``model``."""
    import mlflow

    with mlflow.start_run() as run:
        _log_model(0)
    return str(run.info.run_id)


def _log_model(answer: int, **where: Any) -> Any:
    """Log a model that always gives one answer; its requirements are told, not found out by importing it."""
    import mlflow
    from sklearn.dummy import DummyClassifier

    model = DummyClassifier(strategy="constant", constant=answer).fit([[0], [1]], [0, 1])
    return mlflow.sklearn.log_model(model, **{"name": "model", **where}, pip_requirements=["scikit-learn"])


def test_logged_model_is_among_the_runs_files_once(model_run: str) -> None:
    import mlflow

    assert [item.path for item in mlflow.artifacts.list_artifacts(run_id=model_run)] == ["model"]
    files = _files(model_run)
    assert "model/MLmodel" in files
    assert len(files) == len(set(files))


def test_logged_model_loads_by_run_and_by_its_id(model_run: str, client: Any) -> None:
    import mlflow

    [output] = client.get_run(model_run).outputs.model_outputs
    for uri in (f"runs:/{model_run}/model", f"models:/{output.model_id}"):
        assert list(mlflow.pyfunc.load_model(uri).predict([[5], [6]])) == [0, 0]
    logged = client.get_logged_model(output.model_id)
    assert logged.source_run_id == model_run
    listed = _http("GET", f"api/2.0/mlflow/logged-models/{output.model_id}/artifacts/directories").json()["files"]
    assert "MLmodel" in {row["path"] for row in listed}
    files = f"api/2.0/mlflow/logged-models/{output.model_id}/artifacts/files"
    assert _http("GET", f"{files}?artifact_file_path=MLmodel").text.startswith("artifact_path:")


def test_run_is_downloaded_with_its_model(model_run: str, tmp_path: Path) -> None:
    import mlflow

    folder = mlflow.artifacts.download_artifacts(run_id=model_run, dst_path=str(tmp_path))
    assert Path(folder, "model", "MLmodel").exists()


def test_model_logged_again_replaces_the_first_at_its_name(client: Any) -> None:
    import mlflow

    with mlflow.start_run() as run:
        first, second = _log_model(0), _log_model(1)
    answers = [
        mlflow.pyfunc.load_model(uri).predict([[5]])[0]
        for uri in (f"runs:/{run.info.run_id}/model", f"models:/{first.model_id}", f"models:/{second.model_id}")
    ]
    assert answers == [1, 0, 1]
    files = _files(run.info.run_id)
    assert len(files) == len(set(files))


def test_model_without_a_run_can_be_kept(client: Any) -> None:
    import mlflow

    model = mlflow.initialize_logged_model(name="alone")
    _log_model(1, name="alone", model_id=model.model_id)
    assert mlflow.pyfunc.load_model(f"models:/{model.model_id}").predict([[5]])[0] == 1


def test_autolog_leaves_parameters_metrics_and_a_model() -> None:
    import mlflow
    from sklearn.linear_model import LogisticRegression

    mlflow.sklearn.autolog()
    try:
        with mlflow.start_run() as run:
            LogisticRegression(C=0.5).fit([[0], [1], [2], [3]], [0, 0, 1, 1])
    finally:
        mlflow.sklearn.autolog(disable=True)
    found = mlflow.get_run(run.info.run_id)
    assert found.data.params["C"] == "0.5"
    assert found.data.metrics["training_accuracy_score"] == 1
    assert "model/MLmodel" in _files(run.info.run_id)


# Runs as jobs ------------------------------------------------------------------------------------------------------


def test_clients_run_is_a_job_of_the_workspace(logged: str, ml: Any) -> None:
    job = ml.jobs.get(logged)
    assert job.name == logged
    assert job.display_name == "all kinds"
    assert job.experiment_name == "kinds"
    assert job.status == "Completed"
    assert job.creation_context.created_at is not None
    assert logged in {one.name for one in ml.jobs.list()}


def test_job_follows_its_run(client: Any, ml: Any) -> None:
    for final, status in (("FINISHED", "Completed"), ("FAILED", "Failed"), ("KILLED", "Canceled")):
        run_id = client.create_run("0", run_name="first", tags={"a": "1"}).info.run_id
        job = ml.jobs.get(run_id)
        assert (job.status, job.display_name, job.tags) == ("Running", "first", {"a": "1"})
        client.set_tag(run_id, "b", "2")
        client.delete_tag(run_id, "a")
        client.set_tag(run_id, "mlflow.note.content", "a remark")
        client.update_run(run_id, name="second")
        client.set_terminated(run_id, final)
        job = ml.jobs.get(run_id)
        assert (job.status, job.display_name, job.tags, job.description) == (status, "second", {"b": "2"}, "a remark")


def test_failing_script_fails_its_job(ml: Any) -> None:
    script = "import mlflow\nwith mlflow.start_run() as run:\n    print(run.info.run_id, flush=True)\n    1 / 0\n"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "ZeroDivisionError" in ran.stderr
    assert ml.jobs.get(ran.stdout.split()[0]).status == "Failed"


def test_cancelled_job_of_a_client_is_a_killed_run(client: Any, run_id: str, ml: Any) -> None:
    ml.jobs.begin_cancel(run_id).wait()
    assert ml.jobs.get(run_id).status == "Canceled"
    assert client.get_run(run_id).info.status == "KILLED"


def test_nested_runs_are_children_of_their_job(ml: Any) -> None:
    import mlflow

    with mlflow.start_run() as parent, mlflow.start_run(nested=True, run_name="child") as child:
        mlflow.log_metric("x", 1)
    names = [one.name for one in ml.jobs.list(parent_job_name=parent.info.run_id)]
    assert names == [child.info.run_id]


def test_deleted_run_is_an_archived_job_until_it_is_restored(client: Any, run_id: str, ml: Any) -> None:
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert run_id not in {one.name for one in ml.jobs.list()}
    client.restore_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "active"
    assert run_id in {one.name for one in ml.jobs.list()}


def test_experiment_takes_its_jobs_along(client: Any, ml: Any) -> None:
    name = f"moving-{uuid.uuid4().hex[:8]}"
    experiment = client.create_experiment(name)
    run_id = client.create_run(experiment).info.run_id
    client.rename_experiment(experiment, f"{name}-renamed")
    assert ml.jobs.get(run_id).experiment_name == f"{name}-renamed"
    client.delete_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    assert run_id not in {one.name for one in ml.jobs.list()}
    client.restore_experiment(experiment)
    assert run_id in {one.name for one in ml.jobs.list()}


def test_clients_job_can_be_streamed(logged: str, ml: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ml.jobs.stream(logged)
    assert logged in capsys.readouterr().out


def test_tracking_uri_of_the_workspace_is_the_one_of_the_environment(ml: Any) -> None:
    assert ml.workspaces.get(ml.workspace_name).mlflow_tracking_uri == os.environ["MLFLOW_TRACKING_URI"]


def test_plugin_of_azure_ml_is_answered_at_its_own_paths(client: Any, run_id: str) -> None:
    """azureml-mlflow uses v2.0 of the service and a call of its own for what is logged in the background."""
    base = os.environ["MLFLOW_TRACKING_URI"].replace("/mlflow/v1.0/", "/mlflow/v2.0/")
    import requests

    token = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    body: Any = {
        "run_id": run_id,
        "metrics": [{"key": "m", "value": 2, "timestamp": 1, "step": 0}],
        "tags": [{"key": "t", "value": "v"}],
    }
    url = f"{base}/api/2.0/preview/mlflow/runs/log-batch-async"
    assert requests.post(url, json=body, headers=token, timeout=60).json() == {}
    run = requests.get(f"{base}/api/2.0/mlflow/runs/get?run_id={run_id}", headers=token, timeout=60).json()["run"]
    assert [(row["key"], row["value"]) for row in run["data"]["metrics"]] == [("m", 2.0)]
    assert client.get_run(run_id).data.tags["t"] == "v"


def test_artefact_service_gives_links_that_take_and_return_files() -> None:
    """How azureml-mlflow uploads a local model before it registers it."""
    import requests

    token = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    host, _, rest = os.environ["MLFLOW_TRACKING_URI"].partition("/mlflow/v1.0")
    folder = f"{host}/artifact/v2.0{rest}/artifacts/LocalUpload/{uuid.uuid4().hex}"
    sent = requests.post(
        f"{folder}/batch/metadata", json={"paths": [{"path": "m/MLmodel"}]}, headers=token, timeout=60
    ).json()
    link = sent["artifactContentInformation"]["m/MLmodel"]["contentUri"]
    put = requests.put(link, data=b"flavors: {}", headers={"x-ms-blob-type": "BlockBlob"}, timeout=60)
    assert put.status_code == 201
    listed = requests.get(folder, headers=token, timeout=60).json()
    assert [row["path"] for row in listed["value"]] == ["m/MLmodel"]
    info = requests.get(f"{folder}/contentinfo?path=m/MLmodel", headers=token, timeout=60).json()
    assert requests.get(info["contentUri"], timeout=60).content == b"flavors: {}"
    missing = requests.get(f"{folder}/contentinfo?path=m/none", headers=token, timeout=60)
    assert missing.status_code == 404
    assert "m/none" in json.dumps(missing.json())


# In a job ----------------------------------------------------------------------------------------------------------

JOB = """
import mlflow
import numpy as np
from sklearn.linear_model import LogisticRegression

mlflow.sklearn.autolog()
with mlflow.start_run() as run:
    model = LogisticRegression(C=2.0).fit(np.array([[0], [1], [2], [3]]), [0, 0, 1, 1])
    mlflow.log_metric("loss", 0.5)
    mlflow.log_metric("loss", 0.25)
    mlflow.set_tag("phase", "trained")
    mlflow.log_text("notes", "notes/n.txt")
mlflow.register_model(f"runs:/{run.info.run_id}/model", "from-the-job")
"""


@pytest.fixture(scope="module")
def trained(ml: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a finished job whose script says nothing about where it logs."""
    from azure.ai.ml import command

    folder = tmp_path_factory.mktemp("code")
    (folder / "train.py").write_text(JOB, encoding="utf-8")
    job = ml.jobs.create_or_update(
        command(
            code=str(folder),
            command="python train.py",
            environment="AzureML-sklearn-1.5@latest",
            compute="cpu-cluster",
            experiment_name="in-a-job",
            display_name="trains",
            tags={"given": "1"},
        )
    )
    ml.jobs.stream(job.name)
    return ml.jobs.get(job.name)


def test_script_in_a_job_logs_to_the_run_of_its_job(trained: Any, client: Any) -> None:
    run = client.get_run(trained.name)
    assert (run.info.run_name, run.info.status) == ("trains", "FINISHED")
    assert client.get_experiment(run.info.experiment_id).name == "in-a-job"
    assert run.data.params["C"] == "2.0"
    assert [metric.value for metric in client.get_metric_history(trained.name, "loss")] == [0.5, 0.25]
    assert [one.info.run_id for one in client.search_runs([run.info.experiment_id])] == [trained.name]


def test_tags_of_the_script_and_of_the_submission_are_the_jobs(trained: Any, client: Any) -> None:
    assert trained.status == "Completed"
    assert {"given": "1", "phase": "trained"}.items() <= trained.tags.items()
    assert client.get_run(trained.name).data.tags["given"] == "1"


def test_artefacts_of_the_run_are_the_artefacts_of_the_job(trained: Any, ml: Any, tmp_path: Path) -> None:
    files = _files(trained.name)
    assert {"notes/n.txt", "model/MLmodel", "user_logs/std_log.txt"} <= set(files)
    assert len(files) == len(set(files))
    ml.jobs.download(trained.name, download_path=tmp_path, all=True)
    downloaded = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"artifacts/notes/n.txt", "artifacts/model/MLmodel"} <= downloaded


def test_logged_model_of_a_job_is_registered_under_its_azure_ml_address(trained: Any, ml: Any) -> None:
    import mlflow
    import numpy as np
    from azure.ai.ml.entities import Model

    path = f"azureml://jobs/{trained.name}/outputs/artifacts/paths/model/"
    model = ml.models.create_or_update(Model(name="by-address", path=path, type="mlflow_model"))
    assert model.job_name == trained.name
    assert list(mlflow.pyfunc.load_model(f"models:/by-address/{model.version}").predict(np.array([[0], [3]]))) == [0, 1]
    by_script = ml.models.get("from-the-job", "1")
    assert (by_script.job_name, by_script.type) == (trained.name, "mlflow_model")
    assert list(mlflow.pyfunc.load_model(f"runs:/{trained.name}/model").predict(np.array([[0], [3]]))) == [0, 1]
