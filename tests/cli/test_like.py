"""Values of the command line are kept with the job and come back with ``run --like`` (field report R04)."""

import json

import pytest

JOB = """\
type: command
command: echo model=${var.model} rate=${var.rate} word=${env.vars.word} ${var.free}
environment:
  image: python
compute: azureml:cpu-cluster
environment_variables: {KIND: plain}
x-mlops:
  parameters:
    model: {type: integer}
    rate: {type: number, default: 0.5}
    free: {type: string, default: "-"}
"""
GIVEN = (
    "--set",
    "model=3",
    "--set",
    "rate=0.10",
    "--set",
    "env.vars.word=hello",
    "--set",
    "environment_variables.KIND=0.10",
)


@pytest.fixture(scope="module")
def template(write):
    """A template that must be given a model."""
    return write("jobs/deployed.yml", JOB)


@pytest.fixture(scope="module")
def deployed(kit, template):
    """Submit with values of every sort on the command line; return the job's name."""
    ran = kit("run", template, *GIVEN, "-o", "json")
    assert ran.code == 0, ran.err
    return ran.json["name"]


def _job(commands_workspace, name):
    return commands_workspace.ml_client().jobs.get(name)


def test_job_carries_its_template_its_environment_and_every_resolved_parameter(kit, deployed):
    assert kit("job", "show", deployed, "-o", "json").json["submission"] == {
        "template": "templates/jobs/deployed.yml",
        "environment": "local",
        "parameters": {"model": 3, "rate": 0.1, "free": "-"},
        "settings": {"env.vars.word": "hello", "environment_variables.KIND": "0.10"},
    }
    assert "  rate: 0.10\n" in kit("job", "show", deployed).out


def test_second_run_uses_the_values_of_the_first(kit, deployed, commands_workspace):
    again = kit("run", "--like", deployed, "-o", "json")
    first, second = (_job(commands_workspace, name) for name in (deployed, again.json["name"]))

    assert again.code == 0
    assert again.json["name"] != deployed
    assert second.command == first.command == "echo model=3 rate=0.10 word=hello -"
    assert second.environment_variables["KIND"] == first.environment_variables["KIND"] == "0.10"
    assert (again.json["like"], again.json["changed"]) == (deployed, {})


def test_explicit_value_wins_and_is_shown_as_changed(kit, deployed, commands_workspace):
    changed = ("--set", "model=4", "--set", "env.vars.word=bye")
    again = kit("run", "--like", deployed, *changed, "-o", "json")

    assert _job(commands_workspace, again.json["name"]).command == "echo model=4 rate=0.10 word=bye -"
    assert again.json["changed"] == {"model": [3, 4], "env.vars.word": ["hello", "bye"]}
    assert f"{deployed}: model was 3, now 4" in again.err
    assert f"{deployed}: env.vars.word was hello, now bye" in again.err


def test_values_of_a_job_like_another_one_are_kept_with_it(kit, deployed, commands_workspace):
    second = kit("run", "--like", deployed, "--set", "model=5", "-o", "json").json["name"]
    third = kit("run", "--like", second, "-o", "json").json["name"]

    assert _job(commands_workspace, third).command == "echo model=5 rate=0.10 word=hello -"


@pytest.mark.parametrize("setting", ["modle=4", "inputs.model=4", "env.modle=4"])
def test_value_that_cannot_take_effect_is_refused(kit, template, deployed, setting, commands_workspace):
    before = {job.name for job in commands_workspace.ml_client().jobs.list()}
    for what in (("--like", deployed), (template, *GIVEN)):
        ran = kit("run", *what, "--set", setting)
        assert ran.code == 2
        assert "no such path" in ran.err
    assert {job.name for job in commands_workspace.ml_client().jobs.list()} == before


def test_default_that_changed_since_does_not_change_the_job(kit, write, commands_workspace):
    template = write("jobs/moved.yml", JOB)
    name = kit("run", template, *GIVEN, "-o", "json").json["name"]
    write("jobs/moved.yml", JOB.replace("default: 0.5", "default: 9").replace('default: "-"', 'default: "+"'))
    again = kit("run", "--like", name, "-o", "json")

    assert _job(commands_workspace, again.json["name"]).command == "echo model=3 rate=0.10 word=hello -"


def test_template_that_changed_since_is_said(kit, write):
    name = kit("run", write("jobs/edited.yml", JOB), *GIVEN, "-o", "json").json["name"]
    same = kit("run", "--like", name, "--no-wait", "-o", "json")
    write("jobs/edited.yml", JOB.replace("echo", "echo again"))
    edited = kit("run", "--like", name, "--no-wait", "-o", "json")

    assert "renders differently" not in same.err
    assert f"{name}: the template or the environment has changed since, and renders differently" in edited.err
    assert [ran.json["changed"] for ran in (same, edited)] == [{}, {}]


def test_parameter_that_is_not_declared_any_more_is_refused(kit, write):
    name = kit("run", write("jobs/shrunk.yml", JOB), *GIVEN, "-o", "json").json["name"]
    write("jobs/shrunk.yml", JOB.replace("    free:", "    freer:").replace("var.free", "var.freer"))
    again = kit("run", "--like", name)

    assert again.code == 2
    assert f"recorded with the job {name}: no such path 'free'" in again.err


def test_text_that_looks_like_an_expression_comes_back_as_it_was(kit, write, commands_workspace):
    template = write("jobs/escaped.yml", JOB)
    free = "${env.name} $${env.name} $$${process.HOME} ${HOME} ${secret.DB}"
    name = kit("run", template, *GIVEN, "--set", f"free={free}", "-o", "json").json["name"]
    again = kit("run", "--like", name, "-o", "json").json["name"]

    assert _job(commands_workspace, name).command.endswith(f" {free}")
    assert _job(commands_workspace, again).command == _job(commands_workspace, name).command


def test_secret_is_kept_by_its_name_and_a_value_that_may_be_one_is_not_kept(kit, write, commands_workspace):
    text = JOB.replace("    rate:", "    db_password: {type: string, default: none}\n    rate:")
    text = text.replace("{KIND: plain}", "{KIND: plain, DB: '${var.free}', PW: '${var.db_password}'}")
    text = text.replace('default: "-"', 'default: "${secret.DB}"')
    given = ("--set", "db_password=hunter2")
    secret = {"MLOPS_KIT_SECRET_DB": "s3cr3t"}
    text = text.replace(" ${var.free}\n", "\n", 1)
    ran = kit("run", write("jobs/secretive-again.yml", text), *GIVEN, *given, "-o", "json", **secret)
    job = _job(commands_workspace, ran.json["name"])
    refused = kit("run", "--like", job.name, **secret)
    again = kit("run", "--like", job.name, *given, "-o", "json", **secret)

    kept = json.dumps(job.properties)
    assert not [word for word in ("s3cr3t", "hunter2") if word in kept]
    assert "${secret.DB}" in kept
    assert refused.code == 2
    assert "was given 'db_password', which is not kept because it may be a secret" in refused.err
    assert again.code == 0, again.err
    variables = _job(commands_workspace, again.json["name"]).environment_variables
    assert (variables["DB"], variables["PW"]) == ("s3cr3t", "hunter2")


def test_secret_of_the_command_line_is_refused_where_it_would_be_in_plain_text(kit, write):
    text = JOB.replace("{KIND: plain}", "{KIND: plain, API_TOKEN: none}")
    given = ("--set", "environment_variables.API_TOKEN=t0ken-of-the-command-line")
    ran = kit("run", write("jobs/plain-secret.yml", text), *GIVEN, *given)
    assert ran.code == 2
    assert "[MK0603]" in ran.err
    assert "t0ken" not in ran.err


def test_long_values_are_kept_in_pieces_that_the_service_takes(kit, template, commands_workspace):
    free = "free=" + "word " * 900
    name = kit("run", template, *GIVEN, "--set", free, "-o", "json").json["name"]
    again = kit("run", "--like", name, "-o", "json").json["name"]
    properties = _job(commands_workspace, name).properties

    assert max(len(value) for key, value in properties.items() if key.startswith("mlops_kit.")) <= 1000
    assert _job(commands_workspace, again).command == _job(commands_workspace, name).command


def test_job_of_another_tool_is_refused(kit, commands_workspace):
    from azure.ai.ml import command

    made = command(command="echo", environment="AzureML-minimal@latest", compute="cpu-cluster")
    other = commands_workspace.ml_client().jobs.create_or_update(made).name
    ran = kit("run", "--like", other)

    assert ran.code == 2
    assert f"the job {other!r} does not say what it was made of" in ran.err
    assert "submission" not in kit("job", "show", other, "-o", "json").json


def test_unknown_job_and_both_or_neither_source_are_usage_errors(kit, deployed):
    assert kit("run", "--like", f"{deployed}x").code == 2
    assert f"did you mean {deployed}" in kit("run", "--like", f"{deployed}x").err
    for arguments in ((), ("hello", "--like", deployed)):
        ran = kit("run", *arguments)
        assert ran.code == 2
        assert "give a TEMPLATE, or --like JOB" in ran.err


def test_job_of_another_environment_is_refused(kit, commands_workspace):
    from azure.ai.ml import command

    properties = {"mlops_kit.template": "templates/jobs/hello.yml", "mlops_kit.environment": "dev"}
    made = command(command="echo", environment="AzureML-minimal@latest", compute="cpu-cluster", properties=properties)
    other = commands_workspace.ml_client().jobs.create_or_update(made).name
    ran = kit("run", "--like", other)

    assert ran.code == 2
    assert f"the job {other!r} was submitted in the environment 'dev': name it with -e" in ran.err


def test_template_that_is_gone_is_named(kit, write, workspace_project):
    template = write("jobs/gone.yml", JOB)
    name = kit("run", template, *GIVEN, "-o", "json").json["name"]
    (workspace_project / "templates" / "jobs" / "gone.yml").unlink()
    ran = kit("run", "--like", name)

    assert ran.code == 2
    assert f"templates/jobs/gone.yml, the template of the job {name!r}, is not there any more" in ran.err


def test_asset_carries_the_same_record(kit, write, workspace_project):
    folder = workspace_project / "templates" / "recorded" / "recorded"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.csv").write_text("a\n1\n", encoding="utf-8")
    component = "$schema: x/commandComponent.schema.json\nname: recorded\ntype: command\ncommand: echo\n"
    kinds = {
        "data": "name: recorded\ntype: uri_folder\npath: recorded\n",
        "model": "name: recorded\ntype: custom_model\npath: recorded\n",
        "environment": "name: recorded\nimage: python:3.11\n",
        "component": f"{component}environment: azureml:AzureML-minimal@latest\n",
    }
    for kind, text in kinds.items():
        block = "description: ${var.words}\nx-mlops: {parameters: {words: {type: string}}}\n"
        made = kit(kind, "register", write(f"recorded/{kind}.yml", text + block), "--set", "words=some")
        assert made.code == 0, made.err
        properties = kit(kind, "show", "recorded", "-o", "json").json["properties"]
        assert properties["mlops_kit.template"] == f"templates/recorded/{kind}.yml"
        assert properties["mlops_kit.environment"] == "local"
        assert properties["mlops_kit.parameters"] == "words: some\n"


@pytest.mark.parametrize("recorded", ["../../elsewhere.yml", "/etc/hostname"])
def test_template_outside_of_the_project_is_not_read_because_a_job_says_so(kit, commands_workspace, recorded):
    from azure.ai.ml import command

    properties = {"mlops_kit.template": recorded, "mlops_kit.environment": "local"}
    job = command(command="true", environment="AzureML-minimal@latest", compute="cpu-cluster", properties=properties)
    name = commands_workspace.ml_client().jobs.create_or_update(job).name
    ran = kit("run", "--like", name)

    assert ran.code == 2
    assert f"was made of {recorded}, which is outside of this project" in ran.err
