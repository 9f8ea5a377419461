"""The trigger of a schedule as it comes over the wire: refused where it never could fire, else a rule of fire times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlops_kit import cron, fire_times, zones
from mlops_kit.fire_times import Pattern, Trigger
from mlops_kit.local.arm.wire import BadRequestError, did_you_mean

Body = Mapping[str, Any]
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_START = "%Y-%m-%d %H:%M:%S"  # as azure-ai-ml 1.35 writes a moment: on the wall of the trigger's zone
# The parts of a pattern -> the lowest and the highest value.
_RANGES = {"hours": (0, 23), "minutes": (0, 59), "monthDays": (1, 31)}


def read(body: Body) -> Trigger:
    """Return what a trigger says; 400 at the field that is wrong."""
    zone = zones.rules(_zone(body))
    start, end = (_moment(body, key, zone) for key in ("startTime", "endTime"))
    if start and end and end <= start:
        raise _wrong("endTime", f"The end {body['endTime']} is not after the start {body['startTime']}.")
    kind = str(body.get("triggerType"))
    if kind == "Cron":
        return Trigger("day", 1, zone, _cron(str(body.get("expression") or "")), start, end)
    if kind == "Recurrence":
        return Trigger(_frequency(body), _interval(body), zone, _pattern(body.get("schedule") or {}), start, end)
    raise _wrong("triggerType", f"'{kind}' is no type of trigger; known types: Cron, Recurrence.")


def started(body: Body, now: datetime, previous: Body | None) -> dict[str, Any]:
    """Return a trigger with its start, as the service does: without one it counts from its creation on.

    One that is the same as ``previous`` but for the start, which it does not say, goes on counting from there.
    """
    if body.get("startTime"):
        return dict(body)
    if previous and _without_start(previous) == _without_start(body):
        return {**body, "startTime": previous["startTime"]}
    return {**body, "startTime": now.astimezone(zones.rules(_zone(body))).strftime(_START)}


def _without_start(body: Body) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "startTime" and value is not None}


def _wrong(field: str, message: str) -> BadRequestError:
    return BadRequestError(message, target=f"properties.trigger.{field}")


def _zone(body: Body) -> str:
    name = str(body.get("timeZone") or "UTC")
    if zones.is_windows_name(name):
        return name
    meant = zones.windows_name(name)
    hint = f" It is called '{meant}' here." if meant else did_you_mean(name, zones.SERVICE_ZONES)
    raise _wrong("timeZone", f"'{name}' is no time zone of the service, which has names of Windows.{hint}")


def _moment(body: Body, key: str, zone: Any) -> datetime | None:
    text = body.get(key)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise _wrong(key, f"'{text}' is no time such as 2026-01-31T08:00:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _cron(expression: str) -> Pattern:
    found, faults = cron.read(expression)
    if found is None:
        sentence = "; ".join(fault.message for fault in faults)
        raise _wrong("expression", f"'{expression}' is no cron expression: {sentence}.")
    return fire_times.from_cron(found)


def _frequency(body: Body) -> str:
    frequency = str(body.get("frequency")).lower()
    if frequency not in fire_times.FREQUENCIES:
        known = ", ".join(fire_times.FREQUENCIES)
        raise _wrong("frequency", f"'{body.get('frequency')}' is no frequency; known frequencies: {known}.")
    return frequency


def _interval(body: Body) -> int:
    interval = body.get("interval")
    if not isinstance(interval, int) or interval < 1:
        raise _wrong("interval", f"The interval is {interval}; it must be a whole number above 0.")
    return interval


def _pattern(body: Body) -> Pattern | None:
    """Return the times and days of a recurrence; the SDK sends an empty pattern where there is none."""
    if not any(body.values()):
        return None
    hours, minutes, month_days = (_numbers(body, key) for key in _RANGES)
    if not hours or not minutes:
        raise _wrong("schedule", "The pattern of a recurrence needs hours and minutes.")
    named = [str(day).lower() for day in body.get("weekDays") or ()]
    if unknown := [day for day in named if day not in _WEEK]:
        raise _wrong("schedule.weekDays", f"'{unknown[0]}' is no day of the week.")
    return Pattern(hours, minutes, frozenset(map(_WEEK.index, named)), month_days)


def _numbers(body: Body, key: str) -> frozenset[int]:
    low, high = _RANGES[key]
    given = body.get(key) or ()
    for value in given:
        if not isinstance(value, int) or not low <= value <= high:
            raise _wrong(f"schedule.{key}", f"'{value}' is no value of {key}; allowed is {low} to {high}.")
    return frozenset(given)
