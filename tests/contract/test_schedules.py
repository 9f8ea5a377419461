"""Schedules through the real SDK, on a control plane of their own whose clock is moved (L6-24, L8-15, R35, R36)."""

from __future__ import annotations

import io
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mlops_kit.local import remote_clock, supervisor
from mlops_kit.local.settings import LocalSettings

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

JOB = """\
type: pipeline
experiment_name: scheduled
settings: {default_compute: "azureml:cpu-cluster"}
inputs: {word: hello}
jobs:
  say:
    command: echo ${{inputs.word}}
    environment: azureml:AzureML-minimal@latest
    inputs: {word: "${{parent.inputs.word}}"}
"""
FINAL = ("Completed", "Failed", "Canceled")


@dataclass(frozen=True)
class Clocked:
    """A workspace, and the clock of its control plane."""

    ml: MLClient
    settings: LocalSettings

    def _instance(self) -> Any:
        instance = supervisor.running(self.settings.state)
        assert instance is not None
        return instance

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(remote_clock.read(self.settings, self._instance())["now"])

    def move(self, to: str, *, wait: bool = True) -> list[dict[str, Any]]:
        """Set the clock; return what has fired."""
        lines = remote_clock.move(self.settings, self._instance(), to, wait=wait)
        return [line for line in lines if "job" in line]

    def advance(self, wait: bool = True, **span: int) -> list[dict[str, Any]]:
        return self.move((self.now + timedelta(**span)).isoformat(), wait=wait)

    def schedule(self, trigger: Any, job: Any = JOB, name: str = "", **fields: Any) -> Any:
        """Create a schedule of a job in YAML, or of one that there is; return it as the service answers."""
        from azure.ai.ml import load_job
        from azure.ai.ml.entities import JobSchedule

        name = name or f"s{uuid.uuid4().hex[:8]}"
        job = load_job(io.StringIO(job)) if isinstance(job, str) and "\n" in job else job
        wanted = JobSchedule(name=name, trigger=trigger, create_job=job, **fields)
        return self.ml.schedules.begin_create_or_update(wanted).result()

    def ended(self, name: str) -> Any:
        end = time.monotonic() + 90
        while (job := self.ml.jobs.get(name)).status not in FINAL:
            assert time.monotonic() < end, f"{name} is {job.status}"
            time.sleep(0.05)
        return job

    def run_details(self, name: str) -> Any:
        return self.ml.jobs._runs_operations.get_run_details(name)


@pytest.fixture(scope="module")
def module_clocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clocked]:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    settings = LocalSettings(tmp_path_factory.mktemp("schedules") / "state", network="deny")
    before = dict(os.environ)
    instance = supervisor.start(settings)
    try:
        _set_environ(supervisor.applied(supervisor.environment(instance, settings), before))
        name = settings.workspace
        yield Clocked(MLClient(DefaultAzureCredential(), name.subscription, name.group, name.name), settings)
    finally:
        _set_environ(before)
        supervisor.stop(settings.state)


def _set_environ(variables: dict[str, str]) -> None:
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)


@pytest.fixture
def clocked(module_clocked: Clocked) -> Iterator[Clocked]:
    """Give each test the workspace without what an earlier one has scheduled."""
    yield module_clocked
    for schedule in module_clocked.ml.schedules.list():
        module_clocked.ml.schedules.begin_disable(schedule.name).result()


def daily(**more: Any) -> Any:
    from azure.ai.ml.entities import RecurrenceTrigger

    return RecurrenceTrigger(frequency="day", interval=1, **more)


def mondays() -> Any:
    from azure.ai.ml.entities import RecurrencePattern, RecurrenceTrigger

    pattern = RecurrencePattern(hours=0, minutes=0, week_days="monday")
    return RecurrenceTrigger(frequency="week", interval=1, schedule=pattern)


def cron(expression: str, **more: Any) -> Any:
    from azure.ai.ml.entities import CronTrigger

    return CronTrigger(expression=expression, **more)


# Kept as they were given ---------------------------------------------------------------------------------------------


def test_a_schedule_is_shown_as_it_was_given_and_fires_unless_it_says_otherwise(clocked):
    trigger = cron("15 10 * * 1", time_zone="Pacific Standard Time", start_time="2022-03-10 10:15:00")
    made = clocked.schedule(trigger, display_name="Weekly", description="what it does", tags={"a": "b"})
    for found in (made, clocked.ml.schedules.get(made.name)):
        shown = {key: getattr(found, key) for key in ("name", "display_name", "description", "tags", "is_enabled")}
        assert shown == {
            "name": made.name,
            "display_name": "Weekly",
            "description": "what it does",
            "tags": {"a": "b"},
            "is_enabled": True,
        }
        assert found.trigger._to_rest_object().as_dict() == trigger._to_rest_object().as_dict()
        job = found.create_job._to_dict()
        assert (job["type"], job["experiment_name"], job["inputs"]) == ("pipeline", "scheduled", {"word": "hello"})
        assert job["jobs"]["say"]["type"] == "command"


def test_a_trigger_without_a_start_is_shown_with_the_time_of_its_creation_in_its_zone(clocked):
    before = clocked.now
    found = clocked.schedule(daily(time_zone="Tokyo Standard Time"))
    start = datetime.strptime(found.trigger.start_time, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) - timedelta(hours=9)
    assert timedelta(seconds=-1) <= start - before < timedelta(seconds=20)


def test_lists_show_what_fires_unless_asked_otherwise(clocked):
    on, off = (clocked.schedule(mondays()).name for _ in range(2))
    clocked.ml.schedules.begin_disable(off).result()
    listed = {
        view: {one.name for one in clocked.ml.schedules.list(list_view_type=view)} & {on, off}
        for view in ("EnabledOnly", "DisabledOnly", "All")
    }
    assert listed == {"EnabledOnly": {on}, "DisabledOnly": {off}, "All": {on, off}}
    assert {one.name for one in clocked.ml.schedules.list()} & {on, off} == {on}


def test_disabling_and_enabling_change_nothing_else(clocked):
    made = clocked.schedule(mondays())
    off = clocked.ml.schedules.begin_disable(made.name).result()
    on = clocked.ml.schedules.begin_enable(made.name).result()
    assert (made.is_enabled, off.is_enabled, on.is_enabled) == (True, False, True)
    for found in (off, on):
        assert found.trigger._to_rest_object() == made.trigger._to_rest_object()
        assert found.create_job._to_dict() == made.create_job._to_dict()


def test_only_a_disabled_schedule_is_deleted(clocked):
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    name = clocked.schedule(mondays()).name
    with pytest.raises(HttpResponseError, match="Cannot delete an active trigger"):
        clocked.ml.schedules.begin_delete(name).result()
    clocked.ml.schedules.begin_disable(name).result()
    clocked.ml.schedules.begin_delete(name).result()
    with pytest.raises(ResourceNotFoundError, match=f"The schedule '{name}' was not found"):
        clocked.ml.schedules.get(name)


# What fires ----------------------------------------------------------------------------------------------------------


def test_fifteen_days_fire_what_is_due_and_each_job_sees_its_own_time_l6_24(clocked):
    every_day, on_mondays, never = (clocked.schedule(each).name for each in (daily(), mondays(), daily()))
    clocked.ml.schedules.begin_disable(never).result()
    begun = clocked.now

    fired = clocked.advance(days=15)

    assert {line["outcome"] for line in fired} == {"submitted"}
    times = [datetime.fromisoformat(line["at"]) for line in fired]
    assert times == sorted(times)
    counts = Counter(line["schedule"] for line in fired)
    between = [begun.date() + timedelta(days=day) for day in range(1, 16)]
    weeks = [day for day in between if day.weekday() == 0]
    assert counts == {every_day: 15, on_mondays: len(weeks)}
    assert [each.date() for each, line in zip(times, fired, strict=True) if line["schedule"] == on_mondays] == weeks
    for line, at in zip(fired, times, strict=True):
        job = clocked.ml.jobs.get(line["job"])
        assert abs(job.creation_context.created_at - at) < timedelta(seconds=30)
        assert (job.status, job.properties["azureml.scheduleName"]) == ("Completed", line["schedule"])
        assert job.name == job.display_name == f"{line['schedule']}-{at:%Y%m%dT%H%M%SZ}"
    listed = {job.name for job in clocked.ml.jobs.list(scheduled_job_name=every_day)}
    assert listed == {line["job"] for line in fired if line["schedule"] == every_day}


def test_four_weeks_are_four_runs_of_which_the_first_does_the_work_l8_15(clocked):
    job = JOB.replace("hello", uuid.uuid4().hex)
    name = clocked.schedule(mondays(), job).name
    fired = clocked.advance(weeks=4)
    assert Counter(line["schedule"] for line in fired) == {name: 4}
    reused = []
    for line in fired:
        (step,) = clocked.ml.jobs.list(parent_job_name=line["job"])
        reused.append(step.properties.get("azureml.isreused") == "true")
    assert reused == [False, True, True, True]


def test_nothing_runs_before_the_first_time_that_is_due_r36(clocked):
    name = clocked.schedule(daily()).name
    time.sleep(0.3)
    assert [*clocked.ml.jobs.list(scheduled_job_name=name)] == []
    assert clocked.advance(hours=23) == []
    assert [line["schedule"] for line in clocked.advance(hours=1)] == [name]


def test_applying_a_schedule_again_keeps_one_and_its_days_r36(clocked):
    from azure.ai.ml import load_job

    job = load_job(io.StringIO(JOB))
    submitted = clocked.ml.jobs.create_or_update(job)
    clocked.advance(hours=5)
    first = clocked.schedule(daily(), name="twice")
    clocked.advance(hours=5)
    second = clocked.schedule(daily(), name="twice")
    assert [one.name for one in clocked.ml.schedules.list(list_view_type="All")].count("twice") == 1
    assert first.trigger.start_time == second.trigger.start_time
    assert clocked.ended(submitted.name).status == "Completed"
    changed = clocked.schedule(daily(time_zone="Tokyo Standard Time"), name="twice")
    assert changed.trigger.start_time > second.trigger.start_time


def test_a_wall_time_that_summer_time_skips_fires_an_hour_later(clocked):
    # From 2035 on the clock of this module is wherever earlier tests have left it, but never behind.
    clocked.move("2035-03-23T12:00:00Z", wait=False)
    clocked.schedule(cron("30 1 * * *", time_zone="GMT Standard Time"))
    fired = clocked.move("2035-03-26T12:00:00Z")
    assert [line["at"][:16] for line in fired] == ["2035-03-24T01:30", "2035-03-25T01:30", "2035-03-26T00:30"]
    clocked.move("")


def test_nothing_fires_before_the_start_or_after_the_end(clocked):
    form = "%Y-%m-%dT%H:00:00"
    start, end = (f"{clocked.now + timedelta(days=days):{form}}" for days in (2, 4))
    clocked.schedule(daily(start_time=start, end_time=end))
    fired = clocked.advance(days=10)
    days = [f"{datetime.fromisoformat(start) + timedelta(days=day):{form}}" for day in range(3)]
    assert [line["at"][:19] for line in fired] == days


def test_a_schedule_fires_by_itself_when_its_time_comes(clocked):
    clocked.move(f"{clocked.now + timedelta(days=1):%Y-%m-%dT09:59:58}")
    name = clocked.schedule(cron("0 10 * * *")).name
    end = time.monotonic() + 20
    while not (found := [*clocked.ml.jobs.list(scheduled_job_name=name)]):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert [job.name[len(name) :][9:] for job in found] == ["T100000Z"]


def test_a_clock_that_was_set_back_fires_nothing_twice(clocked):
    clocked.schedule(daily())
    begun = clocked.now.isoformat()
    first = clocked.advance(days=3)
    assert clocked.move(begun) == []
    again = clocked.advance(days=4)
    assert [line["job"] for line in again[:3]] == [line["job"] for line in first]
    assert [line["outcome"] for line in again] == ["was submitted before"] * 3 + ["submitted"]


def test_sign_in_uploads_and_logs_work_on_a_clock_that_is_years_ahead(clocked, tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "say.py").write_text(f"print('{uuid.uuid4()}', 'said')\n")
    clocked.advance(days=3650)
    from azure.ai.ml import MLClient, command
    from azure.identity import DefaultAzureCredential

    ml = clocked.ml
    fresh = MLClient(DefaultAzureCredential(), ml.subscription_id, ml.resource_group_name, ml.workspace_name)
    job = command(
        command="python say.py",
        code=str(tmp_path / "code"),
        environment="AzureML-minimal@latest",
        compute="cpu-cluster",
    )
    made = fresh.jobs.create_or_update(job)
    assert clocked.ended(made.name).status == "Completed"
    fresh.jobs.download(made.name, download_path=tmp_path / "got", all=True)
    assert "said" in next((tmp_path / "got").rglob("std_log.txt")).read_text()
    clocked.move("")


# Jobs of schedules ---------------------------------------------------------------------------------------------------


def test_a_schedule_of_an_existing_job_submits_the_same_job_again(clocked):
    from azure.ai.ml import load_job

    word = uuid.uuid4().hex
    source = clocked.ml.jobs.create_or_update(load_job(io.StringIO(JOB.replace("hello", word))))
    made = clocked.schedule(mondays(), f"azureml:{source.id}")
    assert made.create_job.experiment_name == ""
    assert made.create_job.id.endswith(source.name)
    clocked.ml.schedules.begin_disable(made.name).result()
    clocked.ml.schedules.begin_enable(made.name).result()
    clocked.ended(source.name)
    (line,) = clocked.advance(weeks=1)
    job = clocked.ended(line["job"])
    assert (job.status, job.experiment_name, job.inputs["word"]._data) == ("Completed", "scheduled", word)


def test_a_schedule_may_change_the_inputs_of_an_existing_job(clocked):
    from azure.ai.ml import load_job
    from azure.ai.ml.entities import PipelineJob

    source = clocked.ml.jobs.create_or_update(load_job(io.StringIO(JOB)))
    changes = PipelineJob(inputs={"word": "changed"})
    changes._id = source.id
    made = clocked.schedule(mondays(), changes)
    job = clocked.ended(clocked.ml.schedules.trigger(made.name).job_name)
    assert (job.status, job.inputs["word"]._data) == ("Completed", "changed")


def test_inputs_may_hold_the_name_and_the_time_of_the_job(clocked, tmp_path):
    text = JOB.replace("word: hello", 'word: "${{name}} at ${{creation_context.trigger_time}}"')
    name = clocked.schedule(mondays(), text.replace("echo ${{inputs.word}}", "echo '${{inputs.word}}'")).name
    (line,) = clocked.advance(weeks=1)
    clocked.ended(line["job"])
    clocked.ml.jobs.download(line["job"], download_path=tmp_path, all=True)
    (step,) = clocked.ml.jobs.list(parent_job_name=line["job"])
    clocked.ml.jobs.download(step.name, download_path=tmp_path / "step", all=True)
    log = next((tmp_path / "step").rglob("std_log.txt")).read_text()
    assert log == f"{line['job']} at {line['at'][:19]}Z\n"
    assert line["job"].startswith(name)


def test_a_trigger_submits_at_once_and_for_one_time_once(clocked):
    name = clocked.schedule(mondays()).name
    at_once = clocked.ml.schedules.trigger(name)
    first = clocked.ml.schedules.trigger(name, schedule_time="2024-02-19T00:00:00")
    second = clocked.ml.schedules.trigger(name, schedule_time="2024-02-19T00:00:00")
    assert at_once.schedule_action_type == "CreateJob"
    assert first.job_name == second.job_name == f"{name}-20240219T000000Z"
    for job_name in (at_once.job_name, first.job_name):
        job = clocked.ended(job_name)
        assert (job.status, job.properties["azureml.scheduleName"]) == ("Completed", name)


def test_a_disabled_schedule_is_not_triggered(clocked):
    from azure.core.exceptions import HttpResponseError

    name = clocked.schedule(mondays()).name
    clocked.ml.schedules.begin_disable(name).result()
    with pytest.raises(HttpResponseError, match=f"The schedule '{name}' is disabled; enable it first"):
        clocked.ml.schedules.trigger(name)


def test_a_command_job_is_scheduled_where_the_sdk_lets_it(clocked, monkeypatch):
    from azure.ai.ml import command

    monkeypatch.setenv("AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED", "true")
    job = command(command="echo hello", environment="AzureML-minimal@latest", compute="cpu-cluster")
    made = clocked.schedule(mondays(), job)
    assert made.create_job.command == "echo hello"
    (line,) = clocked.advance(weeks=1)
    assert clocked.ended(line["job"]).status == "Completed"
    clocked.ml.schedules.begin_disable(made.name).result()


def test_a_job_that_can_no_longer_be_submitted_is_kept_as_failed_with_the_reason(clocked):
    from azure.ai.ml.entities import AmlCompute

    name = f"c{uuid.uuid4().hex[:8]}"
    clocked.ml.compute.begin_create_or_update(AmlCompute(name=name, size="Standard_DS3_v2", max_instances=1)).result()
    made = clocked.schedule(mondays(), JOB.replace("cpu-cluster", name))
    clocked.ml.compute.begin_delete(name).result()
    (line,) = clocked.advance(weeks=1)
    assert line["outcome"] == "could not be submitted"
    assert name in line["message"]
    job = clocked.ml.jobs.get(line["job"])
    assert (job.status, job.properties["azureml.scheduleName"]) == ("Failed", made.name)
    reason = clocked.run_details(job.name).error.error.message
    assert reason == f"The schedule could not submit its job: {line['message']}"


# Refused -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"expression": "61 25 * * 9"}, "minute `61` is not 0-59; hour `25` is not 0-23"),
        ({"expression": "0 0 10 * * 1"}, "it has 6 fields where there are five"),
        ({"time_zone": "Europe/London"}, "It is called 'GMT Standard Time' here"),
        ({"time_zone": "GMT Standrd Time"}, "Did you mean 'GMT Standard Time'"),
        ({"start_time": "2026-02-01T00:00:00", "end_time": "2026-01-01T00:00:00"}, "is not after the start"),
    ],
    ids=["ranges", "six fields", "a name of IANA", "a misspelt name", "the end first"],
)
def test_a_trigger_that_cannot_fire_is_refused_at_its_field_r35(clocked, fields, words):
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError) as refused:
        clocked.schedule(cron(**{"expression": "0 0 * * *", **fields}))
    assert words in str(refused.value)
    assert f"properties.trigger.{_camel([*fields][-1])}" in str(refused.value.error.target)


def test_a_recurrence_that_cannot_fire_is_refused_r35(clocked):
    from azure.ai.ml.entities import RecurrenceTrigger
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="The interval is 0; it must be a whole number above 0"):
        clocked.schedule(RecurrenceTrigger(frequency="day", interval=0))


def test_a_schedule_of_a_job_that_would_be_refused_is_refused(clocked):
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="nowhere"):
        clocked.schedule(mondays(), JOB.replace("cpu-cluster", "nowhere"))
    missing = f"azureml:{clocked.settings.workspace.id}/jobs/nothing"
    with pytest.raises(HttpResponseError, match="The job 'nothing' was not found"):
        clocked.schedule(mondays(), missing)


def test_a_monitor_is_refused_until_monitors_run(clocked):
    from azure.core.rest import HttpRequest

    trigger = {"triggerType": "Cron", "expression": "0 0 * * *"}
    body = {"properties": {"action": {"actionType": "CreateMonitor"}, "trigger": trigger}}
    request = HttpRequest("PUT", f"{clocked.settings.workspace.id}/schedules/drift", json=body)
    answer = clocked.ml.schedules._service_client.send_request(request)
    assert answer.status_code == 501
    assert "Monitors run in a later version" in answer.json()["error"]["message"]


def test_a_move_over_a_thousand_fires_is_refused_and_moves_nothing(clocked):
    from mlops_kit.errors import UsageError

    clocked.schedule(cron("* * * * *"), name="minutely")
    before = clocked.now
    with pytest.raises(UsageError, match="minutely.* would fire more than 1000 times: move the clock to .* at most"):
        clocked.advance(days=1)
    assert clocked.now - before < timedelta(minutes=2)


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(map(str.capitalize, rest))
