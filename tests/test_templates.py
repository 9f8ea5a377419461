"""The starter templates: plain scripts that run alone, and files that are right in every environment."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parent.parent / "templates"
SCRIPTS = sorted((TEMPLATES / "src").glob("*.py"))
PROGRAMS = [script for script in SCRIPTS if "__main__" in script.read_text()]


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
    import models
    import tables

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


@pytest.mark.slow
@pytest.mark.parametrize("script", PROGRAMS, ids=lambda path: path.name)
def test_a_program_runs_alone_without_arguments(run, script, tmp_path):
    arguments = ("--output", "table.csv") if script.name == "breast_cancer.py" else ()
    assert run(script.name, *arguments, cwd=tmp_path)


def test_a_column_that_is_not_there_is_one_sentence(tmp_path):
    (tmp_path / "a.csv").write_text("x,label\n1,0\n2,1\n")
    command = [sys.executable, str(TEMPLATES / "src" / "train.py"), "--data", "a.csv", "--target", "labl"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "no column labl; the table has x, label" in ran.stderr
    assert "Traceback" not in ran.stderr
