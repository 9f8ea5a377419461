"""Batch deployments: code that works through mini-batches, how many, how often, and what becomes of the output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.checks import bounds, deployments, keys
from mlops_kit.checks.bounds import Bounds
from mlops_kit.checks.findings import Finding, error
from mlops_kit.checks.resources import machines
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

# kind -> where its settings stand
_SETTINGS = {"batch_deployment": "", "model_batch_deployment": "settings"}
BOUNDS = {
    "mini_batch_size": Bounds(1),
    "max_concurrency_per_instance": Bounds(1),
    "error_threshold": Bounds(-1),
    "mini_batch_error_threshold": Bounds(-1),
    "instance_count": Bounds(1),
}
RETRIES = {"max_retries": Bounds(0), "timeout": Bounds(1, unit="second")}
_LEVELS = ("debug", "info", "warning")


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with a batch deployment beyond its keys."""
    root, kind = subject.root, subject.kind
    if kind == "pipeline_component_batch_deployment":
        return _of_pipeline(root)
    if kind not in _SETTINGS or root.get("component") is not None or root.get("job_definition") is not None:
        return []
    return [
        *deployments.code(root, subject.folder, subject.files, needs_result=True),
        *deployments.unanswered(root),
        *(_without_compute(root) if kind == "batch_deployment" else ()),
        *_settings(root.get(_SETTINGS[kind]) if _SETTINGS[kind] else root),
        *_instances(root),
    ]


def _of_pipeline(root: Map) -> list[Finding]:
    """Check that a deployment of a pipeline has one: its component, or a job that was run."""
    component, job = root.get("component"), root.get("job_definition")
    if component is None and job is None:
        return [
            error("MK0104", root.place, "required key `component` is missing", "name the component of the pipeline")
        ]
    if component is not None and job is not None:
        return [excluded(root, "job_definition", "component")]
    return []


def excluded(node: Map, one: str, other: str) -> Finding:
    """Return the fault that two keys stand together of which the service takes one."""
    return error("MK1020", node.key_place(one), f"`{one}` and `{other}` exclude each other", "keep one of them")


def _without_compute(root: Map) -> Iterator[Finding]:
    """Report a deployment of a model that has no machines: the schema of the SDK leaves it open, for pipelines."""
    if root.get("compute") is None:
        yield error("MK0104", root.place, "required key `compute` is missing", "name the cluster that does the work")


def _settings(settings: Node | None) -> Iterator[Finding]:
    """Check how the work is divided and what becomes of its output."""
    if not isinstance(settings, Map):
        return
    yield from bounds.outside(settings, BOUNDS)
    yield from bounds.outside(settings.get("retry_settings"), RETRIES)
    action, name = settings.get("output_action"), settings.get("output_file_name")
    if name is not None and isinstance(action, Scalar) and action.text.lower() == "summary_only":
        message = "`output_file_name` is given, and `summary_only` writes no file"
        hint = "write `output_action: append_row`, or leave the name out"
        yield error("MK1017", settings.key_place("output_file_name"), message, hint)
    level = settings.get("logging_level")
    if isinstance(level, Scalar) and level.text.lower() not in _LEVELS and "${{" not in level.text:
        yield keys.not_allowed(level, "logging_level", _LEVELS)


def _instances(root: Map) -> Iterator[Finding]:
    """Check the number of machines, which stands in one place."""
    resources, settings = root.get("resources"), root.get("settings")
    yield from machines(resources)
    if resources is not None and isinstance(settings, Map) and settings.get("instance_count") is not None:
        yield excluded(settings, "instance_count", "resources")
