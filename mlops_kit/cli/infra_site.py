"""From ``-e`` to an environment's infrastructure: its checked values, its engine, the door to where it is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_kit.checks import suppressions
from mlops_kit.cli import options, plane
from mlops_kit.cli.connection import lead
from mlops_kit.errors import UsageError
from mlops_kit.infra import pulumi, rules, saved_plan, settings, terraform_folder, tools
from mlops_kit.infra.arm import GROUPS, Arm
from mlops_kit.infra.engine import Engine
from mlops_kit.infra.saved_plan import Basis
from mlops_kit.infra.sign_in import signed_in
from mlops_kit.infra.state import State
from mlops_kit.infra.state import state as state_of
from mlops_kit.local.outside import outside
from mlops_kit.local.settings import MANAGEMENT_URL
from mlops_kit.workspace import credentials
from mlops_kit.workspace.arm import PUBLIC, ArmDoor

if TYPE_CHECKING:
    from mlops_kit.environments import Environment
    from mlops_kit.project import Project

_STATES = {"terraform": "terraform.tfstate", "pulumi": "state.json"}  # of environments on this machine


@dataclass(frozen=True)
class Site:
    """One environment's infrastructure, open. ``state`` is a private folder; ``basis`` says what plans are made from.

    ``adopted`` holds the ids that are to be taken over, in lower case; more may be added before the next plan.
    """

    project: Project
    environment: Environment
    values: Mapping[str, Any] = field(repr=False)
    engine: Engine
    arm: Arm
    basis: Basis
    state: Path
    adopted: set[str]

    @property
    def name(self) -> str:
        """Return the name of the environment."""
        return self.environment.name


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options of a command say about the environment and its engine."""

    project: Project
    env: str | None
    settings: tuple[str, ...]
    engine: str
    adopt: Sequence[str] = ()


@contextmanager
def opened(wanted: Wanted) -> Iterator[Site]:
    """Check the environment, lead this process to where it is, and give its infrastructure to one command at a time.

    Raises:
        UsageError: The environment breaks a rule (every finding has been printed), the engine's program is missing, or
            another command works on the environment.
    """
    environment = options.chosen_environment(wanted.project, wanted.env, overrides=wanted.settings)
    require_sound(environment)
    values = settings.values(settings.infrastructure(environment))
    kept = state_of(environment)
    basis = saved_plan.basis(values, _PROGRAMS[wanted.engine](wanted.project.folder))
    if wanted.engine == "terraform" or not environment.is_local:  # before anything is started for it
        tools.find(wanted.engine)
    with ExitStack() as stack:
        stack.callback(lead, dict(os.environ))
        lead(plane.variables(wanted.project, environment) if environment.is_local else outside(os.environ))
        state = _owned(wanted.project, environment, wanted.engine, stack)
        if kept is None and not environment.is_local:
            click.echo(_note_of_state(environment.name, wanted.engine, state), err=True)
        adopted = {one.lower().rstrip("/") for one in wanted.adopt}
        door = _door(environment)
        ground = _Ground(wanted.project.folder, environment, values, wanted.settings, state, kept, door, adopted)
        engine = _ENGINES[wanted.engine](ground, stack)
        yield Site(wanted.project, environment, values, engine, ground.arm, basis, state, adopted)


def require_sound(environment: Environment) -> None:
    """Print everything that is wrong with the infrastructure of an environment; refuse to go on with an error."""
    found = suppressions.standing(suppressions.applied(rules.findings(environment)))
    for finding in found:
        click.echo(str(finding), err=True)
    if errors := sum(finding.severity == "error" for finding in found):
        raise UsageError(f"{options.counted(errors, 'error')}; nothing was run")


def _note_of_state(name: str, engine: str, folder: Path) -> str:
    where = str(folder) if engine == "terraform" else "where 'pulumi login' says"
    return f"note: the state of {name!r} is kept {where}; infra.state would keep it where others find it, too"


def _owned(project: Project, environment: Environment, engine: str, stack: ExitStack) -> Path:
    """Return the private folder of an engine; keep other commands out of it until this one is done."""
    from filelock import FileLock, Timeout

    near = plane.state_folder(project, environment.name) if environment.is_local else project.folder / ".mlops_kit"
    home = near / "infra" / environment.name
    state = home / engine
    for folder in (home, state):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    try:
        stack.enter_context(FileLock(home / "command.lock", timeout=0))
    except Timeout:
        name = environment.name
        raise UsageError(f"another command works on the infrastructure of {name!r}; wait until it ends") from None
    return state


def is_untouched(wanted: Wanted, environment: Environment) -> bool:
    """Say whether an environment is on this machine and the engine has never made anything of it."""
    home = plane.state_folder(wanted.project, environment.name) / "infra" / environment.name
    return environment.is_local and not (home / wanted.engine / _STATES[wanted.engine]).exists()


def is_last(site: Site) -> bool:
    """Say whether the environment is on this machine and its control plane holds nothing any more."""
    if not site.environment.is_local:
        return False
    from mlops_kit.local import supervisor

    subscription = site.values["resource_group"]["subscription_id"]
    groups = site.arm.find(f"/subscriptions/{subscription}/resourcegroups", GROUPS) or {}
    counts = supervisor.status(plane.state_folder(site.project, site.name)).counts  # of every subscription
    return not groups.get("value") and not any(counts.values())


def _door(environment: Environment) -> Arm:
    """Return the door to where the environment is; nobody signs in before somebody knocks."""
    auth = environment.get("auth", "default")
    place = MANAGEMENT_URL if environment.is_local else PUBLIC
    return ArmDoor(lambda: credentials.choose(auth, os.environ), place)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What an engine is made of."""

    folder: Path
    environment: Environment
    values: Mapping[str, Any]
    overrides: tuple[str, ...]
    state: Path
    kept: State | None
    arm: Arm
    adopted: set[str]

    def environ(self) -> dict[str, str]:
        """Return the variables of a tool; the control plane of this machine has set those by which to sign in there."""
        if self.environment.is_local:
            return dict(os.environ)
        auth, subscription = self.environment.get("auth", "default"), self.values["resource_group"]["subscription_id"]
        return signed_in(os.environ, auth, subscription)


def _terraform(ground: _Ground, stack: ExitStack) -> Engine:
    from mlops_kit.infra.terraform import Terraform

    local = ground.environment.is_local
    environ = ground.environ()
    if local:
        from mlops_kit.local.iac.azapi import attach

        # A person's own configuration may name mirrors that have another provider of this name.
        environ = stack.enter_context(attach({**environ, "TF_CLI_CONFIG_FILE": os.devnull}))

    def is_there(place: str, version: str) -> bool:
        return place.lower() in ground.adopted or (local and ground.arm.find(place, version) is not None)

    folder = terraform_folder.Folder(ground.folder, ground.state, ground.environment.name)
    return Terraform(folder, ground.values, environ, local=local, kept=ground.kept, is_there=is_there)


def _pulumi(ground: _Ground, stack: ExitStack) -> Engine:
    del stack
    name, environ = ground.environment.name, ground.environ()
    if not ground.environment.is_local:
        if ground.adopted:
            raise UsageError("the pulumi CLI takes over what exists by 'pulumi import'; --adopt is for terraform")
        group = ground.values["resource_group"]
        return pulumi.Pulumi(ground.folder, name, group, ground.state, environ, ground.overrides, ground.kept)
    for package in ("pulumi", "pulumi_azure_native"):  # here, where it is one sentence; a child process imports them
        if find_spec(package) is None:
            raise ModuleNotFoundError(name=package)
    from mlops_kit.cli.infra_pulumi import LocalPulumi
    from mlops_kit.local.iac.pulumi_engine import Stack

    config = {"set": list(ground.overrides)}  # and not what a file of the stack sets: our values know nothing of that
    state = ground.state / _STATES["pulumi"]
    return LocalPulumi(Stack(ground.folder / pulumi.PROGRAM, name, state, environ, config=config, adopts=True))


_ENGINES = {"terraform": _terraform, "pulumi": _pulumi}
_PROGRAMS = {"terraform": terraform_folder.program, "pulumi": pulumi.program}
