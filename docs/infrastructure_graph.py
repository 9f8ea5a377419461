"""The resource graph of the infrastructure, read from the Terraform modules, and its picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

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


_WIDTH, _HEIGHT, _GAP, _ROW, _MARGIN = 206, 40, 74, 54, 24
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
    columns = _columns(drawn)
    places = {node: _corner(x, row) for x, column in enumerate(columns) for node, row in column.items()}
    width = len(columns) * (_WIDTH + _GAP) - _GAP + 2 * _MARGIN
    height = max(map(len, columns)) * _ROW + 2 * _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif">',
        "<title>The resources of an environment, in the order in which they are created</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    lines += [
        _edge(places[need], places[node])
        for node in sorted(drawn.needs)
        for need in sorted(drawn.needs[node])
        if node != LOCK
    ]
    lines += [part for node in sorted(places) for part in _box(node, drawn.types[node], places[node])]
    return "\n".join([*lines, "</svg>", ""])


def _columns(drawn: Graph) -> list[dict[Node, float]]:
    """Return the nodes by how many others come before, with their rows: beside what they wait for, in the middle."""

    @cache
    def depth(node: Node) -> int:
        return 1 + max((depth(one) for one in drawn.needs[node]), default=-1)

    members: list[list[Node]] = [[] for _ in range(1 + max(map(depth, drawn.needs)))]
    for node in sorted(drawn.needs):
        members[depth(node)].append(node)
    highest = max(map(len, members))
    rows: dict[Node, float] = {}
    columns = []
    for column in members:
        wished = sorted((_mean([rows[one] for one in drawn.needs[node]]), node) for node in column)
        columns.append({node: (highest - len(column)) / 2 + index for index, (_, node) in enumerate(wished)})
        rows |= columns[-1]
    return columns


def _mean(rows: list[float]) -> float:
    return sum(rows) / len(rows) if rows else 0.0


def _corner(column: int, row: float) -> tuple[int, int]:
    return _MARGIN + column * (_WIDTH + _GAP), round(_MARGIN + row * _ROW)


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (to_x, to_y) = start, end
    x, y, to_y = x + _WIDTH, y + _HEIGHT // 2, to_y + _HEIGHT // 2
    bend = _GAP * 2 // 3
    path = f"M{x} {y} C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f'<path d="{path}" fill="none" stroke="#9aa0a6" stroke-width="1.2"/>'


def _box(node: Node, kind: str, place: tuple[int, int]) -> Iterator[str]:
    x, y = place
    namespace, _, name = kind.removeprefix("Microsoft.").partition("/")
    yield (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{_COLOURS[node[0]]}"'
        f' stroke="#5f6368"><title>{escape(kind)}</title></rect>'
    )
    middle = x + _WIDTH // 2
    title = escape(name.rpartition("/")[2])
    yield f'<text x="{middle}" y="{y + 17}" text-anchor="middle" font-size="12">{title}</text>'
    below = "after everything else" if node == LOCK else f"{node[0].replace('_', ' ')} · {namespace}"
    yield f'<text x="{middle}" y="{y + 32}" text-anchor="middle" font-size="10" fill="#5f6368">{escape(below)}</text>'
