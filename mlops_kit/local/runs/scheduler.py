"""The jobs that wait and run: first come, first served, as many nodes at a time as each compute has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.settings import LocalSettings


class Scheduler:
    """Runs what is queued; one thread per running job."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings

    def start(self, plane: Plane) -> None:
        """Recover what an earlier instance left behind, then run what is queued."""

    def submit(self, job_id: str) -> None:
        """Queue a stored job."""

    def cancel(self, job_id: str) -> None:
        """Cancel a job that waits or runs."""

    def stop(self) -> None:
        """Stop every running job."""
