"""How long an operation may take, and when a refused request is sent again: ``timeouts`` and ``retry``."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_kit.local.iac.refusals import Refusal

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_TERM = r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)"
_DEFAULTS = {"create": "30m", "update": "30m", "delete": "30m", "read": "5m"}


def seconds(duration: str, attribute: str = "") -> float:
    """Return the seconds of a duration in Go's notation, such as ``1h30m`` or ``500ms``."""
    if not re.fullmatch(f"(?:{_TERM})+", duration):
        raise Refusal("Invalid timeouts", f"{duration!r} is not a duration such as 30s or 2h45m.", attribute)
    return sum(float(amount) * _UNITS[unit] for amount, unit in re.findall(_TERM, duration))


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment until which an operation may go on, unless Terraform is interrupted first."""

    allowed: str
    end: float
    stopped: threading.Event

    @classmethod
    def of(cls, timeouts: Mapping[str, Any] | None, operation: str, stopped: threading.Event) -> Deadline:
        """Return the deadline of ``create``, ``read``, ``update`` or ``delete`` from a ``timeouts`` block."""
        allowed = (timeouts or {}).get(operation) or _DEFAULTS[operation]
        return cls(allowed, time.monotonic() + seconds(allowed, "timeouts"), stopped)

    def pause(self, wanted: float, waiting_for: str) -> None:
        """Wait; refuse to go on when the time is over or Terraform stops."""
        left = self.end - time.monotonic()
        if self.stopped.wait(max(min(wanted, left), 0)):
            raise Refusal("Interrupted", f"Terraform was interrupted while waiting for {waiting_for}.")
        if left <= wanted:
            raise self.over(waiting_for)

    def over(self, waiting_for: str) -> Refusal:
        """Return what is said when the time is over."""
        detail = f"{waiting_for} did not end within {self.allowed}. It may still go on; its state is unknown."
        return Refusal("Timeout", detail)


@dataclass(frozen=True, slots=True)
class Retry:
    """Which refusals are tried again, and after how many seconds."""

    patterns: tuple[re.Pattern[str], ...] = ()
    interval: float = 10
    longest: float = 180
    multiplier: float = 1.5
    randomization: float = 0.5

    @classmethod
    def of(cls, wanted: Mapping[str, Any] | None) -> Retry:
        """Return what a ``retry`` argument says."""
        if wanted is None:
            return cls()
        given = {own: float(wanted[name]) for name, own in _NUMBERS.items() if wanted.get(name) is not None}
        return cls(tuple(_pattern(text) for text in wanted["error_message_regex"]), **given)

    def matches(self, message: str) -> bool:
        """Say whether a refusal is one that passes by itself."""
        return any(pattern.search(message) for pattern in self.patterns)

    def pauses(self) -> Iterator[float]:
        """Yield the seconds before each further attempt."""
        pause = self.interval
        while True:
            spread = random.uniform(1 - self.randomization, 1 + self.randomization)  # noqa: S311  not a secret
            yield min(pause * spread, self.longest)
            pause = min(pause * self.multiplier, self.longest)


_NUMBERS = {
    "interval_seconds": "interval",
    "max_interval_seconds": "longest",
    "multiplier": "multiplier",
    "randomization_factor": "randomization",
}


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise Refusal("Invalid retry", f"error_message_regex {text!r}: {error}.", "retry") from None
