"""Lesson 3: training scripts, parameters and model registration (scenario S3)."""

import ast
import hashlib
import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import mlflow
import pytest
import sklearn
from azure.ai.ml import command
from azure.ai.ml.entities import Model

from mlops_kit import documents

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((PROJECT / "templates" / "src").glob("*.py"))
_DATA = ["--set", "target=Diabetic", "--set", "drop=PatientID", "--set", "data_type=uri_file"]


@pytest.fixture(scope="module")
def trained(course, course_data):
    """Run the starter job twice on D1 (regularization 0.1, then the default) and return both jobs as shown."""
    from azure.ai.ml.entities import Data

    course.ml.data.create_or_update(Data(name="d1", type="uri_file", path=str(course_data / "diabetes.csv")))
    data = ["--set", "data=azureml:d1@latest", *_DATA]
    shown = []
    for extra in (["--set", "reg_rate=0.1"], []):
        result = course.cli_json("run", "train", *data, *extra)
        shown.append(course.cli_json("job", "show", result["name"]))
    return shown


@pytest.fixture(scope="module")
def registered(course, trained):
    """Register both jobs' models under one name, with the metrics as properties."""
    return [
        course.cli_json(
            "model", "register", "--job", job["name"], "--path", "outputs/model.pkl", "--name", "diabetes_model",
            "--from-metrics", "--tag", "Training context=Parameterized script",
        )
        for job in trained
    ]  # fmt: skip


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Run each template program by itself, where nothing leads to a workspace; return what it printed by its name."""
    folder = tmp_path_factory.mktemp("alone")
    led = ("AZURE", "ARM_", "MLFLOW", "MLOPS_KIT", "HTTP", "http", "IDENTITY", "IMDS", "MSI")
    env = {name: value for name, value in os.environ.items() if not name.startswith(led)}
    env["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/alone.db"
    ran = {}
    for name in ("breast_cancer.py", "prepare.py", "fit.py", "evaluate.py", "train.py", "split.py"):
        arguments = ("--output", "table.csv") if name == "breast_cancer.py" else ()
        command = [sys.executable, str(PROJECT / "templates" / "src" / name), *arguments]
        ran[name] = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return ran


def test_l3_01_no_template_script_imports_azureml_or_this_package():
    for script in SCRIPTS:
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in {"azureml", "azure", "mlops_kit"}], script


def test_l3_01_every_template_program_runs_alone(alone):
    programs = {script.name for script in SCRIPTS if "__main__" in script.read_text(encoding="utf-8")}
    assert programs == {*alone}
    assert {name: ran.returncode for name, ran in alone.items()} == dict.fromkeys(programs, 0)
    assert "569 rows, 30 features" in alone["train.py"].stdout


def test_l3_02_model_in_outputs_predicts_and_no_template_uses_a_removed_name(course, course_data, trained):
    import pandas as pd

    job = course.ml.jobs.get(trained[0]["name"])
    [model] = [path for name, path in course.files(job).items() if name.endswith("outputs/model.pkl")]
    table = pd.read_csv(course_data / "diabetes.csv")
    predicted = joblib.load(model).predict(table.drop(columns=["PatientID", "Diabetic"]))
    assert (predicted == table.Diabetic).mean() == pytest.approx(0.774, abs=0.02)
    templates = [path for path in (PROJECT / "templates").rglob("*") if path.suffix in {".py", ".yml"}]
    assert len(templates) > len(SCRIPTS) > 0
    assert not [path for path in templates if "np.float" in path.read_text(encoding="utf-8")]


def test_l3_03_accuracy_and_auc_are_the_published_ones(trained):
    assert trained[0]["metrics"]["Accuracy"] == pytest.approx(0.774, abs=0.002)
    assert trained[0]["metrics"]["AUC"] == pytest.approx(0.848, abs=0.002)


def test_l3_05_azureml_defaults_is_a_lint_warning_with_the_replacement(tmp_path):
    conda = "name: e\ndependencies:\n- python=3.11\n- pip\n- pip:\n  - azureml-defaults\n"
    (tmp_path / "conda.yml").write_text(conda, encoding="utf-8")
    text = "name: e\nimage: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20240101\nconda_file: conda.yml\n"
    (tmp_path / "environment.yml").write_text(text, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("mlops-kit")), "validate", "environment.yml"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert (
        "conda.yml:6:5: warning[MK0502]: `azureml-defaults` belongs to the retired SDK; jobs need `mlflow`"
        in ran.stdout
    )


def test_l3_06_wait_gives_the_exit_code_of_the_job_and_no_wait_its_name(course, tmp_path):
    template = tmp_path / "job.yml"
    bare = "type: command\nenvironment:\n  image: python\ncompute: azureml:cpu-cluster\ncommand: "
    template.write_text(f"{bare}exit 4\n", encoding="utf-8")
    assert course.cli("run", str(template), "-e", "local", check=False).returncode == 1
    template.write_text(f"{bare}echo done\n", encoding="utf-8")
    assert course.cli("run", str(template), "-e", "local").returncode == 0
    template.write_text(f"{bare}sleep 30\n", encoding="utf-8")
    assert course.cli("run", str(template), "-e", "local", "--timeout", "1", check=False).returncode == 5
    unwaited = course.cli("run", str(template), "-e", "local", "--no-wait")
    name = unwaited.stdout.split()[0]
    assert course.ml.jobs.get(name).status not in {"Completed", "Failed"}
    course.ml.jobs.begin_cancel(name).result()


def test_l3_08_conda_file_without_an_image_gets_the_one_of_the_overlay_and_loads_in_the_sdk(course, tmp_path):
    from azure.ai.ml import load_environment

    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11, pip, {pip: [scikit-learn]}]\n", encoding="utf-8")
    template = tmp_path / "environment.yml"
    for own in ("", "image: python:3.11\n"):
        template.write_text(f"name: from-file\nconda_file: conda.yml\n{own}", encoding="utf-8")
        base = ("--set", "env.defaults.image=registry.example.org/base:1")
        rendered = course.cli("render", str(template), "-e", "local", *base).stdout
        environment = load_environment(io.StringIO(rendered), relative_origin=str(template))
        assert environment.image == ("python:3.11" if own else "registry.example.org/base:1")
        assert environment.conda_file["dependencies"][2] == {"pip": ["scikit-learn"]}
    template.write_text("name: from-file\nconda_file: conda.yml\n", encoding="utf-8")
    assert course.cli_json("environment", "register", str(template))["version"] == "1"
    assert course.ml.environments.get("from-file", "1").image.startswith("mcr.microsoft.com/azureml/")


def test_l3_09_script_records_its_default_argument(course, trained):
    assert float(trained[1]["params"]["reg_rate"]) == 0.01
    job = course.ml.jobs.create_or_update(
        command(
            code=str(PROJECT / "templates" / "src"),
            command="python train.py",
            environment="AzureML-sklearn-1.5@latest",
            compute="cpu-cluster",
        )
    )
    assert course.finished(job).status == "Completed"
    assert float(mlflow.get_run(job.name).data.params["reg_rate"]) == 0.01


def test_l3_10_input_of_the_wrong_type_is_refused_before_anything_is_submitted(course):
    before = len(list(course.ml.jobs.list()))
    ran = course.cli("run", "train", "-e", "local", "--set", "reg_rate=abc", check=False)
    assert ran.returncode == 2
    assert "reg_rate" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert len(list(course.ml.jobs.list())) == before


def test_l3_10_optional_input_that_is_left_out_drops_its_flag(course):
    from azure.ai.ml import load_component

    component = course.folder / "optional.yml"
    component.write_text(
        "name: optional\ntype: command\nenvironment:\n  image: python\ninputs:\n  req: {type: string}\n"
        "  opt: {type: integer, optional: true}\n"
        "command: echo t --req ${{inputs.req}} $[[--opt ${{inputs.opt}}]] --end\n",
        encoding="utf-8",
    )
    logs = []
    for values in ({"req": "x"}, {"req": "x", "opt": 5}):
        job = load_component(component)(**values)
        job.compute = "cpu-cluster"
        job.environment = "AzureML-minimal@latest"
        logs.append(course.log(course.finished(course.ml.jobs.create_or_update(job))))
    assert "t --req x --end" in logs[0]
    assert "t --req x --opt 5 --end" in logs[1]


def test_l3_11_finished_job_lists_its_files(course, trained):
    files = course.cli_json("job", "files", trained[0]["name"])
    assert "outputs/model.pkl" in files


def test_l3_12_one_file_and_a_prefix_are_downloaded_byte_for_byte(course, trained, tmp_path):
    name = trained[0]["name"]

    def download(to, *more, check=True):
        return course.cli("job", "download", name, "--to", str(tmp_path / to), *more, "-e", "local", check=check)

    download("one", "--path", "outputs/model.pkl")
    download("prefix", "--path", "outputs")
    download("all")
    [one] = (path for path in (tmp_path / "one").rglob("*") if path.is_file())
    digest = hashlib.sha256(one.read_bytes()).hexdigest()
    source = Path(mlflow.artifacts.download_artifacts(run_id=name, artifact_path="outputs/model.pkl"))
    assert hashlib.sha256(source.read_bytes()).hexdigest() == digest
    for folder in ("prefix", "all"):
        copies = list((tmp_path / folder).rglob("outputs/model.pkl"))
        assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in copies] == [digest]
    assert {path.relative_to(tmp_path / "prefix").parts[0] for path in (tmp_path / "prefix").rglob("*")} == {"outputs"}
    one.write_bytes(b"mine")
    refused = download("one", "--path", "outputs/model.pkl", check=False)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert one.read_bytes() == b"mine"
    download("one", "--path", "outputs/model.pkl", "--force")
    assert hashlib.sha256(one.read_bytes()).hexdigest() == digest


def test_l3_13_l3_14_model_from_a_local_file_keeps_every_field_and_its_content(course, tmp_path):
    from azure.ai.ml.entities import Model

    source = tmp_path / "model.pkl"
    joblib.dump({"weights": [1, 2, 3]}, source)
    model = Model(
        path=str(source),
        name="local-file",
        type="custom_model",
        description="from a file",
        tags={"framework": "scikit-learn", "framework_version": "1.5"},
        flavors={"sklearn": {"sklearn_version": "1.5"}},
    )
    created = course.ml.models.create_or_update(model)
    source.unlink()
    found = course.ml.models.get("local-file", created.version)
    assert (found.description, found.tags["framework"], found.type) == ("from a file", "scikit-learn", "custom_model")
    assert found.flavors["sklearn"]["sklearn_version"] == "1.5"
    course.ml.models.download("local-file", created.version, download_path=str(tmp_path / "down"))
    [copy] = (tmp_path / "down").rglob("model.pkl")
    assert joblib.load(copy) == {"weights": [1, 2, 3]}
    shown = course.cli_json("model", "show", "local-file")
    assert shown["flavors"]["sklearn"]["sklearn_version"] == "1.5"
    assert (shown["tags"]["framework"], shown["tags"]["framework_version"]) == ("scikit-learn", "1.5")


def test_l3_14_mlflow_model_of_a_job_gets_its_type_and_its_flavors_by_itself(course, trained):
    name = trained[0]["name"]
    [folder] = {path.rpartition("/")[0] for path in course.cli_json("job", "files", name) if path.endswith("/MLmodel")}
    course.cli("model", "register", "--job", name, "--path", folder, "--name", "by-mlflow", "-e", "local")
    shown = course.cli_json("model", "show", "by-mlflow")
    assert shown["type"] == "mlflow_model"
    assert shown["flavors"]["sklearn"]["sklearn_version"] == sklearn.__version__


def test_l3_15_properties_are_the_metrics_of_the_run_and_cannot_change(course, trained, registered):
    model = course.ml.models.get("diabetes_model", "1")
    assert float(model.properties["AUC"]) == pytest.approx(trained[0]["metrics"]["AUC"])
    assert float(model.properties["Accuracy"]) == pytest.approx(trained[0]["metrics"]["Accuracy"])
    model.properties = {**model.properties, "AUC": "1.0"}
    with pytest.raises(Exception, match="propert"):
        course.ml.models.create_or_update(model)
    assert float(course.ml.models.get("diabetes_model", "1").properties["AUC"]) < 0.9


def test_l3_16_parallel_registrations_get_the_next_versions_without_gaps(course, tmp_path):
    from azure.ai.ml.entities import Model

    def register(number: int) -> str:
        path = tmp_path / f"{number}.txt"
        path.write_text(str(number), encoding="utf-8")
        model = Model(path=str(path), name="parallel", type="custom_model")
        return str(course.ml.models.create_or_update(model).version)

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(register, range(8)))
    assert sorted(map(int, versions)) == list(range(1, 9))
    other = tmp_path / "other.txt"
    other.write_text("other content", encoding="utf-8")
    with pytest.raises(Exception, match=r"(?i)exist|conflict"):
        course.ml.models.create_or_update(Model(path=str(other), name="parallel", version="3", type="custom_model"))


def test_l3_17_model_of_a_run_links_its_job_and_a_wrong_path_lists_the_files(course, trained, registered):
    assert course.ml.models.get("diabetes_model", "1").job_name == trained[0]["name"]
    ran = course.cli(
        "model", "register", "--job", trained[0]["name"], "--path", "outputs/modle.pkl", "--name", "x", "-e", "local",
        check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "outputs/model.pkl" in ran.stderr


def test_l3_18_list_shows_versions_tags_and_properties(course, registered):
    latest = course.cli_json("model", "list")
    assert [model["version"] for model in latest if model["name"] == "diabetes_model"] == ["2"]
    versions = course.cli_json("model", "list", "diabetes_model")
    assert [model["version"] for model in versions] == ["2", "1"]
    assert all(model["tags"]["Training context"] == "Parameterized script" for model in versions)
    assert all(float(model["properties"]["AUC"]) == pytest.approx(0.848, abs=0.002) for model in versions)
    course.ml.models.create_or_update(Model(path=str(SCRIPTS[0]), name="put-away", type="custom_model"))
    assert "put-away" in {model["name"] for model in course.cli_json("model", "list")}
    course.ml.models.archive("put-away")
    assert "put-away" not in {model["name"] for model in course.cli_json("model", "list")}
    assert "put-away" in {model["name"] for model in course.cli_json("model", "list", "--archived")}


def test_scenario_s3_figures(course, trained, registered):
    assert [model["version"] for model in registered] == ["1", "2"]
    assert [job["status"] for job in trained] == ["Completed", "Completed"]
    assert [float(job["params"]["reg_rate"]) for job in trained] == [0.1, 0.01]
    for job, model in zip(trained, registered, strict=True):
        assert job["metrics"]["Accuracy"] == pytest.approx(0.774, abs=0.002)
        assert job["metrics"]["AUC"] == pytest.approx(0.8484, abs=0.0006)
        properties = course.ml.models.get("diabetes_model", model["version"]).properties
        assert {key: float(properties[key]) for key in ("Accuracy", "AUC")} == {
            key: job["metrics"][key] for key in ("Accuracy", "AUC")
        }


def test_template_documents_parse():
    assert all(documents.load(path) for path in (PROJECT / "templates").rglob("*.yml"))
