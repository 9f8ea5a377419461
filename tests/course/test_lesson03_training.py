"""Lesson 3: training scripts, parameters and model registration (scenario S3)."""

import ast
import hashlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import pytest

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


def test_l3_01_no_template_script_imports_azureml_or_this_package():
    for script in SCRIPTS:
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in {"azureml", "azure", "mlops_kit"}], script


def test_l3_02_model_in_outputs_predicts_and_no_template_uses_a_removed_name(course, trained):
    import pandas as pd

    job = course.ml.jobs.get(trained[0]["name"])
    [model] = [path for name, path in course.files(job).items() if name.endswith("outputs/model.pkl")]
    patients = pd.DataFrame(
        [[2, 180, 74, 24, 21, 23.9091702, 1.488172308, 22], [0, 148, 58, 11, 179, 39.19207553, 0.160829008, 45]],
    )
    loaded = joblib.load(model)
    if hasattr(loaded, "feature_names_in_"):
        patients.columns = loaded.feature_names_in_
    assert set(loaded.predict(patients)) <= {0, 1}
    assert not [script for script in SCRIPTS if "np.float" in script.read_text(encoding="utf-8")]


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
    assert "azureml-defaults" in ran.stdout
    assert "mlflow" in ran.stdout


def test_l3_06_wait_gives_the_exit_code_of_the_job_and_no_wait_its_name(course, tmp_path):
    template = tmp_path / "job.yml"
    bare = "type: command\nenvironment:\n  image: python\ncompute: azureml:cpu-cluster\ncommand: "
    template.write_text(f"{bare}exit 4\n", encoding="utf-8")
    assert course.cli("run", str(template), "-e", "local", check=False).returncode == 1
    template.write_text(f"{bare}echo done\n", encoding="utf-8")
    assert course.cli("run", str(template), "-e", "local").returncode == 0
    template.write_text(f"{bare}sleep 30\n", encoding="utf-8")
    assert course.cli("run", str(template), "-e", "local", "--timeout", "1", check=False).returncode == 5
    name = course.cli_json("run", str(template), "--no-wait")["name"]
    assert course.ml.jobs.get(name).status not in {"Completed", "Failed"}
    course.ml.jobs.begin_cancel(name).result()


def test_l3_08_conda_file_with_an_image_loads_in_the_sdk_as_rendered(course, tmp_path):
    from azure.ai.ml import load_environment

    for name in ("environments", "templates"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    rendered = course.cli("render", "templates/environments/sklearn.yml", "-e", "dev", check=False)
    if rendered.returncode:  # dev names a subscription only where AZURE_SUBSCRIPTION_ID is set
        rendered = course.cli("render", "templates/environments/sklearn.yml", "-e", "local")
    target = tmp_path / "templates" / "environments" / "rendered.yml"
    target.write_text(rendered.stdout, encoding="utf-8")
    environment = load_environment(target)
    assert environment.image
    assert "scikit-learn" in str(environment.conda_file)


def test_l3_09_script_records_its_default_argument(trained):
    assert float(trained[1]["params"]["reg_rate"]) == 0.01


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
    course.cli("job", "download", name, "--path", "outputs/model.pkl", "--to", str(tmp_path / "one"), "-e", "local")
    course.cli("job", "download", name, "--to", str(tmp_path / "all"), "-e", "local")
    [one] = (tmp_path / "one").rglob("model.pkl")
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "all").rglob("outputs/model.pkl")}
    assert digests == {hashlib.sha256(one.read_bytes()).hexdigest()}
    again = course.cli(
        "job",
        "download",
        name,
        "--path",
        "outputs/model.pkl",
        "--to",
        str(tmp_path / "one"),
        "-e",
        "local",
        check=False,
    )
    assert again.returncode == 2
    assert "--force" in again.stderr


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
    versions = list(course.ml.models.list(name="diabetes_model"))
    assert sorted(model.version for model in versions) == ["1", "2"]
    assert all(model.tags["Training context"] == "Parameterized script" for model in versions)
    course.ml.models.archive("parallel")
    assert "parallel" not in {model.name for model in course.ml.models.list()}


def test_scenario_s3_figures(trained, registered):
    assert [model["version"] for model in registered] == ["1", "2"]
    for job in trained:
        assert job["metrics"]["Accuracy"] == pytest.approx(0.774, abs=0.002)
        assert job["metrics"]["AUC"] == pytest.approx(0.8484, abs=0.0006)


def test_template_documents_parse():
    assert all(documents.load(path) for path in (PROJECT / "templates").rglob("*.yml"))
