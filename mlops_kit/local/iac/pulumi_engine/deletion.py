"""In which order resources go: each after everything that depends on it, and what is independent at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from mlops_kit.local.iac.pulumi_engine.state import Entry


def waits_for(entries: Mapping[str, Entry]) -> dict[str, set[str]]:
    """Return for each key those that must be gone before it: dependents, children, and what lies below it in ARM.

    Keys are URNs, which is what dependencies name.
    """
    waits: dict[str, set[str]] = {key: set() for key in entries}
    for key, one in entries.items():
        for needed in {*one.dependencies, one.parent} & set(entries):
            waits[needed].add(key)
    ids = {one.id.lower(): key for key, one in entries.items() if one.in_arm}
    for place, key in ids.items():
        for above in _above(place):
            if above in ids:
                waits[ids[above]].add(key)
    return waits


def _above(resource_id: str) -> Iterable[str]:
    """Yield the ids that an id lies in, the nearest first."""
    while "/" in resource_id.strip("/"):
        resource_id = resource_id.rpartition("/")[0]
        yield resource_id


def each(entries: Mapping[str, Entry], act: Callable[[Entry], bool], parallel: int) -> None:
    """Call ``act`` for each entry when it may go, ``parallel`` at a time; begin no other once one returns False."""
    left = dict(entries)
    waits = waits_for(left)
    running: dict[Future[bool], str] = {}
    going = True
    with ThreadPoolExecutor(parallel) as threads:
        while running or (left and going):
            if going:
                free = _free(left, waits, set(running.values()))
                running.update({threads.submit(act, left[key]): key for key in free})
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                key = running.pop(one)
                if one.result():
                    left.pop(key)
                    for others in waits.values():
                        others.discard(key)
                else:
                    going = False


def _free(left: Mapping[str, Entry], waits: Mapping[str, set[str]], busy: set[str]) -> list[str]:
    """Return what may go now; a circle, which no program can make, is broken rather than waited for."""
    free = [key for key in left if key not in busy and not waits[key]]
    return free or ([] if busy else list(left)[:1])
