"""Interleaved rounds: every contender runs once per round, so that a slow minute of the machine hits all of them."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """What a row must reach: bounds in the row's unit, of the ratio to the peer, or of the difference from it."""

    at_most: float | None = None
    at_least: float | None = None
    ratio_at_most: float | None = None
    above_peer_at_most: float | None = None

    def text(self, unit: str) -> str:
        """Return the bounds as they stand on the page."""
        bounds = (
            ("<= {:,g} " + unit, self.at_most),
            (">= {:,g} " + unit, self.at_least),
            ("<= {:g} x peer", self.ratio_at_most),
            ("<= peer + {:g} " + unit, self.above_peer_at_most),
        )
        return " and ".join(form.format(bound) for form, bound in bounds if bound is not None)

    def is_met(self, ours: float, peer: float) -> bool:
        """Say whether the figures keep all bounds."""
        return (
            (self.at_most is None or ours <= self.at_most)
            and (self.at_least is None or ours >= self.at_least)
            and (self.ratio_at_most is None or ours <= self.ratio_at_most * peer)
            and (self.above_peer_at_most is None or ours <= peer + self.above_peer_at_most)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page. Figures are medians in ``unit``."""

    what: str
    ours: float
    peer_name: str
    peer: float
    unit: str
    target: Target = Target()

    def line(self) -> str:
        """Return the line; the ratio is ours over the peer's."""
        ratio = self.ours / self.peer if self.peer else float("nan")
        missed = "" if self.target.is_met(self.ours, self.peer) else " **missed**"
        ours, peer = (f"{figure:,.2f} {self.unit}" for figure in (self.ours, self.peer))
        target = f"{self.target.text(self.unit)}{missed}"
        return f"| {self.what} | {ours} | {self.peer_name} | {peer} | {ratio:.2f} | {target} |"


def medians(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run every contender once per round and return the median of what each returned."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            figures[name].append(run())
    return {name: statistics.median(values) for name, values in figures.items()}


def seconds_of(*command: str, env: Mapping[str, str] | None = None) -> float:
    """Return the wall-clock seconds of a command that must succeed."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    return time.perf_counter() - began
