"""States and types, which the SDK gives as text in one place and as a member of an enumeration in the next."""

from __future__ import annotations

from typing import Any


def word(value: Any) -> str:
    """Return the text of a state or type: ``Running`` for ``Running`` and for ``JobStatus.RUNNING``."""
    return str(getattr(value, "value", value))
