"""Why a job failed: its failed children, the end of their logs, and the line that names the exception."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlops_kit.workspace import artifacts
from mlops_kit.workspace.enums import word

LINES = 20
EXCEPTION = re.compile(
    r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Failed|Missing|NotFound|Warning)\b(?:: .*)?"
)
PARENTS = frozenset({"pipeline", "sweep", "automl"})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one job failed; ``step`` is empty for a job without parent, ``log`` is a path among its files."""

    job: str
    step: str
    sentence: str
    log: str
    lines: tuple[str, ...]
    link: str


def reasons(ml: Any, store: Any, job: Any) -> tuple[Reason, ...]:
    """Return one reason for every failed job at the ends of the tree below ``job``, or one for the job itself."""
    ends = list(failed_ends(ml, job, ""))
    return tuple(_reason(ml, store, each, step) for each, step in ends)


def failed_ends(ml: Any, job: Any, step: str) -> Iterator[tuple[Any, str]]:
    """Yield the failed jobs that have no failed child, with the path of their step names."""
    failed = _failed_children(ml, job) if word(job.type).lower() in PARENTS or not step else []
    for child in failed:
        name = child.display_name or child.name
        yield from failed_ends(ml, child, f"{step}/{name}" if step else name)
    if not failed:
        yield job, step


def _failed_children(ml: Any, job: Any) -> list[Any]:
    """Return the failed children of a job; the SDK yields None for kinds it cannot read."""
    return [
        child
        for child in ml.jobs.list(parent_job_name=job.name)
        if child is not None and word(child.status) == "Failed"
    ]


def _reason(ml: Any, store: Any, job: Any, step: str) -> Reason:
    """Put together what is known of one failed job."""
    log = log_path(artifacts.files(store, job.name))
    lines = tuple(artifacts.tail(store, job.name, log).splitlines()) if log else ()
    sentence = exception_line(lines) or ("" if step else _stated(ml, job.name)) or _last_line(lines)
    return Reason(job.name, step, sentence.strip(), log, lines[-LINES:], job.studio_url or "")


def _last_line(lines: tuple[str, ...]) -> str:
    """Return the last line that says anything."""
    return next((line for line in reversed(lines) if line.strip()), "no reason was given")


def log_path(found: tuple[artifacts.Artifact, ...]) -> str:
    """Return the path of the log a person would read first, or the empty string."""
    paths = [each.path for each in found]
    logs = [path for path in paths if re.fullmatch(r"user_logs/std_log.*\.txt", path)]
    others = [
        path for path in paths if re.fullmatch(r"(logs/azureml/executionlogs|azureml-logs/70_driver_log.*)\.txt", path)
    ]
    return next(iter(sorted(logs) or others), "")


def exception_line(lines: tuple[str, ...]) -> str:
    """Return the last line that names an exception, or the empty string."""
    return next((line for line in reversed(lines) if EXCEPTION.fullmatch(line.strip())), "")


def _stated(ml: Any, job: str) -> str:
    """Return the error that the service recorded for a job.

    The SDK offers it only inside the exception with which ``stream`` answers for a failed job.
    """
    from azure.ai.ml.exceptions import MlException

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            ml.jobs.stream(job)
    except MlException as error:
        return stated_message(str(error))
    return ""


def stated_message(text: str) -> str:
    """Return the innermost message of the error document in the SDK's exception text."""
    start, end = text.find("{"), text.rfind("}")
    try:
        document = json.loads(text[start : end + 1])
    except ValueError:
        return ""
    error = document.get("error") or document
    return str(error.get("message") or "")
