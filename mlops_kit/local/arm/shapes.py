"""The shape of a request body: which fields are texts, numbers, lists and objects. Other fields may be anything."""

from __future__ import annotations

from typing import Any

from mlops_kit.local.arm.wire import BadRequestError

# A type, a tuple of types, a list of one shape, or an object. In an object "*" stands for every key that is not named;
# its value may not be null, but "*?" may.
Shape = Any
TAGS: dict[str, Shape] = {"*?": str}
IDENTITY: dict[str, Shape] = {"type": str, "userAssignedIdentities": {"*?": dict}}

_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


def shaped(value: Any, shape: Shape, path: str = "body") -> Any:
    """Return ``value`` if it has the shape; a named field may be null. 400 naming the first field that does not fit."""
    if value is None:
        return value
    _require(value, _kinds(shape), path)
    if isinstance(shape, dict):
        for key, inner in value.items():
            where = f"{path}.{key}"
            if key in shape or "*?" in shape:
                shaped(inner, shape.get(key, shape.get("*?")), where)
            elif "*" in shape:
                _filled(inner, shape["*"], where)
    elif isinstance(shape, list):
        for index, inner in enumerate(value):
            _filled(inner, shape[0], f"{path}[{index}]")
    return value


def _kinds(shape: Shape) -> tuple[type, ...]:
    if isinstance(shape, dict | list):
        return (type(shape),)
    return shape if isinstance(shape, tuple) else (shape,)


def _filled(value: Any, shape: Shape, path: str) -> None:
    if value is None:
        _require(value, _kinds(shape), path)
    shaped(value, shape, path)


def _require(value: Any, kinds: tuple[type, ...], path: str) -> None:
    # For Python, but not for JSON, true is a number.
    if isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds):
        return
    wanted = " or ".join(_WORDS[kind] for kind in kinds)
    shown = "null" if value is None else repr(value)
    raise BadRequestError(
        f"The field '{path.removeprefix('body.')}' must be {wanted}, not {shown[:80]}.",
        target=path.removeprefix("body."),
    )
