"""The resource graph of the infrastructure, read from the Terraform modules, and its picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlops_kit import layered

PROJECT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r'^(resource|output|module) "(\w+)"(?: "(\w+)")? {\n(.*?)^}', re.MULTILINE | re.DOTALL)
_LOCALS = re.compile(r"^locals {\n(.*?)^}", re.MULTILINE | re.DOTALL)
_VALUE = re.compile(r"^  (\w+) += (.*?)(?=^  \w+ += |^  \w+ {|\Z)", re.MULTILINE | re.DOTALL)
_TYPE = re.compile(r'^  type += "([\w./]+)@', re.MULTILINE)
_REFERENCE = re.compile(
    r"\bazapi_(?:update_)?resource\.(\w+)|\bvar\.(\w+)|\blocal\.(\w+)|\bmodule\.(\w+)(?:\[[^\]]*\])?(?:\.(\w+))?"
)

Node = tuple[str, str]  # module, resource


@dataclass(frozen=True, slots=True)
class Graph:
    """Resource types by module and resource, and what each waits for."""

    types: Mapping[Node, str]
    needs: Mapping[Node, frozenset[Node]]


@dataclass(frozen=True, slots=True)
class _Folder:
    resources: Mapping[str, str]
    outputs: Mapping[str, str]
    modules: Mapping[str, Mapping[str, str]]
    local: Mapping[str, str]


def graph() -> Graph:
    """Return the graph of everything that an environment can have."""
    root = _read(PROJECT / "infra" / "terraform")
    folders = {name: _read(PROJECT / "modules" / "terraform" / name) for name in sorted(root.modules)}

    @cache
    def of_output(module: str, name: str) -> frozenset[Node]:
        folder = folders[module]
        if not name:  # the whole module: everything in it
            return frozenset((module, one) for one in folder.resources)
        return _closed(of_text(module, folder.outputs.get(name, "")))

    def of_text(module: str, text: str) -> Iterator[Node]:
        folder = folders[module]
        for resource, variable, local, _, _ in _REFERENCE.findall(text):
            if resource in folder.resources:
                yield module, resource
            elif local:
                yield from of_text(module, folder.local.get(local, ""))
            elif variable:
                yield from of_root(root.modules[module].get(variable, ""))

    def of_root(text: str) -> Iterator[Node]:
        for _, _, local, module, output in _REFERENCE.findall(text):
            if local:
                yield from of_root(root.local.get(local, ""))
            elif module:
                yield from of_output(module, output)

    nodes = [(module, name) for module, folder in folders.items() for name in folder.resources]
    types = {(module, name): _type(folders[module].resources[name]) for module, name in nodes}
    needs = {node: _closed(of_text(node[0], folders[node[0]].resources[node[1]])) - {node} for node in nodes}
    return Graph(types, _reduced(needs))


def _closed(nodes: Iterator[Node]) -> frozenset[Node]:
    return frozenset(nodes)


def _read(folder: Path) -> _Folder:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.tf")))
    blocks = _BLOCK.findall(text)
    return _Folder(
        {name: body for kind, _, name, body in blocks if kind == "resource"},
        {name: dict(_VALUE.findall(body)).get("value", "") for kind, name, _, body in blocks if kind == "output"},
        {name: dict(_VALUE.findall(body)) for kind, name, _, body in blocks if kind == "module"},
        {name: value for body in _LOCALS.findall(text) for name, value in _VALUE.findall(body)},
    )


def _type(body: str) -> str:
    (found,) = _TYPE.findall(body)
    return str(found)


def _reduced(needs: Mapping[Node, frozenset[Node]]) -> dict[Node, frozenset[Node]]:
    """Leave out what is waited for anyway, by way of something else."""

    @cache
    def all_of(node: Node) -> frozenset[Node]:
        return needs[node].union(*(all_of(one) for one in needs[node]))

    def direct(own: frozenset[Node]) -> frozenset[Node]:
        return frozenset(one for one in own if not any(one in all_of(other) for other in own))

    return {node: direct(own) for node, own in needs.items()}


_COLOURS = {
    "resource_group": "#e8eaed",
    "network": "#d3e6fb",
    "identity_and_access": "#fbe3d3",
    "storage": "#d9f2dc",
    "key_vault": "#fff3c4",
    "observability": "#ead9f7",
    "container_registry": "#d6f1f0",
    "workspace": "#c9d8ff",
    "compute": "#dfe7c8",
    "kubernetes": "#f9d6e2",
    "registry": "#e6dccf",
    "data_trigger": "#d0ecd9",
    "budget": "#efe6ff",
}
LOCK = ("resource_group", "lock")  # it waits for everything: lines to it would say nothing


def picture(drawn: Graph) -> str:
    """Return the graph as SVG: what is created first on the left, one colour a module."""
    boxes = {node: _box(node, drawn.types[node]) for node in sorted(drawn.needs)}
    title = "The resources of an environment, in the order in which they are created"
    return layered.picture(title, boxes, drawn.needs, unlined=[LOCK])


def _box(node: Node, kind: str) -> layered.Box:
    namespace, _, name = kind.removeprefix("Microsoft.").partition("/")
    below = "after everything else" if node == LOCK else f"{node[0].replace('_', ' ')} · {namespace}"
    return layered.Box(name.rpartition("/")[2], below, _COLOURS[node[0]], kind)
