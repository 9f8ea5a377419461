"""The timer that lets schedules fire: when their time comes, and for all the time that somebody moves the clock over.

What was due while no control plane ran is made up for once: of the fires that a schedule missed, the latest. A clock
that is moved stops at every fire in between, so that each job sees its own time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import itemgetter
from time import monotonic
from typing import TYPE_CHECKING

from mlops_kit.local.arm.wire import BadRequestError, ConflictError
from mlops_kit.local.clock import Clock
from mlops_kit.local.runs import states
from mlops_kit.local.schedules import firing
from mlops_kit.local.schedules.firing import Fired

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

log = logging.getLogger(__name__)

MOST = 1000  # fires of one move: beyond, somebody has mistaken the unit
_LOOK_SECONDS = 5.0  # how late a fire may be on a machine that slept, or whose clock was set
_POLL_SECONDS = 0.05
_BUSY_SECONDS = 10.0  # how long a move waits for fires that are under way
_PATIENCE_SECONDS = 1800.0  # how long a move waits for the jobs of one moment


class Timer:
    """Lets the schedules of all workspaces fire, in one thread; ``clock`` is the one that they go by."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._moving = threading.Lock()  # held while schedules fire; a move is read, and so let go, in any thread
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, plane: Plane) -> None:
        """Begin to let schedules fire."""
        self._thread = threading.Thread(target=self._run, args=(plane,), name="schedules", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let nothing fire any more; a move ends where it is."""
        self._stopping.set()
        self._woken.set()
        if self._thread:
            self._thread.join()

    def wake(self) -> None:
        """Look anew: a schedule has changed."""
        self._woken.set()

    def move(self, plane: Plane, target: datetime, *, wait: bool) -> Iterator[Fired]:
        """Move the clock, and yield each fire in between as it has been; 400 where there are too many.

        With ``wait`` the clock moves on from a fire only when its jobs have ended. Back in time nothing fires.
        """
        if not self._moving.acquire(timeout=_BUSY_SECONDS):
            raise ConflictError("The clock is being moved already.")
        try:
            _require_few(plane, target)
        finally:
            self._moving.release()
        return self._moved(plane, target, wait=wait)

    def _moved(self, plane: Plane, target: datetime, *, wait: bool) -> Iterator[Fired]:
        with self._moving:
            if target < self.clock.now():
                firing.rewind(plane, target)
                self.clock.set(target)
            for moment, group in groupby(list(firing.due(plane, target)), itemgetter(0)):
                if self._stopping.is_set():
                    return
                self._reach(moment)
                fired = list(filter(None, (firing.fire(plane, schedule, moment) for _, schedule in group)))
                yield from fired
                if wait:
                    self._settle(plane, fired)
            if not self._stopping.is_set():
                self._reach(target)
        self._woken.set()

    def _reach(self, moment: datetime) -> None:
        """Let it be a moment; a clock that has passed it meanwhile, while jobs ran, is not set back."""
        if moment > self.clock.now():
            self.clock.set(moment)

    def _settle(self, plane: Plane, fired: list[Fired]) -> None:
        """Wait until the jobs of a moment have ended."""
        end = monotonic() + _PATIENCE_SECONDS
        while monotonic() < end and not self._stopping.wait(_POLL_SECONDS):
            unfinished = {str(job.body["name"]) for job in states.unfinished(plane)}
            if not any(each.job in unfinished for each in fired):
                return

    def _run(self, plane: Plane) -> None:
        while not self._stopping.is_set():
            try:
                seconds = self._tick(plane)
            except Exception:
                log.exception("schedules could not fire; they are looked at again")
                seconds = _LOOK_SECONDS
            self._woken.wait(seconds)
            self._woken.clear()

    def _tick(self, plane: Plane) -> float:
        """Fire what is due, and return after how many seconds to look again."""
        if not self._moving.acquire(blocking=False):
            return _LOOK_SECONDS  # whoever moves the clock lets everything fire
        try:
            self._catch_up(plane)
        finally:
            self._moving.release()
        ahead = firing.upcoming(plane)
        seconds = (ahead - self.clock.now()).total_seconds() if ahead else _LOOK_SECONDS
        return min(max(seconds, _POLL_SECONDS), _LOOK_SECONDS)

    def _catch_up(self, plane: Plane) -> None:
        """Fire what is due: of each schedule the latest, which is the only one unless others were missed."""
        latest = {schedule: moment for moment, schedule in firing.due(plane, self.clock.now())}
        for schedule, moment in sorted(latest.items(), key=itemgetter(1)):
            fired = firing.fire(plane, schedule, moment)
            if fired:
                log.info("%s %s: %s %s", fired.schedule, fired.outcome, fired.job, fired.message)


def _require_few(plane: Plane, target: datetime) -> None:
    """Refuse a move over more fires than anybody means."""
    due = list(islice(firing.due(plane, target), MOST + 1))
    if len(due) > MOST:
        names = sorted({schedule.rpartition("/")[2] for _, schedule in due})
        until = f"{due[MOST - 1][0].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        raise BadRequestError(
            f"The schedules {', '.join(names[:5])} would fire more than {MOST} times: move the clock to {until} at"
            " most, or disable what need not fire.",
            target="to",
        )
