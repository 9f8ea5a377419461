"""``mlops-kit infra outputs``: what the infrastructure of an environment is called once it is there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_kit import outputs as recorded_outputs
from mlops_kit.cli import options
from mlops_kit.cli.infra_changes import on_infrastructure
from mlops_kit.errors import UsageError
from mlops_kit.files import write_whole

if TYPE_CHECKING:
    from mlops_kit.cli.infra_site import Site, Wanted


@click.command()
@click.option(
    "--config",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write config.json there, which MLClient.from_config reads.",
)
@on_infrastructure
def outputs(wanted: Wanted, output: str, folder: Path | None) -> None:
    """Print the outputs, secret ones masked, and record them for ``${env.infra.NAME}`` in templates."""
    from mlops_kit.cli.infra_site import opened
    from mlops_kit.infra.redaction import redactor

    with opened(wanted) as site:
        found = site.engine.outputs()
        if not found:
            raise UsageError(f"{site.engine.name} has made nothing in {site.name!r} yet: run 'mlops-kit infra up'")
        clear = {name: one.value for name, one in found.items() if not one.secret}
        recorded_outputs.record(recorded_outputs.file_of(site.project.folder, site.name), clear)
        if folder is not None:
            click.echo(f"wrote {_write_config(folder, site)}", err=True)
    shown = redactor(os.environ).value({name: found[name].shown for name in sorted(found)})
    options.print_result(shown, output, _table)


def _table(found: Mapping[str, Any]) -> str:
    rows = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in found.items()]
    return options.table(rows, ("output", "value"))


def _write_config(folder: Path, site: Site) -> Path:
    """Write the three names by which the SDK finds the workspace."""
    group = site.values["resource_group"]
    facts = {
        "subscription_id": group["subscription_id"],
        "resource_group": group["name"],
        "workspace_name": site.values["workspace"]["name"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    write_whole(path, json.dumps(facts, indent=2) + "\n")
    return path
