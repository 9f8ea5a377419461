"""One page per code of a finding, and their list: the pages that ``mlops-kit explain`` prints, with named files."""

from __future__ import annotations

import re

_NAMED = re.compile(r"^```(\w+) (\S+)$", re.MULTILINE)
# The first two digits of a code -> what its family is about.
_FAMILIES = {
    "01": "Files and keys",
    "02": "Names",
    "03": "References and wiring",
    "04": "Paths and data",
    "05": "Environments and packages",
    "06": "Commands, secrets and infrastructure",
    "07": "Environment files",
    "08": "Templates",
    "09": "Sweeps, schedules, monitors and AutoML",
    "10": "Deployments",
}


def pages() -> dict[str, str]:
    """Return the text of each page by its name below ``docs``."""
    from mlops_kit.checks import codes

    found = {f"findings/{code}.md": _page(codes.explanation(code)) for code in codes.codes()}
    titles = {code: codes.title(code) for code in codes.codes()}
    return {**found, "findings/index.md": _index(titles)}


def _page(text: str) -> str:
    """Return a page whose code blocks are headed by the names of their files, which Markdown has no place for."""
    return _NAMED.sub(r"`\2`:\n\n```\1", text)


def _index(titles: dict[str, str]) -> str:
    parts = [
        "# Findings\n",
        "Generated from the pages that `mlops-kit explain CODE` prints, by `nox -s docs`. A code never changes its",
        "meaning and is never given to something else.",
    ]
    for family, name in _FAMILIES.items():
        rows = [f"| [{code}]({code}.md) | {title} |" for code, title in titles.items() if code[2:4] == family]
        parts += [f"\n## {name}\n", "| code | what is wrong |\n|---|---|", *rows] if rows else []
    return "\n".join(parts) + "\n"
