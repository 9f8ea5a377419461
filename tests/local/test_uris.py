"""Every form in which Azure ML names data is read; anything else is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_kit.local import uris
from mlops_kit.local.arm.store import ResourceStore
from mlops_kit.local.arm.wire import BadRequestError, NotFoundError
from mlops_kit.local.uris import (
    ArmResource,
    AssetReference,
    BlobPath,
    DatastorePath,
    JobOutput,
    RegistryReference,
    WebAddress,
)

W = "/subscriptions/S/resourceGroups/R/providers/Microsoft.MachineLearningServices/workspaces/W"
OTHER = "/subscriptions/S2/resourceGroups/R2/providers/Microsoft.MachineLearningServices/workspaces/W2"
LONG = "azureml://subscriptions/S2/resourcegroups/R2/workspaces/W2"

FORMS = {
    "azureml:diabetes:3": AssetReference(W, "", "diabetes", "3"),
    "azureml:diabetes@latest": AssetReference(W, "", "diabetes", label="latest"),
    "azureml:azureml:diabetes:3": AssetReference(W, "", "diabetes", "3"),
    "azureml://data/diabetes/versions/3": AssetReference(W, "data", "diabetes", "3"),
    "azureml://models/m/labels/latest": AssetReference(W, "models", "m", label="latest"),
    f"{LONG}/models/m/versions/4": AssetReference(OTHER, "models", "m", "4"),
    f"azureml:{OTHER}/data/d/versions/1": AssetReference(OTHER, "data", "d", "1"),
    f"{OTHER}/components/c/labels/default": AssetReference(OTHER, "components", "c", label="default"),
    "azureml://locations/local/workspaces/guid/data/d/versions/1": AssetReference(W, "data", "d", "1"),
    "azureml://datastores/d/paths/a/b.csv": DatastorePath(W, "d", "a/b.csv"),
    "azureml://datastores/d/paths/": DatastorePath(W, "d", ""),
    "azureml://datastores/d/ExperimentRun/dcid.J": DatastorePath(W, "d", "ExperimentRun/dcid.J"),
    "azureml:azureml://datastores/d/paths/a": DatastorePath(W, "d", "a"),
    f"{LONG}/datastores/d/paths/a/": DatastorePath(OTHER, "d", "a/"),
    f"{LONG.replace('resourcegroups', 'resourceGroups')}/datastores/d/paths/a": DatastorePath(OTHER, "d", "a"),
    "azureml://jobs/J/outputs/artifacts/paths/outputs/m.pkl": JobOutput(W, "J", "artifacts", "outputs/m.pkl"),
    "azureml://jobs/J/outputs/prepared": JobOutput(W, "J", "prepared", ""),
    "runs:/J/model": JobOutput(W, "J", "artifacts", "model"),
    "azureml://registries/azureml/environments/e/versions/2": RegistryReference("azureml", "environments", "e", "2"),
    "azureml://registries/azureml/environments/e/labels/latest": RegistryReference(
        "azureml", "environments", "e", label="latest"
    ),
    "https://devstoreaccount1.blob.core.mlops.test/c/a%20b/f.csv": BlobPath("c", "a b/f.csv"),
    "https://devstoreaccount1.blob.core.windows.net:443/code-1/src": BlobPath("code-1", "src"),
    "wasbs://c@devstoreaccount1.blob.core.mlops.test/a/b": BlobPath("c", "a/b"),
    "abfss://c@devstoreaccount1.dfs.core.mlops.test/a": BlobPath("c", "a"),
    "https://example.com/x.csv": WebAddress("https://example.com/x.csv"),
    "wasbs://c@elsewhere.blob.core.windows.net/a": WebAddress("wasbs://c@elsewhere.blob.core.windows.net/a"),
    f"{OTHER}/computes/cpu": ArmResource(f"{OTHER}/computes/cpu"),
}


@pytest.mark.parametrize("text", FORMS)
def test_a_known_form_is_read(text: str) -> None:
    assert uris.parse(text, W) == FORMS[text]


@pytest.mark.parametrize(
    "text", ["", "plain", "azureml:", "azureml:name", "azureml://nonsense/x", "./local", "file:///x"]
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError, match="is not an address that Azure ML knows"):
        uris.parse(text, W)


def test_the_long_form_names_the_workspace() -> None:
    assert uris.long_form(DatastorePath(OTHER, "d", "a/b")) == f"{LONG}/datastores/d/paths/a/b"


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Any]:
    store = ResourceStore(tmp_path / "resources.db")
    for name, default in (("workspaceblobstore", True), ("workspaceartifactstore", False)):
        body = {"id": f"{W}/datastores/{name}", "name": name, "properties": {"isDefault": default}}
        store.put(body, {"container": f"container-of-{name}"})
    yield SimpleNamespace(store=store, now=lambda: datetime.now(UTC))
    store.close()


def _job(plane: Any, outputs: dict[str, Any]) -> None:
    plane.store.put({"id": f"{W}/jobs/J", "name": "J", "properties": {"outputs": outputs}})


def _resolve(plane: Any, text: str, kind: str = "") -> tuple[str, str]:
    return uris.resolve(plane, uris.parse(text, W), kind=kind)


def test_artefacts_of_a_job_are_in_the_artefact_store(plane: Any) -> None:
    found = _resolve(plane, "azureml://jobs/J/outputs/artifacts/paths/model")

    assert found == ("container-of-workspaceartifactstore", "ExperimentRun/dcid.J/model")


def test_a_named_output_is_where_the_job_says(plane: Any) -> None:
    _job(plane, {"prepared": {"uri": "azureml://datastores/workspaceblobstore/paths/mine/"}})

    found = _resolve(plane, "azureml://jobs/J/outputs/prepared/paths/part.csv")
    assert found == ("container-of-workspaceblobstore", "mine/part.csv")


def test_a_named_output_without_an_address_is_in_the_default_datastore(plane: Any) -> None:
    _job(plane, {"prepared": {"jobOutputType": "uri_folder"}})

    found = _resolve(plane, "azureml://jobs/J/outputs/prepared")
    assert found == ("container-of-workspaceblobstore", "azureml/J/prepared/")


def test_an_unknown_output_names_the_known_ones(plane: Any) -> None:
    _job(plane, {"prepared": {}})

    with pytest.raises(BadRequestError, match="no output 'prepard'; it has: artifacts, prepared"):
        _resolve(plane, "azureml://jobs/J/outputs/prepard")


def test_an_asset_is_followed_to_its_data(plane: Any) -> None:
    uri = "azureml://datastores/workspaceblobstore/paths/d/"
    container = {"latestVersion": "1", "nextVersion": "2"}
    plane.store.put({"id": f"{W}/data/d", "name": "d", "properties": container})
    plane.store.put({"id": f"{W}/data/d/versions/1", "name": "1", "properties": {"dataUri": uri}})

    assert _resolve(plane, "azureml:d@latest", "data") == ("container-of-workspaceblobstore", "d/")
    assert _resolve(plane, "azureml://data/d/versions/1") == ("container-of-workspaceblobstore", "d/")
    with pytest.raises(NotFoundError, match="Version '2' of 'd' in data"):
        _resolve(plane, "azureml:d:2", "data")


def test_a_missing_datastore_is_named_with_its_neighbours(plane: Any) -> None:
    with pytest.raises(NotFoundError, match=r"workspaceblobstor'.*workspaceblobstore"):
        _resolve(plane, "azureml://datastores/workspaceblobstor/paths/x")


def test_a_web_address_is_not_in_storage(plane: Any) -> None:
    with pytest.raises(BadRequestError, match="not in this control plane's storage"):
        _resolve(plane, "https://example.com/x.csv")


@pytest.mark.parametrize(
    "text",
    [
        "azureml://datastores/d/paths/../../secrets",
        "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/a/../../b",
        "azureml://jobs/j/outputs/o/paths/a/..",
        "https://devstoreaccount1.blob.core.mlops.test/container/../other",
        "https://devstoreaccount1.blob.core.mlops.test/container/%2e%2e/other",
        "runs:/run/../../other",
    ],
)
def test_a_path_that_leads_out_of_its_place_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"has a '\.\.', which leads nowhere in storage"):
        uris.parse(text, "/subscriptions/s/resourceGroups/g/providers/p/workspaces/w")


def test_dots_in_a_name_are_a_name() -> None:
    found = uris.parse("azureml://datastores/d/paths/a..b/...", "w")
    assert isinstance(found, uris.DatastorePath)
    assert found.path == "a..b/..."
