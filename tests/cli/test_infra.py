"""``mlops-kit infra names``, and what ``validate`` says about infrastructure."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

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
    assert err.startswith("error: environments/dev.yaml:4:20: workspace.subscription_id: ")
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


def test_values_are_what_engines_get_and_a_file_of_them_is_private(run, tmp_path):
    code, out, err = run("infra", "values", "-e", "dev", "-o", "json")
    assert (code, err) == (0, "")
    assert "mlw-mlops-kit-dev" in run("infra", "values", "-e", "dev")[1]
    assert json.loads(out)["workspace"]["name"] == "mlw-mlops-kit-dev"
    file = tmp_path / "terraform.tfvars.json"
    assert run("infra", "values", "-e", "dev", "--out", str(file)) == (0, "", "")
    assert (file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777) == (out, 0o600)


def test_values_of_an_environment_with_faults_are_not_printed(run):
    code, out, err = run("infra", "values", "-e", "dev", "--set", "location=mars")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == "error: 1 error; nothing was run"
