"""Models through the real SDK: types, flavors, version numbers, lineage, immutability, archiving."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

MLMODEL = """\
artifact_path: model
flavors:
  python_function:
    loader_module: mlflow.sklearn
    python_version: 3.11.9
  sklearn:
    sklearn_version: 1.5.2
    code: null
"""


def _model(name: str, path: Any, **fields: Any) -> Any:
    from azure.ai.ml.entities import Model

    return Model(name=name, path=str(path), **fields)


def _file(folder: Path, text: str = "weights") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_text(text)
    return folder / "model.pkl"


def _long(ml: Any, rest: str) -> str:
    return (
        f"azureml://subscriptions/{ml.subscription_id}/resourcegroups/{ml.resource_group_name}"
        f"/workspaces/{ml.workspace_name}/datastores/{rest}"
    )


def test_a_registered_file_keeps_every_field_and_its_own_copy(ml: Any, tmp_path: Path) -> None:
    path = _file(tmp_path / "source", "the weights")
    fields = {"description": "a classifier", "tags": {"framework": "sklearn"}, "properties": {"AUC": "0.85"}}
    ml.models.create_or_update(_model("full", path, type="custom_model", **fields))
    shutil.rmtree(tmp_path / "source")

    got = ml.models.get("full", "1")
    assert (got.description, got.tags, got.properties) == tuple(fields.values())
    assert got.type == "custom_model"
    assert got.path.startswith(_long(ml, "workspaceblobstore/paths/LocalUpload/"))
    ml.models.download("full", "1", download_path=tmp_path / "back")
    assert (tmp_path / "back" / "full" / "model.pkl").read_text() == "the weights"


def test_an_mlflow_model_gets_its_flavors_from_the_mlmodel_file(ml: Any, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "MLmodel").write_text(MLMODEL)
    ml.models.create_or_update(_model("flavored", tmp_path / "folder", type="mlflow_model"))

    got = ml.models.get("flavored", "1")
    assert got.type == "mlflow_model"
    assert got.flavors == {
        "python_function": {"loader_module": "mlflow.sklearn", "python_version": "3.11.9"},
        "sklearn": {"sklearn_version": "1.5.2"},
    }


def test_flavors_that_are_given_are_kept(ml: Any, tmp_path: Path) -> None:
    flavors = {"sklearn": {"sklearn_version": "1.0"}}
    ml.models.create_or_update(_model("given-flavors", _file(tmp_path), flavors=flavors))

    assert ml.models.get("given-flavors", "1").flavors == flavors


def test_a_triton_model_keeps_its_type(ml: Any, tmp_path: Path) -> None:
    ml.models.create_or_update(_model("triton", _file(tmp_path).parent, type="triton_model"))

    assert ml.models.get("triton", "1").type == "triton_model"


def test_an_unknown_type_is_refused_with_the_known_ones(ml: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match=r"'pickle' is not a type of model; known types: custom_model"):
        ml.models.create_or_update(
            _model("typed", "azureml://datastores/workspaceblobstore/paths/m.pkl", type="pickle", version="1")
        )


def test_the_same_name_counts_versions_up(ml: Any, tmp_path: Path) -> None:
    made = [ml.models.create_or_update(_model("counted", _file(tmp_path / str(n), str(n)))).version for n in range(3)]

    assert made == ["1", "2", "3"]
    assert [one.version for one in ml.models.list("counted")] == ["3", "2", "1"]
    assert ml.models.get("counted", label="latest").version == "3"


@pytest.mark.parametrize("content", ["same", "different"])
def test_eight_registrations_at_once_give_versions_one_to_eight(ml: Any, tmp_path: Path, content: str) -> None:
    paths = [_file(tmp_path / str(n), "same" if content == "same" else str(n)) for n in range(8)]

    # The SDK's own uploads of one new file collide in storage, here as on Azure; this is about version numbers.
    ml.models.create_or_update(_model(f"uploaded-{content}", paths[0]))

    def register(number: int) -> str:
        model = _model(f"raced-{content}", paths[number], tags={"number": str(number)})
        return str(ml.models.create_or_update(model).version)

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(register, range(8)))

    assert sorted(made, key=int) == [str(n) for n in range(1, 9)]
    stored = {one.tags["number"]: one.version for one in ml.models.list(f"raced-{content}")}
    assert stored == {str(number): version for number, version in enumerate(made)}


def test_an_explicit_duplicate_version_with_other_content_is_a_conflict(ml: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import ResourceExistsError

    first = ml.models.create_or_update(_model("duplicate", _file(tmp_path / "a", "a"), version="5"))
    with pytest.raises(ResourceExistsError, match=r"Version '5' of the model 'duplicate' exists with another modelUri"):
        ml.models.create_or_update(_model("duplicate", _file(tmp_path / "b", "b"), version="5"))

    assert ml.models.get("duplicate", "5").path == first.path
    assert ml.models.create_or_update(_model("duplicate", _file(tmp_path / "c", "c"))).version == "6"


def test_tags_and_description_can_be_edited_right_after_registration(ml: Any, tmp_path: Path) -> None:
    model = ml.models.create_or_update(_model("edited", _file(tmp_path), tags={"stage": "new"}))
    model.tags, model.description = {"stage": "checked"}, "now described"
    ml.models.create_or_update(model)

    got = ml.models.get("edited", "1")
    assert (got.tags, got.description) == ({"stage": "checked"}, "now described")
    assert [one.version for one in ml.models.list("edited")] == ["1"]


def test_a_property_cannot_change_its_value(ml: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import ResourceExistsError

    model = ml.models.create_or_update(_model("frozen", _file(tmp_path), properties={"AUC": "0.85"}))
    model.properties = {"AUC": "0.99"}
    with pytest.raises(ResourceExistsError, match=r"another properties\.AUC"):
        ml.models.create_or_update(model)

    assert ml.models.get("frozen", "1").properties == {"AUC": "0.85"}


def test_an_archived_version_is_hidden_and_comes_back(ml: Any, tmp_path: Path) -> None:
    for number in (1, 2):
        ml.models.create_or_update(_model("archived", _file(tmp_path / str(number), str(number))))
    ml.models.archive("archived", version="2")

    assert [one.version for one in ml.models.list("archived")] == ["1"]
    assert ml.models.get("archived", label="latest").version == "1"
    assert ml.models.get("archived", "2").version == "2"
    ml.models.restore("archived", version="2")
    assert [one.version for one in ml.models.list("archived")] == ["2", "1"]


def test_an_archived_model_is_hidden_and_comes_back(ml: Any, tmp_path: Path) -> None:
    ml.models.create_or_update(_model("container", _file(tmp_path)))
    ml.models.archive("container")
    assert "container" not in {one.name for one in ml.models.list()}
    assert "container" in {one.name for one in ml.models.list(list_view_type="ArchivedOnly")}

    ml.models.restore("container")
    assert {one.name: one.latest_version for one in ml.models.list()}["container"] == "1"


def test_a_model_whose_versions_are_all_archived_is_hidden(ml: Any, tmp_path: Path) -> None:
    ml.models.create_or_update(_model("all-archived", _file(tmp_path)))
    ml.models.archive("all-archived", version="1")

    assert "all-archived" not in {one.name for one in ml.models.list()}
    assert ml.models.create_or_update(_model("all-archived", _file(tmp_path, "other"))).version == "2"
    assert {one.name: one.latest_version for one in ml.models.list()}["all-archived"] == "2"


def test_versions_are_filtered_by_stage(ml: Any, tmp_path: Path) -> None:
    for number, stage in enumerate(["Development", "Production"]):
        ml.models.create_or_update(_model("staged", _file(tmp_path / stage, str(number)), stage=stage))

    assert [(one.version, one.stage) for one in ml.models.list("staged", stage="Production")] == [("2", "Production")]


def test_versions_are_filtered_by_tags_and_properties(ml: Any, tmp_path: Path) -> None:
    for number in ("1", "2"):
        model = _model(
            "filtered", _file(tmp_path / number, number), tags={"n": number, "all": ""}, properties={"p": number}
        )
        ml.models.create_or_update(model)

    def versions(**query: str) -> list[str]:
        found = ml.models._model_versions_operation.list(ml.resource_group_name, ml.workspace_name, "filtered", **query)
        return [one.name for one in found]

    assert versions(tags="n=2") == ["2"]
    assert versions(tags="all") == ["2", "1"]
    assert versions(properties="p=1") == ["1"]
    assert versions(order_by="createdtime asc") == ["1", "2"]
    assert versions(tags="missing") == []


def test_a_path_of_a_job_that_does_not_exist_is_refused(ml: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="The job 'no-such-job' was not found"):
        ml.models.create_or_update(_model("jobless", "azureml://jobs/no-such-job/outputs/artifacts/paths/model.pkl"))


@pytest.fixture(scope="module")
def run(ml: Any) -> str:
    import mlflow

    mlflow.set_tracking_uri(ml.workspaces.get(ml.workspace_name).mlflow_tracking_uri)
    with mlflow.start_run() as started:
        mlflow.log_text("the weights", "outputs/model.pkl")
        mlflow.log_text(MLMODEL, "model/MLmodel")
    return str(started.info.run_id)


def test_a_model_from_a_job_keeps_the_job_and_its_place(ml: Any, tmp_path: Path, run: str) -> None:
    ml.models.create_or_update(_model("from-job", f"azureml://jobs/{run}/outputs/artifacts/paths/outputs/model.pkl"))

    got = ml.models.get("from-job", "1")
    assert got.job_name == run
    assert got.path == _long(ml, f"workspaceartifactstore/paths/ExperimentRun/dcid.{run}/outputs/model.pkl")
    ml.models.download("from-job", "1", download_path=tmp_path)
    assert (tmp_path / "from-job" / "model.pkl").read_text() == "the weights"


def test_an_mlflow_model_of_a_run_gets_type_and_flavors(ml: Any, run: str) -> None:
    ml.models.create_or_update(_model("from-run", f"runs:/{run}/model", type="mlflow_model"))

    got = ml.models.get("from-run", "1")
    assert (got.job_name, sorted(got.flavors)) == (run, ["python_function", "sklearn"])
    assert got.path.endswith(f"ExperimentRun/dcid.{run}/model")


def test_a_path_that_a_finished_job_does_not_have_is_refused_with_its_files(ml: Any, run: str) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    path = f"azureml://jobs/{run}/outputs/artifacts/paths/outputs/other.pkl"
    with pytest.raises(ResourceNotFoundError, match=r"outputs/other\.pkl.*it holds: .*outputs/model\.pkl"):
        ml.models.create_or_update(_model("absent", path))


def test_a_model_from_a_datastore_keeps_its_address(ml: Any) -> None:
    ml.models.create_or_update(_model("stored", "azureml://datastores/workspaceblobstore/paths/models/m.pkl"))

    assert ml.models.get("stored", "1").path == _long(ml, "workspaceblobstore/paths/models/m.pkl")


def test_a_deleted_model_is_gone(ml: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    ml.models.create_or_update(_model("deleted", _file(tmp_path)))
    ml.models._model_container_operation.delete(ml.resource_group_name, ml.workspace_name, "deleted")

    with pytest.raises(ResourceNotFoundError):
        ml.models.get("deleted", "1")
    assert "deleted" not in {one.name for one in ml.models.list(list_view_type="All")}
