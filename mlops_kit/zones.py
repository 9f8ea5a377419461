"""Time zones: the Windows names that schedules of the service take, and the IANA names that everyone else writes.

The table between the two is Unicode's, as the package tzlocal keeps it: a few kilobytes, renewed with each release of
the data, where babel would bring all languages. It is imported only when a zone is met.
"""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo

# What the service says it takes (``TimeZone`` in azure-ai-ml 1.35.2, and the page of the schedule's YAML).
_STANDARD_TIMES = (
    "AUS Central, AUS Eastern, Afghanistan, Alaskan, Aleutian, Altai, Arab, Arabian, Arabic, Argentina, Astrakhan, "
    "Atlantic, Aus Central W., Azerbaijan, Azores, Bahia, Bangladesh, Belarus, Bougainville, Canada Central, Cape "
    "Verde, Caucasus, Cen. Australia, Central America, Central Asia, Central Brazilian, Central Europe, Central "
    "European, Central Pacific, Central, Chatham Islands, China, Cuba, Dateline, E. Africa, E. Australia, E. "
    "Europe, E. South America, Easter Island, Eastern, Egypt, Ekaterinburg, FLE, Fiji, GMT, GTB, Georgian, "
    "Greenland, Greenwich, Haiti, Hawaiian, India, Iran, Israel, Jordan, Kaliningrad, Kamchatka, Korea, Libya, Line "
    "Islands, Lord Howe, Magadan, Marquesas, Mauritius, Mid-Atlantic, Middle East, Montevideo, Morocco, Mountain, "
    "Myanmar, N. Central Asia, Namibia, Nepal, New Zealand, Newfoundland, Norfolk, North Asia East, North Asia, "
    "North Korea, Pacific SA, Pacific, Pakistan, Paraguay, Romance, Russian, SA Eastern, SA Pacific, SA Western, SE "
    "Asia, Saint Pierre, Sakhalin, Samoa, Singapore, South Africa, Sri Lanka, Syria, Taipei, Tasmania, Tocantins, "
    "Tokyo, Tomsk, Tonga, Transbaikal, Turkey, Turks And Caicos, US Eastern, US Mountain, Ulaanbaatar, Venezuela, "
    "Vladivostok, W. Australia, W. Central Africa, W. Europe, W. Mongolia, West Asia, West Bank, West Pacific, "
    "Yakutsk"
)
_OTHERS = (
    "Central Standard Time (Mexico), Eastern Standard Time (Mexico), Mountain Standard Time (Mexico), Pacific "
    "Standard Time (Mexico), Russia Time Zone 10, Russia Time Zone 11, Russia Time Zone 3, UTC, UTC+12, UTC-02, "
    "UTC-08, UTC-09, UTC-11"
)
SERVICE_ZONES = frozenset([*(f"{name} Standard Time" for name in _STANDARD_TIMES.split(", ")), *_OTHERS.split(", ")])
# Zones of the service that Unicode's table no longer has -> the zone that keeps the time they keep.
_RETIRED = {"Mid-Atlantic Standard Time": "Etc/GMT+2", "Kamchatka Standard Time": "Asia/Kamchatka"}


def windows_name(zone: str) -> str | None:
    """Return what the service calls a zone that is named in either way, in any case; None when it has no such zone."""
    folded = zone.casefold()
    if folded in _service_names():
        return _service_names()[folded]
    name = _iana_names().get(folded) or _iana_names().get(f"etc/{folded}")
    windows = _windows_of()[name] if name else None
    return windows if windows in SERVICE_ZONES else None


def is_windows_name(zone: str) -> bool:
    """Return whether a text is the service's own name of a zone, in any case."""
    return zone.casefold() in _service_names()


def is_known(zone: str) -> bool:
    """Return whether a text names a zone at all, be it one that the service does not have."""
    return windows_name(zone) is not None or zone.casefold() in _iana_names()


def rules(zone: str) -> ZoneInfo:
    """Return the rules of a zone that ``windows_name`` knows, by either name.

    Raises:
        KeyError: It is not known.
    """
    folded = zone.casefold()
    if folded in _service_names():
        return ZoneInfo(_iana_of(_service_names()[folded]))
    names = _iana_names()
    return ZoneInfo(names[folded] if folded in names else names[f"etc/{folded}"])


def known() -> list[str]:
    """Return the names that ``windows_name`` may be given, to suggest one; of abbreviations each looks like another."""
    usable = (name for name in _iana_names().values() if _windows_of()[name] in SERVICE_ZONES)
    return sorted(name for name in [*SERVICE_ZONES, *usable] if len(name) > 4)


@cache
def _service_names() -> dict[str, str]:
    return {name.casefold(): name for name in SERVICE_ZONES}


@cache
def _iana_names() -> dict[str, str]:
    return {name.casefold(): name for name in _windows_of() if name}  # the table has a line for no zone at all


def _windows_of() -> dict[str, str]:
    from tzlocal.windows_tz import tz_win

    return tz_win


def _iana_of(windows: str) -> str:
    from tzlocal.windows_tz import win_tz

    return _RETIRED.get(windows) or win_tz[windows]
