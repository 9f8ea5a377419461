"""Which process is which: by the time at which it started, and by the mark that every process of a job inherits."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

FOLDER = "MLOPS_KIT_RUN_FOLDER"  # the mark: a variable of every process of a job, the folder in which the job runs
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Started:
    """A process as it is recorded: its start tells it from a later one with the same number."""

    pid: int
    born: str  # see ``born``; empty where it had ended before it could be asked


def born(pid: int) -> str:
    """Return when a process started: the machine's start and the clock ticks since, so that no set clock moves it.

    Where the system keeps no such time (macOS) it is the Unix time. Raises psutil.NoSuchProcess.
    """
    if not sys.platform.startswith("linux"):
        return str(psutil.Process(pid).create_time())
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    return f"{_boot()}/{int(fields[19])}"  # field 22 of proc(5), counted after the name


@cache
def _boot() -> str:
    """Return the id of this start of the machine: after another one, numbers and ticks are given again."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def living(started: Started) -> psutil.Process | None:
    """Return a recorded process if it lives; not one that has ended, nor another to which its number was given."""
    try:
        process = psutil.Process(started.pid)
        return process if born(started.pid) == started.born and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def marked(folder: Path) -> list[psutil.Process]:
    """Return the living processes whose mark is a folder or lies below it, whatever group they moved to."""
    found = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(FOLDER, "")
        except (psutil.Error, OSError):  # it has ended, or it is another user's
            continue
        if mark and process.pid != os.getpid() and Path(mark).is_relative_to(folder):
            found.append(process)
    return found


def end_marked(folder: Path) -> int:
    """Kill every process marked with a folder or one below it; return how many there were."""
    ended = set[int]()
    deadline = time.monotonic() + _SECONDS
    while (left := marked(folder)) and time.monotonic() < deadline:  # again: one may have started another meanwhile
        for process in left:
            ended.add(process.pid)
            try:
                process.kill()
            except psutil.Error:
                continue
        time.sleep(0.01)
    return len(ended)
