"""Data, models, components and environment assets: list, show, and register without needless versions."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import yaml

from mlops_kit.errors import UsageError
from mlops_kit.workspace import content, failures, snapshots, uploading
from mlops_kit.workspace.quiet import silent
from mlops_kit.workspace.secrets import masked
from mlops_kit.workspace.unknown import not_found

# The content an asset was registered with, and the project that did it.
DIGEST_TAG = "mlops_kit.digest"
PROJECT_TAG = "mlops_kit.project"
OURS = "mlops_kit."  # how tags and properties begin that say how an asset was made

# Where the SDK keeps each kind of asset.
KINDS: dict[str, Callable[[Any], Any]] = {
    "data": lambda ml: ml.data,
    "model": lambda ml: ml.models,
    "component": lambda ml: ml.components,
    "environment": lambda ml: ml.environments,
}
WORDS = {"data": "data asset", "model": "model", "component": "component", "environment": "environment asset"}
REFERENCE = re.compile(r"(?P<name>[^:@]+)(?::(?P<version>[^:@]+)|@(?P<label>[^:@]+))?")


@dataclass(frozen=True, slots=True)
class Mark:
    """What an asset carries: the digest of its content, and the project that owns it."""

    digest: str
    project: str


@dataclass(frozen=True, slots=True)
class Registered:
    """What registering did; ``created`` is False when the workspace already held this content."""

    kind: str
    name: str
    version: str
    created: bool

    @property
    def reference(self) -> str:
        """Return how a job refers to the asset."""
        return f"azureml:{self.name}:{self.version}"


def latest(ml: Any, kind: str, archived: bool = False) -> list[dict[str, Any]]:
    """Return name and newest version of every asset of a kind, by name; of data the type, too.

    The service lists no more of them: what else a version has, such as its description, takes a request for each.
    """
    with failures.readable(f"list the {WORDS[kind]}s"):
        listed = list(KINDS[kind](ml).list(list_view_type=_view(archived)))
    found = [
        {"name": each.name, "version": each.latest_version, **({"type": each.type} if kind == "data" else {})}
        for each in listed
    ]
    return sorted(found, key=lambda each: str(each["name"]))


def versions(ml: Any, kind: str, name: str, archived: bool = False) -> list[dict[str, Any]]:
    """Return every version of one asset, the newest first."""
    with failures.readable(f"list the versions of the {WORDS[kind]} {name!r}"):
        try:
            found = list(KINDS[kind](ml).list(name=name, list_view_type=_view(archived)))
        except Exception as error:
            if not failures.is_missing(error):
                raise
            found = []
        if not found:
            raise not_found(WORDS[kind], name, _names(ml, kind))
    rows = [
        {
            "name": each.name,
            "version": each.version,
            "created": each.creation_context.created_at.isoformat(timespec="seconds")
            if each.creation_context
            else None,
            "description": each.description,
            "tags": each.tags or {},
            "properties": dict(each.properties or {}),
        }
        for each in found
    ]
    return [masked(each) for each in sorted(rows, key=lambda each: _newness(each["version"]), reverse=True)]


def get(ml: Any, kind: str, reference: str) -> Any:
    """Return the SDK's asset for ``NAME``, ``NAME:VERSION`` or ``NAME@LABEL``; a bare name means the newest."""
    parts = REFERENCE.fullmatch(reference.removeprefix("azureml:"))
    if parts is None:
        raise UsageError(f"{reference!r} is not NAME, NAME:VERSION or NAME@LABEL")
    name, version, label = parts["name"], parts["version"], parts["label"]
    with failures.readable(f"show the {WORDS[kind]} {reference!r}"):
        try:
            return KINDS[kind](ml).get(name, version=version, label=None if version else label or "latest")
        except Exception as error:
            if not failures.is_missing(error) and (version or not _says_missing(error)):
                raise
            raise _missing(ml, kind, parts.groupdict()) from error


def show(ml: Any, kind: str, reference: str) -> dict[str, Any]:
    """Return an asset as the YAML document the SDK makes of it, secrets masked."""
    entity = get(ml, kind, reference)
    text = io.StringIO()
    with failures.readable(f"show the {WORDS[kind]} {reference!r}"):
        entity.dump(text)
    document = yaml.safe_load(text.getvalue())
    made = entity.creation_context
    if made:  # the SDK dumps it with the names of its own classes in it
        document["creation_context"] = {"created_at": made.created_at.isoformat(), "created_by": made.created_by}
    if entity.properties:
        document["properties"] = {str(key): value for key, value in entity.properties.items()}
    flavors = getattr(entity, "flavors", None)
    if flavors:
        document["flavors"] = flavors
    job = getattr(entity, "job_name", None)
    if job:
        document["job_name"] = job
    return dict(masked(document))


def register(
    ml: Any,
    kind: str,
    entity: Any,
    mark: Mark,
    locate: failures.Locate = failures.nowhere,
    *,
    new_version: bool = False,
) -> Registered:
    """Create an asset, unless the workspace holds the same content under that name (and version) already.

    With ``new_version`` the next version is made in any case. Raises :class:`UsageError` where the version exists with
    other content, or where a new one is wanted of a document that states its version.
    """
    entity.tags = {**(entity.tags or {}), DIGEST_TAG: mark.digest, PROJECT_TAG: mark.project}
    if new_version and _pinned(entity):
        asset = f"{WORDS[kind]} {entity.name!r}"
        raise UsageError(f"the {asset} is to get a new version, and its file states version {entity.version}")
    if new_version:
        if kind == "environment":  # of these the SDK updates the latest version where the content is equal
            entity.version = _next_version(ml, kind, entity.name)
        return create(ml, kind, entity, locate)
    present = _present(ml, kind, entity.name, str(entity.version) if _pinned(entity) else None)
    if present is not None:
        held = (present.tags or {}).get(DIGEST_TAG)
        if held == mark.digest:
            return Registered(kind, present.name, str(present.version), created=False)
        if _pinned(entity):
            held_hash = f"hash {held}" if held else "an unknown hash"
            asset = f"{WORDS[kind]} {entity.name}:{entity.version}"
            raise UsageError(
                f"the {asset} exists with other content ({held_hash}, not {mark.digest}); give it a new version"
            )
    return create(ml, kind, entity, locate)


def create(ml: Any, kind: str, entity: Any, locate: failures.Locate = failures.nowhere) -> Registered:
    """Create an asset, as a new version where none is given."""
    doing = f"register the {WORDS[kind]} {entity.name!r}"
    with failures.readable(doing, locate), content.staged(entity, partial(snapshots.ensure, ml)), silent():
        made = uploading.created(lambda: KINDS[kind](ml).create_or_update(entity))
    return Registered(kind, made.name, str(made.version), created=True)


def _present(ml: Any, kind: str, name: str, version: str | None) -> Any:
    """Return the given version, or the newest, or None."""
    with failures.readable(f"look for the {WORDS[kind]} {name!r}"):
        try:
            return KINDS[kind](ml).get(name, version=version, label=None if version else "latest")
        except Exception as error:
            if failures.is_missing(error) or (not version and _says_missing(error)):
                return None
            raise


def _next_version(ml: Any, kind: str, name: str) -> str:
    """Return the number after the highest one that the versions of an asset have."""
    known = versions(ml, kind, name) if name in _names(ml, kind) else []
    return str(max((int(each["version"]) for each in known if str(each["version"]).isdigit()), default=0) + 1)


def _pinned(entity: Any) -> bool:
    """Tell whether the document itself states a version; the SDK invents one for some kinds."""
    return bool(entity.version) and not getattr(entity, "_auto_increment_version", False)


def _says_missing(error: Exception) -> bool:
    """Tell whether the SDK found no version behind a label; it has asked the service itself, so there is no status."""
    from azure.ai.ml.exceptions import ValidationErrorType, ValidationException

    # Of some kinds it raises the error wrapped in another one.
    causes = (error, error.__cause__, error.__context__)
    return any(
        isinstance(each, ValidationException) and each.error_type == ValidationErrorType.RESOURCE_NOT_FOUND
        for each in causes
    )


def _missing(ml: Any, kind: str, parts: dict[str, str | None]) -> UsageError:
    """Return the error for an unknown asset: its known versions, or the nearest names."""
    name, names = str(parts["name"]), _names(ml, kind)
    if name not in names:
        return not_found(WORDS[kind], name, names)
    if parts["label"]:
        return UsageError(f"the {WORDS[kind]} {name!r} has no label {parts['label']!r}; known is latest")
    known = [str(each.version) for each in KINDS[kind](ml).list(name=name)]
    return not_found(f"version of the {WORDS[kind]} {name!r}", str(parts["version"]), known)


def _names(ml: Any, kind: str) -> list[str]:
    """Return the names of all assets of a kind."""
    return [each.name for each in KINDS[kind](ml).list()]


def _view(archived: bool) -> str:
    """Return the SDK's word for which assets a list shows."""
    return "ArchivedOnly" if archived else "ActiveOnly"


def _newness(version: Any) -> tuple[int, int, str]:
    """Return a sort key: whole numbers by size, above words."""
    text = str(version)
    return (1, int(text), "") if text.isdigit() else (0, 0, text)
