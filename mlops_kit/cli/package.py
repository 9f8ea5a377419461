"""``mlops-kit package``: what ships of a code folder, how large it is, and whether that is too much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlops_kit import packaging
from mlops_kit.cli import options
from mlops_kit.errors import UsageError
from mlops_kit.packaging import Limits, Package, PackagedFile


@click.command()
@click.argument("code", type=click.Path(path_type=Path))
@click.option("--list", "whole", is_flag=True, help="List every file, not the ten largest alone.")
@options.output_option
def command(code: Path, whole: bool, output: str) -> None:
    """Show what ships of CODE, a code folder, by its ignore files: files, bytes, their total and the ten largest.

    Nothing is uploaded. The exit code is 2 when it is more than a workspace takes.
    """
    packaged, limits = packaging.package(code), packaging.limits()
    options.print_result(_result(packaged, limits, whole), output, _text)
    for folder in packaged.empty_folders:
        click.echo(f"warning: the empty folder {folder} does not ship", err=True)
    if too_much := packaging.excess(packaged, limits):
        raise UsageError(f"{code} {too_much}")


def _result(packaged: Package, limits: Limits, whole: bool) -> dict[str, Any]:
    return {
        **({"files": [_row(file) for file in packaged.files]} if whole else {}),
        "largest": [_row(file) for file in packaged.largest()],
        "count": len(packaged.files),
        "bytes": packaged.size,
        "limits": {"count": limits.files, "bytes": limits.size},
        "empty_folders": packaged.empty_folders,
        "content": packaging.content_id(packaged),
    }


def _row(file: PackagedFile) -> dict[str, Any]:
    return {"path": file.path, "bytes": file.size}


def _text(result: dict[str, Any]) -> str:
    limits = result["limits"]
    total = f"{options.counted(result['count'], 'file')}, {result['bytes']:,} bytes"
    limit = f"the limit is {limits['count']:,} files, {limits['bytes']:,} bytes"
    listed = [*_lines("what ships", result["files"]), ""] if "files" in result else []
    return "\n".join([*listed, *_lines("the largest", result["largest"]), "", f"{total}; {limit}", result["content"]])


def _lines(title: str, rows: list[dict[str, Any]]) -> list[str]:
    width = max((len(f"{row['bytes']:,}") for row in rows), default=1)
    return [f"{title}:", *(f"  {row['bytes']:>{width},}  {row['path']}" for row in rows)]
