"""The end of a job, stored however long the disk is full: no job runs for ever in the eyes of others."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_kit.local.runs import states
from mlops_kit.local.runs.states import Outcome
from mlops_kit.local.runs.work import clear, folder_of_job

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0


def end(plane: Plane, job_id: str, outcome: Outcome, properties: Mapping[str, Any], stopping: threading.Event) -> None:
    """Let a job reach its final state, trying until ``stopping`` is set.

    What the job itself wrote goes first, but for its logs: it could not be kept, and it may be what fills the disk.
    """
    while not stopping.is_set():
        try:
            states.end(plane, job_id, outcome, properties)
        except sqlite3.OperationalError as error:
            log.warning("the end of %s could not be stored yet: %s", job_id, error)
            clear(folder_of_job(plane, job_id))
            stopping.wait(_RETRY_SECONDS)
        else:
            return
