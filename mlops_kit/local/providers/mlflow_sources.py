"""The sources from which MLflow registers a model version, and what they are to Azure ML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mlops_kit.local import uris
from mlops_kit.local.arm.wire import BadRequestError, NotFoundError
from mlops_kit.local.plane import Plane
from mlops_kit.local.providers import datastores, versions
from mlops_kit.local.providers.mlflow_artifacts import client_path, safe
from mlops_kit.local.tracking import ARTIFACT_ROOT


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model's files are (a client's path), and the run and the logged model that they came from, if known."""

    path: str
    run_id: str = ""
    model_id: str = ""


def located(plane: Plane, workspace: str, body: dict[str, Any]) -> Source:
    """Find the source that the body of ``model-versions/create`` names; 400 where its files are elsewhere."""
    source, run_id = str(body["source"]).rstrip("/"), str(body.get("run_id") or "")
    model_id = str(body.get("model_id") or "")
    parts = urlsplit(source)
    if parts.scheme == "models":
        found = _registered(plane, workspace, parts.path.lstrip("/"))
        return Source(found.path, run_id or found.run_id, model_id or found.model_id)
    if parts.scheme == "runs":
        run, _, rest = parts.path.lstrip("/").partition("/")
        return Source(safe(f"{ARTIFACT_ROOT}/dcid.{run}/{rest}"), run_id or run, model_id)
    if path := client_path(workspace, source):
        return Source(safe(path), run_id, model_id)
    if source.startswith("azureml:"):
        return Source(_addressed(plane, workspace, source), run_id, model_id)
    raise BadRequestError(
        f"Invalid model version source: '{source}'. Log the model to a run and register 'runs:/<run>/<path>', or let"
        " azure-ai-ml upload and register the folder."
    )


def _registered(plane: Plane, workspace: str, path: str) -> Source:
    """Find ``<model id>``, ``<name>/<version>`` or ``<name>@<alias>``."""
    name, slash, version = path.partition("/")
    if not slash and "@" not in name:
        model = plane.tracking.logged_model(workspace, name)["info"]
        return Source(client_path(workspace, model["artifact_uri"]), model.get("source_run_id", ""), name)
    name, _, alias = name.partition("@")
    if alias:
        container = plane.store.get(f"{workspace}/models/{name}", f"The registered model '{name}'")
        version = container.private.get("aliases", {}).get(alias, "")
        if not version:
            raise NotFoundError(f"The alias '{alias}' of the model '{name}'")
    found = versions.find_version(plane, workspace, "models", name, version)
    kept = found.properties.get("properties") or {}
    run = kept.get("mlflow.runId") or found.properties.get("jobName") or ""
    return Source(f"models/{name}/versions/{versions.version_of(found)}", run, kept.get("mlflow.modelId", ""))


def _addressed(plane: Plane, workspace: str, source: str) -> str:
    """Return a client's path of an ``azureml:`` address, which must be in the workspace's artefacts."""
    if source.startswith("azureml://artifacts/"):  # how azureml-mlflow names a folder that it has uploaded
        return safe(source.removeprefix("azureml://artifacts/"))
    container, path = uris.resolve(plane, uris.parse(source, workspace))
    if container != datastores.container(plane, workspace, datastores.ARTIFACTS):
        raise BadRequestError(f"Invalid model version source: '{source}' is not among the artefacts of the workspace.")
    return safe(path)


def address(plane: Plane, workspace: str, source: Source) -> str:
    """Return the address that Azure ML gives to a model from a source."""
    if source.path.startswith("models/"):
        _, name, _, version = source.path.split("/")[:4]
        return str(versions.find_version(plane, workspace, "models", name, version).properties["modelUri"])
    return uris.long_form(uris.DatastorePath(workspace, datastores.ARTIFACTS, source.path))
