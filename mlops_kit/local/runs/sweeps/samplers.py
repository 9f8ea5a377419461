"""How the points of a search space are picked: every one, by chance, evenly spread, or guided by earlier results."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from mlops_kit.local.runs.sweeps.spaces import Expression, SpaceError, rounded

Space = Mapping[str, Expression]
Point = dict[str, Any]
BAYESIAN = ("choice", "uniform", "quniform")  # what the service takes, see the page named in ``spaces``
_MOST = 2**31


class Sampler(Protocol):
    """Picks the points of a space."""

    def pick(self) -> Point | None:
        """Return the next point, None when there are no more."""

    def tell(self, point: Point, value: float | None) -> None:
        """Say what came of a point; None where nothing usable did."""


class _Listed:
    """Points that do not depend on results."""

    def __init__(self, points: Iterator[Point]) -> None:
        self._points = points

    def pick(self) -> Point | None:
        return next(self._points, None)

    def tell(self, point: Point, value: float | None) -> None:
        """Ignore a result."""


class _Guided:
    """Optuna's tree-structured Parzen estimator, asked for one point at a time."""

    def __init__(self, space: Space, seed: int | None, *, maximize: bool) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._failed = optuna.trial.TrialState.FAIL
        sampler = optuna.samplers.TPESampler(seed=seed)
        self._study = optuna.create_study(direction="maximize" if maximize else "minimize", sampler=sampler)
        self._space, self._asked = space, list[tuple[Point, Any]]()

    def pick(self) -> Point | None:
        trial = self._study.ask()
        point = {name: _suggested(trial, name, expression) for name, expression in self._space.items()}
        self._asked.append((point, trial))
        return point

    def tell(self, point: Point, value: float | None) -> None:
        index = next(index for index, (picked, _) in enumerate(self._asked) if picked is point)
        _, trial = self._asked.pop(index)
        if value is None:
            self._study.tell(trial, state=self._failed)
        else:
            self._study.tell(trial, value)


def _suggested(trial: Any, name: str, expression: Expression) -> Any:
    given = expression.arguments
    if expression.kind == "choice":  # by position: a value may be a list, which Optuna does not take
        return expression.values[trial.suggest_categorical(name, list(range(len(expression.values))))]
    low, high = float(given["min_value"]), float(given["max_value"])
    if expression.kind == "uniform":
        return trial.suggest_float(name, low, high)
    step = float(given["q"])
    return rounded(trial.suggest_float(name, rounded(low, step), rounded(high, step), step=step), given["q"])


def sampler(algorithm: Mapping[str, Any], space: Space, *, maximize: bool) -> Sampler:
    """Return the sampler of a job.

    Raises:
        SpaceError: The algorithm is unknown, or does not take an expression of the space.
    """
    kind = str(algorithm.get("samplingAlgorithmType", "")).lower()
    if kind not in _KINDS:
        raise SpaceError(f"'{kind}' is not a sampling algorithm; known are {', '.join(_KINDS)}.")
    allowed = _TAKEN.get(kind)
    for name, expression in space.items():
        if allowed and expression.kind not in allowed:
            raise SpaceError(f"{kind} sampling takes {', '.join(allowed)} only; '{name}' is a {expression.kind}.")
    return _KINDS[kind](algorithm, space, maximize)


def _grid(_algorithm: Mapping[str, Any], space: Space, _maximize: bool) -> Sampler:
    rows = itertools.product(*(expression.values for expression in space.values()))
    return _Listed(dict(zip(space, row, strict=True)) for row in rows)


def size_of_grid(space: Space) -> int:
    """Return how many points a grid has."""
    count = 1
    for expression in space.values():
        count *= len(expression.values)
    return count


def _random(algorithm: Mapping[str, Any], space: Space, _maximize: bool) -> Sampler:
    seed = _seed(algorithm)
    if str(algorithm.get("rule") or "random").lower() == "sobol":
        return _Listed(_sobol(space, seed))
    dice = random.Random(seed)  # noqa: S311  hyperparameters are no secrets
    return _Listed({name: each.at(dice.random()) for name, each in space.items()} for _ in itertools.count())


def _sobol(space: Space, seed: int | None) -> Iterator[Point]:
    from scipy.stats import qmc

    # one seed gives the same sequence, and another seed another one
    sequence = qmc.Sobol(len(space), scramble=True, rng=seed)
    while True:
        (row,) = sequence.random(1)
        yield {name: each.at(float(point)) for (name, each), point in zip(space.items(), row, strict=True)}


def _bayesian(algorithm: Mapping[str, Any], space: Space, maximize: bool) -> Sampler:
    return _Guided(space, _seed(algorithm), maximize=maximize)


def _seed(algorithm: Mapping[str, Any]) -> int | None:
    seed = algorithm.get("seed")
    return None if seed is None else int(seed) % _MOST


_KINDS: dict[str, Callable[[Mapping[str, Any], Space, bool], Sampler]] = {
    "grid": _grid,
    "random": _random,
    "bayesian": _bayesian,
}
_TAKEN = {"grid": ("choice",), "bayesian": BAYESIAN}
