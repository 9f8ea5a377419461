"""The coverage page: what it says of Microsoft's own tests comes from one file, which a run's results update."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEST = "tests/model/e2etests/test_model.py::TestModel::test_{}"


@pytest.fixture(scope="module")
def conformance() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance", DOCS / "conformance.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _known(**tests: Any) -> dict[str, Any]:
    entries = {TEST.format(name): entry for name, entry in tests.items()}
    return {"sdk": "1.0", "notes": ["A note."], "tests": entries}


def _results(folder: Path, *rows: tuple[str, str, str, str]) -> Path:
    tests = [
        {"nodeid": TEST.format(name), "outcome": outcome, "cause": cause, "class": scope}
        for name, outcome, cause, scope in rows
    ]
    file = folder / "results.json"
    file.write_text(json.dumps({"sdk": "1.1", "tests": tests}))
    return file


def test_results_update_outcomes_and_keep_reasons(conformance: ModuleType, tmp_path: Path) -> None:
    known = _known(
        mended={"outcome": "failed", "reason": "old"},
        told={"outcome": "not evaluated", "reason": "Its data is older."},
        elsewhere={"outcome": "passed"},
    )
    rows = (
        ("mended", "passed", "", "core"),
        ("told", "failed", "assertion", "core"),
        ("new", "error", "field", "core"),
        ("bare", "failed", "test_data", "core"),
        ("never", "failed", "field", "never"),
    )
    after = conformance.updated(known, _results(tmp_path, *rows))

    assert after["sdk"] == "1.1"
    assert {name.rpartition("_")[2]: entry["outcome"] for name, entry in after["tests"].items()} == {
        "mended": "passed",
        "told": "not evaluated",
        "elsewhere": "passed",
        "new": "failed",
        "bare": "not evaluated",
    }
    assert after["tests"][TEST.format("told")]["reason"] == "Its data is older."
    assert conformance.unexplained(after) == [TEST.format("new")]


def test_the_file_reads_back_as_it_was_written(conformance: ModuleType, tmp_path: Path) -> None:
    known = _known(good={"outcome": "passed"}, bad={"outcome": "failed", "reason": "A reason: with a colon."})
    conformance.write(known, tmp_path / "known.yaml")

    assert conformance.read(tmp_path / "known.yaml") == known


def test_the_page_counts_by_folder_and_lists_reasons(conformance: ModuleType) -> None:
    known = _known(good={"outcome": "passed"}, bad={"outcome": "failed", "reason": "It needs pipelines."})
    lines = conformance.section(known)

    assert "| model | 1 | 1 | 0 |" in lines
    assert "| all | 1 | 1 | 0 |" in lines
    assert "- `TestModel::test_bad`: It needs pipelines." in lines
    assert "Every test was evaluated." in lines


def test_every_test_that_did_not_pass_has_its_reason(conformance: ModuleType) -> None:
    assert conformance.unexplained(conformance.read()) == []


def test_the_page_shows_what_the_file_says(conformance: ModuleType) -> None:
    page = (DOCS / "coverage.md").read_text(encoding="utf-8")
    assert "\n".join(conformance.section(conformance.read())) in page
