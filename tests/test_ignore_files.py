"""What ignore files say is what git says: compared with the installed git, on trees and patterns of all kinds."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlops_kit import ignore_files, packaging
from mlops_kit.errors import UsageError

NAMES = ("a", "b", "ab", "a.py", "B.py", "x", "y", "#h", "!z", " sp", "tr ", "[q]", "a-b", "\\w", "é", "*s", "x\ny")
ATOMS = (
    *("a", "b", "ab", "x", "y", "é", "a-b", ".", "..", "", "#h", "!z", " sp", "tr ", "[q]", "*s"),
    *("*", "**", "***", "?", "*.py", "a*", "*b", "**a", "a**", "*.p?", "[ab]", "[!a]", "[^a]", "[a-c]", "[]q]", "[!]]"),
    *("\\#h", "\\!z", "tr\\ ", "\\[q\\]", "\\*s", "\\a", "\\\\w", "[\\]q]", "[[:alpha:]]", "[[:upper:]x]", "[[:no:]]"),
    *("[", "a[", "[a-", "\\", "[a-]", "[a-\\c]", "[/]", "[[:]", "[b-a]", "**/", "/**"),
)
BEFORE = ("", "", "/", "!", "!/", " ", "#", "!!", "**/")
AFTER = ("", "", "/", "/**", "/*", " ", "  ", "\\ ", "\t", "\r", "/ ")
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
patterns = st.builds(
    lambda before, atoms, after: before + "/".join(atoms) + after,
    st.sampled_from(BEFORE),
    st.lists(st.sampled_from(ATOMS), min_size=1, max_size=3),
    st.sampled_from(AFTER),
)
files_of_patterns = st.dictionaries(st.integers(0, 9), st.lists(patterns, min_size=1, max_size=5), max_size=3)
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="compares with git, which is not installed")


def _write(root: Path, files: set[str], ignored: dict[int, list[str]]) -> None:
    """Write files, and ignore files into some of the folders; a path through a file is left out."""
    for name in sorted(files):
        path = root / name
        if not path.exists() and not any(above.is_file() for above in path.parents):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x", encoding="utf-8")
    folders = [root, *sorted(path for path in root.rglob("*") if path.is_dir() and ".git" not in path.parts)]
    for number, lines in ignored.items():
        target = folders[number % len(folders)] / ".gitignore"
        target.write_bytes("\n".join(lines).encode())


def _git_lists(root: Path) -> list[str]:
    """Return the files that git would add."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "init", "-q"], cwd=root, check=True, env=env)
    command = ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, env=env).stdout.decode()
    return sorted(name for name in listed.split("\0") if name)


def _shipped(folder: Path) -> list[str]:
    return [file.path for file in packaging.package(folder).files]


@needs_git
@given(files=st.sets(paths, min_size=1, max_size=12), ignored=files_of_patterns)
@example(files={"a/b/c"}, ignored={0: ["a/**/c"]})
@example(files={"x/ab/y/b"}, ignored={0: ["x/a**/b"]})  # git reads a pattern from its first wildcard on
@example(files={"a", "b"}, ignored={0: ["*", "!a", "!b", "b"]})
@example(files={"x/y"}, ignored={0: ["/x[!q]y"]})
@example(files={"tr "}, ignored={0: ["tr\\ "]})
@example(files={"[q]/a"}, ignored={0: ["[a-/x]"]})
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_r16_what_ships_of_a_repository_is_what_git_would_add(tmp_path_factory, files, ignored):
    root = tmp_path_factory.mktemp("repo")
    _write(root, files, ignored)
    assert _shipped(root) == [name for name in _git_lists(root) if name != ".gitignore"]


@needs_git
@given(files=st.sets(paths, min_size=1, max_size=10), ignored=files_of_patterns)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_r16_what_ships_of_a_folder_in_a_repository_is_what_git_would_add_there(tmp_path_factory, files, ignored):
    root = tmp_path_factory.mktemp("repo")
    _write(root, files | {"x/y/a"}, ignored)
    folder = root / "x" / "y"
    if not folder.is_dir() or ignore_files.inherited(folder) == ignore_files.Rules():
        return  # nothing is inherited: the folder is ignored, and named nevertheless, or there are no ignore files
    listed = [name.removeprefix("x/y/") for name in _git_lists(root) if name.startswith("x/y/")]
    assert _shipped(folder) == [name for name in listed if name != ".gitignore"]


@pytest.mark.soak
@pytest.mark.timeout(1800)
@needs_git
@given(files=st.sets(paths, min_size=1, max_size=12), ignored=files_of_patterns)
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_ships_of_thousands_of_repositories_is_what_git_would_add(tmp_path_factory, files, ignored):
    root = tmp_path_factory.mktemp("repo")
    _write(root, files, ignored)
    assert _shipped(root) == [name for name in _git_lists(root) if name != ".gitignore"]


def test_patterns_never_fail_whatever_they_hold(tmp_path):
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    (tmp_path / ".gitignore").write_bytes("\n".join(f"{one}{two}" for one in ATOMS for two in ATOMS).encode())
    packaging.package(tmp_path)


def test_line_breaks_and_a_mark_of_windows_are_read_as_git_reads_them(tmp_path):
    (tmp_path / ".gitignore").write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    assert _shipped(tmp_path) == ["c"]


def test_ignore_file_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9\n")
    with pytest.raises(UsageError, match=r"\.gitignore is not UTF-8"):
        packaging.package(tmp_path)
