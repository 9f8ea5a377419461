"""ARM resource ids: their parts, the stamps a stored body carries, and the guid of a workspace."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import REGISTRIES

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

AUTHOR = "local"


_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def parse(resource_id: str) -> dict[str, str]:
    """Return an id's parts, each under the segment before it in lower case: ``subscriptions``, ``resourcegroups``, ...

    The value after ``providers`` is the namespace; an id without a leading slash is read the same way.
    """
    segments = [segment for segment in resource_id.split("/") if segment]
    return {name.lower(): value for name, value in zip(segments[::2], segments[1::2], strict=False)}


def type_of(resource_id: str) -> str:
    """Return the resource type, such as ``Microsoft.MachineLearningServices/workspaces/jobs``."""
    segments = [segment for segment in resource_id.split("/") if segment]
    if resource_id.startswith(REGISTRIES):
        return "/".join(["Microsoft.MachineLearningServices", *segments[1::2]])
    lowered = [segment.lower() for segment in segments]
    if "providers" in lowered:
        last = len(lowered) - 1 - lowered[::-1].index("providers")
        return "/".join(segments[last + 1 : last + 2] + segments[last + 2 :: 2])
    return "Microsoft.Resources/resourceGroups" if "resourcegroups" in lowered else "Microsoft.Resources/subscriptions"


def scopes(resource_id: str) -> list[str]:
    """Return the scopes that a path lies in, widest first, itself last: subscription, group, each resource around it.

    The last segment of a path that ends in a type, or in an action, is not a scope of its own.
    """
    segments, found, at = resource_id.strip("/").split("/"), list[str](), 0
    while at + 1 < len(segments):
        named = segments[at].lower() == "providers"
        at += 4 if named else 2
        if at <= len(segments):
            found.append("/" + "/".join(segments[:at]))
    return found


def workspace_of(resource_id: str) -> str:
    """Return the workspace part of the id of anything inside a workspace."""
    return "/".join(resource_id.split("/")[:9])


def group_of(resource_id: str) -> str:
    """Return the resource group part of an id."""
    return "/".join(resource_id.split("/")[:5])


def timestamp(moment: datetime) -> str:
    """Return a moment as ARM writes it: UTC with microseconds and ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def duration(started: datetime, ended: datetime) -> str:
    """Return a time span as ARM writes it, such as ``PT1.2345678S``."""
    return f"PT{(ended - started).total_seconds():.7f}S"


def seconds_of(duration: str | None) -> float:
    """Return the seconds of a duration such as ``PT1M40S``; 0 where there is none. ValueError for another text."""
    if not duration:
        return 0.0
    match = _DURATION.fullmatch(duration)
    if not match:
        raise ValueError(f"'{duration}' is not a duration such as PT1M40S")
    return timedelta(**{unit: float(count) for unit, count in match.groupdict().items() if count}).total_seconds()


def stamped(plane: Plane, body: dict[str, Any], previous: Resource | dict[str, Any] | None) -> dict[str, Any]:
    """Return ``body`` (with its ``id``) plus ``name``, ``type`` and ``systemData``.

    What ``previous`` (the stored resource, or its body) says about its creation is kept.
    """
    now = timestamp(plane.now())
    earlier = previous.body if isinstance(previous, Resource) else previous or {}
    created = earlier.get("systemData", {})
    system = {
        "createdAt": created.get("createdAt", now),
        "createdBy": created.get("createdBy", AUTHOR),
        "createdByType": "User",
        "lastModifiedAt": now,
        "lastModifiedBy": AUTHOR,
        "lastModifiedByType": "User",
    }
    resource_id = str(earlier.get("id", body["id"]))
    name = resource_id.rpartition("/")[2]
    return {**body, "id": resource_id, "name": name, "type": type_of(resource_id), "systemData": system}


def workspace_guid(plane: Plane, workspace_id: str) -> str:
    """Return ``properties.workspaceId``, which is new each time a workspace of that name is created; 404 without it."""
    workspace = plane.store.get(workspace_id, f"The workspace '{workspace_id.rpartition('/')[2]}'")
    return str(workspace.properties["workspaceId"])


def stable_guid(*parts: str) -> str:
    """Return the same guid for the same parts on every machine."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts).lower()))
