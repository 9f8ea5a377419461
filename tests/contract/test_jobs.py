"""Jobs through the real SDK: their life, cancelling in every state, lists, updates, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from azure.core.exceptions import HttpResponseError

STATES = ["Queued", "Preparing", "Running", "Finalizing", "Completed"]


def _body(command: str = "true", **properties: Any) -> dict[str, Any]:
    environment = "azureml:AzureML-minimal@latest"
    return {"properties": {"jobType": "Command", "command": command, "environmentId": environment, **properties}}


def _put(ml: Any, name: str, body: dict[str, Any]) -> Any:
    client = ml.jobs.service_client_01_2025_preview.jobs
    return client.create_or_update(
        id=name, resource_group_name=ml.resource_group_name, workspace_name=ml.workspace_name, body=body
    )


def _names(ml: Any, **fields: Any) -> list[str]:
    return [job.name for job in ml.jobs.list(**fields)]


def _eventually(found: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.05)


# Life --------------------------------------------------------------------------------------------------------------


def test_a_job_passes_every_state_in_order_with_its_times(jobs, local_workspace):
    import json
    import sqlite3

    job = jobs.completed("echo done")
    query = "SELECT private FROM resources WHERE key LIKE ?"
    with sqlite3.connect(f"file:{local_workspace.state}/resources.db?mode=ro", uri=True) as database:
        [[private]] = database.execute(query, (f"%/jobs/{job.name}",)).fetchall()
    times = json.loads(private)["times"]
    assert list(times) == STATES
    moments = [datetime.fromisoformat(text) for text in times.values()]
    assert moments == sorted(moments)
    details = jobs.details(job.name)
    assert details.start_time_utc <= details.end_time_utc


def test_a_new_job_has_what_the_service_fills_in(jobs, tmp_path):
    from azure.ai.ml import Input, Output

    (tmp_path / "a.txt").write_text("a")
    job = jobs.submit(
        "cp ${{inputs.a}} ${{outputs.o}}",
        inputs={"a": Input(type="uri_file", path=str(tmp_path / "a.txt"))},
        outputs={"o": Output(type="uri_file")},
    )
    body = jobs.ml.jobs._get_job(job.name).properties
    assert job.status in {"Queued", "Preparing", "Running", "Finalizing", "Completed"}
    assert body.inputs["a"].mode == "ReadOnlyMount"
    assert body.outputs["o"].mode == "ReadWriteMount"
    assert body.display_name == job.name
    assert job.services["Studio"].endpoint.startswith(f"https://portal.mlops.test/runs/{job.name}")
    assert job.creation_context.created_by == "local"
    assert jobs.wait(job).status == "Completed"


def test_a_job_without_a_compute_runs_on_this_host(jobs):
    assert jobs.completed("true", compute=None).compute is None


def test_six_jobs_of_one_node_run_four_at_a_time_on_a_cluster_of_four(jobs, tmp_path):
    command = f"touch {tmp_path}/$AZUREML_RUN_ID; ls {tmp_path} | wc -l; sleep 1; rm {tmp_path}/$AZUREML_RUN_ID"
    submitted = [jobs.submit(command) for _ in range(6)]
    done = [jobs.wait(job) for job in submitted]
    assert [job.status for job in done] == ["Completed"] * 6
    at_a_time = [int(jobs.log(job)) for job in done]
    assert max(at_a_time) <= 4
    assert max(at_a_time) > 1


def test_jobs_on_a_cluster_of_one_node_run_in_the_order_of_submission(jobs, tmp_path):
    from azure.ai.ml.entities import AmlCompute

    jobs.ml.compute.begin_create_or_update(AmlCompute(name="one-node", max_instances=1)).result()
    log = tmp_path / "order"
    submitted = [jobs.submit(f"echo {number} >> {log}; sleep 0.1", compute="one-node") for number in range(4)]
    for job in submitted:
        assert jobs.wait(job).status == "Completed"
    assert log.read_text().split() == ["0", "1", "2", "3"]


# Cancelling --------------------------------------------------------------------------------------------------------


def test_a_running_job_is_cancelled_with_all_its_processes(jobs, tmp_path):
    job = jobs.submit(f"sleep 300 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/shell; wait")
    _eventually(lambda: (tmp_path / "shell").exists() and bool((tmp_path / "shell").read_text()))
    pids = [int((tmp_path / name).read_text()) for name in ("child", "shell")]
    assert jobs.ml.jobs.begin_cancel(job.name).result() is None
    assert jobs.wait(job).status == "Canceled"
    _eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    assert jobs.error(job) == "The job was cancelled."


def test_a_process_that_ignores_sigterm_is_killed(jobs, tmp_path):
    shell, asked = tmp_path / "shell", tmp_path / "asked"
    job = jobs.submit(f"trap 'echo TERM >> {asked}' TERM; echo $$ > {shell}; while true; do sleep 0.1; done")
    _eventually(lambda: shell.exists() and bool(shell.read_text()))
    jobs.ml.jobs.begin_cancel(job.name).result()
    assert jobs.wait(job).status == "Canceled"
    assert asked.read_text() == "TERM\n"
    assert not psutil.pid_exists(int(shell.read_text()))


def test_a_queued_job_is_cancelled_at_once_and_never_runs(jobs, tmp_path):
    from azure.ai.ml.entities import AmlCompute

    jobs.ml.compute.begin_create_or_update(AmlCompute(name="busy", max_instances=1)).result()
    first = jobs.submit("sleep 300", compute="busy")
    jobs.wait(first, ("Running",))
    second = jobs.submit(f"touch {tmp_path}/ran", compute="busy")
    assert second.status == "Queued"
    jobs.ml.jobs.begin_cancel(second.name).result()
    assert jobs.ml.jobs.get(second.name).status == "Canceled"
    jobs.ml.jobs.begin_cancel(first.name).result()
    assert jobs.wait(first).status == "Canceled"
    assert not (tmp_path / "ran").exists()


def test_a_job_is_cancelled_right_after_its_submission(jobs):
    job = jobs.submit("sleep 300")
    jobs.ml.jobs.begin_cancel(job.name).result()
    assert jobs.wait(job).status == "Canceled"


def test_cancelling_a_finished_job_changes_nothing(jobs):
    job = jobs.completed("true")
    jobs.ml.jobs.begin_cancel(job.name).result()
    assert jobs.ml.jobs.get(job.name).status == "Completed"


# Lists, updates, deleting --------------------------------------------------------------------------------------------


def test_the_newest_job_is_listed_first_and_an_archived_one_only_when_asked(jobs):
    first, second = jobs.completed("true"), jobs.completed("true")
    assert _names(jobs.ml)[:2] == [second.name, first.name]
    jobs.ml.jobs.archive(second.name)
    assert second.name not in _names(jobs.ml)
    assert second.name in _names(jobs.ml, list_view_type="ArchivedOnly")
    assert first.name not in _names(jobs.ml, list_view_type="ArchivedOnly")
    assert {first.name, second.name} <= set(_names(jobs.ml, list_view_type="All"))
    jobs.ml.jobs.restore(second.name)
    assert second.name in _names(jobs.ml)


def test_jobs_are_listed_by_tag(jobs):
    job = jobs.completed("true", tags={"purpose": "listing"})
    jobs.completed("true", tags={"purpose": "other"})
    assert _names(jobs.ml, tag="purpose=listing") == [job.name]


def test_an_update_merges_tags_and_changes_the_display_name(jobs):
    job = jobs.completed("true", tags={"a": "1"}, display_name="before")
    jobs.ml.jobs.update(job.name, tags={"b": "2"}, display_name="after", description="text")
    found = jobs.ml.jobs.get(job.name)
    assert (found.tags, found.display_name, found.description) == ({"a": "1", "b": "2"}, "after", "text")
    assert found.status == "Completed"


def test_a_fetched_job_can_be_put_back_with_other_tags(jobs):
    job = jobs.completed("true")
    job.tags = {"new": "tag"}
    assert jobs.ml.jobs.create_or_update(job).tags == {"new": "tag"}


def test_the_same_submission_twice_is_one_job(jobs, tmp_path):
    body = _body(f"echo x >> {tmp_path}/runs")
    assert _put(jobs.ml, "twice", body).name == _put(jobs.ml, "twice", body).name == "twice"
    jobs.wait("twice")
    assert (tmp_path / "runs").read_text() == "x\n"


def test_another_command_under_the_name_of_a_job_is_a_conflict(jobs):
    _put(jobs.ml, "kept", _body("echo 1"))
    with pytest.raises(HttpResponseError, match="exists with another command") as refused:
        _put(jobs.ml, "kept", _body("echo 2"))
    assert refused.value.status_code == 409
    assert jobs.ml.jobs.get("kept").command == "echo 1"


def test_a_finished_job_is_deleted_with_its_artefacts_and_a_running_one_is_not(jobs):
    job = jobs.submit("sleep 300")
    with pytest.raises(HttpResponseError, match="cancel it before it is deleted"):
        jobs.ml.jobs.begin_delete(job.name).result()
    jobs.ml.jobs.begin_cancel(job.name).result()
    jobs.wait(job)
    jobs.ml.jobs.begin_delete(job.name).result()
    with pytest.raises(HttpResponseError, match="was not found"):
        jobs.ml.jobs.get(job.name)


# Refused -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "told", "target"),
    [
        ("a job", _body(), "The job name 'a job' is not valid", "name"),
        ("r1", _body(" "), "needs a command", "properties.command"),
        ("r2", _body(environmentId=None), "needs an environment", "properties.environmentId"),
        (
            "r3",
            _body(environmentId="azureml:nowhere:1"),
            "Version '1' of 'nowhere' in environments was not found",
            "properties.environmentId",
        ),
        ("r4", _body(experimentName="feature/x y"), "The experiment name 'feature/x y' is not valid", "experimentName"),
        (
            "r5",
            _body(limits={"jobLimitsType": "Command", "timeout": "5 minutes"}),
            "'5 minutes' is not a duration",
            "limits.timeout",
        ),
        ("r6", _body(computeId="cpu-cluste"), "Did you mean 'cpu-cluster'", "properties.computeId"),
        (
            "r7",
            _body(computeId="cpu-cluster", resources={"instanceCount": 5}),
            "asks for 5 nodes.*at most 4",
            "resources.instanceCount",
        ),
        (
            "r8",
            _body(environmentVariables={"MLOPS_KIT_RUNNER": "docker"}),
            "'docker' is not available",
            "environmentVariables.MLOPS_KIT_RUNNER",
        ),
        (
            "r9",
            _body(distribution={"distributionType": "Ray"}),
            "Ray clusters cannot be started",
            "properties.distribution",
        ),
        ("r10", _body(inputs={"i": {"jobInputType": "uri_table", "uri": "x"}}), "has the type 'uri_table'", "inputs.i"),
        (
            "r11",
            _body(outputs={"o": {"jobOutputType": "uri_file", "mode": "ReadOnlyMount"}}),
            "has the mode",
            "outputs.o",
        ),
        (
            "r12",
            {"properties": {"jobType": "Spark"}},
            "Spark jobs run in a later version.*No job was",
            "jobType",
        ),
        ("r14", _body(codeId="azureml:nowhere:1"), "'nowhere' in codes was not found", "properties.codeId"),
        (
            "r15",
            _body(inputs={"my-data": {"jobInputType": "uri_file", "uri": "azureml:nowhere:1"}}),
            "'nowhere' in data was not found",
            "inputs.my-data.uri",
        ),
        (
            "r16",
            _body(environmentId="azureml://registries/azureml/environments/nowhere/versions/1"),
            "The curated environment 'nowhere' .known here: ",
            "properties.environmentId",
        ),
        ("r13", {"properties": {"jobType": "Unheard"}}, "'Unheard' is not a type of job", "jobType"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_sentence_at_its_field_and_not_stored(jobs, name, body, told, target):
    with pytest.raises(HttpResponseError, match=told) as refused:
        _put(jobs.ml, name, body)
    assert refused.value.error.target == target
    assert name not in _names(jobs.ml, list_view_type="All")


def test_a_stopped_instance_takes_no_jobs(jobs):
    from azure.ai.ml.entities import ComputeInstance

    jobs.ml.compute.begin_create_or_update(ComputeInstance(name="stopped-one")).result()
    jobs.ml.compute.begin_stop("stopped-one").result()
    with pytest.raises(HttpResponseError, match="'stopped-one' is stopped; start it"):
        jobs.submit("true", compute="stopped-one")
    jobs.ml.compute.begin_start("stopped-one").result()
    assert jobs.completed("true", compute="stopped-one").compute == "stopped-one"


def test_an_unknown_job_offers_the_nearest_name(jobs):
    _put(jobs.ml, "nearly-this", _body())
    with pytest.raises(HttpResponseError, match="Did you mean 'nearly-this'"):
        jobs.ml.jobs.get("nearly-thiz")
    jobs.wait("nearly-this")


def test_the_folder_of_a_finished_job_is_gone(jobs, local_workspace):
    job = jobs.completed("true")
    assert not list(Path(local_workspace.state / "runs").glob(f"*/{job.name}"))
