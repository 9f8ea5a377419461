"""Operations that no method of the SDK calls, asked through the pipelines of its own clients; other tools use them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from mlops_kit.local.settings import API_URL, MANAGEMENT_URL


@pytest.fixture(scope="module")
def ask(ml: Any) -> Any:
    """Send a request with the SDK's own pipeline (credential, retries) and return the answer; 4xx is an answer."""
    from azure.core.rest import HttpRequest

    client = ml.jobs._dataset_dataplane_operations._operation._client
    workspace = (
        f"/subscriptions/{ml.subscription_id}/resourceGroups/{ml.resource_group_name}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{ml.workspace_name}"
    )

    def send(method: str, path: str, body: Any = None, host: str = API_URL) -> Any:
        url = f"{host}{path.format(workspace=workspace)}"
        return client.send_request(HttpRequest(method, url, **({} if body is None else {"json": body})))

    return send


@pytest.fixture(scope="module")
def done(jobs: Any) -> Any:
    return jobs.completed("true", experiment_name="asked", tags={"a": "1"})


def test_experiments_of_a_workspace_are_listed(ask: Any, done: Any) -> None:
    names = [one["name"] for one in ask("GET", "/history/v1.0{workspace}/experiments").json()["value"]]

    assert "asked" in names


def test_runs_are_queried_newest_first_and_a_filter_is_refused(ask: Any, done: Any, jobs: Any) -> None:
    later = jobs.completed("true", experiment_name="asked")
    found = ask("POST", "/history/v1.0{workspace}/runs:query", {}).json()["value"]
    refused = ask("POST", "/history/v1.0{workspace}/runs:query", {"filter": "runId eq 'x'"})

    order = [one["runId"] for one in found if one["runId"] in {done.name, later.name}]
    assert order == [later.name, done.name]
    assert (refused.status_code, refused.json()["error"]["target"]) == (400, "filter")


def test_patch_of_a_run_changes_its_names_and_tags(ask: Any, done: Any, ml: Any) -> None:
    answer = ask(
        "PATCH", f"/history/v1.0{{workspace}}/runs/{done.name}", {"displayName": "patched", "tags": {"b": "2"}}
    )
    job = ml.jobs.get(done.name)

    assert answer.json()["displayName"] == "patched"
    assert (job.display_name, job.tags["b"]) == ("patched", "2")


def test_run_is_cancelled_through_its_history(ask: Any, jobs: Any) -> None:
    job = jobs.wait(jobs.submit("sleep 60"), until={"Running"})
    assert ask("POST", f"/history/v1.0{{workspace}}/runs/{job.name}/cancel").status_code == 200

    assert jobs.wait(job).status == "Canceled"


@pytest.mark.parametrize("kind", ["data", "models", "environments", "components"])
def test_label_latest_is_the_newest_version(ask: Any, ml: Any, tmp_path: Any, kind: str) -> None:
    name = f"labelled_{uuid.uuid4().hex[:6]}"
    (tmp_path / "file.txt").write_text("content")
    for version in ("1", "2"):
        _create(ml, kind, name, version, str(tmp_path / "file.txt"))
    path = f"{{workspace}}/{kind}/{name}/labels/latest?api-version=2024-04-01"
    found = ask("GET", path, host=MANAGEMENT_URL).json()

    assert found["id"].endswith(f"/{kind}/{name}/versions/2")


def _create(ml: Any, kind: str, name: str, version: str, path: str) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import Data, Environment, Model

    if kind == "components":
        node = command(name=name, version=version, command=f"echo {version}", environment="AzureML-minimal@latest")
        ml.components.create_or_update(node.component, version=version)
        return
    made = {
        "data": lambda: Data(name=name, version=version, path=path, type="uri_file"),
        "models": lambda: Model(name=name, version=version, path=path),
        "environments": lambda: Environment(name=name, version=version, image=f"image:{version}"),
    }[kind]()
    getattr(ml, kind).create_or_update(made)


def test_addresses_of_models_are_resolved_in_one_request(ask: Any, ml: Any, tmp_path: Any) -> None:
    name = f"resolved-{uuid.uuid4().hex[:6]}"
    (tmp_path / "file.txt").write_text("content")
    _create(ml, "models", name, "1", str(tmp_path / "file.txt"))
    model = ml.models.get(name, "1")
    answer = ask("POST", "/modelregistry/v1.0{workspace}/models/batchGetResolvedUris", {"values": [model.id]}).json()

    assert answer["values"][model.id] == {"path": model.path, "type": "custom_model"}


def test_discovery_names_the_hosts_of_the_services(ask: Any) -> None:
    found = ask("GET", "/discovery").json()

    assert found["api"] == found["history"] == API_URL


def test_keys_of_a_storage_account_are_those_of_the_emulator(ask: Any, ml: Any) -> None:
    from mlops_kit.local.settings import STORAGE_KEY

    account = ml.workspaces.get().storage_account
    answer = ask("POST", f"{account}/listKeys?api-version=2024-01-01", host=MANAGEMENT_URL)

    assert {key["value"] for key in answer.json()["keys"]} == {STORAGE_KEY}
