"""Both engines on a store of their own, given one environment: what each sends, what each leaves, what each tells."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest
import yaml

from mlops_kit import environments
from mlops_kit.environments import Environment
from mlops_kit.infra import settings

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
SHARED = Path(os.environ.get("MLOPS_KIT_SHARED", PROJECT.parent / "shared"))
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ENGINES = ("terraform", "pulumi")
ENVIRONMENTS = ("local", "dev", "test", "prod")
SCENARIOS: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "scenarios.yaml").read_text(encoding="utf-8"))
_NUMBERS = itertools.count(1)
_LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
# What a service makes by itself and of which neither engine says anything.
_OWN = re.compile(r"/(datastores|workspaceartifactstore|environments|(?<!insights/)components|outboundrules)(/|$)")


@dataclass(frozen=True)
class Project:
    """A copy of the project's infrastructure with one environment, named so that it has all names to itself."""

    folder: Path
    environment: str
    process: Mapping[str, str]
    overrides: tuple[str, ...] = ()

    def load(self) -> Environment:
        folder = self.folder / "environments"
        return environments.load(folder, self.environment, overrides=self.overrides, process=dict(self.process))

    def values(self) -> dict[str, Any]:
        return settings.values(settings.infrastructure(self.load()))

    def write(self, section: Mapping[str, Any], **keys: Any) -> None:
        """Write the one environment of a scenario; JSON is YAML."""
        text = json.dumps({**keys, "infra": section})
        (self.folder / "environments" / f"{self.environment}.yaml").write_text(text, encoding="utf-8")


# What is there before an environment is made, by type; each stands in the resource group of the hub.
_HUB = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hub"
_LOGS = f"{_HUB}/providers/Microsoft.OperationalInsights/workspaces/log-hub"
_SUBNETS = [
    {
        "name": name,
        "properties": {
            "addressPrefix": f"10.9.{index}.0/24",
            "serviceEndpoints": [{"service": "Microsoft.Storage"}, {"service": "Microsoft.KeyVault"}],
        },
    }
    for index, name in enumerate(("endpoints", "compute"))
]
_VAULT = {
    "sku": {"family": "A", "name": "standard"},
    "tenantId": "00000000-0000-0000-0000-0000000000aa",
    "enableRbacAuthorization": True,
    "enablePurgeProtection": True,
}
_CLUSTER = {
    "dnsPrefix": "hub",
    "agentPoolProfiles": [{"name": "system", "vmSize": "Standard_DS3_v2", "mode": "System"}],
}
_EXISTING: Mapping[str, Mapping[str, Any]] = {
    "Microsoft.KeyVault/vaults": {"properties": _VAULT},
    "Microsoft.Network/virtualNetworks": {
        "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "subnets": _SUBNETS}
    },
    "Microsoft.Network/privateDnsZones": {"location": "global", "properties": {}},
    "Microsoft.ContainerService/managedClusters": {"identity": {"type": "SystemAssigned"}, "properties": _CLUSTER},
    "Microsoft.OperationalInsights/workspaces": {"properties": {"sku": {"name": "PerGB2018"}}},
    "Microsoft.Insights/components": {
        "kind": "web",
        "properties": {"Application_Type": "web", "WorkspaceResourceId": _LOGS},
    },
}


# The control plane comes with the workspace of the environment local; the engines make one beside it.
_BESIDE = (
    "workspace.resource_group=rg-beside",
    "workspace.name=mlw-beside",
    "infra.stem=beside",
    "infra.storage.name=stbeside",
)


@dataclass(frozen=True)
class Change:
    """What an engine would do to a resource."""

    resource: str
    action: str
    id: str | None = None  # of what is there


class Engine(Protocol):
    """What the tests ask of an engine, whichever it is."""

    name: str
    project: Project
    store: Store

    def changes(self) -> list[Change]:
        """Return what an apply would do, after a look at what is there."""
        ...

    def apply(self) -> None: ...
    def destroy(self) -> None: ...
    def outputs(self) -> dict[str, Any]: ...
    def sent(self) -> list[Sent]: ...


@dataclass(frozen=True)
class Sent:
    """The body of a PUT, of which type and version it is, and the id it went to."""

    id: str
    type: str
    version: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Store:
    """The database of a control plane; ``arm`` asks the plane itself."""

    state: Path
    environ: Mapping[str, str]

    def below(self, group: str) -> dict[str, dict[str, Any]]:
        """Return what lies in a resource group, itself included, by id in lower case."""
        path = f"file:{self.state / 'resources.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as connection:
            key = group.lower()
            rows = connection.execute(
                "SELECT key, body FROM resources WHERE key = ? OR (key > ? AND key < ?)", (key, key + "/", key + "0")
            ).fetchall()
        return {key: json.loads(body) for key, body in rows if not _OWN.search(key)}

    def put(self, resources: Mapping[str, Mapping[str, Any]]) -> None:
        """Make or change resources behind the back of the engines, by id."""
        from mlops_kit.local.iac.pulumi_engine.cloud import Cloud

        with closing(Cloud(self.environ)) as cloud:
            for id_, body in resources.items():
                cloud.put(id_, "2024-03-01", dict(body))

    def delete(self, id_: str) -> None:
        """Delete a resource behind the back of the engines."""
        from mlops_kit.local.iac.pulumi_engine.cloud import Cloud

        with closing(Cloud(self.environ)) as cloud:
            cloud.delete(id_, "2024-03-01")


class TerraformEngine:
    """The real terraform binary on the project's root, with the provider attached."""

    name = "terraform"

    def __init__(self, project: Project, store: Store, terraform: Any) -> None:
        self.project = project
        self.store = store
        self._terraform = terraform
        self._folder: Path = terraform.folder
        (self._folder / "override.tf").write_text(_LOCAL_BACKEND, encoding="utf-8")
        terraform.run("init")

    def _fill(self) -> None:
        text = json.dumps(self.project.values())
        (self._folder / "terraform.tfvars.json").write_text(text, encoding="utf-8")

    def changes(self) -> list[Change]:
        plan = self.plan()
        found = [
            Change(one["address"], "+".join(one["change"]["actions"]), (one["change"]["before"] or {}).get("id"))
            for one in plan["resource_changes"]
        ]
        changed = [one for one in found if one.action not in {"no-op", "read"}]
        outputs = plan.get("output_changes", {}).items()
        return changed + [Change(f"output.{name}", "update") for name, one in outputs if one["actions"] != ["no-op"]]

    def plan(self, *arguments: str) -> dict[str, Any]:
        self._fill()
        self._terraform.run("plan", "-out=plan.bin", *arguments)
        plan: dict[str, Any] = json.loads(self._terraform.run("show", "-json", "plan.bin"))
        return plan

    def apply(self) -> None:
        self._fill()
        self._terraform.apply()

    def destroy(self) -> None:
        self._terraform.run("destroy", "-auto-approve")

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = self._terraform.outputs()
        return found

    def sent(self) -> list[Sent]:
        state = json.loads((self._folder / "terraform.tfstate").read_text(encoding="utf-8"))
        managed = [one for one in state["resources"] if one["mode"] == "managed"]
        return [_sent_by_azapi(one["attributes"]) for each in managed for one in each["instances"]]


def _sent_by_azapi(attributes: Mapping[str, Any]) -> Sent:
    from mlops_kit.local.iac.azapi import bodies, identity

    body = dict((attributes.get("body") or {"value": {}})["value"])
    body |= {name: attributes[name] for name in ("location", "tags") if attributes.get(name)}
    if attributes.get("identity"):
        body["identity"] = identity.body(attributes["identity"][0])
    whole = bodies.without_nulls(body) if attributes.get("ignore_null_property") else body
    kind, _, version = attributes["type"].partition("@")
    return Sent(attributes["id"], kind, version, dict(whole))


class PulumiEngine:
    """The project's unmodified Pulumi program on the engine of the project."""

    name = "pulumi"

    def __init__(self, project: Project, store: Store, state: Path) -> None:
        from mlops_kit.local.iac.pulumi_engine import Stack

        self.project = project
        self.store = store
        environ = {**store.environ, **project.process}
        folder = project.folder / "infra" / "pulumi"
        config = {"set": list(project.overrides)}
        self._stack = Stack(folder, project.environment, state, environ, config)

    def changes(self) -> list[Change]:
        from mlops_kit.local.iac import pulumi_engine

        if self._stack.state.is_file():
            pulumi_engine.refresh(self._stack)
        return [Change(step.name, step.action, step.id) for step in pulumi_engine.preview(self._stack).changes]

    def apply(self) -> None:
        from mlops_kit.local.iac import pulumi_engine

        pulumi_engine.up(self._stack)

    def destroy(self) -> None:
        from mlops_kit.local.iac import pulumi_engine

        pulumi_engine.destroy(self._stack)

    def outputs(self) -> dict[str, Any]:
        from mlops_kit.local.iac import pulumi_engine

        return {name: one.value for name, one in pulumi_engine.outputs(self._stack).items()}

    def sent(self) -> list[Sent]:
        from mlops_kit.local.arm.ids import type_of
        from mlops_kit.local.iac.pulumi_engine import bodies, resource_types, state

        found = []
        for entry in state.read(self._stack.state).entries.values():
            row = resource_types.find(entry.type) if entry.in_arm else None
            if row is not None:
                body = bodies.body_of(row, entry.inputs)
                found.append(Sent(entry.id, type_of(entry.id), entry.api_version, body))
        return found


@pytest.fixture(scope="session")
def stores(local_workspace: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Store]]:
    """A store for each engine, so that both can make things of the same names."""
    pytest.importorskip(
        "pulumi_azure_native", reason="the package pulumi-azure-native is missing: pip install 'mlops_kit[infra]'"
    )
    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import LocalSettings

    second = LocalSettings(tmp_path_factory.mktemp("second_store") / "state", network="deny")
    instance = supervisor.start(second)
    try:
        environ = supervisor.applied(supervisor.environment(instance, second), os.environ)
        yield {
            "terraform": Store(local_workspace.state, dict(os.environ)),
            "pulumi": Store(second.state, environ),
        }
    finally:
        supervisor.stop(second.state)


@pytest.fixture
def project(tmp_path: Path, stores: Mapping[str, Store]) -> Callable[[str], Project]:
    """Copy the infrastructure for an environment, under names of its own: those of deleted vaults stay taken."""

    def copied(name: str) -> Project:
        made = _project(tmp_path / "project", name, stores)
        own = f"n{next(_NUMBERS)}"
        names = (f"workspace.resource_group=rg-{own}", f"workspace.name=mlw-{own}", f"infra.stem={own}")
        return replace(made, overrides=(*made.overrides, *names))

    return copied


def _project(folder: Path, name: str, stores: Mapping[str, Store]) -> Project:
    """Copy the project's infrastructure for an environment that is shipped, or for a scenario by its name."""
    for part in ("infra", "modules", "environments"):
        shutil.copytree(PROJECT / part, folder / part)
    process = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
    if name in ENVIRONMENTS:
        return Project(folder, name, process, _BESIDE if name == "local" else ())
    for file in (folder / "environments").iterdir():
        file.unlink()
    (folder / "environments" / "base.yaml").write_text("project: shop\nlocation: westeurope\n", encoding="utf-8")
    own = dict(SCENARIOS[name])
    places = {"subscription_id": SUBSCRIPTION, "resource_group": f"rg-{name}", "name": f"mlw-{name}"}
    made = Project(folder, name, process)
    if existing := own.pop("existing", ()):
        bodies = {f"{_HUB}/providers/{one}": _EXISTING[one.rpartition("/")[0]] for one in existing}
        for store in stores.values():
            store.put({id_: {"location": "westeurope", **body} for id_, body in {_HUB: {}, **bodies}.items()})
    made.write(own.pop("infra"), workspace=places, **own)
    return made


@pytest.fixture
def engine(
    stores: Mapping[str, Store], terraform_in: Callable[[Path], Any], tmp_path: Path
) -> Callable[[str, Project], Engine]:
    """Return an engine, by its name, that is ready for a project."""
    return lambda name, project: _engine(name, project, stores, terraform_in, tmp_path / "pulumi.json")


def _engine(
    name: str, project: Project, stores: Mapping[str, Store], terraform_in: Callable[[Path], Any], state: Path
) -> Engine:
    if name == "pulumi":
        return PulumiEngine(project, stores[name], state)
    return TerraformEngine(project, stores[name], terraform_in(project.folder / "infra" / "terraform"))


@dataclass(frozen=True)
class Made:
    """What each engine made of one environment, by the engine's name: the store, the outputs, what was sent."""

    values: Mapping[str, Any]
    stored: Mapping[str, Mapping[str, Any]]
    told: Mapping[str, Mapping[str, Any]]
    sent: Mapping[str, list[Sent]]


@pytest.fixture(scope="session")
def made(
    stores: Mapping[str, Store],
    terraform_in: Callable[[Path], Any],
    tmp_path_factory: pytest.TempPathFactory,
    group_of: Callable[[Mapping[str, Any]], str],
) -> Callable[[str], Made]:
    """Apply an environment with both engines, once in a session, and take it down again."""

    @functools.cache
    def of(name: str) -> Made | Exception:
        folder = tmp_path_factory.mktemp("made")
        try:
            project = _project(folder / "project", name, stores)
            engines = {one: _engine(one, project, stores, terraform_in, folder / "pulumi.json") for one in ENGINES}
            return _made(project.values(), engines, group_of(project.values()))
        except Exception as error:  # noqa: BLE001  kept as it is: a second attempt would fail for another reason
            return error

    def known(name: str) -> Made:
        found = of(name)
        if isinstance(found, Exception):
            raise found
        return found

    return known


def _made(values: Mapping[str, Any], engines: Mapping[str, Engine], group: str) -> Made:
    with ThreadPoolExecutor(len(engines)) as threads:
        list(threads.map(lambda one: one.apply(), engines.values()))
        found = Made(
            values,
            {name: one.store.below(group) for name, one in engines.items()},
            {name: one.outputs() for name, one in engines.items()},
            {name: one.sent() for name, one in engines.items()},
        )
        list(threads.map(lambda one: one.destroy(), engines.values()))
    return found


@pytest.fixture(scope="session")
def group_of() -> Callable[[Mapping[str, Any]], str]:
    """Return the id of the resource group of an infrastructure."""

    def group(values: Mapping[str, Any]) -> str:
        own = values["resource_group"]
        return f"/subscriptions/{own['subscription_id']}/resourceGroups/{own['name']}"

    return group


@pytest.fixture(scope="session")
def comparison() -> ModuleType:
    """The comparison of two stores."""
    return _module(HERE / "comparison.py")


@pytest.fixture(scope="session")
def arm_types() -> ModuleType:
    """The check of ARM bodies against the published Bicep types."""
    path = SHARED / "tools" / "validate_arm.py"
    if not path.is_file() or not (SHARED / "data" / "arm-types").is_dir():
        pytest.skip(f"{SHARED} has no tools/validate_arm.py and data/arm-types: set MLOPS_KIT_SHARED")
    return _module(path)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
