"""``mlops-kit infra names``, and what ``validate`` says about infrastructure."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from mlops_kit import environments
from mlops_kit.cli import plane
from mlops_kit.local.iac.pulumi_engine.project import load, stack_config

PROJECT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def run(tmp_path, monkeypatch, called):
    """Return a function that runs a command in a copy of the project's environments: (exit code, stdout, stderr)."""
    shutil.copytree(PROJECT / "environments", tmp_path / "environments")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_KIT_ENV", raising=False)
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)
    return called


def test_names_come_in_each_form(run):
    forms = {form: run("infra", "names", "-e", "prod", "-o", form) for form in ("text", "json", "yaml")}
    assert {(code, err) for code, _, err in forms.values()} == {(0, "")}
    rows = json.loads(forms["json"][1])
    assert rows == yaml.safe_load(forms["yaml"][1])
    lines = forms["text"][1].splitlines()
    assert lines[0].split() == ["resource", "name", "length", "longest", "given", "by"]
    assert len(lines) == len(rows) + 1
    found = {row["resource"]: row for row in rows}
    assert found["workspace"] == {
        "resource": "workspace",
        "name": "mlw-mlops-kit-prod",
        "length": 18,
        "shortest": 3,
        "longest": 33,
        "allowed": "letters, digits, `_` and `-`, no sign at the start",
        "given_by": "workspace.name",
    }
    given = {name: row["given_by"] for name, row in found.items() if row["given_by"]}
    assert given == {
        "resource_group": "workspace.resource_group",
        "workspace": "workspace.name",
        "cluster.cpu-cluster": "infra.compute.clusters.cpu-cluster",
    }


def test_name_that_a_service_refuses_is_printed_told_at_its_line_and_fails(run):
    code, out, err = run("infra", "names", "-e", "dev", "--set", "infra.compute.clusters.gpu-1={}")
    assert code == 2
    assert "gpu-1" in out
    assert err.startswith("--set infra.compute.clusters.gpu-1: error[MK0611]: ")
    assert err.count("\n") == 1


def test_names_need_a_subscription_unless_a_suffix_is_given(run, monkeypatch):
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
    code, out, err = run("infra", "names", "-e", "dev")
    assert (code, out) == (2, "")
    assert err.startswith("environments/dev.yaml:4:20: error: workspace.subscription_id: ")
    assert run("infra", "names", "-e", "dev", "--set", "infra.suffix=abc")[0] == 0


def test_environment_without_infrastructure_is_told(run, tmp_path):
    base = tmp_path / "environments" / "base.yaml"
    base.write_text(base.read_text(encoding="utf-8").partition("infra:")[0], encoding="utf-8")
    code, out, err = run("infra", "names", "-e", "dev")
    assert (code, out) == (2, "")
    assert err == "error: environment 'dev' has no infrastructure: no layer has the key infra\n"


def test_validate_finds_the_name_that_is_too_long_in_one_environment_whatever_is_checked(run, tmp_path):
    (tmp_path / "environments" / "acceptance-of-payments.yaml").write_text("description: x\n", encoding="utf-8")
    code, out, _ = run("validate", "--all")
    assert code == 2
    assert out == (
        "environments/base.yaml:11:9: error[MK0611]: `workspace.name` is `mlw-mlops-kit-acceptance-of-payments` in "
        "acceptance-of-payments: 36 characters, allowed are 3 to 33; did you mean `mlw-mlops-kit-acceptance-of-96e02`\n"
    )


def test_validate_tells_a_missing_subscription_once_and_only_of_the_environment_that_is_meant(run, monkeypatch):
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
    assert run("validate", "--all")[:2] == (0, "")
    code, out, _ = run("validate", "--all", "-e", "prod")
    assert code == 2
    assert [line.partition(": ")[0] for line in out.splitlines()] == ["environments/prod.yaml:5:20"]


def test_validate_finds_an_open_network_in_a_protected_environment(run):
    code, out, _ = run("validate", "--all", "-e", "prod", "--set", "env.infra.workspace.public_access=all")
    assert code == 2
    assert "--set infra.workspace.public_access: error[MK0616]: `infra.workspace` is open to all networks" in out


def test_values_are_what_engines_get(run):
    code, out, err = run("infra", "values", "-e", "dev", "-o", "json")
    assert (code, err) == (0, "")
    assert "mlw-mlops-kit-dev" in run("infra", "values", "-e", "dev")[1]
    assert json.loads(out)["workspace"]["name"] == "mlw-mlops-kit-dev"


@pytest.fixture
def programs(tmp_path):
    """The programs of the project beside its environments."""
    ignored = shutil.ignore_patterns("__pycache__", ".terraform*", "Pulumi.*.yaml", "backend", "*.tfvars.json")
    for name in ("infra", "modules"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=ignored)
    return tmp_path / "infra"


def test_values_are_shown_without_secrets_and_written_with_them(run, programs, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "s3cr3t-hunter2-value")
    setting = ("-e", "dev", "--set", "tags.t=${process.MY_TOKEN}")
    for form in ("text", "json"):
        out = run("infra", "values", *setting, "-o", form)[1]
        assert "[secret]" in out
        assert "hunter2" not in out
    assert run("infra", "values", *setting, "--write")[0] == 0
    written = json.loads((programs / "terraform" / "dev.tfvars.json").read_text(encoding="utf-8"))
    assert written["resource_group"]["tags"]["t"] == "s3cr3t-hunter2-value"


def test_what_the_tools_need_by_hand_is_written_beside_their_programs(run, programs):
    setting = ("--set", "infra.state.storage_account=stshopstate", "--set", "location=North Europe")
    values = run("infra", "values", "-e", "dev", *setting, "-o", "json")[1]
    code, out, err = run("infra", "values", "-e", "dev", *setting, "--write")
    assert (code, err) == (0, "")
    names = ("terraform/dev.tfvars.json", "terraform/backend/dev.hcl", "pulumi/Pulumi.dev.yaml")
    assert out.splitlines() == [f"infra/{name}" for name in names]
    files = [programs / name for name in names]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    variables, backend, stack = (path.read_text(encoding="utf-8") for path in files)
    assert variables == values
    assert backend == (
        "# Written by 'mlops-kit infra values -e dev --write'.\n"
        'storage_account_name = "stshopstate"\n'
        'container_name       = "state"\n'
        'key                  = "mlops-kit/dev.tfstate"\n'
        "use_azuread_auth     = true\n"
    )
    assert "# pulumi login 'azblob://state?storage_account=stshopstate'\n" in stack
    assert (
        stack_config(load(programs / "pulumi"), "dev")
        == {  # as our engine reads it
            "azure-native:location": "northeurope",
            "azure-native:subscriptionId": SUBSCRIPTION,
            "mlops-kit:set": json.dumps(list(setting[1::2])),
        }
    )


def test_what_a_person_has_in_the_file_of_a_stack_stays_and_a_state_that_is_gone_goes(run, programs):
    own = programs / "pulumi" / "Pulumi.dev.yaml"
    own.write_text("encryptionsalt: v1:abc\nconfig: {mlops-kit:set: [location=mars], a:b: c}\n", encoding="utf-8")
    assert run("infra", "values", "-e", "dev", "--set", "infra.state.storage_account=stone", "--write")[0] == 0
    code, out, _ = run("infra", "values", "-e", "dev", "--write", "-o", "json")
    assert (code, json.loads(out)) == (0, ["infra/terraform/dev.tfvars.json", "infra/pulumi/Pulumi.dev.yaml"])
    assert not (programs / "terraform" / "backend" / "dev.hcl").exists()
    facts = yaml.safe_load(own.read_text(encoding="utf-8"))
    assert (facts["encryptionsalt"], facts["config"]["a:b"]) == ("v1:abc", "c")
    assert facts["config"]["mlops-kit:set"] == []


def test_nothing_is_written_for_a_protected_environment_that_does_not_say_where_its_state_is(run, programs):
    code, out, err = run("infra", "values", "-e", "prod", "--write")
    assert (code, out) == (2, "")
    assert "'prod' is protected and does not say where its state is kept" in err
    assert not (programs / "terraform" / "prod.tfvars.json").exists()


def test_values_of_an_environment_with_faults_are_not_printed(run):
    code, out, err = run("infra", "values", "-e", "dev", "--set", "location=mars")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == "error: 1 error; nothing was run"


@pytest.mark.parametrize(
    ("overrides", "size"),
    [
        ([], "Standard_DS11_v2"),  # of base.yaml
        (["compute=gpu", "infra.compute.clusters.gpu.size=Standard_NC6s_v3"], "Standard_NC6s_v3"),
        (["compute=other"], "Standard_DS3_v2"),
    ],
)
def test_the_control_plane_makes_its_cluster_of_the_size_that_infrastructure_wants(overrides, size, tmp_path):
    """Else the first `infra up` would replace it."""
    environment = environments.load(PROJECT / "environments", "local", overrides=overrides)
    assert plane.settings(environment, tmp_path).compute_size == size
