"""What a service demands of a resource before it is written: its name, its fields, what cannot change, what must exist.

The codes and sentences are those of Azure Resource Manager where they are known; each names the field at fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import group_of, stable_guid, type_of
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError, BadRequestError, NotFoundError
from mlops_kit.local.providers.locations import LOCATIONS, normal

if TYPE_CHECKING:
    from mlops_kit.local.arm.wire import Call
    from mlops_kit.local.plane import Plane

# The namespaces that this control plane knows; ids in other ones are not looked after.
NAMESPACES = (
    "Microsoft.Authorization",
    "Microsoft.Consumption",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.KubernetesConfiguration",
    "Microsoft.MachineLearningServices",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Resources",
    "Microsoft.Storage",
)
_KNOWN = frozenset(name.lower() for name in NAMESPACES)
_MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """A resource that is about to be written: its id, the whole body that is asked for, and what is there now."""

    id: str
    body: dict[str, Any]
    previous: Resource | None = None

    @property
    def name(self) -> str:
        """Return the last segment of the id."""
        return self.id.rpartition("/")[2]

    @property
    def properties(self) -> dict[str, Any]:
        """Return the properties that are asked for."""
        return self.body.get("properties") or {}


def _nothing(draft: Draft) -> dict[str, Any]:
    del draft
    return {}


@dataclass(frozen=True, slots=True)
class TypeRules:
    """The rules of one resource type. Paths are dotted; ``*`` stands for every item of a list."""

    name: str = r".{1,260}"  # a pattern for the whole name
    says: str = "1 to 260 characters"  # the same in words
    located: bool = True  # it needs a location of its own
    needs: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()  # what cannot change once it is there; the location never can
    refers: tuple[str, ...] = ()  # ids of resources that must exist
    secret: tuple[str, ...] = ()  # what is taken and never shown
    etag: str = ""  # the field that carries the entity tag, for services that have one
    parts: tuple[str, ...] = ()  # what the service makes with it, such as blobServices/default
    taken: tuple[str, str] | None = None  # code and sentence where another one in all of Azure has the name
    facts: Callable[[Draft], dict[str, Any]] = _nothing  # the read-only properties that the service adds
    admit: Callable[[Plane, Draft], dict[str, Any]] | None = None  # the type's own rules; returns the body to keep
    written: Callable[[Plane, Resource], None] | None = None  # what else follows from a write
    forget: Callable[[Plane, Resource], None] | None = None  # how it is deleted, where that is more than dropping it
    read_only: bool = False  # nobody writes it
    standing: Callable[[Plane, str], dict[str, Any] | None] | None = None  # what is there although nobody wrote it
    place: Callable[[str], str] | None = None  # where it is kept, where that is not the id of the request
    listed: Callable[[Plane, Call, str], list[dict[str, Any]]] | None = None  # how a collection (its id) is listed


def checked(plane: Plane, rules: TypeRules, draft: Draft) -> dict[str, Any]:
    """Return the body with its location in normal form; refuse it with the first rule that it breaks."""
    kind, body = type_of(draft.id), draft.body
    if draft.previous is None and not re.fullmatch(rules.name, draft.name):
        raise BadRequestError(f"The name '{draft.name}' is not valid for {kind}: use {rules.says}.", target="name")
    body = placed(body, draft, needed=rules.located)
    for path in rules.needs:
        if not list(reach(body, path)):
            raise BadRequestError(f"The resource '{draft.name}' ({kind}) has no '{path}'.", target=path)
    check_tags(body)
    if draft.previous is not None:
        check_fixed(rules.fixed, draft)
    elif rules.taken is not None:
        _check_taken(plane, kind, rules.taken, draft)
    check_references(plane, draft, rules.refers)
    return body


def placed(body: dict[str, Any], draft: Draft, *, needed: bool = True) -> dict[str, Any]:
    """Return the body with a location in normal form; 400 without one or for an unknown one, 409 for another one."""
    earlier = str(draft.previous.body.get("location") or "") if draft.previous else ""
    given = str(body.get("location") or "") or (earlier if needed else "")
    if not given:
        if needed:
            raise ArmError(
                400,
                "LocationRequired",
                f"The location property is required for this definition: '{draft.name}' has none.",
                target="location",
            )
        return body
    location = normal(given)
    if location not in LOCATIONS:
        raise ArmError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{given}' is not available for resource type '{type_of(draft.id)}'.",
            target="location",
        )
    if earlier and location != normal(earlier):
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{draft.name}' already exists in location '{earlier}' in resource group"
            f" '{group_of(draft.id).rpartition('/')[2]}'. A resource with the same name cannot be created in location"
            f" '{location}'. Please select a new resource name.",
            target="location",
        )
    return {**body, "location": location}


def check_tags(body: dict[str, Any]) -> None:
    """400 for more tags, or longer ones, than Azure Resource Manager keeps."""
    tags = body.get("tags") or {}
    if len(tags) > _MOST_TAGS:
        raise BadRequestError(f"A resource carries at most {_MOST_TAGS} tags, not {len(tags)}.", target="tags")
    for name, value in tags.items():
        if not 0 < len(name) <= 512 or len(value or "") > 256 or re.search(r"[<>%&\\?/]", name):
            raise BadRequestError(
                f"The tag '{name[:40]}' is not valid: a name has 1 to 512 characters and none of <>%&\\?/, a value at"
                " most 256.",
                target="tags",
            )


def check_fixed(paths: tuple[str, ...], draft: Draft) -> None:
    """409 naming the first property that cannot change once the resource is there and is asked to be another."""
    if draft.previous is None:
        return
    for path in paths:
        was, wanted = list(reach(draft.previous.body, path)), list(reach(draft.body, path))
        if wanted and not _same(was or [False], wanted):
            shown = (was[0] if was else "not set", wanted[0])
            raise ArmError(
                409,
                "PropertyChangeNotAllowed",
                f"Changing property '{path}' of '{draft.name}' ({type_of(draft.id)}) is not allowed: it is {shown[0]!r}"
                f" and cannot become {shown[1]!r}. Delete the resource and create it anew.",
                target=path,
            )


def _same(one: Any, other: Any) -> bool:
    """Compare as services do: letter case does not count in texts, the order does not in lists."""
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(any(_same(left, right) for right in other) for left in one)
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_same(one.get(key), value) for key, value in other.items() if value is not None)
    return bool(one == other)


def _check_taken(plane: Plane, kind: str, refusal: tuple[str, str], draft: Draft) -> None:
    for other in plane.store.named(kind, draft.name):
        if other.id.lower() != draft.id.lower() and "grave" not in other.private:
            raise ArmError(409, refusal[0], refusal[1].format(name=draft.name), target="name")


def check_references(plane: Plane, draft: Draft, paths: tuple[str, ...]) -> None:
    """400 for the first id that is not one, or under which nothing is stored; user-assigned identities are ids, too."""
    users = (draft.body.get("identity") or {}).get("userAssignedIdentities") or {}
    named = [("identity.userAssignedIdentities", one) for one, facts in users.items() if facts is not None]
    for path in paths:
        named += [(path, one) for one in reach(draft.body, path) if one]
    for path, resource_id in named:
        require_exists(plane, str(resource_id), path, draft.id)


def require_exists(plane: Plane, resource_id: str, path: str, holder: str) -> None:
    """400 where ``resource_id``, which ``holder`` refers to at ``path``, is malformed or names what is not there."""
    if not resource_id.lower().startswith("/subscriptions/"):
        raise ArmError(
            400,
            "LinkedInvalidPropertyId",
            f"Property id '{resource_id}' at path '{path}' is invalid. Expect fully qualified resource Id that start"
            " with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
            target=path,
        )
    if type_of(resource_id).partition("/")[0].lower() in _KNOWN and plane.store.text(resource_id) is None:
        near = NotFoundError.among("resource", resource_id.rpartition("/")[2], _neighbours(plane, resource_id))
        raise ArmError(
            400,
            "InvalidResourceReference",
            f"Resource {resource_id} referenced by resource {holder} was not found."
            f"{near.message.partition('was not found.')[2]} Please make sure that the referenced resource exists, and"
            " that both resources are in the same region.",
            target=path,
        )


def _neighbours(plane: Plane, resource_id: str) -> Iterator[str]:
    return (str(one.body["name"]) for one in plane.store.list(resource_id.rpartition("/")[0]))


def reach(value: Any, path: str) -> Iterator[Any]:
    """Yield what stands at a dotted path and is not null; ``*`` stands for every item of a list."""
    step, _, rest = path.partition(".")
    inner = value if step == "*" and isinstance(value, list) else [value.get(step)] if isinstance(value, dict) else []
    for one in inner:
        if one is not None:
            if rest:
                yield from reach(one, rest)
            else:
                yield one


def entity_tag(body: dict[str, Any], field: str) -> str:
    """Return a tag that changes with the content alone, so that writing the same again changes nothing."""
    content = {key: value for key, value in body.items() if key not in {"systemData", field}}
    return f'W/"{stable_guid(json.dumps(content, sort_keys=True))}"'


def without(value: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a body without what stands at a dotted path."""
    step, _, rest = path.partition(".")
    if step not in value:
        return value
    if not rest:
        return {key: one for key, one in value.items() if key != step}
    inner = value[step]
    return {**value, step: without(inner, rest)} if isinstance(inner, dict) else value


def merged(value: Any, change: Any) -> Any:
    """Return ``value`` with a JSON merge patch (RFC 7396) applied: null removes, objects merge, the rest replaces."""
    if not isinstance(change, dict) or not isinstance(value, dict):
        return change
    whole = {key: one for key, one in value.items() if key not in change or change[key] is not None}
    for key, one in change.items():
        if one is not None:
            whole[key] = merged(whole.get(key, {} if isinstance(one, dict) else None), one)
    return whole
