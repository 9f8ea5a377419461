"""``mlops-kit run``: what is refused before anything is sent, and how a job's end becomes an exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

JOB = "type: command\nenvironment:\n  image: python\ncompute: azureml:cpu-cluster\n"


def _jobs(commands_workspace):
    return {job.name for job in commands_workspace.ml_client().jobs.list()}


@pytest.fixture
def nothing_submitted(commands_workspace):
    """Fail where a test that must be refused has made a job."""
    before = _jobs(commands_workspace)
    yield
    assert _jobs(commands_workspace) == before


@pytest.fixture(scope="module")
def azure_project(tmp_path_factory):
    """A project folder for commands that must not reach a workspace, run in processes of their own."""
    import shutil

    folder = tmp_path_factory.mktemp("azure")
    for name in ("environments", "templates"):
        shutil.copytree(Path(__file__).resolve().parents[2] / name, folder / name)
    return folder


def _process(folder, *arguments, **variables):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AZURE_", "MLOPS_KIT_", "IDENTITY"))}
    return subprocess.run(
        [sys.executable, "-m", "mlops_kit", *arguments],
        cwd=folder,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_azure_without_credential_is_one_sentence_in_seconds(azure_project):
    begun = time.monotonic()
    ran = _process(azure_project, "run", "hello", "-e", "dev", AZURE_SUBSCRIPTION_ID="s", PATH="")

    assert time.monotonic() - begun < 30  # under 10 s on a machine that does nothing else
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stderr.startswith("error: no Azure credential: ")


def test_azure_without_subscription_names_variable_file_and_line(azure_project):
    ran = _process(azure_project, "run", "hello", "-e", "dev")

    assert ran.returncode == 2
    assert "environments/dev.yaml:" in ran.stderr
    assert "'AZURE_SUBSCRIPTION_ID' is not set" in ran.stderr


def test_no_environment_lists_the_known_ones(azure_project):
    ran = _process(azure_project, "run", "hello")

    assert ran.returncode == 2
    assert "known are dev, local, prod, test" in ran.stderr


def test_azure_is_meant_even_inside_a_program_that_is_led_to_this_machine(azure_project, commands_workspace):
    command = [sys.executable, "-m", "mlops_kit", "run", "hello", "-e", "dev"]
    variables = {**os.environ, "AZURE_SUBSCRIPTION_ID": "s", "PATH": ""}
    ran = subprocess.run(command, cwd=azure_project, env=variables, capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert ran.stderr.startswith("error: no Azure credential: ")


@pytest.mark.usefixtures("nothing_submitted")
class TestRefused:
    """Each is exit code 2 with a readable line, and no job."""

    def test_parameter_of_the_wrong_type(self, kit):
        ran = kit("run", "train", "--set", "reg_rate=abc")

        assert ran.code == 2
        assert "parameter 'reg_rate' must be a number, not 'abc'" in ran.err

    def test_every_fault_of_the_template_with_its_line(self, kit, write):
        ran = kit("run", write("jobs/faulty.yml", JOB + "comand: echo\ncode: ./nowhere\n"))

        assert ran.code == 2
        assert "faulty.yml:5:1: error[MK0102]" in ran.err
        assert "faulty.yml:6:7: error[MK0401]" in ran.err
        assert "nothing was submitted" in ran.err
        assert "Traceback" not in ran.err

    def test_template_without_a_job(self, kit, chosen):
        ran = kit("run", "data/breast-cancer")

        assert ran.code == 2
        assert f"holds no job; register it with 'mlops-kit data register data/breast-cancer {chosen}'" in ran.err

    def test_unknown_template(self, kit):
        ran = kit("run", "trian")

        assert ran.code == 2
        assert "did you mean train?" in ran.err

    def test_fault_in_the_second_document_keeps_the_first_from_being_registered(self, kit, write, commands_workspace):
        data = "name: half-done\ntype: uri_file\npath: https://example.org/a.csv\n"
        ran = kit("run", write("jobs/half.yml", f"{data}---\n{JOB}comand: echo\n"))

        assert ran.code == 2
        assert "half-done" not in {each.name for each in commands_workspace.ml_client().data.list()}


def test_completed_job_is_exit_code_0_and_json_on_stdout(kit, write):
    ran = kit("run", write("jobs/good.yml", JOB + "command: echo done\n"), "-o", "json")

    assert ran.code == 0
    assert ran.json["status"] == "Completed"
    assert ran.json["name"].startswith("good-")
    assert ran.json["experiment"] == "good"
    assert ran.err.count("workspace mlw-commands in rg-local, on this machine\n") == 1


def test_failed_job_is_exit_code_1_with_its_exception_and_last_lines(kit, write):
    command = "python -c \"print('before'); raise ValueError('bad split')\""
    ran = kit("run", write("jobs/bad.yml", f"{JOB}command: |\n  {command}\n"), "-o", "json")

    assert ran.code == 1
    assert ran.json["status"] == "Failed"
    assert "  | before" in ran.err
    assert ran.err.splitlines()[-1] == f"error: the job {ran.json['name']!r} failed: ValueError: bad split"


def test_failed_first_line_of_a_command_fails_the_job(kit, write):
    ran = kit("run", write("jobs/first.yml", JOB + "command: |\n  false\n  echo second\n"))

    assert ran.code == 1


def test_failure_is_a_group_and_one_annotation_in_github_actions(kit, write):
    template = write("jobs/annotated.yml", JOB + "command: |\n  python -c \"raise ValueError('bad % split')\"\n")
    ran = kit("run", template, GITHUB_ACTIONS="true")
    lines = ran.err.splitlines()

    assert sum(line.startswith("::error ") for line in lines) == 1
    assert any(line.startswith("::error title=job ") and line.endswith("::ValueError: bad %25 split") for line in lines)
    assert any(line.startswith("::group::") for line in lines)
    assert "::endgroup::" in lines


def test_passed_limit_is_exit_code_5_and_the_job_goes_on(kit, write, commands_workspace):
    ran = kit("run", write("jobs/long.yml", JOB + "command: sleep 60\n"), "--timeout", "1", "-o", "json")
    ml = commands_workspace.ml_client()
    state = ml.jobs.get(ran.json["name"]).status
    ml.jobs.begin_cancel(ran.json["name"]).wait()

    assert ran.code == 5
    assert ran.json["status"] == "unknown"
    assert "it goes on, its last known state is" in ran.err
    assert state not in {"Failed", "Canceled"}


def test_no_wait_says_that_the_result_is_unknown(kit, write, commands_workspace):
    ran = kit("run", write("jobs/unwaited.yml", JOB + "command: sleep 60\n"), "--no-wait", "-o", "json")
    cancelled = kit("job", "cancel", ran.json["name"], "-o", "json")

    assert ran.code == 0
    assert ran.json["status"] in {"Queued", "Preparing", "Running"}
    assert "its result is unknown" in ran.err
    assert cancelled.json["name"] == ran.json["name"]


def test_stream_prints_the_log_on_stderr_and_the_result_on_stdout(kit, write):
    ran = kit(
        "run", write("jobs/streamed.yml", JOB + "command: echo from-the-log && sleep 3\n"), "--stream", "-o", "json"
    )

    assert ran.code == 0
    assert "from-the-log" in ran.err
    assert ran.json["status"] == "Completed"


def test_same_attempt_is_the_same_job(kit, write):
    template = write("jobs/again.yml", JOB + "command: echo once\n")
    first = kit("run", template, "--attempt", "7.1", "-o", "json")
    second = kit("run", template, "--attempt", "7.1", "-o", "json")
    other = kit("run", template, "--attempt", "7.2", "-o", "json")

    assert second.json["name"] == first.json["name"]
    assert "was submitted by this attempt before" in second.err
    assert other.json["name"] != first.json["name"]


def test_given_name_is_used_once(kit, write):
    template = write("jobs/named.yml", JOB + "command: echo named\n")
    first = kit("run", template, "--name", "my-own-name", "-o", "json")
    second = kit("run", template, "--name", "my-own-name")

    assert first.json["name"] == "my-own-name"
    assert second.code == 2
    assert "a job named 'my-own-name' exists already" in second.err


def test_assets_of_the_file_are_registered_before_the_job(kit, write, workspace_project):
    (workspace_project / "templates" / "jobs" / "d.csv").write_text("a\n1\n", encoding="utf-8")
    data = "name: of-the-file\ntype: uri_file\npath: d.csv\n"
    job = JOB + "command: cat ${{inputs.d}}\ninputs:\n  d: {type: uri_file, path: 'azureml:of-the-file@latest'}\n"
    ran = kit("run", write("jobs/both.yml", f"{data}---\n{job}"), "-o", "json")

    assert ran.code == 0
    assert [(each["name"], each["version"], each["created"]) for each in ran.json["registered"]] == [
        ("of-the-file", "1", True)
    ]


def test_one_job_per_item_gives_a_list(kit, write):
    block = "x-mlops:\n  for_each: [a, b]\n"
    ran = kit("run", write("jobs/each.yml", JOB + "command: echo ${var.item}\n" + block), "-o", "json")

    assert [each["status"] for each in ran.json] == ["Completed", "Completed"]
    assert len({each["name"] for each in ran.json}) == 2


def test_secret_reaches_the_job_and_no_output(kit, write, commands_workspace):
    text = JOB + 'command: test "${TOKEN_IN#hunter}" = 2\nenvironment_variables:\n  TOKEN_IN: ${secret.token}\n'
    ran = kit("run", write("jobs/secretive.yml", text), "-o", "json", MLOPS_KIT_SECRET_TOKEN="hunter2")
    shown = kit("job", "show", ran.json["name"], "-o", "json")

    assert ran.code == 0
    assert shown.json["environment_variables"]["TOKEN_IN"] == "***"
    assert "hunter2" not in ran.out + ran.err + shown.out


def test_interrupt_leaves_the_job_alone_and_says_so(commands_workspace, workspace_project, write):
    template = write("jobs/interrupted.yml", JOB + "command: sleep 60\n")
    command = [sys.executable, "-m", "mlops_kit", "run", template, "-e", "local", "-o", "json"]
    process = subprocess.Popen(
        command, cwd=workspace_project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    told = ""
    while "Running" not in told:  # then it waits
        line = process.stderr.readline()
        assert line, told
        told += line
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=60)
    ml = commands_workspace.ml_client()
    [job] = [each for each in ml.jobs.list() if each.name.startswith("interrupted-")]
    ml.jobs.begin_cancel(job.name).wait()

    assert process.returncode == 130
    assert out == ""
    assert f"interrupted; the job {job.name} goes on: 'mlops-kit job stream {job.name} -e local' follows it" in rest
    assert job.status == "Running"


def test_every_fault_of_a_template_is_told_as_validate_tells_it(kit, write, nothing_submitted):
    text = JOB + "command: echo ${env.comput}\ntags: 5\ndisplay_name: ${var.x}\n"
    template = write("jobs/faulty.yml", text)
    ran = kit("run", template)
    told = kit("validate", template)

    assert (ran.code, ran.out) == (2, "")
    *findings, last = ran.err.splitlines()
    assert findings == told.out.splitlines()
    assert len(findings) == 3
    assert last == "error: 3 errors; nothing was submitted"


def test_setting_of_the_environment_reaches_the_job(kit, write, commands_workspace):
    template = write("jobs/over.yml", JOB + "command: echo ${env.vars.word}\n")
    ran = kit("run", template, "--set", "env.vars.word=hello-there", "-o", "json")

    assert ran.code == 0
    assert commands_workspace.ml_client().jobs.get(ran.json["name"]).command == "echo hello-there"


def test_setting_of_the_environment_can_name_another_workspace(kit, write):
    ran = kit("run", write("jobs/elsewhere.yml", JOB + "command: echo\n"), "--set", "env.workspace.name=mlw-nowhere")

    assert ran.code == 2
    assert "mlw-nowhere" in ran.err


def test_requirements_file_is_submitted_as_a_conda_specification(kit, write, commands_workspace, workspace_project):
    (workspace_project / "templates" / "jobs" / "pins.txt").write_text("six>=1.16\n", encoding="utf-8")
    job = JOB.replace("image: python", "image: python:3.11\n  conda_file: pins.txt")
    ran = kit("run", write("jobs/pins.yml", job + "command: echo\n"), "-o", "json")
    ml = commands_workspace.ml_client()
    name, _, version = ml.jobs.get(ran.json["name"]).environment.removeprefix("azureml:").rpartition(":")

    assert ran.code == 0
    assert ml.environments.get(name, version).conda_file["dependencies"] == [
        "python=3.11",
        "pip",
        {"pip": ["six>=1.16"]},
    ]


def test_result_as_yaml_equals_the_result_as_json(kit, write):
    import yaml

    template = write("jobs/forms.yml", JOB + "command: echo\n")
    as_json = kit("run", template, "--attempt", "1", "-o", "json").json
    as_yaml = yaml.safe_load(kit("run", template, "--attempt", "1", "-o", "yaml").out)

    assert json.dumps(as_yaml["name"]) == json.dumps(as_json["name"])
    assert as_yaml.keys() == as_json.keys()
