"""``mlops-kit job``: list, show, draw, stream, cancel, download and compare jobs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mlops_kit.cli import finish, job_graph, options, present
from mlops_kit.cli.connection import Where, connected, in_workspace
from mlops_kit.errors import MlopsKitError
from mlops_kit.workspace import children as child_jobs
from mlops_kit.workspace import failures, jobs, tracking, waiting
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.unknown import not_found

SECONDS = options.Seconds(min=0)


class State(click.ParamType[str]):
    """A state of jobs, in any letter case."""

    name = "state"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Return the state as the service spells it."""
        known = {state.lower(): state for state in waiting.STATES}
        if value and value.lower() not in known:
            raise not_found("state of a job", value, waiting.STATES)
        return known.get(value.lower(), "")


@click.group()
def command() -> None:
    """List, show, draw, stream, cancel, download and compare jobs."""


command.add_command(job_graph.command, "graph")


@command.command(name="list")
@click.option("--experiment", default="", help="Only jobs of this experiment.")
@click.option("--status", type=State(), default="", metavar="STATE", help="Only jobs in this state, such as Running.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Only jobs with this tag; may be repeated.")
@click.option("--parent", default="", help="The children of this job.")
@click.option("--archived", is_flag=True, help="Archived jobs instead of active ones.")
@click.option("--limit", type=options.Count(min=1), metavar="N", default=50, show_default=True, help="At most so many.")
@in_workspace
def list_(where: Where, tags: tuple[str, ...], **given: Any) -> None:
    """List jobs, the newest first."""
    filters = jobs.Filters(tags=options.pairs(tags, "--tag"), **given)
    with connected(where) as workspace:
        found = jobs.every(workspace, filters)
        ran = seconds(workspace, found)
    rows = [{**each, "seconds": ran.get(each["name"])} for each in found]
    names = ("name", "experiment", "type", "status", "created", "duration")
    shown = [{**row, "duration": present.duration(row["seconds"])} for row in rows]
    where.show(rows, lambda _: present.columns(shown, names, "no jobs"))


def seconds(workspace: Workspace, rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return how long the jobs ran; a list without it is better than none."""
    try:
        return jobs.seconds(workspace, rows)
    except MlopsKitError as error:
        click.echo(f"warning: {error}", err=True)
        return {}


@command.command()
@click.argument("name")
@in_workspace
def show(name: str, where: Where) -> None:
    """Show a job: its state, inputs, what it logged, and the files it wrote."""
    with connected(where) as workspace:
        found = jobs.show(workspace, name)
    where.show(found, present.outline)


@command.command()
@click.argument("name")
@in_workspace
def children(name: str, where: Where) -> None:
    """List the steps of a pipeline or the trials of a sweep, with what each of them logged."""
    with connected(where) as workspace:
        found = child_jobs.of(workspace, name)
    rows = [{**asdict(ran.child), "metrics": ran.metrics, "seconds": ran.seconds} for ran in found]
    shown = [
        {
            **row,
            "step": row["title"],
            "duration": None if row["reused"] else present.duration(row["seconds"]),
            "metrics": ", ".join(f"{key}={value:.6g}" for key, value in row["metrics"].items()) or None,
        }
        for row in rows
    ]
    names = ("step", "status", "duration", *(["reuse"] if any(row["reuse"] for row in rows) else []), "metrics", "name")
    where.show(rows, lambda _: present.columns(shown, names, "the job has no children"))


@command.command()
@click.argument("name")
@click.option("--timeout", type=SECONDS, metavar="SECONDS", help="Give up after so many seconds of running.")
@click.option("--queue-timeout", type=SECONDS, metavar="SECONDS", help="Give up after so many seconds in the queue.")
@in_workspace
def stream(name: str, where: Where, timeout: float | None, queue_timeout: float | None) -> None:
    """Follow the log of a job on stderr until it ends; the exit code is the job's."""
    with connected(where) as workspace:
        jobs.get(workspace, name)
        ended = finish.finish(workspace, name, finish.limits(timeout, queue_timeout), stream=True)
    where.show({"name": name, **ended.result}, _state)
    if ended.fault:
        raise ended.fault


@command.command()
@click.argument("name")
@in_workspace
def cancel(name: str, where: Where) -> None:
    """Cancel a job; one that has ended stays as it is."""
    with connected(where) as workspace:
        cancelled = jobs.cancel(workspace, name)
        state = jobs.row(jobs.get(workspace, name))["status"]
    where.show({"name": name, "status": state, "had_ended": not cancelled}, _state)


def _state(found: dict[str, Any]) -> str:
    return f"{found['name']}  {found['status']}" + ("  (had ended already)" if found.get("had_ended") else "")


@command.command()
@click.argument("name")
@click.option("--path", "prefix", default="", help="One file, or one folder, of the job; see 'job files'.")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where to write.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@in_workspace
def download(name: str, where: Where, prefix: str, folder: Path, force: bool) -> None:
    """Download what a job wrote: everything with its named outputs, or one --path of it."""
    with connected(where) as workspace:
        if prefix:
            written = jobs.download(workspace, name, folder, prefix, force=force)
        else:
            written = jobs.download_outputs(workspace, name, folder, force=force)
    where.show([str(path) for path in written], lambda found: "\n".join(found) or "the job has no files")


@command.command()
@click.argument("name")
@click.option("--path", "prefix", default="", help="Only this folder.")
@in_workspace
def files(name: str, where: Where, prefix: str) -> None:
    """List the files of a job, folders included, sorted."""
    with connected(where) as workspace:
        found = jobs.files(workspace, name, prefix)
    rows = [asdict(each) for each in found]
    text = present.columns(rows, ("size", "path"), "the job has no files")
    where.show([each.path for each in found], lambda _: text)


@command.command()
@click.argument("name")
@click.option("--history", is_flag=True, help="Every value of every metric, not only the last.")
@in_workspace
def metrics(name: str, where: Where, history: bool) -> None:
    """Show the metrics that a job logged."""
    with connected(where) as workspace:
        jobs.get(workspace, name)
        with failures.readable(f"read the metrics of {name!r}"):
            found: dict[str, Any] = dict(tracking.logged(workspace.tracking, name).metrics)
            if history:
                points = {key: tracking.history(workspace.tracking, name, key) for key in found}
                found = {key: [asdict(point) for point in values] for key, values in points.items()}
    where.show(found, _metrics_text)


def _metrics_text(found: dict[str, Any]) -> str:
    """Return metrics as a table, one line a value."""
    rows = [
        {"metric": key, **(point if isinstance(point, dict) else {"value": point})}
        for key, values in found.items()
        for point in (values if isinstance(values, list) else [values])
    ]
    names = ("metric", "step", "value") if any("step" in row for row in rows) else ("metric", "value")
    return present.columns(rows, names, "the job logged no metrics")


@command.command()
@click.argument("first")
@click.argument("second")
@in_workspace
def compare(first: str, second: str, where: Where) -> None:
    """Show the inputs, parameters and metrics in which two jobs differ, and nothing else."""
    with connected(where) as workspace:
        found = jobs.compare(workspace, first, second)
    rows = [
        {"what": kind, "key": key, first: values[0], second: values[1]}
        for kind, differing in found.items()
        for key, values in differing.items()
    ]
    where.show(found, lambda _: present.columns(rows, ("what", "key", first, second), "the jobs do not differ"))
