"""``mlops-kit quickstart``: from a file to a registered model, through the same steps as the other commands."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from mlops_kit.cli import options, plane, prepare, run
from mlops_kit.cli.connection import Where, connected, in_workspace
from mlops_kit.environments import Environment
from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.project import Project
from mlops_kit.workspace import artifacts, assets, failures, hints, models, submit, tracking
from mlops_kit.workspace.connect import Workspace

DATA_SCRIPT = "src/breast_cancer.py"
DATA_TEMPLATE = "data/breast-cancer.yml"
JOB_TEMPLATE = "jobs/train.yml"
MODEL = "breast-cancer"


@dataclass(frozen=True, slots=True)
class Done:
    """What the quickstart did; every value is read back from the workspace."""

    data: str
    rows: str
    job: str
    experiment: str
    metrics: dict[str, float]
    plots: list[str]
    model: str
    link: str | None  # its page; there is none on this machine
    seconds: float


@click.command()
@options.yes_option
@in_workspace
def command(where: Where, yes: bool) -> None:
    """Train, track and register a real model: data asset, job, metrics, plot, model.

    Works in a clone of the project: offline in the environment local, which is the default, and with -e of another
    environment in its workspace.
    """
    begun = time.monotonic()
    where = replace(where, env=where.env or plane.LOCAL)
    _require_templates(where.project)
    environment = where.environment()
    options.require_consent(environment, yes, "run the quickstart")
    with connected(where, environment) as workspace:
        rows = _write_data(where.project)  # only now: the environment is right, and somebody is signed in
        job = prepare.prepare(where, str(where.project.templates / JOB_TEMPLATE), ())
        data = prepare.prepare(where, str(where.project.templates / DATA_TEMPLATE), ())
        done = _do(workspace, data, job)
    result = {**done, "rows": rows, "seconds": round(time.monotonic() - begun, 1)}
    where.show(asdict(Done(**result)), lambda value: summary(value, environment, where.typed(environment.name)))


def _require_templates(project: Project) -> None:
    """Refuse to start in a folder that is no clone of the project."""
    missing = [name for name in (DATA_SCRIPT, DATA_TEMPLATE, JOB_TEMPLATE) if not (project.templates / name).is_file()]
    if missing:
        raise UsageError(f"the quickstart needs templates/{missing[0]}; run it in a clone of the project")


def _write_data(project: Project) -> str:
    """Run the project's own script that writes the data, and return what it says."""
    script = project.templates / DATA_SCRIPT
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise OperationFailed(
            f"{script.name} failed: {(ran.stderr.strip().splitlines() or ['no reason was given'])[-1]}"
        )
    click.echo(ran.stdout.strip(), err=True)
    return ran.stdout.strip()


def _do(workspace: Workspace, data: prepare.Prepared, job: prepare.Prepared) -> dict[str, Any]:
    """Register the data, run the job, register its model; return what was done, as read back."""
    [asset] = submit.register(workspace, submit.load(data.items), data.project)
    click.echo(f"data {asset.reference} {'registered' if asset.created else 'unchanged'}", err=True)
    [ended], fault = run.execute(workspace, job, run.Wish(stream=True))
    if fault:
        raise fault
    name = ended["name"]
    with failures.readable(f"read what the job {name!r} wrote"):
        metrics = tracking.logged(workspace.tracking, name).metrics
        found = [each.path for each in artifacts.files(workspace.store, name)]
    tags = {**job.environment.tags, assets.PROJECT_TAG: job.project}
    wish = models.FromJob(name, _model_path(name, found), MODEL, tags=tags, from_metrics=True)
    model = models.register(workspace, wish)
    return {
        "data": asset.reference,
        "job": name,
        "experiment": ended["experiment"],
        "metrics": metrics,
        "plots": [path for path in found if Path(path).suffix == ".png"],
        "model": _shown(workspace, model),
        "link": ended.get("link"),
    }


def _model_path(job: str, found: list[str]) -> str:
    """Return the folder of the MLflow model among the files of a job, else its pickle."""
    folders = [path.removesuffix("/MLmodel") for path in found if path.endswith("/MLmodel")]
    chosen = [*folders, *(path for path in found if path.endswith(".pkl"))]
    if not chosen:
        raise OperationFailed(f"the job {job!r} wrote no model; its files are {', '.join(found) or 'none'}")
    return chosen[0]


def _shown(workspace: Workspace, model: assets.Registered) -> str:
    """Return name and version of the model as the workspace now holds it."""
    held = assets.get(workspace.ml, "model", f"{model.name}:{model.version}")
    return f"{held.name}:{held.version}"


def summary(done: dict[str, Any], environment: Environment, chosen: Sequence[str]) -> str:
    """Return what happened, where to look, and how to stop what goes on running.

    ``chosen`` are the options that name the environment in a command.
    """
    metrics = [f"  {metric:<10} {value:.4f}" for metric, value in sorted(done["metrics"].items())]
    job, model = done["job"], done["model"]
    look = {
        hints.typed(chosen, "job", "show", job): "state, inputs, metrics, files",
        hints.typed(chosen, "job", "download", job, "--to", job): "its log, plot and model",
        hints.typed(chosen, "model", "show", model): "the model, its metrics as properties",
        hints.typed(chosen, "run", "train", "--set", "reg_rate=0.1"): "train again, a little differently",
    }
    if environment.is_local:
        look[hints.typed(chosen, "local", "stop")] = "the control plane goes on running until then; what it holds stays"
    width = max(map(len, look))
    return "\n".join(
        [
            f"Done in {done['seconds']:.0f} s, through azure-ai-ml, in the environment {environment.name}.",
            f"  {done['rows']} and registered as {done['data']}",
            f"  job {job} (experiment {done['experiment']}) trained a classifier; its metrics on unseen rows:",
            *metrics,
            f"  plot {', '.join(done['plots']) or 'none'}",
            f"  model {model} registered, with these metrics as its properties",
            "Look at it:",
            *(f"  {command:<{width}}  # {what}" for command, what in look.items()),
        ]
    )
