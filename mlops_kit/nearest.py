"""Which of the known names a wrong one most likely means."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], count: int = 1, close: float = 0.6) -> list[str]:
    """Return up to ``count`` known names, the closest first; case, and ``-`` for ``_``, make no difference.

    ``close`` is difflib's ratio: 1 is equal, 0 has nothing in common. Long names that begin alike need more of it.
    """
    import difflib  # only a fault needs it

    names = {_folded(name): name for name in known}
    return [names[each] for each in difflib.get_close_matches(_folded(word), names, n=count, cutoff=close)]


def did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    """Return the end of a sentence that offers the nearest known name, after a prefix, or nothing."""
    return "".join(f", did you mean {prefix + near!r}?" for near in nearest(word, known))


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_")
