"""A Pulumi project folder: ``Pulumi.yaml``, the program it names, and the configuration of a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlops_kit.errors import UsageError


@dataclass(frozen=True, slots=True)
class Project:
    """What a run needs of a project. ``program`` is a folder with ``__main__.py`` or a file."""

    name: str
    folder: Path
    program: Path
    config: Mapping[str, Any]  # values that Pulumi.yaml gives to every stack


def load(folder: Path) -> Project:
    """Read ``Pulumi.yaml`` of a folder; UsageError where there is none, or where it is not a Python project."""
    path = folder / "Pulumi.yaml"
    facts = _mapping(path)
    runtime = facts.get("runtime")
    kind = runtime.get("name") if isinstance(runtime, dict) else runtime
    if kind != "python" or not facts.get("name"):
        raise UsageError(f"{path}: it must have a name and 'runtime: python'")
    main = facts.get("main")
    config = {in_namespace(facts["name"], key): _default(value) for key, value in (facts.get("config") or {}).items()}
    given = {key: value for key, value in config.items() if value is not None}
    return Project(str(facts["name"]), folder, (folder / str(main) if main else folder).resolve(), given)


def stack_config(project: Project, stack: str) -> dict[str, str]:
    """Return the configuration of a stack as the SDK takes it: text, structures as JSON."""
    path = project.folder / f"Pulumi.{stack}.yaml"
    own = (_mapping(path).get("config") or {}) if path.is_file() else {}
    merged = {**project.config, **{in_namespace(project.name, key): value for key, value in own.items()}}
    for key, value in merged.items():
        if isinstance(value, dict) and set(value) == {"secure"}:
            why = "it is encrypted with a passphrase that only the Pulumi CLI reads"
            raise UsageError(f"{path}: {key}: {why}; take such values from the environment")
    return {key: as_text(value) for key, value in merged.items()}


def as_text(value: Any) -> str:
    """Return a configuration value as the SDK takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def in_namespace(project: str, key: str) -> str:
    """Return a key of the configuration with its namespace, which is the project's where none is given."""
    return key if ":" in key else f"{project}:{key}"


def _default(value: Any) -> Any:
    """Return the value that a key of ``config`` in Pulumi.yaml gives: plain, or under ``value`` or ``default``."""
    if isinstance(value, dict) and set(value) <= {"value", "default", "type", "description", "secret", "items"}:
        return value.get("value", value.get("default"))
    return value


def _mapping(path: Path) -> dict[str, Any]:
    try:
        facts = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} is missing: that folder is no Pulumi project") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: {error}") from None
    if not isinstance(facts, dict):
        raise UsageError(f"{path}: it is not a mapping")
    return facts
