"""``mlops-kit job`` on a local workspace."""

import hashlib

import pytest

CODE = """\
import os, pathlib, sys
import mlflow
with mlflow.start_run():
    mlflow.log_params({"reg": sys.argv[1], "seed": "0"})
    for value in (3.0, 2.0, float(sys.argv[1])):
        mlflow.log_metric("loss", value)
    mlflow.log_metric("rows", 100)
pathlib.Path("outputs/deep").mkdir(parents=True)
pathlib.Path("outputs/deep/model.pkl").write_bytes(b"weights" * 1000)
pathlib.Path("outputs/report.txt").write_text("report " + sys.argv[1])
print("trained")
"""
JOB = """\
type: command
experiment_name: compared
code: {code}
command: python train.py ${{{{inputs.reg}}}}
inputs:
  reg: ${{var.reg}}
environment:
  image: python
compute: azureml:cpu-cluster
tags: {{ purpose: comparison }}
x-mlops:
  parameters:
    reg: {{ type: number, default: 0.5 }}
"""


@pytest.fixture(scope="module")
def jobs(kit, write, workspace_project):
    """Return the names of two jobs that differ in one parameter."""
    folder = workspace_project / "templates" / "jobs" / "code-compared"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(CODE, encoding="utf-8")
    template = write("jobs/compared.yml", JOB.format(code="code-compared"))
    ran = [kit("run", template, "--set", f"reg={reg}", "-o", "json") for reg in ("0.1", "0.9")]
    assert [each.code for each in ran] == [0, 0], ran[0].err
    return [each.json["name"] for each in ran]


def test_compare_shows_only_what_differs(kit, jobs):
    compared = kit("job", "compare", *jobs, "-o", "json").json

    assert compared == {
        "inputs": {"reg": ["0.1", "0.9"]},
        "params": {"reg": ["0.1", "0.9"]},
        "metrics": {"loss": [0.1, 0.9]},
    }


def test_compare_of_a_job_with_itself_is_said_in_words(kit, jobs):
    assert kit("job", "compare", jobs[0], jobs[0]).out == "the jobs do not differ\n"


def test_show_has_state_inputs_metrics_and_files(kit, jobs):
    shown = kit("job", "show", jobs[0], "-o", "json").json

    assert shown["status"] == "Completed"
    assert shown["experiment"] == "compared"
    assert shown["inputs"] == {"reg": "0.1"}
    assert shown["params"] == {"reg": "0.1", "seed": "0"}
    assert shown["metrics"] == {"loss": 0.1, "rows": 100.0}
    assert shown["tags"]["purpose"] == "comparison"
    assert "outputs/deep/model.pkl" in shown["files"]


def test_metrics_have_the_last_value_and_history_has_all(kit, jobs):
    last = kit("job", "metrics", jobs[0], "-o", "json").json
    history = kit("job", "metrics", jobs[0], "--history", "-o", "json").json

    assert last["loss"] == 0.1
    assert [point["value"] for point in history["loss"]] == [3.0, 2.0, 0.1]


def test_files_are_sorted_with_those_of_folders(kit, jobs):
    files = kit("job", "files", jobs[0], "-o", "json").json

    assert files == sorted(files)
    assert {"outputs/deep/model.pkl", "outputs/report.txt", "user_logs/std_log.txt"} <= set(files)
    assert kit("job", "files", jobs[0], "--path", "outputs/deep", "-o", "json").json == ["outputs/deep/model.pkl"]


def test_one_file_is_downloaded_byte_for_byte_and_replaced_only_by_force(kit, jobs, tmp_path):
    arguments = ["job", "download", jobs[0], "--path", "outputs/deep/model.pkl", "--to", str(tmp_path)]
    first = kit(*arguments)
    again = kit(*arguments)
    forced = kit(*arguments, "--force")
    digest = hashlib.sha256((tmp_path / "outputs" / "deep" / "model.pkl").read_bytes()).hexdigest()

    assert (first.code, again.code, forced.code) == (0, 2, 0)
    assert "exists already; --force replaces it" in again.err
    assert digest == hashlib.sha256(b"weights" * 1000).hexdigest()


def test_folder_is_downloaded_without_its_neighbours(kit, jobs, tmp_path):
    kit("job", "download", jobs[0], "--path", "outputs/deep", "--to", str(tmp_path))

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.pkl"]


def test_whole_job_is_downloaded(kit, jobs, tmp_path):
    ran = kit("job", "download", jobs[0], "--to", str(tmp_path / "all"), "-o", "json")
    names = {path.rsplit("/", 1)[-1] for path in ran.json}

    assert {"model.pkl", "report.txt", "std_log.txt"} <= names


def test_path_the_job_has_not_lists_its_files(kit, jobs, tmp_path):
    ran = kit("job", "download", jobs[0], "--path", "outputs/modle.pkl", "--to", str(tmp_path))

    assert ran.code == 2
    assert "has no file or folder 'outputs/modle.pkl'; its files are" in ran.err
    assert "outputs/deep/model.pkl" in ran.err


def test_list_filters_by_experiment_state_and_tag(kit, jobs):
    def names(*filters):
        return {row["name"] for row in kit("job", "list", *filters, "-o", "json").json}

    assert set(jobs) <= names("--experiment", "compared", "--status", "completed")
    assert set(jobs) <= names("--tag", "purpose=comparison")
    assert not names("--experiment", "compared", "--status", "Failed")
    assert not names("--tag", "purpose=other")


def test_list_is_newest_first_and_limited(kit, jobs):
    rows = kit("job", "list", "--experiment", "compared", "-o", "json").json

    assert [row["name"] for row in rows] == list(reversed(jobs))
    assert len(kit("job", "list", "--limit", "1", "-o", "json").json) == 1


def test_unknown_job_is_answered_with_the_nearest(kit, jobs):
    ran = kit("job", "show", jobs[0][:-1] + "x")

    assert ran.code == 2
    assert "did you mean" in ran.err
    assert jobs[0] in ran.err


def test_stream_of_a_finished_job_tells_its_state(kit, jobs):
    ran = kit("job", "stream", jobs[0])

    assert ran.code == 0
    assert ran.out == f"{jobs[0]}  Completed\n"


def test_cancelled_job_is_exit_code_4(kit, write, commands_workspace):
    template = write("jobs/cancelled.yml", "type: command\nenvironment: {image: python}\ncommand: sleep 60\n")
    name = kit("run", template, "--no-wait", "-o", "json").json["name"]
    kit("job", "cancel", name)
    ran = kit("job", "stream", name)

    assert ran.code == 4
    assert f"error: the job {name!r} was cancelled" in ran.err


def test_model_of_a_job_has_its_metrics_as_properties_and_links_the_job(kit, jobs, commands_workspace):
    arguments = ["model", "register", "--job", jobs[0], "--path", "outputs/deep/model.pkl", "--name", "from-job"]
    made = [
        kit(*arguments, "--from-metrics", "--property", "stage=test", "--tag", "a=b", "-o", "json").json
        for _ in range(2)
    ]
    model = commands_workspace.ml_client().models.get("from-job", version="1")

    assert [each["version"] for each in made] == ["1", "2"]
    assert float(model.properties["loss"]) == 0.1
    assert model.properties["stage"] == "test"
    assert model.tags == {"a": "b", "mlops_kit.project": "mlops-kit"}
    assert model.job_name == jobs[0]


def test_model_of_a_path_the_job_has_not_lists_its_files(kit, jobs):
    ran = kit("model", "register", "--job", jobs[0], "--path", "outputs/none", "--name", "x")

    assert ran.code == 2
    assert "its files are" in ran.err
    assert "outputs/deep/model.pkl" in ran.err
