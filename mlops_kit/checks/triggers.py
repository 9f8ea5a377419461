"""What the trigger of a schedule says: its moments, its zone, its rule; and the service's names in place of IANA's."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_kit.checks.ranges import number
from mlops_kit.documents import Entry, List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from mlops_kit.documents import Node
    from mlops_kit.fire_times import Pattern, Trigger

KINDS = {"job_schedule", "monitor_schedule", "data_import_schedule", "compute_instance"}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# What the SDK reads as a moment (marshmallow's ISO 8601): a date alone is none.
_MOMENT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d{0,6})?)?"
    r"(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)


def triggers(root: Map, kind: str) -> Iterator[Map]:
    """Yield the triggers of a document of one of ``KINDS``."""
    owners: tuple[Node, ...] = (root,)
    if kind == "compute_instance":
        schedules = root.get("schedules")
        listed = schedules.get("compute_start_stop") if isinstance(schedules, Map) else None
        owners = listed.items if isinstance(listed, List) else ()
    for owner in owners:
        trigger = owner.get("trigger") if isinstance(owner, Map) else None
        if isinstance(trigger, Map):
            yield trigger


def in_service_zones(root: Map) -> Map:
    """Return a document with the service's names of zones for those that IANA gave; the very document without any."""
    entries = tuple(Entry(each.key, _in_service_zones(each.key.text, each.value)) for each in root.entries)
    same = all(new.value is old.value for new, old in zip(entries, root.entries, strict=True))
    return root if same else replace(root, entries=entries)


def _in_service_zones(key: str, node: Node) -> Node:
    if key == "time_zone" and isinstance(node, Scalar) and isinstance(node.value, str):
        from mlops_kit import zones

        meant = None if zones.is_windows_name(node.text) else zones.windows_name(node.text)
        return Scalar(meant, meant, node.place, quoted=True) if meant else node
    if isinstance(node, Map) and key in {"trigger", "schedules"}:
        return in_service_zones(node)
    if isinstance(node, List) and key == "compute_start_stop":
        items = tuple(in_service_zones(each) if isinstance(each, Map) else each for each in node.items)
        return replace(node, items=items)
    return node


def zone_of(trigger: Map) -> str:
    """Return the name of a trigger's zone as it is written; without one the service takes UTC."""
    zone = trigger.get("time_zone")
    return zone.text if isinstance(zone, Scalar) and isinstance(zone.value, str) else "UTC"


def rules_of(trigger: Map) -> tzinfo:
    """Return the rules of a trigger's zone, those of UTC when the service has no such zone."""
    name = zone_of(trigger)
    if name.upper() == "UTC":
        return UTC
    from mlops_kit import zones

    return zones.rules(name) if zones.windows_name(name) else UTC


def read_moment(text: str) -> datetime:
    """Return a moment as the SDK reads it, with an offset where one is written.

    Raises:
        ValueError: It is none, or so near to the end of the calendar that other zones have no time for it.
    """
    match = _MOMENT.fullmatch(text)
    if match is None or not 1 < int(match[1]) < 9999:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(match[part] or 0) for part in range(1, 7))
    offset = datetime.fromisoformat(f"2000-01-01T00:00{match['offset'] or ''}").tzinfo
    return datetime(year, month, day, hour, minute, second, int((match[7] or "").ljust(6, "0")), offset)


def trigger_of(trigger: Map) -> Trigger:
    """Return what a trigger without faults says, as the function of fire times takes it."""
    from mlops_kit import cron
    from mlops_kit.fire_times import Trigger, from_cron

    zone = rules_of(trigger)
    start, end = (_local(trigger.get(key), zone) for key in ("start_time", "end_time"))
    expression, frequency, pattern = (trigger.get(key) for key in ("expression", "frequency", "schedule"))
    read = cron.read(expression.text)[0] if isinstance(expression, Scalar) else None
    if read is not None:
        return Trigger("day", 1, zone, from_cron(read), start, end)
    unit = frequency.text.lower() if isinstance(frequency, Scalar) else "day"
    times = _pattern(pattern) if isinstance(pattern, Map) else None
    return Trigger(unit, int(number(trigger.get("interval")) or 1), zone, times, start, end)


def items(node: Node | None) -> list[Scalar]:
    """Return the values of a list, or the one value that stands for a list."""
    nodes = node.items if isinstance(node, List) else (node,)
    return [each for each in nodes if isinstance(each, Scalar) and each.value is not None]


def _local(node: Node | None, zone: tzinfo) -> datetime | None:
    """Return a moment as the service gets it: the SDK drops an offset, and the zone is the trigger's."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return None
    return read_moment(node.text).replace(tzinfo=zone)


def _pattern(pattern: Map) -> Pattern:
    from mlops_kit.fire_times import Pattern

    hours, minutes, month_days = (_numbers(pattern.get(key)) for key in ("hours", "minutes", "month_days"))
    named = (item.text.lower() for item in items(pattern.get("week_days")))
    return Pattern(hours, minutes, frozenset(DAYS.index(name) for name in named if name in DAYS), month_days)


def _numbers(node: Node | None) -> frozenset[int]:
    given = (number(item) for item in items(node))
    return frozenset(int(value) for value in given if value is not None)
