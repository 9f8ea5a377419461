"""Waiting for a job: two clocks, a heartbeat, and patience with a service that does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mlops_kit.errors import WaitExpired

QUEUED_STATES = frozenset({"NotStarted", "Queued", "Starting", "Provisioning", "Preparing", "Unapproved", "Paused"})
FINAL_STATES = {"Completed": 0, "Failed": 1, "Canceled": 4}
STATES = QUEUED_STATES | FINAL_STATES.keys() | {"Running", "Finalizing", "CancelRequested", "NotResponding", "Unknown"}


class NoAnswer(Exception):  # noqa: N818  a state of the line, not of the job
    """The service did not say how the job is: no connection, an expired token, a busy server."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds of wall-clock time; None waits for ever."""

    run: float | None = None
    queue: float | None = None
    silence: float = 900  # without any answer from the service
    heartbeat: float = 60  # between two lines, so that a runner does not take the wait for dead


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended, and for how many seconds it was seen queued and running."""

    state: str
    queued: float
    ran: float


@dataclass(slots=True)
class _Watch:
    """What is known so far; times are seconds since the epoch or durations in seconds."""

    asked: float
    answered: float
    spoke: float
    state: str = ""
    queued: float = 0.0
    ran: float = 0.0
    complaint: str = ""
    begun: float = field(default=0.0)


def wait(
    job: str,
    ask: Callable[[], str],
    limits: Limits,
    say: Callable[[str], None],
    *,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Ask for the state of a job until it is final.

    ``ask`` raises :class:`NoAnswer` when the service cannot say; that never means that the job failed. Raises
    :class:`WaitExpired` when a limit is passed.
    """
    now = clock()
    watch = _Watch(asked=now, answered=now, spoke=now, begun=now)
    while True:
        _ask_once(watch, ask, clock(), say)
        if watch.state in FINAL_STATES:
            return Outcome(watch.state, watch.queued, watch.ran)
        _beat(watch, limits, say)
        _check(job, watch, limits)
        pause(_interval(watch, limits))


def _ask_once(watch: _Watch, ask: Callable[[], str], now: float, say: Callable[[str], None]) -> None:
    """Charge the time since the last question to the clock of the state it was in, then ask again."""
    spent, watch.asked = max(0.0, now - watch.asked), now
    if watch.state in QUEUED_STATES:
        watch.queued += spent
    elif watch.state:
        watch.ran += spent
    try:
        state = ask()
    except NoAnswer as reason:
        if str(reason) != watch.complaint:
            watch.complaint, watch.spoke = str(reason), now
            say(f"no answer ({reason}); asking again, the job is not affected")
        return
    watch.answered, watch.complaint = now, ""
    if state != watch.state:
        watch.state, watch.spoke = state, now
        say(f"{state} ({now - watch.begun:.0f} s)")


def _beat(watch: _Watch, limits: Limits, say: Callable[[str], None]) -> None:
    """Say that the wait goes on, when nothing was said for a while."""
    if watch.asked - watch.spoke >= limits.heartbeat:
        watch.spoke = watch.asked
        say(f"still {watch.state or 'unknown'} (queued {watch.queued:.0f} s, running {watch.ran:.0f} s)")


def _check(job: str, watch: _Watch, limits: Limits) -> None:
    """Raise when one of the limits is passed."""
    last = f"its last known state is {watch.state}" if watch.state else "its state was never seen"
    for what, spent, limit in (
        ("queued", watch.queued, limits.queue),
        ("running", watch.ran, limits.run),
        ("without an answer from the service", watch.asked - watch.answered, limits.silence),
    ):
        if limit is not None and spent >= limit:
            raise WaitExpired(f"gave up waiting for the job {job!r} after {spent:.0f} s {what}; it goes on, {last}")


def _interval(watch: _Watch, limits: Limits) -> float:
    """Return the seconds until the next question: a twentieth of the time waited so far, never past a limit."""
    seconds = min(15.0, max(0.5, (watch.asked - watch.begun) / 20))
    left = [
        limit - spent for spent, limit in ((watch.queued, limits.queue), (watch.ran, limits.run)) if limit is not None
    ]
    return max(0.05, min([seconds, *left]))
