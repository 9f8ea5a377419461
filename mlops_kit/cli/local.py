"""``mlops-kit local``: run the local control plane, and any program against it."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from mlops_kit.cli import clock, options, plane, running
from mlops_kit.cli.meant import Meant, of_plane
from mlops_kit.cli.meant import running as running_plane
from mlops_kit.errors import LocalError, UsageError
from mlops_kit.local.outside import OUTSIDE

if TYPE_CHECKING:
    from mlops_kit.local.settings import Instance, LocalSettings, WorkspaceName
    from mlops_kit.local.supervisor import Status

_LOGS = ("control-plane", "router", "azurite", "start")
# What a person has put there, in the words of the guide; the rest is how the control plane keeps it.
HELD = {
    "jobs": "job",
    "data": "data asset",
    "models": "model",
    "components": "component",
    "environments": "environment asset",
}


def _with_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    choices = [
        click.option("--network", type=click.Choice(["allow", "deny"]), help="May programs reach hosts outside?"),
        click.option("--runner", type=click.Choice(["host", "venv"]), help="Where jobs run: here, or in built ones."),
        click.option(
            "--quota",
            "quota_bytes",
            type=options.Count(min=1),
            metavar="BYTES",
            help="Refuse writes beyond this many bytes of state.",
        ),
    ]
    for option in reversed(choices):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """Run the local control plane, and programs against it.

    It answers Microsoft's SDKs on this machine and really runs what they submit. Everything it knows is in one
    state folder, which survives a stop and a kill.
    """


command.add_command(clock.command, "clock")


@command.command()
@of_plane
@_with_settings
@options.output_option
def start(meant: Meant, output: str, **given: Any) -> None:
    """Start it; a second start changes nothing."""
    from mlops_kit.local import supervisor

    begun = time.monotonic()
    ran = supervisor.running(meant.state) is not None
    settings, _ = _started(meant, given)
    seconds = round(time.monotonic() - begun, 1)
    found = {**_facts(supervisor.status(settings.state)), "started": not ran, "seconds": seconds}
    words = f"The local control plane runs (answered after {seconds:.1f} s); state: {settings.state}"
    options.print_result(found, output, lambda _: words)
    again = shlex.join(["mlops-kit", "local", "exec", *meant.options, "--", "python", "train.py"])
    click.echo(f"Run a program against it: {again}", err=True)


@command.command()
@of_plane
@options.output_option
def stop(meant: Meant, output: str) -> None:
    """Stop it, with its jobs; the state stays."""
    from mlops_kit.local import supervisor

    stopped = supervisor.stop(meant.state)
    words = f"{'Stopped' if stopped else 'It was not running'}; state: {meant.state}"
    options.print_result({"stopped": stopped, "state": str(meant.state)}, output, lambda _: words)


@command.command()
@of_plane
@options.output_option
def status(meant: Meant, output: str) -> None:
    """Say whether it runs, where, and what it holds."""
    from mlops_kit.local import supervisor

    ran = [asdict(one) for one in running.ledger(meant.state)]
    options.print_result(_facts(supervisor.status(meant.state)) | {"ran": ran}, output, _described)


def _facts(found: Status) -> dict[str, Any]:
    """Return a status as plain data; of what it holds, what a person has put there."""
    counts = {kind: found.counts[kind] for kind in HELD if kind in found.counts}
    return {**asdict(found), "state": str(found.state), "counts": counts}


def _described(found: dict[str, Any]) -> str:
    held = [options.counted(count, HELD[kind]) for kind, count in found["counts"].items()]
    rows = {
        "running": f"yes, pid {found['pid']}" if found["running"] else "no",
        "state": found["state"],
        "workspace": " / ".join(found["workspace"].values()),
        "network": found["network"],
        "runner": found["runner"],
        "versions": f"mlops_kit {found['version']}, Azurite {found['azurite']} (its API version check is relaxed)",
        "holds": ", ".join(held) or "nothing yet",
    }
    if ran := [f"{one['name']} {one['minutes']} min" for one in found["ran"] if one["minutes"]]:
        rows["ran"] = ", ".join(ran)
    if found["running"]:
        ports = f"https {found['https_port']}, proxy {found['proxy_port']}, blobs {found['blob_port']}"
        rows["ports"] = f"{ports} on 127.0.0.1"
    return "\n".join(f"{name:<10} {value}" for name, value in rows.items())


@command.command()
@of_plane
@click.option("-f", "--follow", is_flag=True, help="Keep printing what is added.")
@click.option("-n", "--lines", type=options.Count(min=0), metavar="N", default=50, show_default=True, help="How many.")
@click.option("--of", "source", type=click.Choice(_LOGS), default="control-plane", show_default=True, help="Which log.")
@options.output_option
def logs(meant: Meant, follow: bool, lines: int, source: str, output: str) -> None:
    """Print the last lines of its log."""
    path = meant.state / "logs" / f"{source}.log"
    if follow and output != "text":
        raise UsageError(f"--follow prints lines as they come, not {output}")
    if not path.is_file():
        raise LocalError(f"there is no log {path}: the control plane was never started there")
    with path.open(encoding="utf-8", errors="replace") as log:
        last = [line.rstrip("\n") for line in log.readlines()[-lines:]] if lines else []
        options.print_result(last, output, "\n".join)
        log.seek(0, os.SEEK_END)
        for added in _added(log) if follow else ():
            click.echo(added, nl=False)


def _added(log: IO[str]) -> Iterator[str]:
    """Yield what is added to a log, for ever."""
    while True:
        if added := log.read():
            yield added
        else:
            time.sleep(0.2)


@command.command()
@of_plane
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.output_option
def reset(meant: Meant, yes: bool, output: str) -> None:
    """Stop it and delete its state: workspaces, jobs, data, models."""
    from mlops_kit.local import supervisor

    present = meant.state.exists()
    if present and not yes:
        click.confirm(f"Delete everything in {meant.state}?", abort=True, err=True)
    supervisor.reset(meant.state)
    words = f"Deleted {meant.state}" if present else f"There is no {meant.state}: nothing to delete"
    options.print_result({"deleted": present, "state": str(meant.state)}, output, lambda _: words)


@command.command()
@of_plane
@options.output_choice("shell", "text", "json", "yaml", "github")
def env(meant: Meant, output: str) -> None:
    """Print the variables that lead programs to it.

    In a shell: eval "$(mlops-kit local env)". In a GitHub workflow: mlops-kit local env -o github >> "$GITHUB_ENV";
    a workflow cannot unset variables, so AZURE_CLIENT_ID and its like must not be set there.
    """
    from mlops_kit.local import supervisor

    settings, instance = running_plane(meant)
    variables = supervisor.environment(instance, settings)
    variables[OUTSIDE] = supervisor.applied(variables, os.environ)[OUTSIDE]
    forms = {"shell": _shell(variables, supervisor.REMOVED), "github": _github(variables)}
    if output in forms:
        click.echo(forms[output])
    else:
        options.print_result(variables, output, lambda _: options.table(list(variables.items()), ("variable", "value")))


def _shell(variables: dict[str, str], removed: tuple[str, ...]) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join([f"unset {' '.join(removed)}", *lines])


def _github(variables: dict[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in variables.items())


@command.command(name="exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@of_plane
@_with_settings
@click.option("--config", is_flag=True, help="Write config.json, which MLClient.from_config reads, to this folder.")
@click.option("--force", is_flag=True, help="Let --config overwrite a config.json that names another workspace.")
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD...")
def execute(meant: Meant, config: bool, force: bool, program: tuple[str, ...], **given: Any) -> None:
    """Run any program against it: a script, a notebook, pytest.

    The program needs no change: MLClient.from_config(credential=DefaultAzureCredential()) and a bare
    mlflow.start_run() reach the local workspace. The control plane is started if it does not run, and goes on
    running. The program does not see AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_TENANT_ID and other variables that
    would lead it to Azure; proxy and certificate variables are replaced. Its exit code is passed on.
    """
    from mlops_kit.local import supervisor

    settings, instance = _started(meant, given)
    if config:
        _write_config(Path.cwd() / "config.json", settings.workspace, force=force)
    variables = supervisor.applied(supervisor.environment(instance, settings) | plane.identity(), os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        # The program takes this process's place: signals, terminal and exit code are its own.
        os.execvpe(program[0], program, variables)  # noqa: S606  no shell is wanted
    except OSError as error:
        raise UsageError(f"{program[0]} cannot be run: {error.strerror}") from None


def _started(meant: Meant, given: dict[str, Any]) -> tuple[LocalSettings, Instance]:
    """Start with the options that were given; what was not given is as it runs now, else as the project says."""
    from mlops_kit.local import azurite, supervisor

    runs = supervisor.running(meant.state) is not None
    settings = supervisor.read_settings(meant.state) if runs else _configured(meant)
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    if not runs:
        click.echo(
            f"Starting the local control plane in {meant.state} (storage: Azurite {azurite.VERSION}, blobs only, "
            "API version check relaxed) ...",
            err=True,
        )
    return settings, supervisor.start(settings)


def _configured(meant: Meant) -> LocalSettings:
    """Return what the file of the environment says; without a project, or its ``local.yaml``, the defaults."""
    from mlops_kit.local.settings import LocalSettings

    project = meant.project
    absent = project is None or not (project.environments / f"{meant.env}.yaml").is_file()
    if absent and meant.env == plane.LOCAL:
        return LocalSettings(meant.state)
    if project is None:
        raise UsageError(f"{Path.cwd()} lies in no project: -e {meant.env} needs one, see -C")
    return plane.settings(options.chosen_environment(project, meant.env), meant.state)


def _write_config(path: Path, workspace: WorkspaceName, *, force: bool) -> None:
    content = {
        "subscription_id": workspace.subscription,
        "resource_group": workspace.group,
        "workspace_name": workspace.name,
    }
    try:
        if path.exists() and not force:
            _require_same(path, content)
        path.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}") from None


def _require_same(path: Path, content: dict[str, str]) -> None:
    """Refuse to overwrite a file that says anything else."""
    try:
        present = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        present = None
    if present == content:
        return
    names_one = isinstance(present, dict) and content.keys() <= present.keys()
    what = "names another workspace" if names_one else "is no file that names a workspace"
    if names_one and all(present[key] == value for key, value in content.items()):
        what = "says more than the name of this workspace"
    raise UsageError(f"{path} {what}; --force overwrites it")
