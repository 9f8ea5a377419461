"""The door to MLflow: one tracking process per workspace, started when it is first needed and stopped with the control plane."""

from __future__ import annotations

from typing import Any

from mlops_kit.local.arm.wire import Call, Reply
from mlops_kit.local.settings import LocalSettings


class Tracking:
    """The tracking processes of this instance; ``workspace_id`` is the ``workspaceId`` guid of a workspace."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings

    def warm(self, workspace_id: str) -> None:
        """Start the process of a workspace in the background."""
        raise NotImplementedError(workspace_id)

    def ensure_run(
        self,
        workspace_id: str,
        run_id: str,
        experiment: str,
        *,
        name: str = "",
        tags: dict[str, str] | None = None,
        start_ms: int | None = None,
    ) -> str:
        """Create the run of a job where it is missing; return the id of its experiment."""
        raise NotImplementedError(run_id)

    def finish_run(self, workspace_id: str, run_id: str, status: str, end_ms: int) -> None:
        """Set the final status (FINISHED, FAILED, KILLED) of a run."""
        raise NotImplementedError(run_id)

    def run(self, workspace_id: str, run_id: str) -> dict[str, Any]:
        """Return ``metrics``, ``params``, ``tags`` and ``status`` of a run; empty where it is missing."""
        raise NotImplementedError(run_id)

    def metric_history(self, workspace_id: str, run_id: str, key: str) -> list[dict[str, Any]]:
        """Return every value of a metric: ``key``, ``value``, ``step``, ``timestamp`` (ms)."""
        raise NotImplementedError(run_id)

    def update_tags(self, workspace_id: str, run_id: str, tags: dict[str, str]) -> None:
        """Set tags of a run."""
        raise NotImplementedError(run_id)

    def forward(self, workspace_id: str, call: Call, rest: str) -> Reply:
        """Answer an MLflow REST call (``rest`` is ``api/2.0/mlflow/...``) with what the process answers."""
        raise NotImplementedError(rest)

    def stop(self) -> None:
        """Stop every tracking process."""
