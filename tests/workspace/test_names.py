"""Names of jobs and experiments (field report R15)."""

from mlops_kit.workspace import names


def test_job_name_is_the_same_for_the_same_content_and_attempt():
    assert names.job_name("train", ["a: 1"], "7.1") == names.job_name("train", ["a: 1"], "7.1")


def test_job_name_differs_by_content_and_by_attempt():
    made = {
        names.job_name("train", ["a: 1"], "7.1"),
        names.job_name("train", ["a: 2"], "7.1"),
        names.job_name("train", ["a: 1"], "7.2"),
        names.job_name("train", ["a: 1", ""], "7.1"),
    }

    assert len(made) == 4


def test_rerun_of_a_workflow_is_a_new_attempt():
    first = names.attempt_token({"GITHUB_RUN_ID": "9", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "train"})
    again = names.attempt_token({"GITHUB_RUN_ID": "9", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_JOB": "train"})

    assert first is not None
    assert first != again


def test_outside_of_a_workflow_there_is_no_attempt_token():
    assert names.attempt_token({"HOME": "/"}) is None
