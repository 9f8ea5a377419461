"""``mlops-kit infra watch`` on a local workspace: blobs come, change and go, and jobs are submitted."""

import pytest

TRIGGERS = (
    "{new-data: {container: watched, prefix: training/, suffix: .csv, pipeline: watched},"
    " other: {container: watched, prefix: other/, pipeline: watched}}"
)
JOB = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
command: echo new data
environment: azureml:AzureML-minimal@latest
compute: azureml:cpu-cluster
experiment_name: watched
"""
VARIABLES = {
    "MLOPS_KIT_VAR_infra__storage__containers": "[watched]",
    "MLOPS_KIT_VAR_infra__data_trigger": f"{{triggers: {TRIGGERS}}}",
}


@pytest.fixture(scope="module")
def blobs(commands_workspace, write):
    """The container that is watched, on a datastore of its own."""
    from azure.ai.ml.entities import AccountKeyConfiguration, AzureBlobDatastore

    from mlops_kit.local.settings import STORAGE_KEY
    from mlops_kit.workspace import artifacts

    write("jobs/watched.yml", JOB)
    ml = commands_workspace.ml_client()
    account = ml.datastores.get("workspaceblobstore").account_name
    key = AccountKeyConfiguration(account_key=STORAGE_KEY)  # Azurite knows no identities
    ml.datastores.create_or_update(
        AzureBlobDatastore(name="watched", account_name=account, container_name="watched", credentials=key)
    )
    return artifacts.open_store(ml, ml._credential, "watched")


@pytest.fixture
def look(kit, blobs):
    """Look once; return the names of the blobs of each job that was submitted, by trigger."""

    def looked(*arguments):
        ran = kit("infra", "watch", *arguments, "--once", "--rest", "0", "-o", "json", **VARIABLES)
        assert ran.code == 0, ran.err
        return [(row["trigger"], row["blobs"]) for row in ran.json]

    return looked


def jobs(kit):
    return kit("job", "list", "--experiment", "watched", "-o", "json").json


def test_new_and_changed_blobs_of_the_folder_start_one_job_and_others_none(kit, look, blobs):
    blobs.upload_blob("training/old.csv", b"1")
    assert look() == []  # was there before
    assert look() == []
    blobs.upload_blob("training/a.csv", b"1")
    blobs.upload_blob("training/b.csv", b"1")
    blobs.upload_blob("training/notes.txt", b"1")
    blobs.upload_blob("elsewhere/a.csv", b"1")
    assert look() == [("new-data", ["training/a.csv", "training/b.csv"])]
    assert look() == []
    blobs.upload_blob("training/a.csv", b"2", overwrite=True)
    assert look("new-data") == [("new-data", ["training/a.csv"])]
    blobs.delete_blob("training/a.csv")
    assert look() == []
    assert len(jobs(kit)) == 2


def test_look_that_is_done_again_for_the_same_blobs_submits_no_second_job(kit, look, blobs, commands_workspace):
    look()
    file = commands_workspace.state / "infra" / "local" / "triggers.json"
    before = file.read_bytes()
    blobs.upload_blob("other/again", b"1", overwrite=True)
    look("other")
    there = jobs(kit)
    file.write_bytes(before)  # as if the first look had been cut off after it had submitted
    assert look("other") == [("other", ["other/again"])]
    assert [one["name"] for one in jobs(kit)] == [one["name"] for one in there]


def test_blobs_that_still_come_wait(kit, blobs):
    given = ("infra", "watch", "other", "--once", "--rest")
    kit(*given, "0", **VARIABLES)
    blobs.upload_blob("other/late", b"1", overwrite=True)
    assert kit(*given, "600", **VARIABLES).out == "nothing has changed\n"
    assert "other/late" in kit(*given, "0", **VARIABLES).out


@pytest.mark.parametrize(
    ("arguments", "variables", "told"),
    [
        (["new-dat"], VARIABLES, "no data trigger named 'new-dat'; did you mean new-data?"),
        ([], {}, "the environment 'local' has no infra.data_trigger"),
        (
            [],
            {
                "MLOPS_KIT_VAR_infra__storage__containers": "[nowhere]",
                "MLOPS_KIT_VAR_infra__data_trigger": "{triggers: {a: {container: nowhere, pipeline: watched}}}",
            },
            "no datastore of the workspace is on the container 'nowhere'",
        ),
    ],
)
def test_what_cannot_be_watched_is_told_in_a_sentence(arguments, variables, told, kit):
    ran = kit("infra", "watch", *arguments, "--once", **variables)
    assert ran.code == 2
    assert told in ran.err
