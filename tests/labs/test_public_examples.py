"""Microsoft's public CLI examples: they validate without a false finding, and the job files run to completion."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Jobs that need nothing but this machine: no pipeline, no sweep, no data set of the internet.
_JOBS = [
    "hello-code.yml",
    "hello-mlflow.yml",
    "hello-model-as-input.yml",
    "hello-model-as-output.yml",
    "hello-world-env-var.yml",
    "hello-world-input.yml",
    "hello-world-org.yml",
    "hello-world-output-data.yml",
    "hello-world-output.yml",
    "hello-world.yml",
]


def _mlops_kit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("mlops-kit")), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=200)


@pytest.mark.parametrize("folder", ["jobs/basics", "assets"])
def test_public_examples_validate_without_a_finding(folder, examples):
    ran = _mlops_kit("validate", ".", "-o", "json", cwd=examples / folder)
    findings = json.loads(ran.stdout)
    errors = [finding for finding in findings if finding["severity"] == "error"]
    assert errors == []


@pytest.mark.slow
@pytest.mark.parametrize("name", _JOBS)
def test_public_job_example_runs_to_completion(name, examples, local_workspace, tmp_path):
    from azure.ai.ml import load_job
    from azure.ai.ml.entities import AmlCompute

    ml = local_workspace.ml_client()
    ml.compute.begin_create_or_update(AmlCompute(name="cpu-cluster", max_instances=2)).result()
    for folder in ("jobs/basics", "assets/model"):
        shutil.copytree(examples / folder, tmp_path / folder)
    job = ml.jobs.create_or_update(load_job(tmp_path / "jobs" / "basics" / name))
    ml.jobs.stream(job.name)
    assert ml.jobs.get(job.name).status == "Completed"
