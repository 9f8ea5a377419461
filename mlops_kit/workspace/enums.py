"""States and types, which the SDK gives as text in one place and as a member of an enumeration in the next."""

from __future__ import annotations

import re
from typing import Any

# How the SDK prints members of its enumerations into a document: ProvisioningState.SUCCEEDED.
_PRINTED = re.compile(r"[A-Z]\w*Stat(?:e|us)\.(?P<member>[A-Z]+(?:_[A-Z]+)*)")


def word(value: Any) -> str:
    """Return the text of a state or type: ``Running`` for ``Running`` and for ``JobStatus.RUNNING``."""
    return str(getattr(value, "value", value))


def spelled(value: Any) -> Any:
    """Return a document of the SDK with its states as the service spells them, at any depth."""
    if isinstance(value, dict):
        return {key: spelled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [spelled(inner) for inner in value]
    found = _PRINTED.fullmatch(value) if isinstance(value, str) else None
    return "".join(part.capitalize() for part in found["member"].split("_")) if found else value
