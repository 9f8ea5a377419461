"""``mlops-kit schema``: the JSON schema of a kind of file, for editors and for people."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mlops_kit import project as projects
from mlops_kit import schemas
from mlops_kit.cli import options
from mlops_kit.errors import UsageError
from mlops_kit.nearest import did_you_mean


@click.command()
@click.argument("kind", required=False)
@click.option(
    "--editor",
    type=click.Choice(["vscode"]),
    help="Write the schemas and settings by which an editor checks the project's files; with KIND, print its schema.",
)
@click.option("-C", "--project", "start", type=click.Path(path_type=Path), metavar="FOLDER", help="Project folder.")
@options.output_option
def command(kind: str | None, editor: str | None, start: Path | None, output: str) -> None:
    """Print the JSON schema of a KIND of file: environment for environment files, else a kind of Azure ML YAML.

    Without KIND, list the kinds. The text of a schema is JSON. In the form for editors ${...} may stand for any value.
    """
    if kind is not None:
        _require_known(kind)
        options.print_result(
            _schema(kind, editor), output, lambda found: json.dumps(found, indent=2, ensure_ascii=False)
        )
    elif editor:
        from mlops_kit.cli import editors

        project = projects.find(start or Path.cwd())
        written = [path.relative_to(project.folder).as_posix() for path in editors.write(project)]
        told = f"{written[-1]} names {options.counted(len(written) - 1, 'schema')} in {editors.FOLDER}"
        options.print_result(written, output, lambda _: told)
    else:
        options.print_result(list(schemas.kinds()), output, "\n".join)


def _require_known(kind: str) -> None:
    if kind not in schemas.kinds():
        tail = did_you_mean(kind, schemas.kinds()) or "; 'mlops-kit schema' lists the kinds"
        raise UsageError(f"no schema of kind {kind!r}{tail}")


def _indented(schema: dict[str, object]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False)


def _schema(kind: str, editor: str | None) -> dict[str, object]:
    if editor is None:
        return schemas.read(kind)
    from mlops_kit.schemas import editors

    return editors.schema(kind)
