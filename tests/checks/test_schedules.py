"""Schedules: cron expressions, recurrences, start, end, zones (field report R35, course row L6-24)."""

import io

import pytest

from mlops_kit import checks, documents

HEAD = """\
$schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json
name: nightly
create_job: azureml:train
"""


def _schedule(trigger):
    return f"{HEAD}trigger: {{{trigger}}}\n"


def _found(folder, trigger):
    """Return the findings of a trigger that stands in line 4, each without its place."""
    lines = folder.found(_schedule(trigger), "schedules/nightly.yml")
    assert all(line.startswith("4:") for line in lines)
    return [line.partition(": ")[2] for line in lines]


def _codes(lines):
    return [line.partition("[")[2].partition("]")[0] for line in lines]


@pytest.mark.parametrize(
    ("trigger", "code"),
    [
        ("type: cron, expression: '61 25 * * 9'", ["MK0930"]),
        ("type: cron, expression: '0 0 12 * * *'", ["MK0930"]),
        ("type: recurrence, frequency: day, interval: 0", ["MK0932"]),
        (
            "type: cron, expression: '0 6 * * *', start_time: '2026-02-01T00:00', end_time: '2026-01-01T00:00'",
            ["MK0935"],
        ),
        ("type: recurrence, frequency: day, interval: 1, time_zone: Europe/London", []),
        ("type: recurrence, frequency: Minute, interval: 1", []),
    ],
    ids=["cron out of range", "six fields", "interval 0", "end before start", "IANA zone", "frequency in any case"],
)
def test_the_schedules_of_the_field_report_are_four_findings(folder, trigger, code):
    """R35."""
    assert _codes(_found(folder, trigger)) == code


def test_one_expression_is_one_finding_that_names_each_wrong_field(folder):
    """R35."""
    [line] = folder.found(_schedule("type: cron, expression: '61 25 * * 9'"), "schedules/nightly.yml")
    assert line.startswith("4:36: error[MK0930]: `61 25 * * 9` is no cron expression: minute `61` is not 0-59; ")
    assert "hour `25` is not 0-23; day of the week `9` is not 0-6" in line


def test_the_finding_stands_at_the_first_field_that_is_wrong(folder):
    [line] = folder.found(_schedule("type: cron, expression: '0 6 * * 7'"), "schedules/nightly.yml")
    assert line.startswith("4:44: error[MK0930]")
    assert "day of the week `7` is not 0-6 or sun-sat, where 0 is Sunday" in line


@pytest.mark.parametrize(("expression", "column"), [("0 6 0 * *", 40), ("0,61 * * * *", 38), ("* * * * mon,7", 48)])
def test_the_place_is_that_of_the_wrong_piece_and_not_of_an_equal_one(folder, expression, column):
    [line] = folder.found(_schedule(f"type: cron, expression: '{expression}'"), "schedules/nightly.yml")
    assert line.startswith(f"4:{column}: error[MK0930]")


@pytest.mark.parametrize(
    ("expression", "fields"),
    [("0 6 1 * *", "day of the month"), ("0 6 * 1 *", "month"), ("0 6 1 1 *", "day of the month and month")],
)
def test_fields_that_the_service_ignores_are_a_warning(folder, expression, fields):
    [line] = _found(folder, f"type: cron, expression: '{expression}'")
    assert line.startswith(f"warning[MK0931]: the service ignores the {fields} of `{expression}`")


@pytest.mark.parametrize("frequency", ["second", "fortnight", "daily"])
def test_a_frequency_that_is_none_is_one_finding(folder, frequency):
    assert _codes(_found(folder, f"type: recurrence, frequency: {frequency}, interval: 1")) == ["MK0106"]


@pytest.mark.parametrize(
    ("frequency", "pattern"),
    [
        ("day", "hours: 0, minutes: 59"),
        ("day", "hours: [4, 5, 23], minutes: [0, 30]"),
        ("week", "hours: 8, minutes: 0, week_days: [monday, Sunday]"),
        ("Month", "hours: 8, minutes: 0, month_days: [1, 31]"),
        ("month", "hours: 8, minutes: 0, week_days: monday"),
    ],
)
def test_a_pattern_that_its_frequency_takes_is_right(folder, frequency, pattern):
    assert _found(folder, f"type: recurrence, frequency: {frequency}, interval: 1, schedule: {{{pattern}}}") == []


@pytest.mark.parametrize(
    ("frequency", "pattern", "words"),
    [
        ("day", "hours: 24, minutes: 0", "`24` is no value of `hours`; allowed is 0 to 23"),
        ("day", "hours: [1, -1], minutes: 0", "`-1` is no value of `hours`; allowed is 0 to 23"),
        ("week", "hours: 1, minutes: [60]", "`60` is no value of `minutes`; allowed is 0 to 59"),
        ("month", "hours: 1, minutes: 0, month_days: 32", "`32` is no value of `month_days`; allowed is 1 to 31"),
        ("month", "hours: 1, minutes: 0, month_days: 0", "`0` is no value of `month_days`; allowed is 1 to 31"),
        ("day", "hours: [], minutes: 0", "`hours` is empty, so the schedule never fires"),
        (
            "day",
            "hours: 1, minutes: 0, week_days: [monday]",
            "`week_days` has no meaning with frequency `day`; it goes with week or month",
        ),
        (
            "week",
            "hours: 1, minutes: 0, month_days: 1",
            "`month_days` has no meaning with frequency `week`; it goes with month",
        ),
    ],
)
def test_a_pattern_that_cannot_be_met_is_one_finding(folder, frequency, pattern, words):
    found = _found(folder, f"type: recurrence, frequency: {frequency}, interval: 1, schedule: {{{pattern}}}")
    assert found == [f"error[MK0933]: {words}"]


def test_a_pattern_belongs_to_days_weeks_and_months(folder):
    found = _found(folder, "type: recurrence, frequency: hour, interval: 1, schedule: {hours: 1, minutes: 0}")
    assert [line.partition(";")[0] for line in found] == [
        "error[MK0933]: `hours` has no meaning with frequency `hour`",
        "error[MK0933]: `minutes` has no meaning with frequency `hour`",
    ]


@pytest.mark.parametrize(
    "text", ["2026-01-31", "08:00", "20260131T080000", "2026-02-30T00:00:00", "soon", "0001-01-01T00:00"]
)
def test_what_is_no_date_and_time_is_refused(folder, text):
    [line] = _found(folder, f"type: cron, expression: '0 6 * * *', start_time: '{text}'")
    assert line.startswith(f"error[MK0934]: `start_time` is `{text}`, no date and time; write it as")


@pytest.mark.parametrize("text", ["2026-01-31T08:00:00", "2026-01-31 08:00", "2026-1-3T8:05", "2026-01-31T08:00:00.5"])
def test_what_is_taken_for_a_moment_the_sdk_takes(folder, text):
    from azure.ai.ml.entities._load_functions import load_schedule

    assert _found(folder, f"type: cron, expression: '0 6 * * *', start_time: '{text}'") == []
    loaded = load_schedule(io.StringIO(_schedule(f"type: cron, expression: '0 6 * * *', start_time: '{text}'")))
    assert loaded.trigger.start_time


def test_the_sdk_does_drop_an_offset_as_the_finding_says(folder):
    from azure.ai.ml.entities._load_functions import load_schedule

    trigger = "type: cron, expression: '0 6 * * *', start_time: '2026-05-10T10:15:00-04:00'"
    loaded = load_schedule(io.StringIO(_schedule(trigger)))
    assert loaded.trigger._to_rest_object().start_time == "2026-05-10 10:15:00"
    [line] = _found(folder, trigger)
    assert line == (
        "warning[MK0937]: the SDK drops the offset of `2026-05-10T10:15:00-04:00` and takes it for a time in `UTC`; "
        "write `2026-05-10T14:15:00`"
    )


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-05-10T10:15:00Z", "UTC", []),
        ("2026-05-10T10:15:00+01:00", "Europe/London", []),
        ("2026-05-10T10:15:00+0100", "GMT Standard Time", []),
        ("2026-01-10T10:15:00+01:00", "Europe/London", ["MK0937"]),
    ],
)
def test_an_offset_that_the_zone_has_at_that_time_does_no_harm(folder, text, zone, expected):
    trigger = f"type: cron, expression: '0 6 * * *', time_zone: {zone}, start_time: '{text}'"
    assert _codes(_found(folder, trigger)) == expected


def test_start_and_end_are_compared_as_the_service_gets_them(folder):
    trigger = (
        "type: recurrence, frequency: day, interval: 1, start_time: '2026-01-01T08:00', end_time: '2026-01-01T08:00'"
    )
    assert _codes(_found(folder, trigger)) == ["MK0935"]


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Londn", "`Europe/Londn` is no time zone; did you mean `Europe/London`"),
        ("PACIFIC_STANDARD_TIME", "`PACIFIC_STANDARD_TIME` is no time zone; did you mean `Pacific Standard Time`"),
        ("PST", "`PST` is no time zone; write a name such as `Europe/London` or `GMT Standard Time`"),
        ("'+02:00'", "`+02:00` is no time zone; write a name such as `Europe/London` or `GMT Standard Time`"),
        (
            "Africa/Khartoum",
            "the service has no zone for `Africa/Khartoum`; write the name of a zone that keeps the same time",
        ),
    ],
)
def test_a_zone_that_the_service_lacks_is_refused_with_a_suggestion(folder, zone, words):
    """R35."""
    found = _found(folder, f"type: cron, expression: '0 6 * * *', time_zone: {zone}")
    assert found == [f"error[MK0936]: {words}"]


@pytest.mark.parametrize(
    ("trigger", "fires"),
    [
        ("type: cron, expression: '0 6 * * mon', start_time: '2026-06-02T00:00', end_time: '2026-06-05T00:00'", False),
        ("type: cron, expression: '0 6 * * mon', start_time: '2026-06-01T00:00', end_time: '2026-06-05T00:00'", True),
        (
            (
                "type: recurrence, frequency: month, interval: 12, start_time: '2026-02-01T00:00', "
                "schedule: {hours: 1, minutes: 0, month_days: 30}"
            ),
            False,
        ),
        ("type: recurrence, frequency: day, interval: 9, end_time: '2020-01-01T00:00'", True),  # when it was created
    ],
)
def test_a_schedule_that_never_fires_is_a_warning(folder, trigger, fires):
    assert _codes(_found(folder, trigger)) == ([] if fires else ["MK0938"])


@pytest.mark.parametrize(
    "text",
    [
        "name: m\ncreate_monitor: {}\ntrigger: {type: cron, expression: '0 0 0'}\n",
        "name: d\nimport_data: azureml:x\ntrigger: {type: cron, expression: '0 0 0'}\n",
        (
            "name: desk-1\ntype: computeinstance\nschedules:\n  compute_start_stop:\n"
            "    - {action: stop, trigger: {type: cron, expression: '0 0 0'}}\n"
        ),
    ],
    ids=["monitor", "data import", "compute instance"],
)
def test_every_kind_with_a_trigger_is_checked(folder, text):
    assert "MK0930" in _codes(folder.found(text, "files/one.yml"))


@pytest.mark.parametrize(
    "trigger",
    [
        "type: recurrence, frequency: day, interval: .inf",
        "type: recurrence, frequency: week, interval: 1, schedule: {hours: x, minutes: 0, week_days: funday}",
        "type: recurrence, frequency: day, interval: 99999999999999999999, end_time: '2026-01-01T00:00'",
        "type: cron",
        "type: cron, expression: ~, start_time: ~, time_zone: ~",
        "type: recurrence, frequency: day, interval: 1, schedule: {hours: {}, minutes: []}",
        "expression: [1], frequency: {}, schedule: 3",
    ],
)
def test_what_the_schema_refuses_does_not_stop_the_check(folder, trigger):
    folder.found(_schedule(trigger), "schedules/nightly.yml")


def _written(folder, text):
    [document] = documents.load(folder.put("schedules/nightly.yml", text))
    return documents.to_data(checks.as_written(document))


def test_what_is_submitted_holds_the_service_name_of_the_zone(folder):
    """R35: IANA names are translated."""
    found = _written(folder, _schedule("type: cron, expression: '0 6 * * *', time_zone: Europe/London"))
    assert found["trigger"]["time_zone"] == "GMT Standard Time"


@pytest.mark.parametrize("zone", ["utc", "Pacific Standard Time", "Europe/Londn"])
def test_a_name_of_the_service_and_an_unknown_one_stay_as_written(folder, zone):
    found = _written(folder, _schedule(f"type: cron, expression: '0 6 * * *', time_zone: {zone}"))
    assert found["trigger"]["time_zone"] == zone


def test_zones_of_a_compute_instance_are_translated_and_nothing_else_is(folder):
    text = (
        "name: desk-1\ntype: computeinstance\ntags: {time_zone: Europe/London}\nschedules:\n  compute_start_stop:\n"
        "    - {action: stop, trigger: {type: cron, expression: '0 18 * * *', time_zone: Asia/Tokyo}}\n"
    )
    found = _written(folder, text)
    assert found["schedules"]["compute_start_stop"][0]["trigger"]["time_zone"] == "Tokyo Standard Time"
    assert found["tags"] == {"time_zone": "Europe/London"}
