"""The course's data and a workspace to run its lessons in. Each test is named after its row of the coverage table."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.testing import LocalWorkspace

PROJECT = Path(__file__).resolve().parents[2]
FEATURES = [
    "Pregnancies",
    "PlasmaGlucose",
    "DiastolicBloodPressure",
    "TricepsThickness",
    "SerumInsulin",
    "BMI",
    "DiabetesPedigree",
    "Age",
]


@pytest.fixture(scope="session")
def course_data():
    """Return the folder with diabetes.csv (10,000 rows) and diabetes2.csv (5,000 rows)."""
    folder = Path(os.environ.get("MLOPS_KIT_SHARED", PROJECT.parent / "shared")) / "data"
    if not (folder / "diabetes.csv").exists():
        pytest.skip(f"{folder}/diabetes.csv is missing: the course's data is not part of the project")
    return folder


@dataclass(frozen=True)
class Course:
    """A workspace, and what a lesson does in it."""

    ml: Any
    folder: Path
    workspace: LocalWorkspace
    project: Path = PROJECT

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``mlops-kit`` in the project, on the workspace of these tests."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("mlops-kit")), *arguments],
            cwd=self.project,
            env={
                **os.environ,
                "MLOPS_KIT_LOCAL_STATE": str(self.workspace.state),
                "MLOPS_KIT_VAR_WORKSPACE__NAME": self.workspace.workspace.name,
            },
            capture_output=True,
            text=True,
            check=check,
            timeout=240,
        )

    def cli_json(self, *arguments: str) -> Any:
        """Run ``mlops-kit ... -o json`` in the environment ``local`` and return its result."""
        return json.loads(self.cli(*arguments, "-e", "local", "-o", "json").stdout)

    def submit(self, script: str, command: str, **fields):
        """Submit a script of its own code folder and return the job as submitted."""
        from azure.ai.ml import command as command_job

        code = self.folder / f"code-{len(list(self.folder.iterdir()))}"
        code.mkdir()
        (code / "script.py").write_text(script, encoding="utf-8")
        fields = {"environment": "AzureML-sklearn-1.5@latest", "compute": "cpu-cluster", **fields}
        return self.ml.jobs.create_or_update(command_job(code=str(code), command=command, **fields))

    def finished(self, job, seconds: float = 120):
        """Wait for the final state and return the job."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job = self.ml.jobs.get(job.name)
            if job.status in {"Completed", "Failed", "Canceled"}:
                return job
            time.sleep(0.1)
        raise AssertionError(f"{job.name} is still {job.status} after {seconds} s")

    def run(self, script: str, command: str = "python script.py", **fields):
        """Submit, wait, and return the finished job."""
        return self.finished(self.submit(script, command, **fields))

    def files(self, job) -> dict[str, Path]:
        """Download everything a job left and return its files by relative path."""
        target = self.folder / f"download-{job.name}"
        self.ml.jobs.download(job.name, download_path=target, all=True)
        return {path.relative_to(target).as_posix(): path for path in sorted(target.rglob("*")) if path.is_file()}

    def log(self, job) -> str:
        """Return the text of the job's own log."""
        files = self.files(job)
        return next(path.read_text() for name, path in files.items() if name.endswith("user_logs/std_log.txt"))


@pytest.fixture(scope="module")
def course(course_workspace, tmp_path_factory):
    """Return the workspace of the lessons; ``cpu-cluster`` is there from the start, MLflow tracks to it."""
    import mlflow

    ml = course_workspace.ml_client()
    address = ml.workspaces.get().mlflow_tracking_uri
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", address)
        mlflow.set_tracking_uri(address)  # a test before may have named another one, which wins over the variable
        yield Course(ml, tmp_path_factory.mktemp("course"), course_workspace)
        mlflow.set_tracking_uri(None)  # back to the variable


@pytest.fixture(scope="session")
def course_workspace(new_workspace):
    return new_workspace("mlw-course")
