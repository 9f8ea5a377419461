"""The registry ``azureml``, as far as its curated environments are read; every other registry operation answers 501."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.local.arm.routes import PROVIDER, Route
from mlops_kit.local.arm.wire import ArmError, Call, NotFoundError, Reply
from mlops_kit.local.runs import curated
from mlops_kit.local.settings import API_URL, TENANT

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

_LOCATION = "local"
_ENVIRONMENTS = f"/mferp/managementfrontend{PROVIDER}/registries/{{registry}}/environments"


def _discovery(plane: Plane, call: Call) -> Reply:
    """Answer where a registry is served."""
    _check_registry(call)
    home = plane.settings.workspace
    document = {
        "registryName": curated.REGISTRY,
        "tenantId": TENANT,
        "primaryRegion": _LOCATION,
        "regions": [_LOCATION],
        "subscriptionId": home.subscription,
        "resourceGroup": home.group,
        "primaryRegionResourceProviderUri": f"{API_URL}/",
    }
    return Reply(200, document)


def _check_registry(call: Call) -> None:
    name = call.params["registry"]
    if name.lower() != curated.REGISTRY:
        raise NotFoundError(f"The registry '{name}' (known here: {curated.REGISTRY}, its environments)")


def _get_version(_plane: Plane, call: Call) -> Reply:
    _check_registry(call)
    return Reply(200, curated.registry_resource(call.params["name"], call.params["version"]).body)


def _get_container(_plane: Plane, call: Call) -> Reply:
    _check_registry(call)
    return Reply(200, curated.registry_container(call.params["name"]).body)


def _list_versions(_plane: Plane, call: Call) -> Reply:
    _check_registry(call)
    return Reply(200, {"value": [curated.registry_resource(call.params["name"], "latest").body]})


def _list_containers(_plane: Plane, call: Call) -> Reply:
    _check_registry(call)
    return Reply(200, {"value": [curated.registry_container(entry.name).body for entry in curated.TABLE]})


def _read_only(_plane: Plane, call: Call) -> Reply:
    raise ArmError(403, "AuthorizationFailed", f"The registry '{call.params['registry']}' can only be read.")


ROUTES = (
    Route("GET", "/registrymanagement/v1.0/registries/{registry}/discovery", _discovery),
    Route("GET", _ENVIRONMENTS, _list_containers),
    Route("GET", f"{_ENVIRONMENTS}/{{name}}", _get_container),
    Route("GET", f"{_ENVIRONMENTS}/{{name}}/versions", _list_versions),
    Route("GET", f"{_ENVIRONMENTS}/{{name}}/versions/{{version}}", _get_version),
    Route("PUT", f"{_ENVIRONMENTS}/{{name}}/versions/{{version}}", _read_only),
)
