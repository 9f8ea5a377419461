"""The options that commands share, how they become a project and an environment, and how a result is printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlops_kit import project as projects
from mlops_kit.errors import UsageError
from mlops_kit.project import Project

if TYPE_CHECKING:
    from mlops_kit.environments import Environment

Command = TypeVar("Command", bound=Callable[..., Any])


def _project(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Project:
    return projects.find(value or Path.cwd())


def project_option(command: Command) -> Command:
    """Add ``-C/--project``; the command gets ``project``, a Project (found upwards from the current folder)."""
    return click.option(
        "-C",
        "--project",
        type=click.Path(path_type=Path),
        callback=_project,
        metavar="FOLDER",
        help="Project folder, or a folder in it.  [default: the current folder]",
    )(command)


def environment_option(command: Command) -> Command:
    """Add ``-e/--env``; the command gets ``env``, a name or None: pass it to ``chosen_environment``."""
    return click.option(
        "-e",
        "--env",
        envvar="MLOPS_KIT_ENV",
        metavar="NAME",
        help="Environment, such as local or dev.  [env var: MLOPS_KIT_ENV; default: default_environment of base.yaml]",
    )(command)


def set_option(command: Command) -> Command:
    """Add ``--set PATH=YAML``; the command gets ``settings``, a tuple of ``path=value`` texts."""
    return click.option(
        "--set", "settings", multiple=True, metavar="PATH=YAML", help="Set a value; may be given several times."
    )(command)


def output_choice(*choices: str) -> Callable[[Command], Command]:
    """Return the ``-o/--output`` option over these forms, the first being the default; the command gets ``output``."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="Form of the result.",
    )


def sorted_settings(settings: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the settings of the environment (``env.compute=gpu``, without the root) and those of the template."""
    own = [text for text in settings if not text.startswith("env.")]
    return [text.removeprefix("env.") for text in settings if text.startswith("env.")], own


output_option = output_choice("text", "json", "yaml")


class Seconds(click.FloatRange):
    """A number of seconds, with a name for messages."""

    name = "number of seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number; ``nan`` is none."""
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is not a valid {self.name}.", param, ctx) if number != number else number  # noqa: PLR0124


class Count(click.IntRange):
    """A whole number, with a name for messages."""

    name = "whole number"


def yes_option(command: Command) -> Command:
    """Add ``--yes``; the command gets ``yes``: pass it to ``require_consent``."""
    return click.option("--yes", is_flag=True, help="Do not ask before a change in a protected environment.")(command)


def require_consent(environment: Environment, yes: bool, doing: str) -> None:
    """Ask before something is changed in a protected environment; ``doing`` completes "... in prod?".

    Raises:
        UsageError: Nobody can be asked.
        click.Abort: The answer was no.
    """
    if yes or not environment.protected:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"the environment {environment.name!r} is protected: give --yes to {doing} there")
    click.confirm(
        f"The environment {environment.name!r} is protected. {doing[:1].upper()}{doing[1:]} there?",
        abort=True,
        err=True,
    )


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """Return ``KEY=VALUE`` texts as a dictionary; the value may hold further equal signs."""
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError(f"{option} {text!r} is not KEY=VALUE")
        found[key] = value
    return found


def counted(count: int, noun: str) -> str:
    """Return ``1 job``, ``2 jobs``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def template_path(project: Project, name: str) -> Path:
    """Return the template that a path or a name means; a conda file is none."""
    from mlops_kit import documents
    from mlops_kit.checks import kinds
    from mlops_kit.errors import DocumentError

    def is_template(path: Path) -> bool:
        try:
            roots = [document.root for document in documents.load(path)]
        except DocumentError:
            return True  # its fault is told when it is read
        return not all(isinstance(root, documents.Map) and kinds.is_conda(root) for root in roots)

    return projects.find_template(project, name, is_template=is_template)


def chosen_environment(
    project: Project, env: str | None, *, overrides: Iterable[str] = (), process: Mapping[str, str] | None = None
) -> Environment:
    """Load the environment that ``-e`` names, or the project's ``default_environment``.

    Raises:
        UsageError: No environment was named and none is configured.
        EnvironmentFileError: It is not known, or its files are wrong.
    """
    import os

    from mlops_kit import environments

    process = os.environ if process is None else process
    name = env or environments.default_name(project.environments)
    return environments.load(project.environments, name, overrides=overrides, process=process, git=project.git)


def print_result(value: Any, output: str, text: Callable[[Any], str] = str) -> None:
    """Print a result on stdout as ``text``, ``json`` or ``yaml``; ``text`` turns the value into lines for a reader."""
    if output == "json":
        click.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False))
    elif output == "yaml":
        from mlops_kit import documents

        click.echo(documents.dump([_plain(value)]), nl=False)
    elif line := text(value):
        click.echo(line)


def _plain(value: Any) -> Any:
    """Return read-only mappings and tuples as the plain ones that JSON and YAML writers know."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def table(rows: Sequence[Sequence[str]], header: Sequence[str] = ()) -> str:
    """Return rows as left-aligned columns, two blanks apart."""
    lines = [tuple(header), *rows] if header else list(rows)
    if not lines:
        return ""
    widths = [max(len(row[column]) for row in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in lines
    )
