"""``${{...}}`` in the values of a document: which there are, and where each stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mlops_kit.checks.files import place_in
from mlops_kit.documents import Map, Scalar
from mlops_kit.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_kit.documents import Node
    from mlops_kit.errors import Place

# Nothing in these patterns can match the same blanks in two ways: a long text must not take long.
REFERENCE = re.compile(r"\$\{\{([^{}]*)\}\}")
UNCLOSED = re.compile(r"\$\{\{(?![^{}]*\}\})\s*((?:inputs|outputs|parent|search_space)\.[\w.-]*)(?:\s*\})?")
PATTERNS = (REFERENCE, UNCLOSED)


class Reference(NamedTuple):
    """One reference: the scalar it stands in, what it names (``inputs.x``), and the whole of it as written."""

    scalar: Scalar
    text: str
    written: str

    @property
    def is_closed(self) -> bool:
        """Return whether the reference has its end."""
        return self.written.endswith("}}")

    @property
    def place(self) -> Place:
        """Return where the reference stands in the file."""
        return place_in(self.scalar, self.written)

    @property
    def parts(self) -> list[str]:
        """Return the names between the dots."""
        return self.text.split(".")


def names(node: Node | None) -> frozenset[str]:
    """Return the keys of a map; of nothing, no keys."""
    return frozenset(node.keys()) if isinstance(node, Map) else frozenset()


def scalars(node: Node, skip: frozenset[str] = frozenset()) -> Iterator[Scalar]:
    """Yield every scalar value below a node in the order written, without those under the top-level keys ``skip``."""
    waiting = [node]
    if skip and isinstance(node, Map):
        waiting = [entry.value for entry in reversed(node.entries) if entry.key.text not in skip]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Scalar):
            yield each
        elif isinstance(each, Map):
            waiting += [entry.value for entry in reversed(each.entries)]
        else:
            waiting += reversed(each.items)


def references(node: Node, skip: frozenset[str] = frozenset()) -> Iterator[Reference]:
    """Yield every reference below a node, once for each scalar; those that lack their end come last."""
    for scalar in scalars(node, skip):
        if "${{" in scalar.text:
            found = {match[0]: match[1].strip() for pattern in PATTERNS for match in pattern.finditer(scalar.text)}
            for written, text in found.items():
                yield Reference(scalar, text, written)


def whole(scalar: Scalar) -> Reference | None:
    """Return the reference that is all of a value, None when the value is more than one reference, or none."""
    match = REFERENCE.fullmatch(scalar.text.strip())
    return Reference(scalar, match[1].strip(), match[0]) if match else None


def is_known(scalar: Scalar) -> bool:
    """Return whether a value is what will be submitted: neither bound nor filled in by rendering another file."""
    return "${" not in scalar.text


def named(found: Iterable[Reference], prefix: str) -> set[str]:
    """Return the names that references give directly after a prefix."""
    return {each.text.removeprefix(prefix).partition(".")[0] for each in found if each.text.startswith(prefix)}


def idle(declared: Node | None, used: set[str]) -> list[Scalar]:
    """Return the keys of a map that nothing uses, without those that a misspelt use means: that is one fault."""
    keys = [entry.key for entry in declared.entries if entry.key.text not in used] if isinstance(declared, Map) else []
    missed = used - names(declared)
    if not keys or not missed:
        return keys
    if len(keys) <= len(missed):
        return []
    meant = {near for name in missed for near in nearest(name, [key.text for key in keys])}
    return [key for key in keys if key.text not in meant]
