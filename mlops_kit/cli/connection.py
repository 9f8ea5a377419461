"""From ``-e`` to a connected workspace; for an environment on this machine the control plane is started first."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_kit.cli import options
from mlops_kit.errors import UsageError
from mlops_kit.local.outside import outside
from mlops_kit.project import Project
from mlops_kit.workspace import connect
from mlops_kit.workspace.quiet import quiet

if TYPE_CHECKING:
    from mlops_kit.environments import Environment
    from mlops_kit.local.settings import LocalSettings

LOCAL = "local"
TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Where:
    """The project, the name of the environment, and the form of the result, as the options say."""

    project: Project
    env: str | None
    output: str

    def environment(self, overrides: Sequence[str] = ()) -> Environment:
        """Load the environment, with values of the command line over it."""
        return options.chosen_environment(self.project, self.env, overrides=overrides)

    def show(self, value: Any, text: Callable[[Any], str]) -> None:
        """Print the result of the command."""
        options.print_result(value, self.output, text)


def in_workspace(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-e``, ``-o`` and ``-C``; the command gets them as ``where``."""

    @functools.wraps(command)
    def collected(*, project: Project, env: str | None, output: str, **rest: Any) -> Any:
        return command(where=Where(project, env, output), **rest)

    return options.environment_option(options.output_option(options.project_option(collected)))


@contextlib.contextmanager
def connected(where: Where, environment: Environment | None = None) -> Iterator[connect.Workspace]:
    """Connect to the workspace of an environment, and name it, once, on stderr; inside, stdout is stderr."""
    environment = environment or where.environment()
    target = target_of(environment)
    _lead(local_variables(where.project, environment) if environment.name == LOCAL else outside(os.environ))
    with quiet():
        workspace = connect.connect(target, os.environ)
        click.echo(f"workspace {target.id} ({workspace.credential.name})", err=True)
        yield workspace


def target_of(environment: Environment) -> connect.Target:
    """Return which workspace an environment means; raises EnvironmentFileError for a value it lacks."""
    return connect.Target(
        environment.name,
        environment.require("workspace.subscription_id"),
        environment.require("workspace.resource_group"),
        environment.require("workspace.name"),
        environment.get("auth", "default"),
    )


def local_variables(project: Project, environment: Environment) -> dict[str, str]:
    """Start the control plane unless it runs, and return the variables that lead a process to it."""
    try:
        from mlops_kit.local import supervisor
    except ImportError as error:
        raise UsageError(f"the package {error.name} is missing; install mlops_kit[local]") from error
    wanted = local_settings(project, environment)
    runs = supervisor.running(wanted.state) is not None
    settings = supervisor.read_settings(wanted.state) if runs else wanted
    if runs and (settings.runner, settings.network) != (wanted.runner, wanted.network):
        click.echo(
            f"the local control plane runs with runner {settings.runner} and network {settings.network}, not with "
            f"{wanted.runner} and {wanted.network}; 'mlops-kit local stop' lets the next command start it anew",
            err=True,
        )
    if not runs:
        click.echo(f"starting the local control plane in {settings.state}", err=True)
    instance = supervisor.start(settings)
    # This process talks to the control plane alone, and each connection reads the file: one authority, not hundreds.
    authority = dict.fromkeys(TRUST, str(settings.certificates / "authority.pem"))
    return supervisor.applied(supervisor.environment(instance, settings) | authority, os.environ)


def local_settings(project: Project, environment: Environment) -> LocalSettings:
    """Return how the environment wants the control plane to be started."""
    from mlops_kit.cli.local import STATE_VARIABLE
    from mlops_kit.local.settings import LocalSettings, WorkspaceName

    target = target_of(environment)
    named = os.environ.get(STATE_VARIABLE)
    folder = Path(named).expanduser() if named else project.folder / ".mlops_kit" / "local"
    return LocalSettings(
        state=folder.resolve(),
        workspace=WorkspaceName(target.subscription, target.group, target.name),
        computes=(environment.get("compute", "cpu-cluster"),),
        runner=environment.get("local.runner", "host"),
        network=environment.get("local.network", "deny"),
    )


def _lead(variables: Mapping[str, str]) -> None:
    """Make these the variables of this process; the SDK reads some of them when it is imported."""
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)
