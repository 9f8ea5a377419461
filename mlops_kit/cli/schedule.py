"""``mlops-kit schedule``: when the schedules of a template fire, told without a workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import click

from mlops_kit import checks, documents, fire_times, render
from mlops_kit.checks import triggers
from mlops_kit.cli import faults, options, present
from mlops_kit.documents import Document, Map, Scalar
from mlops_kit.errors import UsageError
from mlops_kit.project import Project

COLUMNS = ("schedule", "local", "utc")


@click.group()
def command() -> None:
    """Show when schedules fire."""


@command.command(name="next")
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
def next_(
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
