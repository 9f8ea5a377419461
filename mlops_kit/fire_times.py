"""When a schedule fires: the rules of the service as one pure function of a trigger and a moment. No clock is read.

Minutes and hours without a pattern count elapsed time from the start. Everything else is time on the wall of the
trigger's zone: a time that the clock skips fires as late as the clock jumped (02:30 at 03:30), a time that comes twice
fires the first time; only where every hour fires does the hour that comes twice fire twice. The service does not say
what it does in these two nights of a year; this is what cron does on most machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice

from mlops_kit.cron import Cron

FREQUENCIES = ("minute", "hour", "day", "week", "month")
_ELAPSED = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_EVERY_HOUR = frozenset(range(24))
_HORIZON = 36_525  # days, a century: what has not fired by then never will
_WIDEST = timedelta(days=2)  # more than any clock was ever set forward or back
_LAST_DAY = date(9999, 12, 29)  # of the calendar, with room for every zone


@dataclass(frozen=True, slots=True)
class Pattern:
    """The times of a day and the days; ``week_days`` counts from Monday, 0, and an empty set leaves days free."""

    hours: frozenset[int]
    minutes: frozenset[int]
    week_days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()


def from_cron(cron: Cron) -> Pattern:
    """Return the times and days of a cron expression, which fires by the day; its week begins with Sunday."""
    return Pattern(cron.hours, cron.minutes, frozenset((day - 1) % 7 for day in cron.week_days))


@dataclass(frozen=True, slots=True)
class Trigger:
    """Every ``interval`` of a ``frequency`` from ``start`` on, at the times of ``pattern``; moments know their zone.

    Without ``start`` intervals count from the moment asked for, which is when the schedule is created. Nothing fires
    after ``end``.
    """

    frequency: str
    interval: int
    zone: tzinfo
    pattern: Pattern | None = None
    start: datetime | None = None
    end: datetime | None = None


def fire_times(trigger: Trigger, since: datetime, count: int) -> tuple[datetime, ...]:
    """Return the next ``count`` moments, in UTC, not before ``since``; fewer when the schedule ends before."""
    return tuple(islice(fires(trigger, since), count))


def fires(trigger: Trigger, since: datetime) -> Iterator[datetime]:
    """Yield each moment, in UTC and in order, not before ``since``."""
    start = (trigger.start or since).astimezone(UTC)
    earliest = max(start, since.astimezone(UTC))
    end = trigger.end.astimezone(UTC) if trigger.end else None
    is_elapsed = trigger.frequency in _ELAPSED and trigger.pattern is None
    for moment in (_elapsed if is_elapsed else _on_the_wall)(trigger, start, earliest):
        if end and moment > end:
            return
        yield moment


def _elapsed(trigger: Trigger, start: datetime, earliest: datetime) -> Iterator[datetime]:
    """Yield the moments that are whole intervals away from the start, to the end of the calendar."""
    try:
        step = _ELAPSED[trigger.frequency] * trigger.interval
        moment = start - (start - earliest) // step * step
        while True:
            yield moment
            moment += step
    except OverflowError:
        return


def _on_the_wall(trigger: Trigger, start: datetime, earliest: datetime) -> Iterator[datetime]:
    """Yield the moments of the days that are due."""
    anchor = start.astimezone(trigger.zone)
    pattern = trigger.pattern
    times = _times(pattern) if pattern else [anchor.timetz().replace(tzinfo=None, fold=0)]
    twice = pattern is not None and pattern.hours == _EVERY_HOUR
    is_due = _due(trigger, anchor.date())
    day = max(anchor.date(), (earliest - _WIDEST).astimezone(trigger.zone).date())
    last = earliest - timedelta(microseconds=1)
    quiet = 0
    while quiet < _HORIZON and day < _LAST_DAY:
        quiet += 1
        if is_due(day):
            # The day that a zone once left out falls on the next one, whose own moments are the same.
            for moment in _moments(day, times, trigger.zone, twice=twice):
                if moment > last:
                    yield moment
                    last, quiet = moment, 0
        day += timedelta(days=1)


def _times(pattern: Pattern) -> list[time]:
    return [time(hour, minute) for hour in sorted(pattern.hours) for minute in sorted(pattern.minutes)]


def _moments(day: date, times: list[time], zone: tzinfo, *, twice: bool) -> list[datetime]:
    """Return times on the wall of one day as moments.

    A time in a gap is read by the clock before the jump. A pattern of every hour (``twice``) has each time as often as
    it is on the wall: twice where the clock goes back, never in a gap, which need not be a whole hour.
    """
    walls = [datetime.combine(day, each, zone) for each in times]
    if not twice:
        return sorted({wall.astimezone(UTC) for wall in walls})
    both = {(wall, wall.replace(fold=fold).astimezone(UTC)) for wall in walls for fold in (0, 1)}
    return sorted({moment for wall, moment in both if _on_wall(moment, zone) == wall.replace(tzinfo=None)})


def _on_wall(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _due(trigger: Trigger, anchor: date) -> Callable[[date], bool]:
    """Return whether the schedule fires on a day; weeks are the seven days from the start on."""
    pattern = trigger.pattern or Pattern(frozenset(), frozenset())
    interval, week_days, month_days = trigger.interval, pattern.week_days, pattern.month_days
    if trigger.frequency == "month":
        if not week_days and not month_days:
            month_days = frozenset({anchor.day})
        return lambda day: (
            _months(anchor, day) % interval == 0
            and (not month_days or day.day in month_days)
            and (not week_days or day.weekday() in week_days)
        )
    if trigger.frequency == "week":
        chosen = week_days or frozenset({anchor.weekday()})
        return lambda day: (day - anchor).days // 7 % interval == 0 and day.weekday() in chosen
    return lambda day: (day - anchor).days % interval == 0 and (not week_days or day.weekday() in week_days)


def _months(since: date, until: date) -> int:
    return (until.year - since.year) * 12 + until.month - since.month
