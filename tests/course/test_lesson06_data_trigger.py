"""Lesson 6: what starts a pipeline when data changes."""

import json

import pytest

TRIGGER = (
    "infra.storage.containers=[data]",
    "infra.data_trigger={triggers: {new-data: {container: data, prefix: training/, pipeline: train}}}",
)


def test_l6_25_only_blobs_of_the_folder_start_the_pipeline(planned):
    (topic,) = planned("dev", *TRIGGER).of("Microsoft.EventGrid/systemTopics")
    assert topic["properties"]["topicType"] == "Microsoft.Storage.StorageAccounts"
    (watch,) = planned("dev", *TRIGGER).of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    watched = watch["properties"]["filter"]
    assert watched["subjectBeginsWith"] == "/blobServices/default/containers/data/blobs/training/"
    assert watched["includedEventTypes"] == ["Microsoft.Storage.BlobCreated"]
    assert planned("dev").of("Microsoft.EventGrid/systemTopics") == []


@pytest.mark.slow
def test_l6_25_new_or_changed_blob_of_the_folder_starts_one_run_and_others_none(course, tmp_path):
    """That blobs which still come are waited for is in tests/workspace/test_watched.py."""
    from azure.ai.ml.entities import AccountKeyConfiguration, AzureBlobDatastore

    from mlops_kit.local.settings import STORAGE_KEY
    from mlops_kit.workspace import artifacts

    key, store = AccountKeyConfiguration(account_key=STORAGE_KEY), course.ml.datastores.get("workspaceblobstore")
    course.ml.datastores.create_or_update(
        AzureBlobDatastore(name="data", account_name=store.account_name, container_name="course-data", credentials=key)
    )
    blobs = artifacts.open_store(course.ml, course.ml._credential, "data")
    template = tmp_path / "retrain.yml"
    template.write_text(
        "type: command\ncommand: echo retrained\nenvironment: azureml:AzureML-minimal@latest\n"
        "compute: azureml:cpu-cluster\nexperiment_name: retrained\n",
        encoding="utf-8",
    )
    trigger = {"container": "course-data", "prefix": "training/", "pipeline": str(template)}
    given = {"storage__containers": ["course-data"], "data_trigger": {"triggers": {"new": trigger}}}
    variables = {f"MLOPS_KIT_VAR_infra__{key}": json.dumps(value) for key, value in given.items()}

    def look():
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            return [row["blobs"] for row in course.cli_json("infra", "watch", "--once", "--rest", "0")]

    assert look() == []
    for name in ("training/a.csv", "elsewhere/a.csv"):
        blobs.upload_blob(name, b"1")
    assert look() == [["training/a.csv"]]
    assert look() == []
    blobs.upload_blob("training/a.csv", b"2", overwrite=True)
    assert look() == [["training/a.csv"]]
    assert len(course.cli_json("job", "list", "--experiment", "retrained")) == 2
