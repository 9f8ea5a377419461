"""Every tier-A row that this version covers, and every report that it answers, has a test by its name."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Lesson, first and last row; the rows of tier B and C in between are left out below.
_RANGES = (
    ("l2", 1, 29),
    ("l2", 36, 52),
    ("l3", 1, 18),
    ("l4", 16, 36),
    ("l5", 1, 28),
    ("l6", 1, 17),
    ("l6", 25, 26),
    ("l8", 3, 7),
    ("l8", 9, 9),
    ("l8", 12, 12),
    ("l9", 1, 1),
    ("l9", 17, 17),
    ("l9", 28, 29),
    ("l14", 2, 2),
    ("l14", 7, 7),
)
_OTHER_TIERS = {
    "l2": {7, 10, 11, 12, 14, 15, 18, 19, 20, 21, 22, 24, 27, 29, 44},
    "l3": {4, 7},
    "l4": {19, 28, 31, 35},
    "l6": {4, 5, 6, 7, 8, 11},
    "l5": {4, 7, 9, 10, 12, 14, 17, 18, 19, 20, 22, 26, 27},
}
ROWS = [
    f"{lesson}_{number:02}"
    for lesson, first, last in _RANGES
    for number in range(first, last + 1)
    if number not in _OTHER_TIERS.get(lesson, set())
]
REPORTS = ["r23", "r40", "r41", "r42", "r43", "r44", "r45", "r48"]


def _named(row, files):
    return any(
        re.search(rf"^def test_(?:l\d+_\d\d_)*{row}_", path.read_text(encoding="utf-8"), re.MULTILINE) for path in files
    )


@pytest.mark.parametrize("row", ROWS)
def test_row_has_a_test(row):
    assert _named(row, HERE.glob("test_lesson*.py")), f"no test is named after {row}"


@pytest.mark.parametrize("report", REPORTS)
def test_report_has_a_test(report):
    assert _named(report, HERE.parent.rglob("test_*.py")), f"no test is named after {report}"
