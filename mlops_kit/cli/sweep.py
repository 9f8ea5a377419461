"""``mlops-kit sweep``: the trials of a sweep job in the order of a metric, and the best one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from mlops_kit.cli import present
from mlops_kit.cli.connection import Where, connected, in_workspace
from mlops_kit.errors import UsageError
from mlops_kit.workspace import sweeps
from mlops_kit.workspace.children import Ran


@click.group()
def command() -> None:
    """Rank the trials of a sweep; name the best one."""


@command.command()
@click.argument("name", metavar="JOB")
@click.option("--sort", "metric", default="", metavar="METRIC", help="Highest first.  [default: what the sweep seeks]")
@in_workspace
def trials(name: str, metric: str, where: Where) -> None:
    """List the trials of a sweep with their hyperparameters, the best first.

    Trials that did not complete, or did not log the metric, come last.
    """
    with connected(where) as workspace:
        sweep = sweeps.read(workspace, name)
        found = sweeps.ranked(sweep, metric)
    rows = [_row(trial, sweep.best) for trial in found]
    varied, shown = sweeps.varied(found), metric or sweep.metric
    where.show(rows, lambda _: _table(rows, varied, shown))


def _row(trial: Ran, best: str) -> dict[str, Any]:
    return {
        "name": trial.child.name,
        "status": trial.child.status,
        "seconds": trial.seconds,
        "parameters": trial.child.parameters,
        "metrics": trial.metrics,
        "best": trial.child.name == best,
    }


def _table(rows: Sequence[dict[str, Any]], varied: Sequence[str], metric: str) -> str:
    """Return the trials as columns; the best one of the sweep is marked."""
    shown = [
        {
            **row["parameters"],
            metric: row["metrics"].get(metric),
            "status": row["status"],
            "duration": present.duration(row["seconds"]),
            "name": row["name"],
            " ": "best" if row["best"] else "",
        }
        for row in rows
    ]
    return present.columns(shown, (*varied, metric, "status", "duration", "name", " "), "the sweep has no trials")


@command.command()
@click.argument("name", metavar="JOB")
@in_workspace
def best(name: str, where: Where) -> None:
    """Show the best trial of a sweep, its hyperparameters and its metrics."""
    with connected(where) as workspace:
        sweep = sweeps.read(workspace, name)
    found = next((trial for trial in sweep.trials if trial.child.name == sweep.best), None)
    if found is None:
        raise UsageError(f"the sweep {name!r} names no best trial")
    value = found.metrics.get(sweep.metric)
    result = {"name": found.child.name, "metric": sweep.metric, "value": value, "parameters": found.child.parameters}
    where.show({**result, "metrics": found.metrics}, present.outline)
