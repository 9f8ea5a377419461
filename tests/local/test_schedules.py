"""Schedules over stops and kills of the control plane, the wire form of triggers, and the clock's file (L6-24)."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from mlops_kit import fire_times
from mlops_kit.errors import LocalError
from mlops_kit.local import remote_clock, supervisor
from mlops_kit.local.arm.wire import BadRequestError
from mlops_kit.local.clock import Clock
from mlops_kit.local.schedules import triggers
from mlops_kit.local.settings import DEFAULT_WORKSPACE, MANAGEMENT_URL
from mlops_kit.local.signing import Signer
from tests.local.conftest import Plane

COMPUTE = f"{DEFAULT_WORKSPACE.id}/computes/cpu-cluster"
JOB = {
    "jobType": "Command",
    "command": "true",
    "environmentId": "azureml:AzureML-minimal@latest",
    "computeId": COMPUTE,
}
DAILY = {"triggerType": "Recurrence", "frequency": "Day", "interval": 1, "timeZone": "UTC"}


def put(plane: Plane, trigger: dict[str, Any], name: str = "daily", job: Any = JOB, **more: Any) -> Any:
    action = {"actionType": "CreateJob", "jobDefinition": job}
    body = {"properties": {"action": action, "trigger": trigger, **more}}
    return plane.ask("PUT", f"{DEFAULT_WORKSPACE.id}/schedules/{name}", body)


def move(plane: Plane, to: str, *, wait: bool) -> list[dict[str, Any]]:
    instance = supervisor.running(plane.settings.state)
    assert instance is not None
    return [line for line in remote_clock.move(plane.settings, instance, to, wait=wait) if "job" in line]


def now(plane: Plane) -> datetime:
    return datetime.fromisoformat(plane.ask("GET", "/local/clock")["now"])


def advance(plane: Plane, *, wait: bool = False, **span: int) -> list[dict[str, Any]]:
    return move(plane, (now(plane) + timedelta(**span)).isoformat(), wait=wait)


def job_names(plane: Plane) -> list[str]:
    return sorted(job["name"] for job in plane.ask("GET", f"{DEFAULT_WORKSPACE.id}/jobs")["value"])


def kill(pid: int) -> None:
    process = psutil.Process(pid)
    process.kill()
    process.wait()


def test_neither_a_stop_nor_a_kill_makes_a_schedule_fire_twice_or_sets_the_clock_back_l6_24(plane: Plane) -> None:
    plane.start()
    put(plane, DAILY)
    fired = advance(plane, wait=True, days=2)
    there = now(plane)
    supervisor.stop(plane.settings.state)
    pid = plane.start()
    assert now(plane) >= there
    fired += advance(plane, days=1)
    kill(pid)
    pid = plane.start()
    time.sleep(0.5)  # the timer has looked
    assert [line["outcome"] for line in fired] == ["submitted"] * 3
    assert job_names(plane) == [line["job"] for line in fired]
    fired += advance(plane, days=1)
    assert job_names(plane) == [line["job"] for line in fired]
    kill(pid)  # sooner than a stop, which lets jobs end


def test_a_kill_between_the_job_and_the_mark_of_a_fire_submits_nothing_again(plane: Plane) -> None:
    pid = plane.start()
    body = put(plane, DAILY)
    start = datetime.fromisoformat(body["properties"]["trigger"]["startTime"]).replace(tzinfo=UTC)
    name = f"daily-{start + timedelta(days=1):%Y%m%dT%H%M%SZ}"
    plane.submit(name, "true")
    (line,) = advance(plane, days=1)
    assert (line["job"], line["outcome"]) == (name, "was submitted before")
    assert job_names(plane) == [name]
    kill(pid)


def test_of_the_fires_that_were_missed_the_latest_is_made_up_for(plane: Plane) -> None:
    pid = plane.start()
    put(plane, DAILY)
    put(plane, DAILY, "off", isEnabled=False)
    kill(pid)
    clock = Clock(plane.settings.clock)
    clock.set(clock.now() + timedelta(days=3, hours=1))
    pid = plane.start()
    end = time.monotonic() + 20
    while not (names := job_names(plane)):
        assert time.monotonic() < end
        time.sleep(0.05)
    day = (clock.now() - timedelta(hours=1)).date()
    assert [name[: len("daily-20260101")] for name in names] == [f"daily-{day:%Y%m%d}"]
    assert [line["outcome"] for line in advance(plane, days=1)] == ["submitted"]
    kill(pid)


def test_a_schedule_of_a_workspace_that_is_deleted_does_not_fire(plane: Plane) -> None:
    plane.start()
    put(plane, DAILY)
    plane.ask("DELETE", f"{DEFAULT_WORKSPACE.id}?forceToPurge=true")
    assert advance(plane, days=2) == []


def test_a_stop_ends_a_move_of_the_clock_that_waits_for_a_job(plane: Plane) -> None:
    plane.start()
    put(plane, DAILY, job={**JOB, "command": "sleep 600"})

    def move_on() -> None:
        with contextlib.suppress(LocalError):  # it has ended while it was asked
            advance(plane, wait=True, days=3)

    moving = threading.Thread(target=move_on)
    moving.start()
    end = time.monotonic() + 20
    while not job_names(plane):
        assert time.monotonic() < end
        time.sleep(0.05)
    begun = time.monotonic()
    supervisor.stop(plane.settings.state)
    moving.join()
    assert time.monotonic() - begun < supervisor.STOP_SECONDS
    plane.start()
    assert len(job_names(plane)) == 1
    assert now(plane) - datetime.now(UTC) < timedelta(days=2)


def test_only_the_owner_moves_the_clock(plane: Plane) -> None:
    pid = plane.start()
    instance = supervisor.running(plane.settings.state)
    assert instance is not None
    secret = (plane.settings.state / "secret").read_bytes()
    token, _ = Signer(secret).token(MANAGEMENT_URL, principal="00000000-0000-0000-0000-00000000beef")
    url = f"https://127.0.0.1:{instance.https_port}/local/clock"
    with httpx.Client(verify=False, trust_env=False) as client:  # noqa: S501  loopback
        answer = client.post(url, json={"to": "2050-01-01"}, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, now(plane).year < 2050) == (403, True)
    kill(pid)


# The wire form of triggers -------------------------------------------------------------------------------------------

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
AT_SIX = {"hours": [6], "minutes": [30]}


@pytest.mark.parametrize(
    ("trigger", "first"),
    [
        ({**DAILY, "startTime": "2026-01-02 10:15:00"}, "2026-01-02T10:15"),
        ({**DAILY, "startTime": "2026-01-02T10:15:00", "timeZone": "Tokyo Standard Time"}, "2026-01-02T01:15"),
        ({**DAILY, "startTime": "2026-01-02T10:15:00-04:00"}, "2026-01-02T14:15"),
        ({**DAILY, "startTime": "2026-01-02T00:00:00", "schedule": {"hours": [], "minutes": []}}, "2026-01-02T00:00"),
        ({**DAILY, "frequency": "week", "schedule": {**AT_SIX, "weekDays": ["Sunday"]}}, "2026-01-04T06:30"),
        ({**DAILY, "frequency": "Month", "schedule": {**AT_SIX, "monthDays": [31]}}, "2026-01-31T06:30"),
        ({"triggerType": "Cron", "expression": "15 10 * * 1"}, "2026-01-05T10:15"),
    ],
)
def test_a_trigger_of_the_wire_fires_when_it_says(trigger: dict[str, Any], first: str) -> None:
    (moment,) = fire_times.fire_times(triggers.read(trigger), FIRST, 1)
    assert f"{moment:%Y-%m-%dT%H:%M}" == first


@pytest.mark.parametrize(
    ("trigger", "field", "words"),
    [
        ({}, "triggerType", "'None' is no type of trigger; known types: Cron, Recurrence"),
        ({**DAILY, "frequency": "fortnight"}, "frequency", "'fortnight' is no frequency"),
        ({**DAILY, "interval": None}, "interval", "must be a whole number above 0"),
        ({**DAILY, "startTime": "soon"}, "startTime", "'soon' is no time such as"),
        ({**DAILY, "startTime": "2026-01-02", "endTime": "2026-01-02"}, "endTime", "is not after the start"),
        ({**DAILY, "timeZone": "Europe/Paris"}, "timeZone", "It is called 'Romance Standard Time' here"),
        ({**DAILY, "schedule": {"hours": [24], "minutes": [0]}}, "schedule.hours", "'24' is no value of hours"),
        ({**DAILY, "schedule": {"hours": [], "minutes": [0]}}, "schedule", "needs hours and minutes"),
        ({**DAILY, "schedule": {**AT_SIX, "weekDays": ["mon"]}}, "schedule.weekDays", "'mon' is no day"),
        ({"triggerType": "Cron"}, "expression", "it has 0 fields where there are five"),
    ],
)
def test_a_trigger_that_cannot_fire_is_refused_at_its_field_r35(
    trigger: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        triggers.read(trigger)
    assert words in refused.value.message
    assert refused.value.target == f"properties.trigger.{field}"


# The clock -----------------------------------------------------------------------------------------------------------


def test_a_clock_goes_on_from_where_it_was_set_and_remembers_it(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock.json")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    clock.set(datetime(2031, 5, 4, tzinfo=UTC))
    for each in (clock, Clock(tmp_path / "clock.json")):
        assert timedelta() <= each.now() - datetime(2031, 5, 4, tzinfo=UTC) < timedelta(seconds=5)
    clock.reset()
    assert (clock.ahead, Clock(tmp_path / "clock.json").ahead) == (timedelta(), timedelta())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ahead_seconds": "x"}', '{"ahead_seconds": 1e99}'])
def test_a_damaged_file_of_the_clock_is_that_of_the_machine(tmp_path: Path, text: str) -> None:
    (tmp_path / "clock.json").write_text(text)
    assert Clock(tmp_path / "clock.json").ahead == timedelta()
