"""Sweep jobs through the real SDK: trials are jobs that really run and stop, and the best one is named."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest

# What a trial asks of MLflow, without importing it: that takes longer than all the rest of a test.
LIGHT = """\
import json, os, ssl, time, urllib.request

def log_metric(key, value, step=0):
    address = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
    body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": key, "value": value, "step": step}
    body["timestamp"] = int(time.time() * 1000)
    headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
    asked = urllib.request.Request(address, json.dumps(body).encode(), headers)
    context = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
    urllib.request.urlopen(asked, context=context).read()
"""
TRAIN = """\
import argparse, time
from light import log_metric
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--pause", type=float, default=0)
given = parser.parse_args()
for epoch in range(1, given.epochs + 1):
    log_metric("score", given.x * epoch, step=epoch)
    time.sleep(given.pause)
print("ended", given.x)
"""
SWEEP = """\
    type: sweep
    trial:
      code: src
      command: python train.py --x ${{search_space.x}}
      environment: ENVIRONMENT
    search_space:
      x: {type: choice, values: [1, 3, 2]}
    sampling_algorithm: grid
    objective: {goal: maximize, primary_metric: score}
    limits: {max_total_trials: 3, max_concurrent_trials: 3}
"""


@pytest.fixture
def sweeps(pipelines: Any) -> Any:
    (pipelines.folder / "src").mkdir()
    (pipelines.folder / "src" / "light.py").write_text(LIGHT)
    (pipelines.folder / "src" / "train.py").write_text(TRAIN)
    return pipelines


def _trials(sweeps: Any, job: Any) -> dict[int, Any]:
    """Return the trials of a sweep by the value of ``x``."""
    return {json.loads(trial.properties["hyperparameters"])["x"]: trial for trial in sweeps.steps(job).values()}


def _history(sweeps: Any, trial: Any) -> list[float]:
    from mlflow import MlflowClient

    uri = sweeps.ml.workspaces.get(sweeps.ml.workspace_name).mlflow_tracking_uri
    rows = MlflowClient(tracking_uri=uri.replace("azureml://", "https://")).get_metric_history(trial.name, "score")
    return [row.value for row in rows]


def test_a_sweep_has_one_child_per_point_and_names_the_best_l9_01_l9_27(sweeps):
    job = sweeps.run(SWEEP)
    trials = _trials(sweeps, job)

    assert job.status == "Completed"
    assert {value: trial.status for value, trial in trials.items()} == dict.fromkeys((1, 2, 3), "Completed")
    assert job.properties["best_child_run_id"] == trials[3].name
    assert float(job.properties["score"]) == 3.0


def test_a_trial_logs_with_mlflow_as_any_job_does_l9_26(sweeps):
    (sweeps.folder / "src" / "light.py").write_text("from mlflow import log_metric\n")
    text = SWEEP.replace("values: [1, 3, 2]", "values: [4]")
    assert sweeps.run(text).properties["score"] == "4.0"


def test_another_goal_names_another_trial_l9_27(sweeps):
    job = sweeps.run(SWEEP.replace("maximize", "minimize"))
    assert job.properties["best_child_run_id"] == _trials(sweeps, job)[1].name


def test_children_are_sorted_by_their_metric_l9_28(sweeps):
    from mlflow import MlflowClient

    job = sweeps.run(SWEEP.replace("TOKEN", sweeps.token))
    uri = sweeps.ml.workspaces.get(sweeps.ml.workspace_name).mlflow_tracking_uri
    client = MlflowClient(tracking_uri=uri.replace("azureml://", "https://"))
    experiment = client.get_run(job.name).info.experiment_id
    found = client.search_runs(
        [experiment], f"tags.mlflow.parentRunId = '{job.name}'", order_by=["metrics.score DESC"]
    )  # fmt: skip
    assert [run.data.metrics["score"] for run in found] == [3.0, 2.0, 1.0]


def test_no_more_trials_run_at_a_time_than_the_limit_l9_17(sweeps):
    text = SWEEP.replace("--x ${{search_space.x}}", "--x ${{search_space.x}} --pause 0.5")
    job = sweeps.run(text.replace("max_concurrent_trials: 3", "max_concurrent_trials: 1"))
    runs = [sweeps.ml.jobs._runs_operations.get_run(trial.name) for trial in sweeps.steps(job).values()]
    spans = sorted((run.start_time_utc, run.end_time_utc) for run in runs)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))


def test_a_trial_that_falls_behind_is_stopped_and_keeps_what_it_logged_l9_20(sweeps):
    text = SWEEP.replace("--x ${{search_space.x}}", "--x ${{search_space.x}} --epochs 200 --pause 0.15")
    text = text.replace("values: [1, 3, 2]", "values: [1, 3]").replace("max_total_trials: 3", "max_total_trials: 2")
    text = text.replace("max_concurrent_trials: 3", "max_concurrent_trials: 2, trial_timeout: 60, timeout: 60")
    text += "    early_termination: {type: bandit, slack_amount: 1, evaluation_interval: 2}\n"
    job = sweeps.ml.jobs.create_or_update(sweeps.load(text))
    trials = _wait_for_a_stop(sweeps, job)
    sweeps.ml.jobs.begin_cancel(job.name).result()
    sweeps.wait(job.name)

    assert trials[1].status == "Canceled"
    assert 2 <= len(_history(sweeps, trials[1])) < 200
    assert "ended" not in sweeps.log(trials[1])


def _wait_for_a_stop(sweeps: Any, job: Any) -> dict[int, Any]:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = _trials(sweeps, job)
        if any(trial.status == "Canceled" for trial in found.values()):
            return found
        time.sleep(0.2)
    raise AssertionError({value: trial.status for value, trial in found.items()})


def test_a_trial_that_logs_nothing_fails_and_no_trial_is_no_sweep_l9_26(sweeps):
    job = sweeps.run(SWEEP.replace("primary_metric: score", "primary_metric: auc"))
    trial = next(iter(sweeps.steps(job).values()))

    assert (job.status, trial.status) == ("Failed", "Failed")
    assert "did not log its primary metric 'auc' (logged metrics: score)" in sweeps.error(trial)
    assert "no trial that completed and logged the metric 'auc'" in sweeps.error(job)


def test_failed_trials_are_never_the_best_l9_28(sweeps):
    failing = TRAIN + "raise SystemExit(given.x == 3)\n"
    (sweeps.folder / "src" / "train.py").write_text(failing)
    job = sweeps.run(SWEEP)
    trials = _trials(sweeps, job)
    assert (job.status, trials[3].status) == ("Completed", "Failed")
    assert job.properties["best_child_run_id"] == trials[2].name


def test_a_sweep_may_read_data_and_hand_on_the_output_of_its_best_trial(sweeps, tmp_path):
    text = SWEEP.replace(
        "command: python train.py --x ${{search_space.x}}",
        "command: python train.py --x ${{search_space.x}} && cp ${{inputs.data}} ${{outputs.model}}/copied && "
        "echo ${{search_space.x}} > ${{outputs.model}}/x.txt",
    )
    (sweeps.folder / "data.txt").write_text("data")
    text += "    inputs: {data: {type: uri_file, path: ./data.txt}}\n    outputs: {model: {type: uri_folder}}\n"
    job = sweeps.run(text)
    sweeps.ml.jobs.download(job.name, download_path=tmp_path / "best", output_name="model")
    found = {file.name: file.read_text().strip() for file in (tmp_path / "best").rglob("*") if file.is_file()}
    assert found == {"copied": "data", "x.txt": "3"}


STEP = """\
    type: pipeline
    jobs:
      tune:
        type: sweep
        trial: TRIAL
        search_space: {x: {type: choice, values: [1, 3]}}
        sampling_algorithm: grid
        objective: {goal: maximize, primary_metric: score}
        limits: {max_total_trials: 2, max_concurrent_trials: 2}
      show:
        command: cat ${{inputs.best}}/x.txt
        environment: ENVIRONMENT
        inputs: {best: "${{parent.jobs.tune.outputs.model}}"}
"""
TRIAL = """\
    name: tried_TOKEN
    type: command
    inputs: {x: {type: number}, note: {type: string, default: TOKEN}}
    outputs: {model: {type: uri_folder}}
    code: src
    command: >-
      python train.py --x ${{inputs.x}} && echo ${{inputs.note}} ${{inputs.x}} > ${{outputs.model}}/x.txt
    environment: ENVIRONMENT
"""


def test_a_sweep_step_hands_its_best_trial_to_the_next_step_r29_l6_08(sweeps):
    sweeps.put("trial.yml", TRIAL.replace("TOKEN", sweeps.token))
    job = sweeps.run(STEP.replace("TRIAL", "./trial.yml"))
    steps = sweeps.steps(job)

    assert job.status == "Completed", sweeps.error(job)
    assert sweeps.log(steps["show"]) == f"{sweeps.token} 3\n"
    assert sorted(_trials(sweeps, steps["tune"])) == [1, 3]


def test_an_unchanged_sweep_step_is_reused(sweeps):
    sweeps.put("trial.yml", TRIAL.replace("TOKEN", sweeps.token))
    text = STEP.replace("TRIAL", "./trial.yml")
    first = sweeps.steps(sweeps.run(text))["tune"]
    again = sweeps.steps(sweeps.run(text))["tune"]
    assert again.properties["azureml.reusedrunid"] == first.name


def test_cancelling_a_sweep_stops_its_trials(sweeps):
    text = SWEEP.replace("--x ${{search_space.x}}", "--x ${{search_space.x}} --pause 600")
    job = sweeps.ml.jobs.create_or_update(sweeps.load(text))
    _wait_until_running(sweeps, job)
    sweeps.ml.jobs.begin_cancel(job.name).result()
    assert sweeps.wait(job.name).status == "Canceled"
    assert {trial.status for trial in sweeps.steps(job).values()} == {"Canceled"}


def _wait_until_running(sweeps: Any, job: Any) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if any(trial.status == "Running" for trial in sweeps.ml.jobs.list(parent_job_name=job.name)):
            return
        time.sleep(0.1)
    raise AssertionError("no trial runs")
