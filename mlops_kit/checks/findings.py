"""What a check reports: one fault at one place, with a code that never changes its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlops_kit.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_kit.errors import Place

# code -> what it stands for; codes are never reused
CODES = {
    "MK0100": "the file cannot be read as YAML",
    "MK0101": "the kind of file is not known",
    "MK0102": "a key is not known",
    "MK0103": "a key is given twice",
    "MK0104": "a required key is missing",
    "MK0105": "a value has the wrong type",
    "MK0106": "a value is not one of the allowed ones",
    "MK0107": "a value does not have the required form",
    "MK0108": "a key has no value",
    "MK0201": "a name breaks the rules of the service",
    "MK0301": "a reference points to nothing that is declared",
    "MK0302": "an input is declared and not used",
    "MK0303": "a component is given an input or output it does not declare",
    "MK0304": "a component is not given an input it requires",
    "MK0305": "an optional input stands outside a $[[ ]] group",
    "MK0306": "a $[[ ]] group is not set apart by blanks",
    "MK0401": "a local file or folder does not exist",
    "MK0402": "a path leads out of the project",
    "MK0403": "a path is written with backslashes",
    "MK0404": "a file is given where a folder is needed, or the other way round",
    "MK0405": "a path holds a wildcard",
    "MK0406": "a folder lacks the file that its type needs",
    "MK0501": "a job has no environment",
    "MK0502": "a conda file asks for a package of the retired SDK",
    "MK0503": "an environment asset has a conda file and no image",
    "MK0504": "a conda or requirements file names a package twice",
    "MK0505": "an image is not pinned where the environment is protected",
    "MK0506": "a line of a requirements file cannot be installed away from this machine",
    "MK0507": "a component that is named as a file needs a requirements file",
    "MK0601": "an environment variable has no value",
    "MK0602": "a command holds characters that the shell does not expect",
    "MK0611": "a physical name breaks the rule of its service",
    "MK0612": "two resources would have the same name",
    "MK0613": "a region, a size or a tier is not one of those that may be used here",
    "MK0614": "a minimum is above its maximum",
    "MK0615": "settings of the network do not go together",
    "MK0616": "a protected environment would be open or could be lost",
    "MK0617": "a setting would change nothing",
    "MK0618": "a value does not name what it should",
    "MK0619": "a key has the name of v1",
    "MK0701": "an environment file is wrong",
    "MK0702": "an environment lacks a key that Azure needs",
    "MK0801": "a template cannot be rendered",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault; ``hint`` says what was expected or what to write instead."""

    code: str
    severity: Literal["error", "warning"]
    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Return the line that is printed: ``path:line:col: error[MK0102]: message; hint``."""
        end = f"; {self.hint}" if self.hint else ""
        return f"{self.place}: {self.severity}[{self.code}]: {self.message}{end}"

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON data."""
        return {
            "code": self.code,
            "severity": self.severity,
            "path": self.place.path,
            "line": self.place.line,
            "column": self.place.column,
            "message": self.message,
            "hint": self.hint,
        }

    def as_annotation(self) -> str:
        """Return the workflow command by which GitHub shows the finding at its line."""
        text = f"{self.message}; {self.hint}" if self.hint else self.message
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        place = self.place
        return f"::{self.severity} file={place.path},line={place.line},col={place.column},title={self.code}::{escaped}"


def error(code: str, place: Place, message: str, hint: str = "") -> Finding:
    """Return a finding that fails the check."""
    return Finding(code, "error", place, message, hint)


def warning(code: str, place: Place, message: str, hint: str = "") -> Finding:
    """Return a finding that does not fail the check unless it is strict."""
    return Finding(code, "warning", place, message, hint)


def brief(text: str) -> str:
    """Return a value of a file as part of one line: blanks for line breaks, at most 80 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean `x```, or nothing when no known word is close."""
    return "".join(f"did you mean `{near}`" for near in nearest(word, known))
