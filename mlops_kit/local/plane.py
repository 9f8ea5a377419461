"""The services that every handler may use, in one value that is passed to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_kit.local.arm.operations import Operations
    from mlops_kit.local.arm.store import ResourceStore
    from mlops_kit.local.faults import Faults
    from mlops_kit.local.runs.scheduler import Scheduler
    from mlops_kit.local.schedules.timer import Timer
    from mlops_kit.local.settings import LocalSettings
    from mlops_kit.local.signing import Signer
    from mlops_kit.local.storage import BlobStore
    from mlops_kit.local.tracking import Tracking


@dataclass(frozen=True, slots=True)
class Plane:
    """One running control plane."""

    settings: LocalSettings
    store: ResourceStore
    operations: Operations  # long-running operations and their status documents
    signer: Signer  # tokens and signed links
    blobs: BlobStore  # the door to Azurite
    tracking: Tracking  # the door to MLflow
    runs: Scheduler  # the jobs that wait and run
    now: Callable[[], datetime]  # aware, UTC; the clock that can be moved
    faults: Faults  # what a test wants to fail
    schedules: Timer  # what fires when its time comes, and the clock that it goes by
