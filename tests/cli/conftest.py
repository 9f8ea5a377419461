"""A copy of the project's plain files, and the command line run in this process on a local workspace."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.cli import main

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def called(capsys):
    """Call ``mlops-kit`` in this process: (exit code, stdout, stderr)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(list(arguments))
        except SystemExit as leave:
            code = int(leave.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def commands_workspace(new_workspace):
    """The workspace that the tests of commands share; each uses names of its own in it."""
    return new_workspace("mlw-commands")


@pytest.fixture(scope="session")
def workspace_project(tmp_path_factory):
    """A project folder that the tests of workspace commands share; each adds templates of its own names."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("environments", "templates"):
        shutil.copytree(PROJECT / name, folder / name)
    local = folder / "environments" / "local.yaml"
    local.write_text(local.read_text(encoding="utf-8").replace("mlw-local", "mlw-commands"), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def write(workspace_project) -> Callable[[str, str], str]:
    """Write a template and return its path."""

    def write_template(name: str, text: str) -> str:
        path = workspace_project / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write_template


@pytest.fixture(scope="session")
def chosen(workspace_project) -> str:
    """Return the options that a hint must have, because the tests run outside the project."""
    return f"-C {workspace_project} -e local"


@pytest.fixture(scope="session")
def kit(commands_workspace, workspace_project) -> Callable[..., Ran]:
    """Run ``mlops-kit`` on the environment ``local``, which is the control plane of the session."""
    before = dict(os.environ)

    def run(*arguments: str, env: str | None = "local", **variables: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        os.environ.update(variables)
        where = ["-C", str(workspace_project), *(["-e", env] if env else [])]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main([*arguments, *where])
            code = 0
        except SystemExit as leave:
            code = int(leave.code or 0)
        finally:
            for name in set(os.environ) - set(before):
                del os.environ[name]
            os.environ.update(before)
        return Ran(code, out.getvalue(), err.getvalue())

    return run
