"""Lesson 8: a hundred files scored by a parallel step (scenario S8, without publishing)."""

import pytest

pytestmark = pytest.mark.slow

SCORE = """\
import os
from pathlib import Path
import joblib
import pandas as pd

def init():
    global model
    model = joblib.load(Path(__file__).with_name("model.pkl"))
    Path("outputs", f"init-{os.getpid()}").touch()

def run(mini_batch):
    Path("outputs", f"batch-{Path(mini_batch[0]).stem}").write_text(str(len(mini_batch)))
    return [f"{Path(name).name}: {model.predict(pd.read_csv(name, header=None).values)[0]}" for name in mini_batch]
"""
PIPELINE = """\
type: pipeline
experiment_name: lesson-8
settings: {default_compute: "azureml:cpu-cluster"}
outputs: {inferences: {type: uri_folder}}
jobs:
  score:
    type: parallel
    mini_batch_size: "5"
    error_threshold: 10
    mini_batch_error_threshold: -1
    resources: {instance_count: 2}
    max_concurrency_per_instance: 2
    retry_settings: {max_retries: 1, timeout: 60}
    input_data: ${{inputs.data}}
    inputs:
      data: {type: uri_folder, path: ./batch, mode: ro_mount}
    outputs:
      inferences: ${{parent.outputs.inferences}}
    task:
      type: run_function
      code: src
      entry_script: score.py
      append_row_to: ${{outputs.inferences}}
      environment: azureml:AzureML-sklearn-1.5@latest
"""


class Scored:
    """The pipeline of the lesson in a folder of its own."""

    def __init__(self, course, folder):
        self.course, self.folder = course, folder

    def run(self):
        from azure.ai.ml import load_job

        (self.folder / "pipeline.yml").write_text(PIPELINE, encoding="utf-8")
        job = load_job(self.folder / "pipeline.yml")
        return self.course.finished(self.course.ml.jobs.create_or_update(job), 240)

    def step(self, job):
        [step] = self.course.ml.jobs.list(parent_job_name=job.name)
        return step

    def left(self, job, prefix):
        """Return the names of what the workers of the step left."""
        names = [path.rpartition("/")[2] for path in self.course.cli_json("job", "files", self.step(job).name)]
        return sorted(name for name in names if name.startswith(prefix))

    def results(self, job, target):
        """Download the output of the pipeline and return its only file."""
        self.course.ml.jobs.download(job.name, download_path=target, output_name="inferences")
        [file] = (path for path in target.rglob("*") if path.is_file())
        return file


@pytest.fixture(scope="module")
def scored(course, course_data, tmp_path_factory):
    """Write a model of D1, and a hundred patients of D2, each a file of one line; the sample is seeded."""
    import joblib
    import pandas as pd
    from sklearn.tree import DecisionTreeClassifier

    folder = tmp_path_factory.mktemp("lesson08")
    (folder / "src").mkdir()
    (folder / "batch").mkdir()
    table = pd.read_csv(course_data / "diabetes.csv").drop(columns=["PatientID"])
    model = DecisionTreeClassifier(random_state=0).fit(table.drop(columns=["Diabetic"]).values, table["Diabetic"])
    joblib.dump(model, folder / "src" / "model.pkl")
    (folder / "src" / "score.py").write_text(SCORE, encoding="utf-8")
    sample = (
        pd.read_csv(course_data / "diabetes2.csv").drop(columns=["PatientID", "Diabetic"]).sample(100, random_state=0)
    )
    for number, row in enumerate(sample.values, 1):
        text = ",".join(map(str, row))
        (folder / "batch" / f"{number}.csv").write_text(f"{text}\n", encoding="utf-8")
    expected = {f"{number}.csv": int(model.predict([row])[0]) for number, row in enumerate(sample.values, 1)}
    return Scored(course, folder), expected


@pytest.fixture(scope="module")
def job(scored):
    return scored[0].run()


def test_l8_04_l8_07_l8_12_results_are_one_file_with_a_line_for_each_patient(scored, job, tmp_path):
    lesson, expected = scored
    assert job.status == "Completed"
    file = lesson.results(job, tmp_path)
    assert file.name == "parallel_run_step.txt"
    rows = [line.split(": ") for line in file.read_text().splitlines()]
    assert {name: int(prediction) for name, prediction in rows} == expected
    assert len(rows) == 100


def test_l8_05_five_files_are_a_mini_batch(scored, job):
    assert len(scored[0].left(job, "batch-")) == 20


def test_l8_03_l8_09_init_is_called_once_by_each_of_at_most_four_workers(scored, job):
    assert 1 <= len(scored[0].left(job, "init-")) <= 4


@pytest.mark.parametrize(("bad", "status"), [(10, "Completed"), (15, "Failed")])
def test_l8_06_more_bad_files_than_the_threshold_fail_the_step(bad, status, scored):
    """A mini batch fails as a whole, so bad files count by fives here."""
    lesson, _ = scored
    script = lesson.folder / "src" / "score.py"
    first = sorted(path.name for path in (lesson.folder / "batch").iterdir())[:bad]
    raising = f"def run(mini_batch):\n    if Path(mini_batch[0]).name in {first}: raise ValueError\n"
    script.write_text(SCORE.replace("def run(mini_batch):\n", raising), encoding="utf-8")
    try:
        assert lesson.step(lesson.run()).status == status
    finally:
        script.write_text(SCORE, encoding="utf-8")
