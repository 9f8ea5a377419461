"""Cron expressions in the dialect of the service (field report R35)."""

import pytest

from mlops_kit import cron

EVERY_MINUTE, EVERY_HOUR, EVERY_DAY = frozenset(range(60)), frozenset(range(24)), frozenset(range(7))


@pytest.mark.parametrize(
    ("expression", "minutes", "hours", "week_days"),
    [
        ("* * * * *", EVERY_MINUTE, EVERY_HOUR, EVERY_DAY),
        ("15 16 * * 1", {15}, {16}, {1}),
        ("0,30 9-11 * * 1-5", {0, 30}, {9, 10, 11}, {1, 2, 3, 4, 5}),
        ("*/20 */8 * * *", {0, 20, 40}, {0, 8, 16}, EVERY_DAY),
        ("10-20/5 8/6 * * *", {10, 15, 20}, {8, 14, 20}, EVERY_DAY),
        ("0 0 * * mon", {0}, {0}, {1}),
        ("0 0 * * Sunday,Wed", {0}, {0}, {0, 3}),
        ("0 0 * * tue-THU", {0}, {0}, {2, 3, 4}),
        ("  5   4  *  *  0 ", {5}, {4}, {0}),
    ],
)
def test_fields_are_lists_ranges_steps_and_names(expression, minutes, hours, week_days):
    assert cron.read(expression) == (cron.Cron(frozenset(minutes), frozenset(hours), frozenset(week_days)), ())


@pytest.mark.parametrize(
    ("expression", "ignored"),
    [
        ("0 0 1 * *", ("day of the month",)),
        ("0 0 * jan *", ("month",)),
        ("0 0 1-7 6,12 1", ("day of the month", "month")),
    ],
)
def test_days_and_months_are_read_and_ignored(expression, ignored):
    read, faults = cron.read(expression)
    assert not faults
    assert read is not None
    assert read.ignored == ignored


@pytest.mark.parametrize(
    ("expression", "start", "words"),
    [
        ("61 * * * *", 0, "minute `61` is not 0-59"),
        ("* 24 * * *", 2, "hour `24` is not 0-23"),
        ("* * 32 * *", 4, "day of the month `32` is not 1-31"),
        ("* * * 0 *", 6, "month `0` is not 1-12 or jan-dec"),
        ("* * * * 7", 8, "day of the week `7` is not 0-6 or sun-sat, where 0 is Sunday"),
        ("* * * * mo", 8, "day of the week `mo` is not 0-6 or sun-sat, where 0 is Sunday"),
        ("* * * * fri-mon", 8, "day of the week `fri-mon` runs backwards"),
        ("*/0 * * * *", 0, "minute `*/0` has a step that is no whole number above 0"),
        ("*/x * * * *", 0, "minute `*/x` has a step that is no whole number above 0"),
        ("1, * * * *", 2, "minute `` is no form that is known"),
        ("* * L * *", 4, "day of the month `L` is not 1-31"),
        ("* * ? * *", 4, "day of the month `?` is no form that is known"),
        ("* * * * 5#2", 8, "day of the week `5#2` is no form that is known"),
        ("*-5 * * * *", 0, "minute `*-5` is no form that is known"),
        ("0 0 12 * * *", 0, "it has 6 fields where there are five, seconds or years are not among them"),
        ("@daily", 0, "it has 1 field where there are five"),
        ("0 6 0 * *", 4, "day of the month `0` is not 1-31"),
        ("0,15,61 * * * *", 5, "minute `61` is not 0-59"),
        ("  0   24 * * *", 6, "hour `24` is not 0-23"),
        ("", 0, "it has 0 fields where there are five"),
    ],
)
def test_what_is_wrong_is_said_with_the_place_where_it_begins(expression, start, words):
    assert cron.read(expression) == (None, (cron.Fault(words, start),))


def test_every_field_that_is_wrong_is_named():
    _, faults = cron.read("61 25 * * 9")
    assert [fault.start for fault in faults] == [0, 3, 10]
