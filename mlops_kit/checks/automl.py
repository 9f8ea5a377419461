"""AutoML jobs and steps: data, validation, limits, algorithms, forecasting, featurization, ensembles and sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit import schemas
from mlops_kit.checks import pipelines, sweeps
from mlops_kit.checks.findings import Finding, error, warning
from mlops_kit.checks.kinds import FAMILIES
from mlops_kit.checks.pipelines import text_of
from mlops_kit.checks.ranges import COUNT, Range, above, outside
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

TABULAR = {"automl_classification", "automl_regression", "automl_forecasting"}
FORECASTING = "automl_forecasting"
FOLDS = Range(2)
SHARE = Range(0, 1, is_open=True)
# Ways to validate of which a job takes one; a share of the rows with a number of folds is Monte Carlo validation.
WAYS = ("validation_data", "n_cross_validations", "validation_data_size", "cv_split_column_names")
TOGETHER = {"n_cross_validations", "validation_data_size"}
CUSTOM = ("blocked_transformers", "column_name_and_types", "transformer_params")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with an AutoML job, and with each AutoML step of a pipeline."""
    if subject.kind in FAMILIES["automl"].kinds.values():
        yield from _job(subject.root, subject.kind)
        return
    pipeline = pipelines.read(subject)
    for step in pipeline.steps if pipeline else ():
        if _text(step.node, "type") == "automl":
            kind = FAMILIES["automl"].kinds.get(_text(step.node, "task"))
            yield from _job(step.node, kind) if kind else ()


def _text(owner: Map, key: str) -> str:
    """Return the text of a key in the case of the SDK's words, empty when there is none."""
    return text_of(owner.get(key)).lower()


def _job(job: Map, kind: str) -> Iterator[Finding]:
    if job.get("training_data") is None:
        hint = "give an MLTable: `training_data: {type: mltable, path: ./FOLDER}`"
        yield error("MK0966", job.place, "an AutoML job has no `training_data`", hint)
    limits, space, sweep = job.get("limits"), job.get("search_space"), job.get("sweep")
    if isinstance(limits, Map):
        yield from _limits(limits)
    if kind in TABULAR:
        yield from _tabular(job, kind)
    elif isinstance(sweep, Map):
        yield from sweeps.check_sampling(sweep, _spaces(space))
    else:
        yield from sweeps.check_sampling(job, _spaces(space))


def _spaces(space: Node | None) -> Iterator[Map]:
    """Yield each of the search spaces of a job on images or texts."""
    for item in space.items if isinstance(space, List) else ():
        if isinstance(item, Map):
            yield item


def _limits(limits: Map) -> Iterator[Finding]:
    """Yield limits out of range, and limits that contradict each other."""
    counts = ("max_trials", "max_concurrent_trials", "max_nodes", "timeout_minutes", "trial_timeout_minutes")
    wrong = [finding for key in counts for finding in outside(limits, key, COUNT, "MK0962")]
    yield from wrong
    if not wrong:
        yield from above(limits, "max_concurrent_trials", "max_trials", "MK0962")
        yield from above(limits, "trial_timeout_minutes", "timeout_minutes", "MK0962")


def _tabular(job: Map, kind: str) -> Iterator[Finding]:
    yield from _validation(job, kind)
    training, featurization = job.get("training"), job.get("featurization")
    if isinstance(training, Map):
        yield from _algorithms(training, kind)
        yield from _ensemble(training)
    if isinstance(featurization, Map):
        yield from _featurization(featurization)
    if kind == FORECASTING:
        yield from _forecasting(job)


def _validation(job: Map, kind: str) -> Iterator[Finding]:
    """Yield settings of validation and test that are out of range or exclude each other."""
    yield from outside(job, "n_cross_validations", FOLDS, "MK0961")
    for key in ("validation_data_size", "test_data_size"):
        yield from outside(job, key, SHARE, "MK0961", "it is a share of the training data")
    given = sorted((key for key in WAYS if job.get(key) is not None), key=job.key_place)
    if len(given) > 1 and (set(given) != TOGETHER or kind == FORECASTING):
        message = f"`{given[1]}` cannot stand beside `{given[0]}`: a job validates in one way"
        yield error("MK0961", job.key_place(given[1]), message, "keep one of the two")
    if kind == FORECASTING and not given:
        message = "a forecast does not say how it is validated: rows of a series cannot be split at random"
        yield error("MK0961", job.place, message, "add `n_cross_validations: auto`, or `validation_data`")
    if job.get("test_data") is not None and job.get("test_data_size") is not None:
        message = "`test_data_size` cannot stand beside `test_data`"
        yield error("MK0961", job.key_place("test_data_size"), message, "keep one of the two")


def _algorithms(training: Map, kind: str) -> Iterator[Finding]:
    """Yield algorithms that are both allowed and blocked, and a list that leaves none."""
    allowed, blocked = (_listed(training.get(f"{word}_training_algorithms")) for word in ("allowed", "blocked"))
    for name, node in blocked.items():
        if name in allowed:
            yield error("MK0960", node.place, f"`{node.text}` is both allowed and blocked", "keep it in one list")
    known = _known_algorithms(kind)
    if known and known <= blocked.keys():
        place = training.key_place("blocked_training_algorithms")
        yield error("MK0960", place, "every algorithm is blocked", "leave at least one")


def _listed(node: Node | None) -> dict[str, Scalar]:
    """Return the names of a list as the SDK compares them, each with its place."""
    found = (item for item in node.items if isinstance(item, Scalar)) if isinstance(node, List) else ()
    return {_folded(item.text): item for item in found}


def _folded(name: str) -> str:
    return name.lower().replace("_", "")


def _known_algorithms(kind: str) -> set[str]:
    """Return the algorithms of a task, as its schema lists them."""
    definitions: dict[str, Any] = schemas.read(kind)["$defs"]
    settings = (body.get("properties", {}) for body in definitions.values())
    lists = (each.get("blocked_training_algorithms") for each in settings)
    options = [option for each in lists if each for option in each["items"].get("anyOf", [each["items"]])]
    return {_folded(name) for option in options for name in option.get("enum", ())}


def _ensemble(training: Map) -> Iterator[Finding]:
    """Yield settings of a stacked ensemble that is not built, that lack its learner, or whose share is none."""
    settings = training.get("stack_ensemble_settings")
    if not isinstance(settings, Map):
        return
    yield from outside(settings, "stack_meta_learner_train_percentage", SHARE, "MK0965", "it is a share of 1")
    if settings.get("stack_meta_learner_type") is None:
        message = "`stack_ensemble_settings` without `stack_meta_learner_type` stop the SDK with a KeyError"
        yield error("MK0965", settings.place, message, "add it, such as `stack_meta_learner_type: none`")
    if _text(training, "enable_stack_ensemble") == "false":
        place = training.key_place("stack_ensemble_settings")
        message = "`stack_ensemble_settings` have no effect while `enable_stack_ensemble` is false"
        yield warning("MK0965", place, message, "remove one of the two")


def _featurization(featurization: Map) -> Iterator[Finding]:
    """Yield settings that the mode of featurization passes over."""
    mode = featurization.get("mode")
    if not isinstance(mode, Scalar) or _text(featurization, "mode") not in ("off", "auto", "false"):
        return
    for key in CUSTOM:
        if featurization.get(key) is not None:
            message = f"`{key}` has no effect with `mode: {mode.text}`"
            yield warning("MK0964", featurization.key_place(key), message, "write `mode: custom`")


def _forecasting(job: Map) -> Iterator[Finding]:
    """Yield what a forecast lacks, and settings of time out of range."""
    settings = job.get("forecasting")
    if settings is None:
        hint = "add `forecasting: {time_column_name: COLUMN, forecast_horizon: PERIODS}`"
        yield error("MK0963", job.place, "a forecast has no `forecasting` settings", hint)
    if not isinstance(settings, Map):
        return
    if settings.get("time_column_name") is None:
        message = "a forecast does not say which column holds the time"
        yield error("MK0963", settings.place, message, "add `time_column_name`")
    if settings.get("forecast_horizon") is None:
        message = "a forecast does not say how many periods ahead it looks, so it looks ahead one"
        yield warning("MK0963", settings.place, message, "add `forecast_horizon`")
    for key in ("forecast_horizon", "target_rolling_window_size", "cv_step_size", "target_lags", "seasonality"):
        yield from outside(settings, key, COUNT, "MK0963")
    column = _text(settings, "time_column_name")
    if column and column == _text(job, "target_column_name"):
        time = settings.get("time_column_name") or settings
        yield error("MK0963", time.place, "the column of the time is the column that is forecast")
