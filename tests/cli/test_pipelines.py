"""Pipelines and sweeps from the command line: run, seen, drawn, ranked."""

from xml.etree import ElementTree as ET

import pytest

BROKEN_TRIAL = """\
name: cli_broken
version: "1"
type: command
inputs: {x: {type: number}}
command: python -c "raise ValueError('bad split ${{inputs.x}}')"
environment: {image: python}
"""
PIPELINE = """\
type: pipeline
experiment_name: cli-pipelines
settings: {default_compute: "azureml:cpu-cluster"}
jobs:
  use:
    command: cat ${{inputs.x}}
    environment: {image: python}
    inputs: {x: "${{parent.jobs.make.outputs.out}}"}
  make:
    command: >-
      echo made > ${{outputs.out}} && python -c "import mlflow; mlflow.log_metric('rows', 3)"
    environment: {image: python}
    outputs: {out: {type: uri_file}}
"""
SWEEP = """\
type: sweep
experiment_name: cli-sweeps
trial:
  command: >-
    python -c "import mlflow, pathlib; mlflow.log_metric('score', ${{search_space.x}});
    pathlib.Path('outputs').mkdir(exist_ok=True); pathlib.Path('outputs/model.txt').write_text('x')"
  environment: {image: python}
search_space:
  x: {type: choice, values: [1, 3, 2]}
sampling_algorithm: grid
objective: {goal: maximize, primary_metric: score}
limits: {max_total_trials: 3, max_concurrent_trials: 3}
compute: azureml:cpu-cluster
"""
ENVIRONMENT_VARIABLES = """\
environment: {image: python}
    environment_variables: {LOGIN: "${secret.LOGIN}"}
    outputs"""
BROKEN = """\
type: pipeline
experiment_name: cli-pipelines
settings: {default_compute: "azureml:cpu-cluster"}
jobs:
  tune:
    type: sweep
    trial: ./broken_trial.yml
    search_space: {x: {type: choice, values: [1]}}
    sampling_algorithm: grid
    objective: {goal: maximize, primary_metric: score}
    limits: {max_total_trials: 1, max_concurrent_trials: 1}
"""


@pytest.fixture(scope="module")
def pipeline(kit, write):
    ran = kit("run", write("pipelines/cli.yml", PIPELINE), "-o", "json")
    assert ran.code == 0, ran.err
    return ran


@pytest.fixture(scope="module")
def sweep(kit, write):
    ran = kit("run", write("jobs/cli_sweep.yml", SWEEP), "-o", "json")
    assert ran.code == 0, ran.err
    return ran.json["name"]


def test_a_line_is_printed_as_each_step_ends(pipeline):
    name = pipeline.json["name"]
    said = [line for line in pipeline.err.splitlines() if line.startswith(name)]
    assert said.index(f"{name}: make: Completed") < said.index(f"{name}: use: Completed")


def test_steps_are_drawn_after_what_they_need(kit, pipeline):
    name = pipeline.json["name"]
    make, use = kit("job", "graph", name, "-o", "json").json
    assert (make["name"], make["needs"], make["status"]) == ("make", {}, "Completed")
    assert (use["name"], use["needs"]) == ("use", {"make": ["out"]})
    assert make["seconds"] > 0  # it imports MLflow; the other one may be too short to see
    lines = kit("job", "graph", name).out.splitlines()
    assert [line.split()[:2] for line in lines] == [["step", "after"], ["make", "-"], ["use", "make"]]


def test_a_graph_is_a_mermaid_flowchart(kit, pipeline):
    lines = kit("job", "graph", pipeline.json["name"], "-o", "mermaid").out.splitlines()
    assert lines[0] == "flowchart LR"
    assert lines[1].startswith('  s0["make<br/>Completed')
    assert "  s0 -->|out| s1" in lines


def test_a_graph_is_a_picture(kit, pipeline):
    tree = ET.fromstring(kit("job", "graph", pipeline.json["name"], "-o", "svg").out)  # noqa: S314  our own
    texts = [one.text or "" for one in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"make", "use"} < set(texts)
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}path"))) == 1


def test_a_second_run_is_shown_as_reused_with_its_source(kit, write, pipeline):
    again = kit("run", write("pipelines/cli.yml", PIPELINE), "-o", "json", "--attempt", "2")
    name = again.json["name"]
    first = {
        child["title"]: child["name"] for child in kit("job", "children", pipeline.json["name"], "-o", "json").json
    }
    steps = {step["name"]: step for step in kit("job", "graph", name, "-o", "json").json}
    assert {step["reused"] for step in steps.values()} == {True}
    assert steps["make"]["reuse"] == [f"the same as {first['make']}"]
    shown = kit("job", "show", steps["make"]["jobs"][0], "-o", "json").json
    assert (shown["reused_job"], shown["parent"]) == (first["make"], name)
    assert f"{name}: make: Completed (reused)" in again.err


def test_children_are_listed_with_their_metrics(kit, pipeline):
    rows = {row["title"]: row for row in kit("job", "children", pipeline.json["name"], "-o", "json").json}
    assert rows["make"]["metrics"] == {"rows": 3.0}
    assert rows["use"]["metrics"] == {}
    assert "rows=3" in kit("job", "children", pipeline.json["name"]).out


def test_a_graph_of_another_kind_of_job_is_refused(kit, sweep):
    ran = kit("job", "graph", sweep)
    assert ran.code == 2
    assert "is a sweep job: only a pipeline job has steps" in ran.err


def test_trials_are_ranked_and_the_best_is_marked(kit, sweep):
    rows = kit("sweep", "trials", sweep, "-o", "json").json
    assert [row["parameters"]["x"] for row in rows] == [3, 2, 1]
    assert [row["best"] for row in rows] == [True, False, False]
    lines = kit("sweep", "trials", sweep).out.splitlines()
    assert lines[0].split()[:2] == ["x", "score"]
    assert lines[1].endswith("best")


def test_the_best_trial_is_shown(kit, sweep):
    best = kit("sweep", "best", sweep, "-o", "json").json
    assert (best["metric"], best["value"], best["parameters"]) == ("score", 3.0, {"x": 3})
    assert kit("job", "show", sweep, "-o", "json").json["best_trial"] == best["name"]


def test_trials_of_a_job_that_is_no_sweep_are_refused(kit, pipeline):
    for verb in ("trials", "best"):
        ran = kit("sweep", verb, pipeline.json["name"])
        assert (ran.code, "only a sweep has trials" in ran.err) == (2, True)


def test_the_model_of_the_best_trial_is_registered_with_its_metrics(kit, sweep):
    given = ("--path", "outputs/model.txt", "--name", "cli-best", "--from-metrics", "-o", "json")
    made = kit("model", "register", "--sweep", sweep, *given)
    assert made.code == 0, made.err
    shown = kit("model", "show", f"cli-best:{made.json['version']}", "-o", "json").json
    assert shown["properties"]["score"] == "3.0"


def test_a_model_is_of_a_job_or_of_a_sweep(kit, sweep):
    ran = kit("model", "register", "--sweep", sweep, "--job", sweep, "--path", "x", "--name", "y")
    assert (ran.code, "--job or --sweep" in ran.err) == (2, True)
    assert "--sweep needs --path" in kit("model", "register", "--sweep", sweep).err


def test_the_failed_trial_of_a_step_is_named_with_the_end_of_its_log_r26(kit, write):
    write("pipelines/broken_trial.yml", BROKEN_TRIAL)
    ran = kit("run", write("pipelines/broken.yml", BROKEN))
    assert ran.code == 1
    assert "step tune/tune_0" in ran.err
    assert "  | ValueError: bad split 1" in ran.err
    assert ran.err.splitlines()[-1].endswith("failed: step tune/tune_0: ValueError: bad split 1")


def test_the_secret_of_a_pipeline_is_not_shown_with_its_step(kit, write):
    text = PIPELINE.replace("environment: {image: python}\n    outputs", ENVIRONMENT_VARIABLES)
    ran = kit("run", write("pipelines/secretive.yml", text), "-o", "json", MLOPS_KIT_SECRET_LOGIN="s3cr3t")
    assert ran.code == 0, ran.err
    steps = {child["title"]: child["name"] for child in kit("job", "children", ran.json["name"], "-o", "json").json}
    shown = kit("job", "show", steps["make"], "-o", "json")
    assert "s3cr3t" not in shown.out
    assert shown.json["environment_variables"] == {"LOGIN": "***"}
