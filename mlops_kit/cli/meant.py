"""Which control plane a command of ``mlops-kit local`` means: its state folder, its project, its environment."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_kit import project as projects
from mlops_kit.cli import plane
from mlops_kit.errors import LocalError, UsageError

if TYPE_CHECKING:
    from mlops_kit.local.settings import Instance, LocalSettings
    from mlops_kit.project import Project


@dataclass(frozen=True, slots=True)
class Meant:
    """The control plane that the options mean: its state folder, and the project and environment it belongs to.

    ``options`` are those given, for a command about the same control plane.
    """

    state: Path
    project: Project | None
    env: str
    options: tuple[str, ...]


def of_plane(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-C``, ``-e`` and ``--state``; the command gets what they mean as ``meant``."""

    @functools.wraps(function)
    def found(*, folder: Path | None, env: str, state: Path | None, **rest: Any) -> Any:
        project = _project(folder)
        given = {"-C": folder, "-e": env if env != plane.LOCAL else None, "--state": state}
        again = tuple(word for option, value in given.items() if value for word in (option, str(value)))
        return function(meant=Meant(plane.state_folder(project, env, state), project, env, again), **rest)

    for option in (
        click.option(
            "--state",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="FOLDER",
            help=f"State folder.  [env var: {plane.STATE_VARIABLE}; default: .mlops_kit/NAME in the project]",
        ),
        click.option(
            "-e",
            "--env",
            default=plane.LOCAL,
            show_default=True,
            metavar="NAME",
            help="Environment on this machine, one whose file has the key local.",
        ),
        click.option(
            "-C",
            "--project",
            "folder",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Project folder, or a folder in it.  [default: the current folder]",
        ),
    ):
        found = option(found)
    return found


def _project(folder: Path | None) -> Project | None:
    """Return the project of a folder; without one, that around the current folder, if there is one."""
    if folder:
        return projects.find(folder)
    try:
        return projects.find(Path.cwd())
    except UsageError:
        return None


def running(meant: Meant) -> tuple[LocalSettings, Instance]:
    """Return how the control plane was started, and its instance.

    Raises:
        LocalError: It does not run.
    """
    from mlops_kit.local import supervisor

    instance = supervisor.running(meant.state)
    if instance is None:
        start_it = shlex.join(["mlops-kit", "local", "start", *meant.options])
        raise LocalError(f"the control plane of {meant.state} does not run; start it with: {start_it}")
    return supervisor.read_settings(meant.state), instance
