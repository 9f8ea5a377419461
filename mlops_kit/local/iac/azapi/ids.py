"""ARM ids as the provider builds and takes them apart, and the ``type`` argument."""

from __future__ import annotations

import re
from typing import NamedTuple

from mlops_kit.local.arm import ids
from mlops_kit.local.iac.refusals import Refusal

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
_TYPE = re.compile(r"[A-Za-z][\w.]*(?:/[\w.-]+)+@\d{4}-\d{2}-\d{2}(?:-[a-z]+)?")


class Versioned(NamedTuple):
    """A resource type with the API version it is asked for by."""

    type: str
    version: str


def versioned(text: str) -> Versioned:
    """Return the parts of ``Microsoft.Storage/storageAccounts@2024-01-01``; refuse anything else."""
    if not _TYPE.fullmatch(text):
        what = f"{text!r} is not of the form <namespace>/<type>@<api-version>"
        raise Refusal("Invalid type", f"{what}, such as Microsoft.Storage/storageAccounts@2024-01-01.", "type")
    kind, _, version = text.partition("@")
    return Versioned(kind, version)


def type_of(resource_id: str) -> str:
    """Return the resource type of an id; the tenant is ``/``."""
    return "Microsoft.Resources/tenants" if resource_id == "/" else ids.type_of(resource_id)


def build(parent: str, kind: str, name: str) -> str:
    """Return the id of a resource below its parent; refuse a parent that cannot have such a resource."""
    if kind.lower() == GROUP_TYPE.lower():
        return f"{parent.rstrip('/')}/resourceGroups/{name}"
    if kind.lower() == "microsoft.resources/subscriptions":
        return f"/subscriptions/{name}"
    above, _, last = kind.rpartition("/")
    if "/" not in above:
        return f"{parent.rstrip('/')}/providers/{kind}/{name}"
    if type_of(parent).lower() != above.lower():
        detail = f"A {kind} lies in a {above}; parent_id names a {type_of(parent)}: {parent}"
        raise Refusal("Invalid parent_id", detail, "parent_id")
    return f"{parent}/{last}/{name}"


def parent_of(resource_id: str) -> str:
    """Return the id of the resource, group, subscription or tenant that a resource lies in."""
    above = resource_id.rsplit("/", 2)[0]
    before, marker, namespace = above.rpartition("/providers/")
    is_namespace = bool(marker) and "/" not in namespace
    return (before if is_namespace else above) or "/"


def name_of(resource_id: str) -> str:
    """Return the last segment of an id."""
    return resource_id.rpartition("/")[2]


def check(resource_id: str, argument: str) -> str:
    """Return an id that is one; refuse what is not."""
    segments = resource_id.strip("/").split("/")
    whole = resource_id.startswith("/") and all(segments) and len(segments) % 2 == 0
    if resource_id != "/" and not whole:
        raise Refusal(f"Invalid {argument}", f"{resource_id!r} is not a resource id.", argument)
    return resource_id


def parts(resource_id: str) -> dict[str, str]:
    """Return the segments of an id by the segment before them, as they are spelled."""
    segments = resource_id.strip("/").split("/")
    return dict(zip(segments[::2], segments[1::2], strict=False))


def equal(one: object, other: object) -> bool:
    """Compare two ids as ARM does, without case."""
    return isinstance(one, str) and isinstance(other, str) and one.lower() == other.lower()
