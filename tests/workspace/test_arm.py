"""Requests to ARM that no SDK has, against the control plane: found, followed to their end, refused in its words."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.local.settings import MANAGEMENT_URL
from mlops_kit.workspace import credentials
from mlops_kit.workspace.arm import ArmDoor

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-door"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-door"
BODY = {
    "location": "local",
    "properties": {
        "tenantId": "00000000-0000-0000-0000-0000000000aa",
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    },
}


@pytest.fixture
def door(local_workspace) -> Iterator[ArmDoor]:
    """A door into a group of its own, without faults on request when it is done."""
    made = ArmDoor(lambda: credentials.choose("default", os.environ), MANAGEMENT_URL)
    made.send("PUT", GROUP, "2024-03-01", {"location": "local"})
    yield made
    (local_workspace.state / "faults.json").unlink(missing_ok=True)
    made.send("DELETE", GROUP, "2024-03-01")


def faulty(state: Path, **facts: object) -> None:
    text = json.dumps({"operations": [{"method": "PUT", "id": "*/kv-door*", **facts}]})
    (state / "faults.json").write_text(text, encoding="utf-8")


def test_what_is_not_there_is_none(door):
    assert door.find(f"{GROUP}-other", "2024-03-01") is None
    assert door.find(GROUP, "2024-03-01")["name"] == "rg-door"


def test_an_operation_is_followed_to_its_end(door, local_workspace):
    faulty(local_workspace.state, outcome="hang", seconds=0.5)
    door.send("PUT", f"{VAULT}-slow", "2024-11-01", BODY)
    assert door.find(f"{VAULT}-slow", "2024-11-01")["properties"]["provisioningState"] == "Succeeded"
    door.send("DELETE", f"{VAULT}-slow", "2024-11-01")
    assert door.find(f"{VAULT}-slow", "2024-11-01") is None


def test_an_operation_that_fails_is_told_in_the_words_of_the_service(door, local_workspace):
    faulty(local_workspace.state, outcome="fail", code="OutOfCapacity", message="No room here.")
    with pytest.raises(OperationFailed, match=r"OutOfCapacity: No room here\."):
        door.send("PUT", VAULT, "2024-11-01", BODY)


def test_a_refusal_is_told_with_its_status(door, local_workspace):
    faulty(local_workspace.state, outcome="refuse", status=403, code="RequestDisallowedByPolicy")
    with pytest.raises(OperationFailed, match=r"RequestDisallowedByPolicy: .*\(HTTP 403\)"):
        door.send("PUT", VAULT, "2024-11-01", BODY)


def test_nobody_signs_in_before_somebody_knocks():
    door = ArmDoor(lambda: credentials.choose("sp", {}), MANAGEMENT_URL)
    with pytest.raises(UsageError, match="no Azure credential"):
        door.find(GROUP, "2024-03-01")


def test_an_operation_elsewhere_is_not_followed(door):
    with pytest.raises(OperationFailed, match="which is not its own address"):
        door._ours("https://elsewhere.test/operations/1", "PUT x")
