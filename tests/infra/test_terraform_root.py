"""The Terraform root, applied to the control plane: its order, what changes do, where its state is.

The life of every environment, and its bodies, are in tests/infra/engines.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlops_kit.infra import by_hand, settings
from mlops_kit.infra.state import State
from mlops_kit.local import storage
from mlops_kit.local.settings import (
    MANAGEMENT_HOST,
    STORAGE_ACCOUNT,
    STORAGE_KEY,
    STORAGE_SUFFIX,
)

PROJECT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"  # the control plane's own
_NUMBERS = itertools.count(1)
LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'


@pytest.fixture
def root(terraform) -> Any:
    """A copy of the root and its modules, ready to plan; the state stays in the copy."""
    for folder in ("infra/terraform", "modules/terraform"):
        shutil.copytree(PROJECT / folder, terraform.folder / folder)
    made = replace(terraform, folder=terraform.folder / "infra" / "terraform")
    (made.folder / "override.tf").write_text(LOCAL_BACKEND, encoding="utf-8")
    made.run("init")
    return made


@pytest.fixture
def wanted(shipped) -> Callable[[str], dict[str, Any]]:
    """Return what the engines are given for a shipped environment.

    Its names are its own: those of a vault and a workspace that were deleted stay taken.
    """

    def values(name: str) -> dict[str, Any]:
        own = f"tf{next(_NUMBERS)}"
        places = {"subscription_id": SUBSCRIPTION, "resource_group": f"rg-{own}", "name": f"mlw-{own}"}
        overrides = [f"workspace.{key}={value}" for key, value in places.items()]
        return settings.values(settings.infrastructure(shipped(name, *overrides, f"infra.stem={own}")))

    return values


def _fill(root: Any, values: dict[str, Any]) -> None:
    (root.folder / "terraform.tfvars.json").write_text(json.dumps(values), encoding="utf-8")


def _instances(root: Any) -> Iterator[dict[str, Any]]:
    """Yield what the state says of every resource."""
    state = json.loads((root.folder / "terraform.tfstate").read_text(encoding="utf-8"))
    for resource in state["resources"]:
        if resource["mode"] == "managed":
            yield from (one["attributes"] for one in resource["instances"])


def _group(values: dict[str, Any]) -> str:
    group = values["resource_group"]
    return f"/subscriptions/{group['subscription_id']}/resourceGroups/{group['name']}"


_WORKSPACES = "Microsoft.MachineLearningServices/workspaces"


def test_the_quick_profile_is_applied_in_order_is_stable_and_leaves_nothing(root, wanted, arm):
    values = wanted("dev")
    values["resource_group"]["delete_lock"] = "do-not-delete"
    _fill(root, values)
    told = root.apply()
    root.assert_stable()
    ids = [one["id"] for one in _instances(root)]
    root.run("destroy", "-auto-approve")
    assert [one for one in (*ids, _group(values)) if arm("GET", one) is not None] == []
    order = [line.partition(": Creation complete")[0] for line in told.splitlines() if "Creation comp" in line]
    grants = [index for index, one in enumerate(order) if "access.azapi_resource.role_assignments" in one]
    assert max(grants) < order.index("module.workspace.azapi_resource.this")
    assert order[-1] == "module.resource_group.azapi_resource.lock[0]"


@pytest.mark.infra
def test_r43_a_change_of_one_environment_is_shown_by_what_it_does(root, wanted):
    values = wanted("dev")
    _fill(root, values)
    root.apply()
    more = copy.deepcopy(values)
    more["compute"]["clusters"]["cpu-cluster"]["max_instances"] = 6
    _fill(root, more)
    cluster = 'module.compute.azapi_resource.this["cpu-cluster"]'
    assert root.changes() == {cluster: ["update"]}
    more["compute"]["clusters"]["cpu-cluster"]["identity"] = "system"
    _fill(root, more)
    assert root.changes() == {cluster: ["update"]}
    more["compute"]["clusters"]["cpu-cluster"]["size"] = "Standard_DS3_v2"
    _fill(root, more)
    assert root.changes() == {cluster: ["delete", "create"]}
    _fill(root, values)
    root.run("destroy", "-auto-approve")


@pytest.mark.infra
def test_what_is_taken_out_of_a_map_goes_from_the_service(root, wanted, arm):
    values = wanted("test")
    network = values["workspace"]["network"]
    rule = {"service_tag": None, "protocol": None, "port_ranges": None, "type": "FQDN"}
    network["isolation_mode"] = "AllowOnlyApprovedOutbound"
    network["outbound_rules"] = {name: {**rule, "fqdn": f"{name}.org"} for name in ("pypi", "conda")}
    _fill(root, values)
    root.apply()
    del network["outbound_rules"]["conda"]
    _fill(root, values)
    assert root.changes() == {"module.workspace.azapi_resource.this": ["update"]}
    root.apply()
    there = arm("GET", f"{_group(values)}/providers/{_WORKSPACES}/{values['workspace']['name']}")
    rules = there["properties"]["managedNetwork"]["outboundRules"]
    assert [name for name, one in rules.items() if one["category"] == "UserDefined"] == ["pypi"]
    root.run("destroy", "-auto-approve")


def test_a_value_of_the_wrong_type_is_refused_before_anything_is_asked(root, wanted):
    values = wanted("dev")
    values["compute"]["clusters"]["cpu-cluster"]["max_instances"] = "many"
    _fill(root, values)
    assert "a number is required" in root.run("plan", expect=1)


@pytest.fixture
def state_account(local_workspace) -> Iterator[Callable[[str], dict[str, Any]]]:
    """A container for states in Azurite, which has no identities; return what is in a blob of it."""
    signature = storage.account_signature(STORAGE_ACCOUNT, STORAGE_KEY)
    container = f"https://{STORAGE_ACCOUNT}.blob.{STORAGE_SUFFIX}/tfstate"
    with httpx.Client(verify=httpx.create_ssl_context(os.environ["SSL_CERT_FILE"])) as client:
        client.put(f"{container}?restype=container&{signature}")
        yield lambda blob: client.get(f"{container}/{blob}?{signature}").json()


KEPT = State(STORAGE_ACCOUNT, "tfstate", "shop/dev.tfstate")
# What leads the backend to Azurite.
SIGNED = {
    "ARM_METADATA_HOSTNAME": MANAGEMENT_HOST,
    "ARM_SAS_TOKEN": storage.account_signature(STORAGE_ACCOUNT, STORAGE_KEY),
}


def test_by_hand_the_state_of_an_environment_is_kept_on_a_storage_account(root, wanted, state_account):
    """By the files that `infra values --write` writes, and nothing else of ours."""
    project = root.folder.parents[1]
    shutil.copytree(PROJECT / "infra" / "pulumi", project / "infra" / "pulumi")
    (root.folder / "override.tf").unlink()
    by_hand.write(project, "dev", wanted("dev"), (), KEPT)
    root = replace(root, environ={**root.environ, **SIGNED})
    root.run("init", "-reconfigure", "-backend-config=backend/dev.hcl")
    root.run("apply", "-auto-approve", "-var-file=dev.tfvars.json")
    assert len(state_account("shop/dev.tfstate")["resources"]) > 10
    assert not (root.folder / "terraform.tfstate").exists()
    root.run("plan", "-detailed-exitcode", "-var-file=dev.tfvars.json")
    root.run("destroy", "-auto-approve", "-var-file=dev.tfvars.json")
