"""Data assets through the real SDK: types, versions, labels, archiving, immutability, where the bytes are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest


def _data(name: str, path: Any, kind: str = "uri_file", **fields: Any) -> Any:
    from azure.ai.ml.entities import Data

    return Data(name=name, path=str(path), type=kind, **fields)


def _file(folder: Path, text: str, name: str = "part.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def _bytes(ml: Any, uri: str, target: Path) -> Path:
    from azure.ai.ml._artifacts._artifact_utilities import download_artifact_from_aml_uri

    target.mkdir()
    download_artifact_from_aml_uri(uri, str(target), ml._datastores)
    return target


def _long(ml: Any, rest: str) -> str:
    return (
        f"azureml://subscriptions/{ml.subscription_id}/resourcegroups/{ml.resource_group_name}"
        f"/workspaces/{ml.workspace_name}/datastores/{rest}"
    )


def test_a_local_file_is_uploaded_and_named_in_long_form(ml: Any, tmp_path: Path) -> None:
    created = ml.data.create_or_update(_data("file-long", _file(tmp_path, "a,b\n1,2\n"), tags={"k": "v"}))
    got = ml.data.get("file-long", "1")

    assert got.path.startswith(_long(ml, "workspaceblobstore/paths/LocalUpload/"))
    assert got.path.endswith("/part.csv")
    assert got.tags == {"k": "v"}
    assert got.id == created.id
    assert got.creation_context.created_by == "local"
    assert (_bytes(ml, got.path, tmp_path / "back") / "part.csv").read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize("kind", ["uri_folder", "mltable"])
def test_the_address_of_a_folder_ends_in_a_slash(ml: Any, tmp_path: Path, kind: str) -> None:
    _file(tmp_path / "folder", "paths:\n  - pattern: ./*.csv\ntransformations:\n  - read_delimited:\n", "MLTable")
    _file(tmp_path / "folder", "a\n1\n")
    ml.data.create_or_update(_data(f"slash-{kind}", tmp_path / "folder", kind))

    assert ml.data.get(f"slash-{kind}", "1").path.endswith("/folder/")


def test_an_mltable_names_the_paths_it_reads(ml: Any, tmp_path: Path) -> None:
    _file(tmp_path / "table", "paths:\n  - file: ./one.csv\n  - file: ./two.csv\n", "MLTable")
    _file(tmp_path / "table", "a\n1\n", "one.csv")
    _file(tmp_path / "table", "a\n2\n", "two.csv")
    ml.data.create_or_update(_data("table-paths", tmp_path / "table", "mltable"))

    got = ml.data.get("table-paths", "1")
    assert got._referenced_uris == ["./one.csv", "./two.csv"]
    assert got.type == "mltable"


def test_a_short_datastore_address_becomes_long(ml: Any) -> None:
    ml.data.create_or_update(_data("short", "azureml://datastores/workspaceblobstore/paths/some/folder", "uri_folder"))

    assert ml.data.get("short", "1").path == _long(ml, "workspaceblobstore/paths/some/folder/")


def test_a_web_address_is_kept_as_it_is(ml: Any) -> None:
    ml.data.create_or_update(_data("web", "https://example.com/data/x.csv"))

    assert ml.data.get("web", "1").path == "https://example.com/data/x.csv"


def test_an_unknown_datastore_is_refused_by_name(ml: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match=r"workspaceblobstor.*workspaceblobstore"):
        ml.data.create_or_update(_data("nowhere", "azureml://datastores/workspaceblobstor/paths/x"))


def test_the_output_of_a_job_that_does_not_exist_is_refused(ml: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="The job 'no-such-job' was not found"):
        ml.data.create_or_update(_data("jobless", "azureml://jobs/no-such-job/outputs/artifacts/paths/x", "uri_folder"))


def test_versions_count_up_when_none_is_given(ml: Any, tmp_path: Path) -> None:
    made = [ml.data.create_or_update(_data("counted", _file(tmp_path / str(n), f"{n}\n"))).version for n in range(3)]

    assert made == ["1", "2", "3"]
    assert [one.version for one in ml.data.list("counted")] == ["3", "2", "1"]


def test_eight_registrations_of_different_content_at_once_get_eight_versions(ml: Any, tmp_path: Path) -> None:
    paths = [_file(tmp_path / str(n), f"content {n}\n") for n in range(8)]

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda path: ml.data.create_or_update(_data("raced", path)), paths))

    by_version = {one.version: one.path for one in ml.data.list("raced")}
    assert len(by_version) == len({one.version for one in made})
    assert {one.path for one in made} == set(by_version.values())
    assert len(set(by_version.values())) == 8


def test_the_latest_label_follows_creation_not_the_alphabet(ml: Any, tmp_path: Path) -> None:
    for number, version in enumerate(["foo", "bar", "baz", "foobar"]):
        ml.data.create_or_update(_data("labelled", _file(tmp_path / version, f"{number}\n"), version=version))
        assert ml.data.get("labelled", label="latest").version == version


def test_a_version_keeps_its_content(ml: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import ResourceExistsError

    first = ml.data.create_or_update(_data("kept", _file(tmp_path / "a", "first\n"), version="1"))
    with pytest.raises(ResourceExistsError, match=r"Version '1' of the data asset 'kept' exists with another dataUri"):
        ml.data.create_or_update(_data("kept", _file(tmp_path / "b", "second\n"), version="1"))

    assert ml.data.get("kept", "1").path == first.path


def test_a_version_keeps_its_type(ml: Any) -> None:
    from azure.core.exceptions import ResourceExistsError

    path = "azureml://datastores/workspaceblobstore/paths/typed/"
    ml.data.create_or_update(_data("typed", path, "uri_folder", version="1"))
    with pytest.raises(ResourceExistsError, match="another dataType"):
        ml.data.create_or_update(_data("typed", path, "uri_file", version="1"))


def test_the_first_version_is_unchanged_by_the_second(ml: Any, tmp_path: Path) -> None:
    one = ml.data.create_or_update(_data("two", _file(tmp_path / "a", "1\n").parent, "uri_folder"))
    _file(tmp_path / "a", "2\n", "second.csv")
    ml.data.create_or_update(_data("two", tmp_path / "a", "uri_folder"))

    back = _bytes(ml, ml.data.get("two", "1").path, tmp_path / "back")
    assert one.version == "1"
    assert [path.name for path in back.rglob("*.csv")] == ["part.csv"]


def test_description_and_tags_can_be_edited(ml: Any, tmp_path: Path) -> None:
    asset = ml.data.create_or_update(_data("edited", _file(tmp_path, "x\n"), description="old", tags={"a": "1"}))
    asset.description, asset.tags = "new", {"b": "2"}
    ml.data.create_or_update(asset)

    got = ml.data.get("edited", "1")
    assert (got.description, got.tags) == ("new", {"b": "2"})
    assert [one.version for one in ml.data.list("edited")] == ["1"]


def test_a_property_cannot_change_its_value(ml: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import ResourceExistsError

    path = _file(tmp_path, "x\n")
    ml.data.create_or_update(_data("props", path, version="1", properties={"rows": "10"}))
    with pytest.raises(ResourceExistsError, match=r"another properties\.rows"):
        ml.data.create_or_update(_data("props", path, version="1", properties={"rows": "11"}))
    ml.data.create_or_update(_data("props", path, version="1", properties={"more": "x"}))

    assert ml.data.get("props", "1").properties == {"rows": "10", "more": "x"}


def test_an_archived_version_is_listed_only_when_asked_for(ml: Any, tmp_path: Path) -> None:
    for number in (1, 2):
        ml.data.create_or_update(_data("archived", _file(tmp_path / str(number), f"{number}\n")))
    ml.data.archive("archived", version="2")

    assert [one.version for one in ml.data.list("archived")] == ["1"]
    assert [one.version for one in ml.data.list("archived", list_view_type="ArchivedOnly")] == ["2"]
    assert [one.version for one in ml.data.list("archived", list_view_type="All")] == ["2", "1"]
    assert ml.data.get("archived", label="latest").version == "1"
    ml.data.restore("archived", version="2")
    assert [one.version for one in ml.data.list("archived")] == ["2", "1"]
    assert ml.data.get("archived", label="latest").version == "2"


def test_an_archived_asset_is_hidden_with_its_versions(ml: Any, tmp_path: Path) -> None:
    ml.data.create_or_update(_data("container", _file(tmp_path, "x\n")))
    assert "container" in {one.name for one in ml.data.list()}

    ml.data.archive("container")
    assert "container" not in {one.name for one in ml.data.list()}
    assert "container" in {one.name for one in ml.data.list(list_view_type="ArchivedOnly")}
    assert list(ml.data.list("container")) == []
    assert ml.data.get("container", "1").version == "1"

    ml.data.restore("container")
    assert {one.name: one.latest_version for one in ml.data.list()}["container"] == "1"
    assert [one.version for one in ml.data.list("container")] == ["1"]


def test_a_list_of_assets_gives_the_latest_version_and_the_type(ml: Any) -> None:
    for path in ("listed/1/", "listed/2/"):
        ml.data.create_or_update(_data("listed", f"azureml://datastores/workspaceblobstore/paths/{path}", "uri_folder"))

    shown = {one.name: one for one in ml.data.list()}["listed"]
    assert (shown.latest_version, shown.type) == ("2", "uri_folder")


def test_an_auto_delete_setting_survives(ml: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities._assets.auto_delete_setting import AutoDeleteSetting

    setting = AutoDeleteSetting(condition="created_greater_than", value="30d")
    ml.data.create_or_update(_data("auto-delete", _file(tmp_path, "x\n"), auto_delete_setting=setting))

    got = ml.data.get("auto-delete", "1").auto_delete_setting
    assert (got.condition, got.value) == ("createdGreaterThan", "30d")


@pytest.mark.parametrize("name", ["-dash", "with space", "ä"])
def test_a_name_that_azure_would_refuse_is_refused(ml: Any, name: str) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="cannot name a data asset"):
        ml.data.create_or_update(_data(name, "https://example.com/x.csv", version="1"))


def test_a_missing_version_is_not_found(ml: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="no-such-data"):
        ml.data.get("no-such-data", "7")


def test_a_deleted_version_is_gone_and_its_number_is_not_given_again(ml: Any, tmp_path: Path) -> None:
    for number in (1, 2):
        ml.data.create_or_update(_data("deleted", _file(tmp_path / str(number), f"{number}\n")))
    ml.data._operation.delete(ml.resource_group_name, ml.workspace_name, "deleted", "2")

    assert [one.version for one in ml.data.list("deleted")] == ["1"]
    assert ml.data.create_or_update(_data("deleted", _file(tmp_path / "3", "3\n"))).version == "3"


def test_the_data_plane_resolves_asset_ids_to_addresses(ml: Any, tmp_path: Path) -> None:
    asset = ml.data.create_or_update(_data("resolved", _file(tmp_path, "x\n").parent, "uri_folder"))
    location = "azureml://locations/local/workspaces/00000000-0000-0000-0000-000000000000/data/resolved/versions/1"

    answer = ml.jobs._dataset_dataplane_operations.get_batch_dataset_uris([location, asset.id])

    found = {key: (value.uri, value.type) for key, value in answer.values_property.items()}
    assert found == {location: (asset.path, "uri_folder"), asset.id: (asset.path, "uri_folder")}
