"""The tree that a YAML file becomes: every key and value with its type, its text, and its line and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform

from mlops_kit.errors import DocumentError, Place
from mlops_kit.scalars import remembering, written

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def _node(kind: type[T]) -> type[T]:
    """Make a dataclass that the type checker holds frozen; frozen at run time, a node would take five times as long."""
    return dataclass(slots=True, unsafe_hash=True)(kind)


@_node
class Scalar:
    """One value: typed in ``value``, as written in ``text``. Only a plain scalar (not ``quoted``) gets a type."""

    value: Any
    text: str
    place: Place
    quoted: bool = False
    tag: str | None = None


@_node
class List:
    """A sequence; ``tag`` is a local tag such as ``!append``."""

    items: tuple[Node, ...]
    place: Place
    tag: str | None = None


@_node
class Entry:
    """One key of a mapping and its value."""

    key: Scalar
    value: Node


@_node
class Map:
    """A mapping in the order written, merge keys (``<<``) expanded; ``tag`` is a local tag such as ``!replace``."""

    entries: tuple[Entry, ...]
    place: Place
    tag: str | None = None

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        for entry in self.entries:
            if entry.key.text == key:
                return entry.value
        return None

    def key_place(self, key: str) -> Place:
        """Return where a key stands, or the mapping's own place when it has no such key."""
        for entry in self.entries:
            if entry.key.text == key:
                return entry.key.place
        return self.place

    def keys(self) -> tuple[str, ...]:
        """Return the keys in the order written."""
        return tuple(entry.key.text for entry in self.entries)


Node = Scalar | Map | List


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file; ``index`` counts the file's documents from 0."""

    path: Path
    index: int
    root: Node


def to_data(node: Node | Document, *, keep_text: bool = False) -> Any:
    """Return plain Python data: dict with text keys, list, str, int, float, bool, None.

    With ``keep_text`` a decimal such as ``0.10`` is a WrittenFloat, which still knows how it was written.
    """
    if isinstance(node, Scalar):
        return remembering(node.value, node.text) if keep_text else node.value
    if isinstance(node, Map):
        return {entry.key.text: to_data(entry.value, keep_text=keep_text) for entry in node.entries}
    if isinstance(node, List):
        return [to_data(item, keep_text=keep_text) for item in node.items]
    return to_data(node.root, keep_text=keep_text)


def from_data(data: Any, place: Place) -> Node:
    """Return the node of plain data, every part of it at ``place``.

    Raises:
        DocumentError: YAML 1.2 core has no such value (infinite numbers, dates, arbitrary objects).
    """
    if isinstance(data, Scalar | Map | List):
        return data
    if isinstance(data, Mapping):
        return Map(tuple(Entry(_text(str(key), place), from_data(item, place)) for key, item in data.items()), place)
    if isinstance(data, str):
        return _text(data, place)
    if isinstance(data, Sequence) and not isinstance(data, bytes | bytearray):
        return List(tuple(from_data(item, place) for item in data), place)
    return Scalar(data, _written_at(data, place), place)


def moved(node: Node, place: Place) -> Node:
    """Return a node with every part of it at ``place``."""
    if isinstance(node, Map):
        entries = (Entry(replace(entry.key, place=place), moved(entry.value, place)) for entry in node.entries)
        return Map(tuple(entries), place, node.tag)
    if isinstance(node, List):
        return List(tuple(moved(item, place) for item in node.items), place, node.tag)
    return replace(node, place=place)


def _text(text: str, place: Place) -> Scalar:
    return Scalar(text, text, place, quoted=True)


def _written_at(data: Any, place: Place) -> str:
    try:
        return written(data)
    except ValueError as error:
        raise DocumentError(str(error), place) from None


def walk(node: Node) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Yield every node with its path, parents before children, in the order written."""
    stack: list[tuple[tuple[str | int, ...], Node]] = [((), node)]
    while stack:
        path, current = stack.pop()
        yield path, current
        if isinstance(current, Map):
            stack.extend(((*path, entry.key.text), entry.value) for entry in reversed(current.entries))
        elif isinstance(current, List):
            numbered = enumerate(current.items)
            stack.extend(reversed([((*path, index), item) for index, item in numbered]))
