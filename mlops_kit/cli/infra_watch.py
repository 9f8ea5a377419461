"""``mlops-kit infra watch``: submit what the data triggers of an environment name when blobs change."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_kit.cli import options, plane, present
from mlops_kit.cli.connection import Where, connected, in_workspace
from mlops_kit.errors import UsageError
from mlops_kit.files import write_private
from mlops_kit.slugs import digest
from mlops_kit.workspace import watched

if TYPE_CHECKING:
    from mlops_kit.environments import Environment
    from mlops_kit.workspace.connect import Workspace

SECONDS = options.Seconds(min=0)
Known = Mapping[str, str]  # the etag by the name of a blob


@dataclass(frozen=True, slots=True)
class Trigger:
    """A data trigger of an environment: where it watches, and the template that it submits."""

    name: str
    place: watched.Place
    template: str


@click.command()
@click.argument("trigger", required=False)
@click.option("--once", is_flag=True, help="Look once; what is new since the last look is submitted.")
@click.option(
    "--every", type=SECONDS, metavar="SECONDS", default=10, show_default=True, help="Look again after so many seconds."
)
@click.option(
    "--rest",
    type=SECONDS,
    metavar="SECONDS",
    default=30,
    show_default=True,
    help="Blobs count once nothing was written for so long: what comes together starts one run.",
)
@options.yes_option
@in_workspace
def watch(*, trigger: str | None, once: bool, every: float, rest: float, yes: bool, where: Where) -> None:
    """Submit the template of each data trigger, or of one, when blobs in its folder are new or changed.

    The first look only remembers what is there. A look that is cut off and done again submits no second job. In Azure
    the queue of the trigger tells the same without being asked; whoever reads it needs no 'watch'.
    """
    environment = where.environment()
    triggers = _triggers(environment, trigger)
    options.require_consent(environment, yes, f"run {', '.join(one.template for one in triggers)} when data changes")
    file = _memory(where, environment)
    submitted: list[dict[str, Any]] = []
    with connected(where, environment) as workspace:
        while True:
            for one in triggers:
                submitted += _look(where, workspace, one, file, timedelta(seconds=rest))
            if once:
                break
            time.sleep(every)
    where.show(submitted, lambda rows: present.columns(rows, ("trigger", "blobs", "job"), "nothing has changed"))


def _triggers(environment: Environment, name: str | None) -> list[Trigger]:
    """Return the triggers of an environment, or one of them."""
    from mlops_kit.infra import names
    from mlops_kit.infra.wanted import is_wanted, wanted
    from mlops_kit.workspace.unknown import not_found

    tree = wanted(environment) if is_wanted(environment) else {}
    given = (tree.get("data_trigger") or {}).get("triggers") or {}
    if name and name not in given:
        raise not_found("data trigger", name, list(given))
    if not given:
        raise UsageError(f"the environment {environment.name!r} has no infra.data_trigger")
    account = names.physical_names(environment)["storage"]
    return [
        Trigger(key, watched.Place(account, one["container"], one["prefix"], one["suffix"]), one["pipeline"])
        for key, one in given.items()
        if name in (None, key)
    ]


def _memory(where: Where, environment: Environment) -> Path:
    """Return the file that remembers what each trigger has seen."""
    folder = where.project.folder / ".mlops_kit"
    near = plane.state_folder(where.project, environment.name) if environment.is_local else folder
    return near / "infra" / environment.name / "triggers.json"


def _look(
    where: Where, workspace: Workspace, trigger: Trigger, file: Path, rest: timedelta
) -> Iterator[dict[str, Any]]:
    """Look at the blobs of a trigger; submit its template when some are due, and say so."""
    blobs = watched.present(workspace, trigger.place)
    there = {one.name: one.etag for one in blobs}
    memory = _remembered(file)
    if trigger.name not in memory:
        click.echo(f"{trigger.name}: {options.counted(len(blobs), 'blob')} there already", err=True)
    elif due := watched.due(blobs, memory[trigger.name], datetime.now(UTC), rest):
        job = _submit(where, workspace, trigger, {one.name: one.etag for one in due})
        yield {"trigger": trigger.name, "blobs": [one.name for one in due], "job": job}
    else:
        return
    write_private(file, json.dumps({**memory, trigger.name: there}, indent=1))


def _remembered(file: Path) -> dict[str, Known]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _submit(where: Where, workspace: Workspace, trigger: Trigger, blobs: Known) -> str:
    """Submit the template of a trigger, once for these versions of these blobs; return the names of its jobs."""
    from mlops_kit.cli import prepare, run  # here, so that the other verbs do not wait for them

    prepared = prepare.prepare(where, trigger.template, ())
    attempt = digest([trigger.name, *(f"{name} {etag}" for name, etag in sorted(blobs.items()))])
    results, fault = run.execute(workspace, prepared, run.Wish(wait=False, attempt=attempt))
    if fault:
        raise fault
    return ", ".join(one["name"] for one in results)
