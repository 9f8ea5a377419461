"""How a job runs that does nothing but start other jobs, which never outlive it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.runs import bookends, states
from mlops_kit.local.runs.children import Children
from mlops_kit.local.runs.states import JobFailedError, Outcome, StoppedError
from mlops_kit.local.runs.work import Work, fresh

Ended = tuple[Outcome, Mapping[str, object]]


def run(work: Work, noun: str, drive: Callable[[Children], Ended]) -> Ended:
    """Let ``drive`` start children and wait for them; return how the job ended and the properties that it has now.

    ``noun`` is what a message calls the job. What still runs when ``drive`` returns or raises is cancelled.
    """
    fresh(work.folder)
    tracked = bookends.begin(work)
    children = Children(work)
    properties: Mapping[str, object] = {}
    try:
        outcome, properties = drive(children)
    except StoppedError:
        outcome = bookends.stopped(work)
    except JobFailedError as failure:
        outcome = Outcome(states.FAILED, str(failure))
    except (ArmError, OSError, sqlite3.OperationalError) as failure:
        outcome = Outcome(states.FAILED, f"The {noun} could not be run: {failure}", "SystemError")
    finally:
        children.end_all()
    return bookends.conclude(work, tracked, outcome), properties
