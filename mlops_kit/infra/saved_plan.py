"""A plan in a file: what it changes, for whom, from which values and program, and the engine's own form of it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_kit.errors import UsageError
from mlops_kit.files import write_private
from mlops_kit.infra import changes as changes_module
from mlops_kit.infra.changes import Changes

_VERSION = 1
_FACTS, _CONTENT = "plan.json", "engine"


class StalePlanError(UsageError):
    """A saved plan no longer fits what it was made for."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the plan is stale, nothing was changed: {what} since it was made; plan again")


@dataclass(frozen=True, slots=True)
class Planned:
    """What an engine would do. ``content`` is its own form of the plan, by which it does exactly that."""

    changes: Changes
    content: bytes = field(repr=False)
    destroys: bool = False


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan was made from, as digests: the values of the environment, and the files of the program."""

    values: str
    program: str


def basis(values: Mapping[str, Any], program: Iterable[Path]) -> Basis:
    """Return the digests of the values that the engine gets and of the files of its program."""
    whole = hashlib.sha256()
    for path in sorted(program):
        whole.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    text = json.dumps(values, sort_keys=True, default=str)
    return Basis(hashlib.sha256(text.encode()).hexdigest(), whole.hexdigest())


def save(path: Path, planned: Planned, made_from: Basis) -> None:
    """Write a plan into a file that only its owner can read: an engine's own form holds values in clear."""
    facts = {
        "version": _VERSION,
        "values": made_from.values,
        "program": made_from.program,
        "destroys": planned.destroys,
        "changes": planned.changes.as_dict(),
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_FACTS, json.dumps(facts, indent=1))
        archive.writestr(_CONTENT, planned.content)
    write_private(path, whole.getvalue())


def load(path: Path, environment: str, engine: str, present: Basis) -> Planned:
    """Return the plan of a file.

    Raises:
        UsageError: It is no plan, or one of another environment or engine.
        StalePlanError: The values or the program are not those that it was made from.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read(_FACTS))
            content = archive.read(_CONTENT)
        known = facts["version"] == _VERSION
        changes = changes_module.from_dict(facts["changes"])
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist") from None
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        raise UsageError(f"{path} is not a plan that 'mlops-kit infra plan --out' has written") from None
    if not known:
        raise UsageError(f"{path} was written by another version of mlops-kit; plan again")
    for what, made_for, wanted in (
        ("environment", changes.environment, environment),
        ("engine", changes.engine, engine),
    ):
        if made_for != wanted:
            raise UsageError(f"{path} is a plan for the {what} {made_for!r}, not for {wanted!r}")
    if facts["values"] != present.values:
        raise StalePlanError(f"the values of the environment {environment!r} have changed")
    if facts["program"] != present.program:
        raise StalePlanError("the files of the program have changed")
    return Planned(changes, content, facts["destroys"])
