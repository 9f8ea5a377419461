"""What an environment asks of everything that is created in it: its tags, and consent where it is protected."""

import os
import pty
import subprocess
import sys

import pytest

JOB = "type: command\nenvironment:\n  image: python:3.11\ncompute: azureml:cpu-cluster\ncommand: echo\n"
COMPONENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: wished
type: command
command: echo
environment: azureml:AzureML-minimal@latest
"""
ASSETS = {
    "data": "name: wished\ntype: uri_folder\npath: .\n",
    "model": "name: wished\ntype: custom_model\npath: .\n",
    "component": COMPONENT,
    "environment": "name: wished\nimage: python:3.11\n",
}
OF_THE_ENVIRONMENT = {"project": "mlops-kit", "environment": "local"}


@pytest.fixture(scope="module")
def guarded(workspace_project):
    """The name of a protected environment on this machine, over the same workspace."""
    folder = workspace_project / "environments"
    text = (folder / "local.yaml").read_text(encoding="utf-8")
    (folder / "guarded.yaml").write_text(f"protected: true\n{text}", encoding="utf-8")
    return "guarded"


@pytest.fixture(scope="module")
def data(write):
    return write("wished/one.yml", "name: guarded\ntype: uri_folder\npath: .\n")


def _registered(kit, kind):
    return [row["name"] for row in kit(kind, "list", "-o", "json").json]


@pytest.mark.parametrize("kind", ASSETS)
def test_asset_has_the_tags_of_the_environment_and_its_own_win(kit, write, kind):
    template = write(f"wished/{kind}.yml", ASSETS[kind] + "tags: {mine: a, project: other}\n")
    ran = kit(kind, "register", template, "-o", "json")
    assert ran.code == 0, ran.err
    tags = kit(kind, "show", "wished", "-o", "json").json["tags"]
    kept = {key: value for key, value in tags.items() if key != "mlops_kit.digest"}
    assert kept == {"mine": "a", "project": "other", "environment": "local", "mlops_kit.project": "mlops-kit"}
    assert kit(kind, "register", template, "--set", "env.tags.stage=late", "-o", "json").json["created"] is False


def test_job_has_the_tags_of_the_environment(kit, write, commands_workspace):
    template = write("jobs/wished.yml", JOB + "tags: {mine: a}\n")
    ran = kit("run", template, "--set", "env.tags.cost=42", "-o", "json")
    assert ran.code == 0, ran.err
    job = commands_workspace.ml_client().jobs.get(ran.json["name"])
    assert {**OF_THE_ENVIRONMENT, "mine": "a", "cost": "42"}.items() <= job.tags.items()


def test_tag_with_a_secret_is_refused_before_anything_is_created(kit, data):
    ran = kit("data", "register", data, "--set", "env.tags.key=${secret.KEY}")
    assert ran.code == 2
    assert "tags.key: a tag is readable by everybody and cannot hold a secret" in ran.err
    assert "guarded" not in _registered(kit, "data")


@pytest.mark.parametrize(
    ("arguments", "doing"),
    [
        (["run", "hello"], "run hello"),
        (["data", "register", "breast-cancer"], "register breast-cancer"),
        (["model", "register", "--job", "j", "--path", "p", "--name", "m"], "register the model m"),
    ],
)
def test_protected_environment_needs_yes_where_nobody_can_be_asked(kit, guarded, arguments, doing, workspace_project):
    (workspace_project / "templates" / "data" / "breast-cancer.csv").touch()
    ran = kit(*arguments, env=guarded)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: the environment 'guarded' is protected: give --yes to {doing} there\n"


def test_yes_is_consent(kit, guarded, data):
    ran = kit("data", "register", data, "--yes", "-o", "json", env=guarded)
    assert ran.code == 0, ran.err
    assert ran.json["created"] is True
    assert kit("data", "show", "guarded", "-o", "json").json["tags"]["environment"] == "guarded"


def test_submitting_the_same_again_needs_consent_too(kit, guarded, write):
    first = kit("run", write("jobs/again.yml", JOB), "--yes", "-o", "json", env=guarded).json["name"]
    ran = kit("run", "--like", first, env=guarded)
    assert ran.code == 2
    assert ran.err.endswith(
        "error: the environment 'guarded' is protected: give --yes to run templates/jobs/again.yml there\n"
    )


@pytest.mark.parametrize(("answer", "code"), [("n", 130), ("y", 0)])
def test_person_at_a_terminal_is_asked(kit, guarded, write, workspace_project, answer, code):
    template = write(f"wished/asked-{answer}.yml", f"name: asked-{answer}\ntype: uri_folder\npath: .\n")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mlops_kit", "data", "register", template, "-e", guarded]
    process = subprocess.Popen(
        command, cwd=workspace_project, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    os.write(ours, f"{answer}\n".encode())
    _, err = process.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == code, err
    assert f"The environment 'guarded' is protected. Register {template} there? [y/N]: " in err
    assert (f"asked-{answer}" in _registered(kit, "data")) is (answer == "y")


def test_environment_that_is_not_protected_asks_nothing(kit, write):
    ran = kit("data", "register", write("wished/free.yml", "name: free\ntype: uri_folder\npath: .\n"))
    assert ran.code == 0, ran.err
    assert "protected" not in ran.err
