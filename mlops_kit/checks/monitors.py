"""Model monitors: compute, data and windows of each signal, the features it watches, the thresholds it alerts at.

The rules are those of the SDK (``_schedule_operations``, ``_monitoring`` of azure-ai-ml 1.35.2), most of which it
applies only while it submits, and of the page of the monitor's YAML.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks import columns, mltable
from mlops_kit.checks.findings import Finding, brief, did_you_mean, error, warning
from mlops_kit.checks.pipelines import text_of
from mlops_kit.checks.ranges import COUNT, NOT_NEGATIVE, Range, number, outside
from mlops_kit.checks.triggers import read_moment
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

INSTANCE_TYPES = tuple(f"standard_e{cores}s_v3" for cores in (4, 8, 16, 32, 64))
RUNTIMES = ("3.4", "3.5")
SHARE = Range(0, 1)
# The data of each signal: what must be given, and what only without a deployment, whose collected data stand in.
REQUIRED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "data_drift": ((), ("production_data", "reference_data")),
    "data_quality": ((), ("production_data", "reference_data")),
    "prediction_drift": ((), ("production_data", "reference_data")),
    "feature_attribution_drift": (("reference_data",), ("production_data",)),
    "model_performance": (("production_data", "reference_data"), ()),
    "custom": (("input_data",), ()),
    "generation_safety_quality": (("production_data",), ()),
    "generation_token_statistics": ((), ("production_data",)),
}
# Metrics, with the values that a threshold can have: distances and rates are shares, tests give a p-value.
THRESHOLDS = {
    **dict.fromkeys(
        (
            "jensen_shannon_distance",
            "two_sample_kolmogorov_smirnov_test",
            "pearsons_chi_squared_test",
            "null_value_rate",
            "data_type_error_rate",
            "out_of_bounds_rate",
            "normalized_discounted_cumulative_gain",
            "accuracy",
            "precision",
            "recall",
        ),
        SHARE,
    ),
    **dict.fromkeys(
        ("normalized_wasserstein_distance", "population_stability_index", "mae", "mse", "rmse"), NOT_NEGATIVE
    ),
    **{
        key: allowed
        for name in ("groundedness", "relevance", "coherence", "fluency", "similarity")
        for key, allowed in (
            (f"aggregated_{name}_pass_rate", SHARE),
            (f"acceptable_{name}_score_per_instance", Range(1, 5)),
        )
    },
}
ONE_METRIC = {"data_drift", "prediction_drift"}  # the SDK sends the first metric of each type of data, and no zero
_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the definition of a monitor."""
    definition = subject.root.get("create_monitor") if subject.kind == "monitor_schedule" else None
    if not isinstance(definition, Map):
        return
    yield from _compute(definition)
    target, signals = definition.get("monitoring_target"), definition.get("monitoring_signals")
    is_deployed = isinstance(target, Map) and target.get("endpoint_deployment_id") is not None
    if not isinstance(signals, Map) or not signals.entries:
        if not is_deployed:
            message = "a monitor without signals needs a deployment that collects data"
            yield error("MK0941", definition.place, message, "give `monitoring_target.endpoint_deployment_id`")
        return
    for entry in signals.entries:
        if isinstance(entry.value, Map):
            yield from _signal(entry.value, subject, is_deployed=is_deployed)


def _compute(definition: Map) -> Iterator[Finding]:
    """Yield a compute that is not serverless Spark of a size that monitors take."""
    compute = definition.get("compute")
    hint = f"write `compute: {{instance_type: {INSTANCE_TYPES[0]}, runtime_version: '{RUNTIMES[0]}'}}`"
    if compute is None:
        yield error("MK0940", definition.place, "a monitor has no `compute`", hint)
    if not isinstance(compute, Map):
        return
    for key, allowed in (("instance_type", INSTANCE_TYPES), ("runtime_version", RUNTIMES)):
        node = compute.get(key)
        if node is None:
            yield error("MK0940", compute.place, f"`compute` of a monitor has no `{key}`", hint)
        elif isinstance(node, Scalar) and node.value is not None and node.text.lower() not in allowed:
            message = f"`{brief(node.text)}` is no `{key}` of a monitor, which runs on serverless Spark"
            near = did_you_mean(node.text, allowed) or f"expected one of {', '.join(allowed)}"
            yield error("MK0940", node.place, message, near)


def _signal(signal: Map, subject: Subject, *, is_deployed: bool) -> Iterator[Finding]:
    """Yield what is wrong with one signal."""
    kind = text_of(signal.get("type")).lower()
    always, without_deployment = REQUIRED.get(kind, ((), ()))
    for key in (*always, *(() if is_deployed else without_deployment)):
        if signal.get(key) is None:
            message = f"a signal of type `{kind}` needs `{key}`"
            instead = " or name a deployment that collects data under `monitoring_target`"
            yield error("MK0941", signal.place, message, f"add it{instead if key in without_deployment else ''}")
    for key in ("production_data", "reference_data"):
        for data in _maps(signal.get(key)):
            yield from _data(data, key)
    if kind == "custom":
        inputs = signal.get("input_data")
        for entry in inputs.entries if isinstance(inputs, Map) else ():
            for data in _maps(entry.value):
                yield from _data(data, "reference_data")
    yield from _features(signal)
    yield from _unknown_features(signal, subject)
    yield from outside(signal, "sampling_rate", Range(0, 1), "MK0945")
    for thresholds in _maps(signal.get("metric_thresholds")):
        yield from _thresholds(thresholds)
        if kind in ONE_METRIC:
            yield from _first_metric(thresholds)


def _maps(node: Node | None) -> Iterator[Map]:
    """Yield a map, or each map of a list."""
    for each in node.items if isinstance(node, List) else (node,):
        if isinstance(each, Map):
            yield each


def _data(data: Map, key: str) -> Iterator[Finding]:
    """Yield what is wrong with the data of a signal: how they are read, and which of them."""
    source, window = data.get("input_data"), data.get("data_window")
    kind = source.get("type") if isinstance(source, Map) else None
    if isinstance(kind, Scalar) and kind.text.lower() == "uri_folder" and data.get("pre_processing_component") is None:
        message = f"`{key}` of type `uri_folder` needs a component that makes a table of it"
        yield error("MK0942", kind.place, message, "name one under `pre_processing_component`, or give an `mltable`")
    if isinstance(window, Map):
        yield from _window(window, key)


def _window(window: Map, key: str) -> Iterator[Finding]:
    """Yield a window of data that is of two kinds, of the wrong kind, or cannot be read."""
    fixed = [name for name in ("window_start", "window_end") if window.get(name) is not None]
    rolling = [name for name in ("lookback_window_size", "lookback_window_offset") if window.get(name) is not None]
    if fixed and key == "production_data":
        hint = "give `lookback_window_size` and `lookback_window_offset`"
        yield error("MK0943", window.key_place(fixed[0]), f"`{key}` takes a window that moves with the run", hint)
    elif fixed and rolling:
        message = "a window is either fixed or moves with the run, this one is both"
        hint = f"remove {' and '.join(f'`{name}`' for name in fixed)}"
        yield error("MK0943", window.key_place(fixed[0]), message, hint)
    elif len(fixed) == 1:
        message = f"a fixed window has `{fixed[0]}` alone, and the SDK passes it over"
        yield error("MK0943", window.key_place(fixed[0]), message, "give both `window_start` and `window_end`")
    yield from _durations(window, rolling)
    yield from _dates(window, fixed)


def _durations(window: Map, names: list[str]) -> Iterator[Finding]:
    for name in names:
        node = window.get(name)
        if isinstance(node, Scalar) and node.text != "default" and not _DURATION.fullmatch(node.text):
            message = f"`{name}` is `{brief(node.text)}`, no duration"
            yield error("MK0943", node.place, message, "write days as `P7D`, hours as `PT24H`")


def _dates(window: Map, names: list[str]) -> Iterator[Finding]:
    read: list[str] = []
    for name in names:
        node = window.get(name)
        if isinstance(node, Scalar) and node.value is not None:
            if _is_date(node.text):
                read.append(node.text)
            else:
                yield error(
                    "MK0943", node.place, f"`{name}` is `{brief(node.text)}`, no date", "write it as `2026-01-31`"
                )
    if len(read) == 2 and read[0] >= read[1]:
        end = window.get("window_end") or window
        yield error("MK0943", end.place, f"`window_end` is not after `window_start`, `{read[0]}`")


def _is_date(text: str) -> bool:
    try:
        read_moment(f"{text}T00:00" if _DATE.fullmatch(text) else text)
    except ValueError:
        return False
    return True


def _features(signal: Map) -> Iterator[Finding]:
    """Yield a list of features that is empty or repeats one, and a ranking that cannot be made."""
    features, reference = signal.get("features"), signal.get("reference_data")
    if isinstance(features, List):
        if not features.items:
            yield error("MK0944", features.place, "`features` is empty", "name features, or write `all_features`")
        yield from _repeated(features)
        yield from _overridden(signal, features)
    elif isinstance(features, Map):
        yield from outside(features, "top_n_feature_importance", COUNT, "MK0944")
        if features.get("top_n_feature_importance") is not None and _is_without_target(reference):
            message = "features are ranked by importance for the target, and `reference_data` names no target"
            yield error("MK0944", features.place, message, "add `data_column_names: {target_column: COLUMN}` there")


def _unknown_features(signal: Map, subject: Subject) -> Iterator[Finding]:
    """Yield features that a local table of reference data does not have."""
    features, reference = signal.get("features"), signal.get("reference_data")
    source = reference.get("input_data") if isinstance(reference, Map) else None
    if not isinstance(features, List) or not isinstance(source, Map) or text_of(source.get("type")) != mltable.TYPE:
        return
    known, _ = mltable.opened(source, subject)
    for item in features.items:
        if known is not None and isinstance(item, Scalar):
            yield from columns.missing(item, known)


def _repeated(features: List) -> Iterator[Finding]:
    seen: set[str] = set()
    for item in features.items:
        if isinstance(item, Scalar):
            if item.text in seen:
                yield warning("MK0944", item.place, f"the feature `{brief(item.text)}` is listed twice", "remove one")
            seen.add(item.text)


def _overridden(signal: Map, features: List) -> Iterator[Finding]:
    """Yield features whose type is given and that are not watched."""
    override = signal.get("feature_type_override")
    watched = {item.text for item in features.items if isinstance(item, Scalar)}
    for entry in override.entries if isinstance(override, Map) else ():
        if entry.key.text not in watched:
            message = f"`{brief(entry.key.text)}` is not among the features"
            yield error("MK0944", entry.key.place, message, did_you_mean(entry.key.text, watched))


def _is_without_target(reference: Node | None) -> bool:
    """Return whether reference data are training data that do not say what they train for."""
    if not isinstance(reference, Map):
        return False
    context, columns = reference.get("data_context"), reference.get("data_column_names")
    is_training = isinstance(context, Scalar) and context.text.lower() == "training"
    named = reference.get("target_column_name") or (columns.get("target_column") if isinstance(columns, Map) else None)
    return is_training and named is None


def _thresholds(thresholds: Map) -> Iterator[Finding]:
    """Yield thresholds, at any depth, that their metric never reaches."""
    for entry in thresholds.entries:
        if isinstance(entry.value, Map):
            yield from _thresholds(entry.value)
        elif entry.key.text in THRESHOLDS:
            yield from outside(thresholds, entry.key.text, THRESHOLDS[entry.key.text], "MK0945")


def _first_metric(thresholds: Map) -> Iterator[Finding]:
    """Yield thresholds that the SDK leaves out: it sends one metric for each type of data."""
    for data_type in ("numerical", "categorical"):
        metrics = thresholds.get(data_type)
        given = [entry for entry in metrics.entries if entry.key.text in THRESHOLDS] if isinstance(metrics, Map) else []
        for entry in given:
            if number(entry.value) == 0:
                message = f"the SDK leaves out `{entry.key.text}`, a threshold of 0"
                yield warning("MK0946", entry.value.place, message, "write a small number")
        if len(given) > 1:
            message = f"the SDK sends one metric for {data_type} features and leaves out the others"
            yield warning("MK0946", given[1].key.place, message, "keep one; add a second signal for another")
