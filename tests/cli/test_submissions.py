"""``mlops-kit run``: what makes two submissions one job, what is said of one that fails, and what is never sent."""

import contextlib
import shlex

import pytest
from azure.core.exceptions import HttpResponseError

JOB = "type: command\nenvironment:\n  image: python\ncompute: azureml:cpu-cluster\n"


@pytest.fixture
def code(workspace_project):
    """Return a function that writes a file of a code folder below templates/jobs."""

    def write_code(name, text):
        path = workspace_project / "templates" / "jobs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write_code


def test_changed_code_under_the_same_attempt_is_another_job(kit, write, code):
    template = write("jobs/recoded.yml", JOB + "code: recoded\ncommand: cat words.txt\n")
    made = []
    for words in ("v1", "v2", "v2"):
        code("recoded/words.txt", words)
        made.append(kit("run", template, "--attempt", "B", "--stream", "-o", "json"))

    names = [each.json["name"] for each in made]
    assert len(set(names)) == 2
    assert names[1] == names[2]
    assert "\nv2\n" in made[1].err
    assert "was submitted by this attempt before" in made[2].err


def test_job_sees_what_ships_and_nothing_else(kit, write, code):
    for name in ("main.py", ".gitignore", "left.tmp", "deep/.gitignore", "deep/big.bin", "deep/kept.txt", ".git/HEAD"):
        code(f"shipped/{name}", {".gitignore": "*.tmp\n", "deep/.gitignore": "*.bin\n"}.get(name, "x"))
    template = write("jobs/shipped.yml", JOB + "code: shipped\ncommand: find . -type f | sort | sed s/^/ships:/\n")
    ran = kit("run", template, "--stream", "-o", "json")

    seen = {line.removeprefix("ships:./") for line in ran.err.splitlines() if line.startswith("ships:")}
    assert {name for name in seen if not name.startswith(("user_logs", "outputs", "logs"))} == {
        "main.py",
        "deep/.gitignore",
        "deep/kept.txt",
    }


# Refused ---------------------------------------------------------------------------------------------------------


def _names(commands_workspace):
    return {job.name for job in commands_workspace.ml_client().jobs.list()}


def test_every_unknown_reference_of_every_document_is_shown_at_its_line_and_nothing_is_sent(
    kit, write, commands_workspace
):
    first = JOB + "command: 'true'\n"
    second = """\
type: command
environment: azureml:AzureML-sklern-1.5@latest
compute: azureml:cpu-clustr
command: cat ${{inputs.some_data}} ${{inputs.a_model}}
inputs:
  some_data: {type: uri_file, path: 'azureml:nowhere:1'}
  a_model:
    type: custom_model
    path: azureml:nobody@latest
"""
    before = _names(commands_workspace)
    ran = kit("run", write("jobs/refer.yml", f"{first}---\n{second}"))
    lines = [line.partition("refer.yml:")[2] for line in ran.err.splitlines() if "refer.yml:" in line]

    assert ran.code == 2
    assert [line.partition(": ")[0] for line in lines] == ["8:1", "9:1", "12:31", "15:5"]
    assert "no environment asset named 'AzureML-sklern-1.5'; did you mean AzureML-sklearn-1.5" in lines[0]
    assert "no compute named 'cpu-clustr'; did you mean cpu-cluster?" in lines[1]
    assert "no data asset named 'nowhere'; " in lines[2]
    assert "no model named 'nobody'; " in lines[3]
    assert ran.err.splitlines()[-1] == "error: 4 errors; nothing was submitted"
    assert ran.out == ""
    assert _names(commands_workspace) == before


def test_jobs_before_a_refused_one_are_said_and_in_the_result(kit, write, chosen):
    refused = JOB + "command: 'true'\nresources:\n  instance_count: 500\n"
    ran = kit("run", write("jobs/halfway.yml", f"{JOB}command: sleep 60\n---\n{refused}"), "-o", "json")
    name = ran.json["name"]
    kit("job", "cancel", name)

    assert ran.code == 2
    assert f"{name}: submitted\n" in ran.err
    assert f"'mlops-kit job cancel {name} {chosen}' ends it" in ran.err
    assert "halfway.yml:13:3: error: could not submit the job" in ran.err.splitlines()[-1]
    assert "asks for 500 nodes" in ran.err


def test_field_that_the_service_refuses_is_shown_at_its_line(kit, write):
    text = JOB.replace("  image: python\n", "").replace(
        "environment:", "environment: azureml://registries/azureml/environments/nowhere/versions/1"
    )
    ran = kit("run", write("jobs/unknown.yml", text + "command: 'true'\n"))

    assert ran.code == 2
    assert "unknown.yml:2:1: error: could not submit the job" in ran.err.splitlines()[-1]
    assert "The curated environment 'nowhere' (known here: " in ran.err.splitlines()[-1]
    assert "tells whether it was accepted" not in ran.err


PIPELINE = """\
type: pipeline
jobs:
  one:
    type: command
    component: ./unregistered.yml
    compute: azureml:cpu-cluster
  two:
    type: spark
    entry: {file: run.py}
    code: .
    compute: azureml:cpu-cluster
    environment: {image: python}
    conf:
      spark.driver.cores: 1
      spark.driver.memory: 1g
      spark.executor.cores: 1
      spark.executor.memory: 1g
      spark.executor.instances: 1
"""
COMPONENT = "name: unregistered\nversion: '1'\ntype: command\nenvironment: {image: python}\ncommand: 'true'\n"


def test_step_that_cannot_be_run_is_refused_before_components_are_registered(kit, write, commands_workspace):
    from azure.ai.ml import load_job

    ml = commands_workspace.ml_client()

    def registered():
        with contextlib.suppress(HttpResponseError):
            return len(list(ml.components.list(name="azureml_anonymous")))
        return 0

    write("pipelines/unregistered.yml", COMPONENT)
    write("pipelines/run.py", "")
    template = write("pipelines/refused.yml", PIPELINE)
    before = registered()
    ran = kit("run", template)
    after = registered()
    with pytest.raises(HttpResponseError, match="The step 'two' is one"):
        ml.jobs.create_or_update(load_job(template))

    assert ran.code == 2
    assert "refused.yml:8:5: error: Spark steps need a Spark pool" in ran.err
    assert "tells whether it was accepted" not in ran.err
    assert after == before
    assert registered() == before + 2


# Ended -----------------------------------------------------------------------------------------------------------


def test_reason_of_a_failed_build_is_one_line_and_its_log_is_named(kit, write, commands_workspace, tmp_path):
    text = """\
type: command
environment:
  image: python:3.11
  conda_file: {name: c, dependencies: [python=3.11, pip, {pip: [no-such-package-of-anybody==9]}]}
compute: azureml:cpu-cluster
command: 'true'
environment_variables: {MLOPS_KIT_RUNNER: venv}
"""
    ran = kit("run", write("jobs/unbuilt.yml", text), "-o", "json")
    lines = ran.err.splitlines()
    found = [line.partition("whole log: mlops-kit ")[2] for line in lines if "whole log: " in line]

    assert ran.code == 1
    assert lines[-1].startswith(f"error: the job {ran.json['name']!r} failed: The environment ")
    assert "No solution found" in lines[-1]
    assert sum("No solution found" in line for line in lines) == 2
    assert "it left no log" not in ran.err
    words = shlex.split(found[0])
    assert words[:4] == ["job", "download", ran.json["name"], "--path"]
    words[words.index("--to") + 1] = str(tmp_path)
    assert kit(*words, env=None).code == 0
    assert "No solution found" in (tmp_path / "system_logs" / "build.txt").read_text(encoding="utf-8")


def test_job_over_its_own_limit_says_so(kit, write):
    ran = kit("run", write("jobs/limited.yml", JOB + "command: sleep 60\nlimits:\n  timeout: 1\n"), "-o", "json")

    assert ran.code == 4
    assert "was cancelled: The job ran longer than its limit of 1 seconds" in ran.err.splitlines()[-1]
    assert "longer than its limit" in ran.json["error"]


def test_wait_that_expires_says_how_to_go_on(kit, write, chosen):
    ran = kit("run", write("jobs/expired.yml", JOB + "command: sleep 60\n"), "--timeout", "0.1", "-o", "json")
    name = ran.json["name"]
    follow, end = (f"mlops-kit job {verb} {name} {chosen}" for verb in ("stream", "cancel"))

    assert ran.code == 5
    assert f"'{follow}' follows it, '{end}' ends it" in ran.err
    assert kit(*shlex.split(end)[1:], env=None).code == 0


def test_log_comes_before_the_end_that_it_explains_and_without_the_sdks_frame(kit, write):
    command = "python -c \"print('RunId: mine'); raise ValueError('bad')\""
    ran = kit("run", write("jobs/framed.yml", f"{JOB}command: |\n  {command}\n"), "--stream", "-o", "json")
    lines = ran.err.splitlines()
    name = ran.json["name"]

    assert "RunId: mine" in lines
    assert not {f"RunId: {name}", "Execution Summary", "================="} & set(lines)
    assert "Web View" not in ran.err
    end = next(number for number, line in enumerate(lines) if line.startswith(f"{name}: Failed ("))
    assert lines.index("ValueError: bad") < end


def test_local_job_has_no_link_that_no_browser_opens(kit, write):
    ran = kit("run", write("jobs/unlinked.yml", JOB + "command: 'false'\n"), "--stream", "-o", "json")
    shown = kit("job", "show", ran.json["name"], "-o", "json")

    assert "link" not in ran.json | shown.json
    assert "portal." not in ran.out + ran.err + shown.out + shown.err


def test_page_of_a_job_on_azure_is_linked():
    from types import SimpleNamespace

    from mlops_kit.workspace import hints

    assert hints.page(SimpleNamespace(studio_url="https://ml.azure.com/runs/x")) == "https://ml.azure.com/runs/x"
    assert hints.page(SimpleNamespace(studio_url=None)) == ""
