"""Workspaces of their own: two folders of tests in one worker share its control plane and never see each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
