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


def duration(seconds: float | None) -> str | None:
    """Return a number of seconds as a person says it: ``0.4 s``, ``42 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if seconds is None:
        return None
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if hours else f"{minutes} min {rest} s"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={inner}" for key, inner in value.items())
    return f"{value:.6g}" if isinstance(value, float) else str(value)
