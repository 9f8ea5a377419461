"""Whether a step must run again: an earlier run stands for it where code, command, environment and inputs are the same.

Inputs count by their content, not by their address, so that a file that was changed in place is noticed. (The service
looks at the version of a data asset only.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_kit.local import uris
from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.providers import codes
from mlops_kit.local.runs import environments, states
from mlops_kit.local.runs.asset_types import collection
from mlops_kit.local.runs.pipelines.bindings import LITERAL
from mlops_kit.local.runs.pipelines.steps import Step
from mlops_kit.local.runs.work import Work

_KEPT = 5  # jobs of one key: the latest may have failed where an earlier one completed
_BEHAVIOUR = ("jobType", "command", "environmentVariables", "distribution", "resources", "parallel")


@dataclass(frozen=True, slots=True)
class Key:
    """What the result of a step depends on: a digest of each part, by a name that a message can use."""

    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Return one digest over all parts."""
        return _digest(self.parts)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The earlier run that stands for a step, or None, and the reason in a few words."""

    source: Resource | None
    reason: str


def key(work: Work, properties: Mapping[str, Any]) -> Key:
    """Return what the result of a job depends on."""
    parts = {name: _digest(properties.get(name)) for name in _BEHAVIOUR}
    parts["code"] = _code(work, properties.get("codeId"))
    parts["environment"] = _environment(work, properties.get("environmentId"))
    for name, given in sorted((properties.get("inputs") or {}).items()):
        parts[f"input '{name}'"] = _input(work, given)
    for name, made in sorted((properties.get("outputs") or {}).items()):
        parts[f"output '{name}'"] = _digest(made)
    return Key(parts)


def verdict(work: Work, step: Step, name: str, found: Key) -> Verdict:
    """Decide whether a step must run, and say why; what it depends on is remembered, by ``name``, for the next time."""
    before = _remembered(work, name, found)
    if str((work.properties.get("settings") or {}).get("force_rerun", "")).lower() == "true":
        return Verdict(None, "force_rerun is set")
    if not step.is_deterministic:
        return Verdict(None, "the component is not deterministic")
    source = _source(work, found)
    if source is not None:
        return Verdict(source, f"the same as {source.body['name']}")
    if before is None:
        return Verdict(None, "the step has not run before")
    changed = [name for name in {**before, **found.parts} if before.get(name) != found.parts.get(name)]
    return Verdict(None, f"changed: {', '.join(changed)}" if changed else "no earlier run of it has completed")


def remember(work: Work, found: Key, name: str) -> None:
    """Let a child stand for later steps that are the same, once it has completed.

    That is said before it starts: a control plane that is killed right after its end knows of it all the same.
    """
    place = _index(work, found.digest)
    with work.plane.store.transaction():
        entry = work.plane.store.find(place)
        earlier = entry.body["jobs"] if entry else []
        jobs = [f"{work.workspace}/jobs/{name}", *earlier][:_KEPT]
        work.plane.store.put({"id": place, "jobs": jobs, "properties": {}})


def _source(work: Work, found: Key) -> Resource | None:
    """Return the latest job of a key that completed and whose outputs are all still there."""
    entry = work.plane.store.find(_index(work, found.digest))
    jobs = (work.plane.store.find(job_id) for job_id in (entry.body["jobs"] if entry else ()))
    return next((job for job in jobs if job is not None and _is_whole(work, job)), None)


def _is_whole(work: Work, job: Resource) -> bool:
    made = (job.properties.get("outputs") or {}).values()
    return job.properties["status"] == states.COMPLETED and all(_exists(work, str(one["uri"])) for one in made)


def _exists(work: Work, uri: str) -> bool:
    try:
        container, path = uris.resolve(work.plane, uris.parse(uri, work.workspace))
        return bool(work.plane.blobs.list(container, path))
    except ArmError:
        return False


def _index(work: Work, digest: str) -> str:
    return f"/reuse/{ids.workspace_guid(work.plane, work.workspace)}/keys/{digest}"


def _remembered(work: Work, name: str, found: Key) -> Mapping[str, str] | None:
    """Return what the step depended on when it was looked at last, and put what it depends on now in its place."""
    title = work.properties["displayName"]
    named = "" if title == work.name else title  # a pipeline without a name of its own shows that of the job
    where = _digest([work.properties["experimentName"], named, name])
    place = f"/reuse/{ids.workspace_guid(work.plane, work.workspace)}/steps/{where}"
    with work.plane.store.transaction():
        before = work.plane.store.find(place)
        work.plane.store.put({"id": place, "parts": dict(found.parts), "properties": {}})
    return before.body["parts"] if before else None


def _code(work: Work, code: str | None) -> str:
    if not code:
        return ""
    container, prefix = codes.code_location(work.plane, work.workspace, str(code))
    return _content(work, container, prefix)


def _environment(work: Work, reference: str | None) -> str:
    if not reference:
        return ""
    properties = environments.find(work.plane, work.workspace, str(reference)).properties
    return _digest({name: properties.get(name) for name in ("image", "condaFile", "build", "properties")})


def _input(work: Work, given: Mapping[str, Any]) -> str:
    if given["jobInputType"] == LITERAL:
        return _digest([LITERAL, given["value"]])
    uri = str(given["uri"])
    location = uris.settle(work.plane, uris.parse(uri, work.workspace), kind=collection(given["jobInputType"]))
    if isinstance(location, uris.WebAddress):
        return _digest(uri)
    return _digest([given["jobInputType"], _content(work, *uris.resolve(work.plane, location))])


def _content(work: Work, container: str, path: str) -> str:
    """Return a digest of the names and contents of all blobs at a path."""
    base = path.rstrip("/")
    blobs = work.plane.blobs.list(container, base)
    return _digest([[blob.name.removeprefix(base), blob.size, blob.md5 or blob.etag] for blob in blobs])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]
