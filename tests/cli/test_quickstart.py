"""``mlops-kit quickstart``: every figure of its summary is in the workspace."""

import pytest

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


def test_folder_that_is_no_clone_is_told_so(tmp_path):
    import shutil
    import subprocess
    import sys
    from pathlib import Path

    shutil.copytree(Path(__file__).resolve().parents[2] / "environments", tmp_path / "environments")
    command = [sys.executable, "-m", "mlops_kit", "quickstart"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert "run it in a clone of the project" in ran.stderr
