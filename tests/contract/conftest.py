"""A started control plane per session, and an unmodified SDK client on its default workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.local import supervisor
from mlops_kit.local.settings import Instance, LocalSettings


@pytest.fixture(scope="session")
def plane_settings(tmp_path_factory: pytest.TempPathFactory) -> LocalSettings:
    return LocalSettings(tmp_path_factory.mktemp("plane") / "state", network="deny")


@pytest.fixture(scope="session")
def plane_env(plane_settings: LocalSettings) -> Iterator[dict[str, str]]:
    before = dict(os.environ)
    instance: Instance = supervisor.start(plane_settings)
    variables = supervisor.environment(instance, plane_settings)
    _replace(supervisor.applied(variables, before))
    yield variables
    _replace(before)
    supervisor.stop(plane_settings.state)


@pytest.fixture(scope="session")
def plane_state(plane_settings: LocalSettings, plane_env: dict[str, str]) -> Path:
    return plane_settings.state


@pytest.fixture(scope="session")
def ml(plane_env: dict[str, str], plane_settings: LocalSettings) -> Any:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    workspace = plane_settings.workspace
    return MLClient(DefaultAzureCredential(), workspace.subscription, workspace.group, workspace.name)


def _replace(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
