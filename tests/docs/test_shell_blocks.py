"""Every block of the guide and of the README marked ``bash`` runs, page by page, as a reader would type it.

Blocks without the mark install something or need an Azure account.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LONG = {"pipelines"}  # templates of the page that the suite runs elsewhere, too
PAGES = [
    PROJECT / "README.md",
    *sorted(page for page in (PROJECT / "docs").glob("*.md") if page.name not in {"commands.md", "coverage.md"}),
]
QUICKSTART_DATA = "python templates/src/breast_cancer.py && mlops-kit data register breast-cancer -e local"
_BLOCK = re.compile(r"(?:<!-- exit (\d+) -->\n)?```bash\n(.*?)```", re.DOTALL)


def blocks(page: Path) -> list[tuple[int, str]]:
    """Return (expected exit code, script) of each block, in order."""
    return [(int(code or 0), script) for code, script in _BLOCK.findall(page.read_text(encoding="utf-8"))]


@pytest.fixture
def project(tmp_path, request):
    """Return a copy of the project's plain files, with a control plane of its own that is stopped at the end."""
    folder = tmp_path / "project"
    for name in ("environments", "templates", "infra", "modules"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform*"))
    state = tmp_path / "state"
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "MLOPS_KIT_LOCAL_STATE": str(state),
    }
    env.pop("MLOPS_KIT_ENV", None)
    yield folder, env
    subprocess.run(["mlops-kit", "local", "stop"], env=env, cwd=folder, check=False, capture_output=True)


def _case(page: Path):
    """Return a page as a case; one that trains for a minute is run by the sessions ``docs`` and ``soak``."""
    return pytest.param(page, id=page.stem, marks=[pytest.mark.soak] if page.stem in LONG else [])


@pytest.mark.slow
@pytest.mark.parametrize("page", [_case(page) for page in PAGES if blocks(page)])
def test_shell_blocks_of_the_page_do_what_it_says(page, project):
    if page.stem == "infrastructure" and shutil.which("terraform") is None:
        pytest.skip("the program 'terraform' is not on PATH: https://developer.hashicorp.com/terraform/install")
    folder, env = project
    # The README's first command, whose end is tested as the quickstart, leaves a data asset that the next ones read.
    first = [(0, QUICKSTART_DATA)] if page.name == "README.md" else []
    for expected, script in first + blocks(page):
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env=env,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert ran.returncode == expected, f"{page.name}:\n{script}\n{ran.stdout}\n{ran.stderr}"


def test_readme_commands_are_those_that_ci_runs():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    tests_command = next(line for line in readme.splitlines() if line.endswith("nox -s tests"))
    assert tests_command in (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
