"""The workers of a parallel job: as many processes as there are places, one mini batch at a time each."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import worker
from .batches import Batch, sent
from .settings import Settings


class StartError(Exception):
    """A worker could not be started: the entry script or its ``init()`` failed."""


@dataclass
class Place:
    """A place for a worker: the process that is there, and the mini batch it is at since when."""

    number: int
    process: subprocess.Popen[bytes]
    tasks: Any
    answers: int
    read: bytes = b""
    is_ready: bool = False
    batch: Batch | None = None
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Site:
    """Where workers run: the entry script and its arguments, the folder of results, and that of logs."""

    settings: Settings
    arguments: Sequence[str]
    results: Path
    logs: Path


def hire(site: Site, number: int) -> Place:
    """Start a worker; its output goes to a log of its own, as on the service."""
    node, process = divmod(number, site.settings.processes)
    log = site.logs / "user" / "stdout" / str(node) / f"process{process:03d}.stdout.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    task_read, task_write = os.pipe()
    answer_read, answer_write = os.pipe()
    command = [sys.executable, str(Path(worker.__file__)), str(task_read), str(answer_write)]
    command += [str(site.results), site.settings.entry_script, *site.arguments]
    with log.open("ab") as output:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(task_read, answer_write),
            env={**os.environ, "NODE_RANK": str(node), "AZ_BATCHAI_TASK_INDEX": str(number)},
        )
    os.close(task_read)
    os.close(answer_write)
    return Place(number, started, os.fdopen(task_write, "w", encoding="utf-8"), answer_read)


def give(place: Place, batch: Batch) -> None:
    """Hand a mini batch to a worker that is ready; one that has died is noticed when it does not answer."""
    place.batch, place.since = batch, time.monotonic()
    try:
        place.tasks.write(sent(batch))
        place.tasks.flush()
    except BrokenPipeError:
        return


def dismiss(place: Place, *, kill: bool = False) -> None:
    """End a worker; one that is at work ends after its mini batch unless it is killed."""
    if kill:
        place.process.kill()
    with contextlib.suppress(BrokenPipeError):  # it is gone already
        place.tasks.close()
    place.process.wait()
    os.close(place.answers)


def answers(places: Mapping[int, Place], seconds: float) -> list[tuple[Place, dict[str, Any] | None]]:
    """Wait for answers; None is a worker that died without one."""
    by_pipe = {place.answers: place for place in places.values()}
    ready, _, _ = select.select(list(by_pipe), [], [], seconds)
    found: list[tuple[Place, dict[str, Any] | None]] = []
    for pipe in ready:
        place = by_pipe[pipe]
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            found.append((place, None))
            continue
        *lines, place.read = (place.read + chunk).split(b"\n")
        found += [(place, json.loads(line)) for line in lines]
    return found
