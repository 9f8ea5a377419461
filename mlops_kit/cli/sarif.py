"""Findings as a SARIF 2.1.0 log, which code scanning services read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mlops_kit import __version__
from mlops_kit.checks import codes
from mlops_kit.checks.findings import Finding
from mlops_kit.errors import Place

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"  # the name that GitHub gives to the top of a repository


def log(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the log of one run; files below the current folder are named relative to it."""
    rules = sorted({finding.code for finding in findings})
    lines: dict[str, list[str]] = {}
    run = {
        "tool": {"driver": {"name": "mlops-kit", "version": __version__, "rules": [_rule(code) for code in rules]}},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The folder in which mlops-kit was called."}}},
        "results": [_result(finding, rules.index(finding.code), lines) for finding in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    """Return what the page of a code says about it."""
    title, page = codes.title(code), codes.explanation(code)
    return {
        "id": code,
        "shortDescription": {"text": f"{title[:1].upper()}{title[1:]}."},
        "help": {"text": page, "markdown": page},
    }


def _result(finding: Finding, index: int, lines: dict[str, list[str]]) -> dict[str, Any]:
    text = f"{finding.message}; {finding.hint}" if finding.hint else finding.message
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": text},
        "locations": [_location(finding.place, lines)],
    }
    if finding.suppressed is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.suppressed}]
    return result


def _location(place: Place, lines: dict[str, list[str]]) -> dict[str, Any]:
    """Return where a finding stands; ``lines`` keeps the files that were read for it."""
    file = Path(place.path)
    if not file.is_file():
        return {"logicalLocations": [{"fullyQualifiedName": place.path}]}  # an option of the command line
    if place.path not in lines:
        lines[place.path] = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    physical: dict[str, Any] = {"artifactLocation": _artifact(file)}
    if place.line:
        physical["region"] = _region(place, lines[place.path])
    return {"physicalLocation": physical}


def _artifact(file: Path) -> Mapping[str, str]:
    return {"uri": file.as_uri()} if file.is_absolute() else {"uri": quote(file.as_posix()), "uriBaseId": ROOT}


def _region(place: Place, lines: Sequence[str]) -> dict[str, int]:
    """Return line and column; a column counts UTF-16 units, of which some characters have two."""
    if not place.column:
        return {"startLine": place.line}
    before = lines[place.line - 1][: place.column - 1] if place.line <= len(lines) else ""
    wide = sum(ord(character) > 0xFFFF for character in before)
    return {"startLine": place.line, "startColumn": place.column + wide}
