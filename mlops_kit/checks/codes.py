"""The codes of findings: each stands for one kind of fault for ever, and has a page that explains it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "explanations"


@cache
def codes() -> tuple[str, ...]:
    """Return every code, in order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("MK*.md")))


def explanation(code: str) -> str:
    """Return the page of a code, as Markdown: what is wrong, why it matters, a wrong and a right file."""
    return (FOLDER / f"{code}.md").read_text(encoding="utf-8")


@cache
def title(code: str) -> str:
    """Return what a code stands for, as the first line of its page says."""
    return explanation(code).partition("\n")[0].partition(": ")[2]
