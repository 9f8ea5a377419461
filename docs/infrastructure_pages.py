"""One page per module of the infrastructure, and the picture of all: from the modules and the environments' schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import infrastructure_graph

PROJECT = Path(__file__).resolve().parent.parent
_MODULES = PROJECT / "modules" / "terraform"
# Where the settings of a module stand below `infra`, where that is not its own name.
_SECTIONS = {"network": "workspace.virtual_network"}
_DERIVED = "derived"


def pages() -> dict[str, str]:
    """Return the text of each file by its name below ``docs``."""
    from mlops_kit import environment_keys

    graph = infrastructure_graph.graph()
    schema = environment_keys.schema()["properties"]["infra"]
    modules = sorted({module for module, _ in graph.types})
    found = {f"modules/{module}.md": _page(module, graph, schema) for module in modules}
    return {**found, "modules/index.md": _index(modules), "modules/resources.svg": infrastructure_graph.picture(graph)}


def _index(modules: list[str]) -> str:
    rows = [f"| [{_title(module)}]({module}.md) | {_introduction(module)[0]} |" for module in modules]
    return (
        "# Modules of the infrastructure\n\n"
        "Generated from the modules by `nox -s docs`.\n\n"
        "Terraform and Pulumi have the same modules, which make the same resources. What is on the left is created\n"
        "first; a line says that a resource waits for another. The delete lock comes last and goes first.\n\n"
        "![The resources of an environment, in the order in which they are created](resources.svg)\n\n"
        "| module | what it is |\n|---|---|\n" + "\n".join(rows) + "\n"
    )


def _page(module: str, graph: infrastructure_graph.Graph, schema: Mapping[str, Any]) -> str:
    section = _SECTIONS.get(module, module)
    parts = [
        f"# {_title(module)}\n",
        "Generated from the modules and the schema of environments by `nox -s docs`.\n",
        *(f"{paragraph}\n" for paragraph in _introduction(module)),
        f"Terraform: `modules/terraform/{module}`, with variables and outputs in its `README.md` and an example",
        f"that is a test. Pulumi: `modules/pulumi/{module}.py`.\n",
        "## Resources\n",
        "| resource | API version | waits for |\n|---|---|---|",
        *_resources(module, graph),
        f"\n## Settings: `infra.{section}`\n",
        "| key | what it says | values | quick | secure |\n|---|---|---|---|---|",
        *_settings(section, schema),
    ]
    return "\n".join(parts) + "\n"


def _title(module: str) -> str:
    return module.replace("_", " ").capitalize()


def _introduction(module: str) -> list[str]:
    """Return the paragraphs of a module's README that stand before its first section."""
    text = (_MODULES / module / "README.md").read_text(encoding="utf-8")
    head = text.partition("\n## ")[0].partition("\n")[2]
    return [" ".join(one.split()) for one in head.strip().split("\n\n")]


def _resources(module: str, graph: infrastructure_graph.Graph) -> Iterator[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((_MODULES / module).glob("*.tf")))
    versions = dict(re.findall(r'^  type += "([\w./]+)@([\w-]+)"', text, re.MULTILINE))
    for node in sorted(graph.types, key=lambda one: (graph.types[one], one)):
        if node[0] == module:
            kind = graph.types[node]
            needs = sorted({graph.types[one].partition(".")[2] for one in graph.needs[node]})
            waits = "everything else" if node == infrastructure_graph.LOCK else ", ".join(f"`{one}`" for one in needs)
            yield f"| `{kind}` | {versions[kind]} | {waits or 'nothing'} |"


def _settings(section: str, schema: Mapping[str, Any]) -> Iterator[str]:
    from mlops_kit.infra import profiles

    part, default = schema, _laid(profiles.EVERY, profiles.WHEN_WANTED)
    own = {name: _laid(default, profiles.PROFILES[name]) for name in ("quick", "secure")}
    for step in section.split("."):
        part = part["properties"][step]
    for path, leaf in _leaves(part, ()):
        whole = (*section.split("."), *path)
        given = [_shown(_reached(own[name], whole), leaf) for name in ("quick", "secure")]
        says = leaf.get("description", "").replace("|", "\\|")
        yield f"| `{'.'.join(path)}` | {says} | {_values(leaf)} | {given[0]} | {given[1]} |"


def _leaves(part: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    free = part.get("additionalProperties")
    inner = part.get("properties") or ({"*": free} if isinstance(free, Mapping) else {})
    if not inner:
        yield path, part
    for key, below in inner.items():
        yield from _leaves(below, (*path, key))


def _laid(under: Any, over: Any) -> Any:
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        return {key: _laid(under.get(key), over[key]) if key in over else under[key] for key in {**under, **over}}
    return over


class _Nothing:
    """No profile gives a value."""


def _reached(tree: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if not isinstance(tree, Mapping) or step not in tree:
            return _Nothing
        tree = tree[step]
    return tree


def _shown(value: Any, leaf: Mapping[str, Any]) -> str:
    if value is _Nothing:
        return _DERIVED if "derived" in leaf.get("description", "") else "-"
    if value is None:
        return str(leaf.get("x-null", "none"))
    return f"`{json.dumps(list(value) if isinstance(value, tuple) else value)}`"


def _values(leaf: Mapping[str, Any]) -> str:
    if "enum" in leaf:
        return ", ".join(f"`{one}`" for one in leaf["enum"])
    low, high = leaf.get("minimum"), leaf.get("maximum")
    bounds = f" from {low}" * (low is not None) + f" to {high}" * (high is not None)
    of = leaf["items"].get("enum") if leaf["type"] == "array" else None
    return f"{_KINDS[leaf['type']]}{bounds}" + (f" of {', '.join(f'`{one}`' for one in of)}" if of else "")


_KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true, false", "array": "list"}
