"""Lesson 2: the workspace, what it is made with, who may do what in it, and its compute (scenario S1)."""

import contextlib
import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from mlops_kit.cli import main

PROJECT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("local", "dev", "test", "prod")
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ML = "Microsoft.MachineLearningServices/workspaces"


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def kit(*arguments, code=0, without=(), **variables):
    """Run ``mlops-kit`` on the project in this process, as a person with these variables would."""
    before, out, err, left = dict(os.environ), io.StringIO(), io.StringIO(), 0
    os.environ.update({"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, **variables})
    for name in [name for name in os.environ if name.startswith(tuple(without))]:
        del os.environ[name]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main([*arguments, "-C", str(PROJECT)])
    except SystemExit as leave:
        left = int(leave.code or 0)
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert left == code, out.getvalue() + err.getvalue()
    return Ran(left, out.getvalue(), err.getvalue())


@pytest.fixture
def here(course):
    """Return the variables under which ``-e local`` is the workspace of the lessons."""
    return {
        "MLOPS_KIT_LOCAL_STATE": str(course.workspace.state),
        "MLOPS_KIT_VAR_WORKSPACE__NAME": course.workspace.workspace.name,
    }


# The boundary: workspace, environment, group


@pytest.mark.slow
def test_l2_01_new_workspace_is_empty_and_sees_nothing_of_another(course, here, terraform_binary, tmp_path):
    """Of the six kinds there is only what the control plane itself offers: a cluster, and curated environments."""
    from azure.ai.ml.entities import Data

    kinds = ("compute", "data", "job", "environment", "component", "model")
    (tmp_path / "rows.csv").write_text("a\n1\n", encoding="utf-8")
    course.ml.data.create_or_update(Data(name="only-here", path=str(tmp_path / "rows.csv"), type="uri_file"))
    state = {"MLOPS_KIT_LOCAL_STATE": str(tmp_path / "state")}
    try:
        planned = kit("infra", "plan", "-e", "local", "-o", "json", **state).json
        assert {one["action"] for one in planned["changes"]} >= {"create", "adopt"}
        found = {kind: kit(kind, "list", "-e", "local", "-o", "json", **state).json for kind in kinds}
        assert [one["name"] for one in found.pop("compute")] == ["cpu-cluster"]
        assert all(one["name"].startswith("AzureML-") for one in found.pop("environment"))
        assert found == {"data": [], "job": [], "component": [], "model": []}
        assert "only-here" in {one["name"] for one in kit("data", "list", "-e", "local", "-o", "json", **here).json}
    finally:
        kit("local", "reset", "--yes", **state)


def test_l2_02_documents_of_four_environments_differ_only_in_what_their_overlays_say(tmp_path):
    """A key of the document that differs is one whose expression uses a key that some environment's file gives."""
    template = tmp_path / "job.yml"
    template.write_text(
        "type: command\ncommand: echo\nenvironment: azureml:own:1\ncompute: azureml:${env.compute}\n"
        "description: ${env.description}\n"
        "tags: {workspace: '${env.workspace.name}', location: '${env.location}', auth: '${env.auth}'}\n",
        encoding="utf-8",
    )
    rendered = [yaml.safe_load(kit("render", str(template), "-e", name).out) for name in ENVIRONMENTS]
    flat = [{**one.pop("tags"), **one} for one in rendered]
    assert {key for key in flat[0] if len({one[key] for one in flat}) > 1} == {"description", "workspace", "location"}
    for key in ("description", "workspace"):
        assert len({one[key] for one in flat}) == 4
    assert [one["location"] for one in flat] == ["local", "westeurope", "westeurope", "westeurope"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_l2_03_missing_subscription_is_named_by_its_key_except_on_this_machine(name):
    ran = kit("validate", "--all", "-e", name, code=0 if name == "local" else 2, without=("AZURE_SUBSCRIPTION_ID",))
    places = [line.partition(": ")[0] for line in ran.out.splitlines()]
    assert places == ([] if name == "local" else [f"environments/{name}.yaml:{4 if name != 'prod' else 5}:20"])
    assert all("workspace.subscription_id" in line for line in ran.out.splitlines())


# What a workspace is made with


def test_l2_04_one_storage_account_takes_https_only_and_shows_no_blob_to_everyone(planned):
    for name in ("dev", "prod"):
        (account,) = planned(name).of("Microsoft.Storage/storageAccounts")
        assert account["kind"] == "StorageV2"
        assert account["properties"]["supportsHttpsTrafficOnly"] is True
        assert account["properties"]["allowBlobPublicAccess"] is False
        assert account["properties"]["minimumTlsVersion"] == "TLS1_2"


@pytest.mark.slow
def test_l2_04_what_is_uploaded_comes_back_byte_for_byte(course, tmp_path):
    import azure.ai.ml._artifacts._artifact_utilities as artifacts
    from azure.ai.ml.entities import Data

    content = bytes(range(256)) * 4096
    (tmp_path / "bytes.bin").write_bytes(content)
    made = course.ml.data.create_or_update(Data(name="bytes", path=str(tmp_path / "bytes.bin"), type="uri_file"))
    artifacts.download_artifact_from_aml_uri(made.path, str(tmp_path / "back"), course.ml.datastores)
    (back,) = (path for path in (tmp_path / "back").rglob("*") if path.is_file())
    assert back.read_bytes() == content


def test_l2_05_one_application_insights_sends_to_one_log_analytics(planned, course):
    found = planned("dev")
    assert len(found.of("Microsoft.Insights/components")) == 1
    (logs,) = found.of("Microsoft.OperationalInsights/workspaces")
    assert logs["name"] == "log-mlops-kit-dev"


@pytest.mark.slow
def test_l2_05_workspace_of_this_machine_has_application_insights_too(course, arm):
    insights = arm("GET", course.ml.workspaces.get().application_insights)
    assert insights["type"].lower() == "microsoft.insights/components"
    assert "/microsoft.operationalinsights/workspaces/" in insights["properties"]["WorkspaceResourceId"].lower()


@pytest.mark.slow
def test_l2_06_secret_is_in_nothing_that_is_shown_and_known_only_to_the_job(course, here, tmp_path):
    value = f"the value {uuid.uuid4()}"
    digest = hashlib.sha256(value.encode()).hexdigest()
    script = "import hashlib, os; print('digest', hashlib.sha256(os.environ['DB_LOGIN'].encode()).hexdigest())"
    template = tmp_path / "keyed.yml"
    template.write_text(
        f'type: command\ncommand: python -c "{script}"\nenvironment: azureml:AzureML-minimal@latest\n'
        "compute: azureml:cpu-cluster\nenvironment_variables:\n"
        "  DB_LOGIN: ${secret.DB_KEY}\n  DB_HOST: db.example\n",
        encoding="utf-8",
    )
    where = (str(template), "-e", "local")
    assert "MLOPS_KIT_SECRET_DB_KEY" in kit("run", *where, code=2, **here).err
    known = {**here, "MLOPS_KIT_SECRET_DB_KEY": value}
    shown = [kit(verb, *where, **known) for verb in ("render", "validate")] + [
        kit("run", *where, "-o", "json", **known)
    ]
    name = shown[-1].json["name"]
    shown += [kit("job", verb, name, "-e", "local", **known) for verb in ("show", "stream")]
    assert "DB_LOGIN: ${secret.DB_KEY}" in shown[0].out
    assert "  DB_LOGIN: '***'\n" in shown[3].out  # whose name does not sound secret
    assert "  DB_HOST: db.example\n" in shown[3].out
    assert [value in one.out + one.err for one in shown] == [False] * 5
    assert f"digest {digest}" in course.log(course.ml.jobs.get(name))


def test_l2_06_key_vault_is_made_and_refuses_old_access_policies(planned):
    (vault,) = planned("prod").of("Microsoft.KeyVault/vaults")
    assert vault["properties"]["enableRbacAuthorization"] is True
    assert (vault["properties"]["enableSoftDelete"], vault["properties"]["enablePurgeProtection"]) == (True, True)


def test_l2_07_container_registry_is_made_unless_it_is_left_to_azure(planned):
    registries = "Microsoft.ContainerRegistry/registries"
    assert len(planned("dev").of(registries)) == 1
    assert planned("dev", *OTHERWISE).of(registries) == []


# Who may do what


@pytest.fixture(scope="module")
def as_role(course, infrastructure, arm):
    """Give a custom role of the project to a new identity; return the client id that signs in as it."""
    workspace = course.ml.workspaces.get().id
    group = workspace.partition("/providers/")[0]

    def sign_in(name):
        role = infrastructure("local").identity_and_access.custom_roles[name]
        permissions = {"actions": list(role.actions), "notActions": list(role.not_actions)}
        definition = f"{group}/providers/Microsoft.Authorization/roleDefinitions/{uuid.uuid4()}"
        facts = {"roleName": f"course {name}", "permissions": [permissions], "assignableScopes": [group]}
        made = arm("PUT", definition, {"properties": facts})
        identity = arm(
            "PUT",
            f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{name}",
            {"location": "local"},
        )["properties"]
        grant = {"principalId": identity["principalId"], "roleDefinitionId": made["id"]}
        grant["principalType"] = "ServicePrincipal"
        assignment = f"{workspace}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        arm("PUT", assignment, {"properties": grant})
        return str(identity["clientId"])

    return sign_in


def _as(course, client_id):
    from azure.ai.ml import MLClient
    from azure.identity import ManagedIdentityCredential

    ml = course.ml
    credential = ManagedIdentityCredential(client_id=client_id)
    return MLClient(credential, ml.subscription_id, ml.resource_group_name, ml.workspace_name)


def _refused(action):
    from azure.core.exceptions import HttpResponseError

    return pytest.raises(HttpResponseError, match=rf"AuthorizationFailed[\s\S]*{ML}/{action}|{ML}/{action}")


@pytest.mark.slow
def test_l2_08_it_operations_make_compute_and_datastores_and_submit_nothing(course, here, as_role, planned):
    from azure.ai.ml.entities import AmlCompute, AzureBlobDatastore

    (role,) = (one for one in planned("dev").of("Microsoft.Authorization/roleDefinitions") if "it_ops" in _title(one))
    (permissions,) = role["properties"]["permissions"]
    assert _allows(permissions, f"{ML}/computes/write")
    assert _allows(permissions, f"{ML}/datastores/write")
    assert not _allows(permissions, f"{ML}/jobs/write")
    client = as_role("it_ops")
    mine = _as(course, client)
    mine.compute.begin_create_or_update(AmlCompute(name="of-it-ops", max_instances=1)).result()
    store = AzureBlobDatastore(name="of_it_ops", account_name="devstoreaccount1", container_name="of-it-ops")
    assert mine.datastores.create_or_update(store).name == "of_it_ops"
    theirs = ("--set", "environment=azureml:AzureML-minimal@latest")  # so that a job is all that is submitted
    refused = kit("run", "hello", "-e", "local", *theirs, code=2, MLOPS_KIT_LOCAL_IDENTITY=client, **here)
    assert "not allowed" in refused.err
    assert f"action '{ML}/jobs/write'" in refused.err


@pytest.mark.slow
def test_l2_09_data_scientists_run_and_register_and_make_no_compute_and_no_datastore(
    course, here, as_role, planned, tmp_path
):
    from azure.ai.ml.entities import AmlCompute, AzureBlobDatastore

    found = planned("dev").of("Microsoft.Authorization/roleDefinitions")
    (role,) = (one for one in found if "data_scientist" in _title(one))
    (permissions,) = role["properties"]["permissions"]
    expected = {"jobs/write": True, "models/versions/write": True, "computes/write": False, "datastores/write": False}
    expected["datastores/delete"] = False
    assert {action: _allows(permissions, f"{ML}/{action}") for action in expected} == expected
    client = as_role("data_scientist")
    mine = _as(course, client)
    with _refused("computes/write"):
        mine.compute.begin_create_or_update(AmlCompute(name="of-scientist", max_instances=1))
    store = AzureBlobDatastore(name="of_scientist", account_name="devstoreaccount1", container_name="of-scientist")
    with _refused("datastores/write"):
        mine.datastores.create_or_update(store)
    (tmp_path / "weights.txt").write_text("1", encoding="utf-8")
    model = tmp_path / "model.yml"
    model.write_text(f"name: of-scientist\ntype: custom_model\npath: {tmp_path}/weights.txt\n", encoding="utf-8")
    mine_too = {**here, "MLOPS_KIT_LOCAL_IDENTITY": client}
    assert kit("run", "hello", "-e", "local", "-o", "json", **mine_too).json["status"] == "Completed"
    kit("model", "register", str(model), "-e", "local", **mine_too)
    assert course.ml.models.get("of-scientist", version="1").name == "of-scientist"


def _title(role):
    return role["properties"]["roleName"]


def _allows(permissions, action):
    """Decide as Azure does: an action fits, and no not-action does."""

    def fits(patterns):
        return any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), action, re.IGNORECASE) for one in patterns)

    return fits(permissions["actions"]) and not fits(permissions["notActions"])


# Infrastructure as code


def test_l2_11_l2_13_both_engines_tell_the_same_outputs(planned, on_mocks):
    """The plan passes with the real terraform, the program on Pulumi's mocks; neither reaches a network."""
    told = planned("dev").outputs
    assert len(told) > 25
    assert on_mocks("dev")["names of outputs"] == sorted(told)


KEY = f"https://kv-keys.vault.azure.net/keys/own/{'0' * 32}"
HUB = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hub/providers"
OTHERWISE = (
    "infra.container_registry=null",
    f"infra.observability.application_insights_id={HUB}/Microsoft.Insights/components/appi-hub",
    "infra.kubernetes={}",
    "infra.storage.containers=[data]",
    "infra.data_trigger={triggers: {new-data: {container: data, prefix: training/, pipeline: train}}}",
    f"infra.workspace.customer_managed_key={{vault_id: {HUB}/Microsoft.KeyVault/vaults/kv-keys, key_id: '{KEY}'}}",
)


def test_l2_14_prod_is_private_and_dev_is_not(planned):
    prod, dev = planned("prod"), planned("dev")
    assert [one["properties"]["publicNetworkAccess"] for one in prod.of(ML)] == ["Disabled"]
    assert len(prod.of("Microsoft.Network/privateEndpoints")) == 1
    assert len(prod.of("Microsoft.Network/privateDnsZones")) == 2
    assert [one["properties"]["publicNetworkAccess"] for one in dev.of(ML)] == ["Enabled"]
    assert dev.of("Microsoft.Network/privateEndpoints") == []
    assert dev.of("Microsoft.Network/privateDnsZones") == []


def test_l2_15_encryption_is_said_only_where_a_key_is_given(planned):
    (plain,), (own,) = planned("dev").of(ML), planned("dev", *OTHERWISE).of(ML)
    assert plain["properties"]["encryption"] is None
    assert own["properties"]["encryption"]["keyVaultProperties"]["keyIdentifier"] == KEY


# Compute


COMPUTES = {
    "computeinstance": "size: Standard_DS11_v2\n",
    "amlcompute": "size: Standard_DS11_v2\nmax_instances: 2\n",
    "kubernetes": f"namespace: default\nresource_id: {HUB}/Microsoft.ContainerService/managedClusters/aks-hub\n",
    "virtualmachine": f"resource_id: {HUB}/Microsoft.Compute/virtualMachines/vm-hub\n",
    "synapsespark": f"resource_id: {HUB}/Microsoft.Synapse/workspaces/syn-hub/bigDataPools/pool\n",
}


@pytest.mark.parametrize("kind", [*COMPUTES, "inferencecluster"])
def test_l2_16_five_types_of_compute_are_valid_and_a_retired_one_points_to_its_successor(kind, tmp_path):
    file = tmp_path / "compute.yml"
    file.write_text(f"name: a-compute\ntype: {kind}\n{COMPUTES.get(kind, '')}", encoding="utf-8")
    ran = kit("validate", str(file), "-e", "local", code=0 if kind in COMPUTES else 2)
    if kind not in COMPUTES:
        assert ran.out.endswith("`inferencecluster` is not a value of `type`; attach the cluster as `kubernetes`\n")


def test_l2_17_compute_instance_renders_what_the_sdk_loads(tmp_path):
    from azure.ai.ml import load_compute

    (tmp_path / "instance.yml").write_text(
        "name: ci-${var.user}\ntype: computeinstance\nsize: Standard_DS11_v2\nidle_time_before_shutdown_minutes: 30\n"
        "x-mlops: {parameters: {user: {type: string, default: ana}}}\n",
        encoding="utf-8",
    )
    rendered = kit("render", str(tmp_path / "instance.yml"), "-e", "dev").out
    assert yaml.safe_load(rendered) == {
        "name": "ci-ana",
        "type": "computeinstance",
        "size": "Standard_DS11_v2",
        "idle_time_before_shutdown_minutes": 30,
    }
    loaded = load_compute(io.StringIO(rendered))
    assert (loaded.name, loaded.type, loaded.size) == ("ci-ana", "computeinstance", "Standard_DS11_v2")
    assert loaded.location is None  # that of the workspace


def test_l2_17_l2_23_instance_of_the_infrastructure_is_where_the_workspace_is_and_stops_when_idle(infrastructure):
    found = infrastructure("dev", "infra.compute.instances={ci-ana: {size: Standard_DS11_v2}}")
    instance = found.compute.instances["ci-ana"]
    assert (instance.size, instance.idle_time_before_shutdown) == ("Standard_DS11_v2", "PT30M")


@pytest.mark.slow
def test_l2_23_stopped_instance_takes_no_job_and_what_is_stored_stays(course, here, tmp_path):
    from azure.ai.ml.entities import ComputeInstance, Data

    course.ml.compute.begin_create_or_update(ComputeInstance(name="ci-course", size="Standard_DS11_v2")).result()
    (tmp_path / "note.txt").write_text("kept", encoding="utf-8")
    course.ml.data.create_or_update(Data(name="note", path=str(tmp_path / "note.txt"), type="uri_file"))
    local = ("-e", "local", "-o", "json")
    stopped = kit("compute", "stop", "--all", *local, **here).json
    assert [(one["name"], one["state"]) for one in stopped] == [("ci-course", "Stopped")]
    ledger = [kit("local", "status", "-o", "json", **here).json["ran"] for _ in range(2)]
    assert ledger[0] == ledger[1]
    assert "ci-course" in {one["name"] for one in ledger[0]}
    refused = kit("run", "hello", "-e", "local", "--set", "env.compute=ci-course", code=2, **here)
    assert "The compute instance 'ci-course' is stopped; start it to run jobs on it" in refused.err
    assert "note" in {one["name"] for one in kit("data", "list", *local, **here).json}
    assert kit("compute", "start", "ci-course", *local, **here).json[0]["state"] == "Running"


# The end, and the way in


@pytest.mark.infra
def test_l2_25_local_environment_goes_whole_when_it_is_named_and_not_otherwise(terraform_binary, tmp_path):
    state = tmp_path / "state"
    variables = {"MLOPS_KIT_LOCAL_STATE": str(state)}
    kit("infra", "up", "-e", "local", "--yes", **variables)
    running = kit("local", "status", "-o", "json", **variables).json
    wrong = kit("infra", "destroy", "-e", "local", "--confirm", "prod", code=2, **variables)
    assert wrong.err.splitlines()[-1] == "error: 'prod' is not 'local'; nothing was destroyed"
    assert kit("local", "status", "-o", "json", **variables).json["pid"] == running["pid"]
    assert kit("infra", "destroy", "-e", "local", "--confirm", "local", **variables).out == "nothing is left behind\n"
    assert not state.exists()
    for port in ("https_port", "proxy_port", "blob_port"):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running[port]), timeout=5)
    assert kit("infra", "destroy", "-e", "local", **variables).out == "nothing is left behind\n"


def test_l2_26_config_json_has_three_keys_and_is_found_from_below(course, here, tmp_path):
    from azure.ai.ml import MLClient

    deep = tmp_path / "lab" / "notebooks"
    deep.mkdir(parents=True)
    command = [str(Path(sys.executable).with_name("mlops-kit")), "local", "exec", "--config", "--", "true"]
    environ = {**os.environ, **here}
    subprocess.run(command, cwd=tmp_path / "lab", env=environ, check=True)
    file = tmp_path / "lab" / "config.json"
    written = json.loads(file.read_text(encoding="utf-8"))
    assert sorted(written) == ["resource_group", "subscription_id", "workspace_name"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(deep)
        assert MLClient.from_config(course.ml._credential).workspace_name == written["workspace_name"]
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**written, "workspace_name": "mlw-other"}), encoding="utf-8")
    chosen = MLClient.from_config(course.ml._credential, path=str(tmp_path), file_name="other.json")
    assert chosen.workspace_name == "mlw-other"
    file.write_text("{", encoding="utf-8")
    refused = subprocess.run(command, cwd=tmp_path / "lab", env=environ, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert str(file) in refused.stderr


def test_l2_26_l2_27_config_on_the_command_line_wins_over_the_environment_and_a_broken_one_is_named(
    course, here, tmp_path
):
    names = {"subscription_id": course.workspace.workspace.subscription, "resource_group": "rg-local"}
    file = tmp_path / "other.json"
    chosen = ("compute", "list", "-e", "local", "-o", "json", "--config", str(file))
    file.write_text(json.dumps({**names, "workspace_name": course.workspace.workspace.name}), encoding="utf-8")
    elsewhere = {**here, "MLOPS_KIT_VAR_WORKSPACE__NAME": "mlw-other"}
    assert "cpu-cluster" in {one["name"] for one in kit(*chosen, **elsewhere).json}
    file.write_text(json.dumps({**names, "workspace_name": "mlw-none"}), encoding="utf-8")
    assert "mlw-none" in kit(*chosen, code=2, **here).err
    for text, told in (("{", "is not JSON"), ("[]", "lacks subscription_id and resource_group and workspace_name")):
        file.write_text(text, encoding="utf-8")
        refused = kit(*chosen, code=2, **here).err
        assert f"error: {file} " in refused
        assert told in refused
    file.unlink()
    assert f"error: there is no file {file}" in kit(*chosen, code=2, **here).err


@pytest.mark.slow
def test_l2_28_this_machine_needs_no_credential_and_azure_without_one_fails_soon(here):
    nobody = ("AZURE_", "ARM_", "IDENTITY_", "MSI_")
    jobs = ("job", "list", "-o", "json", "-e")
    assert isinstance(kit(*jobs, "local", without=nobody, **here).json, list)
    begun = time.monotonic()
    places = {"MLOPS_KIT_VAR_WORKSPACE__SUBSCRIPTION_ID": SUBSCRIPTION, "PATH": ""}
    refused = kit(*jobs, "dev", code=2, without=nobody, **places)
    assert time.monotonic() - begun < 30  # under 10 s on a machine that does nothing else
    assert refused.err.startswith("error: no Azure credential: ")
    assert refused.err.count("\n") == 1


@pytest.mark.slow
def test_l2_29_list_of_computes_is_what_was_made(course, here):
    listed = {one["name"]: one for one in kit("compute", "list", "-e", "local", "-o", "json", **here).json}
    assert (listed["cpu-cluster"]["type"], listed["cpu-cluster"]["state"]) == ("amlcompute", "Succeeded")
    assert set(listed) == {one.name for one in course.ml.compute.list()}
