"""``mlops-kit schedule``: when the schedules of a template fire, told without a workspace; and those of a workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import yaml

from mlops_kit import checks, documents, fire_times, render
from mlops_kit.checks import triggers
from mlops_kit.cli import faults, options, present
from mlops_kit.cli.connection import Where, connected, in_workspace
from mlops_kit.documents import Document, Map, Scalar
from mlops_kit.errors import UsageError
from mlops_kit.project import Project
from mlops_kit.workspace import hints, references, schedules

if TYPE_CHECKING:
    from mlops_kit.workspace.connect import Workspace
    from mlops_kit.workspace.submit import Item

COLUMNS = ("schedule", "local", "utc")


ROW = ("name", "enabled", "trigger", "time_zone", "start", "end")


@click.group()
def command() -> None:
    """Show when schedules fire; apply, list, show, enable, disable, trigger and delete them."""


@command.command()
@click.argument("template")
@click.option(
    "--count", type=options.Count(min=1, max=1000), default=5, show_default=True, help="How many times to show."
)
@click.option(
    "--from",
    "since",
    metavar="TIME",
    help="Show times from this one on, such as 2026-03-28 or 2026-03-28T08:00; in the schedule's zone unless it has an "
    "offset.  [default: now]",
)
@options.set_option
@options.output_option
@options.environment_option
@options.project_option
def preview(
    *,
    template: str,
    count: int,
    since: str | None,
    settings: tuple[str, ...],
    output: str,
    env: str | None,
    project: Project,
) -> None:
    """Show the next times at which the schedules of TEMPLATE fire, on the clock of their zone and in UTC.

    TEMPLATE is a schedule, a monitor or a compute instance. A schedule without a start counts from --from, as it would
    from its creation.
    """
    rendered = _rendered(project, template, env, settings)
    moment = _moment(since) if since else datetime.now(UTC)
    rows = [row for document in rendered for row in _rows(document, moment, count)]
    options.print_result(rows, output, lambda found: present.columns(found, COLUMNS, "the schedule fires no more"))


@command.command()
@click.argument("template")
@click.option("--enabled/--disabled", default=None, help="Let it fire, or not.  [default: as it is; see above]")
@options.set_option
@options.yes_option
@in_workspace
def apply(template: str, enabled: bool | None, settings: tuple[str, ...], yes: bool, where: Where) -> None:
    """Create the schedules of TEMPLATE, or change what differs; applied twice, each is there once.

    A new schedule fires in a protected environment and is disabled in every other one, unless --enabled says so; one
    that is there stays as it is. A job in a file of the project is rendered like any template.
    """
    from mlops_kit.cli import prepare  # here, so that the other verbs do not wait for it

    prepared = prepare.prepare(where, template, settings, taken={"job_schedule": "schedule"})
    environment = prepared.environment
    wanted = [schedules.Wanted(item, _job(where, item, settings)) for item in prepared.items]
    options.require_consent(environment, yes, f"apply {template}")
    with connected(where, environment) as workspace:
        _require_references(workspace, wanted)
        made = [
            schedules.apply(workspace, each, enabled=enabled, enabled_at_first=environment.protected) for each in wanted
        ]
    rows = [asdict(each) for each in made]
    where.show(rows[0] if len(rows) == 1 else rows, lambda _: "\n".join(map(_applied, made)))


def _job(where: Where, item: Item, settings: Iterable[str]) -> Item | None:
    """Return the document of the job in a file that a schedule names, rendered; None for a job of the workspace.

    Raises:
        UsageError: The file does not hold one job.
    """
    from mlops_kit.cli import prepare

    name, changes = schedules.job_of(yaml.safe_load(item.text))
    if not name:
        return None
    path = item.path.parent / name
    of_environment = [text for text in settings if text.startswith("env.")]
    items = prepare.prepare(where, str(path), of_environment, taken={"job": "job"}).items
    if len(items) != 1:
        raise UsageError(f"{path.name} becomes {len(items)} jobs; a schedule submits one")
    return schedules.changed(items[0], changes)


def _require_references(workspace: Workspace, wanted: Iterable[schedules.Wanted]) -> None:
    """Print every reference of the jobs to what the workspace lacks, and refuse to go on after one."""
    found = references.faults(workspace.ml, [each.job for each in wanted if each.job])
    for fault in found:
        click.echo(str(fault), err=True)
    if found:
        raise UsageError(f"{options.counted(len(found), 'error')}; nothing was applied")


def _applied(one: schedules.Applied) -> str:
    return f"{one.name}  {one.outcome}, {'enabled' if one.enabled else 'disabled'}"


@command.command(name="list")
@in_workspace
def list_(where: Where) -> None:
    """List the schedules of the workspace, those that are disabled too."""
    with connected(where) as workspace:
        rows = schedules.every(workspace.ml)
    where.show(rows, _table)


@command.command()
@click.argument("name")
@in_workspace
def show(name: str, where: Where) -> None:
    """Show one schedule, with the job that it submits."""
    with connected(where) as workspace:
        found = schedules.show(workspace.ml, name)
    where.show(found, present.outline)


@command.command()
@click.argument("name")
@options.yes_option
@in_workspace
def enable(name: str, yes: bool, where: Where) -> None:
    """Let a schedule fire from now on."""
    _switch(name, where, yes, enabled=True)


@command.command()
@click.argument("name")
@options.yes_option
@in_workspace
def disable(name: str, yes: bool, where: Where) -> None:
    """Let a schedule fire no more until it is enabled; what it missed meanwhile is not made up for."""
    _switch(name, where, yes, enabled=False)


def _switch(name: str, where: Where, yes: bool, *, enabled: bool) -> None:
    environment = where.environment()
    options.require_consent(environment, yes, f"{'enable' if enabled else 'disable'} the schedule {name}")
    with connected(where, environment) as workspace:
        row = schedules.switch(workspace.ml, name, enabled=enabled)
    where.show(row, lambda found: _table([found]))


@command.command()
@click.argument("name")
@options.yes_option
@in_workspace
def trigger(name: str, yes: bool, where: Where) -> None:
    """Submit the job of a schedule now, once; print its name."""
    environment = where.environment()
    options.require_consent(environment, yes, f"trigger the schedule {name}")
    with connected(where, environment) as workspace:
        job = schedules.trigger(workspace.ml, name)
        onward = hints.goes_on(job, workspace.target.options)
    click.echo(onward, err=True)
    where.show({"schedule": name, "job": job}, lambda found: str(found["job"]))


@command.command()
@click.argument("name")
@options.yes_option
@in_workspace
def delete(name: str, yes: bool, where: Where) -> None:
    """Delete a schedule, one that is enabled too; its jobs stay."""
    environment = where.environment()
    options.require_consent(environment, yes, f"delete the schedule {name}")
    with connected(where, environment) as workspace:
        schedules.delete(workspace.ml, name)
    where.show({"name": name, "deleted": True}, lambda _: f"{name}  deleted")


def _table(rows: list[dict[str, Any]]) -> str:
    return present.columns(rows, ROW, "no schedule")


def _rendered(project: Project, template: str, env: str | None, settings: Iterable[str]) -> tuple[Document, ...]:
    """Return the documents of a template that have triggers and no faults.

    Raises:
        UsageError: It has faults, which have been printed, or no triggers.
    """
    overrides, own = options.sorted_settings(settings)
    environment = options.chosen_environment(project, env, overrides=overrides)
    path = options.template_path(project, template)
    files = checks.Files(project.folder)
    rendered = faults.rendered(documents.load(path), environment, render.parse_settings(own), files)
    faults.require_none(rendered, files, "when the schedule fires is not known", protected=environment.protected)
    scheduled = tuple(document for document in rendered if any(_triggers(document)))
    if not scheduled:
        raise UsageError(f"{documents.displayed(path)} has no trigger: it is no schedule")
    return scheduled


def _triggers(document: Document) -> Iterator[Map]:
    kind = checks.kind_of(document)
    if kind in triggers.KINDS and isinstance(document.root, Map):
        yield from triggers.triggers(document.root, kind)


def _rows(document: Document, since: datetime, count: int) -> Iterator[dict[str, Any]]:
    """Yield the moments of one document in their order."""
    name = document.root.get("name") if isinstance(document.root, Map) else None
    for trigger in _triggers(document):
        meant = triggers.trigger_of(trigger)
        asked = since if since.tzinfo else since.replace(tzinfo=meant.zone)
        for moment in fire_times.fire_times(meant, asked, count):
            yield {
                "schedule": name.text if isinstance(name, Scalar) else document.path.stem,
                "local": f"{moment.astimezone(meant.zone):%a %Y-%m-%d %H:%M %Z}",
                "utc": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            }


def _moment(text: str) -> datetime:
    """Return a time of the command line, which may lack its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--from {text!r} is no time; write it as 2026-03-28T08:00") from None
    if not 1 < moment.year < 9999:
        raise UsageError(f"--from {text!r} is at the end of the calendar, where clocks of other zones have no time")
    return moment
