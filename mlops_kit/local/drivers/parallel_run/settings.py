"""What a parallel job is asked to do, as the control plane hands it over: one JSON text in an environment variable."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

VARIABLE = "MLOPS_KIT_PARALLEL"


@dataclass(frozen=True)
class Settings:
    """The settings of a parallel job.

    ``size`` counts files, or bytes of a table. Thresholds count what may fail; -1 lets everything fail. ``timeout`` is
    in seconds, for one try of one mini batch.
    """

    entry_script: str
    size: int = 1
    partition_keys: tuple[str, ...] = ()
    nodes: int = 1
    processes: int = 1  # on each node
    retries: int = 3
    timeout: float = 60
    mini_batch_error_threshold: int = -1
    error_threshold: int = -1

    @property
    def workers(self) -> int:
        """Return how many worker processes there are at most."""
        return self.nodes * self.processes


def written(settings: Settings) -> str:
    """Return settings as the text of the variable."""
    return json.dumps(asdict(settings))


def read() -> Settings:
    """Return the settings of this job."""
    given = json.loads(os.environ[VARIABLE])
    return Settings(**{**given, "partition_keys": tuple(given["partition_keys"])})
