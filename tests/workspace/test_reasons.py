"""The line that says why a job failed (field report R26)."""

from types import SimpleNamespace

import pytest

from mlops_kit.workspace.artifacts import Artifact
from mlops_kit.workspace.reasons import Reason, exception_line, failed_ends, log_path, reason, stated_message


@pytest.mark.parametrize(
    "line",
    [
        "ValueError: bad split",
        "mlflow.exceptions.MlflowException: no run",
        "KeyboardInterrupt",
        "urllib.error.HTTPError: HTTP 403",
    ],
)
def test_line_that_names_an_exception_is_found(line):
    assert exception_line(("Traceback (most recent call last):", "  raise x", line, "")) == line


def test_last_exception_wins():
    assert exception_line(("KeyError: 'a'", "During handling ...", "ValueError: bad split")) == "ValueError: bad split"


def test_ordinary_output_is_no_exception():
    assert exception_line(("epoch 1: loss 0.3", "Errors so far: 0", "")) == ""


def test_log_of_the_user_comes_first():
    files = tuple(
        Artifact(path, 1) for path in ("logs/azureml/executionlogs.txt", "outputs/a.txt", "user_logs/std_log.txt")
    )

    assert log_path(files) == "user_logs/std_log.txt"


def test_log_of_the_first_process_of_many():
    files = tuple(Artifact(f"user_logs/std_log_process_{n}.txt", 1) for n in (2, 0, 1))

    assert log_path(files) == "user_logs/std_log_process_0.txt"


def test_job_without_log_has_no_path():
    assert log_path((Artifact("outputs/model.pkl", 1),)) == ""


def test_message_is_taken_out_of_the_error_document():
    assert stated_message({"error": {"code": "UserError", "message": "the image is missing"}}) == "the image is missing"
    assert stated_message({"message": "it broke"}) == "it broke"


def test_empty_error_document_states_nothing():
    assert stated_message({"error": {"code": "UserError"}}) == ""


def test_log_of_the_build_is_shown_where_the_command_never_ran():
    files = tuple(Artifact(path, 1) for path in ("system_logs/build.txt", "system_logs/environment.txt"))

    assert log_path(files) == "system_logs/build.txt"


def known(log="", lines=()):
    return Reason("job-1", "", "", log, tuple(lines), "")


def test_long_message_of_the_service_is_one_sentence_and_the_rest_once():
    message = "The environment e could not be built:\nUsing CPython\nerror: No solution\n  hint: y\n"
    built = reason(known("system_logs/build.txt", ["Using CPython", "error: No solution", "  hint: y"]), message)
    bare = reason(known(), message)

    assert built.sentence == bare.sentence == "The environment e could not be built: error: No solution"
    assert built.lines == bare.lines == ("Using CPython", "error: No solution", "  hint: y")


def test_exception_in_the_log_of_the_user_says_more_than_the_service():
    found = reason(known("user_logs/std_log.txt", ["ValueError: bad"]), "The command ended with exit code 1.")

    assert (found.sentence, found.lines) == ("ValueError: bad", ("ValueError: bad",))


def test_exception_in_the_log_of_the_build_says_less_than_the_service():
    found = reason(known("system_logs/build.txt", ["ValueError: bad"]), "The environment could not be built.")

    assert found.sentence == "The environment could not be built."


class Jobs:
    """A tree of jobs as the SDK lists it: name -> (state, children); a kind the SDK cannot read is listed as None."""

    def __init__(self, tree):
        self.tree = tree

    def get(self, name, kind="command"):
        state, children = self.tree[name]
        return SimpleNamespace(
            name=name, display_name=f"step-{name}", type="pipeline" if children else kind, status=state
        )

    def list(self, *, parent_job_name):
        return [None, *(self.get(child) for child in self.tree[parent_job_name][1])]


def ends(tree):
    jobs = Jobs(tree)
    return [(job.name, step) for job, step in failed_ends(SimpleNamespace(jobs=jobs), jobs.get("root"), "")]


def test_reason_is_looked_for_in_the_failed_step():
    assert ends({"root": ("Failed", ["a", "b"]), "a": ("Completed", []), "b": ("Failed", [])}) == [("b", "step-b")]


def test_reason_is_looked_for_in_the_failed_step_of_a_nested_pipeline():
    tree = {"root": ("Failed", ["p"]), "p": ("Failed", ["q", "r"]), "q": ("Canceled", []), "r": ("Failed", [])}

    assert ends(tree) == [("r", "step-p/step-r")]


def test_every_failed_step_is_reported():
    tree = {"root": ("Failed", ["a", "b"]), "a": ("Failed", []), "b": ("Failed", [])}

    assert ends(tree) == [("a", "step-a"), ("b", "step-b")]


def test_job_without_failed_steps_is_its_own_reason():
    assert ends({"root": ("Failed", [])}) == [("root", "")]
    assert ends({"root": ("Failed", ["a"]), "a": ("Completed", [])}) == [("root", "")]
