"""What Microsoft's data libraries ask of the API host is answered, and in an environment of their own they read."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture(scope="module")
def table(ml: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from azure.ai.ml.entities import Data

    folder = tmp_path_factory.mktemp("table")
    (folder / "MLTable").write_text(
        "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n"
    )
    (folder / "a.csv").write_text("x,y\n1,2\n3,4\n")
    return ml.data.create_or_update(Data(name="library-table", path=str(folder), type="mltable", tags={"k": "v"}))


def test_a_data_version_is_shown_as_the_libraries_read_it(ml: Any, table: Any) -> None:
    got = ml.jobs._dataset_dataplane_operations._operation.get(
        ml.subscription_id, ml.resource_group_name, ml.workspace_name, table.name, table.version
    )

    assert (got.data_version.data_type, got.data_version.data_uri) == ("MLTable", table.path)
    assert got.data_version.mutable_props.tags == {"k": "v"}
    assert got.data_version.version_id == "1"


def test_an_asset_id_names_its_data_version(ml: Any, table: Any) -> None:
    got = ml.jobs._dataset_dataplane_operations._operation.get_by_asset_id(
        ml.subscription_id, ml.resource_group_name, ml.workspace_name, body={"value": f"azureml:{table.id}"}
    )

    assert (got.data_version.data_container_name, got.data_version.data_uri) == (table.name, table.path)


def test_a_datastore_is_shown_with_its_container_and_key(ml: Any) -> None:
    from azure.core.rest import HttpRequest

    client = ml.jobs._dataset_dataplane_operations._operation._client
    path = (
        f"/datastore/v1.0/subscriptions/{ml.subscription_id}/resourceGroups/{ml.resource_group_name}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{ml.workspace_name}/datastores/workspaceblobstore"
    )
    answer = client.send_request(HttpRequest("GET", f"{ml.jobs._api_url.rstrip('/')}{path}"))
    section = answer.json()["azureStorageSection"]
    store = ml.datastores.get("workspaceblobstore", include_secrets=True)

    assert section["containerName"] == store.container_name
    assert (section["accountName"], section["endpoint"]) == (store.account_name, "core.mlops.test")
    assert section["accountKey"] == store.credentials.account_key


@pytest.mark.needs_registry
@pytest.mark.slow
def test_mltable_loads_an_asset_and_an_address(table: Any, run_with_data_libraries: Any) -> None:
    script = (
        "import json, mltable, sys\nprint(json.dumps(mltable.load(sys.argv[1]).to_pandas_dataframe().to_dict('list')))"
    )

    for address in (f"azureml:/{table.id}", table.path):
        assert json.loads(run_with_data_libraries(script, address)) == {"x": [1, 3], "y": [2, 4]}


@pytest.mark.needs_registry
@pytest.mark.slow
def test_pandas_reads_an_address_through_fsspec(table: Any, run_with_data_libraries: Any) -> None:
    script = "import pandas, sys\nprint(pandas.read_csv(sys.argv[1])['y'].tolist())"

    assert run_with_data_libraries(script, f"{table.path}a.csv") == "[2, 4]\n"
