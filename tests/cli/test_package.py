"""``mlops-kit package`` shows what ships, and a job finds just that, wherever it runs (field reports R16, R17)."""

from __future__ import annotations

import json

import pytest
import yaml

JOB = """\
type: command
command: find conf main.py pkg | sort > ${{outputs.seen}}/list.txt
code: ../listed
environment: {image: python}
compute: azureml:cpu-cluster
outputs: {seen: {type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/seen/, mode: rw_mount}}
"""


@pytest.fixture
def code(tmp_path, monkeypatch):
    """A repository with a code folder ``src`` of twelve files that ship."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*.pyc\n", encoding="utf-8")
    for number in range(11):
        path = tmp_path / "src" / "pkg" / f"f{number:02}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * 100 * number, encoding="utf-8")
    (tmp_path / "src" / "main.py").write_text("x" * 1234, encoding="utf-8")
    (tmp_path / "src" / "main.pyc").write_text("x", encoding="utf-8")
    return tmp_path / "src"


def test_r16_list_shows_files_bytes_total_and_the_ten_largest(code, called):
    status, out, err = called("package", "src", "--list")

    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[:3] == ["what ships:", "  1,234  main.py", "      0  pkg/f00.py"]
    assert lines[14:17] == ["the largest:", "  1,234  main.py", "  1,000  pkg/f10.py"]
    assert lines[-3] == ""
    assert lines[-2] == "12 files, 6,734 bytes; the limit is 2,000 files, 314,572,800 bytes"
    assert "main.pyc" not in out


def test_largest_files_are_shown_without_the_list(code, called):
    _, out, _ = called("package", "src")

    assert out.splitlines()[0] == "the largest:"
    assert out.count(".py") == 10


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_result_is_data(code, called, form, read):
    _, out, _ = called("package", "src", "--list", "-o", form)
    found = read(out)

    assert (found["count"], found["bytes"]) == (12, 6734)
    assert found["files"][0] == {"path": "main.py", "bytes": 1234}
    assert len(found["files"]) == 12
    assert [row["bytes"] for row in found["largest"]] == [1234, *range(1000, 100, -100)]
    assert found["limits"] == {"count": 2000, "bytes": 300 * 1024 * 1024}
    assert len(found["content"]) == 64


def test_r16_over_the_limit_is_an_error_after_the_list(code, called, monkeypatch):
    monkeypatch.setenv("MLOPS_KIT_CODE_FILES", "11")
    status, out, err = called("package", "src")

    assert status == 2
    assert out.startswith("the largest:")
    assert err.startswith(
        "error: src ships 12 files of 0.0 MB; the limit is 11 files and 300.0 MB; the largest are main.py"
    )


def test_r17_empty_folder_is_named(code, called):
    (code / "conf" / "local").mkdir(parents=True)
    status, out, err = called("package", "src", "-o", "json")

    assert (status, err) == (0, "warning: the empty folder conf/local does not ship\n")
    assert json.loads(out)["empty_folders"] == ["conf/local"]


def test_folder_that_is_not_there_is_a_usage_error(code, called):
    assert called("package", "none") == (2, "", "error: there is no code folder none\n")


def test_r17_job_sees_files_of_zero_bytes_and_no_empty_folder(
    kit, write, workspace_project, commands_workspace, tmp_path
):
    code = workspace_project / "templates" / "listed"
    for name in ("main.py", "pkg/__init__.py", "conf/base/.gitkeep", "left.pyc", ".amlignore"):
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text("*.pyc\n" if name == ".amlignore" else "", encoding="utf-8")
    (code / "conf" / "local").mkdir()

    ran = kit("run", write("jobs/listed.yml", JOB), "-o", "json")

    assert ran.code == 0, ran.err
    assert "warning[MK0430]: empty folders do not ship: `conf/local`" in ran.err
    from azure.ai.ml._artifacts._artifact_utilities import download_artifact

    ml = commands_workspace.ml_client()
    download_artifact("seen/", str(tmp_path), ml.datastores, "workspaceblobstore")
    seen = (tmp_path / "list.txt").read_text(encoding="utf-8").split()
    assert seen == ["conf", "conf/base", "conf/base/.gitkeep", "main.py", "pkg", "pkg/__init__.py"]
