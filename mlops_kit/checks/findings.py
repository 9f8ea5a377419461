"""What a check reports: one fault at one place, with a code that never changes its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlops_kit.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_kit.errors import Place


@dataclass(frozen=True, slots=True)
class Edit:
    """What to write for a piece of the file: ``old`` is the first such piece at or after the place of the finding."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault; ``hint`` says what was expected or what to write instead.

    ``edit`` mends the fault where that is safe: the meaning is plain and nothing else is changed. ``suppressed`` is the
    reason that a comment in the file gives for passing over the finding, None where there is none.
    """

    code: str
    severity: Literal["error", "warning"]
    place: Place
    message: str
    hint: str = ""
    edit: Edit | None = None
    suppressed: str | None = None

    def __str__(self) -> str:
        """Return the line that is printed: ``path:line:col: error[MK0102]: message; hint``."""
        end = f"; {self.hint}" if self.hint else ""
        return f"{self.place}: {self.severity}[{self.code}]: {self.message}{end}"

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON data; one that is passed over says why."""
        passed_over = {} if self.suppressed is None else {"suppressed": self.suppressed}
        return {
            "code": self.code,
            "severity": self.severity,
            "path": self.place.path,
            "line": self.place.line,
            "column": self.place.column,
            "message": self.message,
            "hint": self.hint,
            **passed_over,
        }

    def as_annotation(self) -> str:
        """Return the workflow command by which GitHub shows the finding at its line."""
        text = f"{self.message}; {self.hint}" if self.hint else self.message
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        place = self.place
        return f"::{self.severity} file={place.path},line={place.line},col={place.column},title={self.code}::{escaped}"


def error(code: str, place: Place, message: str, hint: str = "", edit: Edit | None = None) -> Finding:
    """Return a finding that fails the check."""
    return Finding(code, "error", place, message, hint, edit)


def warning(code: str, place: Place, message: str, hint: str = "", edit: Edit | None = None) -> Finding:
    """Return a finding that does not fail the check unless it is strict."""
    return Finding(code, "warning", place, message, hint, edit)


def brief(text: str) -> str:
    """Return a value of a file as part of one line: blanks for line breaks, at most 80 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean `x```, or nothing when no known word is close."""
    return "".join(f"did you mean `{near}`" for near in nearest(word, known))
