"""The starter templates: plain scripts that run alone, and files that are right in every environment."""

import ast
import importlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_kit import documents, environments, render
from mlops_kit.errors import MlopsKitError

TEMPLATES = Path(__file__).parent.parent / "templates"
SCRIPTS = sorted((TEMPLATES / "src").glob("*.py"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a script as a data scientist does, in an empty folder; tracked in one store for the whole module."""
    store = tmp_path_factory.mktemp("tracking") / "mlflow.db"

    def run_script(name: str, *arguments: str, cwd: Path) -> str:
        environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{store}", "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, str(TEMPLATES / "src" / name), *arguments]
        ran = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr[-2000:]
        return ran.stdout

    return run_script


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_no_azure_and_no_mlops_kit(script):
    imported = set()
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert not imported & {"azure", "azureml", "mlops_kit"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_uses_no_name_that_numpy_removed(script):
    names = {node.attr for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Attribute)}
    assert not names & {"float", "int", "bool", "object"}


def test_training_alone_leaves_a_model_and_its_scores(run, tmp_path):
    printed = run("train.py", cwd=tmp_path)
    assert "569 rows, 30 features, 212 positive" in printed
    scores = dict(line.split(": ") for line in printed.splitlines() if line.startswith(("Accuracy", "AUC")))
    assert float(scores["Accuracy"]) > 0.9
    assert float(scores["AUC"]) > 0.98
    assert (tmp_path / "outputs" / "model.pkl").stat().st_size > 0


def test_the_regularization_rate_is_used(monkeypatch):
    monkeypatch.syspath_prepend(str(TEMPLATES / "src"))
    models, tables = (importlib.import_module(name) for name in ("models", "tables"))
    features, target = tables.features_and_target(tables.breast_cancer(), "malignant")
    weights = [abs(models.fit(features, target, rate).coef_).sum() for rate in (0.01, 1000.0)]
    assert weights[0] > 10 * weights[1]


def test_prepare_fit_and_evaluate_hand_on_their_files(run, tmp_path):
    (tmp_path / "data").mkdir()
    rows = [f"{number},{number % 7},{number % 5},{int(number % 7 > 3)}" for number in range(200)] + ["200,,1,0"]
    (tmp_path / "data" / "a.csv").write_text("id,x,y,label\n" + "\n".join(rows) + "\n")
    arguments = ("--data", "data", "--drop", "id", "--train-data", "train/t.csv", "--test-data", "test/t.csv")
    assert "201 rows read, 200 kept, 140 to train, 60 to test" in run("prepare.py", *arguments, cwd=tmp_path)
    assert "140 rows, 2 features" in run(
        "fit.py", "--train-data", "train/t.csv", "--target", "label", "--model", "model", cwd=tmp_path
    )
    given = ("--model", "model", "--test-data", "test/t.csv", "--target", "label", "--report", "report")
    run("evaluate.py", *given, cwd=tmp_path)
    assert json.loads((tmp_path / "report" / "metrics.json").read_text())["Accuracy"] > 0.9


def test_a_column_that_is_not_there_is_one_sentence(tmp_path):
    (tmp_path / "a.csv").write_text("x,label\n1,0\n2,1\n")
    command = [sys.executable, str(TEMPLATES / "src" / "train.py"), "--data", "a.csv", "--target", "labl"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "no column labl; the table has x, label" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.fixture(params=["local", "dev", "test", "prod"])
def environment(request):
    process = {"AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000002"}
    return environments.load(TEMPLATES.parent / "environments", request.param, process=process)


def load(loader, name, environment, **settings):
    """Return what the SDK makes of a rendered template."""
    path = TEMPLATES / name
    text = documents.dump(render.render(path, environment, settings))
    return loader(io.StringIO(text), relative_origin=str(path))


def test_the_training_job_loads_in_the_sdk(environment):
    from azure.ai.ml import load_job

    job = load(load_job, "jobs/train.yml", environment, reg_rate=0.1, target="Diabetic", drop="PatientID")
    assert job.compute == environment.require("compute")
    assert job.inputs["reg_rate"]._data == 0.1
    assert job.inputs["drop"]._data == "PatientID"
    assert job.environment.conda_file["dependencies"][0] == "python=3.11"
    assert "${" not in job.command.replace("${{", "")


def test_every_input_of_the_training_job_is_an_option_of_its_script(environment):
    job = documents.to_data(render.render(TEMPLATES / "jobs" / "train.yml", environment)[0])
    options = {word.removeprefix("--").replace("-", "_") for word in job["command"].split() if word.startswith("--")}
    assert options == set(job["inputs"])
    assert all(f"--{name.replace('_', '-')}" in (TEMPLATES / "src" / "train.py").read_text() for name in options)


def test_the_pipeline_loads_in_the_sdk_with_its_components(environment):
    from azure.ai.ml import load_job

    pipeline = load(load_job, "pipelines/train.yml", environment)
    assert list(pipeline.jobs) == ["prepare", "train", "evaluate"]
    assert pipeline.settings.default_compute == environment.require("compute")
    assert pipeline.jobs["evaluate"].component.display_name == "Evaluate model"


def test_the_pipeline_in_python_has_the_graph_of_the_one_in_yaml(monkeypatch):
    from azure.ai.ml import load_job

    from mlops_kit.workspace import graphs

    monkeypatch.syspath_prepend(str(TEMPLATES / "pipelines"))
    twin = importlib.import_module("train_twin").job("azureml:breast-cancer@latest", "azureml:cpu-cluster")
    environment = environments.load(TEMPLATES.parent / "environments", "local", process={})
    written = load(load_job, "pipelines/train.yml", environment)
    assert _outline(twin, graphs) == _outline(written, graphs)
    assert twin.settings.default_compute.removeprefix("azureml:") == written.settings.default_compute


def _outline(job, graphs):
    """Return the steps with the inputs they are given, what each needs, and the outputs of the whole."""
    buffer = io.StringIO()
    job.dump(buffer)
    document = documents.to_data(documents.parse(buffer.getvalue(), Path("job.yml"))[0])
    nodes = {name: (graphs.needs(node), node["inputs"]) for name, node in document["jobs"].items()}
    return nodes, document["inputs"], sorted(document["outputs"])


def test_the_sweep_loads_in_the_sdk_and_every_option_is_one_of_its_script(environment):
    from azure.ai.ml import load_job

    sweep = load(load_job, "jobs/sweep.yml", environment, concurrent=4)
    script = (TEMPLATES / "src" / "train.py").read_text()
    assert (sweep.objective.primary_metric, sweep.limits.max_concurrent_trials) == ("AUC", 4)
    assert f'"{sweep.objective.primary_metric}"' in (TEMPLATES / "src" / "scores.py").read_text()
    assert all(word in script for word in sweep.trial.command.split() if word.startswith("--"))


def test_the_scoring_pipeline_loads_in_the_sdk(environment):
    from azure.ai.ml import load_job

    score = load(load_job, "pipelines/score.yml", environment, rows=7).jobs["score"]
    assert (score.type, score.mini_batch_size, score.resources.instance_count) == ("parallel", 5, 2)
    assert score.task.entry_script == "score.py"


def test_a_table_is_split_and_every_row_scored(run, tmp_path, monkeypatch):
    assert "569 rows in 29 files" in run("split.py", "--drop", "malignant", "--parts", "parts", cwd=tmp_path)
    run("train.py", cwd=tmp_path)
    monkeypatch.syspath_prepend(str(TEMPLATES / "src"))
    score, models = (importlib.import_module(name) for name in ("score", "models"))
    monkeypatch.setattr(score, "model", models.load(tmp_path / "outputs"), raising=False)
    parts = sorted((tmp_path / "parts").iterdir())
    lines = score.run([str(path) for path in parts])
    assert len(lines) == 569
    assert lines[20].startswith("00001.csv:0: ")
    assert {line.rpartition(" ")[2] for line in lines} == {"0", "1"}


@pytest.mark.parametrize("name", ["prepare", "train", "evaluate", "split"])
def test_a_component_loads_in_the_sdk(environment, name):
    from azure.ai.ml import load_component

    assert load(load_component, f"components/{name}.yml", environment).name == name


def test_data_and_environment_load_in_the_sdk(environment):
    from azure.ai.ml import load_data, load_environment

    assert load(load_data, "data/breast-cancer.yml", environment).type == "uri_folder"
    asset = load(load_environment, "environments/sklearn.yml", environment)
    assert asset.image
    assert {"name", "channels", "dependencies"} == set(asset.conda_file)


def test_a_rate_that_is_no_number_is_refused_before_submission(environment):
    with pytest.raises(MlopsKitError) as caught:
        render.render(TEMPLATES / "jobs" / "train.yml", environment, {"reg_rate": "abc"})
    assert "reg_rate" in str(caught.value)
    assert "number" in str(caught.value)
