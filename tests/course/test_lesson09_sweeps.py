"""Lesson 9: gradient boosting tuned on D1 and D2 (scenario S9)."""

import pytest

pytestmark = pytest.mark.slow

TRAIN = """\
import argparse
import glob
from pathlib import Path
import joblib
import mlflow
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--data")
parser.add_argument("--learning_rate", type=float)
parser.add_argument("--n_estimators", type=int)
args = parser.parse_args()
data = pd.concat([pd.read_csv(path) for path in sorted(glob.glob(f"{args.data}/*.csv"))], ignore_index=True)
features, target = data.drop(columns=["PatientID", "Diabetic"]).values, data["Diabetic"].values
x, x_test, y, y_test = train_test_split(features, target, test_size=0.30, random_state=0)
mlflow.log_params({"learning_rate": args.learning_rate, "n_estimators": args.n_estimators})
model = GradientBoostingClassifier(learning_rate=args.learning_rate, n_estimators=args.n_estimators).fit(x, y)
mlflow.log_metric("Accuracy", float((model.predict(x_test) == y_test).mean()))
mlflow.log_metric("AUC", roc_auc_score(y_test, model.predict_proba(x_test)[:, 1]))
Path("outputs").mkdir(exist_ok=True)
joblib.dump(model, "outputs/model.pkl")
"""
MEASURED = {  # AUC by learning rate and number of trees
    (0.01, 10): 0.9355,
    (0.01, 100): 0.9559,
    (0.1, 10): 0.9516,
    (0.1, 100): 0.9886,
    (1.0, 10): 0.9829,
    (1.0, 100): 0.9857,
}


@pytest.fixture(scope="module")
def sweep(course, course_data, tmp_path_factory):
    """Run the lesson's sweep as its author writes it in Python."""
    from azure.ai.ml import Input, command
    from azure.ai.ml.entities import Data
    from azure.ai.ml.sweep import Choice

    folder = tmp_path_factory.mktemp("lesson09")
    (folder / "src").mkdir()
    (folder / "src" / "train.py").write_text(TRAIN, encoding="utf-8")
    (folder / "data").mkdir()
    for name in ("diabetes.csv", "diabetes2.csv"):
        (folder / "data" / name).symlink_to(course_data / name)
    course.ml.data.create_or_update(Data(name="diabetes-tuned", type="uri_folder", path=str(folder / "data")))
    job = command(
        code=str(folder / "src"),
        command="python train.py --data ${{inputs.data}} --learning_rate ${{inputs.learning_rate}} "
        "--n_estimators ${{inputs.n_estimators}}",
        inputs={
            "data": Input(type="uri_folder", path="azureml:diabetes-tuned@latest"),
            "learning_rate": 0.1,
            "n_estimators": 10,
        },
        environment="AzureML-sklearn-1.5@latest",
        compute="cpu-cluster",
    )
    grid = job(learning_rate=Choice([0.01, 0.1, 1.0]), n_estimators=Choice([10, 100]))
    tuned = grid.sweep(compute="cpu-cluster", sampling_algorithm="grid", primary_metric="AUC", goal="Maximize")
    tuned.set_limits(max_total_trials=6, max_concurrent_trials=2, timeout=7200)
    tuned.experiment_name = "lesson-9"
    return course.finished(course.ml.jobs.create_or_update(tuned), 240)


def test_l9_01_one_child_for_each_combination(course, sweep):
    rows = course.cli_json("sweep", "trials", sweep.name)
    tried = {(row["parameters"]["learning_rate"], row["parameters"]["n_estimators"]) for row in rows}
    assert tried == set(MEASURED)
    assert {row["status"] for row in rows} == {"Completed"}


def test_l9_28_trials_are_sorted_and_the_best_is_the_one_measured(course, sweep):
    rows = course.cli_json("sweep", "trials", sweep.name, "--sort", "AUC")
    scores = [row["metrics"]["AUC"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    for row in rows:
        point = (row["parameters"]["learning_rate"], row["parameters"]["n_estimators"])
        assert row["metrics"]["AUC"] == pytest.approx(MEASURED[point], abs=0.002), point
    best = course.cli_json("sweep", "best", sweep.name)
    assert best["name"] == rows[0]["name"] == sweep.properties["best_child_run_id"]
    assert best["parameters"] == {"learning_rate": 0.1, "n_estimators": 100}
    assert best["value"] == pytest.approx(0.9886, abs=0.0001)
    assert best["metrics"]["Accuracy"] == pytest.approx(0.9458, abs=0.0005)


def test_l9_17_never_more_than_two_trials_at_a_time(course, sweep):
    rows = course.cli_json("sweep", "trials", sweep.name)
    runs = [course.ml.jobs._runs_operations.get_run(row["name"]) for row in rows]
    spans = [(run.start_time_utc, run.end_time_utc) for run in runs]
    assert max(sum(start <= begun < end for start, end in spans) for begun, _ in spans) <= 2


def test_l9_29_best_trial_is_registered_with_its_metrics(course, sweep):
    given = ("--path", "outputs/model.pkl", "--name", "diabetes_tuned", "--from-metrics")
    made = course.cli_json("model", "register", "--sweep", sweep.name, *given)
    model = course.ml.models.get(made["name"], made["version"])
    best = course.cli_json("sweep", "best", sweep.name)
    assert {key: float(model.properties[key]) for key in ("AUC", "Accuracy")} == best["metrics"]
    assert best["name"] in str(model.path)
