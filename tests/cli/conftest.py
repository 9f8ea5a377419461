"""A copy of the project's plain files, and the command line run in this process on a local workspace."""

from __future__ import annotations

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


@pytest.fixture(scope="session")
def workspace_project(tmp_path_factory):
    """A project folder that the tests of workspace commands share; each adds templates of its own names."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("environments", "templates"):
        shutil.copytree(PROJECT / name, folder / name)
    return folder


@pytest.fixture
def write(workspace_project) -> Callable[[str, str], str]:
    """Write a template and return its path."""

    def write_template(name: str, text: str) -> str:
        path = workspace_project / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write_template


@pytest.fixture
def kit(local_workspace, workspace_project, capsys) -> Callable[..., Ran]:
    """Run ``mlops-kit`` on the environment ``local``, which is the control plane of the session."""
    before = dict(os.environ)

    def run(*arguments: str, env: str | None = "local", **variables: str) -> Ran:
        os.environ.update(variables)
        capsys.readouterr()
        where = ["-C", str(workspace_project), *(["-e", env] if env else [])]
        try:
            main([*arguments, *where])
            code = 0
        except SystemExit as leave:
            code = int(leave.code or 0)
        finally:
            for name in set(os.environ) - set(before):
                del os.environ[name]
            os.environ.update(before)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
