"""Mutated documents: no traceback, no hang, memory bounded, and a place for every finding."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 200 * 2**20  # bytes


def _drive(folder: Path, count: int, seed: int) -> dict[str, float]:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.fuzzing.drive", "--count", str(count), "--seed", str(seed), str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    seen: dict[str, float] = json.loads(ran.stdout)
    return seen


def _require_kept_promises(seen: dict[str, float], count: int) -> None:
    assert seen["documents"] == count
    assert seen["findings"] > count / 4  # the mutations do hurt
    assert seen["slowest"] < 1
    assert seen["memory"] < MEMORY


def test_mutated_documents_are_answered_with_findings(tmp_path):
    seed = int.from_bytes(os.urandom(4))  # another one in every run; a failure names the document itself
    _require_kept_promises(_drive(tmp_path / "project", 5_000, seed), 5_000)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_million_mutated_documents_are_answered_with_findings(tmp_path):
    with ThreadPoolExecutor(2) as pool:
        halves = [pool.submit(_drive, tmp_path / str(seed), 500_000, seed) for seed in (1, 2)]
        for half in halves:
            _require_kept_promises(half.result(), 500_000)
