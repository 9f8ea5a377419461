"""Operations that MLClient does not offer, through the clients that it is built on: deletion, run history, keys."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError

from mlops_kit.local.settings import API_URL, MANAGEMENT_URL, STORAGE_KEY

# How a version of each kind is written, and what an answer shows of it.
BODIES: dict[str, dict[str, Any]] = {
    "code": {"codeUri": "https://devstoreaccount1.blob.core.windows.net/code-x"},
    "component": {"componentSpec": {"type": "command", "command": "true"}},
    "data": {"dataType": "uri_file", "dataUri": "https://example.org/rows.csv"},
    "environment": {"image": "mcr.microsoft.com/azureml/base:1"},
    "model": {"modelType": "custom_model", "modelUri": "https://example.org/model.pkl"},
}


@pytest.fixture(scope="module")
def management(ml: Any) -> Any:
    from azure.ai.ml._restclient.arm_ml_service import MachineLearningServicesMgmtClient

    scopes = [f"{MANAGEMENT_URL}/.default"]
    return MachineLearningServicesMgmtClient(
        ml._credential, ml.subscription_id, MANAGEMENT_URL, credential_scopes=scopes
    )


@pytest.fixture(scope="module")
def scope(ml: Any) -> dict[str, str]:
    return {"resource_group_name": ml.resource_group_name, "workspace_name": ml.workspace_name}


@pytest.fixture(scope="module")
def history(ml: Any) -> Any:
    from azure.ai.ml._restclient.runhistory import RunHistoryClient

    return RunHistoryClient(ml._credential, endpoint=API_URL, credential_scopes=[f"{MANAGEMENT_URL}/.default"])


# Assets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BODIES)
def test_a_deleted_version_is_gone_and_its_asset_stays(management: Any, scope: dict[str, str], kind: str) -> None:
    versions, containers = (getattr(management, f"{kind}_{part}") for part in ("versions", "containers"))
    name = f"deleted-{kind}"
    for version in ("1", "2"):
        versions.create_or_update(**scope, name=name, version=version, body={"properties": BODIES[kind]})

    versions.delete(**scope, name=name, version="2")
    assert [one.name for one in versions.list(**scope, name=name)] == ["1"]
    with pytest.raises(ResourceNotFoundError):
        versions.get(**scope, name=name, version="2")
    kept = containers.get(**scope, name=name).properties
    assert (kept.latest_version, kept.next_version) == ("1", "3") if kind != "component" else kept.latest_version == "1"
    assert name in {one.name for one in containers.list(**scope)}


@pytest.mark.parametrize("kind", [kind for kind in BODIES if kind != "code"])
def test_a_deleted_asset_takes_its_versions_with_it(management: Any, scope: dict[str, str], kind: str) -> None:
    versions, containers = (getattr(management, f"{kind}_{part}") for part in ("versions", "containers"))
    name = f"dropped-{kind}"
    versions.create_or_update(**scope, name=name, version="1", body={"properties": BODIES[kind]})

    containers.delete(**scope, name=name)
    for missing in (
        lambda: containers.get(**scope, name=name),
        lambda: versions.get(**scope, name=name, version="1"),
    ):
        with pytest.raises(ResourceNotFoundError):
            missing()


# The workspace -----------------------------------------------------------------------------------------------------


def test_keys_of_the_storage_account_are_told(management: Any, scope: dict[str, str]) -> None:
    assert management.workspaces.list_storage_account_keys(**scope).user_storage_key == STORAGE_KEY


def test_no_outbound_dependencies_are_claimed(management: Any, scope: dict[str, str]) -> None:
    assert management.workspaces.list_outbound_network_dependencies_endpoints(**scope).value == []


def test_a_cluster_is_scaled_by_a_change_of_its_scale_settings_alone(
    ml: Any, management: Any, scope: dict[str, str]
) -> None:
    from azure.ai.ml.entities import AmlCompute

    ml.compute.begin_create_or_update(AmlCompute(name="patched", size="Standard_DS3_v2", max_instances=1)).result()
    change = {"properties": {"properties": {"scaleSettings": {"maxNodeCount": 2}}}}
    management.compute.begin_update(**scope, compute_name="patched", parameters=change).result()

    found = ml.compute.get("patched")
    assert (found.max_instances, found.min_instances, found.size) == (2, 0, "Standard_DS3_v2")


# Run history -------------------------------------------------------------------------------------------------------


def test_runs_are_found_by_their_experiment(ml: Any, jobs: Any, history: Any, scope: dict[str, str]) -> None:
    experiment = f"experiment-{uuid.uuid4().hex[:8]}"
    where = {"subscription_id": ml.subscription_id, **scope, "experiment_name": experiment}
    job = jobs.completed("echo found", experiment_name=experiment)

    assert history.experiments.get(**where).name == experiment
    run = history.runs.get_by_experiment_name(**where, run_id=job.name)
    assert (run.run_id, run.status) == (job.name, "Completed")
    assert history.runs.get_details_by_experiment_name(**where, run_id=job.name).log_files
    assert list(history.runs.get_child_by_experiment_name(**where, run_id=job.name)) == []
    asked = history.runs.get_by_query_by_experiment_name(**where, body={})
    assert [one.run_id for one in asked.value] == [job.name]


def test_experiments_are_those_of_the_runs(ml: Any, jobs: Any, history: Any, scope: dict[str, str]) -> None:
    where = {"subscription_id": ml.subscription_id, **scope}
    names = {f"listed-{number}-{uuid.uuid4().hex[:6]}" for number in range(2)}
    for name in names:
        jobs.completed("true", experiment_name=name)

    assert names <= {one.name for one in history.experiments.get_by_query(**where, body={}).value}
    with pytest.raises(ResourceNotFoundError, match="The experiment 'none-such'"):
        history.experiments.get(**where, experiment_name="none-such")


def test_a_run_is_cancelled_and_named_by_its_experiment(
    ml: Any, jobs: Any, history: Any, scope: dict[str, str]
) -> None:
    where = {"subscription_id": ml.subscription_id, **scope, "experiment_name": "cancelled-runs"}
    job = jobs.submit("sleep 60", experiment_name="cancelled-runs")
    history.runs.cancel_run_with_uri_by_experiment_name(**where, run_id=job.name)

    assert jobs.wait(job).status == "Canceled"
    assert history.runs.get(ml.subscription_id, **scope, run_id=job.name).status == "Canceled"
