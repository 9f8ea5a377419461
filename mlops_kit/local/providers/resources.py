"""Resources of the neighbouring services: kept as they were sent, by the rules of their type (``resource_types``).

They are entries: a storage account, a vault or a cluster made here has no service behind it, except that every
storage account's data is the one account in Azurite. Types that are not listed are refused.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import group_of, stable_guid, stamped, type_of
from mlops_kit.local.arm.routes import GROUP, SUBSCRIPTION, Route
from mlops_kit.local.arm.shapes import IDENTITY, TAGS, shaped
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.providers import soft_delete, tags, user_identities
from mlops_kit.local.providers.resource_rules import Draft, checked, entity_tag, merged, reach, without
from mlops_kit.local.providers.resource_types import TYPES, rules_of
from mlops_kit.local.settings import STORAGE_KEY, TENANT

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_kit.local.plane import Plane
    from mlops_kit.local.providers.resource_rules import TypeRules

_OFFERED = 10  # of how many names the nearest to a wrong one is offered
_IDENTITIES = {kind.lower(): kind for kind in ("SystemAssigned", "UserAssigned", "None")}
_SHAPE = {"location": str, "tags": TAGS, "identity": IDENTITY, "properties": dict, "kind": str, "sku": dict}


def require_group(plane: Plane, resource_id: str) -> Resource:
    """Return the resource group that an id lies in; 404 with the nearest names where there is none."""
    group = group_of(resource_id)
    found = plane.store.find(group)
    if found is None:
        collection, _, name = group.rpartition("/")
        error = NotFoundError.among("resource group", name, plane.store.names(collection))
        error.code = "ResourceGroupNotFound"
        raise error
    return found


def write(plane: Plane, resource_id: str, body: dict[str, Any]) -> Resource:
    """Create or replace a resource as its service would keep it: with its facts, without its secrets."""
    kind, rules = rules_of(resource_id)
    previous = plane.store.find(resource_id)
    secrets = dict(previous.private) if previous else {}
    for path in rules.secret:
        if given := list(reach(body, path)):
            secrets[path], body = given[0], without(body, path)
    if body.get("identity"):
        body = {**body, "identity": identity(plane, body["identity"], previous, replace=True)}
    facts = rules.facts(Draft(resource_id, body, previous))
    properties = merged({**(body.get("properties") or {}), "provisioningState": "Succeeded"}, facts)
    whole = stamped(plane, {**body, "id": resource_id, "properties": properties}, previous) | {"type": kind}
    if rules.etag:
        whole[rules.etag] = entity_tag(whole, rules.etag)
    stored = Resource(whole, secrets)
    if rules.written is None:
        plane.store.put(whole, secrets)
        return stored
    with plane.store.transaction():
        plane.store.put(whole, secrets)
        rules.written(plane, stored)
    return plane.store.get(resource_id)


def identity(
    plane: Plane, wanted: dict[str, Any], previous: Resource | None, *, replace: bool = False
) -> dict[str, Any]:
    """Return an identity with the principals that the directory would give it; kept from ``previous``.

    User-assigned identities that are not named stay (PATCH), or go where ``replace`` is set (PUT).
    """
    kept = (previous.body.get("identity") if previous else None) or {}
    kind = str(wanted.get("type", "SystemAssigned"))
    whole: dict[str, Any] = {"type": _identity_type(kind)}
    if "systemassigned" in kind.lower():
        whole["principalId"] = kept.get("principalId") or str(uuid.uuid4())
        whole["tenantId"] = TENANT
    earlier = {} if replace else kept.get("userAssignedIdentities", {})
    users = {**earlier, **(wanted.get("userAssignedIdentities") or {})}
    # A client removes an assigned identity by sending null for it.
    whole["userAssignedIdentities"] = {
        one: user_identities.assigned(plane, one) for one, facts in users.items() if facts is not None
    }
    if not whole["userAssignedIdentities"]:
        del whole["userAssignedIdentities"]
    return whole


def _identity_type(text: str) -> str:
    """Return the kinds of an identity in the service's spelling: the SDK sends ``Userassigned`` for a YAML file's."""
    parts = [part.strip() for part in text.split(",")]
    if unknown := [part for part in parts if part.lower() not in _IDENTITIES]:
        known = ", ".join(_IDENTITIES.values())
        raise BadRequestError(f"The identity type '{unknown[0]}' is not one of {known}.", target="identity.type")
    return ",".join(_IDENTITIES[part.lower()] for part in parts)


def registry_credentials(registry: Resource) -> dict[str, Any]:
    """Return the admin account of a container registry."""
    name = str(registry.body["name"])
    passwords = [{"name": slot, "value": stable_guid(registry.id, slot)} for slot in ("password", "password2")]
    return {"username": name, "passwords": passwords, "location": registry.body.get("location")}


def _storage_keys(found: Resource) -> dict[str, Any]:
    del found
    return {"keys": [{"keyName": slot, "value": STORAGE_KEY, "permissions": "FULL"} for slot in ("key1", "key2")]}


def _shared_keys(found: Resource) -> dict[str, Any]:
    return {slot: stable_guid(found.id, slot) for slot in ("primarySharedKey", "secondarySharedKey")}


_ACTIONS: dict[tuple[str, str], Callable[[Resource], dict[str, Any]]] = {
    ("microsoft.storage/storageaccounts", "listkeys"): _storage_keys,
    ("microsoft.operationalinsights/workspaces", "sharedkeys"): _shared_keys,
    ("microsoft.containerregistry/registries", "listcredentials"): registry_credentials,
}


def _id(call: Call) -> str:
    """Return the id that a call names, in canonical spelling of what comes before its provider."""
    scope = f"/subscriptions/{call.params['subscription']}" if "subscription" in call.params else ""
    if "group" in call.params:
        scope = f"{scope}/resourceGroups/{call.params['group']}"
    return f"{scope}/providers/{call.params['namespace']}/{call.params['rest']}"


def _known(call: Call) -> tuple[str, TypeRules]:
    """Return the id under which what a call names is kept, and the rules of its type; 501 for a type without any."""
    resource_id = _id(call)
    _, rules = rules_of(resource_id, f"{call.method} {call.path}")
    return (rules.place(resource_id) if rules.place and not _is_collection(resource_id) else resource_id), rules


def _is_collection(resource_id: str) -> bool:
    after = resource_id.lower().rpartition("/providers/")[2]
    return len(after.split("/")) % 2 == 0


def _standing(plane: Plane, resource_id: str, rules: TypeRules) -> dict[str, Any] | None:
    """Return the body of what is there without having been written: a built-in role, or a part of another resource."""
    if rules.standing is not None:
        return rules.standing(plane, resource_id)
    owner, kind, name = resource_id.rsplit("/", 2) if resource_id.count("/") > 8 else ("", "", "")
    if owner and _has_part(plane, owner, f"{kind}/{name}"):
        kind, _ = rules_of(resource_id)
        return {"id": resource_id, "name": name, "type": kind, "properties": {}}
    return None


def _has_part(plane: Plane, owner: str, part: str) -> bool:
    kind = {name.lower(): name for name in TYPES}.get(type_of(owner).lower())
    parts = TYPES[kind].parts if kind else ()
    return part.lower() in {one.lower() for one in parts} and plane.store.text(owner) is not None


def _require_parent(plane: Plane, resource_id: str) -> None:
    """404 where what a resource belongs to is not there: its group, the resource it is a part of or extends."""
    if "/resourcegroups/" in resource_id.lower():
        require_group(plane, resource_id)
    before, _, after = resource_id.lower().rpartition("/providers/")
    parent = resource_id.rsplit("/", 2)[0] if after.count("/") > 2 else resource_id[: len(before)]
    if "/providers/" not in parent.lower() or plane.store.text(parent) is not None:
        return
    owner, kind, name = parent.rsplit("/", 2)
    if not _has_part(plane, owner, f"{kind}/{name}"):
        error = NotFoundError.among("parent resource", name, plane.store.names(f"{owner}/{kind}"))
        error.code = "ParentResourceNotFound"
        raise error


def _check_match(call: Call, rules: TypeRules, there: Resource | None) -> None:
    """412 where the caller's idea of the entity tag is not the one that is there, for services that have tags."""
    wanted, never = call.headers.get("if-match"), call.headers.get("if-none-match")
    if not rules.etag:
        return
    tag = str(there.body.get(rules.etag)) if there else None
    if (wanted not in {None, "*", tag}) or (wanted is not None and there is None) or (never == "*" and there):
        raise ArmError(
            412,
            "PreconditionFailed",
            f"The condition '{wanted or never}' specified using HTTP conditional header(s) is not met: the resource"
            f" {f'has the entity tag {tag}' if there else 'does not exist'}.",
        )


def _put(plane: Plane, call: Call) -> Reply:
    resource_id, rules = _known(call)
    if _is_collection(resource_id):
        raise BadRequestError(f"The id '{resource_id}' ends in a type: it has no name.")
    if rules.read_only:
        raise _not_allowed(call)
    _require_parent(plane, resource_id)
    there = plane.store.find(resource_id)
    _check_match(call, rules, there)
    return _written(plane, rules, Draft(there.id if there else resource_id, shaped(call.json(), _SHAPE), there))


def _written(plane: Plane, rules: TypeRules, draft: Draft) -> Reply:
    with plane.store.transaction():
        body = checked(plane, rules, draft)
        if rules.admit is not None:
            body = rules.admit(plane, Draft(draft.id, body, draft.previous))
        stands = draft.previous is not None or _standing(plane, draft.id, rules) is not None
        return Reply(200 if stands else 201, write(plane, draft.id, body).body)


def _patch(plane: Plane, call: Call) -> Reply:
    resource_id, rules = _known(call)
    found = _found(plane, resource_id, rules)
    _check_match(call, rules, found)
    change = shaped(call.json(), _SHAPE)
    body = {**merged(found.body, change), **({"tags": change["tags"]} if change.get("tags") is not None else {})}
    if change.get("identity"):
        wanted = {"type": (found.body.get("identity") or {}).get("type", "SystemAssigned"), **change["identity"]}
        body["identity"] = identity(plane, wanted, found)
    return _written(plane, rules, Draft(found.id, body, found))


def _found(plane: Plane, resource_id: str, rules: TypeRules) -> Resource:
    found = plane.store.find(resource_id)
    if found is None:
        body = _standing(plane, resource_id, rules)
        if body is None:
            raise _missing(plane, resource_id)
        found = Resource(body, {})
    return found


def _missing(plane: Plane, resource_id: str) -> NotFoundError:
    if "/resourcegroups/" in resource_id.lower():
        require_group(plane, resource_id)
    collection, _, name = resource_id.rpartition("/")
    # Tools ask for everything once before they make it, so a 404 must cost the same however many there are.
    known = plane.store.names(collection, _OFFERED)
    return NotFoundError.among(f"resource '{resource_id}': {type_of(resource_id)}", name, known)


def _get(plane: Plane, call: Call) -> Reply:
    resource_id, rules = _known(call)
    if not _is_collection(resource_id):
        text = plane.store.text(resource_id)
        return Reply(200, text.encode() if text is not None else _found(plane, resource_id, rules).body)
    if rules.listed is not None:
        return Reply(200, {"value": rules.listed(plane, call, resource_id)})
    return Reply(200, {"value": [one.body for one in _members(plane, call, resource_id)]})


def _members(plane: Plane, call: Call, collection: str) -> list[Resource]:
    """Return what a collection holds; one of a whole subscription holds what all of its groups hold."""
    if "group" in call.params:
        return plane.store.list(collection)
    kind, scope = type_of(collection), f"/subscriptions/{call.params.get('subscription', '')}"
    return plane.store.of_type(kind, scope)


def _head(plane: Plane, call: Call) -> Reply:
    resource_id, rules = _known(call)
    there = plane.store.text(resource_id) is not None or _standing(plane, resource_id, rules) is not None
    return Reply(204 if there else 404)


def _delete(plane: Plane, call: Call) -> Reply:
    resource_id, rules = _known(call)
    found = plane.store.find(resource_id)
    if _standing(plane, resource_id, rules) is not None:
        raise _not_allowed(call)
    if found is None:
        return Reply(204)
    _check_match(call, rules, found)
    forget(plane, found)
    return Reply(200)


def _not_allowed(call: Call) -> ArmError:
    return ArmError(405, "HttpMethodNotAllowed", f"{call.path} is made by its service: {call.method} is not allowed.")


def forget(plane: Plane, resource: Resource) -> None:
    """Delete a resource the way its type is deleted."""
    _, rules = rules_of(resource.id)
    if rules.forget is not None:
        rules.forget(plane, resource)
    else:
        plane.store.delete(resource.id)


def _act(plane: Plane, call: Call) -> Reply:
    resource_id, _, action = _id(call).rpartition("/")
    if action.lower() == "checknameavailability" and "group" not in call.params:
        return _availability(plane, call)
    act = _ACTIONS.get((type_of(resource_id).lower(), action.lower()))
    if act is None:
        raise ArmError(501, "NotImplemented", f"The local control plane does not implement POST {call.path}.")
    return Reply(200, act(plane.store.get(resource_id)))


def _availability(plane: Plane, call: Call) -> Reply:
    """Answer whether a name that is unique in all of Azure is free, and fits the rule of its type."""
    asked = shaped(call.json(), {"name": str, "type": str})
    name, kind = str(asked.get("name", "")), str(asked.get("type", ""))
    resource_id = f"/subscriptions/{call.params['subscription']}/resourceGroups/-/providers/{kind}/{name}"
    _, rules = rules_of(resource_id)
    if rules.taken is None:
        raise BadRequestError(f"Names of {kind} are not unique in all of Azure.", target="type")
    if not re.fullmatch(rules.name, name):
        message = f"The name '{name}' is not valid for {kind}: use {rules.says}."
        return Reply(200, {"nameAvailable": False, "reason": "AccountNameInvalid", "message": message})
    alive = [one for one in plane.store.named(kind, name) if "grave" not in one.private]
    if alive or soft_delete.buried_name(plane, kind, name):
        message = rules.taken[1].format(name=name)
        return Reply(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return Reply(200, {"nameAvailable": True})


def _handled(plane: Plane, call: Call) -> Reply:
    if tags.concerned(call.path) and call.method in tags.HANDLERS:
        return tags.HANDLERS[call.method](plane, call)
    return _HANDLERS[call.method](plane, call)


_HANDLERS = {"PUT": _put, "GET": _get, "PATCH": _patch, "HEAD": _head, "DELETE": _delete, "POST": _act}
ROUTES = (
    *(
        Route(method, f"{scope}/providers/{{namespace}}/{{rest*}}", _handled)
        for scope in (GROUP, SUBSCRIPTION)
        for method in _HANDLERS
    ),
    Route("GET", "/providers/{namespace}/{rest*}", _get),  # of the whole tenant: the built-in roles
)
