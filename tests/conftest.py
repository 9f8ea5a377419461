"""What several folders of tests need: workspaces of their own, and an interpreter with Microsoft's data libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_kit.testing import LocalWorkspace


@pytest.fixture(scope="session")
def new_workspace(local_workspace: LocalWorkspace) -> Callable[[str], LocalWorkspace]:
    """Create a workspace with a ``cpu-cluster`` in the control plane of the session."""
    from azure.ai.ml.entities import AmlCompute, Workspace

    def create(name: str) -> LocalWorkspace:
        local_workspace.ml_client().workspaces.begin_create(Workspace(name=name, location="local")).result()
        made = replace(local_workspace, workspace=replace(local_workspace.workspace, name=name))
        cluster = AmlCompute(name="cpu-cluster", size="STANDARD_DS11_V2", max_instances=4)
        made.ml_client().compute.begin_create_or_update(cluster).result()
        return made

    return create


# mltable imports pkg_resources, which setuptools has dropped, and breaks on pandas 3, which the project itself uses.
_DATA_LIBRARIES = (
    "mltable",
    "azureml-fsspec",
    "azure-ai-ml",
    "azure-identity",
    "marshmallow<4",
    "setuptools<81",
    "pandas<3",
)


@pytest.fixture(scope="session")
def run_with_data_libraries(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a function that runs a script where mltable and azureml-fsspec are installed, and returns its stdout."""
    from mlops_kit.local.outside import outside

    folder = tmp_path_factory.mktemp("data-libraries") / "venv"
    python, uv = folder / "bin" / "python", [sys.executable, "-m", "uv"]
    env = outside(os.environ)  # the package registry is no part of the control plane
    for command in (
        ["venv", "-q", "-p", sys.executable, folder],
        ["pip", "install", "-q", "-p", python, *_DATA_LIBRARIES],
    ):
        subprocess.run([*uv, *map(str, command)], env=env, check=True)

    def run(script: str, *arguments: str | Path) -> str:
        command = [str(python), "-c", script, *map(str, arguments)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=200).stdout

    return run
