"""The ``x-mlops`` block of a template: what it declares, and the typed values its parameters get."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from mlops_kit.documents import Entry, List, Map, Node, Scalar, to_data
from mlops_kit.errors import DocumentError, Place
from mlops_kit.nearest import did_you_mean
from mlops_kit.scalars import typed

BLOCK = "x-mlops"
_KEYS = ("parameters", "environments", "for_each", "depends_on")
_SPECIFICATION = ("type", "default", "minimum", "maximum", "enum", "description")
_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "integer": ("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "object": ("a mapping", lambda value: isinstance(value, dict)),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter; ``default`` is None when it must be given, a null node when it may be left out."""

    name: str
    type: str
    place: Place
    default: Node | None = None
    minimum: float | None = None
    maximum: float | None = None
    enum: tuple[Any, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """What a document's ``x-mlops`` says; ``environments`` is None where the document applies everywhere."""

    parameters: tuple[Parameter, ...] = ()
    environments: tuple[str, ...] | None = None
    for_each: Node | None = None
    depends_on: tuple[str, ...] = ()
    place: Place | None = None


def block(root: Node) -> Block:
    """Return what the ``x-mlops`` of a document's root declares.

    Raises:
        DocumentError: The block has an unknown key or a declaration that contradicts itself.
    """
    node = root.get(BLOCK) if isinstance(root, Map) else None
    if node is None or not isinstance(root, Map):
        return Block()
    place = root.key_place(BLOCK)
    if not isinstance(node, Map):
        raise DocumentError(f"{BLOCK} is a mapping of {', '.join(_KEYS)}", place)
    _known_keys(node, _KEYS, BLOCK)
    declared = node.get("parameters") or Map((), place)
    if not isinstance(declared, Map):
        raise DocumentError(f"{BLOCK}.parameters is a mapping of names to declarations", node.key_place("parameters"))
    return Block(
        parameters=tuple(_parameter(entry) for entry in declared.entries),
        environments=_names(node, "environments") if node.get("environments") is not None else None,
        for_each=node.get("for_each"),
        depends_on=_names(node, "depends_on"),
        place=place,
    )


def _known_keys(node: Map, known: tuple[str, ...], where: str) -> None:
    for entry in node.entries:
        if entry.key.text not in known:
            tail = did_you_mean(entry.key.text, known) or f"; known are {', '.join(known)}"
            raise DocumentError(f"unknown key {entry.key.text!r} in {where}{tail}", entry.key.place)


def _names(node: Map, key: str) -> tuple[str, ...]:
    value = node.get(key)
    items = value.items if isinstance(value, List) else () if value is None else (value,)
    if not all(isinstance(item, Scalar) and isinstance(item.value, str) for item in items):
        raise DocumentError(f"{BLOCK}.{key} is a list of names", node.key_place(key))
    return tuple(item.text for item in items if isinstance(item, Scalar))


def _parameter(entry: Entry) -> Parameter:
    """Return one declaration; a bare value is the default, and its type is the parameter's."""
    name, node, place = entry.key.text, entry.value, entry.key.place
    if not name.isidentifier():
        raise DocumentError(f"parameter {name!r} is not a name that ${{var.NAME}} can use", place)
    if not isinstance(node, Map):
        return Parameter(name, _type_of(to_data(node)), place, node)
    _known_keys(node, _SPECIFICATION, f"parameter {name!r}")
    said = to_data(node)
    kind = said.get("type") or _type_of(said.get("default"))
    if kind not in _TYPES:
        raise DocumentError(
            f"parameter {name!r}: unknown type {kind!r}; known are {', '.join(_TYPES)}", node.key_place("type")
        )
    limits = {key: said[key] for key in ("minimum", "maximum") if said.get(key) is not None}
    for key, limit in limits.items():
        if kind not in {"integer", "number"} or not _TYPES["number"][1](limit):
            raise DocumentError(f"parameter {name!r}: {key} is a number, for a number or integer", node.key_place(key))
    choices = node.get("enum")
    if choices is not None and not isinstance(choices, List):
        raise DocumentError(f"parameter {name!r}: enum is a list", node.key_place("enum"))
    enum = tuple(_typed(item, kind) for item in choices.items) if choices else ()
    return Parameter(
        name, kind, place, node.get("default"), enum=enum, description=str(said.get("description") or ""), **limits
    )


def _type_of(value: Any) -> str:
    return next((kind for kind, (_, fits) in _TYPES.items() if fits(value)), "string")


def values(
    declared: Iterable[Parameter], given: Mapping[str, Node], evaluated: Callable[[Node], Node]
) -> dict[str, Any]:
    """Return the value of every parameter: the given one, else the default; ``evaluated`` resolves expressions.

    Raises:
        DocumentError: A value is missing, or not of the type, range or choice that is declared.
    """
    return {each.name: _value(each, given.get(each.name), evaluated) for each in declared}


def _value(parameter: Parameter, given: Node | None, evaluated: Callable[[Node], Node]) -> Any:
    node = parameter.default if given is None else given
    if node is None:
        message = (
            f"parameter {parameter.name!r} has no value and no default: give one with --set {parameter.name}=VALUE"
        )
        raise DocumentError(message, parameter.place)
    node = evaluated(node)
    value = _typed(node, parameter.type)
    # Null stands for "left out", which only a parameter with that very default allows.
    if value is None and isinstance(parameter.default, Scalar) and parameter.default.value is None:
        return None
    if wrong := _wrong(parameter, value):
        raise DocumentError(f"parameter {parameter.name!r} {wrong}", node.place)
    return value


def _typed(node: Node, kind: str) -> Any:
    """Return the value of a node as a type needs it: text as written, or a number that came as text."""
    value = to_data(node, keep_text=True)
    if not isinstance(node, Scalar) or value is None:
        return value
    if kind == "string":
        return value if isinstance(value, str) else node.text
    return typed(value) if isinstance(value, str) else value


def _wrong(parameter: Parameter, value: Any) -> str | None:
    noun, fits = _TYPES[parameter.type]
    if not fits(value):
        return f"must be {noun}, not {'null' if value is None else repr(value)}"
    if parameter.enum and value not in parameter.enum:
        return f"must be one of {', '.join(map(str, parameter.enum))}, not {value!r}"
    if parameter.minimum is not None and value < parameter.minimum:
        return f"must be at least {parameter.minimum}, not {value!r}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"must be at most {parameter.maximum}, not {value!r}"
    return None


def iterations(for_each: Node | None) -> list[dict[str, Any]]:
    """Return the variables of each document that ``for_each`` makes: a list binds ``item``, a mapping its own names.

    Several names make one document for each combination, the last name varying fastest.
    """
    if for_each is None:
        return [{}]
    lists = to_data(for_each, keep_text=True)
    lists = lists if isinstance(lists, dict) else {"item": lists}
    for name, items in lists.items():
        if not isinstance(items, list):
            raise DocumentError(f"{BLOCK}.for_each: {name!r} needs a list of items", for_each.place)
    return [dict(zip(lists, chosen, strict=True)) for chosen in product(*lists.values())]
