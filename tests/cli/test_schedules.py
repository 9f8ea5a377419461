"""``mlops-kit schedule apply`` and its verbs, and ``mlops-kit local clock``, on a local workspace (R36, L6-24)."""

import uuid
from datetime import datetime, timedelta

import pytest
import yaml

PIPELINE = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
experiment_name: ${var.experiment}
settings: {default_compute: "azureml:${env.compute}"}
inputs: {word: hello}
jobs:
  say:
    type: command
    command: python say.py ${{inputs.word}}
    code: ../../src/WORD
    environment: azureml:AzureML-minimal:1
    inputs: {word: "${{parent.inputs.word}}"}
x-mlops:
  parameters:
    experiment: {type: string, default: scheduled}
"""
SCHEDULE = """\
$schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json
name: WORD
trigger: {type: cron, expression: "0 6 * * mon", time_zone: Europe/London}
create_job: ../pipelines/WORD.yml
"""


@pytest.fixture
def word(write, workspace_project):
    """Write a pipeline and a schedule of it; return the name that both have."""
    word = f"s{uuid.uuid4().hex[:8]}"
    code = workspace_project / "src" / word
    code.mkdir(parents=True)
    (code / "say.py").write_text("import sys\nprint('said', *sys.argv[1:])\n")
    write(f"pipelines/{word}.yml", PIPELINE.replace("WORD", word))
    write(f"schedules/{word}.yml", SCHEDULE.replace("WORD", word))
    return word


@pytest.fixture
def apply(kit, word):
    """Apply the schedule; return what became of it."""

    def applied(*arguments, **variables):
        ran = kit("schedule", "apply", f"schedules/{word}", *arguments, "-o", "json", **variables)
        assert ran.code == 0, ran.err
        return ran.json

    return applied


def test_a_schedule_is_there_once_however_often_it_is_applied_and_fires_only_when_asked_r36(kit, apply, word):
    off = {"name": word, "enabled": False}
    assert apply() == {**off, "outcome": "created"}
    assert apply() == {**off, "outcome": "unchanged"}
    assert apply("--enabled") == {"name": word, "outcome": "updated", "enabled": True}
    assert apply() == {"name": word, "outcome": "unchanged", "enabled": True}
    assert apply("--set", "trigger.expression=0 7 * * mon") == {"name": word, "outcome": "updated", "enabled": True}
    assert apply("--set", "trigger.expression=0 7 * * mon", "--disabled") == {**off, "outcome": "updated"}
    rows = [row for row in kit("schedule", "list", "-o", "json").json if row["name"] == word]
    assert [(row["enabled"], row["trigger"], row["time_zone"]) for row in rows] == [
        (False, "cron 0 7 * * mon", "GMT Standard Time")
    ]


def test_a_new_schedule_fires_in_a_protected_environment_r36(kit, apply, word):
    ran = kit("schedule", "apply", f"schedules/{word}", MLOPS_KIT_VAR_protected="true")
    assert ran.code == 2
    assert "is protected: give --yes to apply" in ran.err
    assert apply("--yes", MLOPS_KIT_VAR_protected="true")["enabled"] is True
    assert kit("schedule", "disable", word).code == 0


def test_the_job_of_a_schedule_is_rendered_like_any_template(kit, apply, word):
    apply()
    shown = yaml.safe_load(kit("schedule", "show", word, "-o", "yaml").out)
    job = shown["create_job"]
    assert (job["experiment_name"], job["inputs"]) == ("scheduled", {"word": "hello"})
    assert job["settings"]["default_compute"].endswith("/computes/cpu-cluster")
    assert job["properties"]["mlops_kit.template"] == f"templates/pipelines/{word}.yml"
    assert shown["properties"]["mlops_kit.template"] == f"templates/schedules/{word}.yml"


def test_a_schedule_may_change_the_job_that_it_names(kit, apply, write, word):
    changes = f"create_job:\n  type: pipeline\n  job: ../pipelines/{word}.yml\n  inputs: {{word: changed}}\n"
    write(f"schedules/{word}.yml", SCHEDULE.replace("WORD", word).partition("create_job")[0] + changes)
    apply("--enabled")
    job = kit("schedule", "trigger", word, "-o", "json").json["job"]
    kit("job", "stream", job)
    assert kit("job", "show", job, "-o", "json").json["inputs"]["word"] == "changed"
    kit("schedule", "disable", word)


def test_code_that_changed_is_sent_and_nothing_else_is(apply, workspace_project, word):
    apply()
    (workspace_project / "src" / word / "say.py").write_text("print('more')\n")
    assert [apply()["outcome"], apply()["outcome"]] == ["updated", "unchanged"]


def test_the_same_template_is_submitted_and_scheduled_twice_r36(kit, apply, word):
    for outcome in ("created", "unchanged"):
        assert kit("run", f"pipelines/{word}", "--no-wait").code == 0
        assert apply()["outcome"] == outcome


def test_a_schedule_is_enabled_triggered_disabled_and_deleted(kit, apply, word):
    apply()
    refused = kit("schedule", "trigger", word)
    assert (refused.code, "is disabled" in refused.err) == (2, True)
    assert kit("schedule", "enable", word, "-o", "json").json["enabled"] is True
    triggered = kit("schedule", "trigger", word)
    job = triggered.out.strip()
    assert job.startswith(f"{word}-")
    assert "job stream" in triggered.err
    assert kit("job", "stream", job).code == 0
    assert kit("schedule", "delete", word).out == f"{word}  deleted\n"
    missing = kit("schedule", "show", word)
    assert (missing.code, f"no schedule named '{word}'" in missing.err) == (2, True)
    assert kit("job", "show", job).code == 0


def test_a_misspelt_name_is_answered_with_the_nearest(kit, apply, word):
    apply()
    for verb in ("show", "enable", "disable", "trigger", "delete"):
        ran = kit("schedule", verb, word[:-1])
        assert (ran.code, f"did you mean {word}?" in ran.err) == (2, True), verb


def test_a_job_that_is_no_pipeline_is_refused_at_its_line(kit, write, word):
    write(
        f"pipelines/{word}.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json\ncommand: echo hello\n"
        "environment: azureml:AzureML-minimal@latest\n",
    )
    ran = kit("schedule", "apply", f"schedules/{word}")
    assert ran.code == 2
    assert f"schedules/{word}.yml:4:1: error: a schedule submits pipelines, not a job of type 'command'" in ran.err


def test_what_the_job_refers_to_and_the_workspace_lacks_is_told_at_its_line(kit, write, word):
    write(f"pipelines/{word}.yml", PIPELINE.replace("WORD", word).replace("${env.compute}", "nowhere"))
    ran = kit("schedule", "apply", f"schedules/{word}")
    assert ran.code == 2
    assert f"pipelines/{word}.yml:4:" in ran.err
    assert "nothing was applied" in ran.err
    assert word not in kit("schedule", "list").out


def test_what_is_no_schedule_is_refused(kit, word):
    ran = kit("schedule", "apply", f"pipelines/{word}")
    assert (ran.code, "known are schedule" in ran.err) == (2, True)


# The clock -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(kit):
    def moved(*arguments):
        ran = kit("local", "clock", *arguments, "-o", "json")
        assert ran.code == 0, ran.err
        return ran.json

    yield moved
    moved("reset")


def test_the_clock_is_moved_past_every_fire_on_the_way(kit, apply, clock, word):
    apply("--enabled", "--set", "trigger.expression='* * * * *'")
    found = clock("advance", "2m")
    kit("schedule", "disable", word)
    assert [(one["schedule"], one["outcome"]) for one in found["fired"]] == [(word, "submitted")] * 2
    first, second = (datetime.fromisoformat(one["at"]) for one in found["fired"])
    assert second - first == timedelta(minutes=1)
    assert datetime.fromisoformat(found["now"]) >= second
    assert kit("job", "show", found["fired"][0]["job"], "-o", "json").json["status"] == "Completed"


def test_the_clock_is_shown_set_and_reset(clock, kit):
    assert clock("show")["ahead_seconds"] == 0
    assert kit("local", "clock", "show").out.endswith("the clock of this machine\n")
    ahead = clock("advance", "1m")
    assert 55 < ahead["ahead_seconds"] <= 60
    assert "ahead of the clock of this machine" in kit("local", "clock", "show").out
    at = datetime.fromisoformat(ahead["now"]) - timedelta(minutes=3)
    assert -130 < clock("set", at.isoformat())["ahead_seconds"] < -110
    assert "behind the clock of this machine" in kit("local", "clock", "show").out
    assert clock("reset")["ahead_seconds"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("advance", "soon"), "'soon' is no span of time; write it as 30d, 12h or 1w2d"),
        (("advance", "9999999w"), "beyond the end of the calendar"),
        (("set", "soon"), "'soon' is no time; write it as 2026-03-28T08:00:00"),
    ],
    ids=["no span", "no calendar", "no time"],
)
def test_what_is_no_time_is_refused(kit, arguments, words):
    ran = kit("local", "clock", *arguments)
    assert (ran.code, words in ran.err) == (2, True)


def test_a_clock_of_a_control_plane_that_does_not_run_is_not_moved(kit, tmp_path):
    ran = kit("local", "clock", "advance", "1d", "--state", str(tmp_path))
    assert ran.code == 2
    assert ran.err.startswith(f"error: the control plane of {tmp_path} does not run; start it")
