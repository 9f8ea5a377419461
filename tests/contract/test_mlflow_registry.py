"""MLflow's model registry and azure-ai-ml's models are one: what one of them registers, the other uses."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("plane_env")


@pytest.fixture
def client() -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient()


@pytest.fixture
def name() -> str:
    return f"model-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def run_id(plane_env: dict[str, str]) -> str:
    """Return a run with a classifier, which predicts 1, logged as ``model``."""
    import mlflow

    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(_always(1), name="model", pip_requirements=["scikit-learn"])
    return str(run.info.run_id)


def _always(answer: int) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="constant", constant=answer).fit([[0], [1]], [0, 1])


def _predicted(uri: str) -> int:
    import mlflow

    return int(mlflow.pyfunc.load_model(uri).predict([[5]])[0])


def test_model_registered_from_a_run_is_a_model_of_the_workspace(run_id: str, name: str, ml: Any) -> None:
    import mlflow

    version = mlflow.register_model(f"runs:/{run_id}/model", name, tags={"accuracy": "0.9"})
    assert (version.version, version.run_id, version.tags) == ("1", run_id, {"accuracy": "0.9"})
    model = ml.models.get(name, "1")
    assert model.type == "mlflow_model"
    assert model.job_name == run_id
    assert model.tags == {"accuracy": "0.9"}
    assert {"python_function", "sklearn"} <= set(model.flavors)
    assert model.flavors["python_function"]["loader_module"] == "mlflow.sklearn"
    assert model.path.endswith(f"/datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{run_id}/model")
    assert name in {one.name for one in ml.models.list()}


def test_registered_model_loads_by_version_alias_and_latest(run_id: str, name: str, client: Any) -> None:
    import mlflow

    mlflow.register_model(f"runs:/{run_id}/model", name)
    client.set_registered_model_alias(name, "champion", "1")
    for uri in (f"models:/{name}/1", f"models:/{name}@champion", f"models:/{name}/latest"):
        assert _predicted(uri) == 1


def test_model_of_the_workspace_loads_through_mlflow(name: str, ml: Any, client: Any, tmp_path: Path) -> None:
    import mlflow
    from azure.ai.ml.entities import Model

    mlflow.sklearn.save_model(_always(0), str(tmp_path / "m"), pip_requirements=["scikit-learn"])
    ml.models.create_or_update(Model(name=name, path=str(tmp_path / "m"), type="mlflow_model", tags={"from": "sdk"}))
    assert _predicted(f"models:/{name}/1") == 0
    version = client.get_model_version(name, "1")
    assert (version.status, version.tags) == ("READY", {"from": "sdk"})
    assert version.source == ml.models.get(name, "1").path


def test_model_is_downloaded_through_the_sdk(run_id: str, name: str, ml: Any, tmp_path: Path) -> None:
    import mlflow

    mlflow.register_model(f"runs:/{run_id}/model", name)
    ml.models.download(name, version="1", download_path=tmp_path)
    assert [path.parent.name for path in tmp_path.rglob("MLmodel")] == ["model"]


def test_model_registers_while_it_is_logged(name: str, ml: Any) -> None:
    import mlflow

    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(_always(0), name="clf", registered_model_name=name, pip_requirements=["scikit-learn"])
    assert ml.models.get(name, "1").job_name == run.info.run_id
    assert _predicted(f"models:/{name}/1") == 0


def test_logged_model_and_registered_model_are_sources_too(run_id: str, name: str, client: Any, ml: Any) -> None:
    import mlflow

    [output] = client.get_run(run_id).outputs.model_outputs
    mlflow.register_model(f"models:/{output.model_id}", name)
    copied = client.copy_model_version(f"models:/{name}/1", f"{name}-copy")
    assert (copied.version, copied.run_id) == ("1", run_id)
    assert ml.models.get(f"{name}-copy", "1").path == ml.models.get(name, "1").path
    assert _predicted(f"models:/{name}-copy/1") == 1
    tag = client.get_logged_model(output.model_id).tags["mlflow.modelVersions"]
    assert name in tag


def test_folder_that_is_no_mlflow_model_becomes_a_custom_model(name: str, client: Any, ml: Any) -> None:
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, "weights", "net/weights.txt")
    client.create_registered_model(name)
    client.create_model_version(name, f"runs:/{run_id}/net", run_id)
    model = ml.models.get(name, "1")
    assert (model.type, model.job_name, model.flavors or {}) == ("custom_model", run_id, {})


def test_versions_registered_at_the_same_time_get_different_numbers(run_id: str, name: str, client: Any) -> None:
    client.create_registered_model(name)
    source = f"runs:/{run_id}/model"
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: client.create_model_version(name, source, run_id).version, range(16)))
    assert sorted(map(int, numbers)) == list(range(1, 17))


@pytest.mark.parametrize("source", ["/etc", "file:///etc", "https://elsewhere.test/model", "s3://bucket/model"])
def test_source_outside_the_workspace_is_refused(source: str, name: str, client: Any) -> None:
    from mlflow.exceptions import MlflowException

    client.create_registered_model(name)
    with pytest.raises(MlflowException, match="Invalid model version source") as caught:
        client.create_model_version(name, source)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert client.search_model_versions(f"name = '{name}'") == []


def test_name_that_azure_ml_does_not_accept_is_refused(client: Any) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="'a b/c' cannot name a model"):
        client.create_registered_model("a b/c")


def test_model_registered_twice_exists_already(name: str, client: Any) -> None:
    from mlflow.exceptions import MlflowException

    created = client.create_registered_model(name, tags={"team": "a"}, description="first")
    assert (created.tags, created.description) == ({"team": "a"}, "first")
    with pytest.raises(MlflowException, match="already exists") as caught:
        client.create_registered_model(name)
    assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_missing_model_and_version_do_not_exist(name: str, client: Any, run_id: str) -> None:
    import mlflow
    from mlflow.exceptions import MlflowException

    asked: tuple[Callable[[], Any], ...] = (
        lambda: client.get_registered_model(name),
        lambda: client.get_model_version(name, "1"),
        lambda: mlflow.pyfunc.load_model(f"models:/{name}/1"),
    )
    for ask in asked:
        with pytest.raises(MlflowException, match=name) as caught:
            ask()
        assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    mlflow.register_model(f"runs:/{run_id}/model", name)
    with pytest.raises(MlflowException, match=f"Version 2 of the model '{name}' was not found"):
        client.get_model_version(name, "2")


def test_tags_descriptions_and_stages_are_seen_from_both_sides(run_id: str, name: str, client: Any, ml: Any) -> None:
    import mlflow

    for _ in range(2):
        mlflow.register_model(f"runs:/{run_id}/model", name)
    client.set_model_version_tag(name, "1", "checked", "yes")
    client.set_model_version_tag(name, "1", "gone", "x")
    client.delete_model_version_tag(name, "1", "gone")
    client.update_model_version(name, "1", "the first")
    client.transition_model_version_stage(name, "1", "Production")
    model = ml.models.get(name, "1")
    assert (model.tags, model.description, model.stage) == ({"checked": "yes"}, "the first", "Production")
    client.transition_model_version_stage(name, "2", "production", archive_existing_versions=True)
    assert [client.get_model_version(name, v).current_stage for v in "12"] == ["Archived", "Production"]
    assert [one.version for one in client.get_latest_versions(name, ["Production"])] == ["2"]
    from mlflow.utils.rest_utils import http_request

    credentials = client._tracking_client.store.get_host_creds()
    asked = {"name": name, "stages": ["Archived", "Staging"]}
    latest = http_request(credentials, "/api/2.0/mlflow/registered-models/get-latest-versions", "GET", params=asked)
    assert [one["version"] for one in latest.json()["model_versions"]] == ["1"]
    client.set_registered_model_tag(name, "team", "b")
    client.set_registered_model_tag(name, "gone", "x")
    client.delete_registered_model_tag(name, "gone")
    client.update_registered_model(name, description="both")
    found = client.get_registered_model(name)
    assert (found.tags, found.description) == ({"team": "b"}, "both")


def test_change_through_the_sdk_is_seen_through_mlflow(run_id: str, name: str, client: Any, ml: Any) -> None:
    import mlflow

    mlflow.register_model(f"runs:/{run_id}/model", name)
    model = ml.models.get(name, "1")
    model.tags["reviewed"] = "yes"
    model.description = "from the SDK"
    ml.models.create_or_update(model)
    version = client.get_model_version(name, "1")
    assert (version.tags["reviewed"], version.description) == ("yes", "from the SDK")


def test_aliases_move_and_go(run_id: str, name: str, client: Any) -> None:
    import mlflow
    from mlflow.exceptions import MlflowException

    for _ in range(2):
        mlflow.register_model(f"runs:/{run_id}/model", name)
    client.set_registered_model_alias(name, "best", "1")
    client.set_registered_model_alias(name, "best", "2")
    assert client.get_model_version_by_alias(name, "best").version == "2"
    assert client.get_registered_model(name).aliases == {"best": "2"}
    assert list(client.get_model_version(name, "2").aliases) == ["best"]
    client.delete_registered_model_alias(name, "best")
    with pytest.raises(MlflowException, match="The alias 'best' of the model"):
        client.get_model_version_by_alias(name, "best")
    with pytest.raises(MlflowException, match="Version 9"):
        client.set_registered_model_alias(name, "best", "9")


def test_deleted_version_and_model_are_gone_for_both(run_id: str, name: str, client: Any, ml: Any) -> None:
    import mlflow
    from azure.core.exceptions import ResourceNotFoundError

    for _ in range(2):
        mlflow.register_model(f"runs:/{run_id}/model", name)
    client.set_registered_model_alias(name, "best", "1")
    client.delete_model_version(name, "1")
    with pytest.raises(ResourceNotFoundError):
        ml.models.get(name, "1")
    assert client.get_registered_model(name).aliases == {}
    assert mlflow.register_model(f"runs:/{run_id}/model", name).version == "3"
    client.delete_registered_model(name)
    assert name not in {one.name for one in ml.models.list()}
    assert name not in {one.name for one in client.search_registered_models()}


def test_search_selects_by_name_tag_and_run(run_id: str, client: Any) -> None:
    import mlflow

    stem = f"s{uuid.uuid4().hex[:8]}"
    for suffix in ("a", "b"):
        mlflow.register_model(f"runs:/{run_id}/model", f"{stem}-{suffix}", tags={"letter": suffix})
    client.set_registered_model_tag(f"{stem}-b", "team", "x")
    like = f"name LIKE '{stem}%'"
    found = client.search_registered_models(like, order_by=["name DESC"])
    assert [one.name for one in found] == [f"{stem}-b", f"{stem}-a"]
    assert [one.name for one in client.search_registered_models(f"{like} and tags.team = 'x'")] == [f"{stem}-b"]
    versions = client.search_model_versions(f"name = '{stem}-a'")
    assert [(one.version, one.tags["letter"]) for one in versions] == [("1", "a")]
    of_run = {one.name for one in client.search_model_versions(f"run_id = '{run_id}'", max_results=1000)}
    assert {f"{stem}-a", f"{stem}-b"} <= of_run
    page = client.search_registered_models(like, max_results=1)
    assert len(page) == 1
    assert len(client.search_registered_models(like, max_results=1, page_token=page.token)) == 1


def test_model_cannot_be_renamed(name: str, client: Any) -> None:
    from mlflow.exceptions import MlflowException

    client.create_registered_model(name)
    with pytest.raises(MlflowException, match="Azure ML cannot rename a model"):
        client.rename_registered_model(name, f"{name}-new")


def test_prompts_are_kept_by_mlflow_and_are_no_models(client: Any, ml: Any) -> None:
    import mlflow

    name = f"prompt-{uuid.uuid4().hex[:8]}"
    mlflow.genai.register_prompt(name=name, template="Say {{word}}")
    assert mlflow.genai.load_prompt(f"prompts:/{name}/1").template == "Say {{word}}"
    assert name in {one.name for one in mlflow.genai.search_prompts()}
    assert name not in {one.name for one in ml.models.list()}
    assert name not in {one.name for one in client.search_registered_models()}
