"""The control plane of an environment on this machine: where its state is, how it is started, what leads to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_kit.errors import UsageError

if TYPE_CHECKING:
    from mlops_kit.environments import Environment
    from mlops_kit.local.settings import LocalSettings
    from mlops_kit.project import Project

LOCAL = "local"
"""The environment that ``mlops-kit local`` and the quickstart mean when none is named."""

STATE_VARIABLE = "MLOPS_KIT_LOCAL_STATE"
IDENTITY_VARIABLE = "MLOPS_KIT_LOCAL_IDENTITY"
"""Holds the client id of the principal whose roles decide what commands may do; the owner's, where it is not set."""
TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


def state_folder(project: Project | None, environment: str = LOCAL, named: Path | None = None) -> Path:
    """Return the state folder: the one named, else that of the variable, else ``.mlops_kit/NAME`` of the project."""
    stated = named or os.environ.get(STATE_VARIABLE)
    folder = Path(stated) if stated else (project.folder if project else Path.cwd()) / ".mlops_kit" / environment
    return folder.expanduser().resolve()


def settings(environment: Environment, state: Path) -> LocalSettings:
    """Return how an environment wants its control plane to be started.

    Raises:
        UsageError: The environment is not on this machine.
    """
    from mlops_kit.local.settings import LocalSettings, WorkspaceName

    if not environment.is_local:
        raise UsageError(f"the environment {environment.name!r} is not on this machine: its file has no key 'local'")
    names = (environment.require(f"workspace.{key}") for key in ("subscription_id", "resource_group", "name"))
    compute = environment.get("compute", "cpu-cluster")
    return LocalSettings(
        state=state,
        workspace=WorkspaceName(*names),
        computes=(compute,),
        # A cluster keeps its size for life: with another one, the first `infra up` could not take it over.
        compute_size=environment.get(f"infra.compute.clusters.{compute}.size", "Standard_DS3_v2"),
        runner=environment.get("local.runner", "host"),
        network=environment.get("local.network", "deny"),
    )


def variables(project: Project, environment: Environment) -> dict[str, str]:
    """Start the control plane unless it runs, and return the variables that lead a process to it."""
    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import typed

    wanted = settings(environment, state_folder(project, environment.name))
    runs = supervisor.running(wanted.state) is not None
    present = supervisor.read_settings(wanted.state) if runs else wanted
    if runs and (present.runner, present.network) != (wanted.runner, wanted.network):
        stop = typed("stop", wanted.state)
        click.echo(
            f"the local control plane runs with runner {present.runner} and network {present.network}, not with "
            f"{wanted.runner} and {wanted.network}; '{stop}' lets the next command start it anew",
            err=True,
        )
    if not runs:
        click.echo(f"starting the local control plane in {present.state}", err=True)
    instance = supervisor.start(present)
    # This process talks to the control plane alone, and each connection reads the file: one authority, not hundreds.
    authority = dict.fromkeys(TRUST, str(present.certificates / "authority.pem"))
    return supervisor.applied(supervisor.environment(instance, present) | authority | identity(), os.environ)


def identity() -> dict[str, str]:
    """Return the variable by which a credential asks for the token of the principal that was named, if any was."""
    named = os.environ.get(IDENTITY_VARIABLE)
    return {"AZURE_CLIENT_ID": named} if named else {}
