"""``mlops-kit schema``: the JSON schema of a kind of file, for editors and for people."""

from __future__ import annotations

import json

import click

from mlops_kit import schemas
from mlops_kit.cli import options
from mlops_kit.errors import UsageError
from mlops_kit.nearest import did_you_mean


@click.command()
@click.argument("kind", required=False)
@options.output_option
def command(kind: str | None, output: str) -> None:
    """Print the JSON schema of a KIND of file: environment for environment files, else a kind of Azure ML YAML.

    Without KIND, list the kinds. The text of a schema is JSON.
    """
    known = schemas.kinds()
    if kind is None:
        options.print_result(list(known), output, "\n".join)
        return
    if kind not in known:
        tail = did_you_mean(kind, known) or "; 'mlops-kit schema' lists the kinds"
        raise UsageError(f"no schema of kind {kind!r}{tail}")
    options.print_result(schemas.read(kind), output, lambda found: json.dumps(found, indent=2, ensure_ascii=False))
