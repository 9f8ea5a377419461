"""YAML text <-> Document: every key and value with its line and column, typed by the YAML 1.2 core schema.

The text that was written is kept beside the value. Mapping keys are always text.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml._yaml import CEmitter, CParser
from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from mlops_kit.errors import DocumentError, Place, RepeatedKeyError
from mlops_kit.nodes import Document, Entry, List, Map, Node, Scalar, from_data, moved, to_data, walk
from mlops_kit.scalars import reads_as_text, same_in_both, typed, written

__all__ = [
    "Document",
    "Entry",
    "List",
    "Map",
    "Node",
    "Scalar",
    "displayed",
    "dump",
    "from_data",
    "load",
    "moved",
    "parse",
    "read_text",
    "to_data",
    "walk",
]

MAX_DEPTH = 100
MAX_ALIASED_NODES = 50_000
"""A document that uses aliases may not grow beyond this many nodes; without aliases the file's size is the bound."""


def load(path: Path, *, shown: str | None = None) -> tuple[Document, ...]:
    """Read all documents of a UTF-8 file; ``shown`` is how messages name it (default: what ``displayed`` returns).

    Raises:
        DocumentError: The file cannot be read, is not UTF-8, or is not YAML that can be loaded safely.
    """
    name = shown or displayed(path)
    return parse(read_text(path, shown=name), path, shown=name)


def displayed(path: Path) -> str:
    """Return how messages name a file: relative to the current folder where it lies below it, with ``/``."""
    full, here = os.path.abspath(path), os.getcwd() + os.sep  # noqa: PTH100, PTH109  for a thousand files pathlib is slow
    return (full.removeprefix(here)).replace(os.sep, "/")


def read_text(path: Path, *, shown: str | None = None) -> str:
    """Return the text of a UTF-8 file; a byte order mark is dropped, other encodings are refused by name."""
    name = shown or displayed(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DocumentError("no such file", Place(name)) from None
    except OSError as error:
        raise DocumentError(f"cannot be read: {(error.strerror or str(error)).lower()}", Place(name)) from None
    if encoding := _other_encoding(data):
        raise DocumentError(f"the file is {encoding}, save it as UTF-8", Place(name, 1, 1))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise DocumentError(f"byte 0x{data[error.start]:02x} is not UTF-8", Place(name, line, column)) from None


def _other_encoding(data: bytes) -> str | None:
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "UTF-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    # Without a mark the zero bytes of ASCII characters give it away; YAML itself never holds one.
    return "UTF-16 without a byte order mark" if b"\x00" in data[:2] else None


def parse(text: str, path: Path, *, shown: str | None = None) -> tuple[Document, ...]:
    """Parse all documents of a text; empty documents are left out.

    Raises:
        DocumentError: The text is not YAML, repeats a key, or its aliases grow without bound.
    """
    name = shown or displayed(path)
    reader = _Reader(name)
    roots = [reader.node(root) for root in _compose(text, name)]
    kept = [root for root in roots if not (isinstance(root, Scalar) and root.text == "" and not root.quoted)]
    return tuple(Document(path, index, root) for index, root in enumerate(kept))


class _Parser(CParser):
    """libyaml's parser and composer; every untagged node keeps an empty tag, so that typing stays ours."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002  the composer's signature
        # Quoted, or tagged with a bare "!": text, whatever it looks like.
        return "!" if kind is ScalarNode and not implicit[0] else ""

    def descend_resolver(self, parent: Any, index: Any) -> None:
        """Do nothing: no type depends on where a node stands."""

    def ascend_resolver(self) -> None:
        """Do nothing."""


def _compose(text: str, name: str) -> Iterator[yaml.Node]:
    try:
        parser = _Parser(text)
        while parser.check_node():
            if (root := parser.get_node()) is not None:
                yield root
    except yaml.MarkedYAMLError as error:
        raise DocumentError(f"malformed YAML: {_sentence(error, text)}", _error_place(error, name)) from None
    except yaml.reader.ReaderError as error:
        line = text.encode("utf-8", "surrogatepass").count(b"\n", 0, error.position) + 1
        raise DocumentError(f"malformed YAML: {error.reason}", Place(name, line)) from None
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise DocumentError("malformed YAML: a surrogate is not a character", Place(name, line)) from None


def _sentence(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = error.problem or "not YAML"
    mark = error.problem_mark
    if mark and problem == "found character that cannot start any token" and text[mark.index : mark.index + 1] == "\t":
        return "a tab cannot indent, use blanks"
    if not error.context:
        return problem
    began = error.context_mark
    return f"{problem} {error.context}" + (f" that began in line {began.line + 1}" if began else "")


def _error_place(error: yaml.MarkedYAMLError, name: str) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)


class _Reader:
    """Turns composed nodes into ours, a node that aliases share only once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.done: dict[int, Node] = {}
        self.open: set[int] = set()
        self.aliased = False

    def node(self, root: yaml.Node) -> Node:
        """Return one document's root."""
        # The keys are ids of nodes of this tree: they mean nothing once it is gone.
        self.done.clear()
        self.aliased = False
        read = self._node(root, 0)
        if self.aliased and _expanded(read, {}) > MAX_ALIASED_NODES:
            raise DocumentError(f"aliases expand to more than {MAX_ALIASED_NODES} nodes", read.place)
        return read

    def _place(self, node: yaml.Node) -> Place:
        mark = node.start_mark
        return Place(self.name, mark.line + 1, mark.column + 1)

    def _node(self, node: yaml.Node, depth: int) -> Node:
        if type(node) is ScalarNode:
            text = node.value
            if node.tag == "!":
                return Scalar(text, text, self._place(node), True)
            return _tagged(node, text, self._place(node)) if node.tag else Scalar(typed(text), text, self._place(node))
        key = id(node)
        if key in self.done:
            self.aliased = True
            return self.done[key]
        if key in self.open:
            raise DocumentError("this anchor contains itself", self._place(node))
        if depth > MAX_DEPTH:
            raise DocumentError(f"nested deeper than {MAX_DEPTH} levels", self._place(node))
        self.open.add(key)
        read = self._map(node, depth + 1) if type(node) is MappingNode else self._list(node, depth + 1)
        self.open.discard(key)
        self.done[key] = read
        return read

    def _list(self, node: yaml.Node, depth: int) -> List:
        items = tuple([self._node(child, depth) for child in node.value])
        return List(items, self._place(node), self._tag(node, "seq") if node.tag else None)

    def _map(self, node: yaml.Node, depth: int) -> Map:
        entries: dict[str, Entry] = {}
        merges: list[Entry] = []
        for key_node, value_node in node.value:
            entry = Entry(self._key(key_node), self._node(value_node, depth))
            text = entry.key.text
            if text == "<<" and not entry.key.quoted:
                merges.append(entry)
            elif text in entries:
                raise _twice(entries[text].key, entry.key)
            else:
                entries[text] = entry
        for entry in merges:
            for inherited in self._merge(entry.value, entry.key.place):
                entries.setdefault(inherited.key.text, inherited)
        return Map(tuple(entries.values()), self._place(node), self._tag(node, "map") if node.tag else None)

    def _key(self, node: yaml.Node) -> Scalar:
        if type(node) is not ScalarNode:
            raise DocumentError("a key must be text, not a mapping or a list", self._place(node))
        return Scalar(node.value, node.value, self._place(node), node.tag == "!")

    def _merge(self, value: Node, place: Place) -> Iterator[Entry]:
        for source in value.items if isinstance(value, List) else (value,):
            if not isinstance(source, Map):
                raise DocumentError("'<<' merges a mapping or a list of mappings", place)
            yield from source.entries

    def _tag(self, node: yaml.Node, kind: str) -> str | None:
        tag: str = node.tag
        if tag in {"!", _CORE + kind}:
            return None
        if tag.startswith(_CORE):
            raise DocumentError(f"the tag !!{tag.removeprefix(_CORE)} is not supported here", self._place(node))
        return tag


def _twice(first: Scalar, again: Scalar) -> RepeatedKeyError:
    lines = f"in line {first.place.line} and in line {again.place.line}"
    return RepeatedKeyError(f"key {first.text!r} is written twice, {lines}", again.place)


def _expanded(node: Node, known: dict[int, int]) -> int:
    """Return how many nodes a tree has when every alias stands for its own copy; shared parts are counted once."""
    if isinstance(node, Scalar):
        return 1
    if id(node) not in known:
        parts = [entry.value for entry in node.entries] if isinstance(node, Map) else node.items
        known[id(node)] = 1 + sum(_expanded(part, known) for part in parts)
    return known[id(node)]


_CORE = "tag:yaml.org,2002:"
_EXPLICIT: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}


def _tagged(node: ScalarNode, text: str, place: Place) -> Scalar:
    """Return a scalar that has an explicit tag: ``!!str 5`` is text, ``!!int "5"`` a number, ``!local`` is kept."""
    tag: str = node.tag
    if tag == _CORE + "str":
        return Scalar(text, text, place, True)
    if not tag.startswith(_CORE):
        return Scalar(text if node.style else typed(text), text, place, bool(node.style), tag)
    kind = tag.removeprefix(_CORE)
    if kind not in _EXPLICIT:
        raise DocumentError(f"the tag !!{kind} is not supported", place)
    value = typed(text)
    if type(value) not in _EXPLICIT[kind]:
        raise DocumentError(f"{text!r} is not a value of type !!{kind}", place)
    return Scalar(float(value), written(float(value)), place) if kind == "float" else Scalar(value, text, place)


class _Emitter(CEmitter):
    """libyaml's emitter, told that no node needs a tag unless it has one of its own."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002  the serializer's signature
        return ""

    def descend_resolver(self, parent: Any, index: Any) -> None:
        """Do nothing: no tag depends on where a node stands."""

    def ascend_resolver(self) -> None:
        """Do nothing."""


def dump(documents: Iterable[Document | Node | Any]) -> str:
    """Return the YAML text of documents or plain data: same bytes for the same data, equal when parsed back.

    Text that YAML 1.1 or 1.2 would read as something else (``no``, ``010``, ``1e3``, dates) is quoted; a number keeps
    the text that was written where both read it alike.
    """
    return "---\n".join(_dump_one(document) for document in documents)


def _dump_one(document: Any) -> str:
    root = document.root if isinstance(document, Document) else document
    text = io.StringIO()
    emitter = _Emitter(text, allow_unicode=True, width=1 << 30, encoding=None)
    emitter.open()
    emitter.serialize(_yaml_node(from_data(root, Place("data"))))
    emitter.close()
    return text.getvalue()


def _yaml_node(node: Node) -> yaml.Node:
    tag = node.tag or ""
    if isinstance(node, Scalar):
        text, style = _emitted(node)
        return ScalarNode(tag, text, style=style)
    if isinstance(node, List):
        return SequenceNode(tag, [_yaml_node(item) for item in node.items], flow_style=False)
    pairs = [(_key_node(entry.key.text), _yaml_node(entry.value)) for entry in node.entries]
    return MappingNode(tag, pairs, flow_style=False)


def _key_node(text: str) -> ScalarNode:
    return ScalarNode("", text, style=None if reads_as_text(text) else "'")


def _emitted(node: Scalar) -> tuple[str, str | None]:
    """Return text and style of a scalar."""
    value = node.value
    if isinstance(value, str):
        value = str(value)  # the emitter takes no subclass, such as a text with secrets
        if "\n" in value:
            return value, "|"
        return value, None if reads_as_text(value) else "'"
    if isinstance(value, int | float) and same_in_both(node.text):
        return node.text, None
    return written(float(value) if isinstance(value, float) else value), None
