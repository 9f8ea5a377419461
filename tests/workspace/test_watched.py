"""Which blobs are due, by a clock that the test sets."""

from datetime import UTC, datetime, timedelta

import pytest

from mlops_kit.workspace.watched import Blob, due

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
REST = timedelta(seconds=30)


def blob(name, etag, second):
    return Blob(name, etag, BEGUN + timedelta(seconds=second))


@pytest.mark.parametrize(
    ("blobs", "second", "expected"),
    [
        ([blob("a", "1", 0)], 100, []),
        ([blob("a", "2", 50)], 79, []),
        ([blob("a", "2", 50)], 80, ["a"]),
        ([blob("a", "1", 0), blob("b", "1", 50)], 80, ["b"]),
        ([blob("b", "1", 50), blob("c", "1", 70)], 80, []),
        ([blob("b", "1", 50), blob("c", "1", 70)], 100, ["b", "c"]),
        ([blob("a", "1", 99)], 100, []),
        ([], 100, []),
    ],
    ids=["known", "restless", "changed", "new", "one-still-comes", "together", "known-and-restless", "gone"],
)
def test_blobs_are_due_together_once_none_of_them_was_written_for_a_while(blobs, second, expected):
    found = due(blobs, {"a": "1"}, BEGUN + timedelta(seconds=second), REST)
    assert [one.name for one in found] == expected
