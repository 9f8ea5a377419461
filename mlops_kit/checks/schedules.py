"""Schedules: the cron expression or the recurrence of every trigger, its start, end and zone, and whether it fires."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_kit.checks.files import place_in
from mlops_kit.checks.findings import Finding, brief, did_you_mean, error, warning
from mlops_kit.checks.ranges import COUNT, Range, number, outside
from mlops_kit.checks.triggers import KINDS, items, read_moment, rules_of, trigger_of, triggers, zone_of
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

_FORM = "write it as `2026-01-31T08:00:00`, a time in the trigger's `time_zone`"
_TIMES = ("hours", "minutes")
_FREQUENCIES = ("minute", "hour", "day", "week", "month")
# The parts of a recurrence's `schedule` -> the frequencies that take them (page of the schedule's YAML) and the values.
_PARTS = {
    "hours": (("day", "week", "month"), Range(0, 23)),
    "minutes": (("day", "week", "month"), Range(0, 59)),
    "week_days": (("week", "month"), None),
    "month_days": (("month",), Range(1, 31)),
}

# kind -> the key that says what it starts
_STARTS = {
    "job_schedule": "create_job",
    "monitor_schedule": "create_monitor",
    "data_import_schedule": "import_data",
}


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with each trigger of a schedule, or of a compute instance that starts and stops by itself."""
    if subject.kind in KINDS:
        yield from _lacking(subject.root, subject.kind)
        for trigger in triggers(subject.root, subject.kind):
            yield from _trigger(trigger, is_job=subject.kind != "compute_instance")


def _lacking(root: Map, kind: str) -> Iterator[Finding]:
    """Yield what a schedule lacks: the SDK's schema asks for its name only, and its loader fails without the rest."""
    what = _STARTS.get(kind)
    for key in ("trigger", what) if what else ():
        if root.get(key) is None:
            yield error("MK0104", root.place, f"required key `{key}` is missing")


def _trigger(trigger: Map, *, is_job: bool) -> Iterator[Finding]:
    """Yield what is wrong with one trigger; whether it ever fires is only asked of one that is right."""
    wrong_zone = [*_zone(trigger)]
    found = [*wrong_zone, *_rule(trigger, is_job=is_job), *_moments(trigger, is_zone_known=not wrong_zone)]
    yield from found
    if not any(finding.severity == "error" for finding in found) and _is_whole(trigger):
        yield from _never(trigger)


def _zone(trigger: Map) -> Iterator[Finding]:
    """Yield a zone that the service does not have."""
    zone = trigger.get("time_zone")
    if not isinstance(zone, Scalar) or not isinstance(zone.value, str):
        return
    from mlops_kit import zones

    if zones.windows_name(zone.text) is not None:
        return
    if zones.is_known(zone.text):
        message = f"the service has no zone for `{zone.text}`"
        yield error("MK0936", zone.place, message, "write the name of a zone that keeps the same time")
        return
    hint = did_you_mean(zone.text, zones.known()) or "write a name such as `Europe/London` or `GMT Standard Time`"
    yield error("MK0936", zone.place, f"`{brief(zone.text)}` is no time zone", hint)


def _rule(trigger: Map, *, is_job: bool) -> Iterator[Finding]:
    """Yield what is wrong with the expression of a cron trigger, or with the parts of a recurrence."""
    yield from outside(trigger, "interval", COUNT, "MK0932")
    expression, pattern, frequency = (trigger.get(key) for key in ("expression", "schedule", "frequency"))
    if isinstance(expression, Scalar):
        yield from _expression(expression, is_job=is_job)
    if isinstance(pattern, Map) and isinstance(frequency, Scalar) and frequency.text.lower() in _FREQUENCIES:
        yield from _pattern(pattern, frequency.text.lower())


def _expression(expression: Scalar, *, is_job: bool) -> Iterator[Finding]:
    """Yield one finding for all that is wrong with an expression, at the first piece that is."""
    from mlops_kit import cron

    read, faults = cron.read(expression.text)
    if faults:
        message = f"`{brief(expression.text)}` is no cron expression: {'; '.join(fault.message for fault in faults)}"
        hint = "the fields are minute, hour, day of the month, month, day of the week"
        yield error("MK0930", place_in(expression, expression.text[faults[0].start :]), message, hint)
    elif read and read.ignored and is_job:
        fields = " and ".join(read.ignored)
        message = f"the service ignores the {fields} of `{brief(expression.text)}`: it fires as if `*` stood there"
        hint = "use `type: recurrence` with `month_days`" if "day of the month" in fields else "write `*`"
        yield warning("MK0931", expression.place, message, hint)


def _pattern(pattern: Map, frequency: str) -> Iterator[Finding]:
    """Yield parts of a recurrence that its frequency does not take, and values out of their range."""
    for entry in pattern.entries:
        key, value = entry.key, entry.value
        frequencies, allowed = _PARTS.get(key.text, (_FREQUENCIES, None))
        if frequency not in frequencies:
            message = f"`{key.text}` has no meaning with frequency `{frequency}`"
            yield error("MK0933", key.place, message, f"it goes with {' or '.join(frequencies)}")
        elif isinstance(value, List) and not value.items:
            yield error("MK0933", value.place, f"`{key.text}` is empty, so the schedule never fires")
        elif allowed:
            yield from _values(key.text, items(value), allowed)


def _values(key: str, given: list[Scalar], allowed: Range) -> Iterator[Finding]:
    for item in given:
        value = number(item)
        if value is not None and value not in allowed:
            yield error("MK0933", item.place, f"`{item.text}` is no value of `{key}`; allowed is {allowed}")


def _moments(trigger: Map, *, is_zone_known: bool) -> Iterator[Finding]:
    """Yield a start or an end that is no moment or loses its offset, and an end that does not come after the start."""
    local: dict[str, datetime] = {}
    for key in ("start_time", "end_time"):
        scalar = trigger.get(key)
        if not isinstance(scalar, Scalar) or not isinstance(scalar.value, str):
            continue
        try:
            written = read_moment(scalar.text)
        except ValueError:
            yield error("MK0934", scalar.place, f"`{key}` is `{brief(scalar.text)}`, no date and time", _FORM)
            continue
        local[key] = written.replace(tzinfo=rules_of(trigger))
        if is_zone_known:
            yield from _offset(scalar, written, local[key], zone_of(trigger))
    if len(local) == 2 and local["start_time"] >= local["end_time"]:
        end = trigger.get("end_time") or trigger
        message = f"`end_time` is not after `start_time`, `{local['start_time']:%Y-%m-%dT%H:%M:%S}`"
        yield error("MK0935", end.place, message, "the schedule would never fire")


def _offset(scalar: Scalar, written: datetime, local: datetime, zone: str) -> Iterator[Finding]:
    """Yield an offset that is not the zone's own: the SDK formats the moment without it."""
    if written.tzinfo and written.utcoffset() != local.utcoffset():
        message = f"the SDK drops the offset of `{scalar.text}` and takes it for a time in `{zone}`"
        hint = f"write `{written.astimezone(local.tzinfo):%Y-%m-%dT%H:%M:%S}`"
        yield warning("MK0937", scalar.place, message, hint)


def _is_whole(trigger: Map) -> bool:
    """Return whether a trigger has what it needs to say when it fires; what is missing the schema says."""
    if isinstance(trigger.get("expression"), Scalar):
        return True
    pattern, frequency = trigger.get("schedule"), trigger.get("frequency")
    has_times = pattern is None or (isinstance(pattern, Map) and all(map(_are_numbers, map(pattern.get, _TIMES))))
    known = isinstance(frequency, Scalar) and frequency.text.lower() in _FREQUENCIES
    return known and has_times and number(trigger.get("interval")) is not None


def _are_numbers(node: Node | None) -> bool:
    given = items(node)
    return bool(given) and all(number(each) is not None for each in given)


def _never(trigger: Map) -> Iterator[Finding]:
    """Yield a trigger that never fires: nothing is due before it ends, or no month has the days."""
    from mlops_kit import fire_times

    meant = trigger_of(trigger)
    if meant.end and not meant.start:
        return  # it counts from its creation, which nobody knows here
    if meant.end is None and not (meant.pattern and meant.pattern.month_days):
        return
    if not fire_times.fire_times(meant, meant.start or datetime(2000, 1, 1, tzinfo=UTC), 1):
        yield warning("MK0938", trigger.place, "the schedule never fires", "look at its start, its end and its days")
