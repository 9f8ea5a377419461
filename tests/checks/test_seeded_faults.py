"""One fault, seeded into a project without any, is found at its line, and nothing else is.

``seeds/seeds.yaml`` lists the faults by code. Each is one edit of a file of ``seeds/project``: ``old`` becomes ``new``
(at its first occurrence, or after the text ``after``), ``add`` is a new file or, for a name that ends with ``/``, an
empty folder, and ``remove`` takes a file away. The finding is expected in the first line that the edit changes, or in
the first line of the file ``in`` that holds ``at``, or in ``line`` (0: in the file as such); it is an error unless
``severity`` says otherwise, and ``env`` is the environment, ``dev`` without it.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from mlops_kit.checks import codes
from mlops_kit.cli import cli

HERE = Path(__file__).with_name("seeds")
SEEDS = yaml.safe_load((HERE / "seeds.yaml").read_text("utf-8"))


def _cases() -> Iterator[object]:
    for code, seeds in SEEDS.items():
        for number, seed in enumerate(seeds, start=1):
            yield pytest.param(code, seed, id=f"{code}-{number}-{Path(seed['file']).name}")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Path(shutil.copytree(HERE / "project", tmp_path_factory.mktemp("seeded") / "project"))


def _seeded(text: str, seed: Mapping[str, str]) -> str:
    """Return the text of a file with one piece of it replaced."""
    start = text.index(seed["after"]) if "after" in seed else 0
    place = text.index(seed["old"], start)
    return text[:place] + seed["new"] + text[place + len(seed["old"]) :]


@contextmanager
def _fault(path: Path, seed: Mapping[str, str]) -> Iterator[None]:
    """Put a fault into the project, and take it out again."""
    before = path.read_bytes() if path.is_file() else None
    if seed["file"].endswith("/"):
        path.mkdir(parents=True)
    elif "remove" in seed:
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = seed["add"] if before is None else _seeded(before.decode(), seed)
        path.write_bytes(text.encode())
    try:
        yield
    finally:
        _take_out(path, before)


def _take_out(path: Path, before: bytes | None) -> None:
    if before is not None:
        path.write_bytes(before)
    elif path.is_dir():
        path.rmdir()
    else:
        path.unlink()


def _line(project: Path, seed: Mapping[str, str]) -> int:
    """Return the line that the finding is expected in; the fault is in the project."""
    if "line" in seed:
        return int(seed["line"])
    lines = (project / seed.get("in", seed["file"])).read_text("utf-8").splitlines()
    if "at" in seed:
        return next(number for number, line in enumerate(lines, start=1) if seed["at"] in line)
    if "add" in seed:
        return 1
    original = (HERE / "project" / seed["file"]).read_text("utf-8").splitlines()
    pairs = enumerate(zip(lines, [*original, *lines], strict=False), start=1)
    return next((number for number, (new, old) in pairs if new != old), len(original) + 1)


def _found(environment: str) -> list[tuple[str, str, str, int]]:
    """Return what ``validate`` finds in the project in the current folder: code, severity, file and line of each."""
    ran = CliRunner().invoke(cli, ["validate", "-e", environment, "-o", "json"], catch_exceptions=False)
    rows = json.loads(ran.stdout)
    return [(row["code"], row["severity"], row["path"], row["line"]) for row in rows]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_project_without_a_fault_yields_nothing(environment, project, monkeypatch):
    monkeypatch.chdir(project)
    assert _found(environment) == []


@pytest.mark.parametrize(("code", "seed"), _cases())
def test_a_seeded_fault_is_found_at_its_line_and_nothing_else_is(code, seed, project, monkeypatch):
    monkeypatch.chdir(project)
    with _fault(project / seed["file"], seed):
        expected = (code, seed.get("severity", "error"), seed.get("in", seed["file"]), _line(project, seed))
        assert _found(seed.get("env", "dev")) == [expected]


def test_each_code_is_seeded():
    assert {*SEEDS} == {*codes.codes()}
