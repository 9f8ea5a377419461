"""The hook ``mlops-kit-validate``, as pre-commit runs it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlops_kit.checks import codes

PROJECT = Path(__file__).resolve().parents[2]
HOOKS = PROJECT / ".pre-commit-hooks.yaml"
BIN = Path(sys.executable).parent
WRONG = "comand: echo\nenvironment: azureml:e:1\n"


@pytest.fixture
def repository(tmp_path):
    """A repository whose project has a wrong template."""
    for name in ("environments", "templates"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "templates/jobs/wrong.yml").write_text(WRONG)
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/ci.yml").write_text("on: push\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "-A"], check=True)
    return tmp_path


def _hook(name):
    return next(hook for hook in yaml.safe_load(HOOKS.read_text()) if hook["id"] == name)


def _run(repository, *command, **variables):
    known = {"MLOPS_KIT_ENV": "local", "AZURE_SUBSCRIPTION_ID": "11111111-2222-3333-4444-555555555555"}
    env = {**os.environ, **known, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **variables}
    return subprocess.run(command, cwd=repository, env=env, capture_output=True, text=True, check=False)


def _staged(repository, hook):
    files = subprocess.run(["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=True).stdout
    return [name for name in files.splitlines() if re.search(hook["files"], name) and name.endswith((".yml", ".yaml"))]


def test_the_hook_reports_the_faults_of_the_files_that_it_is_given(repository):
    hook = _hook("mlops-kit-validate")
    files = _staged(repository, hook)
    assert "templates/jobs/wrong.yml" in files
    assert not any(name.startswith(".github") for name in files)
    ran = _run(repository, *shlex.split(hook["entry"]), *files)
    told = "templates/jobs/wrong.yml:1:1: error[MK0102]: unknown key `comand`; did you mean `command`\n"
    assert (ran.returncode, ran.stdout) == (2, told)
    one = _run(repository, *shlex.split(hook["entry"]), "templates/jobs/train.yml")
    assert (one.returncode, one.stdout) == (0, "")


def test_the_hook_that_mends_leaves_a_right_file(repository):
    hook = _hook("mlops-kit-fix")
    ran = _run(repository, *shlex.split(hook["entry"]), "templates/jobs/wrong.yml")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert (repository / "templates/jobs/wrong.yml").read_text() == WRONG.replace("comand", "command")


def test_pre_commit_takes_the_description_of_the_hooks(repository):
    if shutil.which("pre-commit", path=str(BIN)) is None:
        pytest.skip("pre-commit is not installed")
    checked = _run(repository, "pre-commit", "validate-manifest", str(HOOKS))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.soak  # it installs the project anew
@pytest.mark.needs_registry
def test_pre_commit_installs_the_project_and_runs_the_hook(repository, tmp_path_factory):
    if shutil.which("pre-commit", path=str(BIN)) is None:
        pytest.skip("pre-commit is not installed")
    clone = tmp_path_factory.mktemp("clone") / "mlops_kit"
    subprocess.run(["git", "clone", "-q", str(PROJECT), str(clone)], check=True)
    revision = _run(clone, "git", "rev-parse", "HEAD").stdout.strip()
    hook = {"repo": str(clone), "rev": revision, "hooks": [{"id": "mlops-kit-validate"}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [hook]}))
    home = tmp_path_factory.mktemp("home")
    ran = _run(repository, "pre-commit", "run", "--all-files", PRE_COMMIT_HOME=str(home))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "templates/jobs/wrong.yml:1:1: error[MK0102]" in ran.stdout
    assert ".github" not in ran.stdout
    # What pre-commit installed is a wheel: it has the pages and the schemas.
    (installed,) = home.glob("repo*/py_env-*/bin/mlops-kit")
    explained = _run(repository, str(installed), "explain", "MK0102")
    assert (explained.returncode, explained.stdout) == (0, codes.explanation("MK0102"))
    assert _run(repository, str(installed), "schema", "--editor", "vscode").returncode == 0
