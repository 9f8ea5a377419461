"""Subscriptions, tenants, resource providers and locations: what there is before anything is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import stable_guid
from mlops_kit.local.arm.routes import SUBSCRIPTION, Route
from mlops_kit.local.arm.wire import Call, NotFoundError, Reply
from mlops_kit.local.providers.locations import LOCATIONS
from mlops_kit.local.providers.resource_rules import NAMESPACES
from mlops_kit.local.providers.resource_types import TYPES
from mlops_kit.local.settings import TENANT

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane


def body(plane: Plane, identifier: str) -> dict[str, Any]:
    """Return a subscription; only its tags are stored."""
    scope = f"/subscriptions/{identifier}"
    stored = plane.store.find(scope)
    return {
        "id": scope,
        "subscriptionId": identifier,
        "tenantId": TENANT,
        "displayName": "Local",
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        **({"tags": stored.body["tags"]} if stored else {}),
    }


def _get(plane: Plane, call: Call) -> Reply:
    return Reply(200, body(plane, call.params["subscription"]))


def _list(plane: Plane, call: Call) -> Reply:
    del call
    return Reply(200, {"value": [body(plane, plane.settings.workspace.subscription)]})


def _tenants(plane: Plane, call: Call) -> Reply:
    del plane, call
    tenant = {"id": f"/tenants/{TENANT}", "tenantId": TENANT, "displayName": "Local", "defaultDomain": "mlops.test"}
    return Reply(200, {"value": [tenant]})


def _locations(plane: Plane, call: Call) -> Reply:
    del plane
    scope = f"/subscriptions/{call.params['subscription']}/locations"
    known = [
        {
            "id": f"{scope}/{name}",
            "name": name,
            "displayName": name,
            "regionalDisplayName": name,
            "type": "Region",
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
        for name in sorted(LOCATIONS)
        if name != "global"
    ]
    return Reply(200, {"value": known})


def _provider(subscription: str, namespace: str) -> dict[str, Any]:
    known = {name.lower(): name for name in NAMESPACES}
    if namespace.lower() not in known:
        error = NotFoundError.among("resource provider", namespace, NAMESPACES)
        error.code = "InvalidResourceNamespace"
        raise error
    name = known[namespace.lower()]
    types = [kind.partition("/")[2] for kind in TYPES if kind.startswith(f"{name}/")]
    return {
        "id": f"/subscriptions/{subscription}/providers/{name}",
        "namespace": name,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [{"resourceType": kind, "locations": sorted(LOCATIONS)} for kind in types],
        "providerAuthorizationConsentState": "NotSpecified",
        "applicationId": stable_guid(name),
    }


def _get_provider(plane: Plane, call: Call) -> Reply:
    del plane
    return Reply(200, _provider(call.params["subscription"], call.params["namespace"]))


def _list_providers(plane: Plane, call: Call) -> Reply:
    del plane
    return Reply(200, {"value": [_provider(call.params["subscription"], name) for name in NAMESPACES]})


ROUTES = (
    Route("GET", "/subscriptions", _list),
    Route("GET", SUBSCRIPTION, _get),
    Route("GET", "/tenants", _tenants),
    Route("GET", f"{SUBSCRIPTION}/locations", _locations),
    Route("GET", f"{SUBSCRIPTION}/providers", _list_providers),
    Route("GET", f"{SUBSCRIPTION}/providers/{{namespace}}", _get_provider),
    Route("POST", f"{SUBSCRIPTION}/providers/{{namespace}}/register", _get_provider),
)
