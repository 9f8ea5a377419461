"""Files that are written in one step: their mode, and what lies in the way."""

import os
from pathlib import Path

import pytest

from mlops_kit import outputs
from mlops_kit.files import write_private, write_whole


def _seen(path: Path) -> tuple[str, int]:
    return path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file that others may read, beside one that a killed process left half written for everybody."""
    path = tmp_path / "deep" / "values.json"
    path.parent.mkdir()
    for each, text in ((path, "old"), (path.with_name("values.json.new"), "half and more than half")):
        each.write_text(text, encoding="utf-8")
        each.chmod(0o666)
    return path


@pytest.mark.parametrize("content", ["näw", "näw".encode()])
def test_a_private_file_is_its_owner_s_alone_whatever_was_there(path, content):
    write_private(path, content)
    assert _seen(path) == ("näw", 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_private_too(tmp_path):
    write_private(tmp_path / "state" / "file", "")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_file_for_everybody_is_as_the_umask_says(path):
    before = os.umask(0o022)
    try:
        write_whole(path, "new")
    finally:
        os.umask(before)
    assert _seen(path) == ("new", 0o644)


def test_a_write_that_fails_leaves_what_was_there(path):
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    assert _seen(path) == ("old", 0o666)


def test_recorded_outputs_are_private_even_beside_the_draft_of_a_killed_run(path):
    outputs.record(path, {"a": 1})
    assert _seen(path) == ('{\n "a": 1\n}\n', 0o600)
