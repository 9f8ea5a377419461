"""``mlops-kit compute``: list, show, stop and start compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mlops_kit.cli import present
from mlops_kit.cli.connection import Where, connected, in_workspace
from mlops_kit.errors import UsageError
from mlops_kit.workspace import computes

COLUMNS = ("name", "type", "state", "size", "minimum", "maximum")


@click.group()
def command() -> None:
    """List, show, start and stop compute."""


@command.command(name="list")
@in_workspace
def list_(where: Where) -> None:
    """List the compute of the workspace."""
    with connected(where) as workspace:
        rows = computes.every(workspace.ml)
    where.show(rows, _table)


@command.command()
@click.argument("name")
@in_workspace
def show(name: str, where: Where) -> None:
    """Show one compute."""
    with connected(where) as workspace:
        found = computes.show(workspace.ml, name)
    where.show(found, present.outline)


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
    return present.columns(rows, COLUMNS, "no compute")
