"""The answer to a name that does not exist: the nearest ones that do."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_kit.errors import UsageError
from mlops_kit.nearest import nearest


def not_found(kind: str, name: str, known: Iterable[str], hint: str = "") -> UsageError:
    """Return the error for an unknown name, with up to three near ones, else the first few."""
    names = sorted(set(known))
    near = nearest(name, names, 3)
    if near:
        tail = f"did you mean {' or '.join(near)}?"
    elif names:
        tail = f"known are {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"
    else:
        tail = "there is none in the workspace"
    return UsageError(f"no {kind} named {name!r}; {tail}{hint}")
