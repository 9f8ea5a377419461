"""AutoML jobs: data, validation, limits, algorithms, forecasts, featurization (course rows L10)."""

import io
import re

import pytest

JOB = """\
type: automl
task: TASK
compute: azureml:cpu
primary_metric: METRIC
target_column_name: Diabetic
training_data: {type: mltable, path: azureml:diabetes@latest}
"""
METRICS = {
    "classification": "AUC_weighted",
    "regression": "r2_score",
    "forecasting": "normalized_root_mean_squared_error",
}
FORECAST = "n_cross_validations: auto\nforecasting: {time_column_name: day, forecast_horizon: 14}\n"
TABLE = "{type: mltable, path: azureml:later@latest}"


def _job(more="", task="classification"):
    return JOB.replace("TASK", task).replace("METRIC", METRICS.get(task, "accuracy")) + more


def _found(folder, more="", task="classification"):
    return [line.partition(": ")[2] for line in folder.found(_job(more, task), "jobs/automl.yml")]


@pytest.mark.parametrize(
    ("task", "more"),
    [
        ("classification", ""),
        ("classification", "n_cross_validations: 5\n"),
        ("classification", "n_cross_validations: 5\nvalidation_data_size: 0.2\n"),
        ("classification", f"validation_data: {TABLE}\n"),
        ("classification", "limits: {max_trials: 12, max_concurrent_trials: 4, timeout_minutes: 60}\n"),
        ("classification", "training: {blocked_training_algorithms: [logistic_regression]}\n"),
        ("regression", "training: {allowed_training_algorithms: [ElasticNet, lasso_lars]}\n"),
        ("regression", "featurization: {mode: custom, blocked_transformers: [one_hot_encoder]}\n"),
        ("regression", "featurization: {mode: 'off'}\n"),
        ("regression", "training: {stack_ensemble_settings: {stack_meta_learner_type: elastic_net}}\n"),
        ("forecasting", FORECAST),
    ],
)
def test_a_job_that_is_right_yields_nothing_and_loads_in_the_sdk(folder, task, more):
    """L10-03, L10-05, L10-07, L10-13, L10-14, L10-15."""
    from azure.ai.ml import load_job

    assert _found(folder, more, task) == []
    assert load_job(io.StringIO(_job(more, task))).target_column_name == "Diabetic"


@pytest.mark.parametrize("task", ["classification", "regression", "forecasting"])
def test_the_metric_is_one_of_the_task(folder, task):
    """L10-18."""
    more = FORECAST if task == "forecasting" else ""
    wrong = _job(more, task).replace(METRICS[task], "f1")
    [line] = folder.found(wrong, "jobs/automl.yml")
    assert "error[MK0106]: `f1` is not a value of `primary_metric`; expected one of" in line
    assert METRICS[task].lower() in line


@pytest.mark.parametrize(
    ("training", "line"),
    [
        (
            "allowed_training_algorithms: [light_gbm], blocked_training_algorithms: [LightGBM]",
            "error[MK0960]: `LightGBM` is both allowed and blocked; keep it in one list",
        ),
        (
            "blocked_training_algorithms: [logistic_regresion]",
            (
                "error[MK0106]: `logistic_regresion` is not a value of `blocked_training_algorithms`; "
                "did you mean `logistic_regression`"
            ),
        ),
        (
            "allowed_training_algorithms: [prophet]",
            "error[MK0106]: `prophet` is not a value of `allowed_training_algorithms`; expected one of",
        ),
    ],
)
def test_algorithms_are_those_of_the_task_and_in_one_list(folder, training, line):
    """L10-07."""
    [found] = _found(folder, f"training: {{{training}}}\n")
    assert found.startswith(line)


@pytest.mark.parametrize("task", ["classification", "regression", "forecasting"])
def test_blocking_every_algorithm_is_refused(folder, task):
    """L10-07."""
    more = FORECAST if task == "forecasting" else ""
    [refused] = _found(folder, f"{more}training: {{blocked_training_algorithms: [nothing]}}\n", task)
    known = re.findall(r"\w+", refused.partition("expected one of ")[2])
    assert len(known) >= 10
    blocked = f"{more}training: {{blocked_training_algorithms: [{', '.join(known)}]}}\n"
    assert _found(folder, blocked, task) == ["error[MK0960]: every algorithm is blocked; leave at least one"]
    but_one = f"{more}training: {{blocked_training_algorithms: [{', '.join(known[1:])}]}}\n"
    assert _found(folder, but_one, task) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("n_cross_validations: 1\n", "`n_cross_validations` is `1`; allowed is 2 or more"),
        ("validation_data_size: 0\n", "`validation_data_size` is `0`; allowed is above 0 and below 1"),
        ("validation_data_size: 20\n", "`validation_data_size` is `20`; allowed is above 0 and below 1"),
        ("test_data_size: 1\n", "`test_data_size` is `1`; allowed is above 0 and below 1"),
        (f"n_cross_validations: 3\nvalidation_data: {TABLE}\n", "`validation_data` cannot stand beside `n_cross"),
        (f"validation_data: {TABLE}\nvalidation_data_size: 0.1\n", "`validation_data_size` cannot stand beside"),
        ("cv_split_column_names: [a]\nn_cross_validations: 3\n", "cannot stand beside `cv_split_column_names`"),
        (f"test_data: {TABLE}\ntest_data_size: 0.1\n", "`test_data_size` cannot stand beside `test_data`"),
    ],
)
def test_a_job_validates_in_one_way_within_bounds(folder, more, words):
    """L10-16."""
    [line] = _found(folder, more)
    assert line.startswith("error[MK0961]: ")
    assert words in line


def test_a_forecast_says_how_it_is_validated(folder):
    """L10-16."""
    [line] = _found(folder, FORECAST.replace("n_cross_validations: auto\n", ""), "forecasting")
    assert line.startswith("error[MK0961]: a forecast does not say how it is validated")
    [line] = _found(folder, FORECAST + "validation_data_size: 0.2\n", "forecasting")
    assert "cannot stand beside" in line


@pytest.mark.parametrize(
    ("forecasting", "finding"),
    [
        ("", "error[MK0963]: a forecast has no `forecasting` settings"),
        ("forecasting: {forecast_horizon: 3}\n", "error[MK0963]: a forecast does not say which column holds the time"),
        ("forecasting: {time_column_name: day}\n", "warning[MK0963]: a forecast does not say how many periods ahead"),
        (
            "forecasting: {time_column_name: day, forecast_horizon: 0}\n",
            "error[MK0963]: `forecast_horizon` is `0`; allowed is 1 or more",
        ),
        (
            "forecasting: {time_column_name: Diabetic, forecast_horizon: 1}\n",
            "error[MK0963]: the column of the time is the column that is forecast",
        ),
    ],
)
def test_a_forecast_has_a_time_column_and_a_horizon(folder, forecasting, finding):
    """L10-05."""
    [line] = _found(folder, f"n_cross_validations: auto\n{forecasting}", "forecasting")
    assert line.startswith(finding)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ("max_trials: 0", "`max_trials` is `0`; allowed is 1 or more"),
        ("max_trials: 4, max_concurrent_trials: 12", "which is above `max_trials`, `4`"),
        ("timeout_minutes: 30, trial_timeout_minutes: 60", "which is above `timeout_minutes`, `30`"),
        ("timeout_minutes: -1", "allowed is 1 or more"),
    ],
)
def test_limits_out_of_range_or_against_each_other_are_one_finding(folder, limits, words):
    """L10-15."""
    [line] = _found(folder, f"limits: {{{limits}}}\n")
    assert line.startswith("error[MK0962]: ")
    assert words in line


@pytest.mark.parametrize("mode", ["auto", "'off'"])
@pytest.mark.parametrize("key", ["blocked_transformers: [one_hot_encoder]", "column_name_and_types: {Age: Numeric}"])
def test_settings_of_featurization_need_the_mode_custom(folder, mode, key):
    """L10-13."""
    [line] = _found(folder, f"featurization: {{mode: {mode}, {key}}}\n")
    assert line.startswith(f"warning[MK0964]: `{key.partition(':')[0]}` has no effect with `mode: ")


@pytest.mark.parametrize(
    ("training", "finding"),
    [
        (
            "stack_ensemble_settings: {stack_meta_learner_type: none, stack_meta_learner_train_percentage: 20}",
            "error[MK0965]: `stack_meta_learner_train_percentage` is `20`; allowed is above 0 and below 1",
        ),
        (
            "stack_ensemble_settings: {stack_meta_learner_train_percentage: 0.2}",
            "error[MK0965]: `stack_ensemble_settings` without `stack_meta_learner_type` stop the SDK with a KeyError",
        ),
        (
            "enable_stack_ensemble: false, stack_ensemble_settings: {stack_meta_learner_type: elastic_net}",
            "warning[MK0965]: `stack_ensemble_settings` have no effect while `enable_stack_ensemble` is false",
        ),
    ],
)
def test_settings_of_an_ensemble_are_a_share_and_have_an_effect(folder, training, finding):
    [line] = _found(folder, f"training: {{{training}}}\n")
    assert line.startswith(finding)


@pytest.mark.parametrize("type_", ["uri_file", "uri_folder"])
def test_training_data_are_an_mltable(folder, type_):
    """L10-14."""
    [line] = folder.found(_job().replace("type: mltable", f"type: {type_}"), "jobs/automl.yml")
    assert f"error[MK0106]: `{type_}` is not a value of `type`; expected one of mltable" in line


def test_a_job_without_training_data_is_refused(folder):
    """L10-14."""
    text = _job().replace("training_data: {type: mltable, path: azureml:diabetes@latest}\n", "")
    [line] = folder.found(text, "jobs/automl.yml")
    assert line.startswith("1:1: error[MK0966]: an AutoML job has no `training_data`")


@pytest.mark.parametrize("key", ["X", "y", "X_valid", "y_valid", "iterations", "max_concurrent_iterations"])
def test_arrays_and_names_of_v1_are_no_keys(folder, key):
    """L10-17."""
    [line] = _found(folder, f"{key}: azureml:features@latest\n")
    assert line.startswith(f"error[MK0102]: unknown key `{key}`")


IMAGES = """\
sweep: {sampling_algorithm: SAMPLER, early_termination: {POLICY}}
search_space:
  - model_name: {type: choice, values: [vitb16r224]}
    learning_rate: {type: uniform, min_value: LOW, max_value: 0.1}
"""


@pytest.mark.parametrize(
    ("sampler", "policy", "low", "codes"),
    [
        ("random", "type: bandit, slack_factor: 0.2", "0.01", []),
        ("random", "type: bandit", "0.01", ["MK0907"]),
        ("random", "type: median_stopping", "0.2", ["MK0901"]),
        ("grid", "type: median_stopping", "0.01", ["MK0903"]),
        ("bayesian", "type: median_stopping", "0.01", ["MK0906"]),
    ],
)
def test_the_sweep_of_a_job_on_images_is_checked_as_any_other(folder, sampler, policy, low, codes):
    more = IMAGES.replace("SAMPLER", sampler).replace("POLICY", policy).replace("LOW", low)
    found = folder.found(_job(more, "image_classification"), "jobs/automl.yml")
    assert re.findall(r"MK\d{4}", " ".join(found)) == codes


def test_a_step_of_a_pipeline_is_checked_as_a_job_is(folder):
    step = "".join(f"    {line}\n" for line in _job("n_cross_validations: 1\n").splitlines())
    [line] = folder.found(f"type: pipeline\njobs:\n  learn:\n{step}", "pipelines/automl.yml")
    assert line.startswith("10:26: error[MK0961]: `n_cross_validations` is `1`")


def test_values_that_the_pipeline_gives_are_not_judged(folder):
    bound = _job("n_cross_validations: 3\n").replace(
        "training_data: {type: mltable, path: azureml:diabetes@latest}", "training_data: ${{parent.inputs.data}}"
    )
    step = "".join(f"    {line}\n" for line in bound.splitlines())
    inputs = "inputs: {data: {type: mltable, path: azureml:diabetes@latest}}\n"
    assert folder.found(f"type: pipeline\n{inputs}jobs:\n  learn:\n{step}", "pipelines/automl.yml") == []
