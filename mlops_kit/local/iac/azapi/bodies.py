"""Request and response bodies as JSON: what drifted, what is merged, what goes to ``output``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

from mlops_kit.local.iac.azapi.values import Dynamic, from_json, is_null, same
from mlops_kit.local.iac.refusals import Refusal

# What a service writes itself. A body made from an answer must not send it back.
_SERVICE_WRITES = ("id", "name", "type", "systemData", "etag")
_HIDDEN = re.compile(r"\*+|<redacted>|")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which differences between what was sent and what came back are no drift."""

    ignore_casing: bool = False
    ignore_missing: bool = True
    ignore_null: bool = False
    unique: Mapping[str, str] = field(default_factory=dict)  # path of a list -> the fields that name its items
    ignore_others: frozenset[str] = frozenset()  # paths of lists whose other items are someone else's

    @classmethod
    def of(cls, model: Mapping[str, Any], **changes: Any) -> Comparison:
        """Return the comparison that the arguments of a resource ask for."""
        facts = {
            "ignore_casing": bool(model.get("ignore_casing")),
            "ignore_missing": model.get("ignore_missing_property") is not False,
            "ignore_null": bool(model.get("ignore_null_property")),
            "unique": model.get("list_unique_id_property") or {},
            "ignore_others": frozenset(model.get("ignore_other_items_in_list") or ()),
        }
        return cls(**{**facts, **changes})


def drifted(sent: Any, found: Any, how: Comparison, path: str = "") -> Any:
    """Return ``sent`` with the values that the service has now; equal to ``sent`` where nothing drifted.

    Only what was sent is looked at: what the service adds is not drift.
    """
    if same(sent, found):
        return sent
    if isinstance(sent, Mapping) and isinstance(found, Mapping):
        return _drifted_members(sent, found, how, path)
    if isinstance(sent, list) and isinstance(found, list):
        return _drifted_items(sent, found, how, path)
    if isinstance(sent, str) and isinstance(found, str):
        alike = how.ignore_casing and sent.lower() == found.lower()
        hidden = how.ignore_missing and _HIDDEN.fullmatch(found)  # secrets come back as asterisks or not at all
        return sent if alike or hidden else found
    return found


def _drifted_members(sent: Mapping[str, Any], found: Mapping[str, Any], how: Comparison, path: str) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for name, value in sent.items():
        below = f"{path}.{name}".lstrip(".")
        if value is None and how.ignore_null:
            whole[name] = None
        elif found.get(name) is not None:
            whole[name] = drifted(value, found[name], how, below)
        elif how.ignore_missing or not value:
            whole[name] = value
    return whole


def _drifted_items(sent: list[Any], found: list[Any], how: Comparison, path: str) -> list[Any]:
    if not sent or not found:
        return found
    unique = how.unique.get(path, "name")
    if not _key(sent[0], unique) or not _key(found[0], unique):
        if len(sent) != len(found):
            return found
        return [drifted(one, other, how, path) for one, other in zip(sent, found, strict=True)]
    left = list(found)
    whole = []
    for item in sent:
        partner = next((one for one in left if _key(one, unique) == _key(item, unique)), None)
        if partner is not None:
            left.remove(partner)
            whole.append(drifted(item, partner, how, path))
    return whole if path in how.ignore_others else whole + left


def _key(item: Any, unique: str) -> tuple[str, ...]:
    """Return what names an item of a list: the values of its unique fields, nothing where it has none of them."""
    values = [item.get(part.strip()) for part in unique.split(",")] if isinstance(item, Mapping) else []
    return tuple(str(value).lower() for value in values if value is not None)


def merged(below: Any, above: Any, unique: Mapping[str, str] | None = None, path: str = "") -> Any:
    """Return ``below`` with everything that ``above`` says; items of lists meet by name, or by position."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        whole = dict(below)
        for name, value in above.items():
            whole[name] = merged(below[name], value, unique, f"{path}.{name}".lstrip(".")) if name in below else value
        return whole
    if isinstance(below, list) and isinstance(above, list) and below and above:
        return _merged_items(below, above, unique or {}, path)
    return above


def _merged_items(below: list[Any], above: list[Any], unique: Mapping[str, str], path: str) -> list[Any]:
    by = unique.get(path, "name")
    if not _key(below[0], by) or not _key(above[0], by):
        if len(below) != len(above):
            return above
        return [merged(one, other, unique, path) for one, other in zip(below, above, strict=True)]
    patches = {_key(item, by): item for item in above}
    kept = [merged(item, patches.pop(_key(item, by), item), unique, path) for item in below]
    return [*kept, *patches.values()]


def writable(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an answer can be sent again."""
    body = {name: value for name, value in answer.items() if name not in _SERVICE_WRITES}
    if isinstance(body.get("properties"), Mapping):
        body["properties"] = {name: value for name, value in body["properties"].items() if name != "provisioningState"}
    return body


def without_nulls(value: Any) -> Any:
    """Return a body without the properties that are null."""
    if isinstance(value, Mapping):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def at(body: Any, path: str) -> Any:
    """Return what is at a dotted path, None where there is nothing."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def with_paths(body: Any, other: Any, paths: list[str]) -> Any:
    """Return ``body`` with what ``other`` has at some dotted paths, or has not."""
    for path in paths:
        body = _with_path(body, other, path.split("."))
    return body


def _with_path(body: Any, other: Any, path: list[str]) -> Any:
    if not isinstance(body, Mapping):
        return body
    name, rest = path[0], path[1:]
    theirs = other.get(name) if isinstance(other, Mapping) else None
    whole = dict(body)
    if rest:
        if name in body:
            whole[name] = _with_path(body[name], theirs, rest)
    elif theirs is None:
        whole.pop(name, None)
    else:
        whole[name] = theirs
    return whole


def exported(answer: Any, wanted: Dynamic | None) -> Dynamic:
    """Return ``output``: what ``response_export_values`` asks for, by a list of paths or a map of JMESPath queries.

    Without it the real provider shows the properties that its embedded schemas call read-only; there are no such
    schemas here, so the output is empty and a module that relies on them fails before it meets Azure.
    """
    if is_null(wanted) or wanted is None:
        return from_json({})
    asked = wanted.json()
    if isinstance(asked, Mapping):
        return from_json({name: _queried(answer, query) for name, query in asked.items()})
    if not isinstance(asked, list):
        raise Refusal("Invalid response_export_values", "It must be a list or a map.", "response_export_values")
    if "*" in asked:
        return from_json(answer if answer is not None else {})
    whole: dict[str, Any] = {}
    for path in asked:
        whole = merged(whole, _alone(answer, path.split(".")))
    return from_json(whole)


def _alone(answer: Any, path: list[str]) -> dict[str, Any]:
    """Return the mappings that lead to one path, and what is there; nothing where nothing is."""
    found = at(answer, ".".join(path))
    for name in reversed(path):
        found = {name: found} if found is not None else None
    return found or {}


def _queried(answer: Any, query: str) -> Any:
    try:
        return jmespath.search(query, answer)
    except jmespath.exceptions.JMESPathError as error:
        detail = f"{query!r} is no JMESPath query: {error}"
        raise Refusal("Invalid response_export_values", detail, "response_export_values") from None
