"""The processes of a job: started each in a group of its own, waited for without polling, stopped as a group."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from mlops_kit.local.processes import Started, born, living
from mlops_kit.local.runs.states import StoppedError

GRACE_SECONDS = 5.0  # between SIGTERM and SIGKILL
CANCELLED, EXPIRED, SHUT_DOWN = "cancelled", "expired", "shut down"


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start. Standard output and error go to the end of ``log``."""

    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    log: Path


@dataclass(frozen=True, slots=True)
class Exit:
    """How a set of processes ended: the code of the first that failed (negative: a signal), and which one it was."""

    code: int
    index: int


class Control:
    """The way to stop one job, from any thread and at any time. ``reason`` is the first reason that was given."""

    def __init__(self, grace: float = GRACE_SECONDS) -> None:
        self.reason = ""
        self._grace = grace
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._asked = threading.Event()
        self._told: list[Callable[[], object]] = []

    def when_stopped(self, tell: Callable[[], object]) -> None:
        """Call ``tell`` when the job is asked to stop, at once where it was asked already."""
        with self._lock:
            self._told.append(tell)
            asked = self._asked.is_set()
        if asked:
            tell()

    def stop(self, reason: str) -> None:
        """Ask the job to stop: its processes get SIGTERM, and SIGKILL if they are still there after the grace."""
        with self._lock:
            self.reason = self.reason or reason
            self._asked.set()
            running, told = list(self._running), list(self._told)
        for tell in told:
            tell()
        self._terminate(running)

    def check(self) -> None:
        """Raise StoppedError if the job was asked to stop."""
        if self._asked.is_set():
            raise StoppedError(self.reason)

    def run(self, launches: Sequence[Launch], started: Callable[[list[Started]], None] | None = None) -> Exit:
        """Start all, wait for all, and stop the others as soon as one fails; StoppedError where that was asked for."""
        processes = self._start(launches)
        try:
            if started:
                started([_recorded(process) for process in processes])
        except BaseException:  # what nobody knows of must not run on
            _kill_all(processes)
            raise
        ended: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        if len(processes) == 1:
            result = Exit(_wait(processes[0]), 0)
        else:
            for index, process in enumerate(processes):
                threading.Thread(target=lambda i, p: ended.put((i, _wait(p))), args=(index, process)).start()
            result = self._first_failure(processes, ended)
        with self._lock:
            self._running = [one for one in self._running if one not in processes]
        self.check()
        return result

    def _start(self, launches: Sequence[Launch]) -> list[subprocess.Popen[bytes]]:
        processes: list[subprocess.Popen[bytes]] = []
        with self._lock:  # a stop comes before all of them or finds all of them
            self.check()
            try:
                processes.extend(_start(launch) for launch in launches)
            finally:
                self._running.extend(processes)
        return processes

    def _first_failure(
        self, processes: Sequence[subprocess.Popen[bytes]], ended: queue.SimpleQueue[tuple[int, int]]
    ) -> Exit:
        result = Exit(0, 0)
        for _ in processes:
            index, code = ended.get()
            if code and not result.code:
                result = Exit(code, index)
                self._terminate([process for process in processes if process.returncode is None])
        return result

    def _terminate(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        if not processes:
            return
        for process in processes:
            _signal_group(process.pid, signal.SIGTERM)
        late = threading.Timer(self._grace, _kill_all, (processes,))
        late.daemon = True
        late.start()


def _start(launch: Launch) -> subprocess.Popen[bytes]:
    with launch.log.open("ab") as output:
        return subprocess.Popen(
            launch.argv,
            cwd=launch.cwd,
            env=dict(launch.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _recorded(process: subprocess.Popen[bytes]) -> Started:
    try:
        return Started(process.pid, born(process.pid))
    except psutil.NoSuchProcess:  # it has ended already
        return Started(process.pid, "")


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process, then end what it left in its group: while it is not reaped, its number is not given again."""
    if hasattr(os, "waitid"):
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        _signal_group(process.pid, signal.SIGKILL)
    return process.wait()


def _kill_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.returncode is None:
            _signal_group(process.pid, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    # PermissionError: macOS answers it for a group of which only the unreaped leader is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end_recorded(processes: Sequence[Started]) -> int:
    """Kill the groups of processes that an earlier control plane started; return how many leaders still ran."""
    found = 0
    for one in processes:
        process = living(one)
        if process is not None:
            found += 1
            _signal_group(one.pid, signal.SIGKILL)
            psutil.wait_procs([process], timeout=GRACE_SECONDS)
    return found
