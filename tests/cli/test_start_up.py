"""What checks and renders a file starts fast, because it loads none of the big libraries."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
HEAVY = {"azure", "mlflow", "pandas", "numpy", "sklearn", "pulumi", "requests", "marshmallow", "jsonschema"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["validate", "--all", "-e", "local"],
        ["validate", "--all", "-e", "local", "-o", "sarif"],
        ["validate", "templates/jobs/train.yml", "-e", "local", "--fix", "--diff"],
        ["render", "train", "-e", "local"],
        ["explain", "MK0102"],
        ["schema", "command_job", "--editor", "vscode"],
    ],
    ids=" ".join,
)
def test_checking_and_rendering_load_no_big_library(arguments):
    code = (
        "import sys\nfrom mlops_kit.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as leave:\n    assert not leave.code, leave.code\n"
        f"print(sorted({HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}), file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert ran.stderr.splitlines()[-1] == "[]"
