"""The environment variables of a job's processes: those of a client of this control plane, and those a compute sets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_kit.local import supervisor
from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.settings import API_URL, Instance, LocalSettings
from mlops_kit.local.tracking import tracking_url


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the variables of a job are made from."""

    settings: LocalSettings
    instance: Instance
    guid: str  # of the workspace
    interpreter: Path


def of_job(job: Resource, around: Surroundings, bound: Mapping[str, str]) -> dict[str, str]:
    """Return all variables of a job; ``bound`` are its inputs and outputs in place, as ``inputs.x``, ``outputs.y``."""
    client = supervisor.environment(around.instance, around.settings)
    surrounding = supervisor.applied(client, os.environ)
    own = {**_compute(job, around), **_tracking(job), **_places(bound)}
    given = {name: str(value) for name, value in (job.properties.get("environmentVariables") or {}).items()}
    return {**surrounding, **_python(around.interpreter, surrounding), **own, **given}


def _python(interpreter: Path, surrounding: Mapping[str, str]) -> dict[str, str]:
    """Let ``python`` and ``pip`` be the job's, and let what it prints be readable at once."""
    path = os.pathsep.join((str(interpreter.parent), surrounding.get("PATH", os.defpath)))
    found = {"PATH": path, "PYTHONUNBUFFERED": "1"}
    if (interpreter.parent.parent / "pyvenv.cfg").exists():
        found["VIRTUAL_ENV"] = str(interpreter.parent.parent)
    return found


def _compute(job: Resource, around: Surroundings) -> dict[str, str]:
    workspace, name = ids.workspace_of(job.id), str(job.body["name"])
    parts = ids.parse(workspace)
    experiment = str(job.properties["experimentName"])
    parent = job.properties.get("parentJobName") or name
    return {
        "AZUREML_RUN_ID": name,
        "AZUREML_ROOT_RUN_ID": str(parent),
        "AZUREML_RUN_TOKEN": supervisor.environment(around.instance, around.settings)["MLFLOW_TRACKING_TOKEN"],
        "AZUREML_ARM_SUBSCRIPTION": parts["subscriptions"],
        "AZUREML_ARM_RESOURCEGROUP": parts["resourcegroups"],
        "AZUREML_ARM_WORKSPACE_NAME": parts["workspaces"],
        "AZUREML_ARM_PROJECT_NAME": experiment,
        "AZUREML_EXPERIMENT_NAME": experiment,
        "AZUREML_EXPERIMENT_ID": ids.stable_guid(workspace, experiment),
        "AZUREML_EXPERIMENT_SCOPE": f"{workspace}/experiments/{experiment}",
        "AZUREML_WORKSPACE_ID": around.guid,
        "AZUREML_WORKSPACE_SCOPE": workspace,
        "AZUREML_SERVICE_ENDPOINT": API_URL,
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": f"{API_URL}/discovery",
    }


def _tracking(job: Resource) -> dict[str, str]:
    """Lead MLflow to the job's run. The experiment's name is enough for it, and its id may not be known yet."""
    return {
        "MLFLOW_TRACKING_URI": tracking_url(ids.workspace_of(job.id)),
        "MLFLOW_RUN_ID": str(job.body["name"]),
        "MLFLOW_EXPERIMENT_NAME": str(job.properties["experimentName"]),
    }


def _places(bound: Mapping[str, str]) -> dict[str, str]:
    prefixes = {"inputs": "AZURE_ML_INPUT_", "outputs": "AZURE_ML_OUTPUT_"}
    found: dict[str, str] = {}
    for name, text in bound.items():
        kind, _, short = name.partition(".")
        if kind in prefixes:
            found[prefixes[kind] + short] = text
    return found
