"""``azapi_resource``, driven by the real terraform binary against the local control plane."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import replace

import pytest

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = """
resource "azapi_resource" "group" {
  type     = "Microsoft.Resources/resourceGroups@2024-03-01"
  name     = "rg-%(name)s"
  location = "westeurope"
}
"""
ACCOUNT = """
resource "azapi_resource" "this" {
  type      = "Microsoft.Storage/storageAccounts@2024-01-01"
  parent_id = azapi_resource.group.id
  name      = "%(account)s"
  location  = "%(location)s"
  body = {
    kind       = "StorageV2"
    sku        = { name = "%(sku)s" }
    properties = { minimumTlsVersion = "TLS1_2" }
  }
  %(more)s
}
"""


def _group(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-{name}"


def _account(group: str, name: str) -> str:
    return f"{_group(group)}/providers/Microsoft.Storage/storageAccounts/{name}"


def _configuration(name, account="", location="westeurope", sku="Standard_LRS", more=""):
    facts = {"name": name, "account": account or f"st{name}", "location": location, "sku": sku, "more": more}
    return GROUP % facts + ACCOUNT % facts


def test_what_is_applied_is_there_and_the_second_plan_is_empty(terraform, arm):
    terraform.apply(_configuration("made", location="West Europe", more='tags = { a = "b" }'))
    there = arm("GET", _account("made", "stmade"))
    assert (there["sku"], there["tags"]) == ({"name": "Standard_LRS"}, {"a": "b"})
    assert there["properties"]["minimumTlsVersion"] == "TLS1_2"
    terraform.assert_stable()
    terraform.run("destroy", "-auto-approve")
    assert arm("GET", _group("made")) is None


def test_drift_is_shown_and_repaired(terraform, arm):
    terraform.apply(_configuration("drift"))
    path = _account("drift", "stdrift")
    there = arm("GET", path)
    arm("PUT", path, {**there, "sku": {"name": "Standard_GRS"}, "tags": {"by": "hand"}})
    assert terraform.changes() == {"azapi_resource.this": ["update"]}
    shown = terraform.run("plan")
    assert '"Standard_GRS" -> "Standard_LRS"' in shown
    terraform.apply()
    assert arm("GET", path)["sku"] == {"name": "Standard_LRS"}
    terraform.assert_stable()


def test_what_was_deleted_by_hand_is_made_again(terraform, arm):
    terraform.apply(_configuration("gone"))
    arm("DELETE", _account("gone", "stgone"))
    assert terraform.changes() == {"azapi_resource.this": ["create"]}
    terraform.apply()
    assert arm("GET", _account("gone", "stgone")) is not None


def test_a_changed_property_is_an_update_in_place(terraform, arm):
    terraform.apply(_configuration("place"))
    changed = _configuration("place", sku="Standard_ZRS")
    assert terraform.changes(changed) == {"azapi_resource.this": ["update"]}
    terraform.apply()
    assert arm("GET", _account("place", "stplace"))["sku"] == {"name": "Standard_ZRS"}
    terraform.assert_stable()


def test_a_new_name_or_location_is_a_replacement(terraform, arm):
    terraform.apply(_configuration("moved"))
    assert terraform.changes(_configuration("moved", account="stmoved2")) == {
        "azapi_resource.this": ["delete", "create"]
    }
    terraform.apply()
    assert arm("GET", _account("moved", "stmoved")) is None
    elsewhere = _configuration("moved", account="stmoved2", location="northeurope")
    assert terraform.changes(elsewhere) == {"azapi_resource.this": ["delete", "create"]}
    terraform.apply()
    assert arm("GET", _account("moved", "stmoved2"))["location"] == "northeurope"
    assert terraform.changes(_configuration("moved", account="stmoved2", location="North Europe")) == {}


def test_a_location_that_is_not_known_yet_is_no_reason_for_a_replacement(terraform, arm):
    """The body of the account depends on what the group answers, which is unknown while the group is to change."""

    def written(tag):
        more = f'tags = {{ a = "{tag}" }}\n  response_export_values = ["tags"]'
        group = GROUP.replace('"westeurope"', f'"westeurope"\n  {more}') % {"name": "later"}
        return f"""{group}
resource "azapi_resource" "this" {{
  type      = "Microsoft.Storage/storageAccounts@2024-01-01"
  parent_id = azapi_resource.group.id
  name      = "stlater"
  body = {{
    location   = "westeurope"
    kind       = "StorageV2"
    sku        = {{ name = "Standard_LRS" }}
    tags       = azapi_resource.group.output.tags
  }}
}}
"""

    terraform.apply(written("one"))
    assert terraform.changes(written("two")) == {"azapi_resource.group": ["update"], "azapi_resource.this": ["update"]}
    terraform.apply()
    there = arm("GET", _account("later", "stlater"))
    assert (there["location"], there["tags"]) == ("westeurope", {"a": "two"})
    terraform.assert_stable()


def test_a_trigger_is_a_replacement_and_null_switches_it_off(terraform):
    terraform.apply(_configuration("trigger", more="replace_triggers_external_values = [1, { a = true }]"))
    terraform.assert_stable()
    again = _configuration("trigger", more="replace_triggers_external_values = [2, { a = true }]")
    assert terraform.changes(again) == {"azapi_resource.this": ["delete", "create"]}
    off = _configuration("trigger", more="replace_triggers_external_values = null")
    assert terraform.changes(off) == {"azapi_resource.this": ["update"]}


def test_a_watched_path_of_the_body_is_a_replacement(terraform):
    more = 'replace_triggers_refs = ["sku.name"]'
    terraform.apply(_configuration("watch", more=more))
    changed = _configuration("watch", sku="Premium_LRS", more=more)
    assert terraform.changes(changed) == {"azapi_resource.this": ["delete", "create"]}


def test_a_parent_in_other_letters_is_the_same_parent(terraform):
    written = _configuration("case")
    terraform.apply(written)
    other = written.replace(
        "azapi_resource.group.id", f'"{_group("case").upper().replace("SUBSCRIPTIONS", "subscriptions")}"'
    )
    assert terraform.changes(other) == {}


def test_output_is_a_tree_by_paths_a_map_by_queries_and_everything_by_a_star(terraform):
    wanted = ('["sku.name", "properties.nothing"]', '{ tls = "properties.minimumTlsVersion" }', '["*"]')
    text = GROUP % {"name": "output"}
    for index, exported in enumerate(wanted):
        more = f"response_export_values = {exported}"
        facts = {"account": f"stoutput{index}", "location": "westeurope", "sku": "Standard_LRS", "more": more}
        text += (ACCOUNT % facts).replace('"this"', f'"by_{index}"')
    terraform.apply(text)
    assert terraform.values("azapi_resource.by_0")["output"] == {"sku": {"name": "Standard_LRS"}}
    assert terraform.values("azapi_resource.by_1")["output"] == {"tls": "TLS1_2"}
    assert terraform.values("azapi_resource.by_2")["output"]["type"] == "Microsoft.Storage/storageAccounts"
    assert terraform.values("azapi_resource.group")["output"] == {}
    terraform.assert_stable()


def test_a_value_known_after_apply_flows_into_the_next_body(terraform, arm):
    identity = """
    locals { role = "Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7" }
    resource "azapi_resource" "identity" {
      type      = "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31"
      parent_id = azapi_resource.group.id
      name      = "id-flow"
      location  = "westeurope"
      response_export_values = { principal = "properties.principalId" }
    }
    resource "azapi_resource" "role" {
      type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
      parent_id = azapi_resource.group.id
      name      = uuidv5("url", "flow")
      body = { properties = {
        principalId      = azapi_resource.identity.output.principal
        principalType    = "ServicePrincipal"
        roleDefinitionId = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/${local.role}"
      } }
      depends_on = [azapi_resource.identity]
    }
    output "role" { value = azapi_resource.role.id }
    """
    terraform.apply(GROUP % {"name": "flow"} + identity)
    principal = terraform.values("azapi_resource.identity")["output"]["principal"]
    assert arm("GET", terraform.outputs()["role"])["properties"]["principalId"] == principal
    terraform.assert_stable()


def test_identities_go_round_as_they_are_written(terraform, arm):
    user = "azapi_resource.person.id"
    text = (
        GROUP % {"name": "ident"}
        + """
    resource "azapi_resource" "person" {
      type      = "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31"
      parent_id = azapi_resource.group.id
      name      = "id-ident"
      location  = "westeurope"
    }
    """
    )
    blocks = {
        "empty": 'identity {\ntype = "SystemAssigned"\nidentity_ids = []\n}',
        "null": 'identity {\ntype = "SystemAssigned"\n}',
        "user": f'identity {{\ntype = "UserAssigned"\nidentity_ids = [{user}]\n}}',
        "both": f'identity {{\ntype = "SystemAssigned, UserAssigned"\nidentity_ids = [{user}]\n}}',
    }
    for name, more in blocks.items():
        facts = {"account": f"stident{name}", "location": "westeurope", "sku": "Standard_LRS", "more": more}
        text += (ACCOUNT % facts).replace('"this"', f'"{name}"')
    terraform.apply(text)
    terraform.assert_stable()
    assert terraform.values("azapi_resource.null")["identity"][0]["principal_id"]
    assert terraform.values("azapi_resource.user")["identity"][0]["principal_id"] is None
    removed = text.replace(blocks["null"], "")
    assert terraform.changes(removed) == {"azapi_resource.null": ["update"]}
    terraform.apply()
    assert arm("GET", _account("ident", "stidentnull")).get("identity", {"type": "None"})["type"] == "None"
    terraform.assert_stable()


def test_a_secret_reaches_the_service_and_no_file(terraform, arm):
    secret = "s3cret-of-the-test"
    variable = 'variable "password" {\nephemeral = true\n}'
    more = "sensitive_body = { properties = { password = var.password } }"
    given = replace(terraform, environ={**terraform.environ, "TF_VAR_password": secret})
    shown = given.apply(variable + _configuration("secret", more=more))
    assert arm("GET", _account("secret", "stsecret"))["properties"]["password"] == secret
    traced = replace(given, environ={**given.environ, "TF_LOG": "TRACE"})
    shown += traced.run("plan", "-out=plan.bin") + given.run("show", "-json", "plan.bin")
    assert secret not in shown + (given.folder / "terraform.tfstate").read_text(encoding="utf-8")
    given.assert_stable()
    other = replace(terraform, environ={**terraform.environ, "TF_VAR_password": "another"})
    assert other.changes() == {"azapi_resource.this": ["update"]}
    other.apply()
    assert arm("GET", _account("secret", "stsecret"))["properties"]["password"] == "another"


def test_versions_tell_which_part_of_a_secret_body_is_sent(terraform, arm):
    more = """
    sensitive_body         = { properties = { one = "%s", two = "%s" } }
    sensitive_body_version = { "properties.one" = "%s", "properties.two" = "1" }
    """
    terraform.apply(_configuration("version", more=more % ("a", "b", "1")))
    changed = _configuration("version", more=more % ("c", "d", "1"))
    assert terraform.changes(changed) == {}
    terraform.apply(_configuration("version", more=more % ("c", "d", "2")))
    assert arm("GET", _account("version", "stversion"))["properties"]["one"] == "c"
    terraform.assert_stable()


def test_what_is_there_is_not_taken_over_but_imported(terraform, arm):
    arm("PUT", _group("taken"), {"location": "westeurope"})
    body = {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "location": "westeurope"}
    arm("PUT", _account("taken", "sttaken"), {**body, "properties": {"minimumTlsVersion": "TLS1_2"}})
    refused = terraform.apply(_configuration("taken"), expect=1)
    assert "Resource already exists" in refused
    assert "import it with an import block" in " ".join(refused.replace("│", " ").split())
    terraform.run("import", "azapi_resource.group", f"{_group('taken')}?api-version=2024-03-01")
    block = f'import {{\nto = azapi_resource.this\nid = "{_account("taken", "sttaken")}?api-version=2024-01-01"\n}}'
    terraform.apply(_configuration("taken") + block)
    terraform.assert_stable()
    assert terraform.changes(_configuration("taken", sku="Standard_ZRS")) == {"azapi_resource.this": ["update"]}


def test_a_failure_in_the_middle_keeps_what_was_made_and_goes_on(terraform, arm):
    wrong = """
    resource "azapi_resource" "wrong" {
      type      = "Microsoft.Unheard/things@2024-01-01"
      parent_id = azapi_resource.group.id
      name      = "x"
      body      = { properties = {} }
    }
    """
    told = terraform.apply(_configuration("middle") + wrong, expect=1)
    assert "does not implement" in told
    assert terraform.values("azapi_resource.group")["name"] == "rg-middle"
    assert terraform.changes(_configuration("middle")).get("azapi_resource.group") is None
    terraform.apply()
    assert arm("GET", _account("middle", "stmiddle")) is not None
    terraform.assert_stable()


def test_a_list_written_with_tolist_survives_drift(terraform, arm):
    more = "lifecycle {\nignore_changes = []\n}"
    text = _configuration("list", more=more).replace(
        'minimumTlsVersion = "TLS1_2"', 'scopes = tolist(["a", "b"])\nratio = 0.1\nlarge = 123456789012345678901'
    )
    terraform.apply(text)
    terraform.assert_stable()
    path = _account("list", "stlist")
    there = arm("GET", path)
    assert there["properties"]["large"] == 123456789012345678901
    arm("PUT", path, {**there, "properties": {**there["properties"], "scopes": ["a", "c"]}})
    assert terraform.changes() == {"azapi_resource.this": ["update"]}
    terraform.apply()
    terraform.assert_stable()


def test_a_mistake_is_shown_at_its_argument_before_anything_is_asked(terraform):
    mistakes = {
        'type      = "Microsoft.Storage/storageAccounts"': "is not of the form",
        'type = "Microsoft.Storage/storageAccounts@2024-01-01"\nlocation = "x"\nbody = { location = "y" }': "twice",
        'type = "Microsoft.Storage/storageAccounts@2024-01-01"\nidentity {\ntype = "Strange"\n}': "is not one of",
        'type = "Microsoft.Storage/storageAccounts@2024-01-01"\ntimeouts {\ncreate = "soon"\n}': "is not a duration",
    }
    for argument, said in mistakes.items():
        terraform.write(
            f'resource "azapi_resource" "this" {{\nname = "x"\nparent_id = "/subscriptions/x"\n{argument}\n}}'
        )
        told = " ".join(terraform.run("validate", expect=1).replace("│", " ").split())
        assert said in told
        assert "main.tf line" in told


def test_a_data_plane_resource_is_refused_with_the_reason(terraform):
    terraform.write(
        'resource "azapi_data_plane_resource" "this" {\ntype = "Microsoft.KeyVault/vaults/secrets@7.4"\n'
        'parent_id = "v.vault.azure.net"\nname = "s"\n}'
    )
    assert "No data plane" in terraform.run("validate", expect=1)


def test_r42_a_retry_waits_for_what_the_service_says_passes(terraform_on, service):
    error = {"error": {"code": "PrincipalNotFound", "message": "not replicated yet"}}
    service.tell("PUT", "/sites/a", (400, {}, error), (400, {}, error), (201, {}, {"properties": {}}))
    terraform_on.apply(
        _site("""retry = {
          error_message_regex  = ["PrincipalNotFound"]
          interval_seconds     = 0.05
          randomization_factor = 0
        }""")
    )
    assert [method for method, path, _ in service.asked if path.endswith("/sites/a")].count("PUT") == 3


def _site(more=""):
    return f"""
    resource "azapi_resource" "this" {{
      type      = "Microsoft.Web/sites@2024-01-01"
      parent_id = "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
      name      = "a"
      body      = {{ properties = {{ on = true }} }}
      {more}
    }}
    """


_RUNNING = (200, {"Retry-After": "0"}, {"status": "Running"})
_ACCEPTED = (202, {"Azure-AsyncOperation": "{url}/operation", "Retry-After": "0"}, None)


def test_a_long_operation_is_followed_to_its_end(terraform_on, service):
    service.tell("PUT", "/sites/a", _ACCEPTED)
    service.tell("GET", "/operation", _RUNNING, _RUNNING, (200, {}, {"status": "Succeeded"}))
    terraform_on.apply(_site())
    assert [path for _, path, _ in service.asked].count("/operation") == 3
    service.tell("DELETE", "/sites/a", (202, {"Location": "{url}/result", "Retry-After": "0"}, None))
    service.tell("GET", "/result", (202, {"Retry-After": "0"}, None), (204, {}, None))
    terraform_on.run("destroy", "-auto-approve")
    assert [path for _, path, _ in service.asked].count("/result") == 2


def test_a_failed_operation_says_why_and_marks_what_it_left(terraform_on, service):
    error = {"code": "QuotaExceeded", "message": "no cores left"}
    service.tell("PUT", "/sites/a", _ACCEPTED)
    service.tell("GET", "/operation", (200, {}, {"status": "Failed", "error": error}))
    told = terraform_on.apply(_site(), expect=1)
    assert "QuotaExceeded: no cores left" in " ".join(told.replace("│", " ").split())
    assert terraform_on.changes() == {"azapi_resource.this": ["delete", "create"]}


def test_an_operation_that_hangs_ends_at_the_timeout(terraform_on, service):
    service.tell("PUT", "/sites/a", _ACCEPTED)
    service.tell("GET", "/operation", (200, {"Retry-After": "0"}, {"status": "Running"}))
    told = terraform_on.apply(_site('timeouts {\ncreate = "300ms"\n}'), expect=1)
    assert "did not end within 300ms" in " ".join(told.replace("│", " ").split())


def test_a_token_is_never_sent_elsewhere(terraform_on, service):
    service.tell("PUT", "/sites/a", (202, {"Location": "https://elsewhere.example/x"}, None))
    assert "is not below" in terraform_on.apply(_site(), expect=1)


def test_terraform_without_a_control_plane_is_told_how_to_get_one(terraform_with):
    told = " ".join(terraform_with({}).apply(_site(), expect=1).replace("│", " ").split())
    assert "mlops-kit local start" in told


def test_terraform_is_never_led_to_azure(terraform_with, service):
    elsewhere = {**service.environ, "ARM_CLOUD_METADATA_URL": "https://management.azure.com/metadata/endpoints"}
    assert "never speaks with Azure" in " ".join(terraform_with(elsewhere).apply(_site(), expect=1).split())


def test_the_state_holds_what_the_configuration_says(terraform_on, service):
    terraform_on.apply(_site('ignore_null_property = true\nlocks = ["b", "a"]\ncreate_headers = { x = "y" }'))
    state = json.loads((terraform_on.folder / "terraform.tfstate").read_text(encoding="utf-8"))
    attributes = state["resources"][0]["instances"][0]["attributes"]
    assert attributes["body"] == {
        "value": {"properties": {"on": True}},
        "type": ["object", {"properties": ["object", {"on": "bool"}]}],
    }
    assert attributes["parent_id"].endswith("/resourceGroups/rg")


def test_changes_at_a_path_are_left_to_others(terraform_on, service):
    ignoring = 'ignore_body_changes = ["properties.count"]'
    body = "body = { properties = { on = true, count = %d } }"
    text = _site(ignoring).replace("body      = { properties = { on = true } }", body % 1)
    terraform_on.apply(text)
    (path,) = service.stored
    service.stored[path]["properties"]["count"] = 5
    terraform_on.assert_stable()
    assert terraform_on.changes(text.replace(body % 1, body % 2)) == {}
    changed = text.replace("on = true", "on = false")
    assert terraform_on.changes(changed) == {"azapi_resource.this": ["update"]}
    terraform_on.apply()
    assert service.stored[path]["properties"] == {"on": False, "count": 5}


def test_a_new_api_version_alone_changes_nothing(terraform_on, service):
    terraform_on.apply(_site())
    newer = _site().replace("2024-01-01", "2025-01-01")
    assert terraform_on.changes(newer) == {}
    assert terraform_on.changes(newer.replace("on = true", "on = false")) == {"azapi_resource.this": ["update"]}


def test_a_setting_of_requests_alone_is_no_request(terraform_on, service):
    terraform_on.apply(_site())
    service.asked.clear()
    terraform_on.apply(_site('timeouts {\ncreate = "1m"\n}'))
    assert "PUT" not in [method for method, _, _ in service.asked]


def test_resources_with_one_lock_are_written_one_after_another(terraform_on, service):
    text = _site('count = 4\nlocks = ["one"]').replace('"a"', '"a${count.index}"')
    service.slow = 0.05
    terraform_on.apply(text)
    assert service.most_at_once == 1
    terraform_on.apply(text.replace('locks = ["one"]', "").replace("a${", "b${"))
    assert service.most_at_once > 1


def test_a_deletion_whose_operation_is_forgotten_is_not_taken_for_done(terraform_on, service):
    terraform_on.apply(_site())
    service.tell("DELETE", "/sites/a", _ACCEPTED)
    service.tell("GET", "/operation", (404, {}, {"error": {"code": "ResourceNotFound", "message": "gone"}}))
    told = " ".join(terraform_on.run("destroy", "-auto-approve", expect=1).split())
    assert "no longer knows the operation of DELETE" in told
    del service.told["DELETE", "/sites/a"]
    terraform_on.assert_stable()
    terraform_on.run("destroy", "-auto-approve")
    assert service.stored == {}


@pytest.mark.parametrize("made", [True, False])
def test_a_creation_of_which_nobody_knows_whether_it_was_done_is_looked_for_at_the_next_run(
    terraform_on, service, made
):
    reason = {"error": {"code": "AuthorizationFailed", "message": "not you"}}
    denied: tuple[int, dict[str, str], dict[str, dict[str, str]]] = (403, {}, reason)
    service.tell("PUT", "/sites/a", (200, {}, {}) if made else denied)
    service.tell("GET", "/sites/a", (404, {}, None), denied)
    terraform_on.write(_site())
    assert "AuthorizationFailed: not you" in terraform_on.run("apply", "-auto-approve", expect=1)
    service.told.clear()
    assert terraform_on.changes() == {"azapi_resource.this": ["delete", "create"] if made else ["create"]}
    terraform_on.run("apply", "-auto-approve")
    terraform_on.assert_stable()


def test_an_interrupted_apply_ends_soon_and_keeps_what_is_known(terraform_on, service):
    service.tell("PUT", "/sites/a", _ACCEPTED)
    service.tell("GET", "/operation", (200, {"Retry-After": "0.05"}, {"status": "Running"}))
    terraform_on.write(_site())
    command = ["terraform", "apply", "-auto-approve", "-no-color"]
    applying = subprocess.Popen(
        command, cwd=terraform_on.folder, env=dict(terraform_on.environ), stdout=subprocess.PIPE, text=True
    )
    assert service.answered.wait(20)
    applying.send_signal(signal.SIGINT)
    told, _ = applying.communicate(timeout=20)
    assert applying.returncode == 1
    assert "Interrupt received" in told
    assert terraform_on.changes() == {"azapi_resource.this": ["delete", "create"]}
