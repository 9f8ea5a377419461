"""Resource groups, and the resources in them as Azure Resource Manager lists them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import group_of, type_of
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import GROUP, SUBSCRIPTION, Route
from mlops_kit.local.arm.shapes import TAGS, shaped
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, Reply
from mlops_kit.local.providers import registries, resources, vaults, workspaces
from mlops_kit.local.providers.locations import normal
from mlops_kit.local.providers.resource_rules import Draft, check_tags, placed

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

_SHAPE = {"location": str, "tags": TAGS, "managedBy": str, "properties": dict}
_NAME = re.compile(r"[\w.()-]{0,89}[\w()-]")
_TERM = re.compile(
    r"(?P<field>resourceType|name|location|resourceGroup|tagName|tagValue) (?P<how>eq|ne) '(?P<value>[^']*)'"
    r"|substringof\('(?P<part>[^']*)', ?(?P<within>name|resourceGroup)\)"
    r"|startswith\(tagName, ?'(?P<beginning>[^']*)'\)"
)


def group_id(subscription: str, name: str) -> str:
    """Return the id of a resource group."""
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


def create(plane: Plane, subscription: str, name: str, body: dict[str, Any]) -> Resource:
    """Write a resource group; unlike other resources it carries no systemData."""
    resource_id = group_id(subscription, name)
    previous = plane.store.find(resource_id)
    stored = {
        **body,
        "id": previous.id if previous else resource_id,
        "name": previous.body["name"] if previous else name,
        "type": "Microsoft.Resources/resourceGroups",
        "properties": {"provisioningState": "Succeeded"},
    }
    plane.store.put(stored)
    return plane.store.get(resource_id)


def top_level(plane: Plane, scope: str, expand: str = "") -> list[dict[str, Any]]:
    """Return the resources of a group that are no parts of another, without their properties, as ARM lists them.

    ``expand`` names what else is wanted: ``createdTime``, ``changedTime``, ``provisioningState``. What extends
    another resource (a role assignment, a lock, a diagnostic setting) is not listed.
    """
    kept = ("id", "name", "type", "location", "kind", "tags", "sku", "identity", "managedBy", "zones", "plan")
    found = [
        one
        for one in plane.store.under(scope)
        if type_of(one.id).count("/") == 1 and one.body.get("location") and one.id.lower().count("/providers/") == 1
    ]
    return [{key: one.body[key] for key in kept if key in one.body} | _more(one, expand) for one in found]


def _more(one: Resource, expand: str) -> dict[str, Any]:
    system = one.body.get("systemData") or {}
    facts = {
        "createdTime": system.get("createdAt"),
        "changedTime": system.get("lastModifiedAt"),
        "provisioningState": (one.body.get("properties") or {}).get("provisioningState"),
    }
    wanted = {name.strip().lower() for name in expand.split(",")}
    return {key: value for key, value in facts.items() if key.lower() in wanted}


def _put(plane: Plane, call: Call) -> Reply:
    subscription, name, body = call.params["subscription"], call.params["group"], shaped(call.json(), _SHAPE)
    if not _NAME.fullmatch(name):
        raise BadRequestError(
            f"The resource group name '{name}' is not valid: use 1 to 90 letters, digits, '.', '_', '-' and"
            " parentheses, and no '.' at the end.",
            target="name",
        )
    resource_id = group_id(subscription, name)
    previous = plane.store.find(resource_id)
    earlier, given = str(previous.body["location"]) if previous else "", str(body.get("location") or "")
    if not given and not earlier:
        raise BadRequestError(f"The resource group '{name}' has no location.", target="location")
    if earlier and given and normal(given) != normal(earlier):
        raise ArmError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{given}'. The Resource group already exists in location '{earlier}'.",
            target="location",
        )
    body = placed({**body, "location": given or earlier}, Draft(resource_id, body))
    check_tags(body)
    return Reply(200 if previous else 201, create(plane, subscription, name, body).body)


def _patch(plane: Plane, call: Call) -> Reply:
    previous = resources.require_group(plane, GROUP.format(**call.params))
    body = {
        **previous.body,
        **{key: value for key, value in shaped(call.json(), _SHAPE).items() if key in {"tags", "managedBy"}},
    }
    check_tags(body)
    return Reply(200, create(plane, call.params["subscription"], call.params["group"], body).body)


def _get(plane: Plane, call: Call) -> Reply:
    return Reply(200, resources.require_group(plane, GROUP.format(**call.params)).body)


def _head(plane: Plane, call: Call) -> Reply:
    there = plane.store.find(group_id(call.params["subscription"], call.params["group"]))
    return Reply(204 if there else 404)


def _list(plane: Plane, call: Call) -> Reply:
    found = plane.store.list(f"/subscriptions/{call.params['subscription']}/resourceGroups")
    return Reply(200, {"value": _filtered([one.body for one in found], call)})


def _delete(plane: Plane, call: Call) -> Reply:
    """Delete a group with all that is in it; vaults and workspaces stay for their retention period."""
    found = resources.require_group(plane, GROUP.format(**call.params))
    for workspace in plane.store.list(f"{found.id}/providers/Microsoft.MachineLearningServices/workspaces"):
        workspaces.delete(plane, workspace)
    for registry in registries.of_group(plane, found.id):
        registries.delete(plane, registry)
    for vault in plane.store.list(f"{found.id}/providers/{vaults.KIND}"):
        vaults.forget(plane, vault)
    plane.store.delete(found.id)
    return accepted(plane, call)


def _resources(plane: Plane, call: Call) -> Reply:
    found = resources.require_group(plane, GROUP.format(**call.params))
    return Reply(200, {"value": _filtered(top_level(plane, found.id, call.query.get("$expand", "")), call)})


def _all_resources(plane: Plane, call: Call) -> Reply:
    scope = f"/subscriptions/{call.params['subscription']}"
    return Reply(200, {"value": _filtered(top_level(plane, scope, call.query.get("$expand", "")), call)})


def _filtered(bodies: list[dict[str, Any]], call: Call) -> list[dict[str, Any]]:
    """Apply ``$filter`` (terms joined by ``and``) and ``$top``; 400 for any other filter, not too many results."""
    tag = ""
    for term in filter(None, re.split(r"\s+and\s+", call.query.get("$filter", "").strip())):
        found = _TERM.fullmatch(term)
        if not found:
            raise BadRequestError(
                f"The filter '{term}' is not understood; use resourceType, name, location, resourceGroup, tagName or"
                " tagValue eq '...', substringof('...', name) or startswith(tagName, '...')."
            )
        if found["field"] == "tagName":
            tag = found["value"]
        bodies = [body for body in bodies if _fits(body, found, tag)]
    return bodies[: int(call.query["$top"])] if "$top" in call.query else bodies


def _fits(body: dict[str, Any], term: re.Match[str], tag: str) -> bool:
    tags = body.get("tags") or {}
    if term["beginning"] is not None:
        return any(name.startswith(term["beginning"]) for name in tags)
    if term["part"] is not None:
        return term["part"].lower() in _field(body, term["within"]).lower()
    if term["field"] == "tagName":
        return any(name.lower() == tag.lower() for name in tags)
    if term["field"] == "tagValue":
        return any(name.lower() == tag.lower() and value == term["value"] for name, value in tags.items())
    same = _field(body, term["field"]).lower() == term["value"].lower()
    return same if term["how"] == "eq" else not same


def _field(body: dict[str, Any], field: str) -> str:
    if field == "resourceGroup":
        return group_of(body["id"]).rpartition("/")[2]
    return str(body.get({"resourceType": "type"}.get(field, field), ""))


ROUTES = (
    Route("GET", f"{SUBSCRIPTION}/resourceGroups", _list),
    Route("GET", f"{SUBSCRIPTION}/resources", _all_resources),
    Route("PUT", GROUP, _put),
    Route("GET", GROUP, _get),
    Route("HEAD", GROUP, _head),
    Route("PATCH", GROUP, _patch),
    Route("DELETE", GROUP, _delete, slow=True, does="executed"),
    Route("GET", f"{GROUP}/resources", _resources),
)
