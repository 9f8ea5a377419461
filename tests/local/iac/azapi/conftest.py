"""The real terraform binary in a folder of its own, attached to the stand-in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.testing import LocalWorkspace

_CALM = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
HEADER = """
terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}
"""


@dataclass(frozen=True)
class Terraform:
    """A folder with one configuration, and the variables under which terraform runs there."""

    folder: Path
    environ: Mapping[str, str]

    def write(self, text: str) -> None:
        (self.folder / "main.tf").write_text(HEADER + text, encoding="utf-8")

    def run(self, *arguments: str, expect: int | None = 0) -> str:
        """Run terraform; return what it printed."""
        command = ["terraform", arguments[0], "-no-color", *arguments[1:]]
        done = subprocess.run(
            command, cwd=self.folder, env=dict(self.environ), capture_output=True, text=True, timeout=120, check=False
        )
        assert expect in {None, done.returncode}, done.stdout + done.stderr
        return done.stdout + done.stderr

    def apply(self, text: str = "", *arguments: str, expect: int = 0) -> str:
        if text:
            self.write(text)
        return self.run("apply", "-auto-approve", *arguments, expect=expect)

    def changes(self, text: str = "") -> dict[str, list[str]]:
        """Plan; return what would be done by address, without what stays."""
        if text:
            self.write(text)
        self.run("plan", "-out=plan.bin")
        planned = json.loads(self.run("show", "-json", "plan.bin"))
        found = {one["address"]: one["change"]["actions"] for one in planned.get("resource_changes", [])}
        return {address: actions for address, actions in found.items() if actions != ["no-op"]}

    def assert_stable(self) -> None:
        """Assert that a second plan is empty."""
        self.run("plan", "-detailed-exitcode")

    def values(self, address: str) -> dict[str, Any]:
        state = json.loads(self.run("show", "-json"))
        return next(one["values"] for one in state["values"]["root_module"]["resources"] if one["address"] == address)

    def outputs(self) -> dict[str, Any]:
        return {name: one["value"] for name, one in json.loads(self.run("output", "-json")).items()}


@pytest.fixture(scope="session")
def terraform_binary() -> str:
    found = shutil.which("terraform")
    if found is None:
        pytest.skip("the program 'terraform' is not on PATH: https://developer.hashicorp.com/terraform/install")
    return found


@pytest.fixture(scope="session")
def attached(local_workspace: LocalWorkspace, terraform_binary: str) -> Iterator[dict[str, str]]:
    """The environment of the control plane of the session, with the provider attached."""
    from mlops_kit.local.iac.azapi import attach

    with attach({**os.environ, **_CALM}) as environ:
        yield environ


@pytest.fixture
def terraform(attached: dict[str, str], tmp_path: Path) -> Terraform:
    return Terraform(tmp_path, attached)


@pytest.fixture
def terraform_with(terraform_binary: str, tmp_path: Path) -> Iterator[Callable[[Mapping[str, str]], Terraform]]:
    """Attach a provider of its own to an environment."""
    from mlops_kit.local.iac.azapi import attach

    with ExitStack() as stack:
        yield lambda environ: Terraform(tmp_path, stack.enter_context(attach({**_CALM, **environ})))


@pytest.fixture
def terraform_on(terraform_with: Callable[[Mapping[str, str]], Terraform], service: Any) -> Terraform:
    """Terraform against the service that misbehaves."""
    return terraform_with(service.environ)
