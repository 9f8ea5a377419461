"""Cron expressions as the service reads them: five fields in the dialect of NCrontab, two of which it ignores.

No cron library reads this dialect: here a week is 0 to 6 and has no 7, names may be whole words, there are no ``L``,
``W``, ``#``, ``?`` or ``@daily``, and whatever stands for days and months of the year means ``*``. Once the fields are
read they are lists of minutes, hours and days of the week, as those of a recurrence are; ``fire_times`` counts both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
WEEK_DAYS = "sunday monday tuesday wednesday thursday friday saturday".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an expression: its name, its lowest and highest value, and the words for values from the lowest."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, tuple(MONTHS)),
    Field("day of the week", 0, 6, tuple(WEEK_DAYS)),
)
_PART = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\w+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cron:
    """The values of each field; ``week_days`` counts from Sunday, 0. ``ignored`` are fields the service passes over."""

    minutes: frozenset[int]
    hours: frozenset[int]
    week_days: frozenset[int]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an expression, in words, and where in its text that begins."""

    message: str
    start: int = 0


def read(expression: str) -> tuple[Cron | None, tuple[Fault, ...]]:
    """Return what an expression says, or None and everything that is wrong with it."""
    texts = list(re.finditer(r"\S+", expression))
    if len(texts) != len(FIELDS):
        return None, (Fault(_wrong_count(len(texts))),)
    found = [_values(text[0], text.start(), field) for text, field in zip(texts, FIELDS, strict=True)]
    if faults := tuple(each for each in found if isinstance(each, Fault)):
        return None, faults
    minutes, hours, _, _, week_days = (each for each in found if not isinstance(each, Fault))
    ignored = tuple(field.name for text, field in zip(texts[2:4], FIELDS[2:4], strict=True) if text[0] != "*")
    return Cron(minutes, hours, week_days, ignored), ()


def _wrong_count(given: int) -> str:
    count = f"{given} field" + ("s" if given != 1 else "")
    meaning = ", seconds or years are not among them" if given > len(FIELDS) else ""
    return f"it has {count} where there are five{meaning}"


def _values(text: str, start: int, field: Field) -> frozenset[int] | Fault:
    """Return the values that one field lists, or the first thing wrong with it; the field begins at ``start``."""
    values: set[int] = set()
    for part in text.split(","):
        found = _part(part, field)
        if isinstance(found, str):
            return Fault(f"{field.name} `{part}` {found}", start)
        values.update(found)
        start += len(part) + 1
    return frozenset(values)


def _part(part: str, field: Field) -> range | str:
    """Return the values of ``*``, ``3``, ``1-5`` or ``mon-fri``, each also with a step such as ``/2``; or the fault."""
    match = _PART.fullmatch(part)
    if match is None or (match[1] == "*" and match[2]):
        return "is no form that is known"
    step = int(match[3]) if (match[3] or "").isdecimal() else 1
    if match[3] and (not match[3].isdecimal() or step < 1):
        return "has a step that is no whole number above 0"
    ends = [_value(word, field) for word in match.group(1, 2) if word and word != "*"]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return f"is not {_allowed(field)}"
    low, high = _span(known, field, stepped=bool(match[3]))
    return range(low, high + 1, step) if low <= high else "runs backwards"


def _span(ends: list[int], field: Field, *, stepped: bool) -> tuple[int, int]:
    """Return the lowest and highest value of a part; one value with a step goes on to the end of the field."""
    if not ends:
        return field.low, field.high
    return ends[0], field.high if len(ends) == 1 and stepped else ends[-1]


def _value(word: str, field: Field) -> int | None:
    """Return the value of a number or a name, which may be cut to three letters; None when there is no such value."""
    if word.isdecimal():
        return int(word) if field.low <= int(word) <= field.high else None
    folded = word.casefold()
    known = [index for index, name in enumerate(field.words, field.low) if len(word) > 2 and name.startswith(folded)]
    return known[0] if known else None


def _allowed(field: Field) -> str:
    names = f" or {field.words[0][:3]}-{field.words[-1][:3]}" if field.words else ""
    return f"{field.low}-{field.high}{names}" + (", where 0 is Sunday" if field.high == 6 else "")
