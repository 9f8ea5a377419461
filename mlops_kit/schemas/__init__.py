"""The JSON schemas of Azure ML YAML files, generated from the pinned SDK, one file per kind."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def kinds() -> tuple[str, ...]:
    """Return the names of all kinds that have a schema."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def read(kind: str) -> dict[str, Any]:
    """Return the JSON schema of a kind such as ``command_job``; the caller must not change it."""
    schema: dict[str, Any] = json.loads((FOLDER / f"{kind}.json").read_bytes())
    return schema
