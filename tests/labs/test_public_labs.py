"""The public DP-100 labs for SDK v2 run cell by cell, unmodified, against the local control plane."""

import json
import shutil
import time

import pytest

# Two facts of the reader's own account that the notebook asks for are filled in, as its text says.
_PLACEHOLDERS = {"YOUR-STORAGE-ACCOUNT-NAME": "devstoreaccount1", "XXXX-XXXX": "{key}"}
_NOTEBOOKS = [
    ("02", "Run training script", 1),
    ("03", "Work with data", 1),
    ("04", "Work with compute", 1),
    ("04", "Work with environments", 3),
    ("07", "Track model training with MLflow", 0),
    ("08", "Run script as a command job", 1),
    ("08", "Use MLflow to track jobs", 2),
]
# mltable.load goes through a native library that reads neither the cloud's metadata nor the proxy: see the guide.
_NATIVE = "mltable.load("


@pytest.fixture(scope="module")
def cluster(local_workspace):
    """Create what the labs' set-up script creates with the command line: the cluster that every job names."""
    from azure.ai.ml.entities import AmlCompute

    ml = local_workspace.ml_client()
    ml.compute.begin_create_or_update(AmlCompute(name="aml-cluster", size="STANDARD_DS11_V2", max_instances=2)).result()
    return ml


@pytest.mark.slow
@pytest.mark.parametrize(("lab", "name", "jobs"), _NOTEBOOKS, ids=[f"{lab}-{name}" for lab, name, _ in _NOTEBOOKS])
def test_lab_notebook_runs_cell_by_cell(lab, name, jobs, labs, cluster, local_workspace, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    folder = tmp_path / lab
    shutil.copytree(labs / lab, folder)
    workspace = local_workspace.workspace
    config = {
        "subscription_id": workspace.subscription,
        "resource_group": workspace.group,
        "workspace_name": workspace.name,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    key = cluster.datastores.get_default(include_secrets=True).credentials.account_key
    for cell in notebook.cells:
        for placeholder, value in _PLACEHOLDERS.items():
            cell.source = cell.source.replace(placeholder, value.format(key=key))
    notebook.cells = [cell for cell in notebook.cells if _NATIVE not in cell.source]
    before = {job.name for job in cluster.jobs.list()}
    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    submitted = [
        job for job in cluster.jobs.list() if job.name not in before and job.type == "command" and job.environment
    ]
    assert len(submitted) == jobs
    for job in submitted:
        assert _final_status(cluster, job.name) == "Completed", job.display_name


def _final_status(ml, name: str) -> str:
    for _ in range(600):
        status = ml.jobs.get(name).status
        if status in {"Completed", "Failed", "Canceled"}:
            return str(status.value)
        time.sleep(0.2)
    return f"still {status}"
