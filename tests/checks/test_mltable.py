"""MLTable folders: the file has its name, its paths lead to something, its columns are there."""

import pytest

from mlops_kit.checks import Files, tables
from mlops_kit.checks.findings import Edit

ASSET = "name: patients\ntype: mltable\npath: ./patients\n"
CSV = "PatientID,Age,BMI,Diabetic\n1,43,21.5,0\n"
READ = "paths:\n  - file: ./first.csv\ntransformations:\n  - read_delimited\n"
AUTOML = """\
type: automl
task: classification
primary_metric: accuracy
target_column_name: {target}
training_data:
  type: mltable
  path: ../data/patients
compute: azureml:cpu-cluster
limits: {{timeout_minutes: 60, max_trials: 4}}
"""


def _found(folder, table, csv=CSV):
    """Return what is wrong with an MLTable, without the path of the file."""
    folder.put("data/patients/first.csv", csv)
    if table is not None:
        folder.put("data/patients/MLTable", table)
    lines = folder.found(ASSET, "data/patients.yml")
    return [line.removeprefix(f"{folder.root}/data/patients/MLTable:") for line in lines]


def test_r24_a_folder_without_an_mltable_file_is_found(folder):
    assert _found(folder, None) == ["3:7: error[MK0406]: folder `./patients` holds no file named MLTable"]


@pytest.mark.parametrize("name", ["mltable", "MLTable.yml", "mltable.yaml", "MLTABLE"])
def test_r24_a_file_of_nearly_the_right_name_is_named(folder, name):
    folder.put(f"data/patients/{name}", READ)
    (found,) = _found(folder, None)
    assert found.endswith(f"holds no file named MLTable; rename `{name}` to `MLTable`")


def test_r24_a_path_with_backslashes_is_found(folder):
    assert _found(folder, "paths:\n  - file: .\\first.csv\ntransformations: [read_delimited]\n") == [
        "2:11: error[MK0403]: `.\\first.csv` is written with backslashes; write `./first.csv`"
    ]


def test_r24_a_pattern_that_matches_nothing_is_found(folder):
    (found,) = _found(folder, "paths:\n  - pattern: ./*.parquet\ntransformations: [read_parquet]\n")
    assert found.startswith("2:14: error[MK0412]: `./*.parquet` matches nothing; looked in ")


@pytest.mark.parametrize("pattern", ["./*.csv", "**/*.csv", "./archive/**/*.csv", "archive/*"])
def test_l4_20_a_pattern_that_matches_passes(folder, pattern):
    folder.put("data/patients/archive/2025/second.csv", CSV)
    assert _found(folder, f"paths: [{{pattern: '{pattern}'}}]\ntransformations: [read_delimited]\n") == []


def test_r24_a_target_that_is_no_column_of_the_header_is_found_at_the_job(folder):
    assert _found(folder, READ) == []
    assert folder.found(AUTOML.format(target="diabetic")) == [
        "4:21: error[MK0414]: the table has no column `diabetic`; did you mean `Diabetic`"
    ]
    assert folder.found(AUTOML.format(target="Diabetic")) == []


def test_a_target_that_is_like_no_column_is_answered_with_the_columns(folder):
    _found(folder, READ)
    (found,) = folder.found(AUTOML.format(target="outcome"))
    assert found.endswith("columns: PatientID, Age, BMI, Diabetic")


def test_r24_data_of_automated_learning_without_a_type_is_a_table(folder):
    folder.put("data/patients/first.csv", CSV)
    text = AUTOML.format(target="Diabetic").replace("  type: mltable\n", "")
    (found,) = [line for line in folder.found(text) if "MK0406" in line]
    assert found == "6:9: error[MK0406]: folder `../data/patients` holds no file named MLTable"
    folder.put("data/patients/MLTable", READ)
    assert folder.found(text) == []
    (found,) = folder.found(text.replace("data/patients", "data/patient"))
    assert "error[MK0401]" in found


def test_every_column_that_a_forecast_names_is_looked_for(folder):
    _found(folder, READ)
    text = AUTOML.format(target="Diabetic").replace("classification", "forecasting").replace("accuracy", "r2_score")
    text += (
        "weight_column_name: weight\nforecasting: {time_column_name: day, time_series_id_column_names: [BMI, shop]}\n"
    )
    found = [line for line in folder.found(text) if "error[MK0414]" in line]
    assert [line.partition("`")[2].partition("`")[0] for line in found] == ["weight", "day", "shop"]


def test_a_step_of_a_pipeline_finds_its_table_through_the_input_of_the_pipeline(folder):
    _found(folder, READ)
    step = "".join(
        f"    {line}\n" for line in AUTOML.format(target="nothing").splitlines() if not line.startswith(("  ", "train"))
    )
    text = (
        "type: pipeline\ninputs:\n  table: {type: mltable, path: ../data/patients}\njobs:\n  learn:\n"
        f"{step}    training_data: ${{{{parent.inputs.table}}}}\n"
    )
    (found,) = [line for line in folder.found(text) if "MK0414" in line]
    assert "the table has no column `nothing`" in found


@pytest.mark.parametrize(
    "table",
    [
        READ,
        "$schema: https://azuremlschemas.azureedge.net/latest/MLTable.schema.json\n" + READ,
        "type: mltable\npaths: [{folder: ./}]\ntransformations: [read_parquet]\n",
        "paths: [{file: azureml://datastores/raw/paths/a.csv}, {folder: 'https://host/b/'}]\n",
        READ.replace("read_delimited", "read_delimited: {delimiter: ',', header: from_first_file, encoding: utf8}")
        + "  - convert_column_types: [{columns: [Age, BMI], column_type: float}, {columns: Age, column_type: int}]\n"
        + "  - filter: col('Age') > 18\n  - take: 5\n  - keep_columns: [Age, Diabetic]\n",
        "query_source: {handler: sql, query: select 1}\n",
    ],
)
def test_right_tables_pass(folder, table):
    assert _found(folder, table) == []


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("[1]\n", "1:1: error[MK0100]: the document is no map"),
        ("paths: [\n", "error[MK0100]: malformed YAML"),
        (
            "paths: [{file: ./first.csv}]\ntransformation: [read_delimited]\n",
            "2:1: error[MK0102]: unknown key `transformation`; did you mean `transformations`",
        ),
        ("transformations: [read_delimited]\n", "1:1: error[MK0104]: required key `paths` is missing"),
        ("paths:\n  - ./first.csv\n", "2:5: error[MK0410]: `./first.csv` is a text; write `file: ./first.csv`"),
        ("paths:\n  - ./*.csv\n", "2:5: error[MK0410]: `./*.csv` is a text; write `pattern: ./*.csv`"),
        ("paths:\n  - {file: ./first.csv, pattern: ./*.csv}\n", "2:5: error[MK0410]: an entry of `paths` is one of"),
        ("paths:\n  - files: ./first.csv\n", "2:5: error[MK0410]: `files` is no kind of path; did you mean `file`"),
        ("paths:\n  - file: ../first.csv\n", "2:11: error[MK0411]: `../first.csv` leads out of the folder"),
        (
            "paths:\n  - file: /data/first.csv\n",
            "2:11: error[MK0411]: `/data/first.csv` is a path of this machine only",
        ),
        (
            "paths:\n  - file: ./frist.csv\n",
            "2:11: error[MK0401]: file `./frist.csv` does not exist; did you mean `first.csv`",
        ),
        (
            "paths:\n  - folder: ./first.csv\n",
            "2:13: error[MK0404]: `./first.csv` is a file; write `file: ./first.csv`",
        ),
        (
            "paths: [{file: ./first.csv}]\ntransformations:\n  - read_csv\n",
            "3:5: error[MK0413]: `read_csv` is no transformation",
        ),
        (
            "paths: [{file: ./first.csv}]\ntransformations:\n  - read_delimited: {seperator: ';'}\n",
            "3:22: error[MK0102]: unknown key `seperator` in `read_delimited`",
        ),
        (
            "paths: [{file: ./first.csv}]\ntransformations:\n  - read_delimited: {header: true}\n",
            "3:30: error[MK0106]: `true` is not a value of `header`; expected one of no_header",
        ),
        (
            "paths: [{file: ./first.csv}]\ntransformations:\n  - read_delimited: {encoding: utf-9}\n",
            "3:32: error[MK0106]: `utf-9` is not a value of `encoding`; did you mean `utf-8`",
        ),
        (
            "paths: [{file: ./first.csv}]\ntransformations:\n  - read_delimited: {delimiter: comma}\n",
            "3:33: error[MK0107]: `comma` is not a form that `delimiter` can have",
        ),
    ],
)
def test_each_fault_of_a_table_is_one_finding_at_its_place(folder, table, expected):
    (found,) = _found(folder, table)
    assert expected in found


@pytest.mark.parametrize(
    ("transformation", "expected"),
    [
        (
            "drop_columns: PatientId",
            "5:19: error[MK0414]: the table has no column `PatientId`; did you mean `PatientID`",
        ),
        ("keep_columns: [Age, Weight]", "5:25: error[MK0414]: the table has no column `Weight`"),
        (
            "convert_column_types: [{columns: age, column_type: int}]",
            "5:38: error[MK0414]: the table has no column `age`",
        ),
        ("filter: col(\"age\") > 18 and col('BMI') > 20", "5:13: error[MK0414]: the table has no column `age`"),
    ],
)
def test_a_column_that_a_transformation_names_is_looked_for(folder, transformation, expected):
    (found,) = _found(folder, f"{READ}  - {transformation}\n")
    assert expected in found


def test_columns_are_those_that_the_transformations_left(folder):
    (found,) = _found(folder, READ + "  - drop_columns: Age\n  - filter: col('Age') > 18\n")
    assert found.startswith("6:13: error[MK0414]: the table has no column `Age`")
    added = (
        "  - extract_columns_from_partition_format: {partition_format: '/{year:yyyy}/*.csv'}\n  - drop_columns: year\n"
    )
    assert _found(folder, READ + added) == []


@pytest.mark.parametrize(
    ("settings", "csv"),
    [
        ("{delimiter: ';'}", "Age;Weight\n1;2\n"),
        ("{encoding: latin1}", "Age,Weight\n1,ä\n"),
        ("{include_path_column: true}", "Age,Weight,Path\n"),
        ("{path_column: Weight}", "Age\n1\n"),
        ("{}", '\ufeff"Age","Weight"\r\n1,2\r\n'),
    ],
)
def test_the_header_is_read_as_the_settings_say(folder, settings, csv):
    table = READ.replace("read_delimited", f"read_delimited: {settings}") + "  - keep_columns: [Age, Weight]\n"
    assert _found(folder, table, csv) == []
    (found,) = _found(folder, table.replace("Weight]", "Height]"), csv)
    assert "no column `Height`" in found


@pytest.mark.parametrize(
    ("table", "csv"),
    [
        (READ.replace("read_delimited", "read_delimited: {header: no_header}"), CSV),
        (READ.replace("read_delimited", "read_delimited: {header: all_files_different_headers}"), CSV),
        (READ.replace("read_delimited", "read_json_lines"), '{"Age": 1}\n'),
        (READ + "  - keep_columns: {pattern: 'A.*'}\n", CSV),
        (READ, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        (READ, ""),
        (READ.replace("./first.csv", "azureml://datastores/raw/paths/a.csv"), CSV),
    ],
)
def test_where_the_columns_cannot_be_told_nothing_is_said_of_them(folder, table, csv):
    assert _found(folder, table + "  - drop_columns: Nothing\n", csv) == []


@pytest.mark.parametrize("path", ["folder: ./", "folder: .", "pattern: ./*.csv", "pattern: '**/*.csv'"])
def test_the_columns_of_a_folder_are_those_of_its_first_csv_file(folder, path):
    folder.put("data/patients/README.md", "# Patients\n")
    table = READ.replace("file: ./first.csv", path)
    assert _found(folder, table + "  - keep_columns: [Age, BMI]\n") == []
    (found,) = _found(folder, table + "  - keep_columns: [Age, Weight]\n")
    assert "no column `Weight`" in found


@pytest.mark.parametrize("pattern", [".", "a**b", "***", "[", "./"])
def test_what_is_no_pattern_matches_nothing(folder, pattern):
    (found,) = _found(folder, f"paths: [{{pattern: '{pattern}'}}]\n")
    assert f"error[MK0412]: `{pattern}` matches nothing" in found


def test_a_table_that_a_job_takes_as_input_is_opened(folder):
    _found(folder, "paths: [{file: ./absent.csv}]\n")
    text = (
        "command: echo ${{inputs.table}}\nenvironment: azureml:sklearn@latest\n"
        "inputs:\n  table: {type: mltable, path: ../data/patients}\n"
    )
    (found,) = folder.found(text)
    assert "data/patients/MLTable:1:16: error[MK0401]: file `./absent.csv` does not exist" in found


def test_l10_17_frames_and_arrays_of_v1_are_no_keys(folder):
    _found(folder, READ)
    (found,) = folder.found(AUTOML.format(target="Diabetic") + "X: features\n")
    assert "error[MK0102]: unknown key `X`" in found


def test_nothing_outside_of_the_project_is_read(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "hidden.csv").write_text("Hidden\n1\n")
    (outside / "MLTable").write_text("paths: [{file: ./absent.csv}]\n")
    (found,) = _found(
        folder, f"paths: [{{file: {outside}/hidden.csv}}]\n{READ.partition('csv')[2]}  - drop_columns: A\n"
    )
    assert "MK0411" in found
    (folder.root / "data/patients/linked.csv").symlink_to(outside / "hidden.csv")
    assert _found(folder, READ.replace("first", "linked") + "  - drop_columns: A\n") == []
    (folder.root / "data/patients/MLTable").unlink()
    (folder.root / "data/patients/MLTable").symlink_to(outside / "MLTable")
    assert _found(folder, None) == []


def test_backslashes_can_be_mended(folder):
    table = folder.put("data/patients/MLTable", READ.replace("./", ".\\"))
    folder.put("data/patients/first.csv", CSV)
    (finding,) = tables.faults(tables.read(str(table.parent)), Files(folder.root))
    assert finding.edit == Edit(".\\first.csv", "./first.csv")


def test_a_file_whose_name_is_too_long_is_not_there(folder):
    folder.put("data/table/MLTable", f"paths:\n  - file: ./{'x' * 5000}\ntransformations:\n  - read_delimited\n")
    text = "name: t\ntype: mltable\npath: ./table\n"
    assert any("MK0401" in line for line in folder.found(text, "data/t.yml"))
