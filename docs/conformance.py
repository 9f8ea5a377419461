"""The part of the coverage page about Microsoft's own tests: kept in ``conformance.yaml``, updated by a run's results.

The file holds the tests' ids and our own sentences only; the tests and their data are never part of this project.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parent / "conformance.yaml"
PASSED, FAILED, NOT_EVALUATED = "passed", "failed", "not evaluated"
# First causes, as the runner names them, that say nothing about the control plane.
_OUTSIDE = {"test_data": "A file that the test reads is not in the source distribution and was not at hand."}

Known = dict[str, Any]  # {sdk, notes: [sentence], tests: {id: {outcome, reason?}}}


def read(path: Path = FILE) -> Known:
    """Return what is known of the tests."""
    known = yaml.safe_load(path.read_text(encoding="utf-8"))
    tests = {name: entry if isinstance(entry, dict) else {"outcome": entry} for name, entry in known["tests"].items()}
    return {**known, "tests": tests}


def write(known: Known, path: Path = FILE) -> None:
    """Write what is known, sorted by id; a test that passes takes one line."""
    tests = {name: PASSED if entry["outcome"] == PASSED else entry for name, entry in sorted(known["tests"].items())}
    text = yaml.safe_dump({**known, "tests": tests}, sort_keys=False, width=120, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def updated(known: Known, results: Path) -> Known:
    """Return what is known after a run; tests that it left out stay as they are, reasons once written are kept."""
    run = json.loads(results.read_text(encoding="utf-8"))
    core = [test for test in run["tests"] if test["class"] == "core"]
    tests = {test["nodeid"]: _entry(test, known["tests"].get(test["nodeid"], {})) for test in core}
    return {**known, "sdk": run["sdk"], "tests": {**known["tests"], **tests}}


def _entry(test: dict[str, Any], before: dict[str, str]) -> dict[str, str]:
    if test["outcome"] == PASSED:
        return {"outcome": PASSED}
    if before.get("reason"):
        return before
    outside = test["outcome"] == "skipped" or test["cause"] in _OUTSIDE
    return {"outcome": NOT_EVALUATED if outside else FAILED, "reason": _OUTSIDE.get(test["cause"], "")}


def unexplained(known: Known) -> list[str]:
    """Return the tests that did not pass and have no reason beside them."""
    return [name for name, one in known["tests"].items() if one["outcome"] != PASSED and not one.get("reason")]


def section(known: Known) -> list[str]:
    """Return the lines of the page: a table of folders, then every test that did not pass, with its reason."""
    counts: dict[str, Counter[str]] = {}
    for name, one in sorted(known["tests"].items()):
        counts.setdefault(name.split("/")[1], Counter())[one["outcome"]] += 1
    total = sum(counts.values(), Counter[str]())
    lines = [
        "## Microsoft's own tests\n",
        f"The end-to-end tests in the source distribution of azure-ai-ml {known['sdk']}, class *core* (those that a",
        "faithful local control plane passes), run in live mode against this one by `nox -s conformance`.",
        *known["notes"],
        "",
        "| folder | passed | failed | not evaluated |",
        "|---|---:|---:|---:|",
    ]
    for folder, count in (*counts.items(), ("all", total)):
        lines.append(f"| {folder} | {count[PASSED]} | {count[FAILED]} | {count[NOT_EVALUATED]} |")
    for outcome in (FAILED, NOT_EVALUATED):
        lines += _listed(known, outcome)
    return lines


def _listed(known: Known, outcome: str) -> list[str]:
    rows = [(name, one["reason"]) for name, one in sorted(known["tests"].items()) if one["outcome"] == outcome]
    if not rows:
        return ["", "Every test was evaluated." if outcome == NOT_EVALUATED else "None failed."]
    return ["", f"{outcome.capitalize()}:\n", *(f"- `{name.partition('::')[2]}`: {reason}" for name, reason in rows)]
