"""What ``terraform show -json`` says about a plan, as changes; and which resources that exist it would create."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlops_kit.infra.changes import MASK, UNKNOWN, Action, Change, Changes, Difference, differences

_ACTIONS: Mapping[tuple[str, ...], Action] = {
    ("no-op",): "same",
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}
_REASONS = {
    "replace_because_tainted": "its creation failed midway",
    "replace_by_request": "it was asked for",
    "replace_by_triggers": "what it depends on is replaced",
    "delete_because_no_resource_config": "the program no longer has it",
    "delete_because_no_module": "the program no longer has it",
    "delete_because_wrong_repetition": "the values no longer want it",
    "delete_because_count_index": "the values no longer want it",
    "delete_because_each_key": "the values no longer want it",
}
# Of azapi's many attributes these say what a resource is; the others say how to ask for it, or what it answered.
_SHOWN = ("type", "name", "parent_id", "location", "tags", "identity", "body")
GROUP_TYPE = "Microsoft.Resources/resourceGroups"


def changes(plan: Mapping[str, Any], environment: str) -> Changes:
    """Return the changes of a plan; data sources are read, not changed."""
    found = plan.get("resource_changes", [])
    items = tuple(
        _change(one) for one in found if one.get("mode") == "managed" and one["change"]["actions"] != ["read"]
    )
    drift = tuple(
        item
        for item in (_change(one) for one in plan.get("resource_drift", []))
        if item.differences or item.action == "delete"
    )
    outputs = {name: one["actions"] for name, one in plan.get("output_changes", {}).items()}
    changed = tuple(sorted(name for name, actions in outputs.items() if actions != ["no-op"]))
    return Changes(environment, "terraform", items, drift, changed)


def _change(one: Mapping[str, Any]) -> Change:
    change = one["change"]
    action = _ACTIONS[tuple(change["actions"])]
    if "importing" in change and action in {"same", "update"}:
        action = "adopt"
    known = change.get("before") or change.get("after") or {}
    found = tuple(_differences(change)) if action in {"update", "replace", "adopt"} else ()
    return Change(
        address=one["address"],
        type=str((change.get("after") or {}).get("type") or known.get("type") or one["type"]).partition("@")[0],
        name=str((change.get("after") or {}).get("name") or known.get("name") or one.get("index") or one["name"]),
        action=action,
        id=(change.get("before") or {}).get("id") or (change.get("after") or {}).get("id"),
        reasons=tuple(_reasons(one, change, found)) if action in {"replace", "delete"} else (),
        differences=found,
    )


def _differences(change: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what differs of what a resource is; what only the run will tell is no difference that can be shown.

    Of a resource that is taken over, what the program says nothing about is none either.
    """
    before, after = change.get("before") or {}, change.get("after") or {}
    unknown = change.get("after_unknown") or {}
    marks = [change.get(f"{side}_sensitive") or {} for side in ("before", "after")]
    for name in _SHOWN:
        if unknown.get(name) is True:
            continue
        old, new = before.get(name), _with_unknowns(after.get(name), unknown.get(name))
        if "importing" in change:
            old = _said_by(new, old)
        is_secret = any(isinstance(each, Mapping) and _has_any(each.get(name)) for each in marks)
        for one in differences(old, new, name):
            yield Difference(one.path, MASK, MASK) if is_secret else one


def _has_any(marks: Any) -> bool:
    """Say whether a tree of marks has any: terraform writes the shape of a value, with true at what is marked."""
    if isinstance(marks, Mapping):
        return any(map(_has_any, marks.values()))
    return any(map(_has_any, marks)) if isinstance(marks, list) else marks is True


def _with_unknowns(value: Any, marks: Any) -> Any:
    """Return a planned value with a word at what only the run will tell, which terraform leaves out or null."""
    if not _has_any(marks):
        return value
    if isinstance(marks, Mapping):
        named = value if isinstance(value, Mapping) else {}
        return {**named, **{key: _with_unknowns(named.get(key), mark) for key, mark in marks.items()}}
    if isinstance(marks, list):
        listed = value if isinstance(value, list) else []
        return [_with_unknowns(one, mark) for one, mark in itertools.zip_longest(listed, marks)]
    return UNKNOWN


def _said_by(wanted: Any, present: Any) -> Any:
    """Return of what is there the parts that a program says something about."""
    if isinstance(wanted, Mapping) and isinstance(present, Mapping):
        return {key: _said_by(value, present.get(key)) for key, value in wanted.items()}
    if isinstance(wanted, list) and isinstance(present, list):
        return [_said_by(new, old) for new, old in zip(wanted, present, strict=False)]
    return None if wanted is None else present


def _reasons(one: Mapping[str, Any], change: Mapping[str, Any], found: tuple[Difference, ...]) -> Iterator[str]:
    """Yield why a resource is replaced or deleted: the properties that cannot change in place, in full paths."""
    reason = _REASONS.get(one.get("action_reason", ""))
    if reason:
        yield reason
    fixed = [f"body.{path}" for path in (change.get("after") or {}).get("replace_triggers_refs") or []]
    for path in change.get("replace_paths", []):
        head = ".".join(map(str, path))
        inner = (
            [each.path for each in found if any(_is_below(each.path, one) for one in fixed)] if head == "body" else []
        )
        yield from (f"{each} cannot change in place" for each in inner or [head])


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))


def existing(plan: Mapping[str, Any], group: str, is_there: Callable[[str, str], bool]) -> dict[str, str]:
    """Return what a plan would create and is there: the address by which to import it -> the id to import.

    ``group`` is the id of the environment's group; ``is_there(id, api_version)`` asks the service.
    """
    creates = {
        one["address"]: one["change"]["after"]
        for one in plan.get("resource_changes", [])
        if one["type"] == "azapi_resource" and one["change"]["actions"] == ["create"]
    }
    managed = [one["change"].get("after") for one in plan.get("resource_changes", [])]
    every = [after for after in managed if after and after.get("type") and after.get("name")]
    found = {}
    for address, after in creates.items():
        place, version = resource_id(after, every, group), after["type"].partition("@")[2]
        if place is not None and is_there(place, version):
            found[address] = f"{place}?api-version={version}"
    return found


def resource_id(after: Mapping[str, Any], every: Sequence[Mapping[str, Any]], group: str) -> str | None:
    """Return the id that a planned resource will have; None where it is not known from the plan."""
    kind, name = str(after.get("type") or "").partition("@")[0], after.get("name")
    if not kind or not name:
        return None
    if kind.lower() == GROUP_TYPE.lower():
        return group
    parent = after.get("parent_id") or _parent(kind, every, group)
    if parent is None:
        return None
    above = kind.rpartition("/")[0]
    is_child = "/" in above and above.lower() == _type_of(parent).lower()
    return f"{parent}/{kind.rpartition('/')[2]}/{name}" if is_child else f"{parent}/providers/{kind}/{name}"


def _parent(kind: str, every: Sequence[Mapping[str, Any]], group: str) -> str | None:
    """Return the parent of a type while it is not made: the group, or the one resource of the type above."""
    above = kind.rpartition("/")[0]
    if "/" not in above:
        return group
    found = [one for one in every if str(one["type"]).partition("@")[0].lower() == above.lower()]
    return resource_id(found[0], every, group) if len(found) == 1 else None


def _type_of(place: str) -> str:
    namespace, *segments = place.rpartition("/providers/")[2].split("/")
    return "/".join([namespace, *segments[::2]])


def import_blocks(found: Mapping[str, str]) -> str:
    """Return the blocks by which terraform takes over what is there."""
    return "".join(f"import {{\n  to = {address}\n  id = {json.dumps(place)}\n}}\n" for address, place in found.items())
