"""The rules that all versioned assets share: containers, versions, numbers, labels, archiving and immutability."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import REGISTRIES, BadRequestError, ConflictError, NotFoundError, registry_id
from mlops_kit.local.runs import curated

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

Properties = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is about to be written, in a workspace or a registry (``workspace`` is the id of either).

    ``private`` is what only this control plane knows of it.
    """

    workspace: str
    name: str
    version: str
    properties: Properties
    private: dict[str, Any] = field(default_factory=dict)


def _integer(_plane: Plane, number: int) -> str:
    return str(number)


def _as_sent(_plane: Plane, draft: Draft) -> Draft:
    return draft


def _no_identity(_resource: Properties, _private: Mapping[str, Any]) -> Properties:
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of asset adds to the shared rules.

    ``complete`` fills in what the service adds to a new version; ``identity`` names the content that a version keeps
    for ever; ``kept`` are the properties whose first spelling stays when the content is the same; ``frozen`` says that
    an entry of ``properties.properties`` cannot change its value.
    """

    collection: str
    noun: str
    complete: Callable[[Plane, Draft], Draft] = _as_sent
    identity: Callable[[Properties, Mapping[str, Any]], Properties] = _no_identity
    kept: tuple[str, ...] = ()
    frozen: bool = True
    number: Callable[[Plane, int], str] = _integer  # the version given to a registration without one
    container: Callable[[Draft], Properties] = lambda _draft: {}  # what a new container takes from its first version
    offered: Callable[[str], list[Resource]] = lambda _workspace: []  # containers that nobody has to create


def container_id(workspace: str, collection: str, name: str) -> str:
    """Return the id of an asset, under which its versions are."""
    return f"{workspace}/{collection}/{name}"


def version_id(workspace: str, collection: str, name: str, version: str) -> str:
    """Return the id of one version of an asset."""
    return f"{workspace}/{collection}/{name}/versions/{version}"


def version_of(resource: Resource) -> str:
    """Return the version that a resource is."""
    return resource.id.rpartition("/")[2]


def find_version(plane: Plane, workspace: str, kind: str, name: str, version_or_label: str) -> Resource:
    """Return a version of an asset; 404 where there is none.

    ``kind`` is the collection (``data``, ``models``, ``environments``, ``components``, ``codes``). The labels
    ``latest`` and ``default`` and an empty text mean the version created last that is not archived. Curated
    environments are found under their ``AzureML-`` names.
    """
    # The SDK makes ``.../data/azureml:NAME/versions/V`` of an input's path ``azureml:NAME@latest``.
    name = name.removeprefix("azureml:")
    found = plane.store.find(version_id(workspace, kind, name, version_or_label or "latest"))
    if found is None and version_or_label in {"", "latest", "default", "azureml_default"}:
        found = newest(plane, workspace, kind, name)
    if found is None and kind == "environments":
        found = offered_version(workspace, name, version_or_label)
    if found is None:
        where = f" of {workspace}" if workspace.startswith(REGISTRIES) else ""
        raise NotFoundError(f"Version '{version_or_label or 'latest'}' of '{name}' in {kind}{where}")
    return found


def offered_version(owner: str, name: str, version_or_label: str) -> Resource | None:
    """Return a curated environment as a workspace or the registry of curated ones shows it, or None.

    404 with the known names where ``name`` is one that only a curated environment can have.
    """
    if owner == registry_id(curated.REGISTRY):
        return curated.registry_resource(name, version_or_label)
    if owner.startswith(REGISTRIES) or not curated.is_curated(name):
        return None
    return curated.resource(owner, name, version_or_label)


def offered_containers(owner: str) -> list[Resource]:
    """Return the containers of the curated environments that a workspace or registry offers."""
    if owner == registry_id(curated.REGISTRY):
        return [curated.registry_container(entry.name) for entry in curated.TABLE]
    return [] if owner.startswith(REGISTRIES) else curated.containers(owner)


def offered_container(owner: str, name: str) -> Resource | None:
    """Return the container of a curated environment, or None; 404 as for ``offered_version``."""
    if owner == registry_id(curated.REGISTRY):
        return curated.registry_container(name)
    if owner.startswith(REGISTRIES) or not curated.is_curated(name):
        return None
    return curated.container(owner, name)


def newest(plane: Plane, workspace: str, kind: str, name: str) -> Resource | None:
    """Return the version created last that is not archived."""
    container = plane.store.find(container_id(workspace, kind, name))
    latest = container.properties.get("latestVersion") if container else None
    return plane.store.find(version_id(workspace, kind, name, latest)) if latest else None


def write(plane: Plane, kind: Kind, draft: Draft) -> tuple[Resource, bool]:
    """Complete a version and write it; return it and whether it is new. May read blobs: not on the event loop."""
    _check_name(kind, draft.name)
    return save(plane, kind, kind.complete(plane, draft))


def save(plane: Plane, kind: Kind, draft: Draft) -> tuple[Resource, bool]:
    """Write a completed version under the shared rules; return it and whether it is new.

    A draft without a version gets the next one. 409 where the version exists with other content.
    """
    with plane.store.transaction():
        if not draft.version:
            draft = replace(draft, version=next_version(plane, kind, draft.workspace, draft.name))
        _check_name(kind, draft.version)
        target = version_id(draft.workspace, kind.collection, draft.name, draft.version)
        previous = plane.store.find(target)
        if previous is not None:
            draft = _revised(kind, previous, draft)
        properties = {"isArchived": False, "isAnonymous": False, **draft.properties, "provisioningState": "Succeeded"}
        plane.store.put(ids.stamped(plane, {"id": target, "properties": properties}, previous), draft.private)
        _follow(plane, kind, draft, previous)
        return plane.store.get(target), previous is None


def _check_name(kind: Kind, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequestError(
            f"'{name}' cannot name a {kind.noun}: letters, digits, '-', '_' and '.' are allowed, up to 255 of them,"
            " the first one a letter or digit.",
            target="name",
        )


def _revised(kind: Kind, previous: Resource, draft: Draft) -> Draft:
    """Return the draft as an update of what is there; 409 where it would change the content."""
    old, new = previous.properties, draft.properties
    first, second = kind.identity(old, previous.private), kind.identity(new, draft.private)
    changed = [
        _difference(name, first.get(name), second.get(name))
        for name in sorted({*first, *second})
        if first.get(name) != second.get(name)
    ]
    if kind.frozen:
        entries = old.get("properties") or {}
        given = new.get("properties") or {}
        changed += [
            _difference(f"properties.{key}", entries[key], given[key])
            for key in sorted(entries)
            if key in given and given[key] != entries[key]
        ]
        new = {**new, "properties": {**given, **entries}}
    if changed:
        raise ConflictError(
            f"Version '{draft.version}' of the {kind.noun} '{draft.name}' exists with another {', '.join(changed)}."
            " The content of a version never changes: register another version."
        )
    merged = {**old, **{name: value for name, value in new.items() if value is not None}}
    merged |= {name: old[name] for name in kind.kept if name in old}
    return replace(draft, properties=merged, private=previous.private)


def _difference(name: str, there: Any, sent: Any) -> str:
    return f"{name} (there: {_shown(there)}, sent: {_shown(sent)})"


def _shown(value: Any) -> str:
    """Return a value, or the digest of one that is too long for a sentence."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= 300 else f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _follow(plane: Plane, kind: Kind, draft: Draft, previous: Resource | None) -> None:
    """Bring the container up to date with a version that was written."""
    container = plane.store.find(container_id(draft.workspace, kind.collection, draft.name))
    archived = bool(draft.properties.get("isArchived"))
    if previous is not None and bool(previous.properties.get("isArchived")) != archived:
        refresh(plane, kind, draft.workspace, draft.name)
    elif container is None or previous is None:
        known = {"isArchived": False, **(container.properties if container else kind.container(draft))}
        own = int(draft.version) + 1 if draft.version.isdecimal() else 1
        following = str(max(own, int(known.get("nextVersion") or 1)))
        latest = known.get("latestVersion") if archived else draft.version
        _put_container(plane, kind, draft, known | {"latestVersion": latest, "nextVersion": following})


def remove(plane: Plane, kind: Kind, workspace: str, name: str, version: str) -> bool:
    """Delete a version; say whether it was there. Its number is not given again."""
    with plane.store.transaction():
        there = plane.store.delete(version_id(workspace, kind.collection, name, version))
        if there:
            refresh(plane, kind, workspace, name)
    return there


def refresh(plane: Plane, kind: Kind, workspace: str, name: str) -> None:
    """Find an asset's latest version again, after one was archived, restored or deleted."""
    members = plane.store.list(f"{container_id(workspace, kind.collection, name)}/versions", newest_first=True)
    container = plane.store.get(container_id(workspace, kind.collection, name))
    latest = next((version_of(one) for one in members if not one.properties.get("isArchived")), None)
    draft = Draft(workspace, name, "", {})
    _put_container(plane, kind, draft, container.properties | {"latestVersion": latest})


def _put_container(plane: Plane, kind: Kind, draft: Draft, properties: Properties) -> None:
    target = container_id(draft.workspace, kind.collection, draft.name)
    body = {"id": target, "properties": {**properties, "provisioningState": "Succeeded"}}
    plane.store.put(ids.stamped(plane, body, plane.store.find(target)))


def next_version(plane: Plane, kind: Kind, workspace: str, name: str) -> str:
    """Return the version that a registration without one would get now."""
    container = plane.store.find(container_id(workspace, kind.collection, name))
    return "1" if container is None else kind.number(plane, int(container.properties.get("nextVersion") or 1))


def ensure_container(plane: Plane, kind: Kind, workspace: str, name: str, properties: Properties) -> Resource:
    """Create an asset that has no version yet, or update its description, tags and archive flag."""
    _check_name(kind, name)
    draft = Draft(workspace, name, "", properties)
    with plane.store.transaction():
        previous = plane.store.find(container_id(workspace, kind.collection, name))
        known = previous.properties if previous else {"nextVersion": "1", **kind.container(draft)}
        given = {key: value for key, value in properties.items() if key not in _COMPUTED and value is not None}
        _put_container(plane, kind, draft, {"isArchived": False, **known, **given})
        return plane.store.get(container_id(workspace, kind.collection, name))


_COMPUTED = {"latestVersion", "nextVersion", "provisioningState", "dataType"}
