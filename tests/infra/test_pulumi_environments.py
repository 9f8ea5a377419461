"""The Pulumi program of the project, unmodified, for whole environments: applied, left alone, drifted, destroyed."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.testing import LocalWorkspace

pytest.importorskip(
    "pulumi_azure_native", reason="the package pulumi-azure-native is missing: pip install 'mlops_kit[infra]'"
)

from mlops_kit.local.arm.ids import type_of
from mlops_kit.local.iac import pulumi_engine
from mlops_kit.local.iac.pulumi_engine import Stack, state
from mlops_kit.local.iac.pulumi_engine.cloud import Cloud
from mlops_kit.local.iac.pulumi_engine.state import Entry

PROJECT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "22222222-0000-0000-0000-000000000001"
_NUMBERS = itertools.count(1)
ML = "Microsoft.MachineLearningServices/workspaces"


@dataclass
class Deployed:
    """A stack of the project's program, and the control plane that it is applied to."""

    stack: Stack
    cloud: Cloud

    def entries(self, kind: str = "") -> list[Entry]:
        """Return what the stack owns; of one ARM type, if one is named."""
        owned = [one for one in state.read(self.stack.state).entries.values() if one.in_arm]
        return [one for one in owned if not kind or type_of(one.id).lower() == kind.lower()]

    def live(self, kind: str) -> dict[str, Any]:
        """Return the only resource of an ARM type as the control plane has it."""
        (entry,) = self.entries(kind)
        found = self.cloud.find(entry.id, entry.api_version)
        assert found is not None
        return found

    def put(self, kind: str, body: dict[str, Any]) -> None:
        """Change the only resource of an ARM type behind the stack's back."""
        (entry,) = self.entries(kind)
        self.cloud.put(entry.id, entry.api_version, body)

    def in_arm(self) -> set[str]:
        """Return the ids, in lower case, of all resources of the subscription."""
        client = self.cloud._client
        terms = self.cloud._terms("read", "30s")
        found = client.pages(f"/subscriptions/{SUBSCRIPTION}/resources", "2021-04-01", terms)["value"]
        return {one["id"].lower() for one in found}


@pytest.fixture
def deployed(local_workspace: LocalWorkspace, tmp_path: Path) -> Iterator[Callable[..., Deployed]]:
    """Return a stack of the program for an environment with names that no other test has; destroyed afterwards."""
    cloud, made = Cloud(os.environ), []

    def of(name: str, *overrides: str) -> Deployed:
        number = next(_NUMBERS)
        names = [f"infra.suffix=p{number}", f"workspace.resource_group=rg-pulumi-env-{number}"]
        environ = {**os.environ, "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
        config = {"set": [*overrides, *names]}
        one = Deployed(Stack(PROJECT / "infra" / "pulumi", name, tmp_path / f"{number}.json", environ, config), cloud)
        made.append(one)
        return one

    yield of
    for one in made:
        if one.stack.state.is_file():
            pulumi_engine.destroy(one.stack)
    cloud.close()


def test_an_environment_is_applied_left_alone_repaired_and_destroyed(deployed):
    """Every other environment is in tests/infra/engines; here beside that what is deleted outside is made anew."""
    one = deployed("dev")
    plan = pulumi_engine.preview(one.stack)
    done = pulumi_engine.up(one.stack, plan=plan)
    assert done.counts == {"create": 26}
    assert pulumi_engine.preview(one.stack).changes == ()
    assert all(step.action == "same" for step in pulumi_engine.refresh(one.stack).steps)

    # Somebody opens the storage account, and deletes the cluster.
    storage = one.live("Microsoft.Storage/storageAccounts")
    opened = {**_inner(storage), "allowBlobPublicAccess": True}
    one.put("Microsoft.Storage/storageAccounts", {**_writable(storage), "properties": opened})
    cluster = next(entry for entry in one.entries(f"{ML}/computes") if entry.name == "compute-cpu-cluster")
    one.cloud.delete(cluster.id, cluster.api_version)
    expected = {"storage": "update", "compute-cpu-cluster": "create"}
    drift = {step.name: step for step in pulumi_engine.refresh(one.stack).steps if step.action != "same"}
    assert drift.keys() == expected.keys()
    (difference,) = drift["storage"].differences
    assert (difference.path, difference.before, difference.after) == ("allowBlobPublicAccess", False, True)
    assert {step.name: step.action for step in pulumi_engine.up(one.stack).changes} == expected
    assert one.live("Microsoft.Storage/storageAccounts")["properties"]["allowBlobPublicAccess"] is False
    assert pulumi_engine.preview(one.stack).changes == ()

    ids = {entry.id.lower() for entry in one.entries()}
    gone = pulumi_engine.destroy(one.stack)
    assert gone.counts == {"delete": 25, "forget": 1}  # the blob service goes with its account
    assert one.entries() == []
    assert ids & one.in_arm() == set()


def _writable(body: dict[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in ("location", "tags", "sku", "kind") if key in body}


def _inner(body: dict[str, Any]) -> dict[str, Any]:
    answered_only = {"provisioningState", "primaryEndpoints", "statusOfPrimary", "creationTime", "primaryLocation"}
    return {key: value for key, value in body["properties"].items() if key not in answered_only}


def test_the_outputs_are_those_that_templates_and_people_ask_for(deployed):
    one = deployed("dev", "infra.storage={containers: [data]}")
    report = pulumi_engine.up(one.stack)
    values = {name: output.value for name, output in report.outputs.items()}
    assert values["workspace_id"] == one.entries(ML)[0].id
    assert values["compute_ids"] == {"cpu-cluster": f"{values['workspace_id']}/computes/cpu-cluster"}
    assert values["storage_blob_endpoint"].startswith(f"https://{values['storage_name']}.blob.")
    assert values["key_vault_uri"].startswith(f"https://{values['key_vault_name']}.vault.")
    assert set(values["identity_principal_ids"]) == set(values["identity_ids"]) == {"workspace", "compute"}
    assert (values["subscription_id"], values["location"]) == (SUBSCRIPTION, "westeurope")
    # L14-07: what the endpoints of the workspace print goes to Log Analytics.
    logs = one.live("Microsoft.Insights/diagnosticSettings")["properties"]
    assert logs["workspaceId"] == values["log_analytics_id"]
    assert [log["category"] for log in logs["logs"] if log["enabled"]] == [
        "AmlOnlineEndpointConsoleLog",
        "AmlOnlineEndpointTrafficLog",
        "AmlOnlineEndpointEventLog",
    ]
    # L2-04, L2-05: one account that takes HTTPS only; traces that go to Log Analytics.
    account = one.live("Microsoft.Storage/storageAccounts")["properties"]
    assert (account["supportsHttpsTrafficOnly"], account["minimumTlsVersion"]) == (True, "TLS1_2")
    assert account["allowBlobPublicAccess"] is False
    traces = one.live("Microsoft.Insights/components")["properties"]
    assert traces["WorkspaceResourceId"] == values["log_analytics_id"]


@pytest.mark.infra
def test_r43_a_small_change_is_an_update_and_another_size_a_replacement(deployed):
    """R43: a cluster is not deleted for its node count."""
    one = deployed("dev")
    pulumi_engine.up(one.stack)
    names = one.stack.config["set"]
    more = "infra.compute.clusters.cpu-cluster.max_instances=6"
    grown = replace(one.stack, config={"set": [*names, more]})
    (step,) = pulumi_engine.preview(grown).changes
    assert (step.action, [d.path for d in step.differences]) == (
        "update",
        ["properties.properties.scaleSettings.maxNodeCount"],
    )
    pulumi_engine.up(grown)
    assert one.live(f"{ML}/computes")["properties"]["properties"]["scaleSettings"]["maxNodeCount"] == 6
    bigger = [*names, "infra.compute.clusters.cpu-cluster={size: Standard_DS12_v2, max_instances: 6}"]
    (step,) = pulumi_engine.up(replace(one.stack, config={"set": bigger})).changes
    assert (step.action, step.reasons) == ("replace", ("properties.properties.vmSize",))
    assert one.live(f"{ML}/computes")["properties"]["properties"]["vmSize"].lower() == "standard_ds12_v2"
