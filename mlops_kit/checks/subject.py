"""What a check looks at: one rendered document, the kind of file it is, and the disk around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_kit.checks.files import Files
    from mlops_kit.documents import Map


@dataclass(frozen=True, slots=True)
class Subject:
    """One document of a known kind.

    ``folder`` is the absolute folder its file lies in, to which its paths are relative. ``protected`` says that it was
    rendered for a protected environment, where images and versions are pinned.
    """

    root: Map
    kind: str
    folder: str
    files: Files
    protected: bool = False
