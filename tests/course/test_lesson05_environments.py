"""Lesson 5: environments and compute (scenario S5)."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_kit import documents

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
CONDA = """\
name: experiment-env
dependencies:
  - python=3.11
  - pip
  - pip:
      - scikit-learn
      - pandas
      - numpy
      - mlflow
"""
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20250401.v1"
TRAIN = """
import sys
import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
data = pd.concat([pd.read_csv(name) for name in sys.argv[2:]], ignore_index=True)
X, y = data.drop(columns=["PatientID", "Diabetic"]).values, data["Diabetic"].values
a, b, c, d = train_test_split(X, y, test_size=0.30, random_state=0)
models = {"lr": LogisticRegression(C=1 / 0.1, solver="liblinear"), "tree": DecisionTreeClassifier(random_state=0)}
model = models[sys.argv[1]].fit(a, c)
mlflow.log_metric("Accuracy", float((model.predict(b) == d).mean()))
mlflow.log_metric("AUC", float(roc_auc_score(d, model.predict_proba(b)[:, 1])))
"""


def _mlops_kit(*arguments, check=True, **variables):
    env = {**os.environ, "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000009", **variables}
    command = [str(Path(sys.executable).with_name("mlops-kit")), *arguments]
    return subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=check)


@pytest.mark.parametrize("environment", ["local", "dev", "test", "prod"])
def test_l5_01_every_job_shows_its_environment_and_its_compute(environment):
    templates = sorted((PROJECT / "templates" / "jobs").glob("*.yml"))
    assert [template.stem for template in templates] == ["hello", "sweep", "train"]
    for template in templates:
        rendered = _mlops_kit("render", str(template), "-e", environment).stdout
        [document] = documents.parse(rendered, template)
        job = documents.to_data(document.root)
        assert job.get("trial", job)["environment"] == "file:../environments/sklearn.yml", template
        assert job["compute"] == "azureml:cpu-cluster", template
        path = "trial.environment" if "trial" in job else "environment"
        override = ("--set", "env.compute=gpu", "--set", f"{path}=azureml:own:1")
        overridden = _mlops_kit("render", str(template), "-e", environment, *override).stdout
        assert "environment: azureml:own:1\n" in overridden
        assert "\ncompute: azureml:gpu\n" in overridden


@pytest.mark.needs_registry
def test_l5_02_l5_13_equal_specifications_are_built_once_and_a_changed_package_is_another_build(tmp_path):
    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import LocalSettings

    settings = LocalSettings(tmp_path / "state", runner="venv")
    instance = supervisor.start(settings)
    try:
        env = {**os.environ, **supervisor.environment(instance, settings)}
        program = f"""
import time
from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import Environment
from azure.identity import DefaultAzureCredential
ml = MLClient(DefaultAzureCredential(), {settings.workspace.subscription!r}, {settings.workspace.group!r},
              {settings.workspace.name!r})
def environment(pin, **named):
    conda = {{"name": "e", "dependencies": ["python=3.11", "pip", {{"pip": [pin]}}]}}
    return Environment(image="python", conda_file=conda, **named)
def job(environment):
    return ml.jobs.create_or_update(command(command="python -c 'import six'", environment=environment))
ml.environments.create_or_update(environment("six==1.16.0", name="shared"))
wanted = [environment("six==1.16.0"), environment("six==1.16.0"), environment("six==1.17.0"), *["azureml:shared:1"] * 2]
for name in [job(each).name for each in wanted]:
    while ml.jobs.get(name).status not in ("Completed", "Failed", "Canceled"):
        time.sleep(0.2)
    print(str.__str__(ml.jobs.get(name).status))
"""
        ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
        assert ran.stdout.split() == ["Completed"] * 5, ran.stderr[-2000:]
        built = [path for path in settings.environments.iterdir() if (path / "bin" / "python").exists()]
        assert len(built) == 2
    finally:
        supervisor.stop(settings.state)


def test_l5_03_requirements_file_renders_a_conda_specification_with_both_pins_under_pip(tmp_path):
    from azure.ai.ml import load_environment

    (tmp_path / "requirements.txt").write_text("pandas==2.2.3  # a comment\nscikit-learn==1.5.2\n", encoding="utf-8")
    template = tmp_path / "environment.yml"
    template.write_text(f"name: from-pip\nimage: {IMAGE}\nconda_file: requirements.txt\n", encoding="utf-8")
    rendered = _mlops_kit("render", str(template), "-e", "local").stdout
    [document] = documents.parse(rendered, template)
    conda = documents.to_data(document.root)["conda_file"]
    assert conda["dependencies"] == ["python=3.11", "pip", {"pip": ["pandas==2.2.3", "scikit-learn==1.5.2"]}]
    template.write_text(rendered, encoding="utf-8")
    assert load_environment(template).conda_file == conda
    (tmp_path / "requirements.txt").write_text("pandas==2.2.3\n-e ../mine\n", encoding="utf-8")
    template.write_text(f"name: from-pip\nimage: {IMAGE}\nconda_file: requirements.txt\n", encoding="utf-8")
    refused = _mlops_kit("render", str(template), "-e", "local", check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "requirements.txt:2:1: error: `-e ../mine` needs a folder of this machine" in refused.stderr


def test_l5_05_package_lists_land_under_the_right_keys(course):
    from azure.ai.ml.entities import Environment

    conda = {
        "name": "lists",
        "dependencies": ["python=3.11", "scikit-learn", "pandas", "numpy", "pip", {"pip": ["mlflow"]}],
    }
    course.ml.environments.create_or_update(Environment(name="lists", image="python", conda_file=conda))
    assert course.ml.environments.get("lists", label="latest").conda_file["dependencies"] == conda["dependencies"]


def test_l5_05_package_named_twice_is_refused(tmp_path):
    template = tmp_path / "environment.yml"
    lists = "[python=3.11, numpy, pip, {pip: [mlflow, scikit-learn, mlflow==3.1]}]"
    template.write_text(f"name: twice\nimage: {IMAGE}\nconda_file:\n  dependencies: {lists}\n", encoding="utf-8")
    refused = _mlops_kit("environment", "register", str(template), "-e", "local", check=False)
    assert refused.returncode == 2
    assert (
        "environment.yml:4:72: error[MK0504]: `mlflow==3.1` is there already, as `mlflow` in line 4" in refused.stderr
    )


def test_l5_06_runner_is_a_setting_of_the_local_environment_only():
    for runner in ("host", "venv"):
        refused = _mlops_kit("env", "show", "-e", "dev", MLOPS_KIT_VAR_local__runner=runner, check=False)
        assert refused.returncode == 2
        assert "'dev' is not on this machine" in refused.stderr
        shown = _mlops_kit("env", "show", "-e", "local", "-o", "json", MLOPS_KIT_VAR_local__runner=runner).stdout
        assert f'"runner": "{runner}"' in shown
    unknown = _mlops_kit("env", "show", "-e", "local", MLOPS_KIT_VAR_local__runner="docker", check=False)
    assert unknown.returncode == 2
    assert "'docker' is not one of host, venv" in unknown.stderr


def test_l5_08_image_of_an_own_registry_is_rendered_whole_and_must_be_pinned_in_prod(tmp_path):
    template = tmp_path / "environment.yml"
    pinned = ("registry.example.org:5000/team/base:1.2", f"registry.example.org:5000/team/base@sha256:{'0' * 64}")
    for image in (*pinned, "registry.example.org:5000/team/base"):
        template.write_text(f"name: own-image\nimage: {image}\n", encoding="utf-8")
        for environment in ("local", "dev", "test", "prod"):
            rendered = _mlops_kit("render", str(template), "-e", environment).stdout
            assert f"image: {image}\n" in rendered
            ran = _mlops_kit("validate", str(template), "-e", environment, "-C", str(PROJECT), check=False)
            if environment == "prod" and image not in pinned:
                assert ran.returncode == 2
                assert (
                    "environment.yml:2:8: error[MK0505]: the image `registry.example.org:5000/team/base`" in ran.stdout
                )
            else:
                assert (ran.returncode, ran.stdout) == (0, "")
    refused = _mlops_kit("environment", "register", str(template), "-e", "prod", check=False)
    assert refused.returncode == 2
    assert "nothing was submitted" in refused.stderr


def test_l5_11_same_content_adds_no_version_and_a_changed_pin_does(course, tmp_path):
    (tmp_path / "environment.yml").write_text("name: pinned\nimage: python\nconda_file: conda.yml\n", encoding="utf-8")
    versions = []
    for text in (CONDA, CONDA, CONDA.replace("numpy", "numpy>=1.26")):
        (tmp_path / "conda.yml").write_text(text, encoding="utf-8")
        versions.append(course.cli_json("environment", "register", str(tmp_path / "environment.yml"))["version"])
    assert versions == ["1", "1", "2"]
    held = [course.ml.environments.get("pinned", version).conda_file for version in ("1", "2")]
    assert [conda["dependencies"][2]["pip"][2] for conda in held] == ["numpy", "numpy>=1.26"]


def test_l5_13_scenario_s5_two_jobs_share_the_registered_environment(course, course_data):
    import mlflow
    import yaml
    from azure.ai.ml import Input
    from azure.ai.ml.entities import Environment

    registered = Environment(name="experiment_env", image="python", conda_file=yaml.safe_load(CONDA))
    assert course.ml.environments.create_or_update(registered).version == "1"
    again = Environment(name="experiment_env", image="python", conda_file=yaml.safe_load(CONDA))
    assert course.ml.environments.create_or_update(again).version == "1"
    inputs = {name: Input(type="uri_file", path=str(course_data / f"{name}.csv")) for name in ("diabetes", "diabetes2")}
    submitted = [
        course.submit(
            TRAIN,
            f"python script.py {kind} ${{{{inputs.diabetes}}}} ${{{{inputs.diabetes2}}}}",
            inputs=inputs,
            environment="azureml:experiment_env:1",
        )
        for kind in ("lr", "tree")
    ]
    finished = [course.finished(job) for job in submitted]
    assert [job.status for job in finished] == ["Completed", "Completed"]
    assert {str(job.environment).rsplit("/", 1)[-1].rsplit(":", 1)[-1] for job in finished} == {"1"}
    reports = [
        next(path.read_text() for name, path in course.files(job).items() if name.endswith("/environment.txt"))
        for job in finished
    ]
    assert reports[0] == reports[1]
    assert "asked for: scikit-learn" in reports[0]
    tree = mlflow.get_run(finished[1].name).data.metrics
    assert tree["Accuracy"] == pytest.approx(0.8962, abs=0.01)
    assert tree["AUC"] == pytest.approx(0.8806, abs=0.01)
    linear = mlflow.get_run(finished[0].name).data.metrics
    assert (linear["Accuracy"], linear["AUC"]) == (pytest.approx(0.7891, abs=5e-4), pytest.approx(0.8569, abs=5e-4))


def test_scenario_s5_cluster_scales_up_for_the_job_and_down_again(course, course_data):
    import mlflow
    from azure.ai.ml import Input
    from azure.ai.ml.entities import AmlCompute

    cluster = AmlCompute(
        name="test-cluster", size="STANDARD_DS11_V2", min_instances=0, max_instances=2, idle_time_before_scale_down=1
    )
    course.ml.compute.begin_create_or_update(cluster).result()

    def nodes():
        got = course.ml.compute._operation.get(course.ml.resource_group_name, course.ml.workspace_name, "test-cluster")
        return got.properties.properties.current_node_count

    assert nodes() == 0
    inputs = {name: Input(type="uri_file", path=str(course_data / f"{name}.csv")) for name in ("diabetes", "diabetes2")}
    job = course.submit(
        TRAIN, "python script.py tree ${{inputs.diabetes}} ${{inputs.diabetes2}}", inputs=inputs, compute="test-cluster"
    )
    seen = set()
    while course.ml.jobs.get(job.name).status not in {"Completed", "Failed", "Canceled"}:
        seen.add(nodes())
    assert course.finished(job).status == "Completed"
    assert seen <= {0, 1}
    assert 1 in seen
    end = time.monotonic() + 30
    while nodes() and time.monotonic() < end:
        time.sleep(0.2)
    assert nodes() == 0
    metrics = mlflow.get_run(job.name).data.metrics
    assert (metrics["Accuracy"], metrics["AUC"]) == (pytest.approx(0.8962, abs=0.01), pytest.approx(0.8806, abs=0.01))


def test_l5_15_job_that_reaches_for_azure_is_refused_by_the_local_network(course):
    script = (
        "import urllib.request\n"
        "for host in ('management.azure.com', 'login.microsoftonline.com'):\n"
        "    try:\n        urllib.request.urlopen('https://' + host, timeout=10)\n        print(host, 'reached')\n"
        "    except OSError as error:\n        print(host, 'refused', error)\n"
    )
    log = course.log(course.run(script))
    assert "management.azure.com refused" in log
    assert "login.microsoftonline.com refused" in log
    assert "reached" not in log


def test_l5_16_cluster_of_four_runs_at_most_four_of_six_jobs_at_a_time(course):
    from azure.ai.ml.entities import AmlCompute

    course.ml.compute.begin_create_or_update(AmlCompute(name="four", size="STANDARD_DS11_V2", max_instances=4)).result()
    script = "import time\nprint('from', time.time())\ntime.sleep(2)\nprint('to', time.time())\n"
    submitted = [course.submit(script, "python script.py", compute="four") for _ in range(6)]
    spans = []
    for job in submitted:
        words = course.log(course.finished(job)).split()
        spans.append((float(words[words.index("from") + 1]), float(words[words.index("to") + 1])))
    assert len(spans) == 6
    overlap = max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)
    assert 2 <= overlap <= 4
