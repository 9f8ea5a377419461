"""Bring a submitted job to its end: wait or follow, and say on stderr why it failed."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from mlops_kit.cli import progress
from mlops_kit.errors import Cancelled, MlopsKitError, OperationFailed, WaitExpired
from mlops_kit.workspace import failures, hints, jobs, logs, reasons, waiting
from mlops_kit.workspace.connect import Workspace

JOIN_SECONDS = 10  # for the last lines of a log after the job has ended
PLAIN = frozenset({"", "The job was cancelled", "The run was cancelled"})  # no reason of its own


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended; ``fault`` is what the command must raise after it has printed its result."""

    result: dict[str, Any]
    fault: MlopsKitError | None


def finish(workspace: Workspace, job: str, limits: waiting.Limits, stream: bool) -> Ended:
    """Wait for a job, following its log if asked; on failure print the reasons. Ctrl-C leaves the job alone."""
    onward = hints.goes_on(job, workspace.target.options)
    following: contextlib.AbstractContextManager[threading.Thread | None]
    following = logs.followed(workspace.ml, job) if stream else contextlib.nullcontext()
    shown = progress.way(lambda line: say(job, line), streaming=stream)
    try:
        with following as follower:
            state = progress.followed(workspace, job, jobs.state(workspace.ml, job), shown)
            ask = _after_log(state, follower) if follower else state
            outcome = waiting.wait(job, ask, limits, shown.say)
    except KeyboardInterrupt:
        click.echo(f"interrupted; {onward}", err=True)
        raise
    except WaitExpired as error:
        say(job, onward)
        return Ended({"status": "unknown"}, error)
    return _judge(workspace, job, outcome)


def _after_log(ask: Callable[[], str], follower: threading.Thread) -> Callable[[], str]:
    """Return the question for a state that hears of a job's end only after the log that it is the end of."""

    def asked() -> str:
        state = ask()
        if state in waiting.FINAL_STATES:
            follower.join(JOIN_SECONDS)
        return state

    return asked


def _judge(workspace: Workspace, job: str, outcome: waiting.Outcome) -> Ended:
    """Turn the final state into a result and, unless it is Completed, a fault."""
    result = {
        "status": outcome.state,
        "queued_seconds": round(outcome.queued, 1),
        "running_seconds": round(outcome.ran, 1),
    }
    if outcome.state == "Failed":
        sentence = explain(workspace, job)
        return Ended({**result, "error": sentence}, OperationFailed(f"the job {job!r} failed: {sentence}"))
    if outcome.state == "Canceled":
        why = _why_cancelled(workspace, job)
        fault = Cancelled(f"the job {job!r} was cancelled" + (f": {why}" if why else ""))
        return Ended({**result, "error": why} if why else result, fault)
    return Ended(result, None)


def _why_cancelled(workspace: Workspace, job: str) -> str:
    """Return why a job was cancelled, in one line; the empty string where the service says no more than that."""
    try:
        with failures.readable(f"find out why the job {job!r} was cancelled"):
            message = reasons.stated(workspace.ml, job)
    except MlopsKitError as error:
        return str(error)
    line = message.strip().partition("\n")[0].rstrip(".")
    return "" if line in PLAIN else line


def say(job: str, line: str) -> None:
    """Print one line of progress about a job."""
    click.echo(f"{job}: {line}", err=True)


def explain(workspace: Workspace, job: str, variables: Mapping[str, str] = os.environ) -> str:
    """Print the ends of the failed logs and return the first reason in one sentence."""
    try:
        with failures.readable(f"find out why the job {job!r} failed"):
            found = reasons.reasons(workspace.ml, workspace.store, jobs.get(workspace, job))
    except MlopsKitError as error:  # the failure itself must be told even where its reason cannot be read
        return str(error)
    on_github = variables.get("GITHUB_ACTIONS") == "true"
    for reason in found:
        click.echo("\n".join(report(reason, workspace.target.options, on_github)), err=True)
    sentences = [f"step {each.step}: {each.sentence}" if each.step else each.sentence for each in found]
    if on_github:
        click.echo(annotation(job, "; ".join(sentences)), err=True)
    return sentences[0] + (f" (and {len(sentences) - 1} more failed steps)" if len(sentences) > 1 else "")


def report(reason: reasons.Reason, options: Sequence[str], on_github: bool) -> list[str]:
    """Return the lines that tell a person why one job failed."""
    what = f"step {reason.step} ({reason.job})" if reason.step else reason.job
    head = f"{what} failed: {reason.sentence}" if reason.step else f"{what} failed"  # the command ends with why
    body = [f"  | {line}" for line in reason.lines]
    if not body:
        body = [f"  (its log {reason.log} is empty)" if reason.log else "  (it left no log)"]
    elif on_github:
        body = [f"::group::last {len(body)} lines of the log of {what}", *body, "::endgroup::"]
    download = hints.typed(options, "job", "download", reason.job, "--path", reason.log, "--to", reason.job)
    more = [f"  whole log: {download}"] if reason.log and reason.lines else []
    return [head, *body, *more, *([f"  {reason.link}"] if reason.link else [])]


def annotation(job: str, sentence: str) -> str:
    """Return the command that makes GitHub show an error at the top of a run; its data is escaped as GitHub asks."""
    text = sentence.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error title=job {job} failed::{text}"


def limits(timeout: float | None, queue_timeout: float | None) -> waiting.Limits:
    """Return the limits of a wait from the options of a command, in seconds."""
    return replace(waiting.Limits(), run=timeout, queue=queue_timeout)
