"""The MLflow run of a step that was not run again: it shows what the run that stands for it has logged."""

from __future__ import annotations

import logging

from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.runs import bookends, states
from mlops_kit.local.runs.work import Work

log = logging.getLogger(__name__)


def copy(work: Work, source: Resource, child: Resource) -> None:
    """Create the MLflow run of a reused step in the background of the pipeline; a failure is logged, nothing more."""
    name, earlier = str(child.body["name"]), str(source.body["name"])
    try:
        work.plane.tracking.copy_run(
            work.workspace,
            earlier,
            name,
            experiment=str(child.properties["experimentName"]),
            title=str(child.properties["displayName"]),
            tags={bookends.PARENT_TAG: work.name, "azureml.reusedrunid": earlier},
            status=states.MLFLOW_STATUS[states.COMPLETED],
        )
    except (ArmError, OSError) as error:
        log.warning("the MLflow run of %s was not copied from %s: %s", name, earlier, error)
