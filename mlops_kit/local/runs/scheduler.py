"""The jobs that wait and run: first come, first served, as many nodes at a time as each compute has.

A job without a compute (serverless) counts against this host's cores. A job that waits for a compute that is stopped
or full does not hold up the jobs of another compute.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_kit.local import processes
from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.providers import usages
from mlops_kit.local.runs import capacity, command, ending, recovery, states
from mlops_kit.local.runs.content import ContentCache
from mlops_kit.local.runs.pipelines import driver as pipelines
from mlops_kit.local.runs.process import CANCELLED, SHUT_DOWN, Control
from mlops_kit.local.runs.states import Outcome
from mlops_kit.local.runs.sweeps import driver as sweeps
from mlops_kit.local.runs.work import Work, folder_of_job

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.settings import LocalSettings

log = logging.getLogger(__name__)

Runner = Callable[[Work], tuple[Outcome, Mapping[str, Any]]]
# How each type of job is run.
KINDS: dict[str, Runner] = {"Command": command.run, "Pipeline": pipelines.run, "Sweep": sweeps.run}
_RETRY_SECONDS = 1.0  # how often a job is looked at that waits for a compute to be started or enlarged
_STOP_SECONDS = 9.0


@dataclass(slots=True)
class _Entry:
    """A job that waits or runs."""

    job_id: str
    queue: str  # the id of its compute, or of its workspace's serverless queue
    nodes: int
    ended: Callable[[str], object] | None = None  # told the id of the job once its end is stored
    control: Control = field(default_factory=Control)
    thread: threading.Thread | None = None


class Scheduler:
    """Runs what is queued, each job in a thread of its own. Every method may be called from any thread."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings
        self._cache = ContentCache(settings.state / "cache")
        self._lock = threading.RLock()
        self._entries: dict[str, _Entry] = {}  # by job id in lower case, in order of submission
        self._plane: Plane | None = None
        self._open = False  # jobs are started: recovery is done, and nothing asks to stop
        self._retry: threading.Timer | None = None
        self._stopping = threading.Event()

    def start(self, plane: Plane) -> None:
        """Recover what an earlier control plane left behind, then run what is queued."""
        self._plane = plane
        self._cache.clean()
        processes.end_marked(self._settings.runs)  # those too that were started and not recorded yet
        left = [job for job in states.unfinished(plane) if job.properties["status"] != states.QUEUED]
        if left:
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(lambda job: recovery.recover(plane, job, self._stopping), left))
        recovery.cancel_orphans(plane)
        with self._lock:
            self._open = True
            for job in states.unfinished(plane):
                self._add(job)
            self._dispatch()

    def submit(self, job_id: str, ended: Callable[[str], object] | None = None) -> None:
        """Queue a stored job; ``ended`` is called with its id when it has ended.

        Before ``start`` it is enough that the job is stored. When the control plane stops, the job stays queued, and a
        caller that waits for its end is told at once.
        """
        with self._lock:
            plane = self._plane
            if plane is None or not self._open:
                _tell(ended, job_id)
                return
            plane.tracking.warm(ids.workspace_of(job_id))
            self._add(plane.store.get(job_id), ended)
            self._dispatch()

    def cancel(self, job_id: str) -> None:
        """Cancel a job: at once where it waits, soon where it runs; one that has ended stays as it is."""
        with self._lock:
            entry = self._entries.get(job_id.lower())
            waiting = entry is not None and entry.thread is None
            if waiting:
                self._entries.pop(job_id.lower())
        if self._plane is None:
            return
        if entry is None or waiting:
            _cancel_queued(self._plane, job_id)
            _tell(entry.ended if entry else None, job_id)
            with self._lock:
                self._dispatch()
        else:
            states.advance(self._plane, job_id, states.CANCEL_REQUESTED)
            entry.control.stop(CANCELLED)

    def stop(self) -> None:
        """Stop every running job, which fails with that reason; queued ones run when the control plane starts again."""
        with self._lock:
            self._open = False
            running = [entry for entry in self._entries.values() if entry.thread is not None]
            if self._retry:
                self._retry.cancel()
        for entry in running:
            entry.control.stop(SHUT_DOWN)
        for entry in running:
            if entry.thread:
                entry.thread.join(_STOP_SECONDS)
        self._stopping.set()

    def _add(self, job: Resource, ended: Callable[[str], object] | None = None) -> None:
        if job.id.lower() not in self._entries:
            nodes = usages.nodes_of(job.properties)
            self._entries[job.id.lower()] = _Entry(job.id, capacity.queue_of(job), nodes, ended)

    def _dispatch(self) -> None:
        """Start every job for which there is room; the caller holds the lock."""
        if self._plane is None or not self._open:
            return
        full: set[str] = set()
        for entry in [one for one in self._entries.values() if one.thread is None and one.queue not in full]:
            if entry.queue in full:
                continue
            busy = sum(one.nodes for one in self._entries.values() if one.thread and one.queue == entry.queue)
            room = capacity.nodes(self._plane, entry.queue)
            if busy + entry.nodes <= room or (room and not busy):
                self._launch(entry)
            else:
                full.add(entry.queue)
                if not busy:
                    self._look_again()

    def _launch(self, entry: _Entry) -> None:
        entry.thread = threading.Thread(target=self._work, args=(entry,), name=f"job {entry.job_id}", daemon=True)
        entry.thread.start()

    def _look_again(self) -> None:
        """Nothing of ours will end and make room: the compute has to change, and nobody tells."""
        if self._retry is None or not self._retry.is_alive():
            self._retry = threading.Timer(_RETRY_SECONDS, self._retried)
            self._retry.daemon = True
            self._retry.start()

    def _retried(self) -> None:
        with self._lock:
            self._retry = None
            self._dispatch()

    def _work(self, entry: _Entry) -> None:
        plane = self._plane
        if plane is None:
            return
        try:
            self._run(plane, entry)
        except Exception as fault:
            log.exception("fault while running %s", entry.job_id)
            message = f"The local control plane could not run the job: {type(fault).__name__}: {fault}"
            ending.end(plane, entry.job_id, Outcome(states.FAILED, message, "SystemError"), {}, self._stopping)
        finally:
            with self._lock:
                self._entries.pop(entry.job_id.lower(), None)
                self._dispatch()
            _tell(entry.ended, entry.job_id)

    def _run(self, plane: Plane, entry: _Entry) -> None:
        if not states.advance(plane, entry.job_id, states.PREPARING):
            return
        job = plane.store.get(entry.job_id)
        work = Work(plane, job, entry.control, self._cache, folder_of_job(plane, job.id))
        outcome, properties = KINDS[str(job.properties["jobType"])](work)
        ending.end(plane, job.id, outcome, properties, self._stopping)


def _tell(ended: Callable[[str], object] | None, job_id: str) -> None:
    if ended is not None:
        ended(job_id)


def _cancel_queued(plane: Plane, job_id: str) -> None:
    with plane.store.transaction():
        job = plane.store.find(job_id)
        if job is not None and job.properties["status"] == states.QUEUED:
            states.end(plane, job_id, Outcome(states.CANCELED, "The job was cancelled while it was queued."))
