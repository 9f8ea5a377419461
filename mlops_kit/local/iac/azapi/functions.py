"""The provider's functions: they build resource ids and take them apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack
from tf.gen import tfplugin_pb2 as pb

from mlops_kit.local.iac.azapi import ids
from mlops_kit.local.iac.azapi.data import parsed
from mlops_kit.local.iac.azapi.values import encode
from mlops_kit.local.iac.refusals import Refusal

_TEXTS = ["list", "string"]
_PARTS = {
    **dict.fromkeys(
        ("id", "type", "name", "parent_id", "resource_group_name", "resource_group_id", "subscription_id",
         "provider_namespace"),
        "string",
    ),
    "parts": ["map", "string"],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its parameters with their types, the type of its result, and what it does."""

    parameters: dict[str, Any]
    result: Any
    call: Callable[..., Any]
    summary: str

    def proto(self) -> pb.Function:
        """Return the function as the protocol has it."""
        parameters = [
            pb.Function.Parameter(name=name, type=json.dumps(kind).encode()) for name, kind in self.parameters.items()
        ]
        result = pb.Function.Return(type=json.dumps(self.result).encode())
        return pb.Function(parameters=parameters, summary=self.summary, **{"return": result})


def _nested(scope: str, kind: str, names: list[str]) -> str:
    """Return the id of a resource in a scope, with one name for every type below the namespace."""
    namespace, *types = kind.split("/")
    if len(types) != len(names):
        detail = f"{kind} has {len(types)} type(s) and needs as many names, not {len(names)}."
        raise Refusal("Invalid resource_names", detail)
    tail = "/".join(f"{one}/{name}" for one, name in zip(types, names, strict=True))
    return f"{scope}/providers/{namespace}/{tail}"


def _in_group(subscription: str, group: str, kind: str, names: list[str]) -> str:
    return _nested(f"/subscriptions/{subscription}/resourceGroups/{group}", kind, names)


FUNCTIONS = {
    "build_resource_id": Function(
        {"parent_id": "string", "resource_type": "string", "name": "string"},
        "string",
        lambda parent, kind, name: ids.build(ids.check(parent, "parent_id"), kind, name),
        "Builds the id of a resource below its parent.",
    ),
    "parse_resource_id": Function(
        {"resource_type": "string", "resource_id": "string"},
        ["object", _PARTS],
        parsed,
        "Takes a resource id apart.",
    ),
    "tenant_resource_id": Function(
        {"resource_type": "string", "resource_names": _TEXTS},
        "string",
        lambda kind, names: _nested("", kind, names),
        "Builds the id of a resource of the tenant.",
    ),
    "subscription_resource_id": Function(
        {"subscription_id": "string", "resource_type": "string", "resource_names": _TEXTS},
        "string",
        lambda subscription, kind, names: _nested(f"/subscriptions/{subscription}", kind, names),
        "Builds the id of a resource of a subscription.",
    ),
    "resource_group_resource_id": Function(
        {"subscription_id": "string", "resource_group_name": "string", "resource_type": "string",
         "resource_names": _TEXTS},
        "string",
        _in_group,
        "Builds the id of a resource in a resource group.",
    ),
    "extension_resource_id": Function(
        {"base_resource_id": "string", "resource_type": "string", "resource_names": _TEXTS},
        "string",
        lambda scope, kind, names: _nested(ids.check(scope, "base_resource_id").rstrip("/"), kind, names),
        "Builds the id of a resource that extends another.",
    ),
}  # fmt: skip


def answer(request: pb.CallFunction.Request) -> pb.CallFunction.Response:
    """Call a function with values from the wire."""
    arguments = [msgpack.unpackb(argument.msgpack, raw=False) for argument in request.arguments]
    try:
        result = FUNCTIONS[request.name].call(*arguments)
    except Refusal as refusal:
        return pb.CallFunction.Response(error=pb.FunctionError(text=refusal.detail))
    return pb.CallFunction.Response(result=pb.DynamicValue(msgpack=encode(result)))
