"""Numbers and truth values as the text that was written, where the schema of a kind takes nothing but text.

``version: 0.10`` under ``tags`` is the text ``0.10``; the SDK refuses a number there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_kit import schemas
from mlops_kit.documents import Entry, List, Map, Scalar

if TYPE_CHECKING:
    from mlops_kit.documents import Node

Schema = dict[str, Any]


def as_written(root: Map, kind: str) -> Map:
    """Return a document of a kind with text wherever only text may stand; the very document when nothing changes."""
    schema = schemas.read(kind)
    changed = _node(root, [schema], schema["$defs"])
    return changed if isinstance(changed, Map) else root


def _node(node: Node, options: list[Schema], definitions: dict[str, Schema]) -> Node:
    """Return a node that one of several schemas describes."""
    flat = [inner for option in options for inner in _alternatives(option, definitions)]
    if isinstance(node, Map):
        values = [_node(entry.value, _below(entry.key.text, flat), definitions) for entry in node.entries]
        if all(value is entry.value for value, entry in zip(values, node.entries, strict=True)):
            return node
        entries = (Entry(entry.key, value) for entry, value in zip(node.entries, values, strict=True))
        return replace(node, entries=tuple(entries))
    if isinstance(node, List):
        inner = [option.get("items", {}) for option in flat if option.get("type") == "array"]
        items = tuple(_node(item, inner, definitions) for item in node.items)
        return (
            node if all(new is old for new, old in zip(items, node.items, strict=True)) else replace(node, items=items)
        )
    if isinstance(node.value, str) or node.value is None or not _takes_only_text(flat):
        return node
    return Scalar(node.text, node.text, node.place, quoted=True)


def _alternatives(schema: Schema, definitions: dict[str, Schema]) -> list[Schema]:
    """Return the schemas without references and alternatives that a schema stands for."""
    if "$ref" in schema:
        return _alternatives(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in schema:
        return [inner for option in schema["anyOf"] for inner in _alternatives(option, definitions)]
    return [schema]


def _below(key: str, options: list[Schema]) -> list[Schema]:
    """Return what may stand under a key of a map."""
    found = []
    for option in options:
        properties, others = option.get("properties", {}), option.get("additionalProperties", True)
        if option.get("type") == "object" or not option:
            found += [properties[key]] if key in properties else [others if isinstance(others, dict) else {}]
    return found


def _takes_only_text(options: list[Schema]) -> bool:
    """Return whether some schema takes a text and none a number or truth value; an empty schema takes anything."""
    types = {option.get("type", "") if isinstance(option.get("type", ""), str) else "" for option in options}
    return "string" in types and not types & {"", "integer", "number", "boolean"}
