"""A sweep job as it was submitted, read and checked: what is searched, how, how long, and when a trial is stopped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_kit.local.arm.ids import seconds_of
from mlops_kit.local.arm.wire import BadRequestError
from mlops_kit.local.runs.sweeps import policies, samplers, spaces, trials
from mlops_kit.local.runs.sweeps.policies import Policy, PolicyError
from mlops_kit.local.runs.sweeps.samplers import Sampler
from mlops_kit.local.runs.sweeps.spaces import Expression, SpaceError

MOST_TRIALS = 1000  # of a sweep that names no limit, as on the service


@dataclass(frozen=True, slots=True)
class Outline:
    """What a sweep does; ``sign`` is 1 where more of the metric is better, and -1 where less is."""

    space: Mapping[str, Expression]
    sampler: Sampler
    policy: Policy | None
    metric: str
    sign: float
    total: int
    concurrent: int
    timeout: float  # seconds; 0 for no limit

    def best_of(self, values: Sequence[float]) -> float:
        """Return the best of the values that a trial has reported."""
        return max(values, key=lambda value: self.sign * value)


def read(properties: Mapping[str, Any]) -> Outline:
    """Read a sweep; 400 where it cannot be run."""
    objective, algorithm = properties.get("objective") or {}, properties.get("samplingAlgorithm") or {}
    goal = str(objective.get("goal", "")).lower()
    if goal not in {"maximize", "minimize"} or not objective.get("primaryMetric"):
        raise BadRequestError(
            "The objective of a sweep is a primary metric and a goal, maximize or minimize.", target="objective"
        )
    maximize = goal == "maximize"
    try:
        space = spaces.read(properties.get("searchSpace") or {}, _base(algorithm))
        sampler = samplers.sampler(algorithm, space, maximize=maximize)
    except SpaceError as error:
        raise BadRequestError(str(error), target="searchSpace") from None
    try:
        policy = policies.policy(properties.get("earlyTermination"), maximize=maximize)
    except PolicyError as error:
        raise BadRequestError(str(error), target="earlyTermination") from None
    if unused := sorted(space.keys() - trials.asked(properties)):
        raise BadRequestError(f"The command does not use '{unused[0]}' of the search space.", target="searchSpace")
    total, concurrent = _counts(properties.get("limits") or {})
    metric, sign = str(objective["primaryMetric"]), 1.0 if maximize else -1.0
    limit = seconds_of((properties.get("limits") or {}).get("timeout"))
    return Outline(space, sampler, policy, metric, sign, total, concurrent, limit)


def _base(algorithm: Mapping[str, Any]) -> float:
    """Return what bounds of logarithms are exponents of."""
    given = algorithm.get("logbase")
    return math.e if given in (None, "e") else float(str(given))


def _counts(limits: Mapping[str, Any]) -> tuple[int, int]:
    total = int(limits.get("maxTotalTrials") or MOST_TRIALS)
    concurrent = int(limits.get("maxConcurrentTrials") or total)
    if not 1 <= total <= MOST_TRIALS:
        raise BadRequestError(f"A sweep has 1 to {MOST_TRIALS} trials, not {total}.", target="limits.maxTotalTrials")
    if not 1 <= concurrent <= total:
        message = f"Of {total} trials {concurrent} cannot run at a time."
        raise BadRequestError(message, target="limits.maxConcurrentTrials")
    return total, concurrent
