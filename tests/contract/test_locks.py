"""Management locks through azure-mgmt-resource: what they forbid, where, and how they are listed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"


@pytest.fixture
def owned(arm: Any, group: Any) -> Iterator[Any]:
    """Make a group with an identity in it; its locks are gone when the test ends."""
    from dataclasses import replace

    mine = replace(group, id=f"{group.id}-{uuid.uuid4().hex[:6]}")
    arm.resource_groups.create_or_update(mine.name, {"location": "westeurope"})
    mine.put(f"{IDENTITY}/id-one")
    yield mine
    for one in mine.list("Microsoft.Authorization/locks"):
        mine.delete(one["id"])


def _lock(owned: Any, level: str, at: str = "") -> str:
    body = {"location": None, "properties": {"level": level, "notes": "kept for the audit"}}
    scope = f"{at}/providers/Microsoft.Authorization/locks/keep" if at else "Microsoft.Authorization/locks/keep"
    return str(owned.put(scope, body).id)


def test_lock_of_a_group_keeps_what_is_in_it_from_deletion(arm: Any, owned: Any) -> None:
    lock = _lock(owned, "CanNotDelete")
    with pytest.raises(HttpResponseError, match="cannot perform delete operation because following scope") as refused:
        owned.delete(f"{IDENTITY}/id-one")
    assert (refused.value.status_code, refused.value.error.code) == (409, "ScopeLocked")
    assert owned.id in refused.value.message
    with pytest.raises(HttpResponseError, match="ScopeLocked"):
        arm.resource_groups.begin_delete(owned.name)

    owned.put(f"{IDENTITY}/id-one", {"tags": {"still": "changeable"}})
    owned.delete(lock)
    owned.delete(f"{IDENTITY}/id-one")


def test_read_only_lock_forbids_every_write_and_every_action(owned: Any) -> None:
    account = owned.put(
        f"Microsoft.Storage/storageAccounts/st{uuid.uuid4().hex[:8]}",
        {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
    ).id
    _lock(owned, "readonly")

    assert owned.get(account).name
    for method, path in (
        ("PUT", f"{IDENTITY}/id-two"),
        ("PATCH", account),
        ("DELETE", account),
        ("POST", f"{account}/listKeys"),
        ("DELETE", account.replace("/subscriptions/", "/SUBSCRIPTIONS/").replace("Microsoft", "MICROSOFT")),
    ):
        assert owned.send(method, path, {"location": "westeurope"}).json()["error"]["code"] == "ScopeLocked", method


def test_lock_of_a_resource_keeps_its_group_but_not_its_neighbours(arm: Any, owned: Any) -> None:
    kept = owned.put(f"{IDENTITY}/id-kept").id
    lock = _lock(owned, "CanNotDelete", kept)
    owned.delete(f"{IDENTITY}/id-one")
    with pytest.raises(HttpResponseError, match=kept):
        arm.resource_groups.begin_delete(owned.name)

    owned.delete(lock)
    arm.resource_groups.begin_delete(owned.name).result()
    arm.resource_groups.create_or_update(owned.name, {"location": "westeurope"})


def test_locks_are_listed_at_a_scope_and_below_it(owned: Any) -> None:
    inner = _lock(owned, "CanNotDelete", owned.get(f"{IDENTITY}/id-one").id)
    outer = _lock(owned, "CanNotDelete")
    locks = "Microsoft.Authorization/locks"

    assert {one["id"] for one in owned.list(locks)} == {inner, outer}
    assert [one["id"] for one in owned.list(f"{locks}?$filter=atScope()")] == [outer]
    assert owned.get(outer).properties == {
        "level": "CanNotDelete",
        "notes": "kept for the audit",
        "provisioningState": "Succeeded",
    }


def test_unknown_level_is_refused(owned: Any) -> None:
    with pytest.raises(HttpResponseError, match="is not one of CanNotDelete, ReadOnly"):
        _lock(owned, "Delete")
