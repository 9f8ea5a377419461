"""``mlops-kit validate``: one line per fault, all faults in one run, exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
BASE = """\
workspace:
  resource_group: rg
  name: ws
compute: cpu
"""
GOOD = """\
type: command
command: echo hello
environment: azureml:sklearn@latest
compute: azureml:${env.compute}
"""


def test_a_sound_project_prints_nothing_and_counts_on_stderr(place):
    place.put("templates/jobs/good.yml", GOOD)
    assert place.run("-e", "local") == (0, [])
    assert place.printed.err == "1 file, 0 errors, 0 warnings\n"
    place.put("templates/jobs/bad.yml", GOOD + "tags: 5\n")
    assert place.run("-e", "local")[0] == 2
    assert place.printed.err == "2 files, 1 error, 0 warnings\n"


def test_all_faults_of_all_files_come_in_one_run(place):
    place.put("templates/jobs/a.yml", GOOD.replace("command: echo", "comand: echo"))
    place.put("templates/jobs/b.yml", GOOD + "code: ./nothing\ntags: 5\n")
    code, lines = place.run("-e", "local")
    assert code == 2
    assert lines == [
        "templates/jobs/a.yml:2:1: error[MK0102]: unknown key `comand`; did you mean `command`",
        (
            "templates/jobs/b.yml:5:7: error[MK0401]: file or folder `./nothing` does not exist; "
            "looked for templates/jobs/nothing"
        ),
        "templates/jobs/b.yml:6:7: error[MK0105]: `tags` is `5`; expected a map",
    ]


def test_a_key_given_twice_names_both_lines(place):
    place.put("templates/jobs/a.yml", "command: a\nenvironment: azureml:e:1\ncommand: b\n")
    code, (line,) = place.run("-e", "local")
    assert code == 2
    assert line.startswith("templates/jobs/a.yml:3:1: error[MK0103]: ")
    assert "line 1" in line
    assert "line 3" in line


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"command: [a\n", "malformed YAML"),
        ("command: caf\u00e9\n".encode("latin-1"), "is not UTF-8"),
        ("command: a\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(place, data, words):
    (place.root / "templates").mkdir()
    (place.root / "templates" / "a.yml").write_bytes(data)
    code, (line,) = place.run("-e", "local")
    assert code == 2
    assert line.startswith("templates/a.yml")
    assert "error[MK0100]" in line
    assert words in line


def test_every_wrong_expression_of_a_template_is_reported_at_its_place(place):
    text = """\
    type: command
    command: |
      echo one
      echo ${env.compte} ${{inputs.a}}
    environment: azureml:${env.image}@latest
    inputs:
      a: ${env.compute}
    tags: 5
    """
    place.put("templates/jobs/a.yml", text)
    code, lines = place.run("-e", "local")
    assert code == 2
    assert [line.split(": ")[0] for line in lines] == [
        "templates/jobs/a.yml:4:8",
        "templates/jobs/a.yml:5:22",
        "templates/jobs/a.yml:8:7",
    ]
    assert "compute" in lines[0]


def test_a_null_variable_does_not_hide_the_other_faults(place):
    text = GOOD + "environment_variables: {A: ~, B: ~}\ntags: 5\n"
    place.put("templates/jobs/a.yml", text)
    code, lines = place.run("-e", "local")
    assert code == 2
    assert [line.split(": ")[0] for line in lines] == [
        "templates/jobs/a.yml:5:28",
        "templates/jobs/a.yml:5:34",
        "templates/jobs/a.yml:6:7",
    ]


def test_a_default_that_contradicts_its_declaration_is_one_finding(place):
    block = "x-mlops: {parameters: {rate: {type: number, default: fast}}}\n"
    place.put("templates/jobs/a.yml", GOOD + block)
    code, (line,) = place.run("-e", "local")
    assert code == 2
    assert line.startswith("templates/jobs/a.yml:5:54: error[MK0801]: ")
    assert "'rate' must be a number" in line


def test_a_parameter_that_must_be_given_is_no_fault_of_the_template(place):
    text = """\
    type: command
    command: cat ${{inputs.a}}
    environment: azureml:sklearn@latest
    inputs:
      a:
        type: uri_file
        path: ${var.path}
    x-mlops:
      parameters:
        path: {type: string}
    """
    place.put("templates/jobs/a.yml", text)
    assert place.run("-e", "local") == (0, [])
    code, (line,) = place.run("-e", "local", "--set", "path=./nothing.csv")
    assert code == 2
    assert "`./nothing.csv` does not exist" in line


def test_a_setting_reaches_the_files_that_know_it_and_the_environment(place):
    place.put("templates/jobs/a.yml", GOOD.replace("hello", "${{inputs.a}}") + "inputs: {a: 1}\n")
    place.put("templates/jobs/b.yml", GOOD.replace("${env.compute}", "${env.vars.x}"))
    assert place.run("-e", "local", "--set", "env.vars.x=gpu", "--set", "inputs.a=2") == (0, [])
    code, (line,) = place.run("-e", "local", "--set", "env.vars.x=gpu", "--set", "inputs.a={type: 3}")
    assert code == 2
    assert line.startswith("--set inputs.a: error[MK0106]")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("comand=echo", "--set comand: no such path 'comand', did you mean 'command'?"),
        ("inputs.a=1", "--set inputs.a: no such path 'inputs'"),
        ("env.comput=x", "--set comput: no such path 'comput', did you mean 'compute'?"),
    ],
)
def test_a_setting_that_would_change_nothing_is_refused(place, setting, expected):
    place.put("templates/jobs/a.yml", GOOD)
    assert place.run("-e", "local", "--set", setting) == (2, [])
    assert place.printed.err.startswith(f"error: {expected}")


def test_a_setting_without_an_environment_is_refused(place):
    path = place.put("templates/jobs/plain.yml", GOOD.replace("${env.compute}", "cpu"))
    assert place.run(str(path), "--set", "compute=gpu") == (2, [])
    assert "--set needs an environment: name one with -e" in place.printed.err


def test_an_image_without_a_tag_is_refused_in_prod_and_allowed_in_dev(place):
    place.put("environments/prod.yaml", "protected: true\nworkspace: {subscription_id: s}\n")
    path = place.put("templates/environments/own.yml", "name: own\nimage: registry.example.org:5000/team/own\n")
    assert place.run(str(path), "-e", "local") == (0, [])
    code, (line,) = place.run(str(path), "-e", "prod")
    assert code == 2
    assert line.startswith("templates/environments/own.yml:2:8: error[MK0505]: the image")


def test_a_template_of_another_environment_is_passed_over(place):
    place.put("templates/jobs/a.yml", GOOD.replace("env.compute", "env.nothing") + "x-mlops: {environments: [dev]}\n")
    assert place.run("-e", "local") == (0, [])
    code, (line,) = place.run("templates/jobs/a.yml", "-e", "dev")
    assert code == 2
    assert line.startswith("templates/jobs/a.yml:4:18")


def test_without_an_environment_plain_files_are_checked_and_templates_ask_for_one(place):
    place.put("templates/jobs/plain.yml", GOOD.replace("${env.compute}", "cpu"))
    place.put("templates/jobs/template.yml", GOOD)
    code, lines = place.run()
    assert code == 2
    needs = "templates/jobs/template.yml:4:10: error[MK0801]: the template needs an environment"
    assert lines == [f"{needs}; name one with -e"]
    for name in ("theirs", "yours"):
        place.put(f"templates/jobs/{name}.yml", GOOD)
    assert place.run() == (2, [f"{needs}, and so do 2 more; name one with -e"])


def test_a_subscription_that_is_missing_is_named_for_dev_and_not_for_local(place):
    assert place.run("-e", "local", "--all") == (0, [])
    code, (line,) = place.run("-e", "dev", "--all")
    assert code == 2
    assert line.startswith("environments/dev.yaml: error[MK0702]: ")
    assert "workspace.subscription_id" in line


def test_an_environment_file_is_checked_by_its_name(place):
    place.put("environments/dev.yaml", "workspace: {subscription: 1}\n")
    code, lines = place.run("environments/dev.yaml")
    assert code == 2
    assert lines[0].startswith("environments/dev.yaml:1:13: error[MK0701]: ")
    assert "subscription_id" in lines[0]


def test_an_unknown_environment_is_one_sentence_with_the_one_meant(place):
    assert place.run("-e", "devv")[0] == 2
    assert place.printed.err.startswith("error: ")
    assert "dev" in place.printed.err
    assert "Traceback" not in place.printed.err


def test_the_default_environment_asset_stands_in_where_a_job_names_none(place):
    place.put("templates/jobs/a.yml", "type: command\ncommand: echo\n")
    code, (line,) = place.run("-e", "local")
    assert (code, line) == (2, "templates/jobs/a.yml:1:1: error[MK0104]: required key `environment` is missing")
    place.put(
        "environments/local.yaml", "workspace: {subscription_id: x}\ndefaults: {environment: 'azureml:e@latest'}\n"
    )
    assert place.run("-e", "local") == (0, [])


def test_warnings_fail_only_when_strict(place):
    place.put("templates/jobs/a.yml", GOOD + "inputs: {a: 1}\n")
    code, (line,) = place.run("-e", "local")
    assert code == 0
    assert "warning[MK0302]: input `a` is declared and not used" in line
    assert place.run("-e", "local", "--strict")[0] == 2


def test_json_holds_every_part_of_a_finding(place):
    place.put("templates/jobs/a.yml", GOOD.replace("command: echo", "comand: echo"))
    code, lines = place.run("-e", "local", "-o", "json")
    assert code == 2
    assert json.loads("\n".join(lines)) == [
        {
            "code": "MK0102",
            "severity": "error",
            "path": "templates/jobs/a.yml",
            "line": 2,
            "column": 1,
            "message": "unknown key `comand`",
            "hint": "did you mean `command`",
        }
    ]


def test_github_gets_an_annotation_at_the_line(place):
    place.put("templates/jobs/a.yml", GOOD.replace("command: echo", "comand: echo"))
    code, lines = place.run("-e", "local", "-o", "github")
    assert code == 2
    assert lines == [
        "::error file=templates/jobs/a.yml,line=2,col=1,title=MK0102::unknown key `comand`; did you mean `command`"
    ]


def test_files_outside_of_a_project_can_be_checked(place, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "job.yml").write_text("command: echo\nenvironment: azureml:e:1\nlimit: 3\n")
    (folder / "notes.yml").write_text("alpha: 1\n")
    code, lines = place.run(str(folder))
    assert code == 2
    assert [line.rpartition("/")[2] for line in lines] == [
        "job.yml:3:1: error[MK0102]: unknown key `limit`; did you mean `limits`"
    ]
    code, lines = place.run(str(folder / "notes.yml"))
    assert code == 2
    assert "error[MK0101]" in lines[0]


def test_a_path_that_is_not_there_is_one_sentence(place):
    place.put("templates/jobs/good.yml", GOOD)
    assert place.run("nothing.yml")[0] == 2
    assert place.printed.err == (
        "error: there is no file or folder nothing.yml and no template 'nothing.yml'; known are jobs/good\n"
    )


def test_a_template_is_found_by_its_name(place):
    place.put("templates/jobs/bad.yml", GOOD + "tags: 5\n")
    place.put("templates/jobs/other.yml", GOOD + "tags: 5\n")
    code, (line,) = place.run("bad", "-e", "local")
    assert code == 2
    assert line.startswith("templates/jobs/bad.yml:5:7: error[MK0105]")
    assert place.run("jobs/bad", "-e", "local") == (2, [line])
    assert place.run("baad", "-e", "local") == (2, [])
    assert "no template 'baad'; did you mean bad" in place.printed.err


def test_a_conda_file_is_no_template(place):
    place.put("templates/environments/sklearn.conda.yml", "dependencies: [python=3.11]\n")
    place.put("templates/jobs/good.yml", GOOD)
    assert place.run("sklearn.conda", "-e", "local")[0] == 2
    assert place.printed.err.endswith("no template 'sklearn.conda'; known are jobs/good\n")
    assert place.run("templates/environments/sklearn.conda.yml", "-e", "local") == (0, [])


def test_every_fault_of_every_environment_file_comes_in_one_run(place):
    place.put("environments/dev.yaml", "descriptio: x\nvars: !override {a: 1}\nauth: ods\n")
    place.put("environments/test.yaml", "protected: maybe\nauth: cli\nauth: sp\n")
    place.put("templates/jobs/good.yml", GOOD)
    code, lines = place.run("-e", "local", "--all")
    assert code == 2
    assert [line.partition("]")[0] for line in lines] == [
        "environments/dev.yaml:1:1: error[MK0701",
        "environments/dev.yaml:2:7: error[MK0701",
        "environments/dev.yaml:3:7: error[MK0701",
        "environments/test.yaml:3:1: error[MK0103",
    ]


def test_a_wrong_environment_is_the_only_fault_of_the_templates_that_need_it(place):
    place.put("environments/dev.yaml", "descriptio: x\n")
    place.put("templates/jobs/plain.yml", GOOD.replace("${env.compute}", "cpu") + "tags: 5\n")
    place.put("templates/jobs/template.yml", GOOD)
    code, lines = place.run("-e", "dev", "--set", "command=echo")
    assert code == 2
    assert [line.partition("]")[0] for line in lines] == [
        "environments/dev.yaml:1:1: error[MK0701",
        "templates/jobs/plain.yml:5:7: error[MK0105",
    ]
    assert place.printed.err.startswith("templates with ${...} were not checked: their environment is wrong\n")


def test_a_wrong_default_environment_is_reported_once(place):
    place.put("environments/base.yaml", BASE + "default_environment: dev\n")
    place.put("environments/dev.yaml", "descriptio: x\n")
    path = place.put("templates/jobs/template.yml", GOOD)
    for arguments in ([], [str(path)]):
        code, (line,) = place.run(*arguments)
        assert code == 2
        assert line.startswith("environments/dev.yaml:1:1: error[MK0701]")


def test_findings_come_in_each_form(place):
    place.put("templates/jobs/bad.yml", GOOD + "tags: 5\n")
    forms = {form: "\n".join(place.run("-e", "local", "-o", form)[1]) for form in ("json", "yaml")}
    assert json.loads(forms["json"]) == yaml.safe_load(forms["yaml"])
    assert json.loads(forms["json"])[0]["code"] == "MK0105"


def test_code_outside_of_the_project_is_refused(place):
    place.put("templates/jobs/a.yml", GOOD + "code: ../../..\n")
    code, (line,) = place.run("-e", "local")
    assert code == 2
    assert "error[MK0402]: `../../..` leads out of the project" in line


def test_many_files_give_their_findings_in_the_order_of_the_files(place):
    for number in range(250):
        place.put(f"templates/jobs/j{number:03}.yml", GOOD.replace("command: echo", "comand: echo"))
    code, lines = place.run("-e", "local")
    assert code == 2
    assert [line.partition(":")[0] for line in lines] == [f"templates/jobs/j{number:03}.yml" for number in range(250)]


def test_a_bomb_of_anchors_is_one_line(place):
    levels = "\n".join(f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    place.put("templates/jobs/a.yml", f"x-a:\n  l0: &l0 [a, b]\n{levels}\ncommand: a\n")
    code, lines = place.run("-e", "local")
    assert code == 2
    assert len(lines) == 1
    assert "aliases" in lines[0]


@pytest.mark.parametrize("environment", ["local", "dev", "test", "prod"])
def test_the_starter_templates_are_right_in_every_environment(environment):
    command = [sys.executable, "-m", "mlops_kit", "validate", "--all", "--strict", "-e", environment, "-o", "json"]
    env = {"PATH": "/usr/bin:/bin", "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000002"}
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert json.loads(ran.stdout) == []
    assert ran.returncode == 0
