"""Every tier-A row of the lessons that this version covers has a test named after it."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Lesson, first and last row; the rows of tier B and C in between are left out below.
_RANGES = {"l2": (36, 52), "l3": (1, 18), "l4": (16, 36), "l5": (1, 16)}
_OTHER_TIERS = {"l2_44", "l3_04", "l3_07", "l4_19", "l4_28", "l4_31", "l4_35", "l5_04", "l5_07", "l5_09", "l5_10"} | {
    "l5_12",
    "l5_14",
}
ROWS = [
    f"{lesson}_{number:02}"
    for lesson, (first, last) in _RANGES.items()
    for number in range(first, last + 1)
    if f"{lesson}_{number:02}" not in _OTHER_TIERS
]


@pytest.mark.parametrize("row", ROWS)
def test_row_has_a_test(row):
    text = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_lesson*.py"))
    assert re.search(rf"^def test_(?:l\d_\d\d_)*{row}_", text, re.MULTILINE), f"no test is named after {row}"
