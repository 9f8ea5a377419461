"""Role definitions and role assignments: the rules of Microsoft.Authorization by which each is written and listed."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import timestamp
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call
from mlops_kit.local.providers.built_in_roles import ROLES, BuiltInRole
from mlops_kit.local.settings import TENANT
from mlops_kit.local.signing import OBJECT_ID

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.providers.resource_rules import Draft

_PROVIDER = "/providers/Microsoft.Authorization"
DEFINITIONS = "Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_ACTION = re.compile(r"\*|(\*|[\w.]+)(/[\w.*-]+)+|[\w.]+/\*")
_LISTS = ("actions", "notActions", "dataActions", "notDataActions")


def scope_of(resource_id: str) -> str:
    """Return the scope to which a lock, a role assignment or a role definition belongs; '' is the whole tenant."""
    at = resource_id.lower().rfind(_PROVIDER.lower())
    return resource_id[:at]


def definition(plane: Plane, definition_id: str) -> dict[str, Any] | None:
    """Return a role definition, built-in or custom, by any id of it: only the guid at the end counts."""
    guid = definition_id.rpartition("/")[2].lower()
    for role in ROLES:
        if role.id == guid:
            return _shown(role, scope_of(definition_id))
    subscription = _subscription(plane, definition_id)
    found = plane.store.find(f"{subscription}{_PROVIDER}/roleDefinitions/{guid}")
    return found.body if found else None


def place(resource_id: str) -> str:
    """Return the id under which a custom role is kept: its subscription's, whichever scope below was named."""
    return f"{'/'.join(resource_id.split('/')[:3])}{_PROVIDER}/roleDefinitions/{resource_id.rpartition('/')[2]}"


def standing(plane: Plane, resource_id: str) -> dict[str, Any] | None:
    """Return a built-in role, which nobody writes."""
    del plane
    guid = resource_id.rpartition("/")[2].lower()
    return next((_shown(role, scope_of(resource_id)) for role in ROLES if role.id == guid), None)


def _subscription(plane: Plane, resource_id: str) -> str:
    parts = resource_id.split("/")
    given = len(parts) > 2 and parts[1].lower() == "subscriptions"
    return f"/subscriptions/{parts[2] if given else plane.settings.workspace.subscription}"


def _shown(role: BuiltInRole, scope: str) -> dict[str, Any]:
    subscription = "/".join(scope.split("/")[:3])
    permission = dict(
        zip(_LISTS, (list(role.actions), list(role.not_actions), list(role.data_actions), []), strict=True)
    )
    return {
        "id": f"{subscription}{_PROVIDER}/roleDefinitions/{role.id}",
        "name": role.id,
        "type": DEFINITIONS,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": f"The built-in role {role.name}.",
            "assignableScopes": ["/"],
            "permissions": [permission],
        },
    }


def admit_definition(plane: Plane, draft: Draft) -> dict[str, Any]:
    """Return a custom role as it is kept; refuse a taken name, a missing scope and what is no action."""
    if standing(plane, draft.id):
        raise ArmError(409, "RoleDefinitionUpdateNotPermitted", "A built-in role cannot be changed.")
    given = draft.properties
    name = str(given["roleName"])
    others = plane.store.of_type(DEFINITIONS)
    taken = {str(one.properties["roleName"]).lower() for one in others if one.id.lower() != draft.id.lower()}
    if name.lower() in taken | {role.name.lower() for role in ROLES}:
        raise ArmError(
            409,
            "RoleDefinitionWithSameNameExists",
            f"A custom role with the same name already exists in this directory. Use a different name than '{name}'.",
            target="roleName",
        )
    permissions = [{key: list(one.get(key) or []) for key in _LISTS} for one in given.get("permissions") or []]
    for one in permissions:
        for action in (text for key in _LISTS for text in one[key]):
            if not _ACTION.fullmatch(str(action)):
                raise ArmError(
                    400,
                    "InvalidActionOrNotAction",
                    f"'{action}' does not match any of the actions supported by the providers.",
                    target="permissions",
                )
    if not all(str(scope).lower().startswith("/subscriptions/") for scope in given["assignableScopes"]):
        raise BadRequestError("A custom role is assignable at subscriptions or below.", target="assignableScopes")
    properties = {"description": "", **given, "type": "CustomRole", "permissions": permissions}
    return {**draft.body, "properties": properties}


def forget_definition(plane: Plane, role: Resource) -> None:
    """Delete a custom role that is assigned to nobody."""
    guid = str(role.body["name"]).lower()
    for one in plane.store.of_type(ASSIGNMENTS):
        if str(one.properties["roleDefinitionId"]).rpartition("/")[2].lower() == guid:
            raise ArmError(
                400,
                "RoleDefinitionHasAssignments",
                f"There are existing role assignments referencing role (code: RoleDefinitionHasAssignments): {one.id}.",
            )
    plane.store.delete(role.id)


def list_definitions(plane: Plane, call: Call, collection: str) -> list[dict[str, Any]]:
    """Return the roles that can be assigned at a scope; ``$filter`` by ``roleName`` or ``type``."""
    scope, expression = scope_of(collection), call.query.get("$filter", "")
    custom = [
        one.body
        for one in plane.store.of_type(DEFINITIONS, _subscription(plane, scope))
        if any(_holds(each, scope) for each in one.properties["assignableScopes"])
    ]
    bodies = [*(_shown(role, scope) for role in ROLES), *custom]
    for field, value in re.findall(r"(roleName|type) eq '([^']*)'", expression):
        bodies = [body for body in bodies if str(body["properties"][field]).lower() == value.lower()]
    return bodies


def _holds(scope: str, inner: str) -> bool:
    """Say whether a scope is another one or contains it."""
    return f"{inner.lower()}/".startswith(f"{scope.lower().rstrip('/')}/")


def admit_assignment(plane: Plane, draft: Draft) -> dict[str, Any]:
    """Return a role assignment as it is kept; each pair of principal and role is assigned once at a scope."""
    given = draft.properties
    principal, role = str(given["principalId"]), str(given["roleDefinitionId"])
    _check_principal(plane, principal, given.get("principalType"))
    if definition(plane, role) is None:
        raise ArmError(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{role.rpartition('/')[2]}' does not exist.",
            target="roleDefinitionId",
        )
    if draft.previous is not None and _pair(draft.previous.properties) != _pair(given):
        raise ArmError(
            400,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        )
    for other in plane.store.list(draft.id.rpartition("/")[0], mentioning=principal):
        if other.id.lower() != draft.id.lower() and _pair(other.properties) == _pair(given):
            raise ArmError(
                409,
                "RoleAssignmentExists",
                f"The role assignment already exists. The ID of the existing role assignment is {other.body['name']}.",
            )
    kind = given.get("principalType") or _type_of_principal(plane, principal)
    earlier = draft.previous.properties if draft.previous else {}
    now = timestamp(plane.now())
    properties = {
        **given,
        **({"principalType": kind} if kind else {}),
        "scope": scope_of(draft.id) or "/",
        "createdOn": earlier.get("createdOn", now),
        "updatedOn": earlier.get("updatedOn", now),
    }
    return {**draft.body, "properties": properties}


def _pair(properties: dict[str, Any]) -> tuple[str, str]:
    return str(properties["principalId"]).lower(), str(properties["roleDefinitionId"]).rpartition("/")[2].lower()


def _check_principal(plane: Plane, principal: str, kind: str | None) -> None:
    """400 for what is no guid, and for an identity that the directory has not heard of yet."""
    try:
        uuid.UUID(principal)
    except ValueError:
        raise ArmError(
            400,
            "InvalidPrincipalId",
            f"A valid principal ID must be provided for role assignment, not '{principal}'.",
            target="principalId",
        ) from None
    lag = plane.faults.replication_seconds()
    if not kind and lag and _age(plane, principal) < timedelta(seconds=lag):
        raise ArmError(
            400,
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory {TENANT}. Check that you have the"
            " correct principal ID. If you are creating this principal and then immediately assigning a role, this"
            " error might be related to a replication delay. In this case, set the role assignment principalType"
            " property to a value, such as ServicePrincipal, User, or Group. See"
            " https://aka.ms/docs-principaltype",
            target="principalId",
        )


def _age(plane: Plane, principal: str) -> timedelta:
    """Return how long ago the resource was created that has this principal; a principal of nobody is old."""
    for one in plane.store.mentioning(principal):
        facts = one.body.get("identity") or one.properties
        if str(facts.get("principalId", "")).lower() == principal.lower() and one.body["type"] != ASSIGNMENTS:
            return plane.now() - datetime.fromisoformat(one.body["systemData"]["createdAt"])
    return timedelta.max


def _type_of_principal(plane: Plane, principal: str) -> str:
    if principal.lower() == OBJECT_ID:
        return "User"
    return "" if _age(plane, principal) == timedelta.max else "ServicePrincipal"


def list_assignments(plane: Plane, call: Call, collection: str) -> list[dict[str, Any]]:
    """Return what is granted at a scope, above it and below it; ``atScope()`` leaves out what is below."""
    scope, expression = scope_of(collection), call.query.get("$filter", "")
    found = plane.store.of_type(ASSIGNMENTS)
    kept = [one.body for one in found if _holds(scope_of(one.id), scope)]
    if "atscope()" not in expression.lower():
        above = {body["id"] for body in kept}
        kept += [one.body for one in found if one.id not in above and _holds(scope, scope_of(one.id))]
    if wanted := re.search(r"(?:principalId eq |assignedTo\()'([^']*)'", expression):
        kept = [body for body in kept if str(body["properties"]["principalId"]).lower() == wanted[1].lower()]
    return kept
