"""From ``-e`` to a connected workspace; for an environment on this machine the control plane is started first."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_kit.cli import options, plane
from mlops_kit.errors import UsageError
from mlops_kit.local.outside import outside
from mlops_kit.project import Project
from mlops_kit.workspace import connect
from mlops_kit.workspace.quiet import quiet

if TYPE_CHECKING:
    from mlops_kit.environments import Environment


@dataclass(frozen=True, slots=True)
class Where:
    """The project, the name of the environment, the form of the result, and a file that names another workspace."""

    project: Project
    env: str | None
    output: str
    config: Path | None = None

    def environment(self, overrides: Sequence[str] = ()) -> Environment:
        """Load the environment, with values of the command line over it."""
        return options.chosen_environment(self.project, self.env, overrides=overrides)

    def typed(self, environment: str) -> tuple[str, ...]:
        """Return the options that name an environment of this project in a command typed in the current folder."""
        folder = () if self.project.holds(Path.cwd()) else ("-C", str(self.project.folder))
        config = ("--config", str(self.config)) if self.config else ()
        return (*folder, "-e", environment, *config)

    def show(self, value: Any, text: Callable[[Any], str]) -> None:
        """Print the result of the command."""
        options.print_result(value, self.output, text)


def in_workspace(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-e``, ``-o``, ``-C`` and ``--config``; the command gets them as ``where``."""
    return in_workspace_as("text", "json", "yaml")(command)


def in_workspace_as(*forms: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the same for a command whose result has forms of its own."""

    def added(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def collected(*, project: Project, env: str | None, output: str, config: Path | None, **rest: Any) -> Any:
            return command(where=Where(project, env, output, config), **rest)

        shown = options.output_choice(*forms)(options.project_option(_config_option(collected)))
        return options.environment_option(shown)

    return added


def _config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="A config.json of Azure ML: its workspace is meant, not the one that the environment names.",
    )(command)


@contextlib.contextmanager
def connected(where: Where, environment: Environment | None = None) -> Iterator[connect.Workspace]:
    """Connect to the workspace of an environment, and name it, once, on stderr; inside, stdout is stderr."""
    environment = environment or where.environment()
    target = replace(target_of(environment), options=where.typed(environment.name))
    if where.config:
        target = _named_in(where.config, target)
    lead(plane.variables(where.project, environment) if environment.is_local else outside(os.environ))
    with quiet():
        workspace = connect.connect(target, os.environ)
        click.echo(f"workspace {_named(workspace, local=environment.is_local)}", err=True)
        yield workspace


def _named(workspace: connect.Workspace, *, local: bool) -> str:
    """Return which workspace this is: in full where another one could be meant, in short on this machine."""
    target = workspace.target
    if local:
        return f"{target.name} in {target.group}, on this machine"
    return f"{target.id} ({workspace.credential.name})"


def target_of(environment: Environment) -> connect.Target:
    """Return which workspace an environment means; raises EnvironmentFileError for a value it lacks."""
    return connect.Target(
        environment.name,
        environment.require("workspace.subscription_id"),
        environment.require("workspace.resource_group"),
        environment.require("workspace.name"),
        environment.get("auth", "default"),
    )


def _named_in(config: Path, target: connect.Target) -> connect.Target:
    """Return the target with the workspace that a config.json names.

    Raises:
        UsageError: It is not there, is no JSON, or lacks one of its three names.
    """
    try:
        facts = json.loads(config.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"there is no file {config}") from None
    except ValueError as error:
        raise UsageError(f"{config} is not JSON: {error}") from None
    keys = ("subscription_id", "resource_group", "workspace_name")
    missing = [key for key in keys if not (isinstance(facts, dict) and isinstance(facts.get(key), str))]
    if missing:
        raise UsageError(f"{config} names no workspace: it lacks {' and '.join(missing)}")
    subscription, group, name = (facts[key] for key in keys)
    return replace(target, subscription=subscription, group=group, name=name)


def lead(variables: Mapping[str, str]) -> None:
    """Make these the variables of this process; the SDK reads some of them when it is imported."""
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)
