"""A copy of the project's plain files, and the command line run in this process on a local workspace."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import textwrap
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


class Place:
    """A project folder that is the current folder, and a run of the command in it."""

    def __init__(self, root, capsys):
        self.root, self.capsys = root, capsys

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def run(self, *arguments):
        """Return the exit code and the lines of stdout."""
        code: object = 0
        try:
            main(["validate", *arguments])
        except SystemExit as leave:
            code = leave.code
        self.printed = self.capsys.readouterr()
        return code, self.printed.out.splitlines()


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("MLOPS_KIT_ENV", "AZURE_SUBSCRIPTION_ID"):
        monkeypatch.delenv(name, raising=False)
    place = Place(tmp_path, capsys)
    place.put("environments/base.yaml", "workspace:\n  resource_group: rg\n  name: ws\ncompute: cpu\n")
    place.put("environments/local.yaml", "workspace: {subscription_id: 00000000-0000-0000-0000-000000000001}\n")
    place.put("environments/dev.yaml", "description: where changes are tried\n")
    return place


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
