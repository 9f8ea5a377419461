"""``mlops-kit schema``: the JSON schema of a kind of file, for editors and for people."""

from __future__ import annotations

import difflib
import json

import click

from mlops_kit import schemas
from mlops_kit.errors import UsageError


@click.command()
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """Print the JSON schema of a KIND of file: environment for environment files, else a kind of Azure ML YAML.

    Without KIND, list the kinds.
    """
    known = schemas.kinds()
    if kind is None:
        click.echo("\n".join(known))
        return
    if kind not in known:
        near = difflib.get_close_matches(kind, known, n=1)
        tail = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"no schema of kind {kind!r}; {tail}known are {', '.join(known)}")
    click.echo(json.dumps(schemas.read(kind), indent=2, ensure_ascii=False))
