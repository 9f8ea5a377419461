"""When schedules fire, against a scan of every minute that knows nothing of days and intervals."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_kit.fire_times import Pattern, Trigger, fire_times, fires

MINUTE = timedelta(minutes=1)
EVERY_HOUR = frozenset(range(24))
# Clocks that jump by an hour, by half of one, in the southern summer, by a whole day, at midnight, and never.
ZONES = [
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "UTC",
]
# Days around which these clocks jump, and some around which none does.
MOMENTS = st.sampled_from(
    [
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 10, 25, tzinfo=UTC),
        datetime(2026, 3, 8, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 4, 4, tzinfo=UTC),
        datetime(2026, 10, 3, tzinfo=UTC),
        datetime(2011, 12, 30, tzinfo=UTC),
        datetime(2018, 11, 4, tzinfo=UTC),
        datetime(2024, 2, 28, tzinfo=UTC),
        datetime(2026, 12, 31, tzinfo=UTC),
    ]
)
SINCE = st.builds(lambda day, minutes: day + MINUTE * minutes, MOMENTS, st.integers(-2880, 2880))
SETS = {
    "hours": st.frozensets(st.integers(0, 23), min_size=1, max_size=4) | st.just(EVERY_HOUR),
    "minutes": st.frozensets(st.integers(0, 59), min_size=1, max_size=3),
    "week_days": st.frozensets(st.integers(0, 6), max_size=3),
    "month_days": st.frozensets(st.integers(1, 31), max_size=3),
}
PATTERNS = st.builds(Pattern, **SETS)


def _wall_times(since: datetime, days: int, zone: ZoneInfo, *, twice: bool) -> Iterator[tuple[datetime, datetime]]:
    """Yield each minute with the time that counts as on the wall: in a gap, what the clock before it shows, too."""
    before, gap_ends = since.astimezone(zone).utcoffset(), since
    old = before
    moment = since - timedelta(days=2)
    before = moment.astimezone(zone).utcoffset()
    while moment < since + timedelta(days=days):
        local = moment.astimezone(zone)
        now = local.utcoffset()
        assert now is not None
        assert before is not None
        if now > before:
            old, gap_ends = before, moment + (now - before)
        before = now
        if moment >= since:
            if not local.fold or twice:
                yield moment, local.replace(tzinfo=None, fold=0)
            if moment < gap_ends and not twice:
                assert old is not None
                yield moment, (moment + old).replace(tzinfo=None)
        moment += MINUTE


def _scan(trigger: Trigger, since: datetime, days: int) -> list[datetime]:
    """Return the minutes of some days at which a trigger with a pattern fires."""
    zone, pattern = trigger.zone, trigger.pattern
    assert isinstance(zone, ZoneInfo)
    assert pattern is not None
    start = trigger.start or since
    anchor = start.astimezone(zone).date()
    found = {
        moment
        for moment, wall in _wall_times(since, days, zone, twice=pattern.hours == EVERY_HOUR)
        if wall.hour in pattern.hours and wall.minute in pattern.minutes and _is_due(trigger, anchor, wall.date())
    }
    return sorted(moment for moment in found if moment >= start and (trigger.end is None or moment <= trigger.end))


def _is_due(trigger: Trigger, anchor: date, day: date) -> bool:
    """Say by arithmetic of its own whether a day is one of the trigger's."""
    pattern = trigger.pattern
    assert pattern is not None
    if day < anchor:
        return False
    week_days, month_days = set(pattern.week_days), set(pattern.month_days)
    if trigger.frequency == "day":
        units = day.toordinal() - anchor.toordinal()
        month_days = set()
    elif trigger.frequency == "week":
        units = (day.toordinal() - anchor.toordinal()) // 7
        week_days, month_days = week_days or {anchor.weekday()}, set()
    else:
        units = 12 * day.year + day.month - 12 * anchor.year - anchor.month
        month_days = month_days if week_days or month_days else {anchor.day}
    fits = (not week_days or day.weekday() in week_days) and (not month_days or day.day in month_days)
    return units % trigger.interval == 0 and fits


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    since=SINCE,
    frequency=st.sampled_from(["day", "week", "month"]),
    interval=st.integers(1, 3),
    pattern=PATTERNS,
    back=st.none() | st.integers(-3000, 60_000),
)
def test_a_pattern_fires_at_the_minutes_that_a_scan_finds(zone, since, frequency, interval, pattern, back):
    start = None if back is None else since - MINUTE * back
    trigger = Trigger(frequency, interval, ZoneInfo(zone), pattern, start)
    expected = _scan(trigger, since, 5)
    until = since + timedelta(days=5)
    found = []
    for moment in fires(trigger, since):
        if moment >= until:
            break
        found.append(moment)
    assert found == expected


@settings(max_examples=60, deadline=None)
@given(
    unit=st.sampled_from(["minute", "hour"]),
    interval=st.integers(1, 300),
    since=SINCE,
    ahead=st.integers(0, 100_000),
    zone=st.sampled_from(ZONES),
)
def test_minutes_and_hours_count_elapsed_time_from_the_start(unit, interval, since, ahead, zone):
    trigger = Trigger(unit, interval, ZoneInfo(zone), start=since)
    asked = since + timedelta(seconds=ahead)
    seconds = interval * (60 if unit == "minute" else 3600)
    first, second = fire_times(trigger, asked, 2)
    assert asked <= first < asked + timedelta(seconds=seconds)
    assert (first - since).total_seconds() % seconds == 0
    assert (second - first).total_seconds() == seconds


@settings(max_examples=60, deadline=None)
@given(since=SINCE, zone=st.sampled_from(ZONES), pattern=PATTERNS, frequency=st.sampled_from(["day", "week", "month"]))
def test_asking_again_from_each_moment_gives_the_same_moments(since, zone, pattern, frequency):
    """A restart between two moments neither drops nor repeats one (course row L6-24)."""
    trigger = Trigger(frequency, 1, ZoneInfo(zone), pattern, start=since)
    at_once = fire_times(trigger, since, 4)
    one_by_one, asked = [], since
    for _ in at_once:
        [moment] = fire_times(trigger, asked, 1)
        one_by_one.append(moment)
        asked = moment + timedelta(seconds=1)
    assert tuple(one_by_one) == at_once
    assert sorted(set(at_once)) == list(at_once)


def _at(*hours_and_minutes: tuple[int, int]) -> Pattern:
    return Pattern(
        frozenset(hour for hour, _ in hours_and_minutes), frozenset(minute for _, minute in hours_and_minutes)
    )


def _local(trigger: Trigger, since: datetime, count: int) -> list[str]:
    return [f"{moment.astimezone(trigger.zone):%d %H:%M %Z}" for moment in fire_times(trigger, since, count)]


def test_a_time_that_the_clock_skips_fires_as_late_as_the_clock_jumped():
    trigger = Trigger("day", 1, ZoneInfo("Europe/London"), _at((1, 30)))
    assert _local(trigger, datetime(2026, 3, 28, tzinfo=UTC), 3) == ["28 01:30 GMT", "29 02:30 BST", "30 01:30 BST"]


def test_a_time_that_comes_twice_fires_the_first_time():
    trigger = Trigger("day", 1, ZoneInfo("Europe/London"), _at((1, 30)))
    assert _local(trigger, datetime(2026, 10, 24, 12, tzinfo=UTC), 2) == ["25 01:30 BST", "26 01:30 GMT"]


def test_an_hour_that_comes_twice_fires_twice_where_every_hour_does():
    trigger = Trigger("day", 1, ZoneInfo("Europe/London"), Pattern(EVERY_HOUR, frozenset({0})))
    found = _local(trigger, datetime(2026, 10, 25, tzinfo=UTC), 3)
    assert found == ["25 01:00 BST", "25 01:00 GMT", "25 02:00 GMT"]


def test_a_day_that_a_zone_left_out_fires_once():
    trigger = Trigger("day", 1, ZoneInfo("Pacific/Apia"), _at((9, 0)))
    found = _local(trigger, datetime(2011, 12, 29, 12, tzinfo=UTC), 3)
    assert [text[:2] for text in found] == ["29", "31", "01"]


def test_a_day_that_a_zone_left_out_is_not_forgotten_when_it_is_asked_for_late():
    friday = Pattern(frozenset({9}), frozenset({0}), frozenset({4}))  # the 30th, which Apia left out
    trigger = Trigger("day", 1, ZoneInfo("Pacific/Apia"), friday, start=datetime(2011, 12, 1, tzinfo=UTC))
    assert _local(trigger, datetime(2011, 12, 30, 12, tzinfo=UTC), 1) == ["31 09:00 +14"]


def test_without_a_pattern_days_weeks_and_months_keep_the_time_on_the_wall_of_the_start():
    zone = ZoneInfo("Europe/London")
    start = datetime(2026, 3, 27, 8, 15, 30, tzinfo=zone)
    for frequency, expected in (("day", (27, 28, 29)), ("week", (27, 3, 10)), ("month", (27, 27, 27))):
        found = fire_times(Trigger(frequency, 1, zone, start=start), start, 3)
        local = [moment.astimezone(zone) for moment in found]
        assert [moment.day for moment in local] == list(expected)
        assert {(moment.hour, moment.minute, moment.second) for moment in local} == {(8, 15, 30)}


def test_a_month_without_the_day_is_left_out():
    start = datetime(2026, 1, 31, 6, tzinfo=UTC)
    assert [moment.month for moment in fire_times(Trigger("month", 1, UTC, start=start), start, 4)] == [1, 3, 5, 7]


def test_daily_fires_fifteen_times_in_fifteen_days_and_weekly_on_mondays_only():
    """L6-24, L15-09."""
    start = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
    daily = Trigger("day", 1, UTC, _at((0, 0)), end=start + timedelta(days=15) - MINUTE)
    assert len(fire_times(daily, start, 100)) == 15
    weekly = Trigger("week", 1, UTC, Pattern(frozenset({0}), frozenset({0}), frozenset({0})))
    assert [moment.weekday() for moment in fire_times(weekly, start + MINUTE, 3)] == [0, 0, 0]


def test_the_first_moment_of_a_recurrence_without_start_is_the_one_asked_for():
    since = datetime(2026, 6, 1, 10, 20, tzinfo=UTC)
    for frequency in ("minute", "hour", "day", "week", "month"):
        assert fire_times(Trigger(frequency, 2, UTC), since, 1) == (since,)


def test_nothing_fires_before_the_start_or_after_the_end():
    start, end = datetime(2026, 6, 3, tzinfo=UTC), datetime(2026, 6, 5, tzinfo=UTC)
    trigger = Trigger("day", 1, UTC, _at((0, 0)), start, end)
    found = fire_times(trigger, datetime(2026, 1, 1, tzinfo=UTC), 10)
    assert [moment.day for moment in found] == [3, 4, 5]
    assert fire_times(trigger, end + MINUTE, 10) == ()


@pytest.mark.parametrize(
    "trigger",
    [
        Trigger("month", 12, UTC, Pattern(frozenset({0}), frozenset({0}), month_days=frozenset({30}))),
        Trigger("day", 10**12, UTC, _at((0, 0))),
        Trigger("hour", 10**12, UTC),
        Trigger("day", 1, UTC, Pattern(frozenset(), frozenset({0}))),
    ],
    ids=["no such day", "an interval beyond the calendar", "elapsed beyond the calendar", "no hours"],
)
def test_a_trigger_that_never_fires_again_ends(trigger):
    since = datetime(2026, 2, 1, 0, 1, tzinfo=UTC)
    assert len(list(islice(fires(trigger, since), 5))) <= 1


def test_the_end_of_the_calendar_ends_a_schedule():
    since = datetime(9999, 12, 20, tzinfo=UTC)
    assert len(fire_times(Trigger("day", 1, UTC, _at((0, 0))), since, 100)) < 15
    assert len(fire_times(Trigger("hour", 24, UTC), since, 100)) < 15


def test_a_gap_of_half_an_hour_moves_no_firing_of_every_hour():
    trigger = Trigger("day", 1, ZoneInfo("Australia/Lord_Howe"), Pattern(EVERY_HOUR, frozenset({0})))
    found = fire_times(trigger, datetime(2026, 10, 3, 14, 0, tzinfo=UTC), 4)
    assert [f"{moment:%H:%M}" for moment in found] == ["14:30", "16:00", "17:00", "18:00"]
