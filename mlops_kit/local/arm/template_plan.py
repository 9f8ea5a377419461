"""The resources of a template in the order they are written: loops unrolled, children after parents, cycles refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mlops_kit.local.arm.shapes import shaped
from mlops_kit.local.arm.template_language import Functions, TemplateError, check, evaluate
from mlops_kit.local.arm.template_scope import (
    BOUNDS,
    KNOWN,
    Door,
    Scope,
    below,
    copy_index_of,
    loop_count,
    resolve,
    scope_functions,
)

NESTED = "microsoft.resources/deployments"
_RESOURCE: dict[str, Any] = {
    **dict.fromkeys(("type", "name", "scope", "apiVersion", "subscriptionId", "resourceGroup"), str),
    "condition": (bool, str),
    "dependsOn": [str],
    "copy": {"name": str, "count": (int, str)},
    "existing": bool,
    "resources": (list, dict),
}
_NESTED: dict[str, Any] = {
    "properties": {"template": dict, "parameters": {"*": dict}, "expressionEvaluationOptions": {"scope": str}}
}
TEMPLATE: dict[str, Any] = {
    "parameters": {"*": {"type": str, "allowedValues": list, **dict.fromkeys(BOUNDS, int)}},
    "variables": dict,
    "outputs": {"*": {"type": str, "condition": (bool, str), "copy": dict}},
}
_OWN_FIELDS = frozenset(
    {"condition", "dependsOn", "copy", "resources", "scope", "type", "name", "apiVersion", "comments", "existing"}
    | {"subscriptionId", "resourceGroup", "metadata", "asserts"}
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One resource of a template, with everything but its properties resolved."""

    id: str
    type: str
    name: str
    place: str
    raw: dict[str, Any]
    functions: Functions
    wanted: bool  # its condition
    depends: tuple[str, ...]  # ids, symbols or names of resources, of loops, as the template writes them
    symbol: str = ""
    loop: str = ""
    nested: Scope | None = None


def plan(
    template: dict[str, Any], parameters: dict[str, Any], scope: Scope, door: Door, outer: Functions | None
) -> tuple[list[Planned], Functions]:
    """Return the resources of a template and the functions of its outputs; 400 for the first fault of the template.

    ``outer`` holds the functions of the template around a nested one that is evaluated in the outer scope.
    """
    shaped(template, TEMPLATE, "template")
    if not isinstance(template.get("resources"), list | dict):
        raise TemplateError("resources", "the template has no resources.")
    if template.get("functions"):
        raise TemplateError("functions", "functions of the user's own are not interpreted by the local control plane.")
    for part in ("parameters", "variables", "resources", "outputs"):
        check(template.get(part) or {}, KNOWN, part)
    functions = scope_functions(template, parameters, scope, door) if outer is None else outer
    planned = list(_flatten(template["resources"], scope, functions, "resources", None))
    safe: set[str] = set()
    for one in planned:
        _check_cycle(one, planned, (), safe)
    return planned, functions


def body_of(one: Planned, functions: Functions) -> dict[str, Any]:
    """Return the body that a planned resource is written with."""
    raw = {key: value for key, value in one.raw.items() if key not in _OWN_FIELDS}
    body: dict[str, Any] = resolve(raw, functions, one.place)
    return {key: value for key, value in body.items() if value is not None}


def _flatten(
    resources: list[Any] | dict[str, Any],
    scope: Scope,
    functions: Functions,
    place: str,
    parent: Planned | None,
) -> Iterator[Planned]:
    """Yield the resources in the template's order, loops unrolled and children after their parents."""
    named = isinstance(resources, dict)
    items: list[tuple[str, dict[str, Any]]] = (
        list(resources.items()) if isinstance(resources, dict) else [(str(i), one) for i, one in enumerate(resources)]
    )
    for key, raw in items:
        where = f"{place}.{key}" if named else f"{place}[{key}]"
        if not isinstance(raw, dict):
            raise TemplateError(where, f"a resource must be an object, not {raw!r}.")
        shaped(raw, _RESOURCE | (_NESTED if str(raw.get("type", "")).lower() == NESTED else {}), where)
        if raw.get("existing"):
            continue
        for mine, loop in _iterations(raw, functions, where):
            one = _planned(raw, scope, mine, where, parent)
            one = replace(one, symbol=key if named else "", loop=loop)
            yield one
            if raw.get("resources"):
                yield from _flatten(raw["resources"], scope, mine, f"{where}.resources", one)


def _iterations(raw: dict[str, Any], functions: Functions, place: str) -> Iterator[tuple[Functions, str]]:
    loop = raw.get("copy")
    if not loop:
        yield functions, ""
        return
    for index in range(loop_count(loop, functions, f"{place}.copy")):
        yield {**functions, "copyindex": copy_index_of({"": index, loop["name"].lower(): index})}, loop["name"]


def _planned(raw: dict[str, Any], scope: Scope, functions: Functions, place: str, parent: Planned | None) -> Planned:
    kind, name = str(raw.get("type", "")), evaluate(raw.get("name", ""), functions, f"{place}.name")
    if not kind or not name:
        raise TemplateError(place, "a resource needs a type and a name.")
    if parent is not None:
        kind, name = f"{parent.type}/{kind}", f"{parent.name}/{name}"
    names = str(name).split("/")
    if kind.count("/") != len(names):
        raise TemplateError(
            f"{place}.name", f"the type '{kind}' needs {kind.count('/')} names, '{name}' has {len(names)}."
        )
    wanted = evaluate(raw.get("condition", True), functions, f"{place}.condition")
    wanted = wanted and (parent is None or parent.wanted)
    depends = tuple(str(one) for one in evaluate(raw.get("dependsOn") or [], functions, f"{place}.dependsOn"))
    target = _target(raw, scope, functions, place, name) if kind.lower() == NESTED else None
    start = target.id if target else _start(raw, scope, functions, place)
    return Planned(
        id=below(start, (kind, *names)),
        type=kind,
        name=str(name),
        place=place,
        raw=raw,
        functions=functions,
        wanted=bool(wanted),
        depends=(*depends, parent.id) if parent else depends,
        nested=target,
    )


def _start(raw: dict[str, Any], scope: Scope, functions: Functions, place: str) -> str:
    given = raw.get("scope")
    if not given:
        return scope.id
    start = str(evaluate(given, functions, f"{place}.scope"))
    if start.startswith("/"):
        return start.rstrip("/")
    kind, _, name = start.rpartition("/")
    return f"{scope.id}/providers/{kind}/{name}"


def _target(raw: dict[str, Any], scope: Scope, functions: Functions, place: str, name: str) -> Scope:
    subscription = evaluate(raw.get("subscriptionId") or scope.subscription, functions, f"{place}.subscriptionId")
    group = evaluate(raw.get("resourceGroup") or scope.group, functions, f"{place}.resourceGroup")
    return Scope(str(subscription), str(group), str(name), str(raw.get("location", "")))


def dependencies(one: Planned, planned: list[Planned]) -> list[Planned]:
    """Return what must be deployed before a resource; 400 where ``dependsOn`` names what the template has not."""
    found: list[Planned] = []
    for text in one.depends:
        wanted = text.lower()
        matches = [
            other
            for other in planned
            if wanted in {other.id.lower(), other.symbol.lower(), other.loop.lower(), other.name.lower()}
            or (not wanted.startswith("/") and other.id.lower().endswith(f"/providers/{wanted}"))
        ]
        # What is conditional may depend on what was never given a name.
        if not matches and one.wanted and text.rstrip("/") == text:
            raise TemplateError(f"{one.place}.dependsOn", f"the resource '{text}' is not defined in the template.")
        found += matches
    return found


def _check_cycle(one: Planned, planned: list[Planned], path: tuple[str, ...], safe: set[str]) -> None:
    if one.id in safe:
        return
    if one.id in path:
        circle = " -> ".join(each.rpartition("/")[2] for each in (*path[path.index(one.id) :], one.id))
        raise TemplateError(f"{one.place}.dependsOn", f"the resources wait for each other: {circle}.")
    for other in dependencies(one, planned):
        _check_cycle(other, planned, (*path, one.id), safe)
    safe.add(one.id)
