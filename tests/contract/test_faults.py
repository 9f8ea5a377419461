"""Faults that a test asks for in the state folder: refused writes, operations that fail or hang, a slow directory."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from mlops_kit.testing import LocalWorkspace

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"


@pytest.fixture
def faults(local_workspace: LocalWorkspace) -> Iterator[Callable[..., None]]:
    """Write faults.json; it is gone when the test ends."""
    file = local_workspace.state / "faults.json"

    def write(*operations: dict[str, Any], **more: Any) -> None:
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps({"operations": operations, **more}))
        draft.replace(file)

    yield write
    file.unlink(missing_ok=True)


def test_operation_that_fails_shows_its_error_and_leaves_a_failed_resource(group: Any, faults: Any) -> None:
    faults(
        {"method": "PUT", "id": "*/id-fails", "outcome": "fail", "code": "Quota", "message": "No cores.", "times": 1}
    )
    with pytest.raises(HttpResponseError, match=r"\(Quota\) No cores"):
        group.put(f"{IDENTITY}/id-fails")
    assert group.get(f"{IDENTITY}/id-fails").properties["provisioningState"] == "Failed"

    assert group.put(f"{IDENTITY}/id-fails").properties["provisioningState"] == "Succeeded"


def test_operation_that_hangs_is_done_after_its_seconds(group: Any, faults: Any) -> None:
    faults({"method": "PUT", "id": "*/id-slow", "outcome": "hang", "seconds": 0.5})
    poller = group.arm.resources.begin_create_or_update_by_id(
        group.at(f"{IDENTITY}/id-slow"), {"location": "westeurope"}, api_version="2023-01-31"
    )
    assert group.get(f"{IDENTITY}/id-slow").properties["provisioningState"] == "Creating"

    assert poller.result(timeout=20).properties["provisioningState"] == "Succeeded"


def test_operation_that_hangs_ends_although_its_client_was_killed(group: Any, faults: Any) -> None:
    faults({"method": "PUT", "id": "*/id-alone", "outcome": "hang", "seconds": 0.3})
    group.send("PUT", f"{IDENTITY}/id-alone", {"location": "westeurope"})
    end = time.monotonic() + 10
    while (state := group.get(f"{IDENTITY}/id-alone").properties["provisioningState"]) == "Creating":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert state == "Succeeded"


def test_deletion_that_hangs_fails_with_what_keeps_it_from_being_made(group: Any, faults: Any) -> None:
    network = "Microsoft.Network/virtualNetworks/vnet-held"
    zone = "Microsoft.Network/privateDnsZones/privatelink.held.test"
    group.put(network, {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})
    group.put(zone, {"location": "global"})
    faults({"method": "DELETE", "id": "*/privateDnsZones/*", "outcome": "hang", "seconds": 0.3})
    poller = group.arm.resources.begin_delete_by_id(group.at(zone), api_version="2024-06-01")
    link = {"virtualNetwork": {"id": group.at(network)}, "registrationEnabled": False}
    group.put(f"{zone}/virtualNetworkLinks/link", {"location": "global", "properties": link})
    with pytest.raises(HttpResponseError, match="CannotDeleteResource"):
        poller.result(timeout=20)
    assert group.there(zone)


def test_operation_that_hangs_for_ever_is_never_done(group: Any, faults: Any) -> None:
    faults({"method": "PUT", "id": "*/id-hangs", "outcome": "hang"})
    poller = group.arm.resources.begin_create_or_update_by_id(
        group.at(f"{IDENTITY}/id-hangs"), {"location": "westeurope"}, api_version="2023-01-31", polling_interval=0
    )
    poller.wait(timeout=1.5)

    assert not poller.done()
    assert poller.status() == "InProgress"
    group.delete(f"{IDENTITY}/id-hangs")


@pytest.mark.parametrize(("outcome", "there"), [("fail", True), ("refuse", True)])
def test_what_is_not_deleted_stays(group: Any, faults: Any, outcome: str, there: bool) -> None:
    group.put(f"{IDENTITY}/id-stays")
    faults({"method": "DELETE", "id": "*/id-stays", "outcome": outcome, "message": "Not today."})
    with pytest.raises(HttpResponseError, match="Not today"):
        group.delete(f"{IDENTITY}/id-stays")

    assert group.there(f"{IDENTITY}/id-stays") is there


def test_deletion_that_hangs_ends_with_the_deletion(group: Any, faults: Any) -> None:
    group.put(f"{IDENTITY}/id-going")
    faults({"method": "DELETE", "id": "*/id-going", "outcome": "hang", "seconds": 0.3})
    poller = group.arm.resources.begin_delete_by_id(group.at(f"{IDENTITY}/id-going"), api_version="2023-01-31")
    assert group.there(f"{IDENTITY}/id-going")

    poller.result(timeout=20)
    assert not group.there(f"{IDENTITY}/id-going")


def test_refused_write_has_its_status_and_nothing_is_written(group: Any, faults: Any) -> None:
    faults(
        {"method": "PUT", "id": "*/ID-REFUSED", "outcome": "refuse", "status": 403, "code": "RequestDisallowedByPolicy"}
    )
    with pytest.raises(HttpResponseError) as refused:
        group.put(f"{IDENTITY}/id-refused")

    assert (refused.value.status_code, refused.value.error.code) == (403, "RequestDisallowedByPolicy")
    assert not group.there(f"{IDENTITY}/id-refused")


def test_compute_that_fails_fails_the_poller_of_the_sdk(ml: Any, faults: Any) -> None:
    from azure.ai.ml.entities import AmlCompute

    faults({"method": "PUT", "id": "*/computes/unlucky", "outcome": "fail", "code": "AllocationFailed", "message": "x"})
    with pytest.raises(HttpResponseError, match="AllocationFailed"):
        ml.compute.begin_create_or_update(AmlCompute(name="unlucky", max_instances=1)).result()

    assert ml.compute.get("unlucky").provisioning_state == "Failed"
    ml.compute.begin_delete("unlucky").result()


def test_deployment_ends_at_the_resource_that_fails_and_can_go_on(group: Any, deployments: Any, faults: Any) -> None:
    names = [f"id-step-{number}" for number in range(3)]
    resources = [
        {"type": IDENTITY, "apiVersion": "2023-01-31", "name": name, "location": "westeurope"} for name in names
    ]
    template = {"contentVersion": "1.0.0.0", "resources": resources}
    body = {"properties": {"mode": "Incremental", "template": template}}
    faults({"method": "PUT", "id": "*/id-step-1", "outcome": "fail", "code": "Busy", "message": "Later.", "times": 1})
    with pytest.raises(HttpResponseError, match="Later"):
        deployments.begin_create_or_update(group.name, "steps", body).result()
    assert [group.there(f"{IDENTITY}/{name}") for name in names] == [True, True, False]

    deployments.begin_create_or_update(group.name, "steps", body).result()
    assert all(group.get(f"{IDENTITY}/{name}").properties["provisioningState"] == "Succeeded" for name in names)


def _waiting(*names: str) -> dict[str, Any]:
    """Return the body of a deployment of identities, each of which needs the one before."""
    resources = [
        {
            "type": IDENTITY,
            "apiVersion": "2023-01-31",
            "name": name,
            "location": "westeurope",
            "dependsOn": [f"[resourceId('{IDENTITY}', '{before}')]"] if before else [],
        }
        for name, before in zip(names, ("", *names), strict=False)
    ]
    return {"properties": {"mode": "Incremental", "template": {"contentVersion": "1.0.0.0", "resources": resources}}}


@pytest.fixture(scope="module")
def deployments(options: Any) -> Any:
    from azure.mgmt.resource.deployments import DeploymentsMgmtClient

    return DeploymentsMgmtClient(**options).deployments


def test_deployment_waits_for_a_resource_that_takes_its_time(group: Any, deployments: Any, faults: Any) -> None:
    faults({"method": "PUT", "id": "*/id-waited", "outcome": "hang", "seconds": 0.3})
    deployments.begin_create_or_update(group.name, "waits", _waiting("id-waited")).result()
    assert group.get(f"{IDENTITY}/id-waited").properties["provisioningState"] == "Succeeded"


def test_deployment_that_takes_long_is_followed_to_its_end(group: Any, deployments: Any, faults: Any) -> None:
    faults({"method": "PUT", "id": "*/id-long", "outcome": "hang", "seconds": 3})
    poller = deployments.begin_create_or_update(group.name, "long", _waiting("id-long", "id-after"))
    assert deployments.get(group.name, "long").properties.provisioning_state == "Running"
    with pytest.raises(HttpResponseError, match="still active"):
        deployments.begin_create_or_update(group.name, "long", _waiting("id-long"))
    with pytest.raises(HttpResponseError, match="cancel it first"):
        deployments.begin_delete(group.name, "long")

    assert poller.result(timeout=20).properties.provisioning_state == "Succeeded"
    assert group.there(f"{IDENTITY}/id-after")


def test_deployment_that_hangs_is_cancelled_and_begins_nothing_more(group: Any, deployments: Any, faults: Any) -> None:
    faults({"method": "PUT", "id": "*/id-stuck", "outcome": "hang"})
    poller = deployments.begin_create_or_update(group.name, "stuck", _waiting("id-stuck", "id-never"))
    deployments.cancel(group.name, "stuck")
    with pytest.raises(HttpResponseError, match=r"DeploymentCanceled.*'stuck' was canceled"):
        poller.result(timeout=20)

    ended = deployments.get(group.name, "stuck").properties
    assert (ended.provisioning_state, ended.error.code) == ("Canceled", "DeploymentCanceled")
    assert (group.there(f"{IDENTITY}/id-stuck"), group.there(f"{IDENTITY}/id-never")) == (True, False)
    with pytest.raises(HttpResponseError, match="is Canceled and cannot be canceled"):
        deployments.cancel(group.name, "stuck")
    faults()
    deployments.begin_create_or_update(group.name, "stuck", _waiting("id-stuck", "id-never")).result()
    assert group.there(f"{IDENTITY}/id-never")


def test_deployment_to_a_subscription_is_cancelled_with_what_is_nested_in_it(
    group: Any, deployments: Any, faults: Any
) -> None:
    faults({"method": "PUT", "id": "*/id-deep", "outcome": "hang"})
    inside = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "deep",
        "resourceGroup": group.name,
        **_waiting("id-deep"),
    }
    template = {"contentVersion": "1.0.0.0", "resources": [inside]}
    body = {"location": "westeurope", "properties": {"mode": "Incremental", "template": template}}
    poller = deployments.begin_create_or_update_at_subscription_scope("wide", body)
    deployments.cancel_at_subscription_scope("wide")
    with pytest.raises(HttpResponseError, match="'wide' was canceled"):
        poller.result(timeout=20)
    assert deployments.get_at_subscription_scope("wide").properties.provisioning_state == "Canceled"
    end = time.monotonic() + 20
    while not deployments.check_existence(group.name, "deep"):  # it is recorded when it has noticed
        assert time.monotonic() < end
        time.sleep(0.05)
    assert deployments.get(group.name, "deep").properties.provisioning_state == "Canceled"


def test_new_identity_is_unknown_to_the_directory_for_a_while_unless_its_type_is_named(group: Any, faults: Any) -> None:
    faults(replication_seconds=0.6)
    who = group.put(f"{IDENTITY}/id-{uuid.uuid4().hex[:8]}").properties["principalId"]
    facts = {"principalId": who, "roleDefinitionId": "/x/acdd72a7-3385-48ef-bd42-f606fba81ae7"}
    assignment = f"Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    with pytest.raises(HttpResponseError, match="does not exist in the directory") as refused:
        group.put(assignment, {"properties": facts})
    assert (refused.value.status_code, refused.value.error.code) == (400, "PrincipalNotFound")

    group.put(assignment, {"properties": {**facts, "principalType": "ServicePrincipal"}})
    group.delete(assignment)
    time.sleep(0.6)
    assert group.put(assignment, {"properties": facts}).properties["principalType"] == "ServicePrincipal"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "Expecting property name"),
        ('{"operations": [{"method": "PUT"}]}', "missing 2 required"),
        ('{"operations": [{"method": "GET", "id": "*", "outcome": "fail"}]}', "'GET' with the outcome 'fail'"),
        ('{"operation": []}', "no field 'operation'"),
        ('{"operations": {"method": "PUT"}}', "'operations' must be a list"),
        ('{"operations": [{"method": "PUT", "id": "*", "outcome": "fail", "times": "1"}]}', "must be a whole number"),
        ('{"operations": [{"method": "PUT", "id": "*", "outcome": "hang", "seconds": "9"}]}', "must be a number"),
        ('{"operations": [{"method": "PUT", "id": "*", "outcome": "refuse", "status": 201}]}', "201 is not the status"),
    ],
)
def test_file_that_cannot_be_read_says_so_at_the_next_write(
    group: Any, local_workspace: LocalWorkspace, faults: Any, text: str, told: str
) -> None:
    faults()
    (local_workspace.state / "faults.json").write_text(text)
    with pytest.raises(HttpResponseError, match=told) as refused:
        group.put(f"{IDENTITY}/id-any")

    assert refused.value.error.code == "LocalFaultsUnreadable"
