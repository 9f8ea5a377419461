"""``mlops-kit render``: documents on stdout, faults on stderr."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from mlops_kit.cli import main

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that renders in a copy of the project: (exit code, stdout, stderr)."""
    for name in ("environments", "templates"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_KIT_ENV", raising=False)

    def render(*arguments):
        code = 0
        try:
            main(["render", *arguments])
        except SystemExit as leave:
            code = int(leave.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return render


def test_template_is_found_by_name_and_by_path(run):
    by_name = run("hello", "-e", "local")
    assert by_name[0] == 0
    assert run("jobs/hello", "-e", "local") == by_name
    assert run("templates/jobs/hello.yml", "-e", "local") == by_name


def test_yaml_and_json_hold_the_same(run):
    text, data = run("train", "-e", "local")[1], run("train", "-e", "local", "-o", "json")[1]
    assert run("train", "-e", "local", "-o", "yaml")[1] == text
    assert yaml.safe_load(text) == json.loads(data)
    assert "x-mlops" not in json.loads(data)
    assert json.loads(data)["inputs"]["reg_rate"] == 0.01


def test_settings_reach_parameters_paths_and_the_environment(run):
    settings = ("--set", "reg_rate=0.5", "--set", "display_name=mine", "--set", "env.compute=gpu")
    job = json.loads(run("train", "-e", "local", *settings, "-o", "json")[1])
    assert job["inputs"]["reg_rate"] == 0.5
    assert job["display_name"] == "mine"
    assert job["compute"] == "azureml:gpu"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("train", "-e", "local", "--set", "reg_rate=abc"), "--set reg_rate: parameter 'reg_rate' must be a number"),
        (
            ("train", "-e", "local", "--set", "reg_rat=1"),
            "--set reg_rat: no such path 'reg_rat', did you mean 'reg_rate'?",
        ),
        (("train", "-e", "local", "--set", "reg_rate"), "--set 'reg_rate' is not of the form PATH=VALUE"),
        (
            ("train", "-e", "local", "--set", "env.comput=x"),
            "--set comput: no such path 'comput', did you mean 'compute'?",
        ),
        (("train",), "no environment named: use -e NAME"),
        (("trian", "-e", "local"), "no template 'trian'; did you mean"),
    ],
)
def test_fault_is_one_line_on_stderr(run, arguments, expected):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {expected}")
    assert err.count("\n") == 1


def test_fault_in_a_template_is_told_at_its_line(run, tmp_path):
    (tmp_path / "templates" / "wrong.yml").write_text("type: command\ncommand: |\n  a\n  ${var.x}\n", encoding="utf-8")
    code, _, err = run("wrong", "-e", "local")
    assert code == 2
    assert err.startswith("templates/wrong.yml:4:3: error: ${var.x}: there is no parameter 'x'")


def test_several_faults_of_a_template_are_told_at_their_lines(run, tmp_path):
    text = "type: command\ncommand: ${var.x}\ncompute: ${env.comput}\n"
    (tmp_path / "templates" / "wrong.yml").write_text(text, encoding="utf-8")
    code, out, err = run("wrong", "-e", "local")
    assert (code, out) == (2, "")
    *findings, last = err.splitlines()
    assert [line.partition("]")[0] for line in findings] == [
        "templates/wrong.yml:2:10: error[MK0801",
        "templates/wrong.yml:3:10: error[MK0801",
    ]
    assert last == "error: 2 errors; nothing was rendered"


def test_conda_file_is_no_template(run):
    code, _, err = run("sklearn.cond", "-e", "local")
    assert code == 2
    assert "conda" not in err.partition("; ")[2]
    assert run("environments/sklearn.conda", "-e", "local")[0] == 2


def test_several_documents_stay_several(run, tmp_path):
    (tmp_path / "templates" / "two.yml").write_text("name: a\n---\nname: b\n", encoding="utf-8")
    assert run("two", "-e", "local")[1] == "name: a\n---\nname: b\n"
    assert json.loads(run("two", "-e", "local", "-o", "json")[1]) == [{"name": "a"}, {"name": "b"}]


def test_no_secret_is_printed(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MLOPS_KIT_SECRET_PW", "s3cr3t")
    monkeypatch.setenv("PW", "s3cr3t")
    (tmp_path / "templates" / "s.yml").write_text("command: login ${secret.PW}\n", encoding="utf-8")
    assert run("s", "-e", "local")[1] == "command: login ${secret.PW}\n"
