"""Faults that a test asks for in ``STATE/faults.json``: refused writes, operations that fail or hang, a slow directory.

Nothing fails here by chance. The file is read again whenever it changes, so a test can write and delete it while the
control plane runs::

    {
      "replication_seconds": 20,
      "operations": [
        {"method": "PUT", "id": "*/computes/*", "outcome": "fail", "times": 1, "code": "Quota", "message": "..."}
      ]
    }

``replication_seconds``: how long the directory does not know a new identity (see ``providers/roles.py``).
``operations``: the first entry that fits a write decides. ``id`` is a shell pattern for the whole id, in any letter
case; ``outcome`` is ``refuse`` (answered with ``status`` at once, nothing is written), ``fail`` (accepted, written, and
ends as Failed; what should be deleted stays) or ``hang`` (accepted, and not done for ``seconds``, or ever); ``times``
says how often it strikes (default: always).
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mlops_kit.local.arm.shapes import shaped
from mlops_kit.local.arm.wire import ArmError, error_body

OUTCOMES = ("refuse", "fail", "hang")
METHODS = frozenset({"PUT", "PATCH", "DELETE", "POST"})
_NUMBER = (float, int)
_SHAPE = {
    "replication_seconds": _NUMBER,
    "operations": [
        {
            **dict.fromkeys(("method", "id", "outcome", "code", "message", "target"), str),
            "details": [{"*": str}],
            "status": int,
            "seconds": _NUMBER,
            "times": int,
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of a write."""

    method: str
    id: str
    outcome: str
    status: int = 409  # of a refusal
    code: str = "LocalFault"
    message: str = "This fault was asked for in faults.json."
    target: str = ""  # the field of the request that it names
    details: tuple[dict[str, str], ...] = ()  # errors inside of it: code, message, target
    seconds: float | None = None  # how long it hangs
    times: int | None = None

    @property
    def error(self) -> dict[str, Any]:
        """Return the error of an operation that failed."""
        return error_body(self.code, self.message, self.target, self.details)


class Faults:
    """The faults of one instance; counts how often each has struck since the file was last changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read_at = -1
        self._faults: list[Fault] = []
        self._struck: list[int] = []
        self._replication = 0.0

    def replication_seconds(self) -> float:
        """Return how long the directory does not know a new identity."""
        with self._lock:
            self._refresh()
            return self._replication

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the fault that a write meets, and count it; None for all others."""
        with self._lock:
            self._refresh()
            for index, fault in enumerate(self._faults):
                fits = fault.method == method and fnmatchcase(path.lower(), fault.id.lower())
                if fits and (fault.times is None or self._struck[index] < fault.times):
                    self._struck[index] += 1
                    return fault
        return None

    def _refresh(self) -> None:
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            changed = 0
        if changed == self._read_at:
            return
        self._faults, self._replication = _read(self._path) if changed else ([], 0.0)
        self._struck = [0] * len(self._faults)
        self._read_at = changed


def _read(path: Path) -> tuple[list[Fault], float]:
    """Return the faults and the lag of a file; 400 for every write while the file is not one."""
    try:
        whole = shaped(json.loads(path.read_text(encoding="utf-8")), _SHAPE)
        given = whole.pop("operations", None) or ()
        faults = [Fault(**{key: value for key, value in one.items() if value is not None}) for one in given]
        lag = float(whole.pop("replication_seconds", None) or 0)
    except (ValueError, TypeError, AttributeError, ArmError) as error:
        raise _unreadable(path, str(error)) from None
    if whole:
        raise _unreadable(path, f"it has no field '{next(iter(whole))}'")
    for one in faults:
        if one.outcome not in OUTCOMES or one.method not in METHODS:
            raise _unreadable(path, f"'{one.method}' with the outcome '{one.outcome}'")
        if not 400 <= one.status < 600:
            raise _unreadable(path, f"{one.status} is not the status of a refusal")
    return faults, lag


def _unreadable(path: Path, reason: str) -> ArmError:
    known = f"methods {', '.join(sorted(METHODS))}; outcomes {', '.join(OUTCOMES)}"
    columns = ", ".join(field.name for field in fields(Fault))
    message = f"{path} cannot be read: {reason}. An operation has the fields {columns}; {known}."
    return ArmError(400, "LocalFaultsUnreadable", message)
