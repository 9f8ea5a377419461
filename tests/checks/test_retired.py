"""Names of SDK v1 in the scripts that ship with the code."""

import pytest

from mlops_kit.checks import retired

JOB = "command: python train.py\ncode: ../src\nenvironment: azureml:sklearn@latest\n"


def _found(folder, script, text=JOB, name="jobs/job.yml"):
    path = folder.put("src/train.py")
    path.write_text(script)
    return [line.removeprefix(f"{path}:") for line in folder.found(text, name)]


@pytest.mark.parametrize(
    ("script", "places"),
    [
        ("from azureml.core import Run\n", ["1:26"]),
        ("import os\nfrom azureml.core import Workspace, Run as R\n", ["2:26", "2:37"]),
        ("def main():\n    import azureml.core\n", ["2:12"]),
        ("from azureml import core\n", ["1:21"]),
        ("from azureml.train.hyperdrive import (\n    HyperDriveConfig,\n)\n", ["2:5"]),
        ("from azureml.pipeline.steps import PythonScriptStep\n", ["1:36"]),
        ("import azureml.widgets as w\n", ["1:8"]),
    ],
)
def test_each_import_of_sdk_v1_is_one_warning_at_its_place(folder, script, places):
    found = _found(folder, script)
    assert [line.partition(": warning[MK0540]")[0] for line in found] == places


@pytest.mark.parametrize("name", sorted(retired.NAMES))
def test_the_class_is_answered_with_what_replaces_it(folder, name):
    (found,) = _found(folder, f"from azureml.core import {name}\n")
    assert found.endswith(f"`azureml.core.{name}` belongs to the retired SDK; instead: {retired.NAMES[name]}")


@pytest.mark.parametrize(
    "script",
    [
        "import mlflow\n",
        "from azureml.fsspec import AzureMachineLearningFileSystem\n",
        "from azureml.ai.monitoring import Collector\n",
        "from azureml.contrib.services.aml_request import rawhttp\n",
        "import azureml.mlflow\n",
        "from .azureml import core\n",
        "# from azureml.core import Run\n",
        "text = 'from azureml.core import Run'\n",
        "from azureml.core import\n",
        "azureml = \0\n",
    ],
)
def test_names_that_are_no_part_of_sdk_v1_pass(folder, script):
    assert _found(folder, script) == []


def test_scripts_that_do_not_ship_are_not_read(folder):
    for name in ("old/a.py", ".venv/lib/b.py", "__pycache__/c.py"):
        folder.put(f"src/{name}", "from azureml.core import Run\n")
    folder.put("src/.amlignore", "old/\n")
    folder.put("src/notes.ipynb", "from azureml.core import Run\n")
    assert _found(folder, "import mlflow\n") == []


def test_a_script_that_two_jobs_ship_is_read_once_and_told_with_each(folder):
    first = _found(folder, "from azureml.core import Run\n")
    assert _found(folder, "from azureml.core import Run\n", name="jobs/second.yml") == first


def test_code_of_steps_trials_and_deployments_is_read(folder):
    script = "from azureml.core import Run\n"
    step = "type: pipeline\njobs:\n  fit:\n    command: echo\n    code: ../src\n    environment: azureml:e@latest\n"
    assert len(_found(folder, script, step)) == 1
    trial = (
        "type: sweep\ntrial:\n  command: echo ${{search_space.a}}\n  code: ../src\n  environment: azureml:e@latest\n"
        "search_space: {a: {type: choice, values: [1]}}\nobjective: {goal: maximize, primary_metric: m}\n"
        "sampling_algorithm: random\nlimits: {max_total_trials: 1}\n"
    )
    assert sum("MK0540" in line for line in _found(folder, script, trial)) == 1


def test_scoring_in_batches_may_import_azureml_core_and_nothing_else_of_it(folder):
    deployment = (
        "name: blue\nendpoint_name: scores\nmodel: azureml:m@latest\ncompute: azureml:c\n"
        "code_configuration: {code: ../src, scoring_script: train.py}\nenvironment: azureml:e@latest\n"
    )
    script = (
        "from azureml.core import Model\nfrom azureml.widgets import RunDetails\ndef init(): ...\ndef run(batch): ...\n"
    )
    found = [line for line in _found(folder, script, deployment, "deployments/blue.yml") if "MK0540" in line]
    assert [line.partition(":")[0] for line in found] == ["2"]
    step = (
        "type: pipeline\njobs:\n  score:\n    type: parallel\n    mini_batch_size: '1'\n    input_data: ${{inputs.a}}\n"
        "    inputs: {a: {type: mltable, path: azureml:a@latest}}\n"
        "    task:\n      type: run_function\n      code: ../src\n      entry_script: train.py\n"
        "      environment: azureml:e@latest\n"
    )
    found = [line for line in _found(folder, script, step) if "MK0540" in line]
    assert [line.partition(":")[0] for line in found] == ["2"]


def test_l2_33_the_classes_of_the_course_have_a_replacement():
    course = (
        "Workspace Run Experiment ScriptRunConfig RunConfiguration Dataset Datastore CondaDependencies "
        "DockerConfiguration ComputeTarget AmlCompute AksCompute DatabricksCompute PythonScriptStep "
        "PipelineData OutputFileDatasetConfig PipelineParameter Schedule ScheduleRecurrence Model "
        "InferenceConfig AciWebservice AksWebservice LocalWebservice ParallelRunConfig HyperDriveConfig "
        "AutoMLConfig ExplanationClient DataDriftDetector AlertConfiguration RunDetails"
    )
    assert set(course.split()) <= retired.NAMES.keys()


def test_a_link_in_the_code_is_not_followed(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "old.py"
    outside.write_text("from azureml.core import Run\n")
    (folder.root / "src").mkdir()
    (folder.root / "src/linked.py").symlink_to(outside)
    assert not any("MK0540" in line for line in _found(folder, "import mlflow\n"))


def test_a_script_that_is_nested_too_deeply_imports_nothing(folder):
    folder.put("jobs/src/run.py", "import azureml.core\n" + "[" * 500)
    found = folder.found("command: python run.py\ncode: ./src\nenvironment: azureml:e:1\ncompute: azureml:c\n")
    assert found == []
