"""A document as it was surely meant: misspelt keys and values put right, so that one mistake has no second finding."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_kit.documents import Entry, List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_kit.checks.findings import Finding
    from mlops_kit.documents import Node
    from mlops_kit.errors import Place

Words = dict[tuple["Place", str], str]  # where a wrong word stands, the word -> the one that was meant
QUOTED = re.compile(r"`([^`]*)`")
MISSPELT = {"MK0102", "MK0106"}  # an unknown key, a value that is not allowed: the message names it first
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
