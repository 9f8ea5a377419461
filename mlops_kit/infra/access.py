"""Who may do what: identities, custom roles, assignments with stable names, and the tokens of GitHub."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping

from mlops_kit.infra.contract import AccessPolicy, CustomRole, FederatedCredential, IdentityAndAccess, RoleAssignment
from mlops_kit.infra.roles import BUILT_IN, CUSTOM, CUSTOM_ROLES, NEEDS, SCOPES, SERVICES, VAULT_PERMISSIONS
from mlops_kit.infra.wanted import Wanted

_ISSUER, _AUDIENCE = "https://token.actions.githubusercontent.com", "api://AzureADTokenExchange"


def access(tree: Wanted, named: Mapping[str, str], group_id: str, environment: str) -> IdentityAndAccess:
    """Return identities, roles and assignments; ``group_id`` is the id of the resource group."""
    given = tree["identity_and_access"]
    identities = {key.partition(".")[2]: name for key, name in named.items() if key.startswith("identity.")}
    custom = {key: _custom(key, named["workspace"], group_id) for key in CUSTOM} if given["custom_roles"] else {}
    assignments = [*_needed(identities, named, group_id), *_given(given["role_assignments"], named, group_id)]
    return IdentityAndAccess(
        identities=identities,
        federated_credentials=_credentials(given["github"], named, environment),
        custom_roles=custom,
        role_assignments=dict(assignments),
    )


def access_policies(assignments: Mapping[str, RoleAssignment]) -> dict[str, AccessPolicy]:
    """Return, for a vault without roles, a policy for each principal that a role would give access to it."""
    found: dict[str, list[tuple[RoleAssignment, tuple[tuple[str, ...], ...]]]] = {}
    for one in assignments.values():
        who, permissions = one.identity or one.principal_id or "", VAULT_PERMISSIONS.get(_name_of(one.role))
        if permissions and one.scope in {"key_vault", "resource_group"}:
            found.setdefault(who, []).append((one, permissions))
    return {
        who: AccessPolicy(given[0][0].identity, given[0][0].principal_id, *map(_together, *(each for _, each in given)))
        for who, given in sorted(found.items())
    }


def _name_of(role: str) -> str:
    """Return the name of a built-in role that is given as its GUID."""
    return next((name for name, guid in BUILT_IN.items() if guid == role.lower()), role)


def _together(*permissions: tuple[str, ...]) -> tuple[str, ...]:
    """Return permissions of several roles as those of one policy."""
    every = dict.fromkeys(one for each in permissions for one in each)
    return ("all",) if "all" in every else tuple(every)


def scope_id(scope: str, named: Mapping[str, str], group_id: str) -> str:
    """Return the resource id that a scope stands for; an id stands for itself."""
    return scope if scope.startswith("/") else group_id + SCOPES[scope].format_map(named)


def role_guid(role: str, group_id: str) -> str:
    """Return the GUID of a role: of a built-in one by its name, of a custom one of this group, or the GUID itself."""
    return _uuid(group_id, role) if role in CUSTOM else BUILT_IN.get(role, role)


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(parts).lower()))


def _custom(key: str, workspace: str, group_id: str) -> CustomRole:
    description, actions, not_actions = CUSTOM_ROLES[key]
    guid = role_guid(key, group_id)
    # the name of a role is unique in a tenant, so it names the workspace
    name = f"{key} ({workspace})"
    return CustomRole(guid, _definition(guid, group_id), name, description, actions, not_actions, (group_id,))


def _definition(guid: str, group_id: str) -> str:
    subscription = "/".join(group_id.split("/")[:3])
    return f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def _needed(
    identities: Mapping[str, str], named: Mapping[str, str], group_id: str
) -> Iterator[tuple[str, RoleAssignment]]:
    for identity, name in identities.items():
        principal = f"{group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        for scope, role in NEEDS[identity]:
            if scope in SERVICES and scope not in named:  # none of ours: Azure's own, or one that exists
                continue
            key = f"{identity}-{scope}-{role}".replace(" ", "").replace("_", "-").lower()
            made = _assignment(scope, role, principal, named, group_id)
            yield key, RoleAssignment(*made[:3], identity, None, "ServicePrincipal", *made[3:])


def _given(
    given: Mapping[str, Mapping[str, str]], named: Mapping[str, str], group_id: str
) -> Iterator[tuple[str, RoleAssignment]]:
    for key, one in given.items():
        made = _assignment(one["scope"], one["role"], one["principal_id"], named, group_id)
        yield key, RoleAssignment(*made[:3], None, one["principal_id"], one["principal_type"], *made[3:])


def _assignment(
    scope: str, role: str, principal: str, named: Mapping[str, str], group_id: str
) -> tuple[str, str, str, str, str, str | None]:
    """Return name, scope, scope id, role, role definition id and custom role of an assignment."""
    target, guid = scope_id(scope, named, group_id), role_guid(role, group_id)
    kind = "id" if scope.startswith("/") else scope
    custom = role if role in CUSTOM else None
    return _uuid(target, principal, guid), kind, target, role, _definition(guid, group_id), custom


def _credentials(
    github: Mapping[str, object] | None, named: Mapping[str, str], environment: str
) -> dict[str, FederatedCredential]:
    """Return the credentials of a repository: one of the GitHub environment, one of pull requests where wanted."""
    if github is None:
        return {}
    ends = {"environment": f"environment:{github.get('environment') or environment}", "pull_request": "pull_request"}
    return {
        key: FederatedCredential(
            named[f"federated_credential.{key}"],
            "deployment",
            _ISSUER,
            f"repo:{github['repository']}:{end}",
            (_AUDIENCE,),
        )
        for key, end in ends.items()
        if f"federated_credential.{key}" in named
    }
