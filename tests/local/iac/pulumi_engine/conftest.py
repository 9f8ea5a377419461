"""Pulumi programs of a few lines, run on the engine; and the engine's decisions without a program."""

from __future__ import annotations

import itertools
import os
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.testing import LocalWorkspace

pytest.importorskip(
    "pulumi_azure_native", reason="the package pulumi-azure-native is missing: pip install 'mlops_kit[infra]'"
)

from mlops_kit.local.iac import pulumi_engine
from mlops_kit.local.iac.pulumi_engine import Report, Stack, Step
from mlops_kit.local.iac.pulumi_engine.cloud import Cloud
from mlops_kit.local.iac.pulumi_engine.deployment import Deployment
from mlops_kit.local.iac.pulumi_engine.state import Entry, State, read
from mlops_kit.local.iac.pulumi_engine.wishes import Wish, urn_of

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
_GROUPS = itertools.count()


@dataclass
class Program:
    """A project folder with one program, and its stack."""

    folder: Path
    environ: Mapping[str, str]
    name: str = "dev"
    group: str = field(default_factory=lambda: f"rg-pulumi-{next(_GROUPS)}")
    heard: list[Step | str] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Write the program; GROUP stands for the name of a resource group that no other test has."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
        head = f"import pulumi\nfrom pulumi import ResourceOptions as Opts\nGROUP = {self.group!r}\n"
        (self.folder / "__main__.py").write_text(head + textwrap.dedent(text), encoding="utf-8")

    @property
    def id(self) -> str:
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{self.group}"

    def stack(self, **config: Any) -> Stack:
        state = self.folder.parent / "state" / f"{self.name}.json"
        return Stack(self.folder, self.name, state, self.environ, config, on_event=self.heard.append)

    def preview(self, **config: Any) -> Report:
        return pulumi_engine.preview(self.stack(**config))

    def up(self, plan: Report | None = None, **config: Any) -> Report:
        return pulumi_engine.up(self.stack(**config), plan=plan)


@pytest.fixture
def program(local_workspace: LocalWorkspace, tmp_path: Path) -> Iterator[Program]:
    """A program on the control plane of the session; its resource group is deleted afterwards."""
    made = Program(tmp_path / "program", dict(os.environ))
    yield made
    if made.stack().state.is_file():
        pulumi_engine.destroy(made.stack())


@pytest.fixture
def program_on(service: Any, tmp_path: Path) -> Program:
    """A program on the service that misbehaves."""
    return Program(tmp_path / "program", {**os.environ, **service.environ})


@dataclass
class Engine:
    """The engine without a program: a test says what a program would wish."""

    cloud: Cloud
    path: Path
    group: str

    @property
    def id(self) -> str:
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{self.group}"

    @property
    def state(self) -> State:
        return read(self.path)

    def deployment(self, *, dry_run: bool = False) -> Deployment:
        state = self.state.scratch() if dry_run else self.state
        defaults = {"subscriptionId": SUBSCRIPTION, "location": ""}
        return Deployment(self.cloud, state, dry_run=dry_run, defaults=defaults, on_step=lambda _: None)

    def run(self, *wishes: Wish, dry_run: bool = False) -> Deployment:
        """Grant wishes one after the other, then delete what none of them named."""
        deployment = self.deployment(dry_run=dry_run)
        for wish in wishes:
            deployment.custom(wish, "")
        deployment.finish(4)
        return deployment

    def actions(self, *wishes: Wish) -> dict[str, str]:
        """Return what a preview says of each resource."""
        return {step.name: step.action for step in self.run(*wishes, dry_run=True).steps}

    def resource_group(self, **more: Any) -> Wish:
        inputs = {"resourceGroupName": self.group, "location": "westeurope", **more.pop("inputs", {})}
        return wish("resources:ResourceGroup", "group", inputs, **more)

    def identity(self, name: str = "one", **more: Any) -> Wish:
        inputs = {
            "resourceName": f"id-{name}",
            "resourceGroupName": self.group,
            "location": "westeurope",
            **more.pop("inputs", {}),
        }
        return wish("managedidentity:UserAssignedIdentity", name, inputs, needs=("group",), **more)

    def credential(self, identity: str = "one", name: str = "github", **more: Any) -> Wish:
        inputs = {
            "resourceName": f"id-{identity}",
            "resourceGroupName": self.group,
            "federatedIdentityCredentialResourceName": name,
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": "repo:Acme/Shop:environment:dev",
            "audiences": ["api://AzureADTokenExchange"],
        }
        return wish("managedidentity:FederatedIdentityCredential", name, inputs, needs=(identity,), **more)


def wish(kind: str, name: str, inputs: dict[str, Any], needs: tuple[str, ...] = (), **more: Any) -> Wish:
    """Return what a program wishes of one resource; ``needs`` names resources that it depends on."""
    types = {"group": "resources:ResourceGroup", "one": "managedidentity:UserAssignedIdentity"}
    dependencies = tuple(_urn(types.get(one, types["one"]), one) for one in needs)
    return Wish(_urn(kind, name), f"azure-native:{kind}", name, True, inputs, dependencies=dependencies, **more)


def _urn(kind: str, name: str) -> str:
    return urn_of("shop", "dev", "", f"azure-native:{kind}", name)


@pytest.fixture
def engine(local_workspace: LocalWorkspace, tmp_path: Path) -> Iterator[Engine]:
    """The engine on the control plane of the session."""
    made = Engine(Cloud(os.environ), tmp_path / "dev.json", f"rg-engine-{next(_GROUPS)}")
    yield made
    made.cloud.delete(made.id, "2024-03-01")
    made.cloud.close()


@pytest.fixture
def engine_on(service: Any, tmp_path: Path) -> Iterator[Engine]:
    """The engine on the service that misbehaves."""
    made = Engine(Cloud(service.environ), tmp_path / "dev.json", "rg")
    yield made
    made.cloud.close()


@pytest.fixture
def entry() -> Callable[..., Entry]:
    """Return an entry of a state with an id, and the names of those that it depends on."""

    def make(name: str, resource_id: str, *needs: str, **more: Any) -> Entry:
        dependencies = tuple(f"u::{one}" for one in needs)
        return Entry(
            f"u::{name}", "azure-native:resources:ResourceGroup", resource_id, dependencies=dependencies, **more
        )

    return make
