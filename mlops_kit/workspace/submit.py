"""Submit rendered documents: load all with the SDK, then register the assets and create the jobs, in order."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.workspace import assets, failures, jobs, names
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.quiet import silent

CHUNK = 1 << 20
PATH_KEYS = frozenset({"path", "code", "conda_file"})


@dataclass(frozen=True, slots=True)
class Item:
    """One rendered document; relative paths in it start at the folder of ``path``, the template."""

    kind: str  # job, data, model, component or environment
    text: str = field(repr=False)  # with the secrets in it
    content: str  # the same with the names of the secrets; names and digests derive from it
    path: Path
    locate: failures.Locate = failures.nowhere


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document and the SDK's object made of it."""

    item: Item
    entity: Any


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job the service has accepted; ``created`` is False when this attempt had submitted it before."""

    name: str
    experiment: str
    link: str
    created: bool


def _loaders() -> dict[str, Callable[..., Any]]:
    """Return the SDK's loader of each kind."""
    from azure.ai.ml import load_component, load_data, load_environment, load_job, load_model

    return {
        "job": load_job,
        "data": load_data,
        "model": load_model,
        "component": load_component,
        "environment": load_environment,
    }


def load(items: Iterable[Item]) -> tuple[Loaded, ...]:
    """Load every document; the first that the SDK refuses ends the command before anything was sent."""
    loaders = _loaders()
    return tuple(Loaded(item, _load_one(loaders[item.kind], item)) for item in items)


def _load_one(loader: Callable[..., Any], item: Item) -> Any:
    """Load one document from its text, as if it stood at the template's path."""
    with failures.readable(f"load {item.path.name}", item.locate):
        return loader(io.StringIO(item.text), relative_origin=str(item.path))


def register(workspace: Workspace, loaded: Sequence[Loaded], project: str) -> Iterator[assets.Registered]:
    """Register the assets among the documents, one after the other, in their order."""
    for each in loaded:
        if each.item.kind != "job":
            mark = assets.Mark(content_digest(each), project)
            yield assets.register(workspace.ml, each.item.kind, each.entity, mark, each.item.locate)


def create_job(workspace: Workspace, loaded: Loaded, attempt: str | None, name: str = "") -> Submitted:
    """Create a job.

    Its name is the one given, else the template's own, else derived from its content and ``attempt``. A derived name
    that exists is the same submission made again; without ``attempt`` nobody else can have made it.
    """
    entity, item = loaded.entity, loaded.item
    stated = name or entity.name
    entity.name = stated or names.job_name(item.path.stem, [item.content], attempt or names.fresh_token())
    entity.experiment_name = entity.experiment_name or names.slug(item.path.stem)
    if (stated or attempt) and jobs.exists(workspace, entity.name):
        if stated:
            raise UsageError(f"a job named {stated!r} exists already; give another --name")
        made = jobs.get(workspace, entity.name)
        return Submitted(made.name, made.experiment_name, made.studio_url or "", created=False)
    try:
        with failures.readable(f"submit the job {entity.name!r}", item.locate), silent():
            made = workspace.ml.jobs.create_or_update(entity)
    except OperationFailed as error:
        raise OperationFailed(f"{error}; 'mlops-kit job show {entity.name}' tells whether it was accepted") from error
    return Submitted(made.name, made.experiment_name, made.studio_url or "", created=True)


def content_digest(loaded: Loaded) -> str:
    """Return a digest of a document and of the local files it points to."""
    document = yaml.safe_load(loaded.item.content)
    total = hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode())
    for path in _local_paths(document, loaded.item.path.parent):
        _add_files(total, path)
    return total.hexdigest()[:16]


def _local_paths(document: Any, folder: Path) -> Iterator[Path]:
    """Yield the existing local files and folders that a document points to, at any depth."""
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in pairs:
        if isinstance(value, dict | list):
            yield from _local_paths(value, folder)
        elif isinstance(value, str) and (key in PATH_KEYS or value.startswith("file:")):
            path = folder / value.removeprefix("file:")
            if ":" not in value.removeprefix("file:") and path.exists():
                yield path


def _add_files(total: Any, path: Path) -> None:
    """Add the names and bytes of a file, or of all files in a folder, to a digest."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file() or "__pycache__" in file.parts:
            continue
        total.update(file.relative_to(path.parent).as_posix().encode() + b"\0")
        with file.open("rb") as source:
            while chunk := source.read(CHUNK):
                total.update(chunk)
