"""The variables of a process as they were before it was led to a control plane."""

from __future__ import annotations

import json
from collections.abc import Mapping

OUTSIDE = "MLOPS_KIT_LOCAL_OUTSIDE"  # holds what the changed variables were before


def outside(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` as it was before, so that our own proxy is never taken for the user's."""
    restored = dict(environ)
    for name, value in json.loads(restored.pop(OUTSIDE, "{}")).items():
        restored.pop(name, None)
        if value is not None:
            restored[name] = value
    return restored
