"""A started control plane per session, and an unmodified SDK client on its default workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_kit.testing import LocalWorkspace

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


@pytest.fixture(scope="session")
def plane_env(local_workspace: LocalWorkspace) -> dict[str, str]:
    return local_workspace.environment


@pytest.fixture(scope="session")
def ml(local_workspace: LocalWorkspace) -> MLClient:
    return local_workspace.ml_client()
