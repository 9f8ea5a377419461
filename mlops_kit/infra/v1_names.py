"""Names that v1 gave to settings of compute: taken for those of v2, with a warning.

Which they are stands in the schema of environments: a key with ``x-v2``, the name that it has now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_kit import environment_keys
from mlops_kit.checks.findings import Finding, error, warning
from mlops_kit.documents import Map, Node
from mlops_kit.infra.places import Where

Part = Mapping[str, Any]


def renamed(given: Any, part: Part) -> Any:
    """Return what is given with the names of v2; that both names are given is for ``check`` to tell."""
    if not isinstance(given, Mapping):
        return given
    return {
        _v2(key, part) or key: renamed(value, environment_keys.below(part, key) or {}) for key, value in given.items()
    }


def check(tree: Mapping[str, Any], where: Where) -> Iterator[Finding]:
    """Yield each name of v1 that the files have."""
    del tree  # has the names of v2
    section = environment_keys.schema()["properties"]["infra"]
    yield from _old(where.environment.root.get("infra"), section, ("infra",))


def _old(node: Node | None, part: Part, path: tuple[str, ...]) -> Iterator[Finding]:
    if not isinstance(node, Map):
        return
    for entry in node.entries:
        key = entry.key.text
        if new := _v2(key, part):
            yield _both(node, key, new, path) if node.get(new) else _one(entry.key.place, key, new, path)
        yield from _old(entry.value, environment_keys.below(part, key) or {}, (*path, key))


def _one(place: Any, old: str, new: str, path: tuple[str, ...]) -> Finding:
    message = f"`{'.'.join((*path, old))}` is the name of v1"
    return warning("MK0619", place, message, f"it is taken for `{new}`; write that")


def _both(node: Map, old: str, new: str, path: tuple[str, ...]) -> Finding:
    message = f"`{'.'.join(path)}` has `{old}` and `{new}`, which are the same setting"
    return error("MK0619", node.key_place(old), message, f"`{old}` is the name of v1; keep `{new}`")


def _v2(key: str, part: Part) -> str | None:
    return part.get("properties", {}).get(key, {}).get("x-v2")  # type: ignore[no-any-return]
