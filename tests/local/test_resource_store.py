"""The resource store when SQLite cannot write."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mlops_kit.local.arm.store import ResourceStore


@pytest.fixture
def full(tmp_path: Path) -> ResourceStore:
    """A store whose database may not grow, and that holds one resource."""
    store = ResourceStore(tmp_path / "resources.db")
    store.put({"id": "/kept", "properties": {"n": 1}})
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    return store


def _put_both(store: ResourceStore, text: object) -> None:
    with store.transaction():
        store.put({"id": "/kept", "properties": {"n": 2}})
        store.put({"id": "/large", "properties": {"text": text}})


def test_a_write_that_does_not_fit_is_refused_whole_and_the_next_that_fits_is_made(full: ResourceStore) -> None:
    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        _put_both(full, "x" * 100_000)
    assert full.get("/kept").properties == {"n": 1}
    assert full.find("/large") is None
    full.put({"id": "/kept", "properties": {"n": 3}})
    assert full.get("/kept").properties == {"n": 3}


def test_a_fault_inside_a_transaction_takes_back_what_was_done_in_it(full: ResourceStore) -> None:
    with pytest.raises(TypeError):
        _put_both(full, object())
    assert full.get("/kept").properties == {"n": 1}
