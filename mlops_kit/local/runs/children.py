"""The children of a job: jobs of their own that the scheduler runs, and that tell their parent when they have ended."""

from __future__ import annotations

import queue
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.runs import states
from mlops_kit.local.runs.work import Work


@dataclass(frozen=True, slots=True)
class Draft:
    """A child before it is stored: its properties, checked and completed, and what only the control plane knows."""

    name: str
    properties: Mapping[str, Any]
    private: Mapping[str, Any] = field(default_factory=dict)


class Children:
    """The children of one running job. It is used by the thread of that job alone."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.running: dict[str, str] = {}  # name -> id
        work.control.when_stopped(lambda: self._ended.put(""))

    def start(self, draft: Draft) -> None:
        """Store a child as Queued, and let it be run when its compute has room."""
        plane = self._work.plane
        body = {"id": f"{self._work.workspace}/jobs/{draft.name}", "properties": self._owned(draft)}
        with plane.store.transaction():
            states.queue(plane, ids.stamped(plane, body, None), dict(draft.private))
        self.running[draft.name] = str(body["id"])
        plane.runs.submit(str(body["id"]), self._ended.put)

    def keep(self, draft: Draft, outcome: states.Outcome) -> Resource:
        """Store a child that has ended without being run, and return it."""
        plane = self._work.plane
        job_id = f"{self._work.workspace}/jobs/{draft.name}"
        with plane.store.transaction():
            body = {"id": job_id, "properties": self._owned(draft)}
            states.queue(plane, ids.stamped(plane, body, None), dict(draft.private))
            states.end(plane, job_id, outcome)
        return plane.store.get(job_id)

    def next(self, timeout: float | None = None) -> Resource | None:
        """Wait for the next child to end and return it; None after ``timeout`` seconds.

        Raises:
            StoppedError: The parent was asked to stop.
        """
        self._work.control.check()
        try:
            ended = self._ended.get(timeout=timeout)
        except queue.Empty:
            return None
        self._work.control.check()
        return self._settled(ended)

    def cancel(self, name: str) -> None:
        """Cancel a child; it is among those that end."""
        self._work.plane.runs.cancel(self.running[name])

    def end_all(self) -> list[Resource]:
        """Cancel every child that has not ended, wait for them, and return them."""
        for job_id in list(self.running.values()):
            self._work.plane.runs.cancel(job_id)
        found = []
        while self.running:
            if ended := self._ended.get():
                found.append(self._settled(ended))
        return found

    def _settled(self, job_id: str) -> Resource:
        found = self._work.plane.store.get(job_id)
        self.running.pop(str(found.body["name"]), None)
        return found

    def _owned(self, draft: Draft) -> dict[str, Any]:
        """Return the properties of a child with what it has from its parent."""
        parent = self._work.properties
        return {
            **draft.properties,
            "parentJobName": self._work.name,
            "experimentName": parent["experimentName"],
            "status": states.QUEUED,
        }
