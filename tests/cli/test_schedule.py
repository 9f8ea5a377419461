"""``mlops-kit schedule preview``: fire times of a template, on the clock of its zone and in UTC (R35, L6-24)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from mlops_kit.cli import main

NIGHTLY = """\
$schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json
name: nightly
create_job: azureml:train
trigger:
  type: cron
  expression: "30 1 * * *"
  time_zone: ${env.vars.zone}
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs ``schedule preview`` in a project of one template: (exit code, stdout, stderr)."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "base.yaml").write_text("vars: {zone: Europe/London}\n")
    (tmp_path / "environments" / "dev.yaml").write_text("{}\n")
    (tmp_path / "environments" / "us.yaml").write_text("vars: {zone: Eastern Standard Time}\n")
    (tmp_path / "templates").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_KIT_ENV", raising=False)

    def preview(text, *arguments):
        (tmp_path / "templates" / "nightly.yml").write_text(text)
        code = 0
        try:
            main(["schedule", "preview", "nightly", *arguments])
        except SystemExit as leave:
            code = int(leave.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return preview


def test_five_times_are_shown_in_local_time_and_in_utc_across_a_change_of_the_clock(run):
    code, out, err = run(NIGHTLY, "-e", "dev", "--from", "2026-03-28")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "schedule  local                     utc",
        "nightly   Sat 2026-03-28 01:30 GMT  2026-03-28T01:30:00Z",
        "nightly   Sun 2026-03-29 02:30 BST  2026-03-29T01:30:00Z",
        "nightly   Mon 2026-03-30 01:30 BST  2026-03-30T00:30:00Z",
        "nightly   Tue 2026-03-31 01:30 BST  2026-03-31T00:30:00Z",
        "nightly   Wed 2026-04-01 01:30 BST  2026-04-01T00:30:00Z",
    ]


def test_each_environment_has_its_own_zone_by_either_kind_of_name(run):
    out = run(NIGHTLY, "-e", "us", "--from", "2026-07-01", "--count", "1", "-o", "json")[1]
    assert json.loads(out) == [
        {"schedule": "nightly", "local": "Wed 2026-07-01 01:30 EDT", "utc": "2026-07-01T05:30:00Z"}
    ]


def test_json_and_yaml_hold_the_same(run):
    arguments = ("-e", "dev", "--from", "2026-07-01")
    assert json.loads(run(NIGHTLY, *arguments, "-o", "json")[1]) == yaml.safe_load(
        run(NIGHTLY, *arguments, "-o", "yaml")[1]
    )


def test_a_time_without_an_offset_is_one_of_the_schedules_zone(run):
    local = run(NIGHTLY, "-e", "us", "--from", "2026-07-01T01:31", "--count", "1")[1]
    assert "2026-07-02" in local
    assert run(NIGHTLY, "-e", "us", "--from", "2026-07-01T01:31-04:00", "--count", "1")[1] == local
    assert "2026-07-01" in run(NIGHTLY, "-e", "us", "--from", "2026-07-01T01:31Z", "--count", "1")[1]


def test_without_from_times_are_those_after_now(run):
    [row] = json.loads(run(NIGHTLY, "-e", "dev", "--count", "1", "-o", "json")[1])
    ahead = datetime.fromisoformat(row["utc"]) - datetime.now(UTC)
    assert timedelta(minutes=-1) < ahead <= timedelta(days=1, hours=1)


def test_settings_change_what_is_shown(run):
    out = run(NIGHTLY, "-e", "dev", "--from", "2026-07-01", "--set", "trigger.expression=0 6 * * mon", "--count", "1")[
        1
    ]
    assert "Mon 2026-07-06 06:00 BST" in out


INSTANCE = """\
$schema: https://azuremlschemas.azureedge.net/latest/computeInstance.schema.json
name: desk-of-mine
type: computeinstance
schedules:
  compute_start_stop:
    - {action: start, trigger: {type: cron, expression: "0 8 * * 1-5", time_zone: Europe/Paris}}
    - {action: stop, trigger: {type: cron, expression: "0 18 * * 1-5", time_zone: Europe/Paris}}
"""


def test_every_trigger_of_a_compute_instance_is_shown(run):
    rows = json.loads(run(INSTANCE, "-e", "dev", "--from", "2026-07-04", "--count", "1", "-o", "json")[1])
    assert [row["local"] for row in rows] == ["Mon 2026-07-06 08:00 CEST", "Mon 2026-07-06 18:00 CEST"]


def test_a_schedule_that_is_over_says_so(run):
    text = NIGHTLY + '  end_time: "2026-02-01T00:00:00"\n'
    code, out, _ = run(text, "-e", "dev", "--from", "2026-03-01")
    assert (code, out) == (0, "the schedule fires no more\n")


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        (NIGHTLY.replace("30 1", "30 25"), (), "hour `25` is not 0-23"),
        (NIGHTLY, ("--from", "tomorrow"), "--from 'tomorrow' is no time"),
        (NIGHTLY, ("--from", "9999-12-31"), "at the end of the calendar"),
        ("type: command\ncommand: echo\nenvironment: azureml:e@latest\n", (), "has no trigger: it is no schedule"),
        (NIGHTLY, ("--count", "0"), "--count"),
    ],
    ids=["a fault", "no time", "no calendar", "no schedule", "no count"],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(run, text, arguments, words):
    code, out, err = run(text, "-e", "dev", *arguments)
    assert (code, out) == (2, "")
    assert words in err
