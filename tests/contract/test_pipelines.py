"""Pipeline jobs through the real SDK: bindings, order, failure, reuse; each step is a job of its own."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

CHAIN = """\
    type: pipeline
    experiment_name: chain-TOKEN
    inputs:
      word: TOKEN
      rate: 0.5
    outputs:
      last: {type: uri_folder}
    jobs:
      first:
        command: python write.py ${{inputs.word}} ${{inputs.rate}} ${{outputs.out}}
        code: src
        environment: ENVIRONMENT
        inputs: {word: "${{parent.inputs.word}}", rate: "${{parent.inputs.rate}}"}
        outputs: {out: {type: uri_folder}}
      second:
        command: python read.py ${{inputs.made}} && python write.py again ${{outputs.out}}
        code: src
        environment: ENVIRONMENT
        inputs: {made: "${{parent.jobs.first.outputs.out}}"}
        outputs: {out: "${{parent.outputs.last}}"}
"""


def test_values_and_outputs_flow_from_step_to_step(pipelines):
    job = pipelines.run(CHAIN)
    steps = pipelines.steps(job)

    assert (job.status, {name: step.status for name, step in steps.items()}) == (
        "Completed",
        {"first": "Completed", "second": "Completed"},
    )
    assert f"wrote {pipelines.token} 0.5" in pipelines.log(steps["first"])
    assert f"read {pipelines.token} 0.5" in pipelines.log(steps["second"])


def test_the_output_of_a_pipeline_is_downloaded_by_its_name(pipelines, tmp_path):
    job = pipelines.run(CHAIN)
    pipelines.ml.jobs.download(job.name, download_path=tmp_path / "got", output_name="last")
    (file,) = (tmp_path / "got").rglob("words.txt")
    assert file.read_text() == "again"


def test_an_input_given_at_submission_replaces_the_default(pipelines):
    job = pipelines.load(CHAIN)
    job.inputs.rate = 0.9
    done = pipelines.wait(pipelines.ml.jobs.create_or_update(job).name)
    assert f"wrote {pipelines.token} 0.9" in pipelines.log(pipelines.steps(done)["first"])


# Order (L6-01) -----------------------------------------------------------------------------------------------------

BRANCHES = """\
    type: pipeline
    settings: {default_compute: "azureml:serverless"}
    jobs:
      left: {command: "sleep 1; echo TOKEN left", environment: "ENVIRONMENT"}
      right: {command: "sleep 1; echo TOKEN right", environment: "ENVIRONMENT"}
"""


def _span(pipelines: Any, step: Any) -> tuple[datetime, datetime]:
    run = pipelines.ml.jobs._runs_operations.get_run(step.name)
    return run.start_time_utc, run.end_time_utc


def test_independent_steps_overlap_in_time_l6_01(pipelines):
    steps = pipelines.steps(pipelines.run(BRANCHES))
    (left_start, left_end), (right_start, right_end) = (_span(pipelines, steps[name]) for name in ("left", "right"))
    assert max(left_start, right_start) < min(left_end, right_end)


def test_a_step_starts_after_what_it_needs_has_ended_l6_01(pipelines):
    steps = pipelines.steps(pipelines.run(CHAIN))
    assert _span(pipelines, steps["first"])[1] <= _span(pipelines, steps["second"])[0]


def test_a_cycle_is_refused_with_its_path_l6_01(pipelines):
    from azure.core.exceptions import HttpResponseError

    text = CHAIN.replace("word: ${{parent.inputs.word}}", "").replace(
        '{word: "${{parent.inputs.word}}",', '{word: "${{parent.jobs.second.outputs.out}}",'
    )
    with pytest.raises(HttpResponseError) as refused:
        pipelines.ml.jobs.create_or_update(pipelines.load(text))
    assert "first -> second -> first" in str(refused.value)


# Failure -----------------------------------------------------------------------------------------------------------

BROKEN = """\
    type: pipeline
    settings: {continue_on_step_failure: CONTINUE}
    jobs:
      bad:
        command: "echo TOKEN; echo 'ValueError: bad split'; exit 3"
        environment: ENVIRONMENT
        outputs: {o: {type: uri_folder}}
      after:
        command: ls ${{inputs.x}}
        environment: ENVIRONMENT
        inputs: {x: "${{parent.jobs.bad.outputs.o}}"}
      beside: {command: sleep 1.5; echo TOKEN, environment: "ENVIRONMENT"}
"""


def test_the_parent_fails_with_the_reason_of_its_step(pipelines):
    job = pipelines.run(BROKEN.replace("CONTINUE", "true"))
    steps = pipelines.steps(job)

    assert job.status == "Failed"
    assert "The step 'bad'" in pipelines.error(job)
    assert "ValueError: bad split" in pipelines.error(job)
    assert "Not started: after." in pipelines.error(job)
    assert "after" not in steps
    assert steps["beside"].status == "Completed"


def test_a_failure_ends_the_others_where_the_pipeline_says_so(pipelines):
    job = pipelines.run(BROKEN.replace("CONTINUE", "false"))
    assert (job.status, pipelines.steps(job)["beside"].status) == ("Failed", "Canceled")


def test_cancelling_a_pipeline_cancels_its_steps(pipelines):
    text = BRANCHES.replace("sleep 1;", "sleep 60;")
    name = pipelines.ml.jobs.create_or_update(pipelines.load(text)).name
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(child.status == "Running" for child in pipelines.ml.jobs.list(parent_job_name=name)):
            break
        time.sleep(0.05)
    pipelines.ml.jobs.begin_cancel(name).result()
    job = pipelines.wait(name)

    assert job.status == "Canceled"
    assert {step.status for step in pipelines.steps(job).values()} == {"Canceled"}


# Components --------------------------------------------------------------------------------------------------------

COMPONENT = """\
    name: greet_TOKEN
    version: "1"
    type: command
    inputs:
      count: {type: integer, default: 2, min: 1, max: 5}
      name: {type: string, optional: true}
    outputs:
      out: {type: uri_folder}
    code: src
    command: python write.py --count ${{inputs.count}} $[[--name ${{inputs.name}}]] ${{outputs.out}}
    environment: ENVIRONMENT
    resources: {instance_count: 1}
"""


def _component(pipelines: Any, text: str = COMPONENT, name: str = "greet.yml") -> None:
    pipelines.put(name, text.replace("TOKEN", pipelines.token))


def test_a_component_gets_its_defaults_and_leaves_out_what_is_optional(pipelines):
    _component(pipelines)
    job = pipelines.run("type: pipeline\njobs:\n  one: {type: command, component: ./greet.yml}\n")
    assert pipelines.log(pipelines.steps(job)["one"]) == "wrote --count 2\n"


def test_a_registered_component_is_run_by_its_name(pipelines):
    from azure.ai.ml import load_component

    _component(pipelines)
    pipelines.load(CHAIN)  # writes the code
    made = pipelines.ml.components.create_or_update(load_component(pipelines.folder / "greet.yml"))
    inputs = "{name: Ada, count: 3}"
    reference = f"azureml:{made.name}:{made.version}"
    job = pipelines.run(
        f"type: pipeline\njobs:\n  one: {{type: command, component: '{reference}', inputs: {inputs}}}\n"
    )
    assert pipelines.log(pipelines.steps(job)["one"]) == "wrote --count 3 --name Ada\n"


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("{count: 9}", "must be at least 1 and at most 5"),
        ("{count: many}", "is no integer"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_at_submission(inputs, expected, pipelines):
    from azure.core.exceptions import HttpResponseError

    _component(pipelines)
    pipelines.load(CHAIN)
    text = f"type: pipeline\ninputs: {inputs}\njobs:\n  one:\n    type: command\n    component: ./greet.yml\n"
    text += '    inputs: {count: "${{parent.inputs.count}}"}\n'
    with pytest.raises(HttpResponseError) as refused:
        pipelines.ml.jobs.create_or_update(pipelines.load(text))
    assert expected in str(refused.value)
    assert "one" in str(refused.value)


def test_a_pipeline_component_is_a_pipeline_of_its_own(pipelines):
    _component(pipelines)
    pipelines.put(
        "inner.yml",
        """\
        type: pipeline
        inputs: {who: {type: string}}
        outputs: {made: {type: uri_folder}}
        jobs:
          greet:
            type: command
            component: ./greet.yml
            inputs: {name: "${{parent.inputs.who}}"}
            outputs: {out: "${{parent.outputs.made}}"}
        """,
    )
    job = pipelines.run("""\
        type: pipeline
        jobs:
          nested: {type: pipeline, component: ./inner.yml, inputs: {who: TOKEN}}
          show:
            command: python read.py ${{inputs.x}}
            code: src
            environment: ENVIRONMENT
            inputs: {x: "${{parent.jobs.nested.outputs.made}}"}
    """)
    steps = pipelines.steps(job)
    assert job.status == "Completed"
    assert pipelines.log(steps["show"]) == f"read --count 2 --name {pipelines.token}\n"
    assert [*pipelines.steps(steps["nested"])] == ["greet"]


def test_a_pipeline_written_in_python_is_run(pipelines):
    from azure.ai.ml import dsl, load_component

    _component(pipelines)
    pipelines.load(CHAIN)
    greet = load_component(pipelines.folder / "greet.yml")

    @dsl.pipeline(name="python_twin", compute="serverless")
    def twin(who):
        first = greet(name=who, count=4)
        first.environment_variables = {"KIND": "twin"}
        return {"made": first.outputs.out}

    job = pipelines.wait(pipelines.ml.jobs.create_or_update(twin(who=pipelines.token)).name)
    (step,) = pipelines.steps(job).values()
    assert job.status == "Completed"
    assert pipelines.log(step) == f"wrote --count 4 --name {pipelines.token}\n"
    assert step.environment_variables == {"KIND": "twin"}


def test_each_step_may_have_a_compute_of_its_own_l6_02(pipelines):
    from azure.ai.ml.entities import AmlCompute

    for name in ("step-default", "step-own"):
        pipelines.ml.compute.begin_create_or_update(AmlCompute(name=name, max_instances=1)).result()
    job = pipelines.run("""\
        type: pipeline
        settings: {default_compute: azureml:step-default}
        jobs:
          a: {command: echo TOKEN a, environment: "ENVIRONMENT"}
          b: {command: echo TOKEN b, environment: "ENVIRONMENT", compute: azureml:step-own}
    """)
    computes = {name: step.compute.rpartition("/")[2] for name, step in pipelines.steps(job).items()}
    assert computes == {"a": "step-default", "b": "step-own"}


# Reuse (L6-14 to L6-17, R27) ---------------------------------------------------------------------------------------


def _started(pipelines: Any, step: Any) -> bool:
    """Say whether a process was started for a step: only then it has been Running."""
    return pipelines.ml.jobs._runs_operations.get_run(step.name).start_time_utc is not None


def _reuse(pipelines: Any, job: Any) -> dict[str, str]:
    return {name: step.properties.get("mlops_kit.reuse", "") for name, step in pipelines.steps(job).items()}


def test_an_unchanged_pipeline_starts_no_process_again_l6_14(pipelines):
    first = pipelines.steps(pipelines.run(CHAIN))
    job = pipelines.run(CHAIN)
    again = pipelines.steps(job)

    assert {name: step.properties["azureml.isreused"] for name, step in again.items()} == {
        "first": "true",
        "second": "true",
    }
    assert again["first"].properties["azureml.reusedrunid"] == first["first"].name
    assert _started(pipelines, first["first"])
    assert not any(_started(pipelines, step) for step in again.values())
    assert pipelines.log(again["first"]) == pipelines.log(first["first"])  # the SDK asks for that of the earlier run
    pipelines.ml.jobs.download(job.name, download_path=pipelines.folder / "again", output_name="last")
    assert [file.read_text() for file in (pipelines.folder / "again").rglob("words.txt")] == ["again"]


def test_a_changed_literal_runs_what_depends_on_it_r27(pipelines):
    pipelines.run(CHAIN)
    reasons = _reuse(pipelines, pipelines.run(CHAIN.replace("rate: 0.5", "rate: 0.7")))
    assert reasons["first"] == "changed: input 'rate'"
    assert reasons["second"] == "changed: input 'made'"


def test_a_changed_script_runs_its_own_step_only_l6_14(pipelines):
    two = CHAIN.replace("code: src", "code: one", 1)
    (pipelines.folder / "one").mkdir()
    (pipelines.folder / "one" / "write.py").write_text(pipelines.write)
    pipelines.run(two)
    (pipelines.folder / "one" / "write.py").write_text(pipelines.write + "print('changed')\n")
    reasons = _reuse(pipelines, pipelines.run(two))
    assert reasons["first"] == "changed: code"
    assert reasons["second"].startswith("the same as ")  # what the first step wrote is the same


def test_force_rerun_runs_every_step_l6_17(pipelines):
    pipelines.run(CHAIN)
    job = pipelines.run(CHAIN, force_rerun=True)
    assert set(_reuse(pipelines, job).values()) == {"force_rerun is set"}
    newest = pipelines.steps(job)["first"].name
    assert _reuse(pipelines, pipelines.run(CHAIN))["first"] == f"the same as {newest}"


def test_a_component_that_is_not_deterministic_always_runs_l6_16(pipelines):
    _component(pipelines, COMPONENT.replace("type: command\n", "type: command\n    is_deterministic: false\n", 1))
    text = "type: pipeline\njobs:\n  one: {type: command, component: ./greet.yml, inputs: {name: TOKEN}}\n"
    pipelines.run(text)
    assert _reuse(pipelines, pipelines.run(text)) == {"one": "the component is not deterministic"}


def test_a_file_that_was_changed_in_place_is_noticed_l6_15(pipelines):
    from azure.ai.ml.entities import Data

    data = pipelines.folder / "data"
    data.mkdir()
    (data / "words.txt").write_text("one")
    made = pipelines.ml.data.create_or_update(Data(name=f"words-{pipelines.token}", path=str(data), type="uri_folder"))
    text = f"""\
        type: pipeline
        jobs:
          show:
            command: python read.py ${{{{inputs.x}}}}
            code: src
            environment: ENVIRONMENT
            inputs: {{x: {{type: uri_folder, path: "azureml:{made.name}:{made.version}"}}}}
    """
    pipelines.run(text)
    assert _reuse(pipelines, pipelines.run(text))["show"].startswith("the same as ")
    _overwrite(pipelines.ml, made.path, "two")
    job = pipelines.run(text)
    assert _reuse(pipelines, job) == {"show": "changed: input 'x'"}
    assert pipelines.log(pipelines.steps(job)["show"]) == "read two\n"


def _overwrite(ml: Any, uri: str, text: str) -> None:
    from azure.storage.blob import BlobClient

    store = ml.datastores.get("workspaceblobstore", include_secrets=True)
    account = f"https://{store.account_name}.blob.{store.endpoint}"
    path = uri.partition("/paths/")[2].rstrip("/")
    with BlobClient(
        account, store.container_name, f"{path}/words.txt", credential=store.credentials.account_key
    ) as blob:
        blob.upload_blob(text.encode(), overwrite=True)


def test_metrics_of_a_step_are_shown_again_where_it_is_reused_r27(pipelines, plane_env):
    text = """\
        type: pipeline
        jobs:
          log:
            command: python -c "import mlflow; mlflow.log_metric('rows', 15000); print('TOKEN')"
            environment: ENVIRONMENT
    """
    pipelines.run(text)
    (step,) = pipelines.steps(pipelines.run(text)).values()
    run = pipelines.ml.jobs._runs_operations.get_run(step.name)
    assert step.properties["azureml.isreused"] == "true"
    assert run.parent_run_id
    assert _metrics(pipelines.ml, step.name) == {"rows": 15000.0}


def _metrics(ml: Any, run_id: str) -> dict[str, float]:
    import mlflow

    workspace = ml.workspaces.get(ml.workspace_name)
    mlflow.set_tracking_uri(workspace.mlflow_tracking_uri.replace("azureml://", "https://"))
    return dict(mlflow.get_run(run_id).data.metrics)


# Copies between stores (L6-04) -------------------------------------------------------------------------------------

COPY = """\
    type: pipeline
    jobs:
      merge:
        type: data_transfer
        task: copy_data
        data_copy_mode: MODE
        compute: serverless
        inputs:
          first: {type: uri_folder, path: ./first}
          second: {type: uri_folder, path: ./second}
        outputs: {merged: {type: uri_folder}}
"""


def _copied(pipelines, mode: str) -> tuple[Any, dict[str, str]]:
    """Copy two folders that both have a file ``both.txt``; return the job and what is in the output."""
    for name in ("first", "second"):
        (pipelines.folder / name / "deep").mkdir(parents=True)
        (pipelines.folder / name / "deep" / f"{name}.txt").write_text(pipelines.token)
        (pipelines.folder / name / "both.txt").write_text(name)
    job = pipelines.run(COPY.replace("MODE", mode))
    if job.status != "Completed":
        return job, {}
    target = pipelines.folder / "got"
    pipelines.ml.jobs.download(pipelines.steps(job)["merge"].name, download_path=target, output_name="merged")
    return job, {path.name: path.read_text() for path in target.rglob("*.txt")}


def test_a_copy_lets_later_inputs_win_l6_04(pipelines):
    _, found = _copied(pipelines, "merge_with_overwrite")
    assert found == {"both.txt": "second", "first.txt": pipelines.token, "second.txt": pipelines.token}


def test_a_copy_fails_where_a_file_is_there_twice_l6_04(pipelines):
    job, _ = _copied(pipelines, "fail_if_conflict")
    assert job.status == "Failed"
    assert "both.txt" in pipelines.error(job)
