"""Batch deployments and parallel steps: the fields of each kind, numbers, inputs and outputs (lesson 8, R14, R34)."""

import io

import pytest

MODEL = "name: blue\nendpoint_name: churn\ntype: model\nmodel: azureml:churn:1\ncompute: azureml:cpu-cluster\n"
UNTYPED = MODEL.replace("type: model\n", "")
PIPELINE = "name: blue\nendpoint_name: churn\ntype: pipeline\ncomponent: azureml:score:1\n"
STEP = """\
type: parallel
name: score
inputs:
  images: {type: uri_folder}
outputs:
  scores: {type: uri_file}
input_data: ${{inputs.images}}
mini_batch_size: "5"
task:
  type: run_function
  code: ../src
  entry_script: score.py
  environment: azureml:sklearn:3
  append_row_to: ${{outputs.scores}}
"""
SCORE = "def init():\n    pass\ndef run(batch):\n    return batch\n"


def _in(folder, text):
    folder.put("src/score.py", SCORE)
    return folder.found(text, "components/one.yml" if text.startswith("type: parallel") else "endpoints/one.yml")


def test_r14_settings_are_accepted_where_the_type_of_the_deployment_has_them(folder):
    from azure.ai.ml.entities import _load_functions as sdk

    model = MODEL + "settings: {mini_batch_size: 5, output_action: append_row, output_file_name: churn.csv}\n"
    pipeline = PIPELINE + "settings: {default_compute: azureml:cpu-cluster, continue_on_step_failure: false}\n"
    assert _in(folder, model) == []
    assert _in(folder, pipeline) == []
    assert sdk.load_model_batch_deployment(io.StringIO(model)).settings.mini_batch_size == 5
    assert sdk.load_pipeline_component_batch_deployment(io.StringIO(pipeline)).settings["default_compute"]


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        (UNTYPED + "settings: {mini_batch_size: 5}\n", "settings",
         "write `type: model`, or `type: pipeline` with a component: these have settings"),
        (MODEL + "mini_batch_size: 5\n", "mini_batch_size", "it belongs under `settings`"),
        (PIPELINE + "compute: azureml:cpu-cluster\n", "compute",
         "a deployment of a pipeline names it as `settings: {default_compute: NAME}`"),
        (PIPELINE + "mini_batch_size: 5\n", "mini_batch_size",
         "it belongs in the parallel step of the pipeline; with a model, write `type: model`"),
        (PIPELINE + "model: azureml:churn:1\n", "model",
         "a deployment of a pipeline takes it from its component; with a model, write `type: model`"),
        (MODEL + "scale_settings: {type: default}\n", "scale_settings", "only an online deployment has it"),
        (MODEL + "instance_count: 2\n", "instance_count", "it belongs under `resources`"),
    ],
)  # fmt: skip
def test_r14_a_field_of_another_type_of_deployment_is_sent_to_its_place(folder, text, key, told):
    (found,) = _in(folder, text)
    assert found.endswith(f"error[MK0109]: misplaced key `{key}`; {told}")


@pytest.mark.parametrize(
    ("key", "wrong", "least"),
    [
        ("mini_batch_size", 0, 1),
        ("max_concurrency_per_instance", 0, 1),
        ("error_threshold", -2, -1),
        ("retry_settings", "{max_retries: -1}", 0),
        ("retry_settings", "{timeout: 0}", 1),
    ],
)
def test_l8_05_l8_06_l8_16_numbers_have_a_least(folder, key, wrong, least):
    for text in (f"{MODEL}settings: {{{key}: {wrong}}}\n", f"{UNTYPED}{key}: {wrong}\n"):
        (found,) = _in(folder, text)
        assert "error[MK1007]" in found
        assert f"the least is {least}" in found


def test_l8_06_l8_07_the_usual_settings_pass(folder):
    settings = (
        "error_threshold: -1\nmini_batch_size: 5\noutput_action: append_row\noutput_file_name: parallel_run_step.txt\n"
    )
    assert (
        _in(folder, UNTYPED + settings + "retry_settings: {max_retries: 0, timeout: 30}\nlogging_level: Info\n") == []
    )


def test_l8_08_a_file_name_goes_with_appended_rows_only_as_the_sdk_says_when_it_sends(folder):
    from azure.ai.ml import load_batch_deployment

    text = UNTYPED + "output_action: summary_only\noutput_file_name: churn.csv\n"
    (found,) = _in(folder, text)
    assert found.startswith("6:1: error[MK1017]: `output_file_name` is given, and `summary_only` writes no file")
    with pytest.raises(Exception, match="output_file_name need not to be specified"):
        load_batch_deployment(io.StringIO(text))._validate()


def test_an_output_action_that_there_is_not_is_found(folder):
    (found,) = _in(folder, UNTYPED + "output_action: append\n")
    assert "error[MK0106]: `append` is not a value of `output_action`" in found


def test_a_level_of_logging_is_one_of_three(folder):
    (found,) = _in(folder, UNTYPED + "logging_level: verbose\n")
    assert "error[MK0106]: `verbose` is not a value of `logging_level`; expected one of debug, info, warning" in found


def test_a_deployment_of_a_model_needs_machines_and_one_number_of_them(folder):
    compute = "compute: azureml:cpu-cluster\n"
    assert _in(folder, UNTYPED.replace(compute, "mini_batch_size: 5\n")) == [
        "1:1: error[MK0104]: required key `compute` is missing; name the cluster that does the work"
    ]
    (found,) = _in(folder, MODEL + "settings: {instance_count: 2}\nresources: {instance_count: 2}\n")
    assert "error[MK1020]: `instance_count` and `resources` exclude each other" in found
    (found,) = _in(folder, MODEL + "resources: {instance_count: 0}\n")
    assert "error[MK1007]: `instance_count` is 0; the least is 1" in found


def test_a_deployment_of_a_pipeline_has_a_component_or_a_job_that_was_run(folder):
    (found,) = _in(folder, PIPELINE.replace("component: azureml:score:1\n", ""))
    assert "error[MK0104]: required key `component` is missing" in found
    (found,) = _in(folder, PIPELINE + "job_definition: azureml:happy_fox\n")
    assert "error[MK1020]: `job_definition` and `component` exclude each other" in found


def test_l7_13_a_custom_model_in_batches_needs_code(folder):
    text = MODEL.replace("azureml:churn:1", "{path: azureml://jobs/a/outputs/artifacts/model}")
    (found,) = _in(folder, text)
    assert "error[MK1006]: nothing is said to run this model" in found


def test_a_parallel_component_of_the_usual_form_passes(folder):
    assert _in(folder, STEP) == []


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ("5 MB", "write `5mb`"),
        ("0", "write a number of files, or a size such as `10kb` or `5mb`"),
        ("5mib", "write a number of files"),
        ("kb", "write a number of files"),
        ("-1", "write a number of files"),
        ("9" * 40, "write a number of files"),
    ],
)
def test_l8_05_a_size_of_mini_batches_that_cannot_be_read_is_found(folder, size, told):
    (found,) = _in(folder, STEP.replace('"5"', f'"{size}"'))
    assert found.startswith(f"8:18: error[MK1019]: `mini_batch_size` is `{size}`, no size that can be read")
    assert told in found


def test_l8_05_a_size_in_bytes_is_for_tables_not_for_files(folder):
    text = STEP.replace('"5"', "10kb")
    (found,) = _in(folder, text)
    assert "warning[MK1019]: `mini_batch_size` is `10kb`, and the parts of a uri_folder are counted in files" in found
    assert _in(folder, text.replace("uri_folder", "mltable")) == []


def test_a_size_has_no_effect_beside_keys_of_partitions(folder):
    (found,) = _in(folder, STEP + "partition_keys: [store]\n")
    assert found.startswith("8:1: warning[MK1020]: `mini_batch_size` has no effect beside `partition_keys`")
    assert _in(folder, STEP.replace('mini_batch_size: "5"\n', "") + "partition_keys: [store]\n") == []


def test_r34_the_divided_input_is_a_reference(folder):
    other = "  program_arguments: --x ${{inputs.images}}\n"
    (found,) = _in(folder, STEP.replace("${{inputs.images}}", "images") + other)
    assert "error[MK1018]: `input_data` is `images`, no reference to an input; write `${{inputs.images}}`" in found
    (found,) = _in(folder, STEP.replace("input_data: ${{inputs.images}}\n", "") + other)
    assert "error[MK0104]: required key `input_data` is missing; write `${{inputs.images}}`" in found


def test_r34_l8_07_rows_are_appended_to_an_output(folder):
    (found,) = _in(folder, STEP.replace("${{outputs.scores}}", "${{inputs.images}}"))
    assert "error[MK1018]: `append_row_to` is `${{inputs.images}}`, no reference to an output" in found
    assert found.endswith("write `${{outputs.scores}}`")


@pytest.mark.parametrize(
    "line",
    ["error_threshold: -2", "mini_batch_error_threshold: -2", "max_concurrency_per_instance: 0",
     "retry_settings: {max_retries: -1}", "resources: {instance_count: 0}"],
)  # fmt: skip
def test_l8_06_l8_09_l8_16_numbers_of_a_parallel_component_have_a_least(folder, line):
    (found,) = _in(folder, f"{STEP}{line}\n")
    assert "error[MK1007]" in found


def test_both_thresholds_may_stand_together(folder):
    assert _in(folder, STEP + "error_threshold: 5\nmini_batch_error_threshold: 5\n") == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("def init():\n    pass\n", "error[MK1001]: `score.py` has no function `run`"),
        ("def init():\n    pass\ndef run(batch):\n    batch.clear()\n", "error[MK1002]: `run` in line 3"),
        ("def init():\n    pass\ndef run(batch, context, more):\n    return 1\n", "error[MK1002]: `run` in line 3"),
    ],
)
def test_l8_03_the_script_of_a_parallel_step_has_both_functions(folder, script, message):
    folder.put("src/score.py", script)
    (found,) = folder.found(STEP, "components/one.yml")
    assert message in found


def test_l8_03_the_run_of_a_parallel_step_may_take_the_context_of_its_mini_batch(folder):
    folder.put("src/score.py", "def init():\n    pass\ndef run(batch, mini_batch_context):\n    return batch\n")
    assert folder.found(STEP, "components/one.yml") == []


def test_l8_03_a_parallel_task_names_its_script(folder):
    (found,) = _in(folder, STEP.replace("  entry_script: score.py\n", ""))
    assert "error[MK0104]: required key `entry_script` is missing in `task`" in found


def test_a_parallel_step_of_a_pipeline_is_looked_at(folder):
    inner = "".join(f"    {line}\n" for line in STEP.replace("name: score\n", "").splitlines())
    given = inner.replace("{type: uri_folder}", "{type: uri_folder, path: azureml:images:1}").replace('"5"', '"0"')
    folder.put("src/score.py", SCORE)
    (found,) = folder.found(f"type: pipeline\njobs:\n  score:\n{given}", "pipelines/one.yml")
    assert found.startswith("10:22: error[MK1019]: `mini_batch_size` is `0`")


def test_shared_memory_is_read_in_deployments_and_steps_too(folder):
    for text in (MODEL, STEP):
        (found,) = _in(folder, text + "resources: {shm_size: 2GB}\n")
        assert "error[MK1025]: `shm_size` is `2GB`, no size that Docker reads; write `2g`" in found


def test_a_task_that_is_no_map_is_one_fault(folder):
    text = STEP.partition("task:")[0] + "task: run\n"
    (found,) = [line for line in _in(folder, text) if "error" in line]
    assert "error[MK0105]: `task` is `run`; expected a map" in found


def test_a_size_of_mini_batches_that_is_bound_or_left_open_is_left_alone(folder):
    inner = "".join(f"    {line}\n" for line in STEP.replace("name: score\n", "").splitlines())
    given = inner.replace("{type: uri_folder}", "{type: uri_folder, path: azureml:images:1}")
    folder.put("src/score.py", SCORE)
    text = f"type: pipeline\ninputs: {{size: '5'}}\njobs:\n  score:\n{given}"
    assert folder.found(text.replace('"5"', "${{parent.inputs.size}}"), "pipelines/one.yml") == []
