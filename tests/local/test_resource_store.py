"""The resource store: what it finds by type and name, a database of an earlier version, a disk that is full."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mlops_kit.local.arm.store import Resource, ResourceStore


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


_VAULTS = "/subscriptions/s/resourceGroups/{}/providers/Microsoft.KeyVault/vaults"


def _store(path: Path) -> ResourceStore:
    store = ResourceStore(path)
    for group in ("a", "b"):
        vault = f"{_VAULTS.format(group)}/kv-{group}"
        store.put({"id": vault, "name": f"kv-{group}", "properties": {}})
        store.put({"id": f"{vault}/secrets/s", "name": "s", "properties": {}})
        store.put({"id": f"{vault}/providers/Microsoft.Authorization/locks/l", "name": "l", "properties": {}})
    return store


def _ids(found: list[Resource]) -> list[str]:
    return [one.id.rpartition("/")[2] for one in found]


def test_resources_are_found_by_type_below_a_scope_and_by_name(tmp_path: Path) -> None:
    store = _store(tmp_path / "resources.db")

    assert _ids(store.of_type("microsoft.keyvault/VAULTS")) == ["kv-a", "kv-b"]
    assert _ids(store.of_type("Microsoft.KeyVault/vaults", "/subscriptions/s/resourcegroups/B")) == ["kv-b"]
    assert _ids(store.of_type("Microsoft.Authorization/locks", f"{_VAULTS.format('a')}/kv-a")) == ["l"]
    assert _ids(store.of_type("Microsoft.KeyVault/vaults/secrets")) == []
    assert _ids(store.named("Microsoft.KeyVault/vaults", "KV-B")) == ["kv-b"]


def test_moved_resource_is_found_with_all_that_is_below_it(tmp_path: Path) -> None:
    store, vault = _store(tmp_path / "resources.db"), f"{_VAULTS.format('a')}/kv-a"
    store.move(vault, f"/deleted{vault}")

    assert _ids(store.of_type("Microsoft.KeyVault/vaults")) == ["kv-b"]
    assert _ids(store.list(f"/deleted{vault}/secrets")) == ["s"]
    store.move(f"/deleted{vault}", vault)
    assert _ids(store.list(_VAULTS.format("a"))) == ["kv-a"]
    assert _ids(store.list(f"{vault}/secrets")) == ["s"]


def test_database_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    _store(tmp_path / "resources.db").close()
    with closing(sqlite3.connect(tmp_path / "resources.db", isolation_level=None)) as old:
        old.execute("DROP INDEX by_kind")
        old.execute("ALTER TABLE resources DROP COLUMN kind")
    store = ResourceStore(tmp_path / "resources.db")

    assert _ids(store.of_type("Microsoft.KeyVault/vaults")) == ["kv-a", "kv-b"]
    assert _ids(store.of_type("Microsoft.KeyVault/vaults/secrets")) == []


def test_what_a_404_can_offer_is_read_from_the_newest_of_however_many_there_are(tmp_path: Path) -> None:
    with closing(ResourceStore(tmp_path / "resources.db")) as store:
        for number in range(120):
            store.put({"id": f"/things/t{number}", "name": f"t{number}"})
        assert store.names("/Things") == [f"t{number}" for number in range(119, 19, -1)]
        assert store.names("/nothing") == []


def test_a_collection_can_be_listed_by_what_its_members_mention(tmp_path: Path) -> None:
    store = ResourceStore(tmp_path / "resources.db")
    for name, who in (("one", "ABC-1"), ("two", "abc-1"), ("three", "abc-2")):
        store.put({"id": f"/assignments/{name}", "name": name, "properties": {"who": who}})
    store.put({"id": "/others/four", "name": "four", "properties": {"who": "abc-1"}})

    assert _ids(store.list("/assignments", mentioning="Abc-1")) == ["one", "two"]
    assert _ids(store.list("/assignments", newest_first=True, mentioning="abc-1")) == ["two", "one"]
    assert _ids(store.list("/assignments")) == ["one", "two", "three"]
