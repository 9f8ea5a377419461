"""The master of a parallel job: it hands out mini batches, tries failed ones again, counts, and joins the results.

``run_parallel.py INPUT APPEND_TO -- ARGUMENTS``: the input's path, the file or folder that the rows of all results go
to (or ``-``), and the arguments of the entry script. Its exit code is 0 unless more has failed than may fail.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import crew, worker
from .batches import Batch, cut
from .crew import Place, Site, StartError
from .settings import Settings, read

_LOOK_SECONDS = 0.5
FILE_NAME = "parallel_run_step.txt"  # in an output that is a folder
_SHOWN = 20  # names of failed mini batches in the summary


@dataclass
class Tally:
    """What has become of the mini batches so far."""

    waiting: deque[Batch]
    tries: dict[int, int] = field(default_factory=dict)
    done: list[Batch] = field(default_factory=list)
    failed: list[Batch] = field(default_factory=list)
    failed_items: int = 0


class TooManyFailuresError(Exception):
    """More has failed than a threshold allows; the message says which and how much."""


def main() -> None:
    """Run from the command line."""
    source, append_to, _, *arguments = sys.argv[1:]
    settings = read()
    with tempfile.TemporaryDirectory(prefix="parallel-") as folder:
        results, rows = Path(folder, "results"), Path(folder, "rows")
        results.mkdir()
        rows.mkdir()
        tally = Tally(deque(cut(Path(source), settings, rows)))
        count = len(tally.waiting)
        _say(f"{count} mini batches for up to {settings.workers} workers")
        try:
            _work(Site(settings, arguments, results, Path("logs")), tally)
        except (TooManyFailuresError, StartError) as failure:
            _summarize(tally, count)
            sys.exit(str(failure))
        _summarize(tally, count)
        if append_to != "-":
            _join(tally, results, Path(append_to))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _work(site: Site, tally: Tally) -> None:
    """Keep every place busy until all mini batches are done or have failed."""
    places: dict[int, Place] = {}
    try:
        for number in range(min(site.settings.workers, len(tally.waiting))):
            places[number] = crew.hire(site, number)
        while tally.waiting or any(place.batch for place in places.values()):
            for place in places.values():
                if place.is_ready and place.batch is None and tally.waiting:
                    crew.give(place, tally.waiting.popleft())
            for place, answer in crew.answers(places, _LOOK_SECONDS):
                _heard(site, tally, places, place, answer)
            _end_late(site, tally, places)
    except BaseException:
        for place in places.values():
            crew.dismiss(place, kill=True)
        raise
    for place in places.values():
        crew.dismiss(place)


def _heard(site: Site, tally: Tally, places: dict[int, Place], place: Place, answer: dict[str, Any] | None) -> None:
    """Act on the answer of a worker."""
    if answer is None:
        _replace(site, tally, places, place, "the worker died")
    elif not place.is_ready:
        if answer["state"] == worker.FAILED:
            raise StartError(f"The entry script could not be started:\n{answer['error']}")
        place.is_ready = True
    elif place.batch is not None:
        batch, place.batch = place.batch, None
        if answer["state"] == worker.DONE:
            _finish(site.settings, tally, batch, int(answer["items"]))
        else:
            _fail(site.settings, tally, batch, str(answer["error"]).strip())


def _finish(settings: Settings, tally: Tally, batch: Batch, items: int) -> None:
    """Count a mini batch that is done; items without a result have failed."""
    tally.done.append(batch)
    missing = max(0, batch.items - items)
    if missing:
        _say(f"mini batch {batch.index}: run() returned {items} results for {batch.items} items ({batch.names})")
        _count_items(settings, tally, missing)
    _say(f"mini batch {batch.index} done, {len(tally.done)} of {_total(tally)}")


def _fail(settings: Settings, tally: Tally, batch: Batch, reason: str) -> None:
    """Try a failed mini batch again, or count it."""
    tries = tally.tries[batch.index] = tally.tries.get(batch.index, 0) + 1
    _say(f"mini batch {batch.index} failed, try {tries}: {batch.names}\n{reason}")
    if tries <= settings.retries:
        tally.waiting.append(batch)
        return
    tally.failed.append(batch)
    limit = settings.mini_batch_error_threshold
    if 0 <= limit < len(tally.failed):
        raise TooManyFailuresError(
            f"{len(tally.failed)} mini batches have failed, more than mini_batch_error_threshold allows ({limit})."
        )
    _count_items(settings, tally, batch.items)


def _count_items(settings: Settings, tally: Tally, count: int) -> None:
    tally.failed_items += count
    limit = settings.error_threshold
    if 0 <= limit < tally.failed_items:
        raise TooManyFailuresError(
            f"{tally.failed_items} items have failed, more than error_threshold allows ({limit})."
        )


def _end_late(site: Site, tally: Tally, places: dict[int, Place]) -> None:
    """Kill workers that take longer than a mini batch may."""
    now = time.monotonic()
    for place in list(places.values()):
        if place.batch is not None and site.settings.timeout and now - place.since > site.settings.timeout:
            _replace(site, tally, places, place, f"it took longer than {site.settings.timeout:g} seconds")


def _replace(site: Site, tally: Tally, places: dict[int, Place], place: Place, reason: str) -> None:
    """Put a new worker into a place; its mini batch has failed."""
    crew.dismiss(place, kill=True)
    if not place.is_ready:
        raise StartError("The entry script ended the worker before it was ready; see logs/user/stdout.")
    del places[place.number]
    if place.batch is not None:
        _fail(site.settings, tally, place.batch, reason)
    if tally.waiting:
        places[place.number] = crew.hire(site, place.number)


def _total(tally: Tally) -> int:
    return len(tally.waiting) + len(tally.done) + len(tally.failed)


def _summarize(tally: Tally, count: int) -> None:
    done, failed = len(tally.done), len(tally.failed)
    _say(f"{done} of {count} mini batches done, {failed} failed, {tally.failed_items} items failed")
    for batch in tally.failed[:_SHOWN]:
        _say(f"failed: {batch.names}")


def _join(tally: Tally, results: Path, target: Path) -> None:
    """Write the rows of all results into one file, in the order of the mini batches."""
    target = target / FILE_NAME if target.is_dir() else target
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.new")
    with draft.open("wb") as whole:
        for batch in sorted(tally.done, key=lambda each: each.index):
            with (results / f"{batch.index}.txt").open("rb") as part:
                shutil.copyfileobj(part, whole)
    draft.replace(target)
