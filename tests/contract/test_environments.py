"""Environment assets through the real SDK: image, conda, build context, curated names, immutability."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
CURATED = "AzureML-sklearn-1.5"


def _conda(*pip: str) -> dict[str, Any]:
    return {"name": "e", "channels": ["conda-forge"], "dependencies": ["python=3.11", "pip", {"pip": list(pip)}]}


def _environment(name: str | None, **fields: Any) -> Any:
    from azure.ai.ml.entities import Environment

    return Environment(name=name, **{"image": IMAGE, **fields})


def _context(folder: Path, dockerfile: str) -> Any:
    from azure.ai.ml.entities import BuildContext

    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text(dockerfile)
    (folder / "requirements.txt").write_text("joblib\n")
    return BuildContext(path=str(folder))


def _built(name: str, context: Any, **fields: Any) -> Any:
    from azure.ai.ml.entities import Environment

    return Environment(name=name, build=context, **fields)


def test_an_image_with_a_conda_file_is_kept(ml: Any) -> None:
    created = ml.environments.create_or_update(
        _environment("conda", conda_file=_conda("joblib==1.4.2"), description="d", tags={"k": "v"})
    )
    got = ml.environments.get("conda", "1")

    assert got.image == IMAGE
    assert got.conda_file == _conda("joblib==1.4.2")
    assert (got.description, got.tags, got.os_type) == ("d", {"k": "v"}, "Linux")
    assert got.id == created.id
    assert got.id.endswith("/environments/conda/versions/1")


def test_the_same_content_without_a_version_stays_one_version(ml: Any) -> None:
    for _ in range(2):
        ml.environments.create_or_update(_environment("unchanged", conda_file=_conda("joblib")))

    assert [one.version for one in ml.environments.list("unchanged")] == ["1"]


def test_other_content_without_a_version_is_the_next_version(ml: Any) -> None:
    made = [
        ml.environments.create_or_update(_environment("changed", conda_file=_conda(package))).version
        for package in ("joblib", "joblib==1.4.2", "numpy")
    ]

    assert made == ["1", "2", "3"]
    assert ml.environments.get("changed", "1").conda_file == _conda("joblib")
    assert ml.environments.get("changed", label="latest").conda_file == _conda("numpy")


def test_an_explicit_version_keeps_its_content(ml: Any) -> None:
    from azure.core.exceptions import ResourceExistsError

    ml.environments.create_or_update(_environment("kept", version="3", conda_file=_conda("joblib")))
    with pytest.raises(ResourceExistsError, match=r"environment 'kept' exists with another condaFile"):
        ml.environments.create_or_update(_environment("kept", version="3", conda_file=_conda("numpy")))
    with pytest.raises(ResourceExistsError, match="another image"):
        ml.environments.create_or_update(
            _environment("kept", version="3", image="python:3.11", conda_file=_conda("joblib"))
        )

    assert ml.environments.get("kept", "3").conda_file == _conda("joblib")


def test_the_order_of_keys_in_a_conda_file_is_not_content(ml: Any) -> None:
    first = ml.environments.create_or_update(_environment("ordered", conda_file=_conda("joblib")))
    turned = dict(reversed(_conda("joblib").items()))

    assert ml.environments.create_or_update(_environment("ordered", conda_file=turned)).id == first.id


def test_the_operating_system_counts_in_any_letter_case(ml: Any) -> None:
    from azure.ai.ml.entities import Environment

    image = "mcr.microsoft.com/azureml/base:1"
    first = ml.environments.create_or_update(Environment(name="systems", version="1", image=image, os_type="Linux"))
    second = ml.environments.create_or_update(Environment(name="systems", version="1", image=image, os_type="linux"))

    assert (first.os_type, second.os_type) == ("Linux", "Linux")


def test_an_unknown_operating_system_is_refused(ml: Any) -> None:
    from azure.ai.ml.entities import Environment
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="The osType 'beos' is neither Linux nor Windows"):
        ml.environments.create_or_update(Environment(name="beos", version="1", image="x", os_type="beos"))


def test_tags_of_a_version_can_be_edited(ml: Any) -> None:
    environment = ml.environments.create_or_update(_environment("edited", tags={"a": "1"}))
    environment.tags = {"b": "2"}
    ml.environments.create_or_update(environment)

    assert ml.environments.get("edited", "1").tags == {"b": "2"}


def test_a_build_context_is_uploaded(ml: Any, tmp_path: Path) -> None:
    from azure.ai.ml._artifacts._artifact_utilities import download_artifact

    ml.environments.create_or_update(_built("built", _context(tmp_path / "context", "FROM python:3.11\n")))
    got = ml.environments.get("built", "1")

    assert got.build.dockerfile_path == "Dockerfile"
    assert got.build.path.startswith("https://devstoreaccount1.blob.core.mlops.test/")
    assert got.build.path.endswith("/context/")
    prefix = got.build.path.split("/", 4)[4]
    download_artifact(prefix, str(tmp_path / "back"), ml._datastores, "workspaceblobstore")
    assert (tmp_path / "back" / "Dockerfile").read_text() == "FROM python:3.11\n"


def test_a_second_upload_of_the_same_context_returns_the_first(ml: Any, tmp_path: Path) -> None:
    first = ml.environments.create_or_update(
        _built("context", _context(tmp_path / "one", "FROM python:3.11\n"), version="1")
    )
    second = ml.environments.create_or_update(
        _built("context", _context(tmp_path / "two", "FROM python:3.11\n"), version="1")
    )

    assert second.build.path == first.build.path


def test_another_dockerfile_under_the_same_version_is_a_conflict(ml: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import ResourceExistsError

    ml.environments.create_or_update(_built("contexts", _context(tmp_path / "one", "FROM python:3.11\n"), version="1"))
    with pytest.raises(ResourceExistsError, match=r"another build\.contextUri"):
        ml.environments.create_or_update(
            _built("contexts", _context(tmp_path / "two", "FROM python:3.12\n"), version="1")
        )


def test_a_conda_file_that_is_no_mapping_is_refused(ml: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    environment = _environment("broken", version="1", conda_file=_conda("joblib"))
    environment._translated_conda_file = "- just\n- a list\n"
    with pytest.raises(HttpResponseError, match="conda file must be a mapping"):
        ml.environments.create_or_update(environment)


def test_archiving_hides_a_version_and_then_the_environment(ml: Any) -> None:
    for package in ("joblib", "numpy"):
        ml.environments.create_or_update(_environment("archived", conda_file=_conda(package)))
    ml.environments.archive("archived", version="1")
    assert [one.version for one in ml.environments.list("archived")] == ["2"]
    ml.environments.restore("archived", version="1")
    assert [one.version for one in ml.environments.list("archived")] == ["2", "1"]

    ml.environments.archive("archived")
    assert "archived" not in {one.name for one in ml.environments.list()}
    ml.environments.restore("archived")
    assert {one.name: one.latest_version for one in ml.environments.list()}["archived"] == "2"


def test_anonymous_environments_are_not_listed(ml: Any) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.operations._operation_orchestrator import OperationOrchestrator

    job = command(command="echo", environment=_environment(None, conda_file=_conda("joblib")), compute="cpu-cluster")
    orchestrator = OperationOrchestrator(ml._operation_container, ml._operation_scope, ml._operation_config)
    identifier = orchestrator.get_asset_arm_id(job.environment, "environments")

    assert "/environments/CliV2AnonymousEnvironment/versions/" in identifier
    assert "CliV2AnonymousEnvironment" not in {one.name for one in ml.environments.list()}


@pytest.mark.parametrize("name", [CURATED, "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu"])
def test_a_curated_environment_is_there_without_being_created(ml: Any, name: str) -> None:
    got = ml.environments.get(name, label="latest")

    assert got.name == name
    assert got.image.startswith("mcr.microsoft.com/azureml/curated/sklearn-1.")
    assert "scikit-learn>=1." in got.description
    assert ml.environments.get(name, got.version).id == got.id
    assert ml.environments.get(name, "1").version == "1"


def test_curated_environments_are_listed_beside_the_own_ones(ml: Any) -> None:
    ml.environments.create_or_update(_environment("listed"))

    shown = {one.name: one.latest_version for one in ml.environments.list()}
    assert shown["listed"] == "1"
    assert shown[CURATED] == ml.environments.get(CURATED, label="latest").version


def test_an_unknown_curated_environment_names_the_known_ones(ml: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match=r"AzureML-nothing.*known here: .*AzureML-sklearn-1\.5"):
        ml.environments.get("AzureML-nothing", "1")


def test_a_workspace_may_hold_an_environment_under_a_curated_name(ml: Any) -> None:
    ml.environments.create_or_update(_environment("AzureML-own", version="1"))

    assert ml.environments.get("AzureML-own", "1").image == IMAGE


@pytest.fixture(scope="module")
def registry(ml: Any) -> Any:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    return MLClient(DefaultAzureCredential(), registry_name="azureml")


def test_the_registry_shows_the_curated_environments(registry: Any) -> None:
    got = registry.environments.get("sklearn-1.5", label="latest")

    assert got.id == f"azureml://registries/azureml/environments/sklearn-1.5/versions/{got.version}"
    assert "sklearn-1.5" in {one.name for one in registry.environments.list()}


def test_the_registry_cannot_be_written(registry: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError):
        registry.environments.create_or_update(_environment("mine", version="1"))
