"""What an input of a component takes: which values, which types of data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlops_kit.checks.bindings import is_known
from mlops_kit.checks.findings import brief, did_you_mean
from mlops_kit.checks.pipelines import text_of
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from mlops_kit.documents import Node

LITERALS = {"integer": "an integer", "number": "a number", "boolean": "true or false", "string": "text"}
# type of data -> whether it is a file or a folder; a custom model may be either
SHAPES = {
    "uri_file": "file",
    "uri_folder": "folder",
    "mltable": "folder",
    "mlflow_model": "folder",
    "triton_model": "folder",
    "custom_model": "",
}
MARKED = {"mltable", "mlflow_model", "triton_model"}  # folders that hold a file or layout of their own


class Misfit(NamedTuple):
    """Why a value is not one that an input takes: the code of the finding, and what is expected."""

    code: str
    expected: str


def type_of(port: Node | None) -> str:
    """Return the declared type of an input or output, empty where it is not one that is known."""
    declared = text_of(port.get("type")).lower() if isinstance(port, Map) else ""
    return declared if declared in LITERALS or declared in SHAPES else ""


def is_data(kind: str) -> bool:
    """Return whether a type is one of files and folders."""
    return kind in SHAPES


def holds(source: str, target: str) -> bool:
    """Return whether data of one type can be read as another.

    A folder of any kind is a folder; that a plain folder holds an MLTable or a model cannot be known.
    """
    shapes = SHAPES[source], SHAPES[target]
    if "" in shapes or source == target:
        return True
    return shapes[0] == shapes[1] and not {source, target} <= MARKED


def takes(source: str, target: str) -> bool:
    """Return whether an input of one literal type takes the values of another; any value can be text."""
    return target in (source, "string") or (target == "number" and source == "integer")


def misfit(value: Scalar, port: Map) -> Misfit | None:
    """Return why a literal input does not take a value, None when it does."""
    kind = type_of(port)
    if not is_known(value) or value.value is None or not kind or is_data(kind):
        return None
    if not _is_of(value.text, kind):
        return Misfit("MK0308", f"expected {LITERALS[kind]}")
    if kind in ("integer", "number"):
        return _outside(float(value.text), port)
    return _not_listed(value, port)


def _is_of(text: str, kind: str) -> bool:
    """Return whether a text is a value of a literal type, as the service reads it: ``10.0`` is an integer."""
    if kind == "boolean":
        return text.lower() in ("true", "false")
    if kind == "string":
        return True
    number = number_of(text)
    return number is not None and (kind == "number" or number.is_integer())


def number_of(text: str) -> float | None:
    """Return the number that a text is, None when it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def limits(port: Map) -> tuple[float | None, float | None]:
    """Return the smallest and the largest value that an input takes, None where there is no limit."""
    low, high = (number_of(text_of(port.get(key))) for key in ("min", "max"))
    return low, high


def _outside(number: float, port: Map) -> Misfit | None:
    low, high = limits(port)
    if (low is None or number >= low) and (high is None or number <= high):
        return None
    least, most = text_of(port.get("min")), text_of(port.get("max"))
    if low is not None and high is not None:
        return Misfit("MK0309", f"expected {least} to {most}")
    return Misfit("MK0309", f"expected at least {least}" if low is not None else f"expected at most {most}")


def _not_listed(value: Scalar, port: Map) -> Misfit | None:
    """Return that a value is none of the listed ones; a truth value reaches the service as ``True`` or ``False``."""
    choices, text = port.get("enum"), str(value.value) if isinstance(value.value, bool) else value.text
    allowed = [text_of(item) for item in choices.items] if isinstance(choices, List) else []
    if not allowed or text in allowed:
        return None
    return Misfit("MK0310", did_you_mean(text, allowed) or f"expected one of {brief(', '.join(allowed))}")
