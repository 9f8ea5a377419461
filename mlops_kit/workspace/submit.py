"""Submit rendered documents: load all with the SDK, then register the assets and create the jobs, in order."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.slugs import slug
from mlops_kit.workspace import assets, content, failures, hints, jobs, names, snapshots, uploading
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.enums import word
from mlops_kit.workspace.quiet import silent


@dataclass(frozen=True, slots=True)
class Item:
    """One rendered document; relative paths in it start at the folder of ``path``, the template."""

    kind: str  # job, data, model, component or environment
    text: str = field(repr=False)  # with the secrets in it
    content: str  # the same with the names of the secrets; names and digests derive from it
    path: Path
    locate: failures.Locate = failures.nowhere
    properties: Mapping[str, str] = field(default_factory=dict)  # what the job or asset carries of how it was made
    tags: Mapping[str, str] = field(default_factory=dict)  # of the environment; those of the document win


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
    state: str
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
        entity = loader(io.StringIO(item.text), relative_origin=str(item.path))
    entity.properties = {**(entity.properties or {}), **item.properties}
    entity.tags = {**item.tags, **(entity.tags or {})}
    return entity


def register(
    workspace: Workspace, loaded: Sequence[Loaded], project: str, *, new_version: bool = False
) -> Iterator[assets.Registered]:
    """Register the assets among the documents, one after the other, in their order; see ``assets.register``."""
    for each in loaded:
        if each.item.kind != "job":
            mark = assets.Mark(content_digest(each.item), project)
            made = assets.register(
                workspace.ml, each.item.kind, each.entity, mark, each.item.locate, new_version=new_version
            )
            yield made


def create_job(workspace: Workspace, loaded: Loaded, attempt: str | None, name: str = "") -> Submitted:
    """Create a job.

    Its name is the one given, else the template's own, else derived from its content and ``attempt``. A derived name
    that exists is the same submission made again; without ``attempt`` nobody else can have made it.
    """
    entity, item = loaded.entity, loaded.item
    stated = name or entity.name
    entity.name = stated or names.job_name(item.path.stem, [content_digest(item)], attempt or names.fresh_token())
    entity.experiment_name = entity.experiment_name or slug(item.path.stem)
    if (stated or attempt) and jobs.exists(workspace, entity.name):
        if stated:
            raise UsageError(f"a job named {stated!r} exists already; give another --name")
        return _submitted(jobs.get(workspace, entity.name), created=False)
    upload = partial(snapshots.ensure, workspace.ml)
    with failures.readable(f"upload the code of {entity.name!r}", item.locate), content.staged(entity, upload):
        made = _create(workspace, entity, item.locate)
    return _submitted(made, created=True)


def _create(workspace: Workspace, entity: Any, locate: failures.Locate) -> Any:
    try:
        with failures.readable(f"submit the job {entity.name!r}", locate), silent():
            return uploading.created(lambda: workspace.ml.jobs.create_or_update(entity))
    except OperationFailed as error:
        show = hints.typed(workspace.target.options, "job", "show", entity.name)
        raise OperationFailed(f"{error}; '{show}' tells whether it was accepted") from error


def _submitted(job: Any, *, created: bool) -> Submitted:
    return Submitted(job.name, job.experiment_name, word(job.status), hints.page(job), created)


def content_digest(item: Item) -> str:
    """Return a digest of a document and of the local files that ship with it."""
    return content.digest(item.content, item.path)
