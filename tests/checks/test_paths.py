"""Local paths: there, of the right kind, inside of the project, with slashes."""

import pytest

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
