"""``mlops-kit quickstart``: every figure of its summary is in the workspace."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def quickstart(kit):
    return kit("quickstart", "-o", "json", env=None)


def test_model_carries_the_metrics_of_the_job(quickstart, kit):
    done = quickstart.json
    model = kit("model", "show", done["model"], "-o", "json").json
    job = kit("job", "show", done["job"], "-o", "json").json

    assert quickstart.code == 0
    assert job["status"] == "Completed"
    assert job["metrics"] == done["metrics"]
    assert {key: float(model["properties"][key]) for key in done["metrics"]} == done["metrics"]
    assert model["job_name"] == done["job"]


def test_classifier_is_a_good_one(quickstart):
    metrics = quickstart.json["metrics"]

    assert 0.9 < metrics["Accuracy"] <= 1
    assert 0.95 < metrics["AUC"] <= 1


def test_plot_is_among_the_files_of_the_job(quickstart, kit):
    files = kit("job", "files", quickstart.json["job"], "-o", "json").json

    assert quickstart.json["plots"]
    assert set(quickstart.json["plots"]) <= set(files)


def test_data_asset_is_registered_and_used_by_the_job(quickstart, kit):
    name, version = quickstart.json["data"].removeprefix("azureml:").split(":")

    assert kit("data", "show", f"{name}:{version}", "-o", "json").json["version"] == version


def test_summary_names_job_model_and_the_commands_to_type_next(kit, quickstart):
    ran = kit("quickstart", env=None)

    assert ran.code == 0
    assert "mlops-kit job show " in ran.out
    assert "mlops-kit model show " in ran.out
    assert "Accuracy" in ran.out
    assert "569 rows" in ran.out
    assert "  mlops-kit local stop " in ran.out


def test_summary_says_how_to_stop_what_goes_on_running_and_only_where_something_does():
    from mlops_kit import environments
    from mlops_kit.cli.quickstart import summary

    done = {"seconds": 1, "rows": "1 row", "data": "d", "job": "j", "experiment": "e", "metrics": {}, "plots": []}
    folder = PROJECT / "environments"
    local, dev = (environments.load(folder, name, process={}) for name in ("local", "dev"))
    assert "  mlops-kit local stop " in summary({**done, "model": "m:1"}, local, ("-e", "local"))
    assert "local stop" not in summary({**done, "model": "m:1"}, dev, ("-e", "dev"))


def _quickstart(folder, *arguments, **variables):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AZURE_", "MLOPS_KIT_", "IDENTITY"))}
    command = [sys.executable, "-m", "mlops_kit", "quickstart", *arguments]
    env = {**kept, **variables}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def clone(tmp_path):
    """A clone of the project without the data that the quickstart writes."""
    shutil.copytree(PROJECT / "environments", tmp_path / "environments")
    written = shutil.ignore_patterns("*.csv", "*.parquet")
    shutil.copytree(PROJECT / "templates", tmp_path / "templates", ignore=written)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        (["-e", "dev"], {}, "'AZURE_SUBSCRIPTION_ID' is not set"),
        (["-e", "dev"], {"AZURE_SUBSCRIPTION_ID": "s", "PATH": ""}, "no Azure credential: "),
        (["-e", "prod"], {"AZURE_SUBSCRIPTION_ID": "s"}, "'prod' is protected: give --yes to run the quickstart there"),
        (["-e", "nope"], {}, "no environment 'nope'"),
    ],
)
def test_environment_that_cannot_be_used_is_told_before_anything_is_written(clone, arguments, variables, expected):
    before = {path: path.stat().st_mtime_ns for path in clone.rglob("*")}
    ran = _quickstart(clone, *arguments, **variables)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "error: " in ran.stderr.splitlines()[-1]
    assert ran.stderr.count("\n") == 1
    assert expected in ran.stderr
    assert {path: path.stat().st_mtime_ns for path in clone.rglob("*")} == before


def test_folder_that_is_no_clone_is_told_so(tmp_path):
    shutil.copytree(PROJECT / "environments", tmp_path / "environments")
    ran = _quickstart(tmp_path)

    assert ran.returncode == 2
    assert "run it in a clone of the project" in ran.stderr
