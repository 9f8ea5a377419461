"""A pip requirements file where a conda file is expected."""

import pytest

from mlops_kit import documents, requirements
from mlops_kit.errors import DocumentError

SPECIFICATION = {
    "channels": ["conda-forge"],
    "dependencies": ["python=3.11", "pip", {"pip": ["numpy==1.26.4", "pandas==2.2.3"]}],
}


def _wrapped(folder, text, **files):
    for name, content in files.items():
        (folder / f"{name}.txt").write_text(content, encoding="utf-8")
    [document] = documents.parse(text, folder / "template.yml")
    return documents.to_data(requirements.wrapped(document))


def test_two_pins_become_a_conda_specification_with_both_under_pip(tmp_path):
    text = "name: a\nimage: python:3.11\nconda_file: requirements.txt\n"
    found = _wrapped(tmp_path, text, requirements="numpy==1.26.4\npandas==2.2.3\n")
    assert found == {"name": "a", "image": "python:3.11", "conda_file": SPECIFICATION}


def test_environment_inside_of_a_job_at_any_depth_is_wrapped(tmp_path):
    text = "jobs:\n  one:\n    environment: {image: a, conda_file: requirements.txt}\n"
    found = _wrapped(tmp_path, text, requirements="numpy==1.26.4\npandas==2.2.3\n")
    assert found["jobs"]["one"]["environment"]["conda_file"] == SPECIFICATION


def test_comments_blank_lines_and_joined_lines_are_as_pip_reads_them(tmp_path):
    content = "\ufeff# first\n\nnumpy==1.26.4   # why\npandas==\\\n2.2.3\n"
    found = _wrapped(tmp_path, "conda_file: requirements.txt\n", requirements=content)
    assert found["conda_file"] == SPECIFICATION


def test_lines_of_nested_files_are_taken_in_where_they_are_named(tmp_path):
    found = _wrapped(
        tmp_path, "conda_file: requirements.txt\n", requirements="-r base.txt\npandas==2.2.3\n", base="numpy==1.26.4\n"
    )
    assert found["conda_file"] == SPECIFICATION


def test_markers_options_and_urls_stay(tmp_path):
    lines = ["--index-url https://example.org/simple", 'a==1; python_version < "3.12"', "b @ https://example.org/b.whl"]
    found = _wrapped(tmp_path, "conda_file: requirements.txt\n", requirements="\n".join(lines))
    assert found["conda_file"]["dependencies"][2]["pip"] == lines


def test_conda_files_and_maps_stay_the_very_same(tmp_path):
    text = "environment: {image: a, conda_file: conda.yml}\nother: {conda_file: {dependencies: [python]}}\n"
    [document] = documents.parse(text, tmp_path / "template.yml")
    assert requirements.wrapped(document) is document


def test_environment_named_as_a_file_comes_in_place_when_it_names_a_requirements_file(tmp_path):
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "pip.txt").write_text("numpy==1.26.4\npandas==2.2.3\n", encoding="utf-8")
    asset = "$schema: s\nname: a\nversion: 3\nimage: python:3.11\nconda_file: pip.txt\n"
    (tmp_path / "environments" / "a.yml").write_text(asset, encoding="utf-8")
    found = _wrapped(tmp_path, "command: echo\nenvironment: file:environments/a.yml\n")
    assert found["environment"] == {"image": "python:3.11", "conda_file": SPECIFICATION}


def test_line_that_cannot_be_shipped_is_refused_at_its_line(tmp_path):
    with pytest.raises(DocumentError) as refused:
        _wrapped(tmp_path, "conda_file: requirements.txt\n", requirements="six\n-e ./mine\n")
    assert str(refused.value).startswith(f"{tmp_path}/requirements.txt:2:1: ")
    assert "not shipped" in refused.value.message


def test_missing_file_and_other_encodings_are_readable_errors(tmp_path):
    with pytest.raises(DocumentError, match="no such file"):
        _wrapped(tmp_path, "conda_file: nowhere.txt\n")
    (tmp_path / "utf16.txt").write_text("six\n", encoding="utf-16")
    with pytest.raises(DocumentError, match="save it as UTF-8"):
        _wrapped(tmp_path, "conda_file: utf16.txt\n")


def test_a_file_whose_name_is_too_long_is_not_there(tmp_path):
    (tmp_path / "requirements.txt").write_text(f"-r {'x' * 5000}.txt\n")
    (fault,) = requirements.read(tmp_path / "requirements.txt").faults
    assert "there is no file" in str(fault)
