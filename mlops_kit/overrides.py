"""Values given outside the files of an environment: ``MLOPS_KIT_VAR_a__b=...`` and ``--set a.b=...``, in YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_kit import documents, environment_keys, layers
from mlops_kit.documents import List, Map, Node, Scalar
from mlops_kit.errors import DocumentError, EnvironmentFileError, Place, UsageError
from mlops_kit.nearest import did_you_mean

PREFIX = "MLOPS_KIT_VAR_"
Override = tuple[str, Place, str, str]
"""Layer, place, dotted path, and YAML text."""


def override(text: str, place: Place) -> Node:
    """Return the node of a value given outside the files: YAML, so ``3`` is a number and ``[a, b]`` a list."""
    try:
        found = documents.parse(text, Path(place.path), shown=place.path)
    except DocumentError as error:
        raise DocumentError(error.message, place) from None
    if len(found) > 1:
        raise EnvironmentFileError("one value is expected, not several documents", place)
    root: Node = found[0].root if found else Scalar(text, text, place, quoted=True)
    return root if "\n" in text else documents.moved(root, place)


def from_variables(process: Mapping[str, str], root: Node) -> list[Override]:
    """Return the overrides of ``MLOPS_KIT_VAR_a__b=...``; a double underscore stands for a dot."""
    names = sorted(name for name in process if name.startswith(PREFIX) and name != PREFIX)
    return [
        (name, Place(name), _spelled(name.removeprefix(PREFIX).replace("__", "."), root), process[name])
        for name in names
    ]


def _spelled(path: str, root: Node) -> str:
    """Return a path in the spelling of the files: some systems know variables in capitals only."""
    if not path.isupper():
        return path
    spelled: list[str] = []
    node: Node | None = root
    for step in path.split("."):
        part = environment_keys.at(tuple(spelled))
        names = [*(node.keys() if isinstance(node, Map) else ()), *part.get("properties", {})]
        spelled.append(next((name for name in names if name.upper() == step), step.lower()))
        node = node.get(spelled[-1]) if isinstance(node, Map) else None
    return ".".join(spelled)


def from_settings(overrides: Iterable[str]) -> list[Override]:
    """Return the overrides of ``--set``, strongest last."""
    return [("--set", Place(f"--set {path}"), path, text) for path, text in map(assignment, overrides)]


def assignment(text: str) -> tuple[str, str]:
    """Return path and value of a ``path=value`` text."""
    path, equals, value = text.partition("=")
    if not equals or not all(path.strip().split(".")):
        raise UsageError(f"--set {text!r} is not of the form PATH=VALUE")
    return path.strip(), value


def steps_of(path: str, root: Node, place: Place) -> layers.Path:
    """Return the steps of a path that the schema or the files know.

    Raises:
        UsageError: Neither knows it.
    """
    steps = tuple(path.split("."))
    part: Mapping[str, Any] | None = environment_keys.schema()
    node: Node | None = root
    for number, step in enumerate(steps):
        inner = environment_keys.below(part or {}, step) if part is not None else None
        child = _child(node, step)
        if child is None and (inner is None or isinstance(node, List)):
            names = [*part.get("properties", {})] if part else []
            names += [key for key, _ in layers.children(node)] if isinstance(node, Map | List) else []
            wrong = ".".join(steps[: number + 1])
            near = did_you_mean(step, names, "".join(f"{before}." for before in steps[:number]))
            raise UsageError(f"{place}: no such path {wrong!r}{near}")
        part, node = inner, child
    return steps


def _child(node: Node | None, step: str) -> Node | None:
    if isinstance(node, List):
        index = layers.list_index(node, step)
        return None if index is None else node.items[index]
    return node.get(step) if isinstance(node, Map) else None
