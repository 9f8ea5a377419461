"""Models: registered artefacts with flavors, from a local upload, a datastore or a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.store import Resource

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane


def register_model(
    plane: Plane,
    workspace: str,
    name: str,
    *,
    path_uri: str,
    job: str = "",
    flavors: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
    description: str = "",
) -> Resource:
    """Register the next version (1, 2, 3, ... also when called at the same time) of a model and return it."""
    with plane.store.transaction():
        version = len(plane.store.list(f"{workspace}/models/{name}/versions")) + 1
        body = {
            "id": f"{workspace}/models/{name}/versions/{version}",
            "properties": {
                "modelUri": path_uri,
                "modelType": "mlflow_model" if flavors else "custom_model",
                "flavors": dict(flavors or {}),
                "jobName": job or None,
                "tags": dict(tags or {}),
                "properties": dict(properties or {}),
                "description": description,
            },
        }
        plane.store.put(ids.stamped(plane, body, None), {})
        return plane.store.get(str(body["id"]))
