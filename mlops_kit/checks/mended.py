"""A document as it was surely meant: misspelt keys and values put right, so that one mistake has no second finding."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from mlops_kit.checks.kinds import FAMILIES
from mlops_kit.documents import Entry, List, Map, Scalar
from mlops_kit.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_kit.checks.findings import Finding
    from mlops_kit.documents import Node
    from mlops_kit.errors import Place

Words = dict[tuple["Place", str], str]  # where a wrong word stands, the word -> the one that was meant
QUOTED = re.compile(r"`([^`]*)`")
MISSPELT = {"MK0102", "MK0106"}  # an unknown key, a value that is not allowed: the message names it first
PORTS = ("inputs", "outputs")
PARTS = (*PORTS, "type")
PORT = ("type", "default", "optional")
TYPES = tuple(FAMILIES["component"].kinds)
OFFER = "did you mean "


def mended(root: Map, findings: Iterable[Finding]) -> Map:
    """Return a document with each word that a finding offers in the place of the misspelt one."""
    words: Words = {}
    for finding in findings:
        if finding.code in MISSPELT and finding.hint.startswith(OFFER):
            wrong, meant = QUOTED.search(finding.message), QUOTED.search(finding.hint)
            if wrong and meant:
                words[finding.place, wrong[1]] = meant[1]
    return _map(root, words) if words else root


def spelled(component: Map) -> Map:
    """Return a component with what its callers look at spelled right: its type, its ports and their keys."""
    root = _keyed(component, PARTS)
    return replace(root, entries=tuple(Entry(each.key, _part(each.key.text, each.value)) for each in root.entries))


def _part(key: str, node: Node) -> Node:
    if key == "type" and isinstance(node, Scalar):
        return _near(node, TYPES)
    if key not in PORTS or not isinstance(node, Map):
        return node
    return replace(node, entries=tuple(Entry(each.key, _port(each.value)) for each in node.entries))


def _port(node: Node) -> Node:
    return _keyed(node, PORT) if isinstance(node, Map) else node


def _keyed(node: Map, known: tuple[str, ...]) -> Map:
    """Return a map with each key that is near to one that it lacks put right."""
    present = set(node.keys())
    lacking = tuple(key for key in known if key not in present)
    if not lacking or present <= set(known):
        return node
    entries = (each if each.key.text in known else Entry(_near(each.key, lacking), each.value) for each in node.entries)
    return replace(node, entries=tuple(entries))


def _near(node: Scalar, known: tuple[str, ...]) -> Scalar:
    meant = node.text if node.text in known else _meant(node.text, known)
    return replace(node, value=meant, text=meant) if meant != node.text else node


@cache
def _meant(word: str, known: tuple[str, ...]) -> str:
    """Return the known word that is near; the same few keys are asked about over and over."""
    return "".join(nearest(word, known)) or word


def _map(node: Map, words: Words) -> Map:
    entries = tuple(Entry(_scalar(entry.key, words), _node(entry.value, words)) for entry in node.entries)
    return replace(node, entries=entries)


def _node(node: Node, words: Words) -> Node:
    if isinstance(node, Map):
        return _map(node, words)
    if isinstance(node, List):
        return replace(node, items=tuple(_node(item, words) for item in node.items))
    return _scalar(node, words)


def _scalar(node: Scalar, words: Words) -> Scalar:
    meant = words.get((node.place, node.text))
    return replace(node, value=meant, text=meant) if meant else node
