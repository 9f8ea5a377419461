"""Command jobs through the real SDK: the command line, inputs, outputs, artefacts, limits and distributions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SHOW = "import os, sys\nprint(*sys.argv[1:], sep='\\n')\n"


def _input(kind: str, path: Any, **fields: Any) -> Any:
    from azure.ai.ml import Input

    return Input(type=kind, path=str(path), **fields)


def _output(kind: str, **fields: Any) -> Any:
    from azure.ai.ml import Output

    return Output(type=kind, **fields)


def _data(ml: Any, name: str, path: Path, kind: str) -> str:
    from azure.ai.ml.entities import Data

    made = ml.data.create_or_update(Data(name=name, path=str(path), type=kind))
    return f"azureml:{name}:{made.version}"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("table") / "table.csv"
    file.write_text("a,b\n1,2\n")
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("folder") / "parts"
    (root / "deep").mkdir(parents=True)
    (root / "one.csv").write_text("1\n")
    (root / "deep" / "two.csv").write_text("2\n")
    return root


# The command -------------------------------------------------------------------------------------------------------


def test_the_command_runs_in_a_copy_of_its_code_with_nothing_beside_it(jobs):
    files = {"main.py": "import os\nprint(sorted(os.listdir('.')), os.path.exists('../other.txt'))\n", "a.txt": "a"}
    job = jobs.completed("python main.py", files)
    assert jobs.log(job) == "['a.txt', 'logs', 'main.py', 'outputs'] False\n"


def test_a_job_cannot_change_the_code_of_the_next(jobs):
    files = {"main.py": "print(open('a.txt').read())\nopen('a.txt', 'w').write('changed')\n", "a.txt": "as submitted"}
    first = jobs.completed("python main.py", files)
    again = jobs.ml.jobs.get(first.name)
    second = jobs.completed("python main.py", files)
    assert jobs.log(second) == "as submitted\n"
    assert jobs.ml.jobs.get(second.name).code == again.code


def test_a_command_that_fails_in_its_first_of_two_lines_fails_the_job(jobs):
    job = jobs.run("ls no-such-file\necho second line")
    assert job.status == "Failed"
    assert "second line" not in jobs.log(job)
    assert "exited with status code 2" in jobs.error(job)


def test_a_failure_names_code_and_exception_and_shows_the_last_lines(jobs):
    files = {"main.py": "print('before')\nraise ValueError('bad split')\n"}
    job = jobs.run("python main.py", files)
    assert job.status == "Failed"
    told = jobs.error(job)
    assert "exited with status code 1. ValueError: bad split" in told
    assert "before\nTraceback" in told


def test_a_process_ended_by_a_signal_says_which(jobs):
    job = jobs.run("kill -9 $$")
    assert "was ended by signal 9" in jobs.error(job)


def test_stdout_and_stderr_are_in_one_log_in_order(jobs):
    job = jobs.completed("echo one; echo two >&2; echo three")
    assert jobs.log(job) == "one\ntwo\nthree\n"


def test_an_undeclared_reference_is_refused_before_the_job_runs(jobs):
    from azure.core.exceptions import HttpResponseError

    body = {
        "properties": {
            "jobType": "Command",
            "command": "echo ${{inputs.wrong}}",
            "environmentId": "azureml:AzureML-minimal@latest",
            "inputs": {"right": {"jobInputType": "literal", "value": "1"}},
        }
    }
    with pytest.raises(HttpResponseError, match=r"'inputs.wrong'.*inputs.right"):
        _put(jobs.ml, "undeclared", body)
    with pytest.raises(HttpResponseError):
        jobs.ml.jobs.get("undeclared")


def _put(ml: Any, name: str, body: dict[str, Any]) -> Any:
    client = ml.jobs.service_client_01_2025_preview.jobs
    return client.create_or_update(
        id=name, resource_group_name=ml.resource_group_name, workspace_name=ml.workspace_name, body=body
    )


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ({"req": {"jobInputType": "literal", "value": "x"}}, "--req x --end"),
        (
            {
                "req": {"jobInputType": "literal", "value": "x"},
                "opt": {"jobInputType": "literal", "value": "5"},
            },
            "--req x --opt 5 --end",
        ),
    ],
)
def test_optional_group_is_expanded_with_blanks_or_dropped_whole(jobs, inputs, line):
    name = f"optional-{len(inputs)}"
    body = {
        "properties": {
            "jobType": "Command",
            "command": "echo --req ${{inputs.req}} $[[--opt ${{inputs.opt}}]] --end",
            "environmentId": "azureml:AzureML-minimal@latest",
            "inputs": inputs,
        }
    }
    _put(jobs.ml, name, body)
    job = jobs.wait(name)
    assert jobs.log(job) == f"{line}\n", (job.status, jobs.error(job))


def test_literals_are_written_as_they_were_given(jobs):
    inputs = {"text": "two words", "number": 2.5, "integer": 7, "boolean": True, "small": 1e-05}
    command = "echo '${{inputs.text}}' ${{inputs.number}} ${{inputs.integer}} ${{inputs.boolean}} ${{inputs.small}}"
    job = jobs.completed(command, inputs=inputs)
    assert jobs.log(job) == "two words 2.5 7 True 1e-05\n"


def test_the_job_knows_its_run_its_workspace_and_its_inputs(jobs, table):
    names = ("AZUREML_RUN_ID", "AZUREML_ARM_WORKSPACE_NAME", "MLFLOW_RUN_ID", "AZUREML_EXPERIMENT_NAME", "GREETING")
    job = jobs.completed(
        " && ".join(f'echo "${name}"' for name in (*names, "AZURE_ML_INPUT_table", "AZURE_ML_OUTPUT_made"))
        + " && touch ${{outputs.made}}/x",
        inputs={"table": _input("uri_file", table)},
        outputs={"made": _output("uri_folder")},
        environment_variables={"GREETING": "hello there"},
        experiment_name="variables",
    )
    lines = jobs.log(job).splitlines()
    assert lines[:5] == [job.name, jobs.ml.workspace_name, job.name, "variables", "hello there"]
    assert lines[5].endswith("/table.csv")
    assert lines[6].endswith(f"/{job.name}/named/made")


# Inputs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
def test_a_file_is_read_at_a_path_that_keeps_its_name(jobs, table, mode):
    job = jobs.completed(
        "echo ${{inputs.table}}; cat ${{inputs.table}}", inputs={"table": _input("uri_file", table, mode=mode)}
    )
    path, *content = jobs.log(job).splitlines()
    assert path.endswith("/table.csv")
    assert content == ["a,b", "1,2"]


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
def test_a_folder_is_a_real_folder_with_everything_below_it(jobs, folder, mode):
    job = jobs.completed(
        "cd ${{inputs.parts}} && find . -type f | sort", inputs={"parts": _input("uri_folder", folder, mode=mode)}
    )
    assert jobs.log(job) == "./deep/two.csv\n./one.csv\n"


def test_a_mount_is_not_copied_for_every_job(jobs, table):
    asset = _data(jobs.ml, "shared-table", table, "uri_file")
    paths = [jobs.log(jobs.completed("echo ${{inputs.t}}", inputs={"t": _input("uri_file", asset)})) for _ in range(2)]
    assert paths[0] == paths[1]


def test_a_mount_shows_what_is_stored_now(jobs, tmp_path):
    from azure.ai.ml._artifacts._artifact_utilities import get_datastore_info
    from azure.ai.ml._utils._storage_utils import get_storage_client

    info = get_datastore_info(jobs.ml._datastores, "workspaceblobstore")
    container = get_storage_client(
        **{
            key: info[key]
            for key in ("credential", "storage_account", "storage_type", "account_url", "container_name")
            if key in info
        }
    ).container_client
    seen = []
    for text in ("old", "new"):
        container.get_blob_client("changing/a.txt").upload_blob(text, overwrite=True)
        uri = "azureml://datastores/workspaceblobstore/paths/changing/"
        seen.append(jobs.log(jobs.completed("cat ${{inputs.f}}/a.txt", inputs={"f": _input("uri_folder", uri)})))
    assert seen == ["old", "new"]


def test_writing_to_a_mount_fails_the_job_naming_the_file_and_spares_the_next(jobs, folder):
    asset = _data(jobs.ml, "spared", folder, "uri_folder")
    command = "cat ${{inputs.f}}/one.csv; "
    job = jobs.run(command + "echo spoiled > ${{inputs.f}}/one.csv", inputs={"f": _input("uri_folder", asset)})
    assert job.status == "Failed"
    assert "one.csv" in jobs.error(job)
    after = jobs.completed(command, inputs={"f": _input("uri_folder", asset)})
    assert jobs.log(after) == "1\n"


def test_a_download_may_be_written_and_is_the_jobs_own(jobs, folder):
    asset = _data(jobs.ml, "written", folder, "uri_folder")
    command = "echo x >> ${{inputs.f}}/one.csv; cat ${{inputs.f}}/one.csv"
    for _ in range(2):
        job = jobs.completed(command, inputs={"f": _input("uri_folder", asset, mode="download")})
        assert jobs.log(job) == "1\nx\n"


def test_direct_gives_the_address(jobs, table):
    asset = _data(jobs.ml, "direct", table, "uri_file")
    job = jobs.completed("echo ${{inputs.t}}", inputs={"t": _input("uri_file", asset, mode="direct")})
    text = jobs.log(job).strip()
    assert text.startswith("azureml://subscriptions/")
    assert text.endswith("/table.csv")


@pytest.mark.parametrize("mode", ["eval_mount", "eval_download"])
def test_an_evaluated_mltable_is_the_files_that_it_names(jobs, tmp_path, mode):
    root = tmp_path / "table"
    root.mkdir()
    (root / "MLTable").write_text("paths:\n  - pattern: ./*.csv\ntransformations:\n  - read_delimited:\n")
    (root / "yes.csv").write_text("a\n1\n")
    (root / "no.txt").write_text("no")
    asset = _data(jobs.ml, f"evaluated-{mode}", root, "mltable")
    job = jobs.completed(
        "ls ${{inputs.t}}; ls ${{inputs.whole}}",
        inputs={"t": _input("mltable", asset, mode=mode), "whole": _input("mltable", asset)},
    )
    assert jobs.log(job).split() == ["yes.csv", "MLTable", "no.txt", "yes.csv"]


@pytest.mark.parametrize("kind", ["custom_model", "mlflow_model"])
def test_a_model_is_an_input(jobs, tmp_path, kind):
    from azure.ai.ml.entities import Model

    root = tmp_path / "model"
    root.mkdir()
    (root / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: x\n")
    model = jobs.ml.models.create_or_update(Model(name=f"input-{kind.replace('_', '-')}", path=str(root), type=kind))
    job = jobs.completed(
        "cat ${{inputs.m}}/MLmodel", inputs={"m": _input(kind, f"azureml:{model.name}:{model.version}")}
    )
    assert "loader_module" in jobs.log(job)


def test_latest_and_long_and_short_addresses_name_the_same_content(jobs, table):
    _data(jobs.ml, "forms", table, "uri_file")
    long = jobs.ml.data.get("forms", label="latest").path
    short = "azureml://datastores/" + long.partition("/datastores/")[2]
    inputs = {
        name: _input("uri_file", path)
        for name, path in (("latest", "azureml:forms@latest"), ("long", long), ("short", short))
    }
    job = jobs.completed("cat ${{inputs.latest}} ${{inputs.long}} ${{inputs.short}}", inputs=inputs)
    assert jobs.log(job) == "a,b\n1,2\n" * 3


def test_missing_content_fails_the_job_naming_the_input(jobs):
    uri = "azureml://datastores/workspaceblobstore/paths/nowhere.csv"
    job = jobs.run("echo unreached", inputs={"gone": _input("uri_file", uri)})
    assert job.status == "Failed"
    assert "The input 'gone'" in jobs.error(job)
    assert "'nowhere.csv'" in jobs.error(job)


def test_an_asset_of_another_type_fails_the_job_naming_both_types(jobs, table):
    asset = _data(jobs.ml, "mistyped", table, "uri_file")
    job = jobs.run("echo unreached", inputs={"rows": _input("uri_folder", asset)})
    assert job.status == "Failed"
    expected = f"The input 'rows' is declared as uri_folder, but the data asset '{asset[8:]}' is uri_file."
    assert expected in jobs.error(job)


def test_a_web_address_is_read_through_the_router_or_not_at_all(jobs):
    job = jobs.run("true", inputs={"far": _input("uri_file", "https://data.example.org/a.csv")})
    assert job.status == "Failed"
    assert "The input 'far' (https://data.example.org/a.csv) could not be read" in jobs.error(job)
    assert "403" in jobs.error(job)


def test_a_folder_in_another_storage_account_is_refused_with_a_reason(jobs):
    uri = "wasbs://public@elsewhere.blob.core.windows.net/folder"
    job = jobs.run("true", inputs={"far": _input("uri_folder", uri)})
    assert job.status == "Failed"
    assert "only a uri_file can be read" in jobs.error(job)


def test_interactive_services_are_named_as_not_started(jobs):
    from azure.ai.ml.entities import JupyterLabJobService

    job = jobs.completed("true", services={"lab": JupyterLabJobService()})
    told = [warning.message for warning in jobs.details(job.name).warnings]
    assert "The service 'lab' (JupyterLab) is not started by the local control plane." in told


# Outputs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_a_file_output_has_a_parent_and_does_not_exist_before(jobs, mode):
    job = jobs.completed(
        'test -d "$(dirname ${{outputs.o}})" && test ! -e ${{outputs.o}} && echo made > ${{outputs.o}}',
        outputs={"o": _output("uri_file", mode=mode)},
    )
    assert job.outputs["o"].path == f"azureml://datastores/workspaceblobstore/paths/azureml/{job.name}/o"
    reader = jobs.completed("cat ${{inputs.i}}", inputs={"i": _input("uri_file", job.outputs["o"].path)})
    assert jobs.log(reader) == "made\n"


def test_a_folder_output_is_kept_with_what_is_below_it(jobs):
    job = jobs.completed(
        "mkdir ${{outputs.o}}/deep && echo 1 > ${{outputs.o}}/deep/a.txt", outputs={"o": _output("uri_folder")}
    )
    assert jobs.left(job)["named-outputs/o/deep/a.txt"].read_text() == "1\n"


@pytest.mark.parametrize("kind", ["uri_file", "uri_folder", "mltable", "mlflow_model"])
def test_an_output_that_was_not_written_fails_the_job(jobs, kind):
    job = jobs.run("echo nothing", outputs={"o": _output(kind)})
    assert job.status == "Failed"
    assert "The output 'o' was not written" in jobs.error(job)


def test_no_address_of_an_output_is_made_up_before_the_job_ran(jobs, tmp_path):
    go = tmp_path / "go"
    job = jobs.submit(
        f"while ! test -e {go}; do sleep 0.1; done; touch ${{{{outputs.o}}}}", outputs={"o": _output("uri_file")}
    )
    jobs.wait(job, until={"Running"})
    running, body = jobs.ml.jobs.get(job.name), jobs.ml.jobs._get_job(job.name)
    go.touch()

    assert running.outputs["o"].path is None
    assert "default" not in body.properties.outputs
    assert jobs.wait(job).outputs["o"].path.endswith(f"/paths/azureml/{job.name}/o")


def test_tokens_in_the_address_of_an_output_are_filled(jobs):
    place = "azureml://datastores/workspaceblobstore/paths/results/${{name}}/${{output_name}}/"
    job = jobs.completed("echo 1 > ${{outputs.o}}/a.txt", outputs={"o": _output("uri_folder", path=place)})
    assert job.outputs["o"].path.endswith(f"/paths/results/{job.name}/o/")


def test_a_named_output_becomes_a_data_asset(jobs):
    job = jobs.completed("echo 1 > ${{outputs.o}}", outputs={"o": _output("uri_file", name="made-by-job")})
    made = jobs.ml.data.get("made-by-job", label="latest")
    assert made.path.endswith(f"/paths/azureml/{job.name}/o")
    assert made.type == "uri_file"
    again = jobs.completed("cat ${{inputs.i}}", inputs={"i": _input("uri_file", "azureml:made-by-job@latest")})
    assert jobs.log(again) == "1\n"


def test_a_named_output_becomes_a_model(jobs):
    text = "flavors: {python_function: {loader_module: x}}"
    jobs.completed(
        f"echo '{text}' > ${{{{outputs.m}}}}/MLmodel",
        outputs={"m": _output("mlflow_model", name="model-by-job", version="7")},
    )
    model = jobs.ml.models.get("model-by-job", "7")
    assert model.type == "mlflow_model"
    assert "python_function" in model.flavors


def test_a_version_that_exists_fails_the_job_that_would_change_it(jobs):
    outputs = {"o": _output("uri_file", name="taken", version="1")}
    jobs.completed("echo 1 > ${{outputs.o}}", outputs=outputs)
    job = jobs.run("echo 2 > ${{outputs.o}}", outputs=outputs)
    assert job.status == "Failed"
    assert "could not be registered as 'taken:1'" in jobs.error(job)


def test_what_is_in_outputs_and_logs_is_kept_even_when_the_job_fails(jobs):
    job = jobs.run("echo kept > outputs/kept.txt; mkdir -p logs/deep; echo too > logs/deep/too.txt; exit 3")
    assert job.status == "Failed"
    left = jobs.left(job)
    assert left["artifacts/outputs/kept.txt"].read_text() == "kept\n"
    assert left["artifacts/logs/deep/too.txt"].read_text() == "too\n"
    assert "artifacts/system_logs/environment.txt" in left


def test_a_mounted_output_of_a_failed_job_is_kept_and_an_upload_is_not(jobs):
    outputs = {"mounted": _output("uri_folder", mode="rw_mount"), "later": _output("uri_folder", mode="upload")}
    job = jobs.run("echo 1 > ${{outputs.mounted}}/a; echo 1 > ${{outputs.later}}/a; exit 1", outputs=outputs)
    base = f"azureml://datastores/workspaceblobstore/paths/azureml/{job.name}"
    reader = jobs.completed("cat ${{inputs.i}}", inputs={"i": _input("uri_file", f"{base}/mounted/a")})
    assert jobs.log(reader) == "1\n"
    assert jobs.run("true", inputs={"i": _input("uri_file", f"{base}/later/a")}).status == "Failed"


# Limits and distributions ------------------------------------------------------------------------------------------


def test_a_job_over_its_time_is_cancelled_and_says_so(jobs):
    job = jobs.run("echo begun; sleep 60", timeout=1)
    assert job.status == "Canceled"
    assert "longer than its limit of 1 seconds" in jobs.error(job)
    assert jobs.log(job) == "begun\n"


def _environments(jobs: Any, distribution: Any, names: tuple[str, ...], nodes: int) -> list[dict[str, str]]:
    script = f"import json, os\nprint(json.dumps({{n: os.environ.get(n) for n in {names!r}}}))\n"
    job = jobs.completed("python main.py", {"main.py": script}, distribution=distribution, instance_count=nodes)
    left = jobs.left(job)
    logs = [path for name, path in left.items() if "/user_logs/std_log_process_" in name]
    return [json.loads(path.read_text()) for path in logs]


def test_pytorch_processes_know_their_rank(jobs):
    from azure.ai.ml import PyTorchDistribution

    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT")
    found = _environments(jobs, PyTorchDistribution(process_count_per_instance=2), names, 2)
    assert [(one["RANK"], one["LOCAL_RANK"], one["NODE_RANK"]) for one in found] == [
        ("0", "0", "0"),
        ("1", "1", "0"),
        ("2", "0", "1"),
        ("3", "1", "1"),
    ]
    assert {one["WORLD_SIZE"] for one in found} == {"4"}
    assert len({one["MASTER_PORT"] for one in found}) == 1


def test_mpi_processes_know_their_rank(jobs):
    from azure.ai.ml import MpiDistribution

    names = ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK")
    found = _environments(jobs, MpiDistribution(process_count_per_instance=1), names, 2)
    assert [tuple(one.values()) for one in found] == [("0", "2", "0"), ("1", "2", "0")]


def test_tensorflow_processes_know_their_cluster(jobs):
    from azure.ai.ml import TensorFlowDistribution

    found = _environments(jobs, TensorFlowDistribution(worker_count=2, parameter_server_count=1), ("TF_CONFIG",), 2)
    configs = [json.loads(one["TF_CONFIG"]) for one in found]
    assert [(one["task"]["type"], one["task"]["index"]) for one in configs] == [("worker", 0), ("worker", 1), ("ps", 0)]
    assert all(len(one["cluster"]["worker"]) == 2 and len(one["cluster"]["ps"]) == 1 for one in configs)


def test_one_failing_process_fails_the_job_and_stops_the_others(jobs):
    from azure.ai.ml import PyTorchDistribution

    job = jobs.run(
        'if [ "$RANK" = 1 ]; then exit 7; fi; sleep 60; echo survived',
        distribution=PyTorchDistribution(process_count_per_instance=3),
    )
    assert job.status == "Failed"
    assert "exited with status code 7" in jobs.error(job)
    assert "std_log_process_1.txt" in jobs.error(job)
    assert "survived" not in jobs.log(job, "user_logs/std_log_process_0.txt")


# MLflow ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_mlflow_in_a_job_logs_to_the_run_of_the_job(jobs):
    import mlflow

    script = "import mlflow\nmlflow.log_metric('m', 1.5)\nmlflow.log_text('t', 'note.txt')\n"
    job = jobs.completed("python main.py", {"main.py": script}, experiment_name="in-job", tags={"of": "job"})
    run = mlflow.get_run(job.name)
    assert run.data.metrics == {"m": 1.5}
    assert run.data.tags["of"] == "job"
    assert run.info.status == "FINISHED"
    assert jobs.left(job)["artifacts/note.txt"].read_text() == "t"
