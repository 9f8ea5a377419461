"""Where the files of an environment say something about a value, for messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_kit import environment_keys
from mlops_kit.documents import List, Map, Node, Scalar
from mlops_kit.environments import Environment
from mlops_kit.errors import Place
from mlops_kit.layers import list_index


@dataclass(frozen=True, slots=True)
class Where:
    """Answers with the place of a value and whether any layer gives it; steps are the keys from the root."""

    environment: Environment

    def place(self, *steps: str) -> Place:
        """Return where the strongest layer gives a value, else where it gives the nearest thing that it lies in."""
        return [self.environment.root.place, *(place for _, place in self._down(steps))][-1]

    def gives(self, *steps: str) -> bool:
        """Say whether any layer gives a value."""
        return len(list(self._down(steps))) == len(steps)

    def _down(self, steps: tuple[str, ...]) -> Iterator[tuple[Node, Place]]:
        """Yield the nodes on the way, as far as there are any: of a single value its place, of others their key's."""
        node: Node = self.environment.root
        part: Mapping[str, Any] = environment_keys.schema()
        for step in steps:
            given = _given(node, part, step)
            above, below = node, _child(node, given)
            if below is None:
                return
            node, part = below, environment_keys.below(part, step) or {}
            key = above.key_place(given) if isinstance(above, Map) else node.place
            yield node, node.place if isinstance(node, Scalar) else key


def _given(node: Node, part: Mapping[str, Any], step: str) -> str:
    """Return the name under which a file gives a key: that of v1 where it has no other."""
    if not isinstance(node, Map) or node.get(step):
        return step
    olds = (key for key, inner in part.get("properties", {}).items() if inner.get("x-v2") == step and node.get(key))
    return next(olds, step)


def _child(node: Node, step: str) -> Node | None:
    if isinstance(node, Map):
        return node.get(step)
    index = list_index(node, step) if isinstance(node, List) else None
    return node.items[index] if isinstance(node, List) and index is not None else None
