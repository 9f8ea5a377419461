"""Lesson 2: experiments inline, as a script, and with MLflow alone (scenario S2)."""

import io
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow

# The lesson's experiment. The same file runs inline and as a job: MLflow reads where to log from the environment.
EXPERIMENT = """
import argparse
import tempfile
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mlflow
import pandas as pd
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--reg", type=float, default=0.01)
options = parser.parse_args()

with mlflow.start_run() as run:
    data = pd.read_csv(options.data)
    print("observations:", len(data))
    mlflow.log_param("reg", options.reg)
    mlflow.log_param("solver", "liblinear")
    mlflow.log_metric("observations", len(data))
    mlflow.log_metric("share", float((data.Diabetic == 1).mean()))
    mlflow.log_metric("balanced", False)
    mlflow.log_metric("binary", True)
    mlflow.log_metric("penalty", options.reg)
    mlflow.log_metric("undefined", float("nan"))
    mlflow.log_text("a remark", "remark.txt")
    counts = data.Diabetic.value_counts()
    mlflow.log_metrics({"label.0": int(counts[0]), "label.1": int(counts[1])})
    pregnancies = sorted(int(value) for value in data.Pregnancies.unique())
    MlflowClient().log_batch(
        run.info.run_id, [Metric("pregnancies", value, 0, step) for step, value in enumerate(pregnancies)]
    )
    described = data.PlasmaGlucose.describe()
    mlflow.log_metrics({f"PlasmaGlucose.{name.replace('%', 'pct')}": value for name, value in described.items()})
    rows = {"name": list(described.index), "value": [float(v) for v in described]}
    mlflow.log_table(rows, "tables/PlasmaGlucose.json")
    mlflow.log_metric("age.mean", float(data.Age.mean()))
    figure = plt.figure()
    counts.plot.bar()
    mlflow.log_figure(figure, "labels.png")
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "from-file.png"
        figure.savefig(image)
        mlflow.log_artifact(str(image))
        sample = Path(folder) / "sample.csv"
        data.sample(100, random_state=0).to_csv(sample, index=False)
        mlflow.log_artifact(str(sample), "outputs")
    mlflow.log_text("far down", "outputs/deep/deeper/note.txt")
"""


@pytest.fixture(scope="module")
def inline(course, course_data, tmp_path_factory):
    """Run the lesson's file as a program of its own and return its run."""
    import mlflow

    folder = tmp_path_factory.mktemp("inline")
    script = folder / "experiment.py"
    script.write_text(f"import mlflow\nmlflow.set_experiment('inline')\n{EXPERIMENT}", encoding="utf-8")
    subprocess.run([sys.executable, str(script), "--data", str(course_data / "diabetes.csv")], check=True, timeout=120)
    [run] = mlflow.search_runs(experiment_names=["inline"], output_format="list")
    return run


@pytest.fixture(scope="module")
def jobs(course, course_data):
    """Run the same file as two jobs that differ in one argument."""
    from azure.ai.ml import Input

    data = {"data": Input(type="uri_file", path=str(course_data / "diabetes.csv"))}
    command = "python script.py --data ${{inputs.data}} --reg "
    submitted = [
        course.submit(EXPERIMENT, command + reg, inputs=data, experiment_name="script") for reg in ("0.1", "0.01")
    ]
    return [course.finished(job) for job in submitted]


def _run(run_id):
    import mlflow

    return mlflow.get_run(run_id)


def test_l2_36_compare_shows_only_what_differs(course, jobs):
    compared = course.cli_json("job", "compare", jobs[0].name, jobs[1].name)
    assert compared == {"inputs": {}, "params": {"reg": ["0.1", "0.01"]}, "metrics": {"penalty": [0.1, 0.01]}}
    listed = course.cli_json("job", "list", "--experiment", "script")
    assert {job["name"] for job in listed} == {job.name for job in jobs}
    assert _run(jobs[0].name).info.experiment_id == _run(jobs[1].name).info.experiment_id


def test_l2_37_inline_run_logs_and_finishes_and_an_exception_fails_it(course, inline):
    import mlflow

    assert inline.info.status == "FINISHED"
    assert inline.data.metrics["observations"] == 10000
    failing = "import mlflow\nmlflow.set_experiment('failing')\nwith mlflow.start_run():\n    raise ValueError('no')\n"
    ran = subprocess.run([sys.executable, "-c", failing], check=False, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1
    [failed] = mlflow.search_runs(experiment_names=["failing"], output_format="list")
    assert failed.info.status == "FAILED"
    assert course.ml.jobs.get(failed.info.run_id).status == "Failed"


def test_l2_38_printed_text_stderr_and_exit_code_are_in_the_log(course):
    script = "import sys\nprint('to stdout')\nprint('to stderr', file=sys.stderr)\nsys.exit(3)\n"
    job = course.run(script)
    assert job.status == "Failed"
    log = course.log(job)
    assert "to stdout" in log
    assert "to stderr" in log
    followed = course.cli("job", "stream", job.name, "-e", "local", check=False)
    assert followed.returncode == 1
    assert "to stdout" in followed.stderr
    assert "to stderr" in followed.stderr
    assert "exited with status code 3" in followed.stderr


def test_l2_39_each_kind_of_value_lands_as_stated(course, inline):
    metrics = inline.data.metrics
    assert metrics["share"] == pytest.approx(0.3344)
    assert metrics["observations"] == 10000
    assert (metrics["balanced"], metrics["binary"]) == (0, 1)
    assert math.isnan(metrics["undefined"])
    shown = course.cli("job", "metrics", inline.info.run_id, "-e", "local").stdout
    assert re.search(r"^undefined +nan$", shown, re.MULTILINE)
    assert inline.data.params["solver"] == "liblinear"
    import mlflow

    assert mlflow.artifacts.load_text(f"runs:/{inline.info.run_id}/remark.txt") == "a remark"


def test_l2_40_list_reads_back_in_order(inline):
    from mlflow.tracking import MlflowClient

    history = MlflowClient().get_metric_history(inline.info.run_id, "pregnancies")
    assert [(metric.step, metric.value) for metric in history] == [(number, number) for number in range(15)]


def test_l2_41_rows_read_back_as_a_table(inline, course_data):
    import mlflow
    import pandas as pd

    table = mlflow.artifacts.load_dict(f"runs:/{inline.info.run_id}/tables/PlasmaGlucose.json")
    assert table["columns"] == ["name", "value"]
    described = pd.read_csv(course_data / "diabetes.csv").PlasmaGlucose.describe()
    assert table["data"] == [[name, pytest.approx(value)] for name, value in described.items()]
    assert [row[0] for row in table["data"]] == ["count", "mean", "std", "min", "25%", "50%", "75%", "max"]
    metrics = {name: inline.data.metrics[f"PlasmaGlucose.{name.replace('%', 'pct')}"] for name in described.index}
    assert metrics == pytest.approx(dict(described))


def test_l2_42_table_round_trips(course):
    import mlflow

    columns = {"col1": [1, 2], "col2": ["a", "b"]}
    with mlflow.start_run() as run:
        mlflow.log_table(columns, "t.json")
    table = mlflow.load_table("t.json", run_ids=[run.info.run_id])
    assert table[list(columns)].to_dict("list") == columns


def test_l2_42_columns_of_unequal_length_are_refused_as_a_frame_and_one_row_of_lists_as_a_dictionary(course):
    import mlflow
    import pandas as pd

    unequal = {"col1": [1, 2, 3], "col2": ["a"]}
    with mlflow.start_run() as run:
        with pytest.raises(ValueError, match="same length"):
            mlflow.log_table(pd.DataFrame(unequal), "frame.json")
        mlflow.log_table(unequal, "dictionary.json")
    files = course.cli_json("job", "files", run.info.run_id)
    assert files == ["dictionary.json"]
    # MLflow itself takes the lists for cells: nothing is lost, and nothing is filled in.
    logged = mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/dictionary.json")
    assert logged == {"columns": ["col1", "col2"], "data": [[[1, 2, 3], ["a"]]]}


def test_l2_43_both_forms_of_image_are_png_artifacts(inline, tmp_path):
    import mlflow

    for name in ("labels.png", "from-file.png"):
        path = mlflow.artifacts.download_artifacts(
            run_id=inline.info.run_id, artifact_path=name, dst_path=str(tmp_path)
        )
        content = Path(path).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) > 1000


def test_l2_45_plain_form_gives_the_last_value_and_history_all(course):
    import mlflow
    from mlflow.tracking import MlflowClient

    with mlflow.start_run() as run:
        for value in (1, 2, 3):
            mlflow.log_metric("x", value)
    assert _run(run.info.run_id).data.metrics == {"x": 3}
    assert [m.value for m in MlflowClient().get_metric_history(run.info.run_id, "x")] == [1, 2, 3]
    assert course.cli_json("job", "metrics", run.info.run_id) == {"x": 3}
    history = course.cli_json("job", "metrics", run.info.run_id, "--history")
    assert [point["value"] for point in history["x"]] == [1, 2, 3]


def test_l2_46_uploaded_file_is_listed_with_its_rows(inline, tmp_path):
    import mlflow
    import pandas as pd

    path = mlflow.artifacts.download_artifacts(
        run_id=inline.info.run_id, artifact_path="outputs/sample.csv", dst_path=str(tmp_path)
    )
    assert len(pd.read_csv(path)) == 100


def test_l2_47_outputs_are_collected_even_when_the_script_fails(course):
    script = "import sys\nopen('outputs/kept.txt', 'w').write('kept')\nsys.exit(1)\n"
    job = course.run(script)
    assert job.status == "Failed"
    kept = [path for name, path in course.files(job).items() if name.endswith("outputs/kept.txt")]
    assert [path.read_text() for path in kept] == ["kept"]


def test_l2_48_output_files_are_listed_with_nested_folders(course, inline):
    files = course.cli_json("job", "files", inline.info.run_id)
    assert files == sorted(files)
    named = {"labels.png", "from-file.png", "remark.txt", "tables/PlasmaGlucose.json"}
    assert named | {"outputs/sample.csv", "outputs/deep/deeper/note.txt"} <= set(files)


def test_l2_49_script_logs_to_the_run_of_its_job_and_to_no_other(jobs):
    import mlflow

    runs = mlflow.search_runs(experiment_names=["script"], output_format="list")
    assert sorted(run.info.run_id for run in runs) == sorted(job.name for job in jobs)
    assert all(run.data.metrics["observations"] == 10000 for run in runs)


def test_l2_50_template_of_a_command_job_renders_loads_and_runs(course):
    from azure.ai.ml import load_job

    template = course.project / "templates" / "jobs" / "hello.yml"
    rendered = course.cli("render", "hello", "-e", "local", "--set", "who=the course").stdout
    job = load_job(io.StringIO(rendered), relative_origin=str(template))
    assert job.command == 'echo "Hello, ${{inputs.who}}, from local"'
    finished = course.finished(course.ml.jobs.create_or_update(job))
    assert finished.status == "Completed"
    assert "Hello, the course, from local" in course.log(finished)


def test_l2_50_command_job_sees_its_code_folder_and_nothing_beside_it(course):
    secret = course.folder / "secret.txt"
    secret.write_text("not part of the code", encoding="utf-8")
    script = (
        "import os\nprint('here', sorted(os.listdir('.')))\n"
        "above = [os.path.join(*['..'] * number, 'secret.txt') for number in range(1, 9)]\n"
        "print('above', any(map(os.path.exists, above)))\n"
    )
    job = course.run(script)
    assert job.status == "Completed"
    log = course.log(job)
    assert "here ['logs', 'outputs', 'script.py']" in log
    assert "above False" in log


def test_l2_51_default_environment_fills_a_job_that_names_none_and_without_either_the_key_is_named(course, tmp_path):
    bare = tmp_path / "bare.yml"
    bare.write_text("type: command\ncommand: echo hello\ncompute: azureml:cpu-cluster\n", encoding="utf-8")
    named = ("-C", str(course.project), "-e", "local")
    refused = course.cli("validate", str(bare), *named, check=False)
    assert refused.returncode == 2
    assert "bare.yml:1:1: error[MK0104]: required key `environment` is missing" in refused.stdout
    default = ("--set", "env.defaults.environment=azureml:AzureML-minimal@latest")
    assert course.cli("validate", str(bare), *named, *default).returncode == 0
    rendered = yaml.safe_load(course.cli("render", str(bare), "-e", "local", *default).stdout)
    assert rendered["environment"] == "azureml:AzureML-minimal@latest"
    assert course.cli_json("run", str(bare), *default)["status"] == "Completed"


def test_l2_52_search_finds_the_run_of_a_job_by_experiment_name(jobs):
    import mlflow

    found = mlflow.search_runs(experiment_names=["script"], filter_string="params.reg = '0.1'")
    assert list(found["run_id"]) == [jobs[0].name]


def test_scenario_s2_figures(course, inline, jobs):
    runs = [inline.info.run_id, *(job.name for job in jobs)]
    assert {
        job["name"]: job["status"] for job in course.cli_json("job", "list") if job["name"] in runs
    } == dict.fromkeys(runs, "Completed")
    for name in runs:
        metrics = _run(name).data.metrics
        assert metrics["observations"] == 10000
        assert (metrics["label.0"], metrics["label.1"]) == (6656, 3344)
        assert metrics["age.mean"] == pytest.approx(30.1341, abs=5e-5)
        assert metrics["pregnancies"] == 14
        assert {"labels.png", "outputs/sample.csv"} <= set(course.cli_json("job", "files", name))
