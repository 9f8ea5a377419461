"""When trials that run side by side are compared: at each level, once all that were under way have reached it. Pure.

Which trial reports first is chance; so a level waits for every trial that was running when the first one reached it.
Those that start later are compared with what the others had at that level as soon as they reach it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mlops_kit.local.runs.sweeps.policies import Policy


@dataclass(slots=True)
class Rounds:
    """The levels that trials have reached so far."""

    policy: Policy
    waiting: dict[int, set[str]] = field(default_factory=dict)  # level -> trials that it waits for
    reached: dict[int, list[str]] = field(default_factory=dict)  # level -> trials that reached it, not yet compared
    levels: dict[str, int] = field(default_factory=dict)  # trial -> its number of reports that were looked at

    def stops(self, reports: Mapping[str, Sequence[float]], running: Iterable[str]) -> list[str]:
        """Return the running trials to be stopped, now that these are the reports."""
        alive = set(running)
        for name in sorted(alive):
            values = reports.get(name, ())
            for level in range(self.levels.get(name, 0) + 1, len(values) + 1):
                if self.policy.applies(level):
                    self.waiting.setdefault(level, set(alive)).discard(name)
                    self.reached.setdefault(level, []).append(name)
            self.levels[name] = len(values)
        found: list[str] = []
        for level in sorted(self.reached):
            if self.waiting[level] & alive - set(found):
                continue
            asked = [name for name in self.reached.pop(level) if name in alive and name not in found]
            found += self.policy.stops({name: values for name, values in reports.items() if values}, level, asked)
        return found
