"""The azureml-mlflow plug-in, in an environment of its own as a job image has it, against the control plane.

With the plug-in installed beside azure-ai-ml every MLClient would change the tracking URI, so the project does not
require it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.local.outside import outside

pytestmark = [pytest.mark.needs_registry, pytest.mark.slow, pytest.mark.timeout(900)]

PLUGIN = "azureml-mlflow>=1.60,<2"
SCRIPT = """
import json, os, sys
import mlflow
from mlflow.tracking import MlflowClient

class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input

with mlflow.start_run() as run:
    run_id = run.info.run_id
    mlflow.log_metric("a", 1.5)
    mlflow.log_metrics({"b": 2}, synchronous=False)
    mlflow.flush_async_logging()
    mlflow.log_param("p", "x")
    mlflow.log_text("hello", "d/a.txt")
    if len(sys.argv) > 1:
        mlflow.pyfunc.log_model(name="model", python_model=Echo(), pip_requirements=[])
        mlflow.pyfunc.save_model(sys.argv[1], python_model=Echo(), pip_requirements=[])
versions = []
if len(sys.argv) > 1:
    for source in (f"runs:/{run_id}/model", f"file://{sys.argv[1]}"):
        name = "plugin-model"
        version = mlflow.register_model(source, name).version
        versions.append(mlflow.pyfunc.load_model(f"models:/{name}/{version}").predict([version]))
found = mlflow.get_run(run_id)
print(json.dumps({
    "run": run_id,
    "store": type(MlflowClient()._tracking_client.store).__name__,
    "metrics": found.data.metrics,
    "files": [item.path for item in mlflow.artifacts.list_artifacts(run_id=run_id)],
    "text": mlflow.artifacts.load_text(f"runs:/{run_id}/d/a.txt"),
    "versions": versions,
}))
"""


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter with the plug-in and the MLflow of the project, without the project."""
    from uv import find_uv_bin

    folder = tmp_path_factory.mktemp("plugin")
    python = folder / "venv" / "bin" / "python"
    mlflow = f"mlflow-skinny=={importlib.metadata.version('mlflow')}"
    install = ["pip", "install", "--python", str(python), PLUGIN, mlflow, "pandas", "azure-identity"]
    for command in (["venv", "--python", sys.executable, str(folder / "venv")], install):
        ran = subprocess.run(
            [find_uv_bin(), "--no-progress", *command],
            env=outside(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
    return python


def _ran(interpreter: Path, variables: dict[str, str], *arguments: str) -> dict[str, Any]:
    uri = os.environ["MLFLOW_TRACKING_URI"].replace("https://", "azureml://")
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, **variables}
    ran = subprocess.run(
        [str(interpreter), "-c", SCRIPT, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def test_run_files_and_models_go_through_the_plugin(
    plane_env: dict[str, str], interpreter: Path, ml: Any, tmp_path: Path
) -> None:
    said = _ran(interpreter, {}, str(tmp_path / "saved"))
    assert said["store"] == "AzureMLRestStore"
    assert said["metrics"] == {"a": 1.5, "b": 2}
    assert (said["files"], said["text"]) == (["d", "model"], "hello")
    assert said["versions"] == [["1"], ["2"]]
    assert ml.jobs.get(said["run"]).status == "Completed"
    assert ml.models.get("plugin-model", "1").job_name == said["run"]
    assert ml.models.get("plugin-model", "2").type == "mlflow_model"


def test_plugin_in_a_job_writes_to_the_run_of_the_job(plane_env: dict[str, str], interpreter: Path) -> None:
    from mlflow.tracking import MlflowClient

    run_id = MlflowClient().create_run("0").info.run_id
    # What a compute sets; the plug-in then takes its token from the environment and leaves the run's state alone.
    job = {
        "MLFLOW_RUN_ID": run_id,
        "AZUREML_RUN_ID": run_id,
        "MLFLOW_EXPERIMENT_ID": "0",
        "MLFLOW_EXPERIMENT_NAME": "Default",
    }
    said = _ran(interpreter, job)
    assert said["run"] == run_id
    run = MlflowClient().get_run(run_id)
    assert (run.data.metrics, run.info.status) == ({"a": 1.5, "b": 2}, "RUNNING")
