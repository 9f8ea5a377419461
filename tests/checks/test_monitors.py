"""Model monitors: compute, data, windows, features, thresholds (course rows L15)."""

import io

import pytest

HEAD = """\
$schema: https://azuremlschemas.azureedge.net/latest/monitorSchedule.schema.json
name: diabetes
trigger: {type: recurrence, frequency: day, interval: 1}
"""
SPARK = "{instance_type: standard_e4s_v3, runtime_version: '3.4'}"
TARGET = "{ml_task: classification, endpoint_deployment_id: azureml:diabetes:blue}"
TABLE = "{input_data: {type: mltable, path: azureml:diabetes@latest}}"


def _monitor(signals="", target=TARGET, compute=SPARK):
    parts = {"compute": compute, "monitoring_target": target, "monitoring_signals": signals}
    return HEAD + "create_monitor:\n" + "".join(f"  {key}: {value}\n" for key, value in parts.items() if value)


def _signal(kind, more="", target=TARGET):
    comma = ", " if more else ""
    return _monitor(f"{{one: {{type: {kind}{comma}{more}}}}}", target)


def _found(folder, text):
    return [line.partition(": ")[2] for line in folder.found(text, "monitors/diabetes.yml")]


@pytest.mark.parametrize(
    "more",
    [
        "",
        "features: [Pregnancies, Age, BMI]",
        "features: all_features",
        f"features: {{top_n_feature_importance: 10}}, reference_data: {TABLE}",
        (
            "production_data: {input_data: {type: mltable, path: azureml:t@latest}, "
            "data_window: {lookback_window_size: P7D, lookback_window_offset: PT24H}}"
        ),
        (
            "reference_data: {input_data: {type: mltable, path: azureml:t@latest}, "
            "data_window: {window_start: '2026-01-01', window_end: '2026-02-01'}}"
        ),
        "metric_thresholds: {numerical: {jensen_shannon_distance: 0.3}, categorical: {pearsons_chi_squared_test: 0.1}}",
        "metric_thresholds: {numerical: {normalized_wasserstein_distance: 12}}",
    ],
)
def test_a_signal_that_is_right_yields_nothing_and_loads_in_the_sdk(folder, more):
    """L15-03, L15-06, L15-07, L15-10, L15-11, L15-13."""
    from azure.ai.ml.entities._load_functions import load_schedule

    assert _found(folder, _signal("data_drift", more)) == []
    load_schedule(io.StringIO(_signal("data_drift", more)))


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        ("{instance_type: cpu-cluster, runtime_version: '3.4'}", "`cpu-cluster` is no `instance_type` of a monitor"),
        ("{instance_type: standard_ds3_v2, runtime_version: '3.4'}", "`standard_ds3_v2` is no `instance_type`"),
        ("{instance_type: Standard_E8s_v3, runtime_version: '3.3'}", "`3.3` is no `runtime_version` of a monitor"),
        ("{instance_type: standard_e8s_v3}", "`compute` of a monitor has no `runtime_version`"),
        ("{runtime_version: 3.5}", "`compute` of a monitor has no `instance_type`"),
        ("", "a monitor has no `compute`"),
    ],
)
def test_a_monitor_runs_on_serverless_spark_only(folder, compute, words):
    """L15-08."""
    [line] = _found(folder, _monitor(compute=compute))
    assert line.startswith(f"error[MK0940]: {words}")


def test_a_cluster_as_compute_is_refused(folder):
    """L15-08."""
    [line] = _found(folder, _monitor(compute="azureml:cpu-cluster"))
    assert line.startswith("error[MK0105]: `compute` is `azureml:cpu-cluster`; expected a map")


@pytest.mark.parametrize("runtime", ["3.4", "3.5"])
def test_the_versions_of_spark_are_those_of_the_sdk(runtime):
    from azure.ai.ml.entities._monitoring.compute import _SUPPORTED_RUNTIME_VERSIONS

    from mlops_kit.checks.monitors import RUNTIMES

    assert runtime in RUNTIMES
    assert _SUPPORTED_RUNTIME_VERSIONS == RUNTIMES


@pytest.mark.parametrize(
    ("kind", "given", "missing"),
    [
        ("data_drift", "", ["production_data", "reference_data"]),
        ("data_quality", f"reference_data: {TABLE}", ["production_data"]),
        ("prediction_drift", f"production_data: {TABLE}", ["reference_data"]),
        ("feature_attribution_drift", f"reference_data: {TABLE}", ["production_data"]),
        ("model_performance", "", ["production_data", "reference_data"]),
        ("custom", "component_id: 'azureml:c:1'", ["input_data"]),
        ("generation_safety_quality", "", ["production_data"]),
    ],
)
def test_without_a_deployment_a_signal_needs_its_data(folder, kind, given, missing):
    """L15-02, L15-04."""
    found = _found(folder, _signal(kind, given, target="{ml_task: classification}"))
    assert [line.partition("; ")[0] for line in found] == [
        f"error[MK0941]: a signal of type `{kind}` needs `{name}`" for name in missing
    ]


@pytest.mark.parametrize(
    ("kind", "given", "missing"),
    [
        ("data_drift", "", []),
        ("feature_attribution_drift", "", ["reference_data"]),
        ("model_performance", f"reference_data: {TABLE}", ["production_data"]),
        ("custom", "component_id: 'azureml:c:1'", ["input_data"]),
    ],
)
def test_the_traffic_of_a_deployment_stands_in_for_some_data(folder, kind, given, missing):
    """L15-05."""
    found = _found(folder, _signal(kind, given))
    assert [line.partition("; ")[0] for line in found] == [
        f"error[MK0941]: a signal of type `{kind}` needs `{name}`" for name in missing
    ]


def test_a_monitor_without_signals_needs_a_deployment(folder):
    assert _found(folder, _monitor()) == []
    [line] = _found(folder, _monitor(target=""))
    assert line.startswith("error[MK0941]: a monitor without signals needs a deployment that collects data")


@pytest.mark.parametrize("key", ["production_data", "reference_data"])
def test_a_folder_needs_a_component_that_makes_a_table(folder, key):
    """L15-04."""
    data = "{input_data: {type: uri_folder, path: azureml:t@latest}MORE}"
    [line] = _found(folder, _signal("data_drift", f"{key}: {data.replace('MORE', '')}"))
    assert line.startswith(f"error[MK0942]: `{key}` of type `uri_folder` needs a component")
    with_component = data.replace("MORE", ", pre_processing_component: 'azureml:c@latest'")
    assert _found(folder, _signal("data_drift", f"{key}: {with_component}")) == []


@pytest.mark.parametrize(
    ("key", "window", "words"),
    [
        (
            "production_data",
            "window_start: '2026-01-01', window_end: '2026-02-01'",
            "takes a window that moves with the run",
        ),
        (
            "reference_data",
            "window_start: '2026-01-01', window_end: '2026-02-01', lookback_window_size: P7D",
            "is both",
        ),
        ("reference_data", "window_start: '2026-01-01'", "has `window_start` alone"),
        ("reference_data", "window_start: '2026-02-01', window_end: '2026-01-01'", "`window_end` is not after"),
        ("reference_data", "window_start: january, window_end: '2026-01-01'", "`window_start` is `january`, no date"),
        ("production_data", "lookback_window_size: 7", "`lookback_window_size` is `7`, no duration"),
        ("production_data", "lookback_window_size: P7D, lookback_window_offset: 24h", "`24h`, no duration"),
        ("production_data", "lookback_window_size: P", "`P`, no duration"),
        ("production_data", "lookback_window_size: PT", "`PT`, no duration"),
    ],
)
def test_a_window_that_cannot_be_read_is_one_finding(folder, key, window, words):
    """L15-03, L15-13."""
    data = f"{key}: {{input_data: {{type: mltable, path: azureml:t@latest}}, data_window: {{{window}}}}}"
    [line] = _found(folder, _signal("data_drift", data))
    assert line.startswith("error[MK0943]: ")
    assert words in line


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ("features: []", "error[MK0944]: `features` is empty; name features, or write `all_features`"),
        ("features: [Age, Age]", "warning[MK0944]: the feature `Age` is listed twice; remove one"),
        (
            "features: [Age, BMI], feature_type_override: {BIM: numerical}",
            "error[MK0944]: `BIM` is not among the features; did you mean `BMI`",
        ),
        (
            "features: {top_n_feature_importance: 0}",
            "error[MK0944]: `top_n_feature_importance` is `0`; allowed is 1 or more",
        ),
        (
            (
                "features: {top_n_feature_importance: 3}, reference_data: "
                "{data_context: training, input_data: {type: mltable, path: azureml:t@latest}}"
            ),
            (
                "error[MK0944]: features are ranked by importance for the target, and `reference_data` names no target"
                "; add `data_column_names: {target_column: COLUMN}` there"
            ),
        ),
    ],
)
def test_features_that_make_no_sense_are_one_finding(folder, more, line):
    """L15-07."""
    assert _found(folder, _signal("data_drift", more)) == [line]


@pytest.mark.parametrize("named", ["target_column_name: Diabetic", "data_column_names: {target_column: Diabetic}"])
def test_features_are_ranked_for_a_target_that_the_data_name(folder, named):
    data = f"{{data_context: training, input_data: {{type: mltable, path: azureml:t@latest}}, {named}}}"
    more = f"features: {{top_n_feature_importance: 3}}, reference_data: {data}"
    assert _found(folder, _signal("data_drift", more)) == []


@pytest.mark.parametrize(
    ("kind", "thresholds", "allowed"),
    [
        ("data_drift", "numerical: {jensen_shannon_distance: 30}", "0 to 1"),
        ("data_drift", "categorical: {pearsons_chi_squared_test: -0.1}", "0 to 1"),
        ("data_drift", "numerical: {population_stability_index: -1}", "0 or more"),
        ("data_quality", "numerical: {null_value_rate: 5}", "0 to 1"),
        ("prediction_drift", "numerical: {two_sample_kolmogorov_smirnov_test: 2}", "0 to 1"),
    ],
)
def test_a_threshold_that_its_metric_never_reaches_is_refused(folder, kind, thresholds, allowed):
    """L15-11."""
    [line] = _found(folder, _signal(kind, f"metric_thresholds: {{{thresholds}}}"))
    assert line.startswith("error[MK0945]: ")
    assert line.endswith(f"allowed is {allowed}")


def test_a_metric_of_the_other_type_of_data_is_no_metric(folder):
    more = "metric_thresholds: {numerical: {pearsons_chi_squared_test: 0.1}}"
    [line] = _found(folder, _signal("data_drift", more))
    assert line.startswith("error[MK0102]")


def test_the_sdk_does_send_one_metric_as_the_finding_says(folder):
    from azure.ai.ml.entities._load_functions import load_schedule

    metrics = "{numerical: {population_stability_index: 0.2, jensen_shannon_distance: 0.3}}"
    text = _signal("data_drift", f"metric_thresholds: {metrics}, production_data: {TABLE}, reference_data: {TABLE}")
    signal = load_schedule(io.StringIO(text)).create_monitor.monitoring_signals["one"]
    sent = signal._to_rest_object(default_data_window_size="P7D", ref_data_window_size="P7D").as_dict()
    assert [each["metric"].lower() for each in sent["metricThresholds"]] == ["jensenshannondistance"]
    assert _found(folder, text) == [
        (
            "warning[MK0946]: the SDK sends one metric for numerical features and leaves out the others; "
            "keep one; add a second signal for another"
        )
    ]


def test_a_threshold_of_zero_is_left_out(folder):
    more = "metric_thresholds: {numerical: {jensen_shannon_distance: 0}}"
    [line] = _found(folder, _signal("data_drift", more))
    assert line.startswith("warning[MK0946]: the SDK leaves out `jensen_shannon_distance`, a threshold of 0")


def test_a_feature_that_the_reference_data_lack_is_refused(folder):
    """L15-07."""
    folder.put("data/MLTable", "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited: {delimiter: ','}\n")
    folder.put("data/a.csv", "Pregnancies,Age,BMI\n1,2,3\n")
    data = "reference_data: {input_data: {type: mltable, path: ../data}}"
    assert _found(folder, _signal("data_drift", f"features: [Age, BMI], {data}")) == []
    [line] = _found(folder, _signal("data_quality", f"features: [Age, BIM], {data}"))
    assert line == "error[MK0414]: the table has no column `BIM`; did you mean `BMI`"
