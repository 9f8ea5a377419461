"""Bring a submitted job to its end: wait or follow, and say on stderr why it failed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import click

from mlops_kit.errors import Cancelled, MlopsKitError, OperationFailed, WaitExpired
from mlops_kit.workspace import failures, jobs, reasons, waiting
from mlops_kit.workspace.connect import Workspace

JOIN_SECONDS = 10  # for the last lines of a log after the job has ended


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended; ``fault`` is what the command must raise after it has printed its result."""

    result: dict[str, Any]
    fault: MlopsKitError | None


def finish(workspace: Workspace, job: str, limits: waiting.Limits, stream: bool) -> Ended:
    """Wait for a job, following its log if asked; on failure print the reasons. Ctrl-C leaves the job alone."""
    follower = jobs.follow(workspace, job) if stream else None
    try:
        outcome = waiting.wait(job, jobs.state(workspace.ml, job), limits, lambda line: say(job, line))
    except KeyboardInterrupt:
        click.echo(farewell(job, workspace.target.environment), err=True)
        raise
    except WaitExpired as error:
        return Ended({"status": "unknown"}, error)
    if follower:
        follower.join(JOIN_SECONDS)
    return _judge(workspace, job, outcome)


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
    return Ended(result, Cancelled(f"the job {job!r} was cancelled") if outcome.state == "Canceled" else None)


def farewell(job: str, environment: str) -> str:
    """Return what a person must know who stops waiting."""
    return (
        f"interrupted; the job {job} goes on: 'mlops-kit job stream {job} -e {environment}' follows it, "
        f"'mlops-kit job cancel {job} -e {environment}' ends it"
    )


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
        click.echo("\n".join(report(reason, on_github)), err=True)
    sentences = [f"step {each.step}: {each.sentence}" if each.step else each.sentence for each in found]
    if on_github:
        click.echo(annotation(job, "; ".join(sentences)), err=True)
    return sentences[0] + (f" (and {len(sentences) - 1} more failed steps)" if len(sentences) > 1 else "")


def report(reason: reasons.Reason, on_github: bool) -> list[str]:
    """Return the lines that tell a person why one job failed."""
    what = f"step {reason.step} ({reason.job})" if reason.step else reason.job
    head = f"{what} failed: {reason.sentence}"
    body = [f"  | {line}" for line in reason.lines] or ["  (it left no log)"]
    if on_github:
        body = [f"::group::last {len(reason.lines)} lines of the log of {what}", *body, "::endgroup::"]
    more = [f"  whole log: mlops-kit job download {reason.job} --path {reason.log} --to DIR"] if reason.log else []
    return [head, *body, *more, *([f"  {reason.link}"] if reason.link else [])]


def annotation(job: str, sentence: str) -> str:
    """Return the command that makes GitHub show an error at the top of a run; its data is escaped as GitHub asks."""
    text = sentence.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error title=job {job} failed::{text}"


def limits(timeout: float | None, queue_timeout: float | None) -> waiting.Limits:
    """Return the limits of a wait from the options of a command, in seconds."""
    return replace(waiting.Limits(), run=timeout, queue=queue_timeout)
