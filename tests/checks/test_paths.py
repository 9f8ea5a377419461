"""Local paths: there, of the right kind, inside of the project, with slashes."""

import pytest

from mlops_kit import checks, documents
from mlops_kit.errors import DocumentError

JOB = """\
command: python train.py
code: {code}
environment: azureml:sklearn@latest
"""


def data(kind: str, path: str) -> str:
    return f"name: a\ntype: {kind}\npath: {path}\n"


def test_a_code_folder_that_exists_passes(folder):
    folder.put("src/train.py")
    assert folder.found(JOB.format(code="../src")) == []


def test_a_missing_code_folder_is_one_finding_with_the_folder_meant(folder):
    folder.put("src/train.py")
    assert folder.found(JOB.format(code="../scr")) == [
        "2:7: error[MK0401]: file or folder `../scr` does not exist; did you mean `src`"
    ]


@pytest.mark.parametrize("code", ["../..", "/etc", "../src/../../elsewhere"])
def test_code_outside_of_the_project_is_refused(folder, code):
    assert folder.found(JOB.format(code=code)) == [f"2:7: error[MK0402]: `{code}` leads out of the project"]


def test_a_link_that_leads_out_of_the_project_is_refused(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (folder.root / "linked").symlink_to(outside)
    assert folder.found(JOB.format(code="../linked")) == ["2:7: error[MK0402]: `../linked` leads out of the project"]


def test_a_path_with_backslashes_is_shown_with_slashes(folder):
    folder.put("src/train.py")
    assert folder.found(JOB.format(code=r"..\src")) == [
        r"2:7: error[MK0403]: `..\src` is written with backslashes; write `../src`"
    ]


@pytest.mark.parametrize("code", ["azureml:code:1", "git+https://host/repo", "https://host/a.zip"])
def test_code_that_is_not_local_is_left_alone(folder, code):
    assert folder.found(JOB.format(code=code)) == []


def test_data_of_the_wrong_kind_is_refused(folder):
    folder.put("data/a/b.csv")
    assert folder.found(data("uri_file", "a"), "data/x.yml") == ["3:7: error[MK0404]: `a` is a folder; expected a file"]
    assert folder.found(data("uri_folder", "a/b.csv"), "data/x.yml") == [
        "3:7: error[MK0404]: `a/b.csv` is a file; expected a folder"
    ]


def test_an_mltable_folder_holds_an_mltable_file(folder):
    folder.put("data/a/b.csv")
    assert folder.found(data("mltable", "a"), "data/x.yml") == [
        "3:7: error[MK0406]: folder `a` holds no file named MLTable"
    ]
    folder.put("data/a/MLTable", "paths: []\n")
    assert folder.found(data("mltable", "a"), "data/x.yml") == []


@pytest.mark.parametrize("path", ["a/*.csv", "azureml://datastores/d/paths/a/*.csv"])
def test_a_wildcard_in_a_plain_path_is_refused(folder, path):
    folder.put("data/a/b.csv")
    (found,) = folder.found(data("uri_folder", path), "data/x.yml")
    assert found.startswith(f"3:7: error[MK0405]: `{path}` holds a wildcard")


def test_a_job_input_that_is_missing_is_found(folder):
    text = """\
    command: cat ${{inputs.a}}
    environment: azureml:sklearn@latest
    inputs:
      a:
        type: uri_file
        path: ../data/a.csv
    """
    assert folder.found(text) == [
        "6:11: error[MK0401]: file `../data/a.csv` does not exist; looked for " + _shown(folder)
    ]


def _shown(folder):
    return str(folder.root / "data" / "a.csv")


def test_a_missing_component_file_is_one_finding(folder):
    text = "type: pipeline\njobs:\n  a:\n    type: command\n    component: ./nothing.yml\n"
    (found,) = folder.found(text)
    assert found.startswith("5:16: error[MK0401]: file `./nothing.yml` does not exist")


def test_a_missing_conda_file_is_found(folder):
    text = "name: a\nimage: python:3.11\nconda_file: conda.yml\n"
    (found,) = folder.found(text, "environments/a.yml")
    assert found.startswith("3:13: error[MK0401]: file `conda.yml` does not exist")


def test_a_build_folder_holds_a_dockerfile(folder):
    text = "name: a\nbuild:\n  path: context\n"
    folder.put("environments/context/notes.txt")
    assert folder.found(text, "environments/a.yml") == [
        "3:9: error[MK0406]: folder `context` holds no file named Dockerfile"
    ]


def test_a_missing_scoring_script_is_found_in_its_code_folder(folder):
    folder.put("src/score.py")
    text = """\
    endpoint_name: an-endpoint
    name: blue
    model: azureml:m:1
    code_configuration:
      code: src
      scoring_script: scor.py
    environment: azureml:sklearn@latest
    instance_type: Standard_DS3_v2
    instance_count: 1
    """
    assert folder.found(text, "deployment.yml") == [
        "6:19: error[MK0401]: file `scor.py` does not exist; did you mean `score.py`"
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "azureml:titanic",
            "`azureml:titanic` names no version; write `azureml:titanic:VERSION` or `azureml:titanic@latest`",
        ),
        ("titanic:1", "`titanic:1` is no local path and no reference; write `azureml:titanic:1`"),
        ("titanic@latest", "`titanic@latest` is no local path and no reference; write `azureml:titanic@latest`"),
    ],
)
def test_a_reference_to_data_is_spelled_in_full(folder, path, expected):
    inputs = f"inputs:\n  a:\n    type: uri_file\n    path: {path}\n"
    text = "command: cat ${{inputs.a}}\nenvironment: azureml:e:1\n" + inputs
    assert folder.found(text) == [f"6:11: error[MK0107]: {expected}"]


def test_a_wildcard_that_the_program_itself_resolves_passes(folder):
    text = """\
    command: cat ${{inputs.a}}
    environment: azureml:sklearn@latest
    inputs:
      a:
        type: uri_file
        mode: direct
        path: wasbs://data@account.blob.core.windows.net/train/*.parquet
    """
    assert folder.found(text) == []


@pytest.mark.parametrize("code", ["x" * 5000, '"a\\0b"'])
def test_text_that_can_be_no_path_does_not_exist(folder, code):
    (found,) = folder.found(JOB.format(code=code))
    assert found.startswith("2:7: error[MK0401]")


INPUT = """\
command: ls ${{{{inputs.a}}}}
environment: azureml:sklearn@latest
inputs:
  a:
    type: {kind}
    path: {path}
"""


@pytest.mark.parametrize(
    ("kind", "path", "finding"),
    [
        ("uri_folder", "azureml://datastores/d/paths/a/**", "error[MK0405]"),
        ("uri_folder", "../data/*.csv", "error[MK0405]"),
        ("mltable", "../data/*/", "error[MK0405]"),
        ("uri_folder", "../dta", "error[MK0401]"),
        ("uri_folder", "../data/b.csv", "error[MK0404]"),
        ("uri_file", "../data", "error[MK0404]"),
    ],
)
def test_wildcards_missing_paths_and_wrong_kinds_are_one_finding_each(folder, kind, path, finding):
    """R21."""
    folder.put("data/b.csv")
    (found,) = folder.found(INPUT.format(kind=kind, path=path))
    assert found.startswith(f"6:11: {finding}: ")


@pytest.mark.parametrize("code", ["../src/*.py", "../s*"])
def test_a_wildcard_for_code_is_told_as_such(folder, code):
    """R21: no file has that name, and nothing resolves it."""
    folder.put("src/train.py")
    assert folder.found(JOB.format(code=code)) == [
        f"2:7: error[MK0405]: `{code}` holds a wildcard, which is taken literally; give the folder"
    ]


def test_a_file_that_has_a_star_in_its_name_is_found(folder):
    folder.put("data/a*.csv")
    assert folder.found(INPUT.format(kind="uri_file", path="../data/a*.csv")) == []
    assert folder.found(INPUT.format(kind="uri_folder", path="../data/a*.csv"))[0].startswith("6:11: error[MK0404]")


@pytest.mark.parametrize("path", [r"C:\data", "c:/data", r"D:\a\b.csv"])
def test_a_drive_letter_is_refused(folder, path):
    """R49."""
    (found,) = folder.found(INPUT.format(kind="uri_folder", path=path))
    assert found == (
        f"6:11: error[MK0326]: `{path}` starts with a drive letter, which only one machine has; "
        "give a path relative to this file, with slashes"
    )


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("jobs/j.yml", JOB.format(code=r"..\src"), "2:7"),
        ("jobs/j.yml", INPUT.format(kind="uri_folder", path=r"..\src"), "6:11"),
        ("jobs/p.yml", "type: pipeline\njobs:\n  a:\n    component: ..\\src\\c.yml\n", "4:16"),
        ("data/d.yml", "name: a\ntype: uri_folder\npath: ..\\src\n", "3:7"),
        ("environments/e.yml", "name: a\nimage: python:3.11\nconda_file: ..\\src\\conda.yml\n", "3:13"),
        ("environments/e.yml", "name: a\nbuild:\n  path: ..\\src\n", "3:9"),
        ("models/m.yml", "name: a\npath: ..\\src\n", "2:7"),
        (
            "components/c.yml",
            "name: a\ntype: command\nadditional_includes: ['..\\src']\n" + JOB.format(code="."),
            "3:23",
        ),
        (
            "schedules/s.yml",
            "name: s\ntrigger: {type: cron, expression: '0 1 * * *'}\ncreate_job: ..\\src\\j.yml\n",
            "3:13",
        ),
    ],
)
def test_backslashes_are_told_in_every_path(folder, name, text, place):
    """R49."""
    folder.put("src/train.py")
    found = [line for line in folder.found(text, name) if "MK04" in line]
    assert len(found) == 1
    assert found[0].startswith(f"{place}: error[MK0403]: `..\\src")
    assert "write `../src" in found[0]


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_byte_order_marks_and_windows_line_ends_change_no_place(folder, prefix, end):
    """R49."""
    path = folder.put("jobs/job.yml")
    command = b"command: |\n  echo ${{inputs.x}}\n  echo $[[--y ${{inputs.y}}\nenvironment: azureml:e@latest\n"
    path.write_bytes(prefix + command.replace(b"\n", end))
    [document] = documents.load(path)
    found = checks.check(document.root, path, checks.Files(folder.root))
    assert [(each.code, each.place.line, each.place.column) for each in found] == [
        ("MK0301", 2, 8),
        ("MK0323", 3, 8),
        ("MK0301", 3, 15),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused_by_name(folder, encoding):
    """R49: also in a component that a pipeline names."""
    path = folder.put("components/c.yml")
    path.write_bytes(JOB.format(code=".").encode(encoding))
    with pytest.raises(DocumentError, match=encoding[:6].upper()):
        documents.load(path)
    text = "type: pipeline\njobs:\n  a: {component: ../components/c.yml, inputs: {x: 1}}\n"
    (found,) = folder.found(text)
    assert found.startswith(f"{path}:1:1: error[MK0100]: the file is {encoding[:6].upper()}")


def test_the_file_that_a_spark_job_starts_with_is_in_its_code(folder):
    folder.put("src/run.py")
    text = "type: spark\ncode: ../src\nentry: {{file: {}}}\n"
    found = [line for line in folder.found(text.format("rn.py")) if "MK04" in line]
    assert found == ["3:15: error[MK0401]: file `rn.py` does not exist; did you mean `run.py`"]
    assert [line for line in folder.found(text.format("run.py")) if "MK04" in line] == []
