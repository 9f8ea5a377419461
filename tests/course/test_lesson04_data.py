"""Lesson 4: data assets and how scripts get them (scenario S4)."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

# Reads an MLTable folder as the lesson's tabular data set: its paths in order, its files sorted.
READ_TABLE = """
import glob, os, sys
import pandas as pd, yaml
def read_table(folder):
    described = yaml.safe_load(open(os.path.join(folder, "MLTable")))
    names = []
    for path in described["paths"]:
        kind, pattern = next(iter(path.items()))
        whole = os.path.join(folder, pattern)
        names += sorted(glob.glob(whole)) if kind == "pattern" else [whole]
    return pd.concat([pd.read_csv(name) for name in names], ignore_index=True)
"""
TRAIN = """
import joblib
import mlflow
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
def train(data):
    X = data.drop(columns=["PatientID", "Diabetic"]).values
    y = data["Diabetic"].values
    a, b, c, d = train_test_split(X, y, test_size=0.30, random_state=0)
    model = LogisticRegression(C=1/0.1, solver="liblinear").fit(a, c)
    mlflow.log_metric("Accuracy", float((model.predict(b) == d).mean()))
    mlflow.log_metric("AUC", float(roc_auc_score(d, model.predict_proba(b)[:, 1])))
    mlflow.log_metric("rows", len(data))
    joblib.dump(model, "outputs/model.pkl")
"""


def _data(course, name, path, kind, **fields):
    from azure.ai.ml.entities import Data

    return course.ml.data.create_or_update(Data(name=name, path=str(path), type=kind, **fields))


@pytest.fixture(scope="module")
def table(course, course_data):
    """Register D1 and D2 as one tabular asset by pattern."""
    folder = course.folder / "diabetes-table"
    folder.mkdir()
    for name in ("diabetes.csv", "diabetes2.csv"):
        shutil.copy(course_data / name, folder)
    (folder / "MLTable").write_text(
        "type: mltable\npaths:\n  - pattern: ./*.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n"
        "      header: all_files_same_headers\n      encoding: utf8\n",
        encoding="utf-8",
    )
    return _data(course, "diabetes-tab", folder, "mltable", description="diabetes, tabular")


@pytest.fixture(scope="module")
def files(course, course_data):
    """Register D1 and D2 as one file asset."""
    folder = course.folder / "diabetes-files"
    folder.mkdir()
    for name in ("diabetes.csv", "diabetes2.csv"):
        shutil.copy(course_data / name, folder)
    return _data(course, "diabetes-file", folder, "uri_folder")


def _input(kind, reference, mode=None):
    from azure.ai.ml import Input

    return Input(type=kind, path=reference, mode=mode)


def test_l4_16_template_of_each_of_the_three_types_renders_registers_and_resolves_in_a_job(
    course, course_data, tmp_path
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "table").mkdir()
    for name in ("diabetes.csv", "diabetes2.csv"):
        for folder in ("folder", "table"):
            shutil.copy(course_data / name, tmp_path / folder)
    (tmp_path / "table" / "MLTable").write_text("type: mltable\npaths:\n  - pattern: ./*.csv\n", encoding="utf-8")
    paths = {"uri_file": "folder/diabetes.csv", "uri_folder": "folder", "mltable": "table"}
    inputs = {}
    for kind, path in paths.items():
        template = tmp_path / f"{kind}.yml"
        template.write_text(f"name: ${{project.name}}-{kind}\ntype: {kind}\npath: {path}\n", encoding="utf-8")
        assert f"name: mlops-kit-{kind}\n" in course.cli("render", str(template), "-e", "local").stdout
        made = course.cli_json("data", "register", str(template))
        inputs[kind] = _input(kind, f"azureml:{made['name']}:{made['version']}")
    script = (
        "import os, sys\nprint('file', os.path.isfile(sys.argv[1]), os.path.getsize(sys.argv[1]))\n"
        "print('folder', sorted(os.listdir(sys.argv[2])))\nprint('table', sorted(os.listdir(sys.argv[3])))\n"
    )
    job = course.run(script, "python script.py " + " ".join(f"${{{{inputs.{kind}}}}}" for kind in paths), inputs=inputs)
    log = course.log(job)
    assert f"file True {(course_data / 'diabetes.csv').stat().st_size}" in log
    assert "folder ['diabetes.csv', 'diabetes2.csv']" in log
    assert "table ['MLTable', 'diabetes.csv', 'diabetes2.csv']" in log


@pytest.mark.parametrize("mode", [None, "ro_mount", "download"])
def test_l4_17_l4_29_tabular_input_is_a_path_with_an_mltable_of_15000_rows(course, table, mode):
    script = (
        READ_TABLE
        + "print('MLTable', os.path.isfile(os.path.join(sys.argv[1], 'MLTable')), read_table(sys.argv[1]).shape)\n"
    )
    job = course.run(
        script,
        "python script.py ${{inputs.ds}}",
        inputs={"ds": _input("mltable", "azureml:diabetes-tab@latest", mode)},
    )
    assert "MLTable True (15000, 10)" in course.log(job)


@pytest.mark.parametrize("mode", ["eval_mount", "eval_download"])
def test_l4_29_evaluated_tabular_input_is_the_files_that_its_mltable_names(course, table, mode):
    script = (
        "import glob, os, sys\nimport pandas as pd\nprint('files', sorted(os.listdir(sys.argv[1])))\n"
        "print(pd.concat(map(pd.read_csv, sorted(glob.glob(sys.argv[1] + '/*.csv')))).shape)\n"
    )
    job = course.run(
        script,
        "python script.py ${{inputs.ds}}",
        inputs={"ds": _input("mltable", "azureml:diabetes-tab@latest", mode)},
    )
    log = course.log(job)
    assert "files ['diabetes.csv', 'diabetes2.csv']" in log
    assert "(15000, 10)" in log


def test_l4_29_direct_tabular_input_is_the_address_of_its_mltable(course, table):
    job = course.run(
        "import sys\nprint('at', sys.argv[1])\n",
        "python script.py ${{inputs.ds}}",
        inputs={"ds": _input("mltable", "azureml:diabetes-tab@latest", "direct")},
    )
    address = course.log(job).split("at ")[1].split()[0]
    assert address.startswith("azureml://")
    assert address.rstrip("/").endswith(table.path.rpartition("/datastores/")[2].rstrip("/"))


@pytest.mark.needs_registry
@pytest.mark.slow
def test_l4_17_l4_27_the_reader_of_microsoft_finds_the_same_rows(course, course_data, table, run_with_data_libraries):
    file = course.folder / "read.csv"
    script = "import mltable, sys\nmltable.load(sys.argv[1]).to_pandas_dataframe().to_csv(sys.argv[2], index=False)"
    run_with_data_libraries(script, f"azureml:/{table.id}", file)
    frame = pd.read_csv(file)
    expected = pd.concat([pd.read_csv(course_data / n) for n in ("diabetes.csv", "diabetes2.csv")], ignore_index=True)
    assert frame.shape == (15000, 10)
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)


def test_l4_18_folder_of_three_images_resolves_to_three_paths(course):
    folder = course.folder / "images"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(b"\xff\xd8" + bytes([number]))
    asset = _data(course, "images", folder, "uri_folder")
    job = course.run(
        "import os, sys\nprint(sorted(os.listdir(sys.argv[1])))\n",
        "python script.py ${{inputs.images}}",
        inputs={"images": _input("uri_folder", f"azureml:images:{asset.version}")},
    )
    assert "['0.jpg', '1.jpg', '2.jpg']" in course.log(job)


def test_l4_20_pattern_picks_two_of_three_files_and_a_bare_wildcard_is_a_finding(course, course_data):
    folder = course.folder / "archive-table"
    (folder / "archive").mkdir(parents=True)
    for number in (1, 2):
        (folder / "archive" / f"{number}.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / "archive" / "notes.txt").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / "MLTable").write_text("type: mltable\npaths:\n  - pattern: ./archive/*.csv\n", encoding="utf-8")
    asset = _data(course, "archive", folder, "mltable")
    job = course.run(
        READ_TABLE + "print(len(read_table(sys.argv[1])), 'rows')\n",
        "python script.py ${{inputs.t}}",
        inputs={"t": _input("mltable", f"azureml:archive:{asset.version}")},
    )
    assert "\n2 rows" in f"\n{course.log(job)}"
    template = course.folder / "wildcard.yml"
    template.write_text("name: w\ntype: uri_folder\npath: azureml://datastores/d/paths/a/*.csv\n", encoding="utf-8")
    for environment in ("local", "dev", "test", "prod"):
        ran = course.cli("validate", str(template), "-C", str(course.project), "-e", environment, check=False)
        assert ran.returncode == 2
        assert "wildcard.yml:3:7: error[MK0405]" in ran.stdout


def test_l4_21_one_file_and_one_pattern_give_their_rows_in_the_stated_order(course, course_data):
    folder = course.folder / "mixed-table"
    (folder / "archive").mkdir(parents=True)
    (folder / "current_data.csv").write_text("x\n1\n2\n", encoding="utf-8")
    (folder / "archive" / "old.csv").write_text("x\n8\n9\n7\n", encoding="utf-8")
    paths = "type: mltable\npaths:\n  - file: ./current_data.csv\n  - pattern: ./archive/*.csv\n"
    (folder / "MLTable").write_text(paths, encoding="utf-8")
    asset = _data(course, "mixed", folder, "mltable")
    job = course.run(
        READ_TABLE + "print(list(read_table(sys.argv[1]).x))\n",
        "python script.py ${{inputs.t}}",
        inputs={"t": _input("mltable", f"azureml:mixed:{asset.version}")},
    )
    assert "[1, 2, 8, 9, 7]" in course.log(job)


def test_l4_22_identical_registration_is_the_same_version_unless_a_new_one_is_asked_for(course, tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n", encoding="utf-8")
    template = tmp_path / "data.yml"
    template.write_text("name: same\ntype: uri_file\npath: a.csv\n", encoding="utf-8")
    first = course.cli_json("data", "register", str(template))
    again = course.cli_json("data", "register", str(template))
    assert first["version"] == again["version"] == "1"
    assert (first["created"], again["created"]) == (True, False)
    assert course.cli_json("data", "register", str(template), "--new-version")["version"] == "2"
    assert course.cli_json("data", "register", str(template))["version"] == "2"
    (tmp_path / "a.csv").write_text("x\n2\n", encoding="utf-8")
    assert course.cli_json("data", "register", str(template))["version"] == "3"
    assert [row["version"] for row in course.cli_json("data", "list", "same")] == ["3", "2", "1"]


def test_l4_23_file_asset_of_the_images_lists_only_images(course):
    folder = course.folder / "only-images"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(b"\xff\xd8")
    (folder / ".amlignore").write_text("*.txt\n", encoding="utf-8")
    (folder / "notes.txt").write_text("left out", encoding="utf-8")
    asset = _data(course, "only-images", folder, "uri_folder")
    job = course.run(
        "import os, sys\nprint(sorted(n for n in os.listdir(sys.argv[1]) if not n.startswith('.')))\n",
        "python script.py ${{inputs.i}}",
        inputs={"i": _input("uri_folder", f"azureml:only-images:{asset.version}")},
    )
    assert "['a.jpg', 'b.jpg']" in course.log(job)


def test_l4_24_three_spellings_give_the_same_record_and_an_unknown_name_is_refused(course, table):
    spellings = ("diabetes-tab", f"diabetes-tab:{table.version}", "diabetes-tab@latest")
    shown = [course.cli_json("data", "show", spelling) for spelling in spellings]
    assert shown[0] == shown[1] == shown[2]
    assert shown[0]["id"] == course.ml.data.get("diabetes-tab", version=table.version).id
    ran = course.cli("data", "show", "diabetes-tabb", "-e", "local", check=False)
    assert ran.returncode == 2
    assert "no data asset named 'diabetes-tabb'; did you mean diabetes-tab?" in ran.stderr


def test_l4_25_l4_26_pinned_and_latest_versions_differ_and_the_first_is_unchanged(course, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"\xff\xd8")
    template = tmp_path / "versions.yml"
    template.write_text("name: versions\ntype: uri_folder\npath: images\n", encoding="utf-8")
    first = course.cli_json("data", "register", str(template))
    before = course.cli_json("data", "show", "versions:1")
    (folder / "b.png").write_bytes(b"\x89PNG")
    second = course.cli_json("data", "register", str(template), "--new-version")
    assert (first["version"], second["version"]) == ("1", "2")
    script = "import os, sys\nprint('holds', sorted(os.listdir(sys.argv[1])))\n"
    found = {}
    for reference in ("azureml:versions:1", "azureml:versions@latest"):
        job = course.run(script, "python script.py ${{inputs.v}}", inputs={"v": _input("uri_folder", reference)})
        resolved = job.inputs["v"].path.replace("/versions/", ":").rpartition(":")[2]
        found[resolved] = course.log(job).split("holds ")[1].splitlines()[0]
    assert found == {"1": "['a.jpg']", "2": "['a.jpg', 'b.png']"}
    assert course.cli_json("data", "show", "versions:1") == before


def test_l4_27_frame_read_in_a_job_equals_the_concatenated_files(course, course_data, table):
    script = (
        READ_TABLE
        + "data = read_table(sys.argv[1])\nprint(pd.util.hash_pandas_object(data, index=False).sum(), data.shape)\n"
    )
    job = course.run(
        script, "python script.py ${{inputs.t}}", inputs={"t": _input("mltable", "azureml:diabetes-tab@latest")}
    )
    expected = pd.concat([pd.read_csv(course_data / n) for n in ("diabetes.csv", "diabetes2.csv")], ignore_index=True)
    assert f"{pd.util.hash_pandas_object(expected, index=False).sum()} (15000, 10)" in course.log(job)


def test_l4_30_input_is_reachable_by_argument_and_by_variable(course, table):
    script = (
        "import os, sys\nprint(os.environ['AZURE_ML_INPUT_training_data'] == sys.argv[1], os.path.isdir(sys.argv[1]))\n"
    )
    job = course.run(
        script,
        "python script.py ${{inputs.training_data}}",
        inputs={"training_data": _input("mltable", "azureml:diabetes-tab@latest")},
    )
    assert "True True" in course.log(job)


def test_l4_32_download_is_a_private_copy_that_is_removed(course, files):
    script = (
        "import glob, os, sys\nfor name in glob.glob(sys.argv[1] + '/*.csv'):\n    open(name, 'w').write('changed')\n"
        "print('at', sys.argv[1])\n"
    )
    job = course.run(
        script,
        "python script.py ${{inputs.f}}",
        inputs={"f": _input("uri_folder", "azureml:diabetes-file@latest", "download")},
    )
    log = course.log(job)
    assert job.status == "Completed", log
    where = Path(log.split("at ")[1].split()[0])
    assert not where.exists()
    assert not where.is_relative_to(course.folder)
    check = course.run(
        "import glob, sys\nprint(sum(len(open(n).readlines()) - 1 for n in glob.glob(sys.argv[1] + '/*.csv')))\n",
        "python script.py ${{inputs.f}}",
        inputs={"f": _input("uri_folder", "azureml:diabetes-file@latest", "download")},
    )
    assert "15000" in course.log(check)


def test_l4_33_mount_is_no_copy_and_a_write_to_it_fails(course, files):
    script = (
        "import glob, os, sys\n"
        "names = sorted(glob.glob(sys.argv[1] + '/*.csv'))\n"
        "print('inodes', [os.stat(name).st_ino for name in names])\n"
        "print('rows', sum(len(open(name).readlines()) - 1 for name in names))\n"
        "for name in names if sys.argv[2:] else ():\n"
        "    try:\n        open(name, 'a').write('changed')\n        print('written')\n"
        "    except OSError as error:\n        print('refused', type(error).__name__)\n"
    )
    logs = []
    may_write = os.geteuid() == 0  # an administrator can write to any file: then the job fails for it
    for mode, write in (("mount", ""), ("ro_mount", ""), ("ro_mount", " write"), ("ro_mount", "")):
        mounted = {"f": _input("uri_folder", "azureml:diabetes-file@latest", mode)}
        job = course.run(script, "python script.py ${{inputs.f}}" + write, inputs=mounted)
        assert job.inputs["f"].mode == "ro_mount"
        logs.append(course.log(job))
        assert job.status == ("Failed" if write and may_write else "Completed")
        assert logs[-1].count("written" if may_write else "refused PermissionError") == (2 if write else 0)
    assert all("rows 15000" in log for log in logs)
    inodes = [log.split("inodes ")[1].splitlines()[0] for log in logs]
    assert inodes[0] == inodes[1]  # two jobs, one file


@pytest.mark.parametrize("mode", ["download", "ro_mount"])
def test_l4_34_file_input_with_either_mode_concatenates_to_15000_rows(course, files, mode):
    script = (
        "import glob, sys\nimport pandas as pd\n"
        "print(len(pd.concat(map(pd.read_csv, glob.glob(sys.argv[1] + '/*.csv')))))\n"
        "import os\nprint('named', os.environ['AZURE_ML_INPUT_training_files'] == sys.argv[1])\n"
    )
    job = course.run(
        script,
        "python script.py ${{inputs.training_files}}",
        inputs={"training_files": _input("uri_folder", "azureml:diabetes-file@latest", mode)},
    )
    assert "15000\nnamed True" in course.log(job)


def test_l4_36_upload_is_idempotent_and_changed_content_needs_another_version(course, course_data, tmp_path):
    source = tmp_path / "diabetes.csv"
    shutil.copy(course_data / "diabetes.csv", source)
    first = _data(course, "uploaded", source, "uri_file", version="1")
    again = _data(course, "uploaded", source, "uri_file", version="1")
    assert first.path == again.path
    assert first.path.startswith("azureml://")
    assert first.path.endswith("diabetes.csv")
    source.write_text("changed\n", encoding="utf-8")
    with pytest.raises(Exception, match=r"(?i)exists|conflict"):
        _data(course, "uploaded", source, "uri_file", version="1")
    _data(course, "uploaded", source, "uri_file", version="2")
    script = "import sys\nprint('lines', len(open(sys.argv[1]).readlines()))\n"
    for version, lines in (("1", 10001), ("2", 1)):
        one = {"f": _input("uri_file", f"azureml:uploaded:{version}")}
        assert f"lines {lines}\n" in course.log(course.run(script, "python script.py ${{inputs.f}}", inputs=one))


def test_scenario_s4_figures(course, table, files):
    import mlflow

    command = "python script.py ${{inputs.d}}"
    tabular = course.submit(
        READ_TABLE + TRAIN + "train(read_table(sys.argv[1]))\n",
        command,
        inputs={"d": _input("mltable", "azureml:diabetes-tab@latest")},
    )
    file_order = TRAIN + (
        "import glob, sys\nimport pandas as pd\n"
        "train(pd.concat(map(pd.read_csv, sorted(glob.glob(sys.argv[1] + '/*.csv'), reverse=True))))\n"
    )
    by_file = course.submit(file_order, command, inputs={"d": _input("uri_folder", "azureml:diabetes-file@latest")})
    finished = [course.finished(job) for job in (tabular, by_file)]
    metrics = [mlflow.get_run(job.name).data.metrics for job in finished]
    assert metrics[0]["rows"] == metrics[1]["rows"] == 15000
    assert (metrics[0]["Accuracy"], metrics[0]["AUC"]) == (
        pytest.approx(0.7891, abs=5e-4),
        pytest.approx(0.8569, abs=5e-4),
    )
    assert (metrics[1]["Accuracy"], metrics[1]["AUC"]) == (
        pytest.approx(0.7793, abs=5e-4),
        pytest.approx(0.8468, abs=5e-4),
    )
    assert metrics[1]["AUC"] < metrics[0]["AUC"]
    for number, (job, data) in enumerate(zip(finished, (table, files), strict=True), start=1):
        source = ("--job", job.name, "--path", "outputs/model.pkl", "--name", "diabetes-by-data", "--from-metrics")
        model = course.cli_json("model", "register", *source)
        assert model["version"] == str(number)
        # From the model to the version of the data: the model names its job, the job the version.
        trained_by = course.ml.models.get("diabetes-by-data", model["version"]).job_name
        assert trained_by == job.name
        read = course.cli_json("job", "show", trained_by)["inputs"]["d"]
        assert read.replace("/versions/", ":").endswith(f"{data.name}:{data.version}")
