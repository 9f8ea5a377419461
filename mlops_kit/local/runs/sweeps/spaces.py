"""The expressions of a search space, and the value that each has at a point of [0, 1). Pure.

Formulas: reference of the sweep job (learn.microsoft.com, "Hyperparameter tuning a model"): ``quniform`` is
round(uniform / q) * q; the bounds of ``loguniform`` are exponents; ``qlognormal`` is round(exp(normal) / q) * q.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

# kind -> the names of its arguments, in the order in which they are sent
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "choice": ("values",),
    "randint": ("upper",),
    "uniform": ("min_value", "max_value"),
    "quniform": ("min_value", "max_value", "q"),
    "loguniform": ("min_value", "max_value"),
    "qloguniform": ("min_value", "max_value", "q"),
    "normal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "lognormal": ("mu", "sigma"),
    "qlognormal": ("mu", "sigma", "q"),
}
_EDGE = 1e-12  # a normal distribution has no value at 0 and 1 themselves


class SpaceError(Exception):
    """An expression that has no values; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One hyperparameter: its kind and arguments by name; bounds of logarithms are exponents of ``base``."""

    kind: str
    arguments: Mapping[str, Any]
    base: float = math.e

    @property
    def values(self) -> Sequence[Any]:
        """Return the values of a choice."""
        found: Sequence[Any] = self.arguments["values"]
        return found

    def at(self, point: float) -> Any:
        """Return the value at a point of [0, 1); points spread evenly give values spread as the kind says."""
        return _AT[self.kind](self, point)


def read(space: Mapping[str, Any], base: float = math.e) -> dict[str, Expression]:
    """Return the expressions of the search space of a job by name.

    Raises:
        SpaceError: The space is empty, or an expression is unknown or impossible.
    """
    if not space:
        raise SpaceError("The sweep has no search space.")
    return {name: _read(name, given, base) for name, given in space.items()}


def of_job(space: Mapping[str, Any]) -> dict[str, Any]:
    """Return the search space of a step in the form that a job has: ``["uniform", [0, 1]]``."""
    return {name: _of_job(given) for name, given in space.items()}


def _of_job(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given
    kind = str(given.get("type"))
    return [kind, [given.get(name) for name in ARGUMENTS.get(kind, ())]]


def _read(name: str, given: Any, base: float) -> Expression:
    kind, sent = str(given[0]), given[1]
    arguments = dict(zip(ARGUMENTS.get(kind, ()), sent, strict=False))
    if kind not in ARGUMENTS:
        raise SpaceError(f"'{name}' is a '{kind}'; known expressions: {', '.join(ARGUMENTS)}.")
    missing = [each for each in ARGUMENTS[kind] if arguments.get(each) is None]
    if missing:
        raise SpaceError(f"'{name}', a {kind}, has no {missing[0]}.")
    _check(name, kind, arguments)
    return Expression(kind, {each: arguments[each] for each in ARGUMENTS[kind]}, base)


def _check(name: str, kind: str, given: Mapping[str, Any]) -> None:
    wrong = {
        "values": kind == "choice" and not given.get("values"),
        "upper": kind == "randint" and int(given.get("upper", 1)) < 1,
        "max_value": "min_value" in given and float(given["min_value"]) >= float(given["max_value"]),
        "sigma": "sigma" in given and float(given["sigma"]) <= 0,
        "q": "q" in given and float(given["q"]) <= 0,
    }
    rules = {
        "values": "needs at least one value",
        "upper": "needs an upper bound of at least 1",
        "max_value": "needs a maximum above its minimum",
        "sigma": "needs a sigma above 0",
        "q": "needs a q above 0",
    }
    for key, is_wrong in wrong.items():
        if is_wrong and key in ARGUMENTS[kind]:
            raise SpaceError(f"'{name}', a {kind}, {rules[key]}.")


def _choice(expression: Expression, point: float) -> Any:
    values = expression.values
    return values[min(int(point * len(values)), len(values) - 1)]


def _randint(expression: Expression, point: float) -> int:
    upper = int(expression.arguments["upper"])
    return min(int(point * upper), upper - 1)


def _uniform(expression: Expression, point: float) -> float:
    low, high = float(expression.arguments["min_value"]), float(expression.arguments["max_value"])
    return low + (high - low) * point


def _normal(expression: Expression, point: float) -> float:
    curve = NormalDist(float(expression.arguments["mu"]), float(expression.arguments["sigma"]))
    return curve.inv_cdf(min(max(point, _EDGE), 1 - _EDGE))


def _exponential(inner: Callable[[Expression, float], float]) -> Callable[[Expression, float], float]:
    return lambda expression, point: expression.base ** inner(expression, point)


def _lognormal(expression: Expression, point: float) -> float:
    return math.exp(_normal(expression, point))


def _stepped(inner: Callable[[Expression, float], float]) -> Callable[[Expression, float], float | int]:
    return lambda expression, point: rounded(inner(expression, point), expression.arguments["q"])


def rounded(value: float, q: float) -> float | int:
    """Return the multiple of ``q`` that is nearest; a whole number where ``q`` is one."""
    steps = round(value / float(q))
    return steps * int(q) if float(q).is_integer() else steps * float(q)


_AT: dict[str, Callable[[Expression, float], Any]] = {
    "choice": _choice,
    "randint": _randint,
    "uniform": _uniform,
    "quniform": _stepped(_uniform),
    "loguniform": _exponential(_uniform),
    "qloguniform": _stepped(_exponential(_uniform)),
    "normal": _normal,
    "qnormal": _stepped(_normal),
    "lognormal": _lognormal,
    "qlognormal": _stepped(_lognormal),
}
