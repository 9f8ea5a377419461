"""The public DP-100 labs for SDK v2 run cell by cell, unmodified, under ``mlops-kit local exec``."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

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
    ("09", "Run a pipeline job", 1),
    ("09", "Hyperparameter tuning", 2),
]
# What a compute instance's kernel has, as far as the labs import it. mltable imports pkg_resources, which setuptools
# dropped, and breaks on pandas 3; the plain MLflow beside it must be one that azureml-mlflow allows.
_KERNEL = (
    *("azure-ai-ml>=1.35,<1.36", "azure-identity", "marshmallow<4", "mltable", "azureml-mlflow", "mlflow<3.16"),
    *("setuptools<81", "pandas<3", "scikit-learn", "matplotlib", "ipykernel", "nbclient"),
)


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """Build the environment that the notebooks run in and return its folder of programs."""
    from mlops_kit.local.outside import outside

    folder = tmp_path_factory.mktemp("kernel") / "venv"
    env = outside(os.environ)
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "-p", sys.executable, str(folder)], env=env, check=True)
    install = [*uv, "pip", "install", "-q", "--compile-bytecode", "-p", str(folder), *_KERNEL]
    subprocess.run(install, env=env, check=True)
    # The notebooks ask for the kernel of a compute instance by name.
    named = ["-m", "ipykernel", "install", "--prefix", str(folder), "--name", "python38-azureml"]
    subprocess.run([folder / "bin" / "python", *named], env=env, check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def cluster(local_workspace, labs):
    """Create what the labs' set-up scripts create with the command line: the cluster that every job names, and data."""
    from azure.ai.ml.entities import AmlCompute, Data

    ml = local_workspace.ml_client()
    ml.compute.begin_create_or_update(AmlCompute(name="aml-cluster", size="STANDARD_DS11_V2", max_instances=2)).result()
    ml.data.create_or_update(
        Data(name="diabetes-data", version="1", type="uri_file", path=str(labs / "09" / "data" / "diabetes.csv"))
    )
    return ml


@pytest.mark.slow
@pytest.mark.needs_registry
@pytest.mark.parametrize(("lab", "name", "jobs"), _NOTEBOOKS, ids=[f"{lab}-{name}" for lab, name, _ in _NOTEBOOKS])
def test_lab_notebook_runs_cell_by_cell(lab, name, jobs, labs, kernel, cluster, tmp_path):
    folder = tmp_path / lab
    shutil.copytree(labs / lab, folder)
    notebook = folder / f"{name}.ipynb"
    text = notebook.read_text(encoding="utf-8")
    key = cluster.datastores.get_default(include_secrets=True).credentials.account_key
    for placeholder, value in _PLACEHOLDERS.items():
        text = text.replace(placeholder, value.format(key=key))
    notebook.write_text(text, encoding="utf-8")
    before = {job.name for job in cluster.jobs.list()}

    mlops_kit = str(Path(sys.executable).with_name("mlops-kit"))
    execute = [str(kernel / "jupyter-execute"), "--timeout", "240", str(notebook)]
    ran = subprocess.run(
        [mlops_kit, "local", "exec", "--config", "--", *execute],
        cwd=folder,
        env={**os.environ, "PATH": f"{kernel}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )

    assert ran.returncode == 0, ran.stderr[-3000:]
    submitted = [job for job in cluster.jobs.list() if job.name not in before and _is_submitted(job)]
    assert len(submitted) == jobs
    for job in submitted:
        assert _final_status(cluster, job.name) == "Completed", job.display_name


def _is_submitted(job) -> bool:
    """Tell a job from a run that a notebook tracks by itself, which is listed as a command without an environment."""
    return job.type in {"pipeline", "sweep"} or (job.type == "command" and bool(job.environment))


def _final_status(ml, name: str, seconds: float = 120) -> str:
    for _ in range(int(seconds * 5)):
        status = ml.jobs.get(name).status
        if status in {"Completed", "Failed", "Canceled"}:
            return str(status.value)
        time.sleep(0.2)
    return f"still {status}"


def _in_their_environment(*steps) -> None:
    """Run steps in the environment they name; a loop in the pipeline itself would name a step after its variable."""
    for step in steps:
        step.environment_variables = {"MLOPS_KIT_RUNNER": "venv"}


# The scripts of lab 05 use np.float, which numpy 1.24 dropped; Python 3.7, which their environment had, is gone.
_OF_2021 = (
    *("numpy>=1.23.5,<1.24", "pandas>=1.5.3,<2", "scikit-learn>=1.2,<1.3", "scipy<1.11", "matplotlib<3.8"),
    *("mlflow-skinny<3", "setuptools<81"),
)


@pytest.fixture(scope="module")
def of_2021(tmp_path_factory, cluster):
    """Register an environment for the scripts of lab 05; its packages are fetched here, as jobs have no network."""
    from azure.ai.ml.entities import Environment

    from mlops_kit.local.outside import outside

    folder = tmp_path_factory.mktemp("of-2021") / "venv"
    uv, env = [sys.executable, "-m", "uv"], outside(os.environ)
    subprocess.run([*uv, "venv", "-q", "-p", sys.executable, str(folder)], env=env, check=True)
    subprocess.run([*uv, "pip", "install", "-q", "-p", str(folder), *_OF_2021], env=env, check=True)
    conda = {"name": "of-2021", "dependencies": ["python=3.11", "pip", {"pip": list(_OF_2021)}]}
    made = cluster.environments.create_or_update(Environment(name="of-2021", image="image:1", conda_file=conda))
    return f"azureml:{made.name}:{made.version}"


@pytest.mark.slow
@pytest.mark.needs_registry
def test_the_components_of_lab_05_run_as_one_pipeline(labs, cluster, of_2021):
    """The lab chains them in the designer: two steps of preparation, then both models, which run side by side."""
    from azure.ai.ml import Input, dsl, load_component

    names = ("fix-missing-data", "normalize-data", "train-decision-tree", "train-logistic-regression")
    fix, normalize, tree, regression = (
        load_component(labs / "05" / f"{name}.yml", params_override=[{"environment": of_2021}]) for name in names
    )

    @dsl.pipeline(compute="aml-cluster")
    def lab_05(data):
        fixed = fix(input_data=data)
        normalized = normalize(input_data=fixed.outputs.output_data)
        grown = tree(training_data=normalized.outputs.output_data)
        fitted = regression(training_data=normalized.outputs.output_data, regularization_rate=0.1)
        _in_their_environment(fixed, normalized, grown, fitted)

    job = cluster.jobs.create_or_update(lab_05(Input(type="uri_folder", path=str(labs / "05" / "data"))))

    assert _final_status(cluster, job.name, seconds=240) == "Completed"
    children = {child.display_name: child.status for child in cluster.jobs.list(parent_job_name=job.name)}
    assert children == dict.fromkeys(("fixed", "normalized", "grown", "fitted"), "Completed")
