"""``mlops-kit local``: run the local control plane, and any program against it."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_kit import project as projects
from mlops_kit.errors import LocalError, UsageError
from mlops_kit.local.outside import OUTSIDE

if TYPE_CHECKING:
    from mlops_kit.local.settings import Instance, LocalSettings, WorkspaceName
    from mlops_kit.local.supervisor import Status
    from mlops_kit.project import Project

STATE_VARIABLE = "MLOPS_KIT_LOCAL_STATE"
_LOGS = ("control-plane", "router", "azurite", "start")


def state_folder(named: Path | None) -> Path:
    """Return the state folder: the one named, else ``.mlops_kit/local`` of the project around the working directory."""
    project = _project()
    return (named or (project.folder if project else Path.cwd()) / ".mlops_kit" / "local").expanduser().resolve()


def _project() -> Project | None:
    try:
        return projects.find(Path.cwd())
    except UsageError:
        return None


def _with_state(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        envvar=STATE_VARIABLE,
        help=f"State folder (default: .mlops_kit/local in the project; ${STATE_VARIABLE}).",
    )(function)


def _with_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.option("--network", type=click.Choice(["allow", "deny"]), help="May programs reach hosts outside?"),
        click.option("--runner", type=click.Choice(["host", "venv"]), help="Where jobs run: here, or in built ones."),
        click.option(
            "--quota", "quota_bytes", type=click.IntRange(min=1), help="Refuse writes beyond this many bytes of state."
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """Run the local control plane, and programs against it.

    It answers Microsoft's SDKs on this machine and really runs what they submit. Everything it knows is in one
    state folder, which survives a stop and a kill.
    """


@command.command()
@_with_state
@_with_settings
def start(state: Path | None, **given: Any) -> None:
    """Start it; a second start changes nothing."""
    begun = time.monotonic()
    settings, _ = _started(state_folder(state), given)
    click.echo(
        f"The local control plane runs (answered after {time.monotonic() - begun:.1f} s); state: {settings.state}"
    )
    click.echo("Run a program against it: mlops-kit local exec -- python train.py", err=True)


@command.command()
@_with_state
def stop(state: Path | None) -> None:
    """Stop it, with its jobs; the state stays."""
    from mlops_kit.local import supervisor

    folder = state_folder(state)
    stopped = supervisor.stop(folder)
    click.echo(f"Stopped; state: {folder}" if stopped else f"It was not running; state: {folder}")


@command.command()
@_with_state
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Output format.")
def status(state: Path | None, output: str) -> None:
    """Say whether it runs, where, and what it holds."""
    from mlops_kit.local import supervisor

    found = supervisor.status(state_folder(state))
    if output == "json":
        click.echo(json.dumps({**asdict(found), "state": str(found.state)}, indent=2))
    else:
        click.echo(_described(found))


def _described(found: Status) -> str:
    rows = {
        "running": f"yes, pid {found.pid}" if found.running else "no",
        "state": str(found.state),
        "workspace": f"{found.workspace.subscription} / {found.workspace.group} / {found.workspace.name}",
        "network": found.network,
        "runner": found.runner,
        "versions": f"mlops_kit {found.version}, Azurite {found.azurite} (its API version check is relaxed)",
        "holds": ", ".join(f"{count} {kind}" for kind, count in found.counts.items()) or "nothing yet",
    }
    if found.running:
        rows["ports"] = f"https {found.https_port}, proxy {found.proxy_port}, blobs {found.blob_port} on 127.0.0.1"
    return "\n".join(f"{name:<10} {value}" for name, value in rows.items())


@command.command()
@_with_state
@click.option("-f", "--follow", is_flag=True, help="Keep printing what is added.")
@click.option("-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="How many last lines.")
@click.option("--of", "source", type=click.Choice(_LOGS), default="control-plane", show_default=True, help="Which log.")
def logs(state: Path | None, follow: bool, lines: int, source: str) -> None:
    """Print the end of its log."""
    path = state_folder(state) / "logs" / f"{source}.log"
    if not path.is_file():
        raise LocalError(f"There is no log {path}: the control plane was never started there")
    with path.open(encoding="utf-8", errors="replace") as log:
        for line in log.readlines()[-lines:] if lines else []:
            click.echo(line, nl=False)
        log.seek(0, os.SEEK_END)
        while follow:
            added = log.read()
            click.echo(added, nl=False) if added else time.sleep(0.2)


@command.command()
@_with_state
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(state: Path | None, yes: bool) -> None:
    """Stop it and delete its state: workspaces, jobs, data, models."""
    from mlops_kit.local import supervisor

    folder = state_folder(state)
    if not yes:
        click.confirm(f"Delete everything in {folder}?", abort=True, err=True)
    supervisor.reset(folder)
    click.echo(f"Deleted {folder}")


@command.command()
@_with_state
@click.option("-o", "--output", type=click.Choice(["shell", "json", "github"]), default="shell", help="Output format.")
def env(state: Path | None, output: str) -> None:
    """Print the variables that lead programs to it.

    In a shell: eval "$(mlops-kit local env)". In a GitHub workflow: mlops-kit local env -o github >> "$GITHUB_ENV";
    a workflow cannot unset variables, so AZURE_CLIENT_ID and its like must not be set there.
    """
    from mlops_kit.local import supervisor

    folder = state_folder(state)
    instance = supervisor.running(folder)
    if instance is None:
        raise LocalError(f"The control plane of {folder} does not run; start it with: mlops-kit local start")
    variables = supervisor.environment(instance, supervisor.read_settings(folder))
    variables[OUTSIDE] = supervisor.applied(variables, os.environ)[OUTSIDE]
    click.echo(_FORMATS[output](variables, supervisor.REMOVED))


def _shell(variables: dict[str, str], removed: tuple[str, ...]) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join([f"unset {' '.join(removed)}", *lines])


def _json(variables: dict[str, str], removed: tuple[str, ...]) -> str:  # noqa: ARG001  one signature for every format
    return json.dumps(variables, indent=2)


def _github(variables: dict[str, str], removed: tuple[str, ...]) -> str:  # noqa: ARG001
    return "\n".join(f"{name}={value}" for name, value in variables.items())


_FORMATS = {"shell": _shell, "json": _json, "github": _github}


@command.command(name="exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@_with_state
@_with_settings
@click.option("--config", is_flag=True, help="Write config.json, which MLClient.from_config reads, to this folder.")
@click.option("--force", is_flag=True, help="Let --config overwrite a config.json that names another workspace.")
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD...")
def execute(state: Path | None, config: bool, force: bool, program: tuple[str, ...], **given: Any) -> None:
    """Run any program against it: a script, a notebook, pytest.

    The program needs no change: MLClient.from_config(credential=DefaultAzureCredential()) and a bare
    mlflow.start_run() reach the local workspace. The control plane is started if it does not run, and goes on
    running. The program does not see AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_TENANT_ID and other variables that
    would lead it to Azure; proxy and certificate variables are replaced. Its exit code is passed on.
    """
    from mlops_kit.local import supervisor

    settings, instance = _started(state_folder(state), given)
    if config:
        _write_config(Path.cwd() / "config.json", settings.workspace, force=force)
    variables = supervisor.applied(supervisor.environment(instance, settings), os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        # The program takes this process's place: signals, terminal and exit code are its own.
        os.execvpe(program[0], program, variables)  # noqa: S606  no shell is wanted
    except OSError as error:
        raise UsageError(f"{program[0]} cannot be run: {error.strerror}") from None


def _started(state: Path, given: dict[str, Any]) -> tuple[LocalSettings, Instance]:
    """Start with the options that were given; what was not given is as it runs now, else as the project says."""
    from mlops_kit.local import azurite, supervisor

    runs = supervisor.running(state) is not None
    settings = supervisor.read_settings(state) if runs else _configured(state)
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    if not runs:
        click.echo(
            f"Starting the local control plane in {state} (storage: Azurite {azurite.VERSION}, blobs only, "
            "API version check relaxed) ...",
            err=True,
        )
    return settings, supervisor.start(settings)


def _configured(state: Path) -> LocalSettings:
    """Return what ``environments/local.yaml`` of the project says, or the defaults outside a project."""
    from mlops_kit.local.settings import LocalSettings

    project = _project()
    if project is None or not (project.environments / "local.yaml").is_file():
        return LocalSettings(state)
    from mlops_kit.cli import connection, options

    environment = options.chosen_environment(project, connection.LOCAL)
    return replace(connection.local_settings(project, environment), state=state)


def _write_config(path: Path, workspace: WorkspaceName, *, force: bool) -> None:
    content = {
        "subscription_id": workspace.subscription,
        "resource_group": workspace.group,
        "workspace_name": workspace.name,
    }
    if path.exists() and not force:
        try:
            same = json.loads(path.read_text(encoding="utf-8")) == content
        except ValueError:
            same = False
        if not same:
            raise UsageError(f"{path} names another workspace; --force overwrites it")
    path.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
