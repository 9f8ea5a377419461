"""Do the same to many items on all processors, in order; forked, because an interpreter takes longer to start."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
WORTHWHILE = 200  # items below which forking costs more than it saves
MOST_PROCESSES = 4


def flat_map(function: Callable[[Item], list[Result]], items: Sequence[Item]) -> list[Result]:
    """Return the results of a function for all items, in the order of the items; results must be picklable.

    What the function raises is raised here. Where processes cannot be forked, all is done in this one.
    """
    count = min(_processors(), MOST_PROCESSES) if len(items) >= WORTHWHILE else 1
    size = -(-len(items) // count) if items else 1
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    children = [_started(function, part) for part in parts[1:]]
    try:
        results = [result for item in (parts[0] if parts else ()) for result in function(item)]
    finally:
        answers: list[list[Result] | BaseException] = [_answer(*child) for child in children]
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        results += answer
    return results


def _processors() -> int:
    if not hasattr(os, "fork") or not hasattr(os, "sched_getaffinity"):
        return 1
    return len(os.sched_getaffinity(0))


def _started(function: Callable[[Item], list[Result]], items: Sequence[Item]) -> tuple[int, int]:
    """Fork a child that does some of the items; return its process id and the pipe that its answer comes through."""
    reads, writes = os.pipe()
    process = os.fork()
    if process:
        os.close(writes)
        return process, reads
    answer: list[Result] | BaseException
    try:
        os.close(reads)
        answer = [result for item in items for result in function(item)]
    except BaseException as error:  # noqa: BLE001  the parent raises it
        answer = error
    with os.fdopen(writes, "wb") as pipe:
        pickle.dump(answer, pipe)
    os._exit(0)


def _answer(process: int, reads: int) -> list[Result] | BaseException:
    """Return what a child found, or what it raised."""
    with os.fdopen(reads, "rb") as pipe:
        data = pipe.read()
    os.waitpid(process, 0)
    if not data:
        return RuntimeError(f"process {process} ended without an answer")
    answer: list[Result] | BaseException = pickle.loads(data)  # noqa: S301  written by our own child
    return answer
