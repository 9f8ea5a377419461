"""Which of the known names a wrong one most likely means."""

from __future__ import annotations

from collections.abc import Iterable

_CLOSE = 0.6  # of difflib's ratio: 1 is equal, 0 has nothing in common


def nearest(word: str, known: Iterable[str], count: int = 1) -> list[str]:
    """Return up to ``count`` known names, the closest first; case, and ``-`` for ``_``, make no difference."""
    import difflib  # only a fault needs it

    names = {_folded(name): name for name in known}
    return [names[each] for each in difflib.get_close_matches(_folded(word), names, n=count, cutoff=_CLOSE)]


def did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    """Return the end of a sentence that offers the nearest known name, after a prefix, or nothing."""
    return "".join(f", did you mean {prefix + near!r}?" for near in nearest(word, known))


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_")
