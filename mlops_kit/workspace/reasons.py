"""Why a job ended badly: its failed children, the end of their logs, and the line that names the exception."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlops_kit.workspace import artifacts, hints
from mlops_kit.workspace.children import PARENTS
from mlops_kit.workspace.enums import word

LINES = 20
EXCEPTION = re.compile(
    r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Failed|Missing|NotFound|Warning)\b(?:: .*)?"
)
ERROR = re.compile(r"\s*(error\b|\u00d7|x )", re.IGNORECASE)
UNTOLD = "base"  # what the SDK calls every child in a list, whatever it is
# The logs of a job, the one that a person would read first before the others.
USER_LOGS = (r"user_logs/std_log.*\.txt", r"(logs/azureml/executionlogs|azureml-logs/70_driver_log.*)\.txt")
BUILD_LOGS = (r"system_logs/build\.txt", r"azureml-logs/20_image_build_log\.txt")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one job failed; ``step`` is empty for a job without parent, ``log`` is a path among its files.

    ``sentence`` is one line; ``lines`` are the end of the log and what else the service said.
    """

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
    failed = _failed_children(ml, job) if word(job.type).lower() in {*PARENTS, UNTOLD} or not step else []
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
    return reason(Reason(job.name, step, "", log, lines, hints.page(job)), stated(ml, job.name))


def reason(known: Reason, message: str) -> Reason:
    """Add to a log what the service said of it: one sentence, and the rest of its lines where there is no log."""
    first, *rest = [line.rstrip() for line in message.splitlines() if line.strip()] or [""]
    if first.endswith(":") and rest:  # what follows is the end of a log; one line of it says most
        first += f" {next((line for line in rest if ERROR.match(line)), rest[-1]).strip()}"
    # A log of the build is full of words that look like an exception.
    raised = exception_line(known.lines) if _is_one_of(USER_LOGS, known.log) else ""
    sentence = raised or first or _last_line(known.lines)
    return replace(known, sentence=sentence.strip(), lines=known.lines[-LINES:] if known.log else tuple(rest))


def _last_line(lines: tuple[str, ...]) -> str:
    """Return the last line that says anything."""
    return next((line for line in reversed(lines) if line.strip()), "no reason was given")


def log_path(found: tuple[artifacts.Artifact, ...]) -> str:
    """Return the path of the log a person would read first, or the empty string."""
    paths = sorted(each.path for each in found)
    return next((path for kind in (*USER_LOGS, *BUILD_LOGS) for path in paths if re.fullmatch(kind, path)), "")


def _is_one_of(kinds: tuple[str, ...], path: str) -> bool:
    return any(re.fullmatch(kind, path) for kind in kinds)


def exception_line(lines: tuple[str, ...]) -> str:
    """Return the last line that names an exception, or the empty string."""
    return next((line for line in reversed(lines) if EXCEPTION.fullmatch(line.strip())), "")


def stated(ml: Any, job: str) -> str:
    """Return the message that the service recorded for the end of a job, or the empty string.

    azure-ai-ml 1.35 offers it nowhere else: ``stream`` raises it for a failed job, and drops it for a cancelled one.
    """
    error = ml.jobs._runs_operations.get_run_details(job).error  # noqa: SLF001
    return stated_message(error.as_dict()) if error else ""


def stated_message(document: Mapping[str, Any]) -> str:
    """Return the message of an error document of the service."""
    return str((document.get("error") or document).get("message") or "")
