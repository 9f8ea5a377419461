"""Registries through the real SDK: their life, the assets they hold, and sharing from a workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.local.settings import MANAGEMENT_URL

NAME = "Shared-Things"
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
COMPONENT = """\
type: command
name: {name}
version: "1"
command: echo hello
environment: azureml:AzureML-sklearn-1.5@latest
"""

Connect = Callable[[str], Any]


def _registry(name: str, **storage: Any) -> Any:
    from azure.ai.ml.entities import Registry, RegistryRegionDetails, SystemCreatedStorageAccount

    account = SystemCreatedStorageAccount(storage_account_hns=False, storage_account_type="Standard_LRS", **storage)
    region = RegistryRegionDetails(location="eastus", storage_config=account)
    return Registry(name=name, location="eastus", tags={"team": "us"}, replication_locations=[region])


@pytest.fixture(scope="module")
def connect(ml: Any) -> Connect:
    """Return clients that know nothing but the name of a registry."""
    from azure.ai.ml import MLClient

    return lambda name: MLClient(ml._credential, registry_name=name)


@pytest.fixture(scope="module")
def registry(ml: Any, connect: Connect) -> Iterator[Any]:
    ml.registries.begin_create(_registry(NAME)).result()
    yield connect(NAME)
    ml.registries.begin_delete(name=NAME).result()


def _environment(name: str, **fields: Any) -> Any:
    from azure.ai.ml.entities import Environment

    return Environment(name=name, version="1", **{"image": IMAGE, **fields})


def _model(name: str, folder: Path, text: str = "weights", **fields: Any) -> Any:
    from azure.ai.ml.entities import Model

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_text(text)
    return Model(name=name, path=str(folder), type="custom_model", **{"version": "1", **fields})


def _text(folder: Path, name: str) -> str:
    return next(folder.rglob(name)).read_text()


# Registries themselves ---------------------------------------------------------------------------------------------


def test_a_registry_is_created_listed_and_deleted(ml: Any, connect: Connect) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    made = ml.registries.begin_create(_registry("lived", replication_count=2)).result()
    assert (made.name, made.location, made.tags, made.identity.type) == (
        "lived",
        "eastus",
        {"team": "us"},
        "SystemAssigned",
    )
    assert "lived" in {one.name for one in ml.registries.list()}
    storage = ml.registries.get("lived").replication_locations[0].storage_config
    assert storage.replication_count == 2
    assert len(set(storage.replicated_ids)) == 2

    assert ml.registries.begin_delete(name="lived").result() is None
    with pytest.raises(ResourceNotFoundError):
        ml.registries.get("lived")
    with pytest.raises(ResourceNotFoundError, match="The registry 'lived' was not found"):
        connect("lived")


def test_a_registry_that_is_written_again_keeps_its_identity_and_assets(ml: Any, registry: Any) -> None:
    registry.environments.create_or_update(_environment("kept"))
    before = ml.registries._operation.get(ml.resource_group_name, NAME).identity.principal_id

    ml.registries.begin_create(_registry(NAME)).result()
    assert ml.registries._operation.get(ml.resource_group_name, NAME).identity.principal_id == before
    assert registry.environments.get("kept", "1").image == IMAGE


@pytest.fixture
def arm(ml: Any) -> Any:
    from azure.mgmt.resource.resources import ResourceManagementClient

    scopes = [f"{MANAGEMENT_URL}/.default"]
    return ResourceManagementClient(ml._credential, ml.subscription_id, MANAGEMENT_URL, credential_scopes=scopes)


@pytest.fixture
def other(ml: Any, arm: Any) -> Iterator[Any]:
    """Return a client of another resource group, which is deleted afterwards."""
    from azure.ai.ml import MLClient

    arm.resource_groups.create_or_update("other-registries", {"location": "westeurope"})
    yield MLClient(ml._credential, ml.subscription_id, "other-registries")
    if arm.resource_groups.check_existence("other-registries"):
        arm.resource_groups.begin_delete("other-registries").result()


def test_a_registry_name_is_taken_in_all_groups(other: Any, registry: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    del registry
    for name in (NAME.lower(), "azureml"):
        with pytest.raises(HttpResponseError, match=f"The registry name '{name}' is taken"):
            other.registries.begin_create(_registry(name)).result()


def test_a_deleted_group_takes_its_registries_with_it(ml: Any, connect: Connect, other: Any, arm: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    other.registries.begin_create(_registry("passing")).result()
    assert connect("passing").environments.create_or_update(_environment("gone")).id
    assert "passing" in {one.name for one in ml.registries.list(scope="subscription")}

    arm.resource_groups.begin_delete("other-registries").result()
    with pytest.raises(ResourceNotFoundError, match="The registry 'passing' was not found"):
        connect("passing")


def test_an_unknown_registry_names_the_nearest(connect: Connect, registry: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    del registry
    with pytest.raises(ResourceNotFoundError, match=f"'Shared-Thing' was not found. Did you mean '{NAME}'"):
        connect("Shared-Thing")


# What they hold ----------------------------------------------------------------------------------------------------


def test_an_environment_has_an_id_of_the_registry_in_lower_case(registry: Any) -> None:
    conda = {"name": "e", "dependencies": ["python=3.11", {"pip": ["joblib"]}]}
    made = registry.environments.create_or_update(_environment("conda", conda_file=conda))

    assert made.id == "azureml://registries/shared-things/environments/conda/versions/1"
    assert registry.environments.get("conda", label="latest").conda_file == conda
    assert "conda" in {one.name for one in registry.environments.list()}


def test_a_model_downloads_with_the_bytes_that_were_uploaded(registry: Any, tmp_path: Path) -> None:
    made = registry.models.create_or_update(_model("uploaded", tmp_path / "source", "the weights"))
    assert made.id == "azureml://registries/shared-things/models/uploaded/versions/1"

    registry.models.download("uploaded", "1", download_path=str(tmp_path / "back"))
    assert _text(tmp_path / "back", "model.pkl") == "the weights"
    assert [one.version for one in registry.models.list("uploaded")] == ["1"]


def test_a_model_without_a_version_gets_the_next_one(registry: Any, tmp_path: Path) -> None:
    versions = [
        registry.models.create_or_update(_model("counted", tmp_path / str(number), str(number), version=None)).version
        for number in range(3)
    ]
    assert versions == ["1", "2", "3"]
    assert registry.models.get("counted", label="latest").version == "3"


def test_a_version_is_uploaded_once(registry: Any, tmp_path: Path) -> None:
    registry.models.create_or_update(_model("once", tmp_path / "first", "first"))
    # The SDK takes the 409 for "already uploaded" and then looks for a datastore, which a registry does not have.
    with pytest.raises(ValueError, match="No value for given attribute"):
        registry.models.create_or_update(_model("once", tmp_path / "second", "second"))

    registry.models.download("once", "1", download_path=str(tmp_path / "back"))
    assert _text(tmp_path / "back", "model.pkl") == "first"


def test_data_is_kept_and_archived(registry: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Data

    (tmp_path / "rows.csv").write_text("a\n1\n")
    made = registry.data.create_or_update(
        Data(name="rows", version="1", type="uri_file", path=str(tmp_path / "rows.csv"))
    )
    assert made.id == "azureml://registries/shared-things/data/rows/versions/1"
    assert made.path.endswith("/rows.csv")

    registry.data.archive("rows", "1")
    assert list(registry.data.list("rows")) == []
    registry.data.restore("rows", "1")
    assert [one.version for one in registry.data.list("rows")] == ["1"]


def test_a_component_brings_its_code_and_finds_curated_environments(registry: Any, tmp_path: Path) -> None:
    from azure.ai.ml import load_component

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("print('hello')\n")
    (tmp_path / "component.yml").write_text(COMPONENT.format(name="greeter") + "code: src\n")
    made = registry.components.create_or_update(load_component(tmp_path / "component.yml"))

    assert made.id == "azureml://registries/shared-things/components/greeter/versions/1"
    assert made.code.startswith("azureml://registries/shared-things/codes/")
    assert made.environment.startswith("azureml://registries/azureml/environments/AzureML-sklearn-1.5/versions/")
    assert registry.components.get("greeter", "1")._to_dict() == made._to_dict()


def test_a_component_without_code_gets_an_empty_one_as_registries_give_it(registry: Any, tmp_path: Path) -> None:
    from azure.ai.ml import load_component

    codes = set()
    for name in ("bare", "bare_too"):
        (tmp_path / "component.yml").write_text(COMPONENT.format(name=name))
        codes.add(registry.components.create_or_update(load_component(tmp_path / "component.yml")).code)
    assert len(codes) == 1
    name, version = codes.pop().split("/")[-3::2]
    assert registry._code.get(name, version).path


@pytest.mark.parametrize("kind", ["environments", "models", "data", "components"])
def test_an_archived_asset_is_not_listed(registry: Any, tmp_path: Path, kind: str) -> None:
    from azure.ai.ml import load_component
    from azure.ai.ml.entities import Data

    (tmp_path / "component.yml").write_text(COMPONENT.format(name="hidden"))
    assets = {
        "environments": lambda: _environment("hidden"),
        "models": lambda: _model("hidden", tmp_path / "hidden"),
        "data": lambda: Data(name="hidden", version="1", type="uri_folder", path=str(tmp_path)),
        "components": lambda: load_component(tmp_path / "component.yml"),
    }
    operations = getattr(registry, kind)
    operations.create_or_update(assets[kind]())

    def listed() -> bool:
        return "hidden" in {one.name for one in operations.list()}

    operations.archive("hidden")
    assert not listed()
    operations.restore("hidden")
    assert listed()
    assert [one.version for one in operations.list("hidden")] == ["1"]
    assert operations.get("hidden", label="latest").version == "1"


def test_curated_names_are_not_offered_by_other_registries(registry: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    assert not [one.name for one in registry.environments.list() if one.name.startswith("AzureML-")]
    with pytest.raises(ResourceNotFoundError):
        registry.environments.get("AzureML-sklearn-1.5", "1")


# Sharing and use ---------------------------------------------------------------------------------------------------


def test_a_shared_model_does_not_depend_on_its_workspace(ml: Any, registry: Any, tmp_path: Path) -> None:
    ml.models.create_or_update(_model("local-one", tmp_path / "source", "to share", description="shared"))
    shared = ml.models.share("local-one", "1", share_with_name="shared-one", share_with_version="7", registry_name=NAME)
    assert (shared.id, shared.description) == (
        "azureml://registries/shared-things/models/shared-one/versions/7",
        "shared",
    )
    assert "workspaceblobstore" not in shared.path

    registry.models.download("shared-one", "7", download_path=str(tmp_path / "back"))
    assert _text(tmp_path / "back", "model.pkl") == "to share"


def test_a_shared_environment_keeps_its_build_context(ml: Any, registry: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import BuildContext, Environment

    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    ml.environments.create_or_update(
        Environment(name="with-context", version="1", build=BuildContext(path=str(tmp_path)))
    )
    shared = ml.environments.share(
        "with-context", "1", share_with_name="with-context", share_with_version="1", registry_name=NAME
    )
    assert shared.build.dockerfile_path == "Dockerfile"
    assert registry.environments.get("with-context", "1").build.path == shared.build.path
    assert shared.build.path != ml.environments.get("with-context", "1").build.path


def test_a_job_reads_a_model_of_a_registry_in_an_environment_of_a_registry(
    jobs: Any, registry: Any, tmp_path: Path
) -> None:
    from azure.ai.ml import Input

    model = registry.models.create_or_update(_model("read", tmp_path / "source", "from the registry"))
    conda = {"name": "e", "dependencies": ["python=3.11"]}
    environment = registry.environments.create_or_update(_environment("runs", conda_file=conda))
    job = jobs.completed(
        "cat ${{inputs.model}}/model.pkl",
        environment=environment.id,
        inputs={"model": Input(type="custom_model", path=model.id)},
    )
    assert jobs.log(job) == "from the registry"


def test_a_job_that_names_a_missing_version_is_refused_with_the_registry(jobs: Any, registry: Any) -> None:
    del registry
    with pytest.raises(Exception, match=r"Version '4' of 'none' in environments of azureml://registries/shared-things"):
        jobs.submit("true", environment="azureml://registries/Shared-Things/environments/none/versions/4")
