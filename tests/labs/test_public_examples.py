"""Microsoft's public CLI examples: what is found in them is a fault of theirs, and the job files run to completion."""

import json
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
# Jobs that need nothing but this machine.
_JOBS = [
    "hello-code.yml",
    "hello-data-uri-folder.yml",
    "hello-dataset.yml",
    "hello-iris-datastore-file.yml",
    "hello-iris-datastore-folder.yml",
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
_LEFT_OUT = {
    "hello-git.yml": "clones a repository of the internet",
    "hello-interactive.yml": "opens VS Code and Jupyter on the machine of the job",
    "hello-iris-[fl]*.yml": "read a data set of the internet",
    "hello-notebook.yml": "installs packages into the interpreter that runs it",
    "hello-pipeline*.yml": "are pipelines",
    "hello-sweep.yml": "is a sweep",
}


def _mlops_kit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("mlops-kit")), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=200)


def _explained(checkout: Path, folder: Path, known: Path) -> tuple[list[str], list[str]]:
    """Return the findings below a folder for which no reason is listed, and what is listed and matches none."""
    ran = _mlops_kit("validate", ".", "-o", "json", cwd=folder)
    findings = {(row["path"], row["code"]) for row in json.loads(ran.stdout)}
    listed = [
        (pattern, entry["code"])
        for entry in yaml.safe_load(known.read_text("utf-8"))
        if "without" not in entry or not (checkout / entry["without"]).is_dir()
        for pattern in entry["paths"]
    ]
    met = {finding: [each for each in listed if _matches(finding, each)] for finding in findings}
    stale = set(listed) - {each for matching in met.values() for each in matching}
    return sorted(map(str, (finding for finding in met if not met[finding]))), sorted(map(str, stale))


def _matches(finding: tuple[str, str], listed: tuple[str, str]) -> bool:
    return finding[1] == listed[1] and fnmatch(finding[0], listed[0])


def test_what_is_found_in_the_public_examples_is_a_fault_of_theirs_for_a_listed_reason(examples):
    assert _explained(examples.parent, examples, HERE / "examples.yaml") == ([], [])


def test_what_is_found_in_the_public_labs_is_a_fault_of_theirs_for_a_listed_reason(labs):
    assert _explained(labs.parent, labs.parent, HERE / "labs.yaml") == ([], [])


def test_every_job_example_is_run_or_left_out_for_a_reason(examples):
    there = {path.name for path in (examples / "jobs" / "basics").glob("*.yml")}
    left_out = {name for name in there if any(fnmatch(name, pattern) for pattern in _LEFT_OUT)}
    assert left_out.isdisjoint(_JOBS)
    assert there == left_out | set(_JOBS)


@pytest.fixture(scope="module")
def prepared(examples, local_workspace):
    """Return a client of a workspace that holds what the examples take for granted."""
    from azure.ai.ml.entities import AmlCompute, Data
    from azure.storage.blob import BlobClient

    ml = local_workspace.ml_client()
    ml.compute.begin_create_or_update(AmlCompute(name="cpu-cluster", max_instances=2)).result()
    data = examples / "assets" / "data"
    for name in ("local-folder-example", "sampledata"):
        ml.data.create_or_update(Data(name=name, type="uri_folder", path=str(data / "sample-data")))
    store = ml.datastores.get("workspaceblobstore", include_secrets=True)
    account = f"https://{store.account_name}.blob.{store.endpoint}"
    key = store.credentials.account_key
    with BlobClient(account, store.container_name, "example-data/iris.csv", credential=key) as blob:
        blob.upload_blob((data / "example-data" / "iris.csv").read_bytes(), overwrite=True)
    return ml


@pytest.mark.slow
@pytest.mark.parametrize("name", _JOBS)
def test_public_job_example_runs_to_completion(name, examples, prepared, tmp_path):
    from azure.ai.ml import load_job

    ml = prepared
    for folder in ("jobs/basics", "assets/model"):
        shutil.copytree(examples / folder, tmp_path / folder)
    job = ml.jobs.create_or_update(load_job(tmp_path / "jobs" / "basics" / name))
    ml.jobs.stream(job.name)
    assert ml.jobs.get(job.name).status == "Completed"
