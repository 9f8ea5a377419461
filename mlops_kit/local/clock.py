"""The clock of a control plane: this machine's, or so far ahead of it or behind it as somebody has moved it.

It tells when schedules fire and when jobs, computes and everything else were made. Tokens, signed links, time limits of
jobs and whatever runs in a process of its own go by the machine's clock, which nobody moves.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlops_kit.files import write_private

_NOT_MOVED = timedelta()
_KEY = "ahead_seconds"


class Clock:
    """How far a clock is ahead of the machine's, kept in a file that a restart reads again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead = _read(file)

    @property
    def ahead(self) -> timedelta:
        """Return how far it is ahead of the machine's clock; negative where it is behind."""
        return self._ahead

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC) + self._ahead

    def set(self, moment: datetime) -> None:
        """Let it be this moment now; the clock goes on from there."""
        ahead = moment - datetime.now(UTC)
        write_private(self._file, json.dumps({_KEY: ahead.total_seconds()}))
        self._ahead = ahead

    def reset(self) -> None:
        """Let it be the machine's clock again."""
        self._file.unlink(missing_ok=True)
        self._ahead = _NOT_MOVED


def _read(file: Path) -> timedelta:
    """Return what a file says; one that is missing or damaged, which ours never is, says nothing."""
    try:
        return timedelta(seconds=float(json.loads(file.read_text(encoding="utf-8"))[_KEY]))
    except (FileNotFoundError, ValueError, TypeError, KeyError, OverflowError):
        return _NOT_MOVED
