"""The course's data and a workspace to run its lessons in. Each test is named after its row of the coverage table."""

import functools
import importlib.util
import json
import os
import shutil
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


SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="session")
def infrastructure():
    """Return what an environment of the project wants of Azure; overrides are those of ``--set``."""
    from mlops_kit import environments
    from mlops_kit.infra import settings

    def of(name: str, *overrides: str):
        variables = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
        loaded = environments.load(PROJECT / "environments", name, overrides=overrides, process=variables)
        return settings.infrastructure(loaded)

    return of


@dataclass(frozen=True)
class Planned:
    """What terraform would make of an environment, from nothing: ``after`` by address, and the names of outputs."""

    after: dict[str, dict[str, Any]]
    outputs: set[str]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return what would be made of an ARM type, each as the body that is sent and its name."""
        found = (one for one in self.after.values() if (one.get("type") or "").lower().startswith(f"{kind.lower()}@"))
        return [{"name": one["name"], **(one["body"] or {})} for one in found]


@pytest.fixture(scope="session")
def planned(infrastructure, terraform_in, tmp_path_factory):
    """Return the plan that the real terraform binary makes of an environment, once for each."""
    from mlops_kit.infra import settings

    copied = tmp_path_factory.mktemp("planned")
    for part in ("infra/terraform", "modules/terraform"):
        shutil.copytree(PROJECT / part, copied / part, ignore=shutil.ignore_patterns(".terraform*"))
    terraform = terraform_in(copied / "infra" / "terraform")
    (terraform.folder / "override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
    terraform.run("init")

    @functools.cache
    def plan(name: str, *overrides: str) -> Planned:
        values = json.dumps(settings.values(infrastructure(name, *overrides)))
        (terraform.folder / "terraform.tfvars.json").write_text(values, encoding="utf-8")
        terraform.run("plan", "-refresh=false", "-out=plan.bin")
        found = json.loads(terraform.run("show", "-json", "plan.bin"))
        changes = {one["address"]: one["change"] for one in found["resource_changes"] if one["mode"] == "managed"}
        assert all(change["actions"] == ["create"] for change in changes.values())
        return Planned({address: one["after"] for address, one in changes.items()}, set(found["output_changes"]))

    return plan


@pytest.fixture(scope="session")
def on_mocks(infrastructure):
    """Return what the Pulumi program declares for an environment on Pulumi's own mocks, and its outputs."""
    pytest.importorskip("pulumi_azure_native", reason="pulumi is missing: pip install 'mlops_kit[infra]'")
    path = PROJECT / "tests" / "infra" / "test_pulumi_modules.py"
    spec = importlib.util.spec_from_file_location("course_pulumi_mocks", path)
    assert spec is not None
    assert spec.loader is not None
    mocks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mocks)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT))  # as infra/pulumi does, to find `modules`
        yield lambda name: mocks.declared(infrastructure(name))
