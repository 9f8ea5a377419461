"""Which trials a sweep stops early, from the metrics that they have reported. Pure.

Rules: learn.microsoft.com, "Hyperparameter tuning a model", section early termination. A policy is applied to a trial
at its reports number ``evaluation_interval``, twice that, ..., none of them before ``delay_evaluation``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

Reports = Mapping[str, Sequence[float]]  # trial -> the values of its primary metric, in the order reported


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: ``stops`` says which of some trials go at a level, a number of reports."""

    interval: int
    delay: int
    stops: Callable[[Reports, int, Sequence[str]], list[str]]

    def applies(self, level: int) -> bool:
        """Say whether the policy is applied after this many reports."""
        return level % self.interval == 0 and level >= self.delay


class PolicyError(Exception):
    """A policy that cannot be; the message is a sentence."""


def policy(given: Mapping[str, Any] | None, *, maximize: bool) -> Policy | None:
    """Return the policy of a job, None where it has none.

    Raises:
        PolicyError: It is unknown, or its numbers cannot be.
    """
    if not given:
        return None
    kind = str(given.get("policyType"))
    if kind not in _KINDS:
        raise PolicyError(f"'{kind}' is not an early-termination policy; known are {', '.join(_KINDS)}.")
    interval, delay = int(given.get("evaluationInterval") or 1), int(given.get("delayEvaluation") or 0)
    if interval < 1 or delay < 0:
        raise PolicyError("An evaluation interval is at least 1, and a delay at least 0.")
    sign = 1.0 if maximize else -1.0
    return Policy(interval, delay, _KINDS[kind](given, sign))


def _best(values: Sequence[float], sign: float) -> float:
    return max(values, key=lambda value: sign * value)


def _bandit(given: Mapping[str, Any], sign: float) -> Callable[[Reports, int, Sequence[str]], list[str]]:
    """Stop a trial whose best value is further from the best of all than the slack allows."""
    factor, amount = float(given.get("slackFactor") or 0), float(given.get("slackAmount") or 0)
    if factor and amount:
        raise PolicyError("A bandit policy has a slack_factor or a slack_amount, not both.")
    if factor < 0 or amount < 0 or not (factor or amount):
        raise PolicyError("A bandit policy needs a slack_factor or a slack_amount above 0.")

    def stops(reports: Reports, level: int, asked: Sequence[str]) -> list[str]:
        best = _best([_best(values, sign) for values in reports.values() if values], sign)
        by_factor = best / (1 + factor) if sign > 0 else best * (1 + factor)
        limit = best - sign * amount if amount else by_factor
        return [name for name in asked if sign * _best(reports[name][:level], sign) < sign * limit]

    return stops


def _median(_given: Mapping[str, Any], sign: float) -> Callable[[Reports, int, Sequence[str]], list[str]]:
    """Stop a trial whose best value is worse than the median of the running averages of all trials."""

    def stops(reports: Reports, level: int, asked: Sequence[str]) -> list[str]:
        middle = median(fmean(values[:level]) for values in reports.values() if values)
        return [name for name in asked if sign * _best(reports[name][:level], sign) < sign * middle]

    return stops


def _truncation(given: Mapping[str, Any], sign: float) -> Callable[[Reports, int, Sequence[str]], list[str]]:
    """Stop the share of the trials that are worst at this level."""
    share = float(given.get("truncationPercentage") or 0)
    if not 1 <= share <= 99:
        raise PolicyError("A truncation policy stops 1 to 99 percent of the trials.")

    def stops(reports: Reports, level: int, asked: Sequence[str]) -> list[str]:
        there = {name: values[level - 1] for name, values in reports.items() if len(values) >= level}
        worst = sorted(there, key=lambda name: sign * there[name])[: math.floor(len(there) * share / 100)]
        return [name for name in asked if name in worst]

    return stops


_KINDS: dict[str, Callable[[Mapping[str, Any], float], Callable[[Reports, int, Sequence[str]], list[str]]]] = {
    "Bandit": _bandit,
    "MedianStopping": _median,
    "TruncationSelection": _truncation,
}
