"""Management locks: what they forbid at their scope and below it, and how they are written and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import scopes, type_of
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call
from mlops_kit.local.providers.roles import scope_of

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.providers.resource_rules import Draft

KIND = "Microsoft.Authorization/locks"
LEVELS = ("CanNotDelete", "ReadOnly")
_MOST_NOTES = 512


def admit(plane: Plane, draft: Draft) -> dict[str, Any]:
    """Return a lock as it is kept, its level in its own letter case."""
    del plane
    levels = {level.lower(): level for level in LEVELS}
    given = draft.properties
    level = levels.get(str(given["level"]).lower())
    if level is None:
        raise BadRequestError(f"The lock level '{given['level']}' is not one of {', '.join(LEVELS)}.", target="level")
    if len(given.get("notes") or "") > _MOST_NOTES:
        raise BadRequestError(f"The notes of a lock have at most {_MOST_NOTES} characters.", target="notes")
    return {**draft.body, "properties": {**given, "level": level}}


def listed(plane: Plane, call: Call, collection: str) -> list[dict[str, Any]]:
    """Return the locks at a scope and below it; with ``atScope()`` only those at it."""
    scope = scope_of(collection)
    if "atscope()" in call.query.get("$filter", "").lower():
        return [one.body for one in plane.store.list(collection)]
    return [one.body for one in plane.store.of_type(KIND, scope or "/subscriptions")]


def check(plane: Plane, call: Call) -> None:
    """409 where a lock at the scope of a write, above it, or (for a deletion) below it forbids the write."""
    if type_of(call.path).lower() == KIND.lower():  # a lock never keeps its owner from taking it away
        return
    collections = [f"{scope}/providers/{KIND}" for scope in scopes(call.path)]
    found = plane.store.gather(collections)
    deleting = call.method == "DELETE"
    if deleting:
        found += plane.store.of_type(KIND, call.path)
    locked = {scope_of(one.id): None for one in found if deleting or one.properties["level"] == "ReadOnly"}
    if locked:
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{call.path}' cannot perform {'delete' if deleting else 'write'} operation because following"
            f" scope(s) are locked: '{', '.join(locked)}'. Please remove the lock and try again.",
        )
