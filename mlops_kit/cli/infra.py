"""``mlops-kit infra``: what the infrastructure of an environment is called; the other verbs are in their own files."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from mlops_kit.cli import options
from mlops_kit.cli.infra_changes import destroy, plan, refresh, up
from mlops_kit.cli.infra_outputs import outputs
from mlops_kit.cli.infra_watch import watch
from mlops_kit.project import Project

COLUMNS = ("resource", "name", "length", "longest", "given by")


@click.group()
def command() -> None:
    """The Azure resources of an environment."""


@command.command()
@options.environment_option
@options.set_option
@options.output_option
@options.project_option
def names(env: str | None, settings: tuple[str, ...], output: str, project: Project) -> None:
    """Print the name of every resource, its length and the longest that its service takes.

    Each is computed on this machine, and the same on every other. The exit code is 2 when a service would refuse one.
    """
    from mlops_kit.errors import UsageError
    from mlops_kit.infra import name_rules
    from mlops_kit.infra.names import names_of
    from mlops_kit.infra.places import Where
    from mlops_kit.infra.wanted import is_wanted, wanted

    environment = options.chosen_environment(project, env, overrides=settings)
    if not is_wanted(environment):
        raise UsageError(f"environment {environment.name!r} has no infrastructure: no layer has the key infra")
    tree, where = wanted(environment), Where(environment)
    rows = [
        {
            "resource": name.key,
            "name": name.text,
            "length": len(name.text),
            "shortest": name.rule.shortest,
            "longest": name.rule.longest,
            "allowed": name.rule.words,
            "given_by": ".".join(name.path) if where.gives(*name.path) else "",
        }
        for name in names_of(environment, tree)
    ]
    options.print_result(rows, output, _table)
    findings = list(name_rules.check(tree, where))
    for finding in findings:
        click.echo(str(finding), err=True)
    if findings:
        sys.exit(2)


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [
        (row["resource"], row["name"], str(row["length"]), str(row["longest"]), row["given_by"] or "-") for row in rows
    ]
    return options.table(lines, COLUMNS)


@command.command()
@click.option("--write", is_flag=True, help="Write them beside both programs, as 'terraform' and 'pulumi' take them.")
@options.environment_option
@options.set_option
@options.output_option
@options.project_option
def values(env: str | None, settings: tuple[str, ...], output: str, write: bool, project: Project) -> None:
    """Print what the engines get: every name and option of the infrastructure, decided.

    What --write writes is all that 'terraform apply' and 'pulumi up' need without mlops-kit: the values, where the
    state is kept, and the configuration of the stack.
    """
    from mlops_kit.cli.infra_site import require_sound
    from mlops_kit.infra import by_hand, state
    from mlops_kit.infra import settings as decided
    from mlops_kit.infra.redaction import redactor

    environment = options.chosen_environment(project, env, overrides=settings)
    require_sound(environment)
    found = decided.values(decided.infrastructure(environment))
    if not write:
        options.print_result(redactor(os.environ).value(found), output, _listed)
        return
    written = by_hand.write(project.folder, environment.name, found, settings, state.state(environment))
    paths = [str(path.relative_to(project.folder)) for path in written]
    options.print_result(paths, output, "\n".join)


def _listed(found: dict[str, Any]) -> str:
    from mlops_kit.environments import flat_data

    rows = [(path, json.dumps(value, ensure_ascii=False)) for path, value in flat_data(found).items()]
    return options.table(rows, ("key", "value"))


for verb in (plan, up, refresh, outputs, watch, destroy):
    command.add_command(verb)
