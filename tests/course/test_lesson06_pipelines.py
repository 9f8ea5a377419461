"""Lesson 6: a pipeline that prepares data and trains on it, step by step (scenario S6, without publishing)."""

import itertools
import re
import textwrap
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from mlops_kit.workspace import graphs

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
PREPARE = """\
import argparse
import glob
import mlflow
import pandas as pd
from sklearn.preprocessing import MinMaxScaler

parser = argparse.ArgumentParser()
parser.add_argument("--raw")
parser.add_argument("--prepared")
args = parser.parse_args()
raw = pd.concat([pd.read_csv(path) for path in sorted(glob.glob(f"{args.raw}/*.csv"))], ignore_index=True)
mlflow.log_metric("raw_rows", len(raw))
clean = raw.dropna()
scaled = ["Pregnancies", "PlasmaGlucose", "DiastolicBloodPressure", "TricepsThickness", "SerumInsulin", "BMI"]
scaled.append("DiabetesPedigree")
clean[scaled] = MinMaxScaler().fit_transform(clean[scaled])
mlflow.log_metric("processed_rows", len(clean))
clean.to_csv(args.prepared, index=False)
"""
TRAIN = """\
import argparse
import mlflow
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

parser = argparse.ArgumentParser()
parser.add_argument("--data")
args = parser.parse_args()
data = pd.read_csv(args.data)
mlflow.log_metric("rows", len(data))
features, target = data.drop(columns=["PatientID", "Diabetic"]).values, data["Diabetic"].values
x, x_test, y, y_test = train_test_split(features, target, test_size=0.30, random_state=0)
model = DecisionTreeClassifier(random_state=0).fit(x, y)
mlflow.log_metric("Accuracy", float((model.predict(x_test) == y_test).mean()))
mlflow.log_metric("AUC", roc_auc_score(y_test, model.predict_proba(x_test)[:, 1]))
mlflow.sklearn.log_model(
    model, name="model", serialization_format="cloudpickle", registered_model_name="diabetes_by_pipeline"
)
"""
PIPELINE = """\
type: pipeline
experiment_name: lesson-6
settings: {default_compute: "azureml:cpu-cluster"}
inputs:
  data: {type: uri_folder, path: "azureml:diabetes-both@latest"}
jobs:
  prepare:
    type: command
    code: src/prepare
    command: python prepare.py --raw ${{inputs.raw}} --prepared ${{outputs.prepared}}
    environment: azureml:AzureML-sklearn-1.5@latest
    inputs: {raw: "${{parent.inputs.data}}"}
    outputs: {prepared: {type: uri_file}}
  train:
    type: command
    code: src/train
    command: python train.py --data ${{inputs.data}}
    environment: azureml:AzureML-sklearn-1.5@latest
    compute: azureml:train-cluster
    inputs: {data: "${{parent.jobs.prepare.outputs.prepared}}"}
"""


class Lesson:
    """Pipelines in a folder of their own, submitted through the SDK and waited for."""

    def __init__(self, course, folder):
        self.course, self.folder = course, folder

    def put(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def run(self, text, force=False):
        from azure.ai.ml import load_job

        number = len(list(self.folder.glob("*.yml")))
        job = load_job(self.put(f"pipeline-{number}.yml", text))
        job.settings.force_rerun = force
        return self.course.finished(self.course.ml.jobs.create_or_update(job))

    def steps(self, job):
        """Return the children of a job by the names of their steps."""
        return {child.display_name: child for child in self.course.ml.jobs.list(parent_job_name=job.name)}

    def children(self, job):
        """Return what ``mlops-kit job children`` prints, by the names of the steps."""
        return {child["title"]: child for child in self.course.cli_json("job", "children", job.name)}

    def span(self, child):
        run = self.course.ml.jobs._runs_operations.get_run(child.name)
        return run.start_time_utc, run.end_time_utc

    def reuse(self, job):
        return {title: child["reuse"] for title, child in self.children(job).items()}


@pytest.fixture(scope="module")
def lesson(course, tmp_path_factory):
    return Lesson(course, tmp_path_factory.mktemp("lesson06"))


@pytest.fixture(scope="module")
def first(lesson, course, course_data):
    """Run the lesson's pipeline on D1 and D2, whatever ran before."""
    from azure.ai.ml.entities import AmlCompute, Data

    folder = lesson.folder / "data"
    folder.mkdir()
    for name in ("diabetes.csv", "diabetes2.csv"):
        (folder / name).symlink_to(course_data / name)
    course.ml.data.create_or_update(Data(name="diabetes-both", type="uri_folder", path=str(folder)))
    course.ml.compute.begin_create_or_update(AmlCompute(name="train-cluster", max_instances=1)).result()
    lesson.put("src/prepare/prepare.py", PREPARE)
    lesson.put("src/train/train.py", TRAIN)
    job = lesson.run(PIPELINE, force=True)
    assert job.status == "Completed", course.cli("job", "stream", job.name, "-e", "local", check=False).stderr
    return job


@pytest.fixture(scope="module")
def again(lesson, first):
    return lesson.run(PIPELINE)


def test_l6_26_children_are_listed_with_what_each_logged(lesson, first):
    """The figures of scenario S6."""
    children = lesson.children(first)
    assert list(children) == ["prepare", "train"]
    assert children["prepare"]["metrics"] == {"raw_rows": 15000, "processed_rows": 15000}
    assert children["train"]["metrics"]["Accuracy"] == pytest.approx(0.8996, abs=0.0001)
    assert children["train"]["metrics"]["AUC"] == pytest.approx(0.8843, abs=0.0001)


def test_l6_03_each_step_is_a_command_job_of_its_own(course, lesson, first):
    assert {name: course.ml.jobs.get(step.name).type for name, step in lesson.steps(first).items()} == {
        "prepare": "command",
        "train": "command",
    }


def test_scenario_s6_second_step_registers_the_model(course, lesson, first):
    model = next(iter(course.ml.models.list(name="diabetes_by_pipeline")))
    assert model.version == "1"
    shown = course.cli_json("model", "show", "diabetes_by_pipeline")
    assert lesson.steps(first)["train"].name in str(shown)


def test_l6_02_each_step_has_the_compute_it_names(course, lesson, first):
    computes = {name: course.ml.jobs.get(step.name).compute for name, step in lesson.steps(first).items()}
    assert {name: str(compute).rpartition("/")[2] for name, compute in computes.items()} == {
        "prepare": "cpu-cluster",
        "train": "train-cluster",
    }


def test_l6_12_second_step_reads_the_rows_that_the_first_wrote(lesson, first):
    assert lesson.children(first)["train"]["metrics"]["rows"] == 15000


def test_l6_10_binding_is_the_edge_and_nothing_else_is(course, first):
    drawn = {step["name"]: step["needs"] for step in course.cli_json("job", "graph", first.name)}
    assert drawn == {"prepare": {}, "train": {"prepare": ["prepared"]}}

    nodes = yaml.safe_load(PIPELINE)["jobs"]
    nodes["train"]["inputs"]["data"] = "${{parent.inputs.data}}"
    assert graphs.needs(nodes["train"]) == {}


def test_l6_14_unchanged_pipeline_starts_no_process(lesson, first, again):
    steps = lesson.steps(again)
    earlier = {name: step.name for name, step in lesson.steps(first).items()}
    assert {name: child["reused"] for name, child in lesson.children(again).items()} == earlier
    assert [lesson.span(step)[0] for step in steps.values()] == [None, None]


def test_l6_17_force_rerun_ran_every_step_and_refreshed_what_is_reused(lesson, first, again):
    assert lesson.reuse(first) == {"prepare": "force_rerun is set", "train": "force_rerun is set"}
    assert lesson.reuse(again)["prepare"] == f"the same as {lesson.steps(first)['prepare'].name}"


def test_l6_14_edited_train_script_runs_train_only(lesson, again):
    lesson.put("src/train/train.py", TRAIN.split("features, target", maxsplit=1)[0] + "print('edited')\n")
    job = lesson.run(PIPELINE)
    lesson.put("src/train/train.py", TRAIN)
    reasons = lesson.reuse(job)
    assert reasons["prepare"].startswith("the same as ")
    assert reasons["train"] == "changed: code"


BRANCHES = """\
type: pipeline
settings: {default_compute: "azureml:cpu-cluster"}
jobs:
  left: {command: sleep 1 && echo left, environment: "azureml:AzureML-sklearn-1.5@latest"}
  right:
    command: sleep 1 && echo right > ${{outputs.out}}
    environment: azureml:AzureML-sklearn-1.5@latest
    outputs: {out: {type: uri_file}}
  last:
    command: cat ${{inputs.x}}
    environment: azureml:AzureML-sklearn-1.5@latest
    inputs: {x: "${{parent.jobs.right.outputs.out}}"}
"""


def test_l6_01_independent_steps_overlap_and_bound_ones_follow(lesson):
    spans: dict[str, tuple[datetime, datetime]] = {
        name: lesson.span(step) for name, step in lesson.steps(lesson.run(BRANCHES, force=True)).items()
    }
    assert max(spans["left"][0], spans["right"][0]) < min(spans["left"][1], spans["right"][1])
    assert spans["right"][1] <= spans["last"][0]


def test_l6_01_cycle_is_refused_with_its_path_before_anything_is_sent(course, lesson):
    text = BRANCHES.replace("{out: {type: uri_file}}", "{out: {type: uri_file}}\n    inputs: {y: LAST}")
    text = text.replace("LAST", '"${{parent.jobs.last.outputs.z}}"').replace("cat ${{inputs.x}}", "cp A B")
    text = text.replace("cp A B", "cp ${{inputs.x}} ${{outputs.z}}") + "    outputs: {z: {type: uri_file}}\n"
    path = str(lesson.put("cycle/pipeline.yml", text))
    ran = course.cli("validate", path, "-e", "local", "-C", str(PROJECT), check=False)
    assert ran.returncode == 2
    assert re.search(r"right -> last -> right|last -> right -> last", ran.stdout), ran.stdout


def test_l6_09_rendered_template_loads_in_the_sdk(course, tmp_path):
    from azure.ai.ml import load_job

    rendered = course.cli("render", "pipelines/train", "-e", "local").stdout
    path = PROJECT / "templates" / "pipelines" / "train.yml"
    (tmp_path / "train.yml").write_text(rendered.replace("../", f"{path.parents[1]}/"), encoding="utf-8")
    assert [*load_job(tmp_path / "train.yml").jobs] == ["prepare", "train", "evaluate"]


def test_l6_13_no_file_name_is_shared_by_two_scripts():
    """What one step hands to the next is a path that both are given."""
    scripts = sorted((PROJECT / "templates" / "src").glob("*.py"))
    named = {
        path.name: set(re.findall(r"[\w-]+\.(?:csv|json|pkl|png|parquet)\b", path.read_text())) for path in scripts
    }
    shared = {
        (one, other): named[one] & named[other]
        for one, other in itertools.combinations(named, 2)
        if named[one] & named[other]
    }
    assert shared == {}


STAMP = """\
name: stamp
version: "1"
type: command
is_deterministic: false
outputs: {out: {type: uri_file}}
command: date +%s%N > ${{outputs.out}}
environment: azureml:AzureML-sklearn-1.5@latest
"""
STAMPED = """\
type: pipeline
settings: {default_compute: "azureml:cpu-cluster"}
jobs:
  stamp: {type: command, component: ./stamp.yml}
  still: {command: echo still, environment: "azureml:AzureML-sklearn-1.5@latest"}
"""


def test_l6_16_step_that_is_not_deterministic_always_runs(lesson):
    lesson.put("stamp.yml", STAMP)
    lesson.run(STAMPED)
    reasons = lesson.reuse(lesson.run(STAMPED))
    assert reasons["stamp"] == "the component is not deterministic"
    assert reasons["still"].startswith("the same as ")


def test_l6_15_file_that_is_overwritten_in_place_runs_its_step_again(course, lesson, tmp_path):
    from azure.ai.ml.entities import Data
    from azure.storage.blob import BlobClient

    (tmp_path / "rows.csv").write_text("a\n1\n")
    data = course.ml.data.create_or_update(Data(name="overwritten", type="uri_file", path=str(tmp_path / "rows.csv")))
    text = f"""\
        type: pipeline
        settings: {{default_compute: "azureml:cpu-cluster"}}
        jobs:
          show:
            command: cat ${{{{inputs.x}}}}
            environment: azureml:AzureML-sklearn-1.5@latest
            inputs: {{x: {{type: uri_file, path: "azureml:{data.name}:{data.version}"}}}}
    """
    lesson.run(text)
    assert lesson.reuse(lesson.run(text))["show"].startswith("the same as ")
    store = course.ml.datastores.get("workspaceblobstore", include_secrets=True)
    account = f"https://{store.account_name}.blob.{store.endpoint}"
    path = data.path.partition("/paths/")[2]
    with BlobClient(account, store.container_name, path, credential=store.credentials.account_key) as blob:
        blob.upload_blob(b"a\n2\n", overwrite=True)
    assert lesson.reuse(lesson.run(text)) == {"show": "changed: input 'x'"}
