"""The search space of a sweep: each expression makes sense, and its sampler can draw from it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, brief, error, warning
from mlops_kit.checks.ranges import COUNT, POSITIVE, Range, above, number, outside
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.documents import Node

# What a sampler can draw from; "random" takes everything. The client checks none of it.
SAMPLED = {"grid": ("choice",), "bayesian": ("choice", "uniform", "quniform")}
INSTEAD = {
    "grid": "list the values with `type: choice`, or sample with `random`",
    "bayesian": "use `choice`, `uniform` or `quniform`, or sample with `random`",
}
_LARGEST_EXPONENT = Range(high=math.log(float.fromhex("0x1.fffffffffffffp+1023")))  # its power is still a number


def sampler_of(owner: Map) -> str:
    """Return the name of the sampling algorithm, which may be a text or a map with a type; empty when none is given."""
    sampler = owner.get("sampling_algorithm")
    named = sampler.get("type") if isinstance(sampler, Map) else sampler
    return named.text.lower() if isinstance(named, Scalar) else ""


def type_of(expression: Node) -> str:
    """Return the type of an expression, empty where the schema says what is wrong with it."""
    declared = expression.get("type") if isinstance(expression, Map) else None
    return declared.text.lower() if isinstance(declared, Scalar) else ""


def check(space: Map, sampler: str) -> Iterator[Finding]:
    """Yield what is wrong with each expression of a search space, and those that the sampler cannot draw from."""
    for entry in space.entries:
        yield from _expression(entry.value)
        yield from _sampled(entry.value, sampler)


def grid_size(space: Map) -> int:
    """Return how many trials a grid has; 0 when an expression is no choice."""
    return math.prod(len(_values(entry.value)) for entry in space.entries)


def _values(expression: Node) -> tuple[Node, ...]:
    values = expression.get("values") if isinstance(expression, Map) and type_of(expression) == "choice" else None
    return values.items if isinstance(values, List) else ()


def _sampled(expression: Node, sampler: str) -> Iterator[Finding]:
    kind = type_of(expression)
    if isinstance(expression, Map) and kind and kind not in SAMPLED.get(sampler, (kind,)):
        declared = expression.get("type")
        place = declared.place if declared else expression.place
        yield error("MK0903", place, f"`{sampler}` cannot sample from `{kind}`", INSTEAD[sampler])


def _expression(expression: Node) -> Iterator[Finding]:
    """Yield what is wrong with one expression; an option of a choice may hold further ones."""
    if not isinstance(expression, Map):
        return
    kind = type_of(expression)
    if kind == "choice":
        yield from _choice(expression)
    elif kind == "randint":
        yield from outside(expression, "upper", COUNT, "MK0901", "it draws whole numbers from 0 up to this one")
    else:
        yield from above(expression, "min_value", "max_value", "MK0901", equal=True)
        for key in ("sigma", "q"):
            yield from outside(expression, key, POSITIVE, "MK0901")
        if kind.endswith("loguniform"):
            yield from _exponents(expression)


def _exponents(expression: Map) -> Iterator[Finding]:
    """Yield bounds of a log-uniform expression that are values where their logarithms belong."""
    low, high = number(expression.get("min_value")), number(expression.get("max_value"))
    if low is None or high is None or low >= high:
        return
    hint = "write natural logarithms"
    if high not in _LARGEST_EXPONENT:
        yield from outside(expression, "max_value", _LARGEST_EXPONENT, "MK0901", hint)
    elif low > 0 and high <= 1:
        place = expression.key_place("min_value")
        message = f"bounds are exponents: this draws from {math.exp(low):.4g} to {math.exp(high):.4g}"
        yield warning("MK0904", place, message, f"write {math.log(low):.4g} and {math.log(high):.4g}")


def _choice(expression: Map) -> Iterator[Finding]:
    """Yield what is wrong with the values of a choice."""
    values = expression.get("values")
    if values is None or (isinstance(values, List) and not values.items):
        place = values.place if values else expression.place
        yield error("MK0902", place, "a choice has no values", "list them under `values`")
    if not isinstance(values, List):
        return
    seen: dict[str, Scalar] = {}
    for value in values.items:
        if isinstance(value, Map):
            for entry in value.entries:
                yield from _expression(entry.value)
        elif isinstance(value, Scalar):
            yield from _option(value, seen)
            seen.setdefault(_same(value), value)


def _same(value: Scalar) -> str:
    """Return a text that is equal for values the trial cannot tell apart: 1, 1.0 and "1" are one on a command line."""
    given = number(value)
    return value.text if given is None else repr(given)


def _option(value: Scalar, seen: dict[str, Scalar]) -> Iterator[Finding]:
    """Yield what is wrong with one value of a choice."""
    if isinstance(value.value, bool):
        message = f"`{value.text}` is a truth value, which a choice cannot hold"
        yield error("MK0902", value.place, message, f'write "{value.text}"')
    elif before := seen.get(_same(value)):
        same = "" if before.text == value.text and before.quoted == value.quoted else f", as `{before.text}`"
        yield warning("MK0905", value.place, f"the value `{brief(value.text)}` is listed twice{same}", "remove one")
