"""Schemas of resources, data sources and the provider as data, and their form in the plugin protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tf.gen import tfplugin_pb2 as pb

from mlops_kit.local.iac.azapi import values

# ``write_only = true``: field 11 of Schema.Attribute in protocol 6.8, which the generated classes do not know. They
# keep bytes of fields that they do not know.
_WRITE_ONLY = b"\x58\x01"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. ``type`` is cty's JSON notation; ``use`` names who sets it: user, either of both, or provider."""

    type: Any = "string"
    use: str = "optional"  # required, optional, either (optional and computed), computed
    sensitive: bool = False
    write_only: bool = False
    nested: Mapping[str, Attribute] = field(default_factory=dict)
    nesting: str = "SINGLE"  # of ``nested``

    def proto(self, name: str) -> pb.Schema.Attribute:
        """Return the attribute as the protocol has it."""
        made = pb.Schema.Attribute(
            name=name,
            type=b"" if self.nested else json.dumps(self.type).encode(),
            required=self.use == "required",
            optional=self.use in {"optional", "either"},
            computed=self.use in {"computed", "either"},
            sensitive=self.sensitive,
        )
        if self.nested:
            nesting = pb.Schema.Object.NestingMode.Value(self.nesting)
            parts = [part.proto(key) for key, part in sorted(self.nested.items())]
            made.nested_type.CopyFrom(pb.Schema.Object(attributes=parts, nesting=nesting))
        return pb.Schema.Attribute.FromString(made.SerializeToString() + _WRITE_ONLY) if self.write_only else made


@dataclass(frozen=True, slots=True)
class Block:
    """A nested block; at most one of it, whatever its nesting."""

    attributes: Mapping[str, Attribute]
    nesting: str  # SINGLE or LIST

    def proto(self, name: str) -> pb.Schema.NestedBlock:
        """Return the block as the protocol has it."""
        parts = [part.proto(key) for key, part in sorted(self.attributes.items())]
        nesting = pb.Schema.NestedBlock.NestingMode.Value(self.nesting)
        most = 1 if self.nesting == "LIST" else 0
        return pb.Schema.NestedBlock(
            type_name=name, block=pb.Schema.Block(attributes=parts), nesting=nesting, max_items=most
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """What a resource, a data source or the provider accepts."""

    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, Block] = field(default_factory=dict)
    version: int = 0

    @property
    def dynamic(self) -> tuple[str, ...]:
        """Return the names of the attributes whose values carry their own type."""
        return tuple(name for name, attribute in self.attributes.items() if attribute.type == "dynamic")

    def proto(self) -> pb.Schema:
        """Return the schema as the protocol has it."""
        block = pb.Schema.Block(
            attributes=[attribute.proto(name) for name, attribute in sorted(self.attributes.items())],
            block_types=[block.proto(name) for name, block in sorted(self.blocks.items())],
        )
        return pb.Schema(version=self.version, block=block)

    def decode(self, wire: pb.DynamicValue) -> dict[str, Any] | None:
        """Return the object that a message carries, None for null."""
        if wire.json:
            return self.from_state(wire.json)
        return values.decode(wire.msgpack, self.dynamic)

    def encode(self, whole: Mapping[str, Any] | None) -> pb.DynamicValue:
        """Return the message that carries an object; what it lacks is null."""
        return pb.DynamicValue(msgpack=values.encode(None if whole is None else {**self.empty(), **whole}))

    def from_state(self, raw: bytes) -> dict[str, Any]:
        """Return the object of a state file; attributes that the schema does not have are left out."""
        stored = json.loads(raw, parse_float=Decimal)
        known = {name: stored[name] for name in self.empty() if name in stored}
        dynamic = {name: values.from_state(known[name]) for name in self.dynamic if name in known}
        return {**self.empty(), **known, **dynamic}

    def empty(self) -> dict[str, Any]:
        """Return an object without any value."""
        blocks: dict[str, Any] = {name: [] if block.nesting == "LIST" else None for name, block in self.blocks.items()}
        return {**dict.fromkeys(self.attributes), **blocks}
