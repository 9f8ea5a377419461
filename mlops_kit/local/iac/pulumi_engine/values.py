"""Property values: the protocol's structs as plain Python, where a value may be secret or not known yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.protobuf import struct_pb2

# What the SDK (pulumi/runtime/rpc.py) writes into a struct for a value that it does not know, or must keep secret.
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the mark of a secret, not one
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
MASK = "[secret]"


class Unknown(Enum):
    """The one value that stands for what only an ``up`` will tell."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        """Return what a person reads in a preview."""
        return "[unknown]"


UNKNOWN = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that no stream and no file shows in clear."""

    value: Any

    def __repr__(self) -> str:
        """Return the mask, so that no message shows the value by accident."""
        return MASK


def decode(message: struct_pb2.Struct) -> dict[str, Any]:
    """Return a struct as a dict; whole numbers become ``int``, since JSON knows no difference."""
    return {name: _decoded(value) for name, value in message.fields.items()}


def _decoded(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == _UNKNOWN_TEXT else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decoded(one) for one in value.list_value.values]
    if kind == "struct_value":
        return _special(decode(value.struct_value))
    return None


def _special(found: dict[str, Any]) -> Any:
    signature = found.get(SIGNATURE)
    if signature is None:
        return found
    if signature == SECRET:
        inner = found.get("value")
        return inner if inner is UNKNOWN or isinstance(inner, Secret) else Secret(inner)
    if signature == _RESOURCE:
        return found.get("id") or found.get("urn")
    raise ValueError("files and archives as properties are not supported by the engine: no resource of ours takes one")


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return a dict as a struct, marked the way the SDK reads it."""
    message = struct_pb2.Struct()
    message.update(walk(values, _marked))
    return message


def _marked(leaf: Any) -> Any:
    if leaf is UNKNOWN:
        return _UNKNOWN_TEXT
    if isinstance(leaf, Secret):
        return {SIGNATURE: SECRET, "value": walk(leaf.value, _marked)}
    return leaf


def walk(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return ``value`` with ``change`` applied to everything in it that is no list and no mapping."""
    if isinstance(value, Mapping):
        return {name: walk(one, change) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [walk(one, change) for one in value]
    return change(value)


def revealed(value: Any) -> Any:
    """Return a value with its secrets in clear, for the one place that needs them: the body that ARM gets."""
    return walk(value, lambda leaf: revealed(leaf.value) if isinstance(leaf, Secret) else leaf)


def masked(value: Any) -> Any:
    """Return a value for people's eyes: secrets hidden, and the unknown said to be so."""

    def show(leaf: Any) -> Any:
        if isinstance(leaf, Secret):
            return MASK
        return repr(UNKNOWN) if leaf is UNKNOWN else leaf

    return walk(value, show)


def secrets_in(value: Any) -> set[str]:
    """Return every text that is secret in a value, so that messages can be cleared of it."""
    found: set[str] = set()

    def collect(leaf: Any) -> Any:
        if isinstance(leaf, Secret):
            walk(revealed(leaf.value), lambda text: found.add(text) if isinstance(text, str) and text else None)
        return leaf

    walk(value, collect)
    return found


def has_unknown(value: Any) -> bool:
    """Say whether anything in a value is not known yet."""
    found = False

    def look(leaf: Any) -> Any:
        nonlocal found
        inner = leaf.value if isinstance(leaf, Secret) else leaf
        found = found or inner is UNKNOWN or (isinstance(leaf, Secret) and has_unknown(leaf.value))
        return leaf

    walk(value, look)
    return found


def mark_secret(outputs: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Return outputs in which the properties called ``names`` are secret."""
    return {
        name: Secret(value) if name in names and not isinstance(value, Secret) and value is not UNKNOWN else value
        for name, value in outputs.items()
    }
