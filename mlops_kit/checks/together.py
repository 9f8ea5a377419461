"""Documents of one file beside each other: names that two of them have, traffic for a misspelt deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.checks.endpoints import ONLINE
from mlops_kit.checks.findings import Finding, brief, did_you_mean, error, warning
from mlops_kit.checks.names import rule_of
from mlops_kit.checks.ranges import number
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_kit.documents import Node

Named = tuple[Map, str]  # a document and its kind
_VERSIONED = {"asset", "component"}


def check(documents: Sequence[Named]) -> Iterator[Finding]:
    """Yield what is wrong with the documents of one file that is right with each of them."""
    yield from _twice(documents)
    for root, kind in documents:
        if kind in ONLINE:
            yield from _strangers(root, _deployments(documents, _text(root.get("name"))))


def _twice(documents: Sequence[Named]) -> Iterator[Finding]:
    """Report documents that would become one thing: the second is refused, or takes the place of the first."""
    seen: dict[tuple[str, ...], Scalar] = {}
    for root, kind in documents:
        name, thing = root.get("name"), _thing(root, kind)
        if not isinstance(name, Scalar) or not thing:
            continue
        if thing not in seen:
            seen[thing] = name
        else:
            first = seen[thing]
            message = f"two documents of this file are named `{brief(name.text)}`"
            where = f"the other is in line {first.place.line}" if first.place != name.place else "`for_each` repeats it"
            yield error("MK0206", name.place, f"{message}; {where}", "give each a name of its own")


def _thing(root: Map, kind: str) -> tuple[str, ...]:
    """Return what tells apart the thing that a document becomes; nothing where each time a new one is made."""
    rule = rule_of(kind)
    if not rule or (rule in _VERSIONED and root.get("version") is None):
        return ()
    return (kind if rule == "asset" else rule, *(_text(root.get(key)) for key in ("name", "endpoint_name", "version")))


def _deployments(documents: Sequence[Named], endpoint: str) -> list[str]:
    """Return the names of the deployments of an endpoint in the same file."""
    found = [root for root, kind in documents if kind.endswith("_deployment")]
    return [_text(root.get("name")).lower() for root in found if _text(root.get("endpoint_name")) == endpoint]


def _strangers(endpoint: Map, deployments: Sequence[str]) -> Iterator[Finding]:
    """Warn of shares for a name that is nearly that of a deployment; others may be deployed already."""
    for key in ("traffic", "mirror_traffic"):
        shares = endpoint.get(key)
        for entry in shares.entries if isinstance(shares, Map) else ():
            name = entry.key.text
            hint = did_you_mean(name, deployments) if number(entry.value) and name.lower() not in deployments else ""
            if hint:
                yield warning(
                    "MK1011", entry.key.place, f"`{name}` gets traffic and is no deployment of this file", hint
                )


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
