"""The outputs of an environment's infrastructure, recorded on this machine, and ``${env.infra.NAME}`` from them.

``mlops-kit infra outputs`` and ``up`` write the file; it lies beside the state folders, which are not committed.
Outputs that are secret are not in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_kit.errors import UsageError
from mlops_kit.expressions import Root
from mlops_kit.files import write_private

SECTION = "infra"


def file_of(project: Path, environment: str) -> Path:
    """Return the file with the recorded outputs of an environment; it need not be there."""
    return project / ".mlops_kit" / f"{environment}.outputs.json"


def record(path: Path, outputs: Mapping[str, Any]) -> None:
    """Write the outputs, in one step, for their owner alone; none at all takes the file away."""
    if not outputs:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(outputs, indent=1, sort_keys=True) + "\n")


def recorded(path: Path) -> dict[str, Any]:
    """Return the recorded outputs, none where nothing was recorded; UsageError where the file is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"{os.fspath(path)} is not what 'mlops-kit infra outputs' writes; run it again")
    return found


class WithOutputs(Mapping[str, Any]):
    """The values of an environment, with the recorded outputs laid over its section ``infra``."""

    def __init__(self, values: Mapping[str, Any], path: Path, environment: str) -> None:
        self._values = values
        self._path = path
        self._environment = environment

    def __getitem__(self, key: str) -> Any:
        value = self._values[key]
        return self._section if key == SECTION and isinstance(value, Mapping) else value

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @cached_property
    def _section(self) -> Root:
        found = recorded(self._path)
        hint = f"'mlops-kit infra outputs -e {self._environment}' records the outputs of the infrastructure"
        return Root(_Over(self._values[SECTION], found), "infrastructure value", hint)


class _Over(Mapping[str, Any]):
    """Values over others, neither evaluated before it is asked for."""

    def __init__(self, under: Mapping[str, Any], over: Mapping[str, Any]) -> None:
        self._under = under
        self._over = over

    def __getitem__(self, key: str) -> Any:
        return self._over[key] if key in self._over else self._under[key]

    def __contains__(self, key: object) -> bool:
        return key in self._over or key in self._under

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._under, *self._over)))

    def __len__(self) -> int:
        return len({*self._under, *self._over})
