"""``mlops-kit env``: which environments there are, what they hold, where each value comes from, how two differ."""

from __future__ import annotations

import sys
from typing import Any

import click

from mlops_kit.cli import options
from mlops_kit.errors import MlopsKitError
from mlops_kit.project import Project

DIFFERENT = 3
VALUES = ("key", "value")


@click.group()
def command() -> None:
    """List, show, explain and compare environments."""


@command.command("list")
@options.output_option
@options.project_option
def list_environments(output: str, project: Project) -> None:
    """List the environments of the project."""
    from mlops_kit import environments

    rows = []
    for name in environments.known(project.environments):
        environment = options.chosen_environment(project, name)
        described = environment.get("description", "")
        rows.append({"name": name, "protected": environment.protected, "description": described})
    options.print_result(rows, output, _listed)


def _listed(rows: list[dict[str, Any]]) -> str:
    lines = [(row["name"], "yes" if row["protected"] else "no", row["description"] or "-") for row in rows]
    return options.table(lines, ("name", "protected", "description"))


@command.command()
@options.environment_option
@options.set_option
@options.output_option
@options.project_option
def show(env: str | None, settings: tuple[str, ...], output: str, project: Project) -> None:
    """Print every value of an environment.

    A value that cannot be evaluated here shows as <...> with the reason, in full on stderr; it is an error only where
    it is used.
    """
    from mlops_kit import environments

    environment = options.chosen_environment(project, env, overrides=settings)
    for problem in environments.problems(environment):
        click.echo(f"note: {problem}", err=True)
    options.print_result(_shown(environment.values), output, _lines)


def _shown(values: Any) -> Any:
    """Return plain data, with a mark in place of what cannot be evaluated."""
    if isinstance(values, tuple | list):
        return [_shown(item) for item in values]
    if not hasattr(values, "keys"):
        return values
    shown = {}
    for key in values:
        try:
            shown[key] = _shown(values[key])
        except MlopsKitError as error:
            shown[key] = _mark(error)
    return shown


def _mark(error: MlopsKitError) -> str:
    return f"<{getattr(error, 'message', error)}>"


def _lines(values: dict[str, Any]) -> str:
    from mlops_kit import environments

    return options.table([(path, _text(value)) for path, value in environments.flat_data(values).items()], VALUES)


def _text(value: Any) -> str:
    """Return a value on one line, as YAML writes it."""
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@command.command()
@click.argument("key")
@options.environment_option
@options.set_option
@options.output_option
@options.project_option
def explain(key: str, env: str | None, settings: tuple[str, ...], output: str, project: Project) -> None:
    """Print what each layer says about KEY and what is below it: value, file and line, weakest layer first.

    The values that come of it follow.
    """
    from mlops_kit import environments

    environment = options.chosen_environment(project, env, overrides=settings)
    rows = [
        {"key": ".".join(origin.path), "layer": origin.layer, "place": str(origin.place), "value": origin.text}
        for origin in environments.explain(environment, key)
    ]
    finals = {
        path: _mark(value) if isinstance(value, MlopsKitError) else value
        for path, value in environments.flat(environment).items()
        if path == key or path.startswith(f"{key}.")
    }
    options.print_result({"layers": rows, "values": finals}, output, _explained)


def _explained(found: dict[str, Any]) -> str:
    names = ("key", "layer", "place", "value")
    layers = options.table([tuple(row[name] for name in names) for row in found["layers"]], names)
    values = options.table([(path, _text(value)) for path, value in found["values"].items()], VALUES)
    return f"{layers}\n\n{values}" if found["values"] else layers


@command.command()
@click.argument("first")
@click.argument("second")
@click.option("--exit-code", is_flag=True, help="Leave with 3 when there are differences.")
@options.output_option
@options.project_option
def diff(first: str, second: str, exit_code: bool, output: str, project: Project) -> None:
    """Print the values in which two environments differ."""
    from mlops_kit import environments

    left, right = (environments.flat(options.chosen_environment(project, name)) for name in (first, second))
    rows = [
        {"key": path, first: _comparable(left, path), second: _comparable(right, path)}
        for path in sorted({*left, *right})
        if path != "name" and _comparable(left, path) != _comparable(right, path)
    ]
    options.print_result(rows, output, lambda found: _differences(found, first, second))
    if exit_code and rows:
        sys.exit(DIFFERENT)


def _comparable(values: dict[str, Any], path: str) -> Any:
    value = values.get(path)
    return _mark(value) if isinstance(value, MlopsKitError) else value


def _differences(rows: list[dict[str, Any]], first: str, second: str) -> str:
    if not rows:
        return f"{first} and {second} do not differ"
    return options.table([(row["key"], _text(row[first]), _text(row[second])) for row in rows], ("key", first, second))
