"""How layers of YAML become one: maps deep, lists of named items by name, the rest replaces; markers say otherwise.

Precedence is by layer only. Every override form (``{default: x}``, ``{from_env: NAME}``) is made plain before merging.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeGuard

from mlops_kit.documents import Entry, List, Map, Node, Scalar
from mlops_kit.errors import EnvironmentFileError, Place
from mlops_kit.nearest import did_you_mean

REPLACE, APPEND, DELETE = "!replace", "!append", "!delete"
MARKERS = (REPLACE, APPEND, DELETE)
FROM_ENV = "!from_env"
"""Tag of a value ``{from_env: NAME, default: x}``; it merges like a single value."""

_LONG_FORM = frozenset({"default", "description", "from_env"})
Path = tuple[str, ...]
Report = Callable[[EnvironmentFileError], None]
"""Is told each fault; one that returns lets the merge go on as far as it makes sense."""


def refuse(fault: EnvironmentFileError) -> None:
    """End the merge at its first fault."""
    raise fault


@dataclass(frozen=True, slots=True)
class Origin:
    """What one layer says about one path: the place, and the text or the marker that stands there."""

    path: Path
    layer: str
    place: Place
    text: str


def merge(base: Node | None, over: Node, path: Path = (), report: Report = refuse) -> Node | None:
    """Return ``base`` with ``over`` laid on it, or None when ``over`` deletes it; ``path`` is for messages.

    A fault is reported where a marker has nothing to act on, or an entry without a base is incomplete.
    """
    over = _plain_form(over, path, report)
    if over.tag == DELETE:
        if base is None:
            report(EnvironmentFileError(f"{_dotted(path)}: no earlier layer has anything to delete here", over.place))
        return None
    if over.tag == REPLACE:
        return merge(None, replace(over, tag=None), path, report)
    if over.tag == APPEND:
        return _appended(base, over, path, report)
    if over.tag not in {None, FROM_ENV}:
        known = ", ".join(MARKERS)
        report(EnvironmentFileError(f"{_dotted(path)}: unknown marker {over.tag}; known are {known}", over.place))
    if _is_map(over):
        return _merged_maps(base, over, path, report)
    return _merged_lists(base, over, path, report) if isinstance(over, List) else over


def _is_map(node: Node | None) -> TypeGuard[Map]:
    return isinstance(node, Map) and node.tag != FROM_ENV


def _plain_form(node: Node, path: Path, report: Report) -> Node:
    """Return the value that a long form stands for: its default, or a lookup of an environment variable."""
    if not isinstance(node, Map) or node.tag not in {None, REPLACE} or not _LONG_FORM.issuperset(node.keys()):
        return node
    if (variable := node.get("from_env")) is not None:
        if not isinstance(variable, Scalar) or not isinstance(variable.value, str):
            message = f"{_dotted(path)}: from_env takes the name of an environment variable"
            report(EnvironmentFileError(message, node.key_place("from_env")))
        return replace(node, tag=FROM_ENV)
    default = node.get("default")
    return node if default is None else default


def _merged_maps(base: Node | None, over: Map, path: Path, report: Report) -> Node | None:
    if over.keys() == ("description",) and base is not None and not _is_map(base):
        return base
    earlier = {entry.key.text: entry for entry in base.entries} if _is_map(base) else {}
    merged = dict(earlier)
    for entry in over.entries:
        name = entry.key.text
        before = earlier[name].value if name in earlier else None
        value = merge(before, entry.value, (*path, name), report)
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = Entry(entry.key, value)
    return Map(tuple(merged.values()), over.place)


def item_name(node: Node) -> str | None:
    """Return the ``name`` of a list item that has one."""
    name = node.get("name") if isinstance(node, Map) else None
    return name.text if isinstance(name, Scalar) else None


def is_named_list(node: Node | None) -> bool:
    """Say whether every item of a list has a ``name``."""
    return isinstance(node, List) and bool(node.items) and all(item_name(item) is not None for item in node.items)


def _merged_lists(base: Node | None, over: List, path: Path, report: Report) -> Node:
    if not isinstance(base, List) or not (is_named_list(base) and is_named_list(over)):
        kept = [merge(None, item, (*path, str(index)), report) for index, item in enumerate(over.items)]
        return List(tuple(item for item in kept if item is not None), over.place)
    merged = {str(item_name(item)): item for item in base.items}
    for item in over.items:
        name = str(item_name(item))
        if name not in merged:
            _require_complete(base, item, name, path, report)
        value = merge(merged.get(name), item, (*path, name), report)
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return List(tuple(merged.values()), over.place)


def _require_complete(base: List, item: Node, name: str, path: Path, report: Report) -> None:
    """Refuse a new item that lacks a key which all items before it have: most often a misspelt name."""
    if item.tag == REPLACE or not isinstance(item, Map):
        return
    shared = set.intersection(*(set(each.keys()) for each in base.items if isinstance(each, Map)))
    lacking = sorted(shared - set(item.keys()))
    if lacking and item.tag != DELETE:
        names = [str(item_name(each)) for each in base.items]
        message = f"{_dotted(path)}: {name!r} is in no earlier layer and lacks {', '.join(map(repr, lacking))}"
        report(EnvironmentFileError(message + did_you_mean(name, names), item.place))


def _appended(base: Node | None, over: Node, path: Path, report: Report) -> Node:
    if not isinstance(over, List) or not (base is None or isinstance(base, List)):
        report(EnvironmentFileError(f"{_dotted(path)}: {APPEND} adds a list to a list", over.place))
        return base or over
    return List((*(base.items if base else ()), *over.items), over.place)


def merge_files(base: Map, over: Map, report: Report = refuse) -> Map:
    """Return the mapping of one file laid on that of another; the first one has nothing below it."""
    merged = _merged_maps(_merged_maps(None, base, (), report), over, (), report)
    return merged if isinstance(merged, Map) else over


def put(root: Map, path: Path, value: Node, report: Report = refuse) -> Map:
    """Return ``root`` with ``value`` merged in at a path; names select the items of a list of named items, or numbers.

    The caller has made sure that the path can be reached; missing maps on the way are made.
    """
    changed = _put(root, path, value, path, report)
    return changed if isinstance(changed, Map) else Map((), root.place)


def _put(node: Node | None, rest: Path, value: Node, path: Path, report: Report) -> Node | None:
    if not rest:
        return merge(node, value, path, report)
    step, *further = rest
    if isinstance(node, List):
        index = list_index(node, step)
        items = [
            _put(item, tuple(further), value, path, report) if at == index else item
            for at, item in enumerate(node.items)
        ]
        return replace(node, items=tuple(item for item in items if item is not None))
    entries = {entry.key.text: entry for entry in node.entries} if _is_map(node) else {}
    before = entries.get(step)
    inner = _put(before.value if before else None, tuple(further), value, path, report)
    if inner is None:
        entries.pop(step, None)
    else:
        entries[step] = Entry(Scalar(step, step, value.place, quoted=True), inner)
    return Map(tuple(entries.values()), node.place if node else value.place)


def list_index(node: List, step: str) -> int | None:
    """Return the index of the item that a step of a path means: by name where items have names, else by number."""
    names = [item_name(item) for item in node.items]
    if step in names:
        return names.index(step)
    return int(step) if step.isdecimal() and int(step) < len(names) else None


def origins(layer: str, node: Node, path: Path = ()) -> Iterator[Origin]:
    """Yield what one layer says: every single value, and every marker."""
    node = _plain_form(node, path, _pass_over)
    if node.tag in MARKERS:
        yield Origin(path, layer, node.place, node.tag + (f" {node.text}" if isinstance(node, Scalar) else ""))
    if isinstance(node, Map) and node.tag == FROM_ENV:
        variable = node.get("from_env")
        yield Origin(path, layer, node.place, f"from_env {variable.text if isinstance(variable, Scalar) else ''}")
    elif isinstance(node, Scalar):
        if node.tag is None:
            yield Origin(path, layer, node.place, node.text)
    else:
        for step, child in children(node):
            yield from origins(layer, child, (*path, step))


def _pass_over(fault: EnvironmentFileError) -> None:
    """Leave a fault to the merge, which reports it."""


def children(node: Map | List) -> Iterator[tuple[str, Node]]:
    """Yield the steps of a path below a node: keys, names of named items, else numbers."""
    if isinstance(node, Map):
        yield from ((entry.key.text, entry.value) for entry in node.entries)
    elif is_named_list(node):
        yield from ((str(item_name(item)), item) for item in node.items)
    else:
        yield from ((str(index), item) for index, item in enumerate(node.items))


def _dotted(path: Path) -> str:
    return ".".join(path) or "the file"
