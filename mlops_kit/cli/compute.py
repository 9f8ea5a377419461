"""``mlops-kit compute``: list, show, stop and start compute, and create what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from mlops_kit.cli import options, present, running
from mlops_kit.cli.connection import Where, connected, in_workspace
from mlops_kit.errors import Different, UsageError
from mlops_kit.workspace import computes, hints

COLUMNS = ("name", "type", "state", "size", "minimum", "maximum")
FIGURES = ("minutes", "cost")  # of computes on this machine


@click.group()
def command() -> None:
    """List, show, start, stop and ensure compute."""


@command.command(name="list")
@in_workspace
def list_(where: Where) -> None:
    """List the compute of the workspace.

    On this machine with the minutes that it has run, of a cluster those of all its nodes, and what they would have
    cost by local.hourly_prices.
    """
    environment = where.environment()
    with connected(where, environment) as workspace:
        rows = computes.every(workspace.ml)
        ran = running.of(where.project, environment, workspace.target.name)
    where.show([row | ran.get(row["name"].lower(), {}) for row in rows], _table)


@command.command()
@click.argument("name")
@in_workspace
def show(name: str, where: Where) -> None:
    """Show one compute; on this machine with the minutes that it has run, see 'compute list'."""
    environment = where.environment()
    with connected(where, environment) as workspace:
        found = computes.show(workspace.ml, name)
        ran = running.of(where.project, environment, workspace.target.name)
    where.show(found | ran.get(name.lower(), {}), present.outline)


@command.command()
@in_workspace
def usage(where: Where) -> None:
    """Show what of each quota is used; that of this machine is its cores."""
    with connected(where) as workspace:
        rows = computes.usage(workspace.ml)
    where.show(rows, lambda found: present.columns(found, ("quota", "used", "limit"), "no quota"))


@command.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Every compute instance that runs.")
@in_workspace
def stop(name: str | None, every: bool, where: Where) -> None:
    """Stop a compute instance, or --all; what is stored on it stays."""
    _change(computes.stop, "Running", _wanted(name, every), where)


@command.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Every compute instance that is stopped.")
@in_workspace
def start(name: str | None, every: bool, where: Where) -> None:
    """Start a compute instance, or --all."""
    _change(computes.start, "Stopped", _wanted(name, every), where)


@command.command()
@click.argument("template")
@options.set_option
@options.yes_option
@in_workspace
def ensure(template: str, settings: tuple[str, ...], yes: bool, where: Where) -> None:
    """Create the compute of TEMPLATE where there is none of its name.

    One that is there is never changed: the exit code is 0 when it is as TEMPLATE says, 6 when it differs. Compute that
    the infrastructure of the environment makes is found and compared, and not created.
    """
    from mlops_kit.cli import prepare  # here, so that the other verbs do not wait for them
    from mlops_kit.infra.compute import owned

    prepared = prepare.prepare(where, template, settings, taken={"compute": "compute"})
    options.require_consent(prepared.environment, yes, f"create the compute of {template}")
    ours = owned(prepared.environment)
    with connected(where, prepared.environment) as workspace:
        made = [computes.ensure(workspace.ml, item, ours) for item in prepared.items]
    rows = [asdict(each) for each in made]
    where.show(rows[0] if len(rows) == 1 else rows, lambda _: "\n".join(map(_ensured, made)))
    if missing := [each.name for each in made if each.outcome == "missing"]:
        up = hints.typed(where.typed(prepared.environment.name), "infra", "up")
        raise UsageError(f"the infrastructure makes {_all(missing)}: '{up}'")
    if differing := [each.name for each in made if each.outcome == "different"]:
        raise Different(f"{_all(differing)} differs from {template} and was left as it is")


def _ensured(one: computes.Ensured) -> str:
    lines = [f"  {key}: {has} -> {wanted}" for key, (has, wanted) in one.differences.items()]
    return "\n".join([f"{one.name}  {one.outcome}", *lines])


def _all(names: list[str]) -> str:
    return f"the compute {', '.join(map(repr, names))}"


def _wanted(name: str | None, every: bool) -> str | None:
    """Return the one name, or None for all; refuse a command that says neither or both."""
    if bool(name) == every:
        raise UsageError("name one compute instance, or give --all")
    return name


def _change(change: Callable[..., dict[str, Any]], state: str, name: str | None, where: Where) -> None:
    """Change one instance, or all in a state, and print their rows."""
    with connected(where) as workspace:
        chosen = [name] if name else computes.instances(workspace.ml, state)
        rows = [change(workspace.ml, each) for each in chosen]
    where.show(rows, _table)


def _table(rows: list[dict[str, Any]]) -> str:
    return present.columns(rows, (*COLUMNS, *(key for key in FIGURES if any(key in row for row in rows))), "no compute")
