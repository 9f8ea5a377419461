"""The venv runner: an environment is built once per content, shared, and its failure is told."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

VENV = {"MLOPS_KIT_RUNNER": "venv"}
PRINT = 'python -c "import sys; print(sys.prefix)"'


def _conda(name: str, *requirements: str, python: str = "") -> Any:
    from azure.ai.ml.entities import Environment

    dependencies: list[Any] = [f"python={python}"] if python else []
    dependencies += ["pip", {"pip": list(requirements)}] if requirements else ["pip"]
    return Environment(name=name, image="image:1", conda_file={"name": name, "dependencies": dependencies})


def test_a_venv_without_packages_is_not_this_interpreter(jobs, local_workspace):
    job = jobs.completed(PRINT, environment=_conda("empty"), environment_variables=VENV)
    assert jobs.log(job).startswith(str(local_workspace.state / "environments"))
    assert "runner: venv" in jobs.log(job, "system_logs/environment.txt")


def test_jobs_at_the_same_time_share_one_build(jobs, local_workspace):
    before = set((local_workspace.state / "environments").glob("*/complete.json"))
    environment = _conda("shared", python="3.11")
    with ThreadPoolExecutor(3) as threads:
        done = list(
            threads.map(lambda _: jobs.completed(PRINT, environment=environment, environment_variables=VENV), range(3))
        )
    assert len({jobs.log(job) for job in done}) == 1
    assert len(set((local_workspace.state / "environments").glob("*/complete.json")) - before) == 1
    built = [job for job in done if "artifacts/system_logs/build.txt" in jobs.left(job)]
    assert len(built) == 1


def test_a_python_that_is_not_here_is_named_and_the_hosts_is_taken(jobs):
    job = jobs.completed("python --version", environment=_conda("old", python="3.7"), environment_variables=VENV)
    assert "asked for 3.7, which uv does not find here" in jobs.log(job, "system_logs/environment.txt")


def test_a_build_that_fails_shows_the_end_of_its_log(jobs):
    environment = _conda("broken", "no-such-package-of-mlops-kit==9.9")
    job = jobs.run("true", environment=environment, environment_variables=VENV)
    assert job.status == "Failed"
    told = jobs.error(job)
    assert "could not be built without the network (network: deny)" in told
    assert "no-such-package-of-mlops-kit" in told


@pytest.mark.needs_registry
@pytest.mark.slow
def test_packages_are_installed_as_asked(tmp_path):
    """Offline instances build from uv's cache only, so this one is started with the network allowed."""
    script = tmp_path / "job.py"
    script.write_text(
        "import os, time\n"
        "from azure.ai.ml import MLClient, command\n"
        "from azure.ai.ml.entities import Environment\n"
        "from azure.identity import DefaultAzureCredential\n"
        "names = [os.environ['AZUREML_ARM_' + n] for n in ('SUBSCRIPTION', 'RESOURCEGROUP', 'WORKSPACE_NAME')]\n"
        "ml = MLClient(DefaultAzureCredential(), *names)\n"
        "conda = {'dependencies': ['python=3.11', {'pip': ['iniconfig==2.0.0']}]}\n"
        "job = ml.jobs.create_or_update(command(\n"
        '    command="python -c \'from importlib.metadata import version; print(version(\\"iniconfig\\"))\'",\n'
        "    environment=Environment(name='pinned', image='i:1', conda_file=conda),\n"
        "    environment_variables={'MLOPS_KIT_RUNNER': 'venv'}))\n"
        "ml.jobs.stream(job.name)\n"
    )
    cli = [str(Path(sys.executable).with_name("mlops-kit"))]
    environment = {**os.environ, "MLOPS_KIT_LOCAL_STATE": str(tmp_path / "state")}
    try:
        ran = subprocess.run(
            [*cli, "local", "exec", "--", sys.executable, str(script)],
            cwd=tmp_path,  # outside the project, whose local environment denies the network
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
    finally:
        subprocess.run([*cli, "local", "stop"], env=environment, check=False, capture_output=True)
    assert "\n2.0.0\n" in ran.stdout, ran.stdout + ran.stderr
