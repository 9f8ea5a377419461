"""Each page that explains a code: its wrong files yield the very lines it shows, its right files yield nothing."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from mlops_kit.checks import codes, suppressions
from mlops_kit.cli import cli

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = codes.codes()
# The project that the files of an example are put into, unless the example brings its own: an environment that lacks
# nothing, so that an example shows of it only what matters.
PROJECT = {
    "environments/base.yaml": """\
project: wards
location: westeurope
workspace:
  subscription_id: 11111111-2222-3333-4444-555555555555
  resource_group: rg-wards
  name: mlw-wards
""",
    "environments/dev.yaml": "{}\n",
}


class Example(NamedTuple):
    """The files of one half of a page, by their paths in a project, and the findings that it shows."""

    files: dict[str, str]
    findings: list[str]


def _example(code: str, heading: str) -> Example:
    """Return one half of a page."""
    section = codes.explanation(code).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = BLOCK.findall(section)
    shown = [line for kind, name, body in blocks if kind == "text" and not name for line in body.splitlines()]
    return Example({name: body for _, name, body in blocks if name}, shown)


def _findings(folder: Path, example: Example, monkeypatch) -> list[str]:
    """Write the files into a project and return the lines that ``validate`` prints of those that are YAML."""
    _put(folder, example)
    monkeypatch.chdir(folder)
    return _validate(example).stdout.splitlines()


def _put(folder: Path, example: Example) -> None:
    files = PROJECT | example.files
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(body, encoding="utf-8")


def _validate(example: Example, *options: str) -> Result:
    named = [name for name in example.files if name.endswith((".yml", ".yaml"))]
    return CliRunner().invoke(cli, ["validate", "-e", "dev", *options, *named], catch_exceptions=False)


@pytest.mark.parametrize("code", PAGES)
def test_the_wrong_files_yield_the_findings_that_the_page_shows(code, tmp_path, monkeypatch):
    example = _example(code, "Wrong")
    assert any(f"[{code}]" in line for line in example.findings)
    assert _findings(tmp_path, example, monkeypatch) == example.findings


@pytest.mark.parametrize("code", PAGES)
def test_the_right_files_yield_nothing(code, tmp_path, monkeypatch):
    example = _example(code, "Right")
    assert example.files
    assert _findings(tmp_path, example, monkeypatch) == []


@pytest.mark.parametrize("code", PAGES)
def test_mending_the_wrong_files_leaves_fewer_findings_and_none_new(code, tmp_path, monkeypatch):
    example = _example(code, "Wrong")
    before = Counter(_known(line) for line in _findings(tmp_path, example, monkeypatch))
    mended = _validate(example, "--fix")
    after = Counter(_known(line) for line in mended.stdout.splitlines())
    fixed = sum(": fixed[" in line for line in mended.stderr.splitlines())
    assert after <= before
    assert (after.total() < before.total()) == bool(fixed)
    texts = {name: (tmp_path / name).read_text() for name in example.files if not name.endswith("/")}
    assert bool(fixed) == any(texts[name] != example.files[name] for name in texts)
    assert ": fixed[" not in _validate(example, "--fix").stderr
    assert texts == {name: (tmp_path / name).read_text() for name in texts}


# MK0324 is about the lines of a folded text: a comment among them is one more such line.
@pytest.mark.parametrize("code", [each for each in PAGES if not suppressions.FIRM.fullmatch(each) and each != "MK0324"])
def test_a_comment_passes_over_the_finding_in_whatever_file_it_stands(code, tmp_path, monkeypatch):
    example = _example(code, "Wrong")
    places = {(path, int(line), found) for path, line, found in map(_place, example.findings)}
    marked = {name: _marked(name, body, places) for name, body in example.files.items()}
    assert _findings(tmp_path, Example(marked, []), monkeypatch) == []


def _place(finding: str) -> tuple[str, str, str]:
    """Return the path, the line and the code of a finding."""
    found = re.match(r"(.+?):(\d+):\d+: \w+\[(MK\d+)\]", finding)
    assert found
    return found[1], found[2], found[3]


def _marked(name: str, body: str, places: Iterable[tuple[str, int, str]]) -> str:
    """Return a file with a comment alone on the line before each finding."""
    lines = body.splitlines(keepends=True)
    for line in sorted({line for path, line, _ in places if path == name}, reverse=True):
        held = ", ".join(sorted({code for path, other, code in places if (path, other) == (name, line)}))
        indent = re.match(" *", lines[line - 1])
        lines.insert(line - 1, f"{indent[0] if indent else ''}# mlops-kit: ignore[{held}] known here\n")
    return "".join(lines)


def _known(line: str) -> str:
    """Return a finding without its place, which an edit may move."""
    return line.partition(": ")[2]


def test_each_code_of_the_source_has_a_page():
    package = Path(codes.__file__).parents[1]
    used = {code for path in package.rglob("*.py") for code in re.findall(r"\bMK\d{4}\b", path.read_text("utf-8"))}
    assert used == set(PAGES)
