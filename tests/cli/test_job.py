"""``mlops-kit job`` on a local workspace."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import cast

import pytest
from azure.core import PipelineClient

from mlops_kit.cli import present
from mlops_kit.cli.job import seconds as seconds_of
from mlops_kit.workspace.connect import Workspace

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


def test_whole_job_is_downloaded_to_where_its_parts_are(kit, jobs, tmp_path):
    ran = kit("job", "download", jobs[0], "--to", str(tmp_path / "all"), "-o", "json")
    part = kit("job", "download", jobs[0], "--path", "outputs", "--to", str(tmp_path / "part"), "-o", "json")
    left = {path.relative_to(tmp_path / "all").as_posix() for path in (tmp_path / "all").rglob("*") if path.is_file()}
    named = {path.removeprefix(f"{tmp_path}/all/") for path in ran.json}

    assert {"outputs/deep/model.pkl", "outputs/report.txt", "user_logs/std_log.txt"} <= left
    assert named == left
    assert {path.removeprefix(f"{tmp_path}/part/") for path in part.json} == {
        path for path in left if path.startswith("outputs/")
    }


def test_download_lists_only_what_it_wrote_and_replaces_only_by_force(kit, jobs, tmp_path):
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "report.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    arguments = ["job", "download", jobs[0], "--to", str(tmp_path), "-o", "json"]
    refused = kit(*arguments)
    kept = (tmp_path / "outputs" / "report.txt").read_text(encoding="utf-8")
    forced = kit(*arguments, "--force")

    assert (refused.code, forced.code) == (2, 0)
    assert f"{tmp_path}/outputs/report.txt exists already; --force replaces it" in refused.err
    assert kept == "mine"
    assert (tmp_path / "outputs" / "report.txt").read_text(encoding="utf-8") == "report 0.1"
    assert f"{tmp_path}/outputs/report.txt" in forced.json
    assert f"{tmp_path}/notes.txt" not in forced.json
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_named_output_is_among_what_is_downloaded(kit, write, tmp_path):
    text = (
        "type: command\nenvironment: {image: python}\ncompute: azureml:cpu-cluster\n"
        "command: echo rows > ${{outputs.table}}/a.csv\noutputs:\n  table: {type: uri_folder}\n"
    )
    name = kit("run", write("jobs/named-output.yml", text), "-o", "json").json["name"]
    ran = kit("job", "download", name, "--to", str(tmp_path), "-o", "json")

    assert f"{tmp_path}/named-outputs/table/a.csv" in ran.json
    assert (tmp_path / "named-outputs" / "table" / "a.csv").read_text(encoding="utf-8") == "rows\n"


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


def test_list_tells_how_long_each_job_ran(kit, jobs):
    rows = kit("job", "list", "--experiment", "compared", "-o", "json").json
    head, *lines = kit("job", "list", "--experiment", "compared").out.splitlines()

    assert all(0 < row["seconds"] < 300 for row in rows)
    assert head.split() == ["name", "experiment", "type", "status", "created", "duration"]
    assert [line.rpartition("  ")[2] for line in lines] == [present.duration(row["seconds"]) for row in rows]


def test_list_without_the_tracking_service_leaves_out_how_long_and_says_so(capsys):
    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_error(403, "tracking is closed")

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = PipelineClient(f"http://127.0.0.1:{server.server_port}", policies=[])
        assert seconds_of(cast("Workspace", SimpleNamespace(tracking=client)), [{"name": "j", "experiment": "e"}]) == {}
        server.shutdown()
    assert "warning: could not read how long the jobs ran: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, None), (0.42, "0.4 s"), (42.4, "42 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_duration_is_said_in_two_units_at_most(seconds, said):
    assert present.duration(seconds) == said


def test_unknown_state_is_refused_with_the_near_one(kit):
    near, far = kit("job", "list", "--status", "cancelled"), kit("job", "list", "--status", "Nope")

    assert (near.code, far.code) == (2, 2)
    assert "no state of a job named 'cancelled'; did you mean Canceled" in near.err
    assert "no state of a job named 'Nope'; known are " in far.err
    assert near.out + far.out == ""


def test_job_that_has_ended_is_not_cancelled_and_says_so(kit, jobs):
    assert kit("job", "cancel", jobs[0]).out == f"{jobs[0]}  Completed  (had ended already)\n"
    assert kit("job", "cancel", jobs[0], "-o", "json").json == {
        "name": jobs[0],
        "status": "Completed",
        "had_ended": True,
    }


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
    cancelled = kit("job", "cancel", name, "-o", "json")
    ran = kit("job", "stream", name)

    assert cancelled.json["had_ended"] is False
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
    of_the_environment = {"project": "mlops-kit", "environment": "local"}
    assert model.tags == {"a": "b", "mlops_kit.project": "mlops-kit", **of_the_environment}
    assert model.job_name == jobs[0]


def test_model_of_a_path_the_job_has_not_lists_its_files(kit, jobs):
    ran = kit("model", "register", "--job", jobs[0], "--path", "outputs/none", "--name", "x")

    assert ran.code == 2
    assert "its files are" in ran.err
    assert "outputs/deep/model.pkl" in ran.err
