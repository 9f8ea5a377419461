"""Subscriptions, tenants, resource providers, locations and resource groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import group_of, stable_guid, type_of
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import GROUP, SUBSCRIPTION, Route
from mlops_kit.local.arm.shapes import TAGS, shaped
from mlops_kit.local.arm.wire import BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.providers import registries, resources, workspaces
from mlops_kit.local.settings import TENANT

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

LOCATION = "local"
# Regions that templates name; everything runs on this machine whichever is chosen.
LOCATIONS = (
    LOCATION,
    "australiaeast",
    "canadacentral",
    "centralus",
    "eastus",
    "eastus2",
    "francecentral",
    "germanywestcentral",
    "northeurope",
    "southcentralus",
    "swedencentral",
    "switzerlandnorth",
    "uksouth",
    "westeurope",
    "westus",
    "westus2",
    "westus3",
)
NAMESPACES = (
    "Microsoft.Authorization",
    "Microsoft.ContainerRegistry",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.MachineLearningServices",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Resources",
    "Microsoft.Storage",
)
_SHAPE = {"location": str, "tags": TAGS, "managedBy": str, "properties": dict}
_NAME = re.compile(r"[\w.()-]{0,89}[\w()-]")


def group_id(subscription: str, name: str) -> str:
    """Return the id of a resource group."""
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


def create(plane: Plane, subscription: str, name: str, body: dict[str, Any]) -> Resource:
    """Write a resource group; unlike other resources it carries no systemData."""
    resource_id = group_id(subscription, name)
    previous = plane.store.find(resource_id)
    stored = {
        **body,
        "id": previous.id if previous else resource_id,
        "name": previous.body["name"] if previous else name,
        "type": "Microsoft.Resources/resourceGroups",
        "properties": {"provisioningState": "Succeeded"},
    }
    plane.store.put(stored)
    return plane.store.get(resource_id)


def top_level(plane: Plane, scope: str) -> list[dict[str, Any]]:
    """Return the resources of a group that are no parts of another, without their properties, as ARM lists them."""
    kept = ("id", "name", "type", "location", "kind", "tags", "sku", "identity", "managedBy", "zones", "plan")
    return [
        {key: one.body[key] for key in kept if key in one.body}
        for one in plane.store.under(scope)
        if type_of(one.id).count("/") == 1 and not one.body["type"].startswith("Microsoft.Resources/")
    ]


def _put(plane: Plane, call: Call) -> Reply:
    subscription, name, body = call.params["subscription"], call.params["group"], shaped(call.json(), _SHAPE)
    if not _NAME.fullmatch(name):
        raise BadRequestError(
            f"The resource group name '{name}' is not valid: use 1 to 90 letters, digits, '.', '_', '-' and"
            " parentheses, and no '.' at the end.",
            target="name",
        )
    previous = plane.store.find(group_id(subscription, name))
    location = body.get("location") or (previous.body["location"] if previous else "")
    if not location:
        raise BadRequestError(f"The resource group '{name}' has no location.", target="location")
    stored = create(plane, subscription, name, {**body, "location": location})
    return Reply(200 if previous else 201, stored.body)


def _patch(plane: Plane, call: Call) -> Reply:
    previous = resources.require_group(plane, GROUP.format(**call.params))
    body = {
        **previous.body,
        **{key: value for key, value in shaped(call.json(), _SHAPE).items() if key in {"tags", "managedBy"}},
    }
    return Reply(200, create(plane, call.params["subscription"], call.params["group"], body).body)


def _get(plane: Plane, call: Call) -> Reply:
    return Reply(200, resources.require_group(plane, GROUP.format(**call.params)).body)


def _head(plane: Plane, call: Call) -> Reply:
    there = plane.store.find(group_id(call.params["subscription"], call.params["group"]))
    return Reply(204 if there else 404)


def _list(plane: Plane, call: Call) -> Reply:
    found = plane.store.list(f"/subscriptions/{call.params['subscription']}/resourceGroups")
    bodies = [one.body for one in found]
    wanted = re.fullmatch(r"tagName eq '([^']*)'(?: and tagValue eq '([^']*)')?", call.query.get("$filter", ""))
    if wanted:
        name, value = wanted.groups()
        tagged = [body for body in bodies if name in (body.get("tags") or {})]
        bodies = [body for body in tagged if value is None or body["tags"][name] == value]
    return Reply(200, {"value": bodies[: int(call.query["$top"])] if "$top" in call.query else bodies})


def _delete(plane: Plane, call: Call) -> Reply:
    found = resources.require_group(plane, GROUP.format(**call.params))
    for workspace in plane.store.list(f"{found.id}/providers/Microsoft.MachineLearningServices/workspaces"):
        workspaces.delete(plane, workspace)
    for registry in registries.of_group(plane, found.id):
        registries.delete(plane, registry)
    plane.store.delete(found.id)
    return accepted(plane, call)


def _resources(plane: Plane, call: Call) -> Reply:
    found = resources.require_group(plane, GROUP.format(**call.params))
    return Reply(200, {"value": _filtered(top_level(plane, group_of(found.id)), call.query.get("$filter", ""))})


def _all_resources(plane: Plane, call: Call) -> Reply:
    scope = f"/subscriptions/{call.params['subscription']}/resourceGroups"
    return Reply(200, {"value": _filtered(top_level(plane, scope), call.query.get("$filter", ""))})


def _filtered(bodies: list[dict[str, Any]], expression: str) -> list[dict[str, Any]]:
    """Apply ``field eq 'text'`` terms joined by ``and``; 400 for any other filter rather than too many results."""
    for term in filter(None, re.split(r"\s+and\s+", expression.strip())):
        found = re.fullmatch(r"(resourceType|name|location|resourceGroup) eq '([^']*)'", term)
        if not found:
            raise BadRequestError(
                f"The filter '{term}' is not understood; use resourceType, name or location eq '...'."
            )
        field, value = found.groups()
        bodies = [body for body in bodies if _field(body, field).lower() == value.lower()]
    return bodies


def _field(body: dict[str, Any], field: str) -> str:
    if field == "resourceGroup":
        return group_of(body["id"]).rpartition("/")[2]
    return str(body.get({"resourceType": "type"}.get(field, field), ""))


def _subscription(identifier: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{identifier}",
        "subscriptionId": identifier,
        "tenantId": TENANT,
        "displayName": "Local",
        "state": "Enabled",
        "authorizationSource": "RoleBased",
    }


def _get_subscription(plane: Plane, call: Call) -> Reply:
    del plane
    return Reply(200, _subscription(call.params["subscription"]))


def _list_subscriptions(plane: Plane, call: Call) -> Reply:
    del call
    return Reply(200, {"value": [_subscription(plane.settings.workspace.subscription)]})


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
        for name in LOCATIONS
    ]
    return Reply(200, {"value": known})


def _provider(subscription: str, namespace: str) -> dict[str, Any]:
    known = {name.lower(): name for name in NAMESPACES}
    if namespace.lower() not in known:
        error = NotFoundError.among("resource provider", namespace, NAMESPACES)
        error.code = "InvalidResourceNamespace"
        raise error
    name = known[namespace.lower()]
    return {
        "id": f"/subscriptions/{subscription}/providers/{name}",
        "namespace": name,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [],
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
    Route("GET", "/subscriptions", _list_subscriptions),
    Route("GET", SUBSCRIPTION, _get_subscription),
    Route("GET", "/tenants", _tenants),
    Route("GET", f"{SUBSCRIPTION}/locations", _locations),
    Route("GET", f"{SUBSCRIPTION}/providers", _list_providers),
    Route("GET", f"{SUBSCRIPTION}/providers/{{namespace}}", _get_provider),
    Route("POST", f"{SUBSCRIPTION}/providers/{{namespace}}/register", _get_provider),
    Route("GET", f"{SUBSCRIPTION}/resourceGroups", _list),
    Route("GET", f"{SUBSCRIPTION}/resources", _all_resources),
    Route("PUT", GROUP, _put),
    Route("GET", GROUP, _get),
    Route("HEAD", GROUP, _head),
    Route("PATCH", GROUP, _patch),
    Route("DELETE", GROUP, _delete, slow=True, does="executed"),
    Route("GET", f"{GROUP}/resources", _resources),
)
