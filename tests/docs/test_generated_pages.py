"""The pages that come from code say what the code says now."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_command_reference_and_coverage_page_are_current():
    command = [sys.executable, "docs/generate.py", "--check"]
    checked = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")
