"""Interleaved rounds: every contender runs once per round, so that a slow minute of the machine hits all of them."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page. Figures are medians in ``unit``; ``ratio`` is ours over the peer's."""

    what: str
    ours: float
    peer_name: str
    peer: float
    unit: str
    target: str

    @property
    def ratio(self) -> float:
        """Return ours divided by the peer's."""
        return self.ours / self.peer if self.peer else float("nan")


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
