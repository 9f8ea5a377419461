"""Connect an environment to its workspace: one credential, one client, resolved once per command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops_kit.workspace import artifacts, credentials, failures, tracking


@dataclass(frozen=True)
class Target:
    """Which workspace an environment means, and how to sign in there.

    ``options`` are what names the environment on the command line: ``-e NAME``, and ``-C FOLDER`` where it is needed.
    """

    environment: str
    subscription: str
    group: str
    name: str
    auth: str = "default"
    options: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return the ARM resource id of the workspace."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )


@dataclass(frozen=True)
class Workspace:
    """A connected workspace. ``ml`` is the SDK's MLClient; the rest is opened when first used."""

    target: Target
    ml: Any
    credential: credentials.Credential

    @cached_property
    def store(self) -> Any:
        """Return a client of the store that keeps the files of jobs."""
        with failures.readable("open the workspace's artifact store"):
            return artifacts.open_store(self.ml, self.credential.token)

    @cached_property
    def tracking(self) -> Any:
        """Return a client of the workspace's MLflow tracking service."""
        with failures.readable("find the workspace's tracking service"):
            uri = self.ml.workspaces.get(self.target.name).mlflow_tracking_uri
            return tracking.open_tracking(uri, self.credential.token, credentials.SCOPE)


def connect(target: Target, variables: Mapping[str, str] = os.environ) -> Workspace:
    """Sign in and return the workspace; raises :class:`UsageError` in seconds where no credential answers."""
    credential = credentials.choose(target.auth, variables)
    from azure.ai.ml import MLClient

    with failures.readable("connect to the workspace"):
        ml = MLClient(
            credential.token,
            target.subscription,
            target.group,
            target.name,
            show_progress=False,
            enable_telemetry=False,
        )
    return Workspace(target, ml, credential)
