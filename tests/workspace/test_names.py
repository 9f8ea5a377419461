"""Names of jobs and experiments (field report R15)."""

from mlops_kit.workspace import names


def test_valid_text_stays_as_it_is():
    assert names.slug("feature-ABC-12") == "feature-ABC-12"


def test_changed_text_carries_a_hash_and_keeps_its_case():
    assert names.slug("feature/ABC-12 fix").startswith("feature-ABC-12-fix-")


def test_two_branches_never_share_a_slug():
    texts = ["feature/a-b", "feature/a b", "feature-a/b", "feature-a-b", "feature:a:b"]

    assert len({names.slug(text) for text in texts}) == len(texts)


def test_slug_of_anything_is_valid_and_stable():
    for text in ["", "/", "run:3PM", "_hidden", "ä" * 400, "x" * 400, "-dash"]:
        assert names.VALID.fullmatch(names.slug(text)), text
        assert names.slug(text) == names.slug(text)


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
