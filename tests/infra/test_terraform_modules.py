"""The Terraform modules one by one: their own tests, their examples, and the rules that all of them follow."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "modules" / "terraform"
ROOT = PROJECT / "infra" / "terraform"
MODULES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
FILES = (
    "README.md", "terraform.tf", "variables.tf", "main.tf", "outputs.tf", "tests/unit.tftest.hcl",
    "examples/default/main.tf",
)  # fmt: skip


def _blocks(path: Path, kind: str) -> list[tuple[str, str]]:
    """Return the label and the text of every block of a kind, as ``terraform fmt`` lays them out."""
    pattern = rf'^{kind} "(?:\w+" ")?(\w+)" {{\n(.*?)^}}'
    return re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def copied(terraform):
    """Copy all modules to a folder of the test; return Terraform in one of their folders."""
    shutil.copytree(FOLDER, terraform.folder / "modules")
    return lambda folder: replace(terraform, folder=terraform.folder / "modules" / folder)


def test_all_files_are_formatted(terraform):
    for folder in (FOLDER, ROOT):
        replace(terraform, folder=folder).run("fmt", "-check", "-recursive", "-diff")


@pytest.mark.parametrize("module", MODULES)
def test_the_tests_of_a_module_pass(module, copied):
    here = copied(module)
    here.run("init")
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", here.run("test"))


@pytest.mark.infra
@pytest.mark.parametrize("module", MODULES)
def test_the_example_of_a_module_is_applied_is_stable_and_goes(module, copied):
    here = copied(f"{module}/examples/default")
    here.run("init")
    here.run("apply", "-auto-approve")
    here.assert_stable()
    here.run("destroy", "-auto-approve")


@pytest.mark.infra
@pytest.mark.parametrize("folder", [*(f"modules/terraform/{module}" for module in MODULES), "infra/terraform"])
def test_a_module_and_the_root_are_valid(folder, terraform):
    for part in ("modules/terraform", "infra/terraform"):
        shutil.copytree(PROJECT / part, terraform.folder / part)
    here = replace(terraform, folder=terraform.folder / folder)
    here.run("init", "-backend=false")
    assert "The configuration is valid." in here.run("validate")


@pytest.mark.parametrize("module", MODULES)
def test_every_variable_has_a_type_and_every_name_is_given(module):
    folder = FOLDER / module
    whole = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tf"))
    used = re.sub(r"^  depends_on .*$", "", whole, flags=re.MULTILINE)
    for name, text in _blocks(folder / "variables.tf", "variable"):
        (kind,) = re.findall(r"^  type += (.*)$", text, re.MULTILINE)
        # What is only waited for may be anything.
        assert kind != "any" or not re.search(rf"\bvar\.{name}\b", used), f"{name} may be anything"
    for path in folder.glob("*.tf"):
        for resource, text in _blocks(path, "resource"):
            for name in re.findall(r"^  name += (.*)$", text, re.MULTILINE):
                given = r'(var|each)\.[\w.]+(\[[^\]]*\])?(\.\w+)?|"[\w-]+"'
                assert re.fullmatch(given, name), f"{resource} in {path.name} makes up its name: {name}"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_the_files_that_every_module_has(module):
    folder = FOLDER / module
    assert [name for name in FILES if not (folder / name).is_file()] == []
    assert [name for name, _ in _blocks(folder / "main.tf", "resource")] == ["this"]
    others = {path.name for path in folder.glob("*.tf")} - {Path(name).name for name in FILES}
    assert [name for name in others if not re.fullmatch(r"main\.\w+\.tf", name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_its_variables_and_outputs_are(module):
    folder = FOLDER / module
    page = (folder / "README.md").read_text(encoding="utf-8")
    for kind, file in (("variable", "variables.tf"), ("output", "outputs.tf")):
        for name, text in _blocks(folder / file, kind):
            (said,) = re.findall(r'^  description += "(.*\.)"$', text, re.MULTILINE)
            assert f"| `{name}` |" in page, f"README.md does not name {name}"
            assert said in page, f"README.md says something else about {name}"


@pytest.mark.parametrize("module", MODULES)
def test_a_refused_value_is_told_in_a_sentence(module):
    text = (FOLDER / module / "variables.tf").read_text(encoding="utf-8")
    told = re.findall(r'error_message = "(.*)"', text)
    assert [one for one in told if not re.fullmatch(r"[A-Z].*\.", one)] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_resource_says_what_it_exports_and_computes_no_name(module):
    for path in (FOLDER / module).glob("*.tf"):
        for name, text in _blocks(path, "resource"):
            # Without it the real provider exports the read-only properties, which change with its version.
            assert "response_export_values" in text, f"{name} in {path}"
    assert "random_" not in "".join(path.read_text(encoding="utf-8") for path in (FOLDER / module).glob("*.tf"))


def test_azapi_is_the_only_provider():
    for folder in [ROOT, *(FOLDER / module for module in MODULES)]:
        text = (folder / "terraform.tf").read_text(encoding="utf-8")
        assert re.findall(r'source +?= "(.*)"', text) == ["Azure/azapi"]


def test_a_variable_of_the_root_is_a_module_of_the_contract():
    from dataclasses import fields

    from mlops_kit.infra.contract import Infrastructure

    assert [name for name, _ in _blocks(ROOT / "variables.tf", "variable")] == [
        one.name for one in fields(Infrastructure)
    ]
    assert {one.name for one in fields(Infrastructure)} <= set(MODULES)


def test_nothing_that_terraform_writes_is_committed():
    listed = subprocess.run(
        ["git", "ls-files", "modules", "infra"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    wrong = r"(^|/)\.terraform|\.tfstate|tfvars"
    assert [name for name in listed.stdout.splitlines() if re.search(wrong, name)] == []
