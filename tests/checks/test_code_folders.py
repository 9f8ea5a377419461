"""What would go wrong with a code folder is said before it is uploaded (field reports R16, R17)."""

import re

import pytest

from mlops_kit import checks
from mlops_kit.checks import code_folders
from mlops_kit.checks.subject import Subject
from mlops_kit.errors import Place
from mlops_kit.nodes import Entry, Map, Scalar

JOB = "type: command\ncommand: python a.py\ncode: ../src\nenvironment: azureml:e:1\ncompute: azureml:c\n"
PIPELINE = """\
type: pipeline
settings: {default_compute: azureml:c}
jobs:
  first: {type: command, command: python a.py, code: ../src, environment: "azureml:e:1"}
"""


def test_code_that_ships_is_no_finding(folder):
    folder.put("src/a.py")
    folder.put("src/sub/.gitkeep")
    assert folder.found(JOB) == []


def test_r17_empty_folder_is_a_warning_that_names_it(folder):
    folder.put("src/a.py")
    (folder.root / "src" / "conf" / "local").mkdir(parents=True)
    [found] = folder.found(JOB)
    assert found.startswith("3:7: warning[MK0430]: empty folders do not ship: `conf/local`;")


def test_of_many_empty_folders_five_are_named(folder):
    folder.put("src/a.py")
    for number in range(8):
        (folder.root / "src" / f"e{number}").mkdir()
    [found] = folder.found(JOB)
    assert "`e0`, `e1`, `e2`, `e3`, `e4` and 3 more;" in found


def test_r17_folder_whose_files_are_all_ignored_is_no_finding(folder):
    folder.put("src/a.py")
    folder.put("src/__pycache__/a.pyc")
    folder.put("src/.amlignore", "*.log\n")
    folder.put("src/logs/a.log")
    assert folder.found(JOB) == []


def test_r16_code_over_the_limit_is_an_error_with_the_largest_files(folder, monkeypatch):
    monkeypatch.setenv("MLOPS_KIT_CODE_FILES", "1")
    folder.put("src/a.py")
    folder.put("src/b.py", "x\n")
    [found] = folder.found(JOB)
    assert found.startswith(
        "3:7: error[MK0431]: the code folder ships 2 files of 0.0 MB; the limit is 1 files and 300.0 MB; "
        "the largest are b.py (0.0 MB), a.py (0.0 MB); leave files out"
    )


@pytest.mark.parametrize(
    ("target", "said"), [("nothing", "the link link in .*src leads nowhere"), ("/", "leads outside")]
)
def test_link_that_cannot_ship_is_an_error(folder, target, said):
    folder.put("src/a.py")
    (folder.root / "src" / "link").symlink_to(target)
    [found] = folder.found(JOB)
    assert found.startswith("3:7: error[MK0431]")
    assert re.search(said, found)


def test_code_of_a_step_is_looked_at(folder):
    folder.put("src/.amlignore", "*\n")
    folder.put("src/a.py")
    [found] = folder.found(PIPELINE, "pipelines/p.yml")
    assert "error[MK0431]: nothing of the code folder ships" in found
    assert found.startswith("4:")


def test_depth_of_a_document_is_no_fault_of_the_check():
    place = Place("deep.yml", 1, 1)
    root = Map((), place)
    for _ in range(10_000):
        root = Map((Entry(Scalar("jobs", "jobs", place), root),), place)
    assert list(code_folders.check(Subject(root, "pipeline_job", "/", checks.Files()))) == []
