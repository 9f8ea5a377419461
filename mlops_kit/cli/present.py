"""Rows and mappings as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_kit import documents
from mlops_kit.cli.options import table


def columns(rows: Iterable[Mapping[str, Any]], names: Sequence[str], empty: str) -> str:
    """Return rows as aligned columns under a head, or the words for an empty result."""
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    return table(cells, [name.replace("_", " ") for name in names]) if cells else empty


def outline(value: Mapping[str, Any]) -> str:
    """Return a mapping as ``key: value`` lines, nested ones indented."""
    return documents.dump([value]).rstrip("\n")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={inner}" for key, inner in value.items())
    return f"{value:.6g}" if isinstance(value, float) else str(value)
