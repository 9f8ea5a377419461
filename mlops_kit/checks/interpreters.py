"""Releases of Python: which there are, and when the support of each ended.

No clock is asked: a release is past its end when the table below says so, so the same files give the same findings on
any day, and the table moves with a version of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, warning

if TYPE_CHECKING:
    from mlops_kit.errors import Place

Release = tuple[int, int]
# Release -> end of its support, of those that had ended when this was written (devguide.python.org/versions).
ENDED = {
    (2, 6): "2013-10-29",
    (2, 7): "2020-01-01",
    (3, 5): "2020-09-30",
    (3, 6): "2021-12-23",
    (3, 7): "2023-06-27",
    (3, 8): "2024-10-07",
    (3, 9): "2025-10-31",
    (3, 10): "2026-10-31",
}
OLDEST_SUPPORTED = (3, 11)
# There is one release a year (PEP 602); no channel of conda has 3.0 to 3.4.
KNOWN = frozenset({(2, 6), (2, 7), *((3, minor) for minor in range(5, 21))})


def out_of_support(release: Release, place: Place) -> list[Finding]:
    """Warn of a release that gets no fixes any more, not even of its security."""
    ended = ENDED.get(release)
    if ended is None:
        return []
    message = f"the support of Python {_written(release)} ended on {ended}"
    return [warning("MK0510", place, message, f"take {_written(OLDEST_SUPPORTED)} or above")]


def meant(release: Release) -> str:
    """Return the release that is meant where the written one does not exist, or nothing when it cannot be told.

    YAML makes 3.1 of an unquoted 3.10, and 311 lacks its point.
    """
    major, minor = release
    if release == (3, 1):
        return "3.10"
    digits = str(major)
    is_joined = digits[0] == "3" and len(digits) > 1 and minor == 0 and (3, int(digits[1:])) in KNOWN
    return f"3.{digits[1:]}" if is_joined else ""


def _written(release: Release) -> str:
    return f"{release[0]}.{release[1]}"
