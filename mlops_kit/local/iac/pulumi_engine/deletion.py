"""In which order resources go: each after everything that depends on it, and what is independent at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from mlops_kit.local.iac.pulumi_engine.state import Entry


def waits_for(entries: Iterable[Entry]) -> dict[str, set[str]]:
    """Return for each URN those that must be gone before it: dependents, children, and what lies below it in ARM."""
    found = {one.urn: one for one in entries}
    waits: dict[str, set[str]] = {urn: set() for urn in found}
    for one in found.values():
        for needed in {*one.dependencies, one.parent} & set(found):
            waits[needed].add(one.urn)
    ids = {one.id.lower(): one.urn for one in found.values() if one.in_arm}
    for place, urn in ids.items():
        for above in _above(place):
            if above in ids:
                waits[ids[above]].add(urn)
    return waits


def _above(resource_id: str) -> Iterable[str]:
    """Yield the ids that an id lies in, the nearest first."""
    while "/" in resource_id.strip("/"):
        resource_id = resource_id.rpartition("/")[0]
        yield resource_id


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries so that each comes after everything that must be gone before it."""
    left = {one.urn: one for one in entries}
    waits = waits_for(left.values())
    ordered: list[Entry] = []
    while left:
        free = [urn for urn in left if not waits[urn] & set(left)] or list(left)  # a circle is broken, not waited for
        ordered += [left.pop(urn) for urn in free]
    return ordered


def each(entries: Iterable[Entry], act: Callable[[Entry], bool], parallel: int) -> None:
    """Call ``act`` for each entry when it may go, ``parallel`` at a time; begin no other once one returns False."""
    left = {one.urn: one for one in entries}
    waits = waits_for(left.values())
    running: dict[Future[bool], str] = {}
    going = True
    with ThreadPoolExecutor(parallel) as threads:
        while running or (left and going):
            busy = set(running.values())
            free = [urn for urn in left if urn not in busy and not waits[urn] & set(left)]
            if going:
                free = free or ([] if running else list(left)[:1])
                running.update({threads.submit(act, left[urn]): urn for urn in free})
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                urn = running.pop(one)
                if one.result():
                    left.pop(urn)
                else:
                    going = False
