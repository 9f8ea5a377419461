"""What the service checks and fills in when a sweep job is submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.wire import BadRequestError, concerning
from mlops_kit.local.providers import command_jobs
from mlops_kit.local.runs.sweeps import outline, trials

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

Properties = dict[str, Any]
CONTENT = (
    "trial",
    "searchSpace",
    "samplingAlgorithm",
    "objective",
    "earlyTermination",
    "limits",
    "computeId",
    "inputs",
    "outputs",
    "resources",
)


def completed(plane: Plane, workspace: str, given: Properties) -> Properties:
    """Return the job with what the service fills in; 400, 404 or 501 where it could not be run.

    Its trial is checked as a command job, with the values in the middle of the search space.
    """
    plan = outline.read(given)
    middle = {name: expression.at(0.5) for name, expression in plan.space.items()}
    try:
        sent = trials.body(given, 0, middle)
    except trials.UnknownParameterError as error:
        raise BadRequestError(str(error), target="trial.command") from None
    with concerning("trial"):
        trial = command_jobs.completed(plane, workspace, sent)
    inputs = {name: one for name, one in trial["inputs"].items() if name in (given.get("inputs") or {})}
    limits = {**(given.get("limits") or {}), "maxTotalTrials": plan.total, "maxConcurrentTrials": plan.concurrent}
    return {**given, "inputs": inputs, "outputs": trial["outputs"], "limits": limits}
