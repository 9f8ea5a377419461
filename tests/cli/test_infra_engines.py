"""``mlops-kit infra plan | up | refresh | outputs | destroy`` with the real engines against the local control plane.

The stories of a whole life are marked ``infra``, but for the one of terraform.
"""

import importlib.util
import json
import os
import shutil
import stat
import sys
from pathlib import Path

import httpx
import pytest

from mlops_kit import environments
from mlops_kit.infra import saved_plan, settings, terraform_folder
from mlops_kit.infra.state import state
from mlops_kit.infra.terraform import Terraform
from mlops_kit.infra.terraform_folder import Folder
from mlops_kit.local import storage
from mlops_kit.local.outside import OUTSIDE
from mlops_kit.local.settings import MANAGEMENT_HOST, STORAGE_ACCOUNT, STORAGE_KEY, STORAGE_SUFFIX

PROJECT = Path(__file__).resolve().parents[2]
NEEDS_PULUMI = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_azure_native") is None,
    reason="the packages of Pulumi are not installed: pip install 'mlops_kit[infra]'",
)
ENGINES = ["terraform", pytest.param("pulumi", marks=NEEDS_PULUMI)]
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-{}"
ENVIRONMENT = """
location: local
protected: {protected}
workspace:
  subscription_id: 00000000-0000-0000-0000-000000000001
  resource_group: rg-{name}
  name: mlw-{name}
local: {{runner: host, network: deny}}
infra:
  suffix: {name}
  soft_deleted: {policy}
  allowed_locations: [local]
  allowed_when_protected: [public_network]
  resource_group: {{delete_lock: false}}
  storage: {{name: st{name}}}
  key_vault: {{name: kv-{name}, purge_protection: {protected}}}
  container_registry: null
  observability: {{diagnostic_categories: []}}
  identity_and_access: {{custom_roles: false}}
"""
IDENTITY = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/"
TAGS = {"project": "mlops-kit"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with both programs; each test adds an environment of its own."""
    folder = tmp_path_factory.mktemp("infra")
    for name in ("environments", "infra", "modules"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform*"))
    (folder / "templates").mkdir()
    return folder


@pytest.fixture
def infra(project, local_workspace, called, monkeypatch):
    """Add an environment; return a function that runs ``mlops-kit infra VERB`` in it: (exit code, stdout, stderr)."""
    monkeypatch.delenv("MLOPS_KIT_ENV", raising=False)

    def add(name, engine="terraform", *, protected=False, policy="purge"):
        text = ENVIRONMENT.format(name=name, protected=str(protected).lower(), policy=policy)
        (project / "environments" / f"{name}.yaml").write_text(text, encoding="utf-8")

        def run(verb, *arguments):
            return called("infra", verb, *arguments, "--engine", engine, "-C", str(project), "-e", name)

        return run

    return add


def summary(out):
    """Return what a JSON result counts, without what it has none of."""
    return {action: count for action, count in json.loads(out)["summary"].items() if count}


def a_whole_life(infra, project, arm, name, engine, store_address):
    """Plan, apply the plan, plan again, drift, repair, outputs, stale plan, destroy: each with its exit code."""
    run, group, file = infra(name, engine), GROUP.format(name), str(project / f"{name}.plan")
    storage = f"{group}/providers/Microsoft.Storage/storageAccounts/st{name}"

    code, out, err = run("plan", "--out", file, "--exit-code", "-o", "json")
    assert (code, err) == (3, "")
    assert arm("GET", group) is None
    planned = summary(out)
    assert set(planned) == {"create"}
    assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600

    code, out, err = run("up", "--plan", file, "-o", "json")
    assert code == 0, err
    assert summary(out) == planned
    assert arm("GET", storage)["tags"] == {**TAGS, "environment": name}
    assert arm("GET", group)["tags"] == {**TAGS, "environment": name, "mlops-kit-engine": engine}

    code, out, _ = run("plan", "--exit-code", "-o", "json")
    assert (code, summary(out), json.loads(out)["changes"]) == (0, {"same": planned["create"]}, [])
    if engine == "terraform":  # the Pulumi engine sees that nothing is left to do
        code, out, err = run("up", "--plan", file)
        assert (code, out) == (2, "")
        assert err.splitlines()[-1] == (
            "error: the plan is stale, nothing was changed: the state of the infrastructure has changed since it was"
            " made; plan again"
        )

    arm("PATCH", storage, {"tags": {"by": "hand"}})
    code, out, err = run("refresh", "--exit-code", "-o", "json")
    assert code == 3, err
    (drift,) = json.loads(out)["drift"]
    assert (drift["address"], drift["action"], drift["id"]) == (store_address, "update", storage)
    assert any(one["path"].startswith("tags") for one in drift["differences"])
    code, out, err = run("up", "--yes", "-o", "json")
    assert code == 0, err
    assert summary(out)["update"] == 1
    assert arm("GET", storage)["tags"] == {**TAGS, "environment": name}
    assert run("refresh", "--exit-code")[:2] == (0, "nothing was changed outside\n")

    code, out, err = run("outputs", "-o", "json", "--config", str(project / name))
    assert code == 0, err
    assert json.loads(out)["workspace_name"] == f"mlw-{name}"
    assert "container_registry_id" not in json.loads(out)  # there is none
    assert json.loads((project / name / "config.json").read_text(encoding="utf-8")) == {
        "subscription_id": group.split("/")[2],
        "resource_group": f"rg-{name}",
        "workspace_name": f"mlw-{name}",
    }

    code, _, err = run("destroy", "--confirm", "prod")
    assert code == 2
    assert err.splitlines()[-1] == f"error: 'prod' is not '{name}'; nothing was destroyed"
    assert arm("GET", group) is not None
    code, out, err = run("destroy", "--confirm", name, "-o", "json")
    assert code == 0, err
    left = json.loads(out)
    assert (left["group"], left["locks"], left["resources"], left["soft_deleted"]) == (None, [], [], [])
    assert [one.rpartition("/")[2] for one in left["purged"]] == [f"kv-{name}", f"mlw-{name}"]
    assert arm("GET", group) is None
    assert run("destroy")[0] == 0
    code, _, err = run("outputs")
    assert (code, err) == (2, f"error: {engine} has made nothing in '{name}' yet: run 'mlops-kit infra up'\n")


def test_the_whole_life_of_an_environment_with_terraform(infra, project, arm, terraform_binary):
    a_whole_life(infra, project, arm, "terra", "terraform", "module.storage.azapi_resource.this")


@pytest.mark.infra
def test_the_whole_life_of_an_environment_with_pulumi(infra, project, arm):
    a_whole_life(infra, project, arm, "pulu", "pulumi", "storage")


@pytest.mark.parametrize(
    ("engine", "other"), [pytest.param("pulumi", "terraform", marks=NEEDS_PULUMI), ("terraform", "pulumi")]
)
@pytest.mark.parametrize("verb", [("plan",), ("up", "--yes"), ("destroy", "--confirm", "{}")])
def test_an_engine_does_not_take_over_what_the_other_has_made(engine, other, verb, infra, arm, local_workspace):
    name = f"sole{engine[0]}{verb[0][0]}"
    arm("PUT", GROUP.format(name), {"location": "local", "tags": {"mlops-kit-engine": other}})
    home = local_workspace.state / "infra" / name / engine
    home.mkdir(parents=True)
    (home / {"terraform": "terraform.tfstate", "pulumi": "state.json"}[engine]).touch()  # it has been at work here
    code, out, err = infra(name, engine)(*(word.format(name) for word in verb))
    assert (code, out) == (2, "")
    assert err == (
        f"error: the infrastructure of '{name}' was made by {other}: go on with --engine {other}; to move, destroy it"
        " first, or take the tag mlops-kit-engine of its resource group away and take over what is there\n"
    )


def test_all_faults_of_an_environment_are_printed_and_nothing_runs(infra, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    code, out, err = infra("faulty")(
        "plan", "--set", "infra.compute.clusters.cpu-cluster={min_instances: 9, max_instances: 2, size: Huge}"
    )
    assert (code, out) == (2, "")
    assert [line.split("error[")[1][:6] for line in err.splitlines()[:-1]] == ["MK0613", "MK0614"]
    assert err.splitlines()[-1] == "error: 2 errors; nothing was run"


def test_a_missing_terraform_is_one_sentence_with_the_command_that_installs_it(infra, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    code, out, err = infra("missing")("up", "--yes")
    assert (code, out) == (2, "")
    assert err.startswith("error: the program 'terraform' is not on PATH: install it with '")
    assert err.count("\n") == 1


def test_nothing_is_changed_unasked(infra, arm, terraform_binary):
    code, out, err = infra("unasked")("up")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == ("error: nobody can be asked: give --yes to change the infrastructure of 'unasked'")
    assert arm("GET", GROUP.format("unasked")) is None


def test_an_id_that_the_environment_does_not_want_is_not_adopted(infra, terraform_binary):
    code, _, err = infra("adopting")("plan", "--adopt", f"{GROUP.format('adopting')}/providers/A.B/c/d")
    assert code == 2
    assert err.splitlines()[-1].endswith("no resource of this environment has that id")


def test_what_is_to_be_taken_over_is_said_when_a_plan_is_made(infra, project):
    code, out, err = infra("late")("up", "--plan", str(project / "late.plan"), "--adopt", "/subscriptions/1")
    assert (code, out) == (2, "")
    assert err == "error: --adopt belongs to 'plan --out': a saved plan says already what is taken over\n"


def test_two_commands_on_one_environment_exclude_each_other(infra, local_workspace):
    from filelock import FileLock

    run = infra("busy", "pulumi")
    home = local_workspace.state / "infra" / "busy"
    home.mkdir(parents=True)
    with FileLock(home / "command.lock"):
        code, _, err = run("plan")
    assert (code, err) == (2, "error: another command works on the infrastructure of 'busy'; wait until it ends\n")


@pytest.mark.infra
@pytest.mark.parametrize("engine", ENGINES)
def test_a_protected_environment_needs_a_plan_and_a_name_for_every_loss(infra, project, arm, engine, terraform_binary):
    name = f"guard{engine[0]}"
    run, file = infra(name, engine, protected=True, policy="recover"), str(project / f"{name}.plan")
    group = GROUP.format(name)
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/kv-{name}"

    code, _, err = run("up", "--yes")
    assert code == 2
    assert f"save a plan with 'mlops-kit infra plan -e {name} --out FILE'" in err
    assert run("plan", "--out", file)[0] == 0
    code, _, err = run("up", "--plan", file)
    assert (code, err.splitlines()[-1][:20]) == (2, "error: nobody can be")
    code, _, err = run("up", "--plan", file, "--yes")
    assert code == 0, err

    smaller = ("--set", "infra.compute.clusters.cpu-cluster.size=Standard_DS3_v2")
    code, out, _ = run("plan", "--out", file, *smaller)
    assert "replace" in out
    code, _, err = run("up", "--plan", file, "--yes")
    assert code == 2
    assert "the values of the environment" in err  # planned with --set, and given without
    code, _, err = run("up", "--plan", file, "--yes", *smaller)
    assert code == 2
    address = {"terraform": 'module.compute.azapi_resource.this["cpu-cluster"]', "pulumi": "compute-cpu-cluster"}[
        engine
    ]
    assert err.splitlines()[-1].endswith(f"nothing was changed. To allow it: --replace {address}")
    code, _, err = run("up", "--plan", file, "--yes", "--replace", "cpu-cluster", *smaller)
    assert code == 0, err

    code, _, err = run("destroy", "--confirm", name)
    assert code == 2
    assert "--destroy --out FILE" in err
    assert run("plan", "--destroy", "--out", file)[0] == 0
    code, _, err = run("up", "--plan", file, "--yes")
    assert (code, "is not a plan for 'up'" in err) == (2, True)
    code, out, err = run("destroy", "--plan", file, "--confirm", name, "-o", "json")
    assert code == 0, err
    assert [(one["kind"], one["policy"]) for one in json.loads(out)["soft_deleted"]] == [
        ("vault", "recover"),
        ("workspace", "recover"),
    ]

    # Both names are taken now. The vault comes back; the workspace cannot, since its storage account went with it.
    code, out, err = run("plan", "--out", file)
    assert code == 0
    assert f"note: the vault 'kv-{name}' is deleted but not gone: it is kept until " in err
    assert f"'up' will refuse to go on without --delete mlw-{name}, for its storage account 'st{name}' is gone\n" in err
    code, _, err = run("up", "--plan", file, "--yes")
    assert code == 2
    assert "it cannot come back, for its storage account" in err
    assert arm("GET", vault) is None  # nothing was begun
    code, _, err = run("up", "--plan", file, "--yes", "--delete", f"mlw-{name}")
    assert code == 0, err
    assert f"recovering the vault kv-{name}\npurging the workspace mlw-{name}\n" in err
    assert arm("GET", vault) is not None
    assert run("plan", "--exit-code")[0] == 0


@pytest.mark.infra
@pytest.mark.parametrize("engine", ENGINES)
def test_a_workspace_that_was_deleted_alone_comes_back(infra, arm, engine, terraform_binary):
    name = f"alone{engine[0]}"
    run = infra(name, engine, policy="recover")
    assert run("up", "--yes")[0] == 0
    workspace = f"{GROUP.format(name)}/providers/Microsoft.MachineLearningServices/workspaces/mlw-{name}"
    before = arm("GET", workspace)["properties"]["workspaceId"]
    arm("DELETE", workspace)
    assert run("refresh")[0] == 0
    code, _, err = run("up", "--yes")
    assert code == 0, err
    assert f"recovering the workspace mlw-{name}" in err
    assert arm("GET", workspace)["properties"]["workspaceId"] == before
    assert run("destroy", "--confirm", name)[0] == 0


@pytest.mark.infra
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_purged_for_a_plan_that_is_stale_or_counts_on_what_is_deleted(
    infra, project, arm, engine, terraform_binary
):
    name = f"grave{engine[0]}"
    run, stale, file = infra(name, engine), str(project / f"{name}.stale"), str(project / f"{name}.plan")
    group = GROUP.format(name)
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/kv-{name}"
    grave = f"{group.partition('/resourceGroups')[0]}/providers/Microsoft.KeyVault/locations/local/deletedVaults"
    assert run("plan", "--out", stale)[0] == 0
    assert run("up", "--yes")[0] == 0
    more = ("--set", "tags.more=1")
    assert run("plan", "--out", file, *more)[0] == 0
    arm("DELETE", vault)

    code, out, err = run("up", "--plan", stale, "--yes")
    assert (code, out) == (2, "")
    assert err.startswith("error: the plan is stale, nothing was changed: ")  # and what it would have done is not shown
    assert err.count("\n") == 1
    code, _, err = run("up", "--plan", file, "--yes", *more)
    assert code == 2
    assert f"Run 'mlops-kit infra refresh -e {name}" in err
    assert arm("GET", f"{grave}/kv-{name}") is not None

    assert run("refresh")[0] == 0
    code, _, err = run("up", "--yes")
    assert code == 0, err
    assert f"purging the vault kv-{name}" in err
    assert arm("GET", vault) is not None
    assert arm("GET", f"{grave}/kv-{name}") is None
    assert run("destroy", "--confirm", name)[0] == 0


@pytest.mark.infra
@pytest.mark.parametrize("engine", ENGINES)
def test_a_refresh_tells_of_an_identity_that_was_deleted_outside(infra, arm, engine, terraform_binary):
    name = f"ident{engine[0]}"
    run = infra(name, engine)
    code, out, err = run("up", "--yes", "-o", "json")
    assert code == 0, err
    identity = next(
        one["id"] for one in arm("GET", f"{GROUP.format(name)}/resources")["value"] if IDENTITY in one["id"]
    )
    arm("DELETE", identity)
    code, out, err = run("refresh", "--exit-code", "-o", "json")
    assert code == 3, err
    assert (identity, "delete") in [(one["id"], one["action"]) for one in json.loads(out)["drift"]]
    assert run("up", "--yes")[0] == 0
    assert arm("GET", identity) is not None
    assert run("plan", "--exit-code")[0] == 0
    assert run("destroy", "--confirm", name)[0] == 0


@pytest.mark.infra
def test_a_name_that_a_deleted_vault_keeps_is_refused_where_the_environment_says_so(infra, arm, terraform_binary):
    run = infra("tombs", policy="refuse")
    assert run("up", "--yes")[0] == 0
    code, out, _ = run("destroy", "--confirm", "tombs")
    assert code == 0
    assert "the vault 'kv-tombs' is deleted but not gone" in out
    assert "'infra up' will refuse to go on" in out
    code, _, err = run("up", "--yes")
    assert code == 2
    assert "set infra.soft_deleted to recover or purge, or give infra.suffix another value" in err
    run = infra("tombs", policy="purge")
    assert run("up", "--yes")[0] == 0
    assert run("destroy", "--confirm", "tombs")[0] == 0


@pytest.mark.infra
@pytest.mark.parametrize("engine", ENGINES)
def test_what_others_put_into_the_group_is_not_destroyed_unnamed(infra, arm, engine, terraform_binary):
    name = f"other{engine[0]}"
    run = infra(name, engine)
    assert run("up", "--yes")[0] == 0
    other = f"{GROUP.format(name)}/providers/Microsoft.Storage/storageAccounts/stranger{engine[0]}"
    arm("PUT", other, {"location": "local", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}})
    code, _, err = run("destroy", "--confirm", name)
    assert code == 2
    assert err.splitlines()[-1].endswith(f"To allow it: --delete {other}")
    assert arm("GET", other) is not None
    code, _, err = run("destroy", "--confirm", name, "--delete", other)
    assert code == 0, err
    assert arm("GET", other) is None


@pytest.mark.infra
@pytest.mark.parametrize("engine", ENGINES)
def test_what_exists_already_is_taken_over_and_not_refused(infra, arm, engine, terraform_binary):
    name = f"there{engine[0]}"
    run, group = infra(name, engine), GROUP.format(name)
    storage = f"{group}/providers/Microsoft.Storage/storageAccounts/st{name}"
    arm("PUT", group, {"location": "local"})
    arm("PUT", storage, {"location": "local", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}})
    code, out, err = run("up", "--yes", "-o", "json")
    assert code == 0, err
    assert summary(out)["adopt"] == 2
    assert arm("GET", storage)["properties"]["minimumTlsVersion"] == "TLS1_2"
    assert run("plan", "--exit-code")[0] == 0
    assert run("destroy", "--confirm", name)[0] == 0


@pytest.mark.infra
@pytest.mark.parametrize("engine", ENGINES)
def test_a_failure_midway_is_continued(infra, arm, engine, terraform_binary, local_workspace):
    """A lock lets everything fail that is to be written into the group; once it is gone, the next run goes on."""
    name = f"midway{engine[0]}"
    run, group = infra(name, engine), GROUP.format(name)
    lock = f"{group}/providers/Microsoft.Authorization/locks/frozen"
    arm("PUT", group, {"location": "local"})
    arm("PUT", lock, {"properties": {"level": "ReadOnly"}})
    code, out, err = run("up", "--yes")
    assert (code, out) == (1, "")
    assert "ScopeLocked" in err
    again = f"-e {name} --engine pulumi" if engine == "pulumi" else f"-e {name}"
    assert f"'mlops-kit infra up {again}' goes on" in err
    arm("DELETE", lock)
    code, _, err = run("up", "--yes")
    assert code == 0, err
    assert run("plan", "--exit-code")[0] == 0
    lock = f"{group}/providers/Microsoft.Storage/storageAccounts/st{name}/providers/{lock.partition('/providers/')[2]}"
    arm("PUT", lock, {"properties": {"level": "CanNotDelete"}})
    code, _, err = run("destroy", "--confirm", name)
    assert code == 1
    assert "ScopeLocked" in err
    assert f"'mlops-kit infra destroy {again}' goes on" in err
    arm("DELETE", lock)
    code, _, err = run("destroy", "--confirm", name)
    assert code == 0, err
    assert arm("GET", group) is None


@pytest.mark.infra
@pytest.mark.parametrize("engine", ENGINES)
def test_the_environment_on_this_machine_is_taken_over_and_goes_with_its_control_plane(
    project, called, engine, terraform_binary, tmp_path, monkeypatch
):
    """The control plane itself makes the group, the workspace and what that needs; none of it is refused."""
    state = tmp_path / "state"
    monkeypatch.setenv("MLOPS_KIT_LOCAL_STATE", str(state))

    def run(verb, *arguments):
        return called("infra", verb, *arguments, "--engine", engine, "-C", str(project), "-e", "local")

    code, out, err = run("up", "--yes", "-o", "json")
    assert code == 0, err
    done = json.loads(out)
    adopted = {one["name"] for one in done["changes"] if one["action"] == "adopt"}
    beside = {"devstoreaccount1", "kv-mlw-local", "log-mlw-local", "appi-mlw-local"}
    assert adopted == {"rg-local", "mlw-local", "cpu-cluster", *beside}
    assert done["summary"]["replace"] == 0
    assert run("plan", "--exit-code")[0] == 0
    assert stat.S_IMODE((state / "infra" / "local" / engine).stat().st_mode) == 0o700
    code, out, err = run("destroy", "--confirm", "local")
    assert (code, out) == (0, "nothing is left behind\n"), err
    assert not state.exists()
    code, out, err = run("destroy")
    assert (code, out, err) == (0, "nothing is left behind\n", f"{engine} has made nothing here\n")
    assert not state.exists()


@pytest.mark.infra
def test_a_state_on_a_storage_account_is_all_that_another_machine_needs(
    project, called, attached, arm, monkeypatch, tmp_path
):
    """In Azure, as far as the tools can tell: what leads them to the control plane is not taken from them.

    Our own questions to Azure find nobody there, so the plan is applied by the engine itself.
    """
    text = ENVIRONMENT.format(name="shared", protected="false", policy="refuse").replace("local: {", "x-local: {")
    text += f"  state: {{storage_account: {STORAGE_ACCOUNT}, container: shared}}\n"
    (project / "environments" / "shared.yaml").write_text(text, encoding="utf-8")
    monkeypatch.delenv("MLOPS_KIT_ENV", raising=False)
    signature = storage.account_signature(STORAGE_ACCOUNT, STORAGE_KEY)
    for name, value in {**attached, "ARM_METADATA_HOSTNAME": MANAGEMENT_HOST, "ARM_SAS_TOKEN": signature}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(OUTSIDE)
    container = f"https://{STORAGE_ACCOUNT}.blob.{STORAGE_SUFFIX}/shared"
    context = httpx.create_ssl_context(os.environ["SSL_CERT_FILE"])
    httpx.put(f"{container}?restype=container&{signature}", verify=context).raise_for_status()

    def run(verb, *arguments):
        return called("infra", verb, *arguments, "-C", str(project), "-e", "shared")

    def on_another_machine():
        shutil.rmtree(project / ".mlops_kit" / "infra" / "shared")

    file = tmp_path / "shared.plan"
    told: list[str] = []
    code, out, err = run("plan", "--out", str(file), "-o", "json")
    assert code == 0, err
    assert signature not in out + err
    on_another_machine()
    made = environments.load(project / "environments", "shared")
    values, kept = settings.values(settings.infrastructure(made)), state(made)
    engine = Terraform(Folder(project, tmp_path / "engine", "shared"), values, dict(os.environ), kept=kept)
    present = saved_plan.basis(values, terraform_folder.program(project))
    engine.apply(saved_plan.load(file, "shared", "terraform", present), told.append)
    blob = httpx.get(f"{container}/mlops-kit/shared.tfstate?{signature}", verify=context).json()
    assert len(blob["resources"]) > 10

    code, out, err = run("plan", "--exit-code", "-o", "json")
    assert code == 0, err
    assert summary(out) == {"same": len(engine.owned())}
    on_another_machine()
    assert json.loads(run("outputs", "-o", "json")[1])["workspace_name"] == "mlw-shared"
    arm("PATCH", f"{GROUP.format('shared')}/providers/Microsoft.Storage/storageAccounts/stshared", {"tags": {}})
    assert run("refresh", "--exit-code")[0] == 3
    assert not (project / ".mlops_kit" / "infra" / "shared" / "terraform" / "terraform.tfstate").exists()
    engine.apply(engine.plan(destroys=True), told.append)
    assert arm("GET", GROUP.format("shared")) is None


@pytest.fixture
def azure(project, called, monkeypatch, tmp_path):
    """Run commands in the environment ``dev``, in Azure, with a terraform that a Python text stands for."""
    monkeypatch.delenv("MLOPS_KIT_ENV", raising=False)
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "11111111-2222-3333-4444-555555555555")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)

    def run(text, verb, *arguments):
        binary = tmp_path / "terraform"
        binary.write_text(
            f"#!{sys.executable}\nimport json, os, sys\ncommand = sys.argv[1]\n{text}\n", encoding="utf-8"
        )
        binary.chmod(0o755)
        return called("infra", verb, *arguments, "-C", str(project), "-e", "dev", "--set", "auth=sp")

    return run


GROUP_CREATED = {
    "address": "module.resource_group.azapi_resource.this",
    "mode": "managed",
    "type": "azapi_resource",
    "name": "this",
    "change": {
        "actions": ["create"],
        "before": None,
        "after": {"type": "Microsoft.Resources/resourceGroups@2024-03-01", "name": "rg-mlops-kit-dev"},
    },
}
SHOWS = f"if command == 'show': print(json.dumps({ {'resource_changes': [GROUP_CREATED]}!r}))"


def test_in_azure_the_state_is_where_the_environment_says(azure, project, tmp_path):
    seen = tmp_path / "seen"
    text = f"{SHOWS}\nopen({str(seen)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')"
    code, out, err = azure(text, "plan", "--set", "infra.state.storage_account=stshopstate")
    assert code == 0, err
    assert out.splitlines()[-1] == "1 create"
    backend = project / ".mlops_kit" / "infra" / "dev" / "terraform" / "backend.hcl"
    assert f"init -no-color -input=false -backend-config={backend}" in seen.read_text(encoding="utf-8")
    assert '"stshopstate"' in backend.read_text(encoding="utf-8")
    assert "the state of 'dev' is kept" not in err
    assert "note: which deleted vaults and workspaces keep their names is not known: no Azure credential" in err
    assert "note: which engine has made the resource group is not known: no Azure credential" in err
    assert not (project / "infra" / "terraform" / ".terraform").exists()


def test_in_azure_a_state_that_only_this_machine_has_is_told_and_refused_where_protected(azure, project):
    code, _, err = azure(SHOWS, "plan")
    assert code == 0, err
    home = project / ".mlops_kit" / "infra" / "dev" / "terraform"
    assert f"note: the state of 'dev' is kept {home}; infra.state would keep it where others find it, too\n" in err
    assert f'path = "{home / "terraform.tfstate"}"' in (
        home / "program" / "infra" / "terraform" / "backend_override.tf"
    ).read_text(encoding="utf-8")
    protected = ("--set", "protected=true", "--set", "infra.profile=secure")
    code, out, err = azure("", "plan", *protected)
    assert (code, out) == (2, "")
    assert "'dev' is protected and does not say where its state is kept: no infra.state.storage_account" in err


def test_r23_plan_in_azure_tells_what_still_needs_a_sas_where_storage_has_no_keys(azure):
    code, _, err = azure(SHOWS, "plan", "--set", "infra.storage.shared_keys=false")
    assert code == 0, err
    (note,) = (line for line in err.splitlines() if "storage keys are off" in line)
    assert note.startswith("note: ")
    assert "registering an environment with a local build context" in note
    assert "invoking a batch endpoint with an output on a datastore that keeps a key" in note
    assert "storage keys are off" not in azure(SHOWS, "plan")[2]


def test_l2_07_plan_in_azure_tells_that_a_registry_which_azure_makes_is_left_over(azure):
    told = "note: no container registry is planned"
    assert told in azure(SHOWS, "plan", "--set", "infra.container_registry=null")[2]
    assert told not in azure(SHOWS, "plan")[2]


def test_drift_that_nobody_would_repair_is_shown_by_plan_and_counted_by_refresh(azure):
    """What the program says nothing about is nothing for `up` to do."""
    values = {"type": "Microsoft.Resources/resourceGroups@2024-03-01", "name": "rg-mlops-kit-dev", "id": "/x"}
    change = {"actions": ["update"], "before": values, "after": {**values, "tags": {"by": "hand"}}}
    shown = {"resource_changes": [], "resource_drift": [{**GROUP_CREATED, "change": change}]}
    text = f"if command == 'show': print(json.dumps({shown!r}))"
    code, out, err = azure(text, "plan", "--exit-code")
    assert code == 0, err
    assert out.splitlines() == [
        "changed outside:",
        "    ~ update  Microsoft.Resources/resourceGroups rg-mlops-kit-dev (module.resource_group.azapi_resource.this)",
        '          tags: null -> {"by": "hand"}',
        "nothing to do",
    ]
    code, out, err = azure(f"{text}\nif command == 'output': print('{{}}')", "refresh", "--exit-code")
    assert (code, "rg-mlops-kit-dev" in out) == (3, True), err


def test_in_azure_nothing_is_applied_where_nobody_is_signed_in(azure, tmp_path):
    applied = tmp_path / "applied"
    code, out, err = azure(f"{SHOWS}\nif command == 'apply': open({str(applied)!r}, 'w')", "up", "--yes")
    assert (code, out) == (2, "")
    assert "no Azure credential" in err
    assert not applied.exists()


def test_the_status_of_a_tool_is_our_exit_code_and_no_secret_is_seen(azure, monkeypatch):
    monkeypatch.setenv("ARM_CLIENT_SECRET", "a very secret secret")
    text = "print('failed with', dict(os.environ), sys.argv, file=sys.stderr); sys.exit(7)"
    code, out, err = azure(text, "plan")
    assert (code, out) == (7, "")
    assert "terraform init ended with status 7: failed with" in err
    assert "a very secret secret" not in err


@pytest.mark.parametrize("engine", ENGINES)
def test_no_secret_that_a_value_holds_is_seen_in_a_plan(engine, infra, arm, monkeypatch, terraform_binary):
    monkeypatch.setenv("MY_TOKEN", "s3cr3t-hunter2-value")
    name = f"hide{engine[0]}"
    arm("PUT", GROUP.format(name), {"location": "local", "tags": {}})  # which is taken over: a change with differences
    for form in ("text", "json"):
        code, out, err = infra(name, engine)("plan", "--set", "tags.t=${process.MY_TOKEN}", "-o", form)
        assert code == 0, err
        assert "[secret]" in out
        assert "hunter2" not in out + err
