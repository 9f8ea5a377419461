"""Protected environments: what runs there is named with its version, so that it is what was tested."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, brief, error
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

# Data is not among them: what is trained in a protected environment is trained on the newest.
_PINNED = {"model", "environment", "component", "trial"}
_SHORT = re.compile(r"(azureml:[^@:/]+)(@\w+)?")
_LONG = re.compile(r"(azureml://.+/(?:environments|models|components)/[^/]+)(/labels/\w+)?")


def check(subject: Subject) -> list[Finding]:
    """Return the assets that a document for a protected environment names by a label, or not at all by a version."""
    return list(_labels(subject.root)) if subject.protected else []


def _labels(node: Node) -> Iterator[Finding]:
    """Yield the labelled references below a node."""
    for item in node.items if isinstance(node, List) else ():
        yield from _labels(item)
    for entry in node.entries if isinstance(node, Map) else ():
        value, key = entry.value, entry.key.text
        if isinstance(value, Scalar):
            if key in _PINNED and (pinned := _pinned(value.text)):
                message = f"`{brief(value.text)}` can become another {key}, and the environment is protected"
                yield error("MK1016", value.place, message, f"write `{pinned}`")
        elif key != "inputs":
            yield from _labels(value)


def _pinned(text: str) -> str:
    """Return how a reference by a label, or without a version, is written with one; of any other text, nothing."""
    if short := _SHORT.fullmatch(text):
        return f"{short[1]}:VERSION"
    long = _LONG.fullmatch(text)
    return f"{long[1]}/versions/VERSION" if long else ""
