"""What the service checks and fills in when a pipeline job is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.wire import concerning
from mlops_kit.local.providers import computes
from mlops_kit.local.runs import capacity, inputs, outputs
from mlops_kit.local.runs.pipelines import plan

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

Properties = dict[str, Any]
CONTENT = ("jobs", "inputs", "outputs", "settings", "computeId")


def completed(plane: Plane, workspace: str, given: Properties) -> Properties:
    """Return the job with what the service fills in; 400, 404 or 501 where it could not be run."""
    sent = {name: one for name, one in (given.get("inputs") or {}).items() if not _is_left_out(one)}
    found = {name: inputs.completed(plane, workspace, name, one) for name, one in sent.items()}
    left_out = {name: None for name in (given.get("inputs") or {}) if name not in found}
    made = {name: _output(plane, workspace, name, one or {}) for name, one in (given.get("outputs") or {}).items()}
    outline = plan.read(plane, workspace, {**given, "inputs": {**found, **left_out}, "outputs": made})
    for name, compute in outline.computes():
        with concerning(f"jobs.{name}.computeId" if name else "computeId"):
            _check_compute(plane, workspace, compute)
    return {**given, "inputs": {**found, **left_out}, "outputs": made}


def _is_left_out(one: Mapping[str, Any] | None) -> bool:
    return one is None or (str(one.get("jobInputType")).lower() == "literal" and one.get("value") is None)


def _output(plane: Plane, workspace: str, name: str, given: Properties) -> Properties:
    """Check an output, and leave open what the step that writes it decides: its type, its mode and its place."""
    outputs.completed(plane, workspace, name, given)
    return {key: value for key, value in given.items() if value is not None}


def _check_compute(plane: Plane, workspace: str, compute: str) -> None:
    if compute.rpartition("/")[2].lower() not in capacity.HOST_NAMES:
        computes.runnable(plane, workspace, compute)
