"""What several folders of tests need: workspaces, an interpreter with Microsoft's data libraries, terraform, ARM."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlops_kit.local.settings import MANAGEMENT_URL
from mlops_kit.testing import LocalWorkspace


@pytest.fixture(scope="session")
def new_workspace(local_workspace: LocalWorkspace) -> Callable[[str], LocalWorkspace]:
    """Create a workspace with a ``cpu-cluster`` in the control plane of the session."""
    from azure.ai.ml.entities import AmlCompute, Workspace

    def create(name: str) -> LocalWorkspace:
        local_workspace.ml_client().workspaces.begin_create(Workspace(name=name, location="local")).result()
        made = replace(local_workspace, workspace=replace(local_workspace.workspace, name=name))
        cluster = AmlCompute(name="cpu-cluster", size="STANDARD_DS11_V2", max_instances=4)
        made.ml_client().compute.begin_create_or_update(cluster).result()
        return made

    return create


# mltable imports pkg_resources, which setuptools has dropped, and breaks on pandas 3, which the project itself uses.
_DATA_LIBRARIES = (
    "mltable",
    "azureml-fsspec",
    "azure-ai-ml",
    "azure-identity",
    "marshmallow<4",
    "setuptools<81",
    "pandas<3",
)


@pytest.fixture(scope="session")
def run_with_data_libraries(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a function that runs a script where mltable and azureml-fsspec are installed, and returns its stdout."""
    from mlops_kit.local.outside import outside

    folder = tmp_path_factory.mktemp("data-libraries") / "venv"
    python, uv = folder / "bin" / "python", [sys.executable, "-m", "uv"]
    env = outside(os.environ)  # the package registry is no part of the control plane
    for command in (
        ["venv", "-q", "-p", sys.executable, folder],
        ["pip", "install", "-q", "-p", python, *_DATA_LIBRARIES],
    ):
        subprocess.run([*uv, *map(str, command)], env=env, check=True)

    def run(script: str, *arguments: str | Path) -> str:
        command = [str(python), "-c", script, *map(str, arguments)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=200).stdout

    return run


@pytest.fixture(scope="session")
def arm(local_workspace: LocalWorkspace) -> Iterator[Callable[..., Any]]:
    """Ask the control plane without Terraform: ``arm("GET", id)`` returns the body, None for 404."""
    identity = {"resource": MANAGEMENT_URL, "api-version": "2019-08-01"}
    header = {"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}
    context = httpx.create_ssl_context(os.environ["SSL_CERT_FILE"])
    with httpx.Client(verify=context, timeout=60) as client:
        token = client.get(os.environ["IDENTITY_ENDPOINT"], params=identity, headers=header).json()["access_token"]

        def ask(method: str, path: str, body: Any = None) -> Any:
            answer = client.request(
                method,
                f"{MANAGEMENT_URL}{path}",
                params={"api-version": "2024-03-01"},
                json=body,
                headers={"Authorization": f"Bearer {token}"},
            )
            if answer.status_code == 404:
                return None
            answer.raise_for_status()
            return answer.json() if answer.content else None

        yield ask


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
        said = done.stdout + done.stderr
        assert expect in {None, done.returncode}, said[
            max(said.find("Error: "), 0) :
        ]  # after a plan of a thousand lines
        return said

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
    pytest.importorskip("tf", reason="the extra 'infra' is not installed: pip install 'mlops_kit[infra]'")
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


@pytest.fixture(scope="session")
def terraform_in(attached: dict[str, str]) -> Callable[[Path], Terraform]:
    """Run terraform in any folder, with the provider attached."""
    return lambda folder: Terraform(folder, attached)


@pytest.fixture
def terraform(terraform_in: Callable[[Path], Terraform], tmp_path: Path) -> Terraform:
    return terraform_in(tmp_path)


@pytest.fixture
def terraform_with(terraform_binary: str, tmp_path: Path) -> Iterator[Callable[[Mapping[str, str]], Terraform]]:
    """Attach a provider of its own to an environment."""
    from mlops_kit.local.iac.azapi import attach

    with ExitStack() as stack:
        yield lambda environ: Terraform(tmp_path, stack.enter_context(attach({**_CALM, **environ})))
