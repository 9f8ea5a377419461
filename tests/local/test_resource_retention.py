"""Deleted resources until their retention period is over, by a clock of the test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from mlops_kit.local.arm.operations import Operations
from mlops_kit.local.arm.store import ResourceStore
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.faults import Faults
from mlops_kit.local.plane import Plane
from mlops_kit.local.providers import soft_delete, vaults
from mlops_kit.local.providers.resource_rules import Draft
from mlops_kit.local.settings import LocalSettings
from mlops_kit.local.signing import Signer

VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plane(tmp_path: Path, clock: Clock) -> Iterator[Plane]:
    nothing = cast("Any", None)  # deleted resources need neither blobs nor MLflow nor the scheduler
    store = ResourceStore(tmp_path / "resources.db")
    settings, faults = LocalSettings(tmp_path), Faults(tmp_path / "faults.json")
    yield Plane(settings, store, Operations(), Signer(b"k"), nothing, nothing, nothing, clock, faults, nothing)
    store.close()


@pytest.fixture
def buried(plane: Plane) -> str:
    properties = {"softDeleteRetentionInDays": 7}
    plane.store.put({"id": VAULT, "name": "kv", "location": "local", "properties": properties})
    plane.store.put({"id": f"{VAULT}/secrets/a", "name": "a", "properties": {}})
    vaults.forget(plane, plane.store.get(VAULT))
    return VAULT


def test_deleted_resource_comes_back_with_what_is_below_it(plane: Plane, clock: Clock, buried: str) -> None:
    clock.now += timedelta(days=6)
    assert plane.store.find(f"{buried}/secrets/a") is None
    assert soft_delete.exhume(plane, buried).private == {}

    assert plane.store.get(f"{buried}/secrets/a").body["name"] == "a"
    assert soft_delete.buried(plane, buried) is None


def test_name_is_free_when_the_retention_period_is_over(plane: Plane, clock: Clock, buried: str) -> None:
    draft = Draft(buried, {"location": "local", "properties": {"tenantId": "t"}})
    with pytest.raises(ArmError, match="deleted state"):
        vaults.admit(plane, draft)
    clock.now += timedelta(days=7)

    assert vaults.admit(plane, draft)["properties"]["softDeleteRetentionInDays"] == 90
    assert soft_delete.all_buried(plane, vaults.KIND, "/subscriptions/s") == []


def test_vault_that_is_deleted_again_replaces_what_was_deleted_before(plane: Plane, clock: Clock, buried: str) -> None:
    clock.now += timedelta(days=8)
    plane.store.put({"id": buried, "name": "kv", "location": "local", "properties": {}})
    vaults.forget(plane, plane.store.get(buried))
    found = soft_delete.buried(plane, buried)

    assert found is not None
    assert found.purged.startswith("2026-04-09")  # 90 days later
    soft_delete.exhume(plane, buried)
    assert plane.store.find(f"{buried}/secrets/a") is None
