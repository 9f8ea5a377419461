"""The URLs that all versioned assets share: get, put, list and delete of containers and versions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, Reply
from mlops_kit.local.providers.versions import (
    Draft,
    Kind,
    Properties,
    container_id,
    ensure_container,
    find_version,
    next_version,
    offered_container,
    offered_version,
    remove,
    version_id,
    version_of,
    write,
)
from mlops_kit.local.settings import MANAGEMENT_URL

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

PAGE = 1000


def routes(kind: Kind, owner: str = WORKSPACE) -> tuple[Route, ...]:
    """Return the URL table of a kind's containers and versions under the template of their owner."""
    assets = f"{owner}/{kind.collection}"
    versions = f"{assets}/{{name}}/versions"
    return (
        Route("GET", assets, partial(list_containers, kind)),
        Route("GET", f"{assets}/{{name}}", partial(get_container, kind)),
        Route("PUT", f"{assets}/{{name}}", partial(put_container, kind)),
        Route("DELETE", f"{assets}/{{name}}", partial(delete_container, kind)),
        Route("GET", versions, partial(list_versions, kind)),
        Route("GET", f"{versions}/{{version}}", partial(get_version, kind)),
        Route("PUT", f"{versions}/{{version}}", partial(put_version, kind), slow=True),
        Route("DELETE", f"{versions}/{{version}}", partial(delete_version, kind)),
        Route("GET", f"{assets}/{{name}}/labels/{{label}}", partial(get_label, kind)),
    )


def _name(call: Call) -> str:
    """Return the asset's name; the SDK leaves the prefix of ``azureml:data@latest`` on when it asks for a label."""
    return call.params["name"].removeprefix("azureml:")


def _require_owner(plane: Plane, call: Call) -> None:
    """Answer 404 without the workspace; that a registry exists is seen to where its URLs are listed."""
    if "registry" not in call.params:
        plane.store.get(call.workspace, f"The workspace '{call.params['workspace']}'")


def get_version(kind: Kind, plane: Plane, call: Call) -> Reply:
    """Answer GET of a version."""
    name, version = _name(call), call.params["version"]
    text = plane.store.text(version_id(call.owner, kind.collection, name, version))
    if text is not None:
        return Reply(200, text.encode())
    return Reply(200, find_version(plane, call.owner, kind.collection, name, version).body)


def get_label(kind: Kind, plane: Plane, call: Call) -> Reply:
    """Answer GET of a label with the version that it names."""
    return Reply(200, find_version(plane, call.owner, kind.collection, _name(call), call.params["label"]).body)


def draft_of(plane: Plane, call: Call) -> Draft:
    """Return the version that a PUT describes; 404 without its workspace, 400 without properties."""
    _require_owner(plane, call)
    return Draft(call.owner, call.params["name"], call.params["version"], _properties(call))


def _properties(call: Call) -> Properties:
    properties = call.json().get("properties")
    if not isinstance(properties, dict):
        raise BadRequestError("The body has no object 'properties'.", target="properties")
    return properties


def put_version(kind: Kind, plane: Plane, call: Call) -> Reply:
    """Answer PUT of a version."""
    written, new = write(plane, kind, draft_of(plane, call))
    return Reply(201 if new else 200, written.body)


def list_versions(kind: Kind, plane: Plane, call: Call) -> Reply:
    """Answer GET of an asset's versions, the newest first unless asked otherwise."""
    name = _name(call)
    container = plane.store.find(container_id(call.owner, kind.collection, name))
    if container is None and kind.collection == "environments":
        offered = offered_version(call.owner, name, "latest")
        return Reply(200, {"value": [offered.body] if offered else []})
    members = plane.store.list(
        f"{container_id(call.owner, kind.collection, name)}/versions", newest_first=_newest_first(call)
    )
    all_archived = bool(container and container.properties.get("isArchived"))
    shown = [one for one in members if viewed(call, archived=all_archived or _archived(one)) and _asked_for(call, one)]
    return page(call, shown)


def list_containers(kind: Kind, plane: Plane, call: Call) -> Reply:
    """Answer GET of all assets of a kind; an asset whose versions are all archived counts as archived."""
    _require_owner(plane, call)
    members = plane.store.list(f"{call.owner}/{kind.collection}", newest_first=True)
    own = {one.id.lower() for one in members}
    members += [one for one in kind.offered(call.owner) if one.id.lower() not in own]
    shown = [one for one in members if viewed(call, archived=_hidden(one)) and not _internal(one)]
    return page(call, shown)


def _internal(container: Resource) -> bool:
    return str(container.body["name"]).lower() in {"azureml_anonymous", "cliv2anonymousenvironment"}


def _archived(resource: Resource) -> bool:
    return bool(resource.properties.get("isArchived"))


def _hidden(container: Resource) -> bool:
    """A new asset has no entry ``latestVersion`` yet; one whose versions are all archived or deleted has None."""
    return _archived(container) or container.properties.get("latestVersion", "") is None


def viewed(call: Call, *, archived: bool) -> bool:
    """Say whether ``listViewType`` (ActiveOnly unless given) shows a resource."""
    view = call.query.get("listViewType", "ActiveOnly").lower()
    return view == "all" or archived == (view == "archivedonly")


def _newest_first(call: Call) -> bool:
    order = call.query.get("$orderBy", "createdtime desc").lower()
    return not order.endswith("asc") and "desc" in order


def _asked_for(call: Call, resource: Resource) -> bool:
    """Apply the filters of a version list: ``tags``, ``properties``, ``stage``, ``version``, ``description``."""
    query, properties = call.query, resource.properties
    plain = {"stage": properties.get("stage"), "description": properties.get("description")}
    return (
        _has(query.get("tags") or query.get("$tags"), properties.get("tags"))
        and _has(query.get("properties"), properties.get("properties"))
        and query.get("version") in {None, version_of(resource)}
        and all(query.get(name) in {None, value} for name, value in plain.items())
    )


def _has(wanted: str | None, entries: Mapping[str, str] | None) -> bool:
    """Say whether all of ``key`` or ``key=value``, separated by commas, are among the entries."""
    pairs = [part.partition("=") for part in (wanted or "").split(",") if part]
    known = entries or {}
    return all(key in known and (not equals or known[key] == value) for key, equals, value in pairs)


def page(call: Call, members: list[Resource]) -> Reply:
    """Return one page of a list; ``$top`` limits it, otherwise ``nextLink`` leads on."""
    start = _count(call, "$skip") or _count(call, "$skipToken") or _count(call, "skipToken")
    top = _count(call, "$top")
    chunk = members[start : start + (top or PAGE)]
    body: dict[str, Any] = {"value": [one.body for one in chunk]}
    if not top and start + PAGE < len(members):
        query = {name: value for name, value in call.query.items() if "skip" not in name.lower()}
        body["nextLink"] = f"{MANAGEMENT_URL}{call.path}?{urlencode({**query, '$skip': start + PAGE})}"
    return Reply(200, body)


def _count(call: Call, name: str) -> int:
    text = call.query.get(name, "0") or "0"
    if not text.isdecimal():
        raise BadRequestError(f"The query parameter {name} is not a count: '{text}'.", target=name)
    return int(text)


def delete_version(kind: Kind, plane: Plane, call: Call) -> Reply:
    """Answer DELETE of a version; its number is not given again."""
    there = remove(plane, kind, call.owner, call.params["name"], call.params["version"])
    return Reply(200 if there else 204)


def get_container(kind: Kind, plane: Plane, call: Call) -> Reply:
    """Answer GET of an asset: its latest version and the one that comes next."""
    name = _name(call)
    found = plane.store.find(container_id(call.owner, kind.collection, name))
    if found is None and kind.collection == "environments":
        offered = offered_container(call.owner, name)
        if offered is not None:
            return Reply(200, offered.body)
    if found is None:
        where = "registry" if "registry" in call.params else "workspace"
        raise ArmError(404, "ResourceNotFound", f"The {kind.noun} '{name}' was not found in this {where}.")
    coming = next_version(plane, kind, call.owner, name)
    return Reply(200, {**found.body, "properties": {**found.properties, "nextVersion": coming}})


def put_container(kind: Kind, plane: Plane, call: Call) -> Reply:
    """Answer PUT of an asset: description, tags, archive flag."""
    _require_owner(plane, call)
    there = plane.store.find(container_id(call.owner, kind.collection, call.params["name"]))
    written = ensure_container(plane, kind, call.owner, call.params["name"], _properties(call))
    return Reply(200 if there else 201, written.body)


def delete_container(kind: Kind, plane: Plane, call: Call) -> Reply:
    """Answer DELETE of an asset and all its versions."""
    there = plane.store.delete(container_id(call.owner, kind.collection, call.params["name"]))
    return Reply(200 if there else 204)
