"""The other resources, the data sources, the functions, and the provider as a program that Terraform starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def _group(name):
    return f"""
    resource "azapi_resource" "group" {{
      type     = "Microsoft.Resources/resourceGroups@2024-03-01"
      name     = "rg-{name}"
      location = "westeurope"
    }}
    """


def _account(name, more=""):
    return f"""
    resource "azapi_resource" "this" {{
      type      = "Microsoft.Storage/storageAccounts@2024-01-01"
      parent_id = azapi_resource.group.id
      name      = "{name}"
      location  = "westeurope"
      body      = {{ kind = "StorageV2", sku = {{ name = "Standard_LRS" }}, properties = {{ accessTier = "Hot" }} }}
      {more}
    }}
    """


_UPDATE = """
resource "azapi_update_resource" "tier" {
  type        = "Microsoft.Storage/storageAccounts@2024-01-01"
  resource_id = azapi_resource.this.id
  body        = { properties = { supportsHttpsTrafficOnly = %s } }
  response_export_values = ["properties.supportsHttpsTrafficOnly"]
}
"""


def test_an_update_resource_changes_its_properties_and_nothing_else(terraform, arm):
    terraform.apply(_group("update") + _account("stupdate") + _UPDATE % "true")
    path = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-update/providers/Microsoft.Storage/storageAccounts/stupdate"
    )
    there = arm("GET", path)
    assert (there["properties"]["supportsHttpsTrafficOnly"], there["properties"]["accessTier"]) == (True, "Hot")
    assert terraform.values("azapi_update_resource.tier")["output"] == {
        "properties": {"supportsHttpsTrafficOnly": True}
    }
    terraform.assert_stable()
    arm("PUT", path, {**there, "properties": {**there["properties"], "supportsHttpsTrafficOnly": False}})
    assert terraform.changes() == {"azapi_update_resource.tier": ["update"]}
    terraform.apply()
    assert arm("GET", path)["properties"]["supportsHttpsTrafficOnly"] is True
    terraform.apply(_group("update") + _account("stupdate"))
    assert arm("GET", path)["properties"]["supportsHttpsTrafficOnly"] is True


def test_an_action_is_called_when_it_is_applied_and_again_when_it_changes(terraform_on, service):
    service.tell("POST", "/start", (200, {}, {"state": "Running", "key": "k"}))
    action = f"""
    resource "azapi_resource_action" "start" {{
      type        = "Microsoft.Web/sites@2024-01-01"
      resource_id = "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Web/sites/a"
      action      = "start"
      body        = {{ wait = %s }}
      response_export_values           = {{ state = "state" }}
      sensitive_response_export_values = ["key"]
    }}
    output "key" {{
      value     = azapi_resource_action.start.sensitive_output.key
      sensitive = true
    }}
    """
    shown = terraform_on.apply(action % "1")
    assert terraform_on.values("azapi_resource_action.start")["output"] == {"state": "Running"}
    assert terraform_on.outputs() == {"key": "k"}
    assert "(sensitive value)" in shown
    terraform_on.assert_stable()
    terraform_on.apply(action % "2")
    assert [body for method, _, body in service.asked if method == "POST"] == [{"wait": 1}, {"wait": 2}]


def test_an_action_for_destroying_is_called_then(terraform_on, service):
    service.tell("POST", "/stop", (202, {"Location": "{url}/stopped", "Retry-After": "0"}, None))
    service.tell("GET", "/stopped", (200, {}, {"done": True}))
    terraform_on.apply(f"""
    resource "azapi_resource_action" "stop" {{
      type        = "Microsoft.Web/sites@2024-01-01"
      resource_id = "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Web/sites/a"
      action      = "stop"
      when        = "destroy"
    }}
    """)
    assert not [method for method, _, _ in service.asked if method == "POST"]
    terraform_on.assert_stable()
    terraform_on.run("destroy", "-auto-approve")
    assert [path for _, path, _ in service.asked][-1] == "/stopped"


def test_data_sources_find_what_is_there(terraform):
    terraform.apply(
        _group("data")
        + _account("stdata", 'identity {\ntype = "SystemAssigned"\n}')
        + """
    data "azapi_resource" "one" {
      type                   = azapi_resource.this.type
      resource_id            = azapi_resource.this.id
      response_export_values = { sku = "sku.name" }
    }
    data "azapi_resource" "none" {
      type             = azapi_resource.this.type
      name             = "stnone"
      parent_id        = azapi_resource.group.id
      ignore_not_found = true
    }
    data "azapi_resource_list" "all" {
      type                   = azapi_resource.this.type
      parent_id              = azapi_resource.group.id
      response_export_values = { names = "value[].name" }
      depends_on             = [azapi_resource.this]
    }
    data "azapi_resource_action" "keys" {
      type                   = azapi_resource.this.type
      resource_id            = azapi_resource.this.id
      action                 = "listKeys"
      response_export_values = { names = "keys[].keyName" }
    }
    data "azapi_resource_id" "id" {
      type      = azapi_resource.this.type
      name      = "stx"
      parent_id = azapi_resource.group.id
    }
    data "azapi_client_config" "me" {}
    output "found" {
      value = {
        sku      = data.azapi_resource.one.output.sku
        identity = data.azapi_resource.one.identity[0].type
        none     = data.azapi_resource.none.exists
        names    = data.azapi_resource_list.all.output.names
        keys     = data.azapi_resource_action.keys.output.names
        group    = data.azapi_resource_id.id.resource_group_name
        me       = data.azapi_client_config.me.subscription_id
      }
    }
    """
    )
    assert terraform.outputs()["found"] == {
        "sku": "Standard_LRS",
        "identity": "SystemAssigned",
        "none": False,
        "names": ["stdata"],
        "keys": ["key1", "key2"],
        "group": "rg-data",
        "me": SUBSCRIPTION,
    }
    terraform.assert_stable()


def test_functions_build_ids_and_take_them_apart(terraform):
    terraform.apply("""
    locals {
      vault = "Microsoft.KeyVault/vaults"
      group = "/subscriptions/s/resourceGroups/g"
    }
    output "ids" {
      value = [
        provider::azapi::build_resource_id("/subscriptions/s/resourceGroups/g", local.vault, "v"),
        provider::azapi::resource_group_resource_id("s", "g", "${local.vault}/secrets", ["v", "x"]),
        provider::azapi::subscription_resource_id("s", "Microsoft.Authorization/roleDefinitions", ["r"]),
        provider::azapi::extension_resource_id("/subscriptions/s", "Microsoft.Authorization/locks", ["l"]),
        provider::azapi::parse_resource_id(local.vault, "${local.group}/providers/${local.vault}/v").parent_id,
      ]
    }
    """)
    group = "/subscriptions/s/resourceGroups/g"
    assert terraform.outputs()["ids"] == [
        f"{group}/providers/Microsoft.KeyVault/vaults/v",
        f"{group}/providers/Microsoft.KeyVault/vaults/v/secrets/x",
        "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/r",
        "/subscriptions/s/providers/Microsoft.Authorization/locks/l",
        group,
    ]


@pytest.fixture
def mirrored(terraform_with, service, tmp_path):
    """Terraform that finds the provider as an executable in a filesystem mirror."""
    command = [sys.executable, "-m", "mlops_kit.local.iac.azapi.mirror", str(tmp_path / "mirror")]
    configuration = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "work").mkdir()
    environ = {**terraform_with(service.environ).environ, "TF_CLI_CONFIG_FILE": configuration}
    del environ["TF_REATTACH_PROVIDERS"]
    return replace(terraform_with(service.environ), folder=tmp_path / "work", environ=environ)


_SITES = f"""
resource "azapi_resource" "this" {{
  count     = 3
  type      = "Microsoft.Web/sites@2024-01-01"
  parent_id = "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
  name      = "a${{count.index}}"
}}
"""


def test_terraform_starts_the_provider_from_a_mirror_and_ends_it(mirrored, service):
    mirrored.write(_SITES)
    mirrored.run("init")
    mirrored.run("apply", "-auto-approve")
    assert len(service.stored) == 3
    mirrored.assert_stable()


def _stuck(mirrored, service):
    """Begin an apply whose third resource is never done; it is a process group, as a terminal makes it."""
    service.tell("PUT", "/sites/a2", (202, {"Azure-AsyncOperation": "{url}/operation"}, None))
    service.tell("GET", "/operation", (200, {"Retry-After": "0.05"}, {"status": "Running"}))
    applying = subprocess.Popen(
        ["terraform", "apply", "-auto-approve", "-no-color"],
        cwd=mirrored.folder,
        env=dict(mirrored.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    assert service.answered.wait(30)
    return applying


@pytest.mark.infra
def test_a_killed_provider_loses_nothing_that_was_made(mirrored, service):
    mirrored.write(_SITES)
    mirrored.run("init")
    applying = _stuck(mirrored, service)
    deadline = time.monotonic() + 10
    while len(service.stored) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)  # the two that are done reach Terraform
    (provider,) = psutil.Process(applying.pid).children()
    os.kill(provider.pid, signal.SIGKILL)
    told, _ = applying.communicate(timeout=60)
    assert applying.returncode == 1, told
    del service.told["PUT", "/sites/a2"]
    service.stored.pop(next(path for path in service.stored if path.endswith("/a2")))
    assert mirrored.changes() == {"azapi_resource.this[2]": ["create"]}
    mirrored.run("apply", "-auto-approve")
    mirrored.assert_stable()


def test_ctrl_c_that_reaches_the_provider_too_lets_it_end_what_it_does(mirrored, service):
    mirrored.write(_SITES)
    mirrored.run("init")
    applying = _stuck(mirrored, service)
    os.killpg(applying.pid, signal.SIGINT)  # as a terminal does: terraform and the provider that it started
    told, _ = applying.communicate(timeout=60)
    assert applying.returncode == 1
    assert "Terraform was interrupted while waiting for the operation of PUT" in " ".join(told.split())
    assert mirrored.changes()["azapi_resource.this[2]"] == ["delete", "create"]  # known, and half made


def test_a_provider_whose_terraform_was_killed_ends_by_itself(mirrored, service):
    mirrored.write(_SITES)
    mirrored.run("init")
    applying = _stuck(mirrored, service)
    (provider,) = psutil.Process(applying.pid).children()
    applying.kill()
    applying.wait()
    psutil.wait_procs([provider], timeout=20)
    assert not provider.is_running()


def test_a_control_plane_that_is_gone_is_told_in_one_sentence(terraform_with, service):
    gone = "http://127.0.0.1:1"
    terraform = terraform_with({**service.environ, "IDENTITY_ENDPOINT": f"{gone}/token"})
    terraform.write(_SITES)
    told = " ".join(terraform.run("apply", "-auto-approve", expect=1).split())
    assert f"{gone}/token cannot be reached: NewConnectionError. Is the control plane running?" in told
    assert "a fault of mlops-kit" not in told


def test_an_unforeseen_fault_names_its_place_and_no_value(service):
    from tf.gen import tfplugin_pb2 as pb

    from mlops_kit.local.iac.azapi.provider import Provider

    answer = Provider(service.environ).ReadResource(pb.ReadResource.Request(type_name="azapi_secret"), None)
    (told,) = answer.diagnostics
    assert re.match(r"KeyError \(provider\.py:\d+\) in the stand-in .* a fault of mlops-kit; report it", told.detail)
    assert "azapi_secret" not in told.detail


def test_a_person_who_starts_the_provider_is_told_what_it_is(service):
    done = subprocess.run(
        [sys.executable, "-m", "mlops_kit.local.iac.azapi"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Terraform starts it" in done.stderr) == (1, True)
