"""Workspaces: created with the resources they depend on, found, changed, diagnosed and deleted.

How a workspace is kept after its deletion is in ``deleted_workspaces``.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import stamped, timestamp
from mlops_kit.local.arm.operations import accepted
from mlops_kit.local.arm.routes import GROUP, PROVIDER, SUBSCRIPTION, WORKSPACE, Route
from mlops_kit.local.arm.shapes import IDENTITY, TAGS, shaped
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.providers import datastores, deleted_workspaces, resources
from mlops_kit.local.providers.resource_rules import Draft, check_fixed, check_references, check_tags, placed
from mlops_kit.local.settings import API_URL, PORTAL_URL, STORAGE_ACCOUNT, STORAGE_KEY, TENANT, WorkspaceName

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

KINDS = {"default": "Default", "hub": "Hub", "project": "Project", "featurestore": "FeatureStore"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}")
# The SDK's template sends these as the texts "true" and "false".
_FLAGS = (
    "hbiWorkspace",
    "softDeleteEnabled",
    "allowRecoverSoftDeletedWorkspace",
    "enableDataIsolation",
    "allowRoleAssignmentOnRG",
    "provisionNetworkNow",
    "v1LegacyMode",
)
_SHAPE = {
    "location": str,
    "kind": str,
    "sku": dict,
    "tags": TAGS,
    "identity": IDENTITY,
    "properties": {
        **dict.fromkeys(
            ("friendlyName", "description", "hubResourceId", "publicNetworkAccess", "imageBuildCompute"), str
        ),
        **dict.fromkeys(("storageAccount", "keyVault", "applicationInsights", "containerRegistry"), str),
        "managedNetwork": {"isolationMode": str, "outboundRules": {"*": dict}},
        "encryption": {"status": str, "keyVaultProperties": dict},
    },
}
_DEFAULTS = {
    "hbiWorkspace": False,
    "publicNetworkAccess": "Enabled",
    "storageHnsEnabled": False,
    "v1LegacyMode": False,
    "softDeleteEnabled": False,
    "allowRoleAssignmentOnRG": True,
    "enableDataIsolation": False,
    "managedNetwork": {"isolationMode": "Disabled"},
    "systemDatastoresAuthMode": "accesskey",
}
# What cannot change once a workspace is there.
_FIXED = (
    "kind",
    "properties.storageAccount",
    "properties.keyVault",
    "properties.hbiWorkspace",
    "properties.hubResourceId",
    "properties.encryption.keyVaultProperties.keyVaultArmId",
)
_REFERS = (
    *(f"properties.{key}" for key in ("storageAccount", "keyVault", "applicationInsights", "containerRegistry")),
    "properties.encryption.keyVaultProperties.keyVaultArmId",
    "properties.primaryUserAssignedIdentity",
)
# What a project takes from its hub.
_SHARED = ("storageAccount", "keyVault", "applicationInsights", "containerRegistry")


def name_beside(prefix: str, workspace: str, longest: int) -> str:
    """Return the name of a resource that is made with a workspace; vaults and log stores take no ``_`` and no ``--``.

    Infrastructure finds these resources by such names, see ``mlops_kit.infra.names``.
    """
    return re.sub("[-_]+", "-", f"{prefix}-{workspace}")[:longest].rstrip("-")


def create(plane: Plane, name: WorkspaceName, location: str) -> Resource:
    """Create a workspace and, as entries only, the storage account, vault and telemetry it depends on."""
    providers = f"/subscriptions/{name.subscription}/resourceGroups/{name.group}/providers"
    insights = f"{providers}/Microsoft.OperationalInsights/workspaces/{name_beside('log', name.name, 63)}"
    vault_id = f"{providers}/Microsoft.KeyVault/vaults/{name_beside('kv', name.name, 24)}"
    vault = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    telemetry = {"Application_Type": "web", "WorkspaceResourceId": insights}
    dependencies: dict[str, tuple[str, dict[str, Any]]] = {
        "": (insights, {}),
        "storageAccount": (
            f"{providers}/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}",
            {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
        ),
        "keyVault": (vault_id, {"properties": vault}),
        "applicationInsights": (
            f"{providers}/Microsoft.Insights/components/{name_beside('appi', name.name, 255)}",
            {"kind": "web", "properties": telemetry},
        ),
    }
    for resource_id, body in dependencies.values():
        resources.write(plane, resource_id, {"location": location, **body})
    properties = {key: resource_id for key, (resource_id, _) in dependencies.items() if key}
    return write(plane, name.id, {"location": location, "properties": {"friendlyName": name.name, **properties}})


def write(plane: Plane, workspace_id: str, body: dict[str, Any]) -> Resource:
    """Create or replace a workspace; a new one gets its guid and its four datastores."""
    previous = plane.store.find(workspace_id)
    kind = _kind(body.get("kind"))
    properties = _properties(plane, workspace_id, kind, body.get("properties") or {}, previous)
    identity = body.get("identity") or {"type": "SystemAssigned"}
    whole = {
        "sku": {"name": "Basic", "tier": "Basic"},
        "tags": {},
        **body,
        "id": workspace_id,
        "kind": kind,
        "identity": resources.identity(plane, identity, previous, replace=True),
        "properties": properties,
    }
    if previous is None:
        datastores.create_containers(plane, properties["workspaceId"])
    with plane.store.transaction():
        plane.store.put(stamped(plane, whole, previous))
        if previous is None:
            datastores.create_built_in(plane, workspace_id)
        if kind == "Project":
            _list_in_hub(plane, properties["hubResourceId"], workspace_id, present=True)
    return plane.store.get(workspace_id)


def _properties(
    plane: Plane, workspace_id: str, kind: str, wanted: dict[str, Any], previous: Resource | None
) -> dict[str, Any]:
    given, kept = _tidied(wanted, kind), previous.properties if previous else {}
    if kind == "Project":
        given = {**_from_hub(plane, given), **given}
    if kind == "Hub":
        given["associatedWorkspaces"] = kept.get("associatedWorkspaces", [])
    if "managedNetwork" in given:
        given["managedNetwork"] = _as_provisioned(given["managedNetwork"], kept.get("managedNetwork", {}))
    return {
        **_DEFAULTS,
        "friendlyName": workspace_id.rpartition("/")[2],
        **given,
        **_facts(workspace_id, kept.get("workspaceId") or str(uuid.uuid4())),
        "creationTime": kept.get("creationTime") or timestamp(plane.now()),
    }


def _as_provisioned(network: dict[str, Any], was: dict[str, Any]) -> dict[str, Any]:
    """Return a managed network with the status that it has already, whatever a client says of that."""
    wanted = {key: value for key, value in network.items() if key != "status"}
    is_there = "status" in was and wanted.get("isolationMode") != "Disabled"
    return {**wanted, "status": was["status"]} if is_there else wanted


def delete(plane: Plane, workspace: Resource, *, purge: bool = False) -> None:
    """Cancel the workspace's jobs; then keep it for its retention period, or forget it with all its data."""
    finished = {"Completed", "Failed", "Canceled", "NotResponding"}
    for job in plane.store.list(f"{workspace.id}/jobs"):
        if job.properties.get("status") not in finished:
            plane.runs.cancel(job.id)
    if hub := workspace.properties.get("hubResourceId"):
        _list_in_hub(plane, hub, workspace.id, present=False)
    if purge or not deleted_workspaces.keeps(workspace):
        deleted_workspaces.erase(plane, workspace)
    else:
        deleted_workspaces.bury(plane, workspace)


def find(plane: Plane, workspace_id: str) -> Resource:
    """Return a workspace; 404 naming group or workspace, with the nearest names."""
    found = plane.store.find(workspace_id)
    if found is not None:
        return found
    resources.require_group(plane, workspace_id)
    collection, _, name = workspace_id.rpartition("/")
    raise NotFoundError.among("workspace", name, (str(one.body["name"]) for one in plane.store.list(collection)))


def _facts(workspace_id: str, guid: str) -> dict[str, Any]:
    return {
        "workspaceId": guid,
        "provisioningState": "Succeeded",
        "mlFlowTrackingUri": f"{API_URL}/mlflow/v1.0{workspace_id}",
        "discoveryUrl": f"{API_URL}/discovery/workspaces/{guid}",
        "tenantId": TENANT,
    }


def _kind(text: Any) -> str:
    kind = KINDS.get(str(text or "default").lower())
    if kind is None:
        raise BadRequestError(f"The workspace kind '{text}' is not one of {', '.join(KINDS.values())}.", target="kind")
    return kind


def _tidied(properties: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the properties as the service keeps them: flags as booleans, settings that were left empty dropped."""
    kept = {key: value for key, value in properties.items() if value not in ("", None, {}, [])}
    for flag in _FLAGS:
        if isinstance(kept.get(flag), str):
            kept[flag] = kept[flag].lower() == "true"
    if isinstance(network := kept.get("managedNetwork"), dict):
        rules = {name: {"category": "UserDefined", **rule} for name, rule in network.get("outboundRules", {}).items()}
        kept["managedNetwork"] = {**network, **({"outboundRules": rules} if rules else {})}
    if kept.get("encryption", {}).get("status") != "Enabled":
        kept.pop("encryption", None)
    if kind != "FeatureStore":
        kept.pop("featureStoreSettings", None)
    return kept


def _from_hub(plane: Plane, properties: dict[str, Any]) -> dict[str, Any]:
    hub = plane.store.find(properties.get("hubResourceId", ""))
    if hub is None or hub.body["kind"] != "Hub":
        given = properties.get("hubResourceId", "")
        raise BadRequestError(f"A project needs a hub: '{given}' is not one.", target="hubResourceId")
    return {key: hub.properties[key] for key in _SHARED if key in hub.properties}


def _list_in_hub(plane: Plane, hub_id: str, project: str, *, present: bool) -> None:
    hub = plane.store.find(hub_id)
    if hub is None:
        return
    others = [one for one in hub.properties.get("associatedWorkspaces", []) if one.lower() != project.lower()]
    members = [*others, project] if present else others
    plane.store.put({**hub.body, "properties": {**hub.properties, "associatedWorkspaces": members}})


def _admitted(plane: Plane, draft: Draft) -> dict[str, Any]:
    """Return the body with its location in normal form; refuse what cannot change and what refers to nothing."""
    kind = _kind(draft.body.get("kind"))
    body = {**draft.body, "properties": _tidied(draft.properties, kind)}
    tidied = Draft(draft.id, body, draft.previous)
    check_tags(body)
    check_fixed(_FIXED, tidied)
    check_references(plane, tidied, _REFERS)
    missing = [key for key in ("storageAccount", "keyVault") if not body["properties"].get(key)]
    if missing and kind != "Project":
        raise ArmError(
            400,
            "BadRequest",
            f"Missing dependent resources in workspace json: {', '.join(missing)}.",
            target=f"properties.{missing[0]}",
        )
    return placed(body, tidied)


def _put(plane: Plane, call: Call) -> Reply:
    name, body = call.params["workspace"], shaped(call.json(), _SHAPE)
    if not _NAME.fullmatch(name):
        raise BadRequestError(
            f"The workspace name '{name}' is not valid: use 3 to 33 letters, digits, '-' and '_', and begin with a"
            " letter or digit.",
            target="name",
        )
    resources.require_group(plane, call.workspace)
    if not body.get("location"):
        raise BadRequestError(f"The workspace '{name}' has no location.", target="location")
    with plane.store.transaction():  # what is refused is not recovered either
        there = plane.store.find(call.workspace) or deleted_workspaces.recovered(plane, call.workspace, body)
        draft = Draft(there.id if there else call.workspace, body, there)
        body = _admitted(plane, draft)
    return Reply(200 if there else 201, write(plane, draft.id, body).body)


def _patch(plane: Plane, call: Call) -> Reply:
    found, change = find(plane, call.workspace), shaped(call.json(), _SHAPE)
    body = {**found.body, **{key: change[key] for key in ("tags", "sku") if change.get(key) is not None}}
    if change.get("identity"):
        body["identity"] = resources.identity(plane, change["identity"], found)
    changed = change.get("properties") or {}
    if "managedNetwork" in changed:
        was = found.properties["managedNetwork"]
        changed["managedNetwork"] = _as_provisioned(_network(was, changed["managedNetwork"] or {}), was)
    given = _tidied({**found.properties, **changed}, found.body["kind"])
    body["properties"] = {**given, **{key: found.properties[key] for key in _facts(found.id, "")}}
    _admitted(
        plane, Draft(found.id, {**body, **({"location": change["location"]} if change.get("location") else {})}, found)
    )
    plane.store.put(stamped(plane, body, found))
    return Reply(200, plane.store.get(found.id).body)


def _network(was: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a managed network with the changes; a rule that is not named stays."""
    rules = {**was.get("outboundRules", {}), **(wanted.get("outboundRules") or {})}
    return {**was, **wanted, **({"outboundRules": rules} if rules else {})}


def _get(plane: Plane, call: Call) -> Reply:
    return Reply(200, find(plane, call.workspace).body)


def _list(plane: Plane, call: Call) -> Reply:
    group = resources.require_group(plane, GROUP.format(**call.params))
    return Reply(200, {"value": _of_kind(_in_group(plane, group.id), call.query.get("kind", ""))})


def _list_all(plane: Plane, call: Call) -> Reply:
    groups = plane.store.list(f"{SUBSCRIPTION.format(**call.params)}/resourceGroups")
    bodies = [body for group in groups for body in _in_group(plane, group.id)]
    return Reply(200, {"value": _of_kind(bodies, call.query.get("kind", ""))})


def _in_group(plane: Plane, group: str) -> list[dict[str, Any]]:
    members = plane.store.list(f"{group}/providers/Microsoft.MachineLearningServices/workspaces")
    return [one.body for one in members]


def _of_kind(bodies: list[dict[str, Any]], kinds: str) -> list[dict[str, Any]]:
    wanted = {kind.strip().lower() for kind in kinds.split(",") if kind.strip()}
    return [body for body in bodies if not wanted or body["kind"].lower() in wanted]


def _delete(plane: Plane, call: Call) -> Reply:
    purge = call.query.get("forceToPurge", "").lower() == "true"
    found = plane.store.find(call.workspace) or (deleted_workspaces.exhumed(plane, call.workspace) if purge else None)
    if found is None:
        return Reply(204)
    if members := found.properties.get("associatedWorkspaces"):
        names = ", ".join(one.rpartition("/")[2] for one in members)
        raise ArmError(
            409, "Conflict", f"The hub '{found.body['name']}' still has projects: {names}. Delete them first."
        )
    delete(plane, found, purge=purge)
    return accepted(plane, call)


def _keys(plane: Plane, call: Call) -> Reply:
    properties = find(plane, call.workspace).properties
    insights = plane.store.find(properties.get("applicationInsights", ""))
    body = {
        "userStorageKey": STORAGE_KEY,
        "userStorageArmId": properties.get("storageAccount"),
        "appInsightsInstrumentationKey": insights.properties["InstrumentationKey"] if insights else None,
    }
    if registry := plane.store.find(properties.get("containerRegistry", "")):
        body["containerRegistryCredentials"] = resources.registry_credentials(registry)
    return Reply(200, body)


def _resync(plane: Plane, call: Call) -> Reply:
    find(plane, call.workspace)
    return accepted(plane, call)


def _diagnose(plane: Plane, call: Call) -> Reply:
    """Answer with what is really wrong: an id of a dependent resource under which nothing is stored."""
    properties = find(plane, call.workspace).properties
    topics = {
        "storageAccount": "storageAccountResults",
        "keyVault": "keyVaultResults",
        "containerRegistry": "containerRegistryResults",
        "applicationInsights": "applicationInsightsResults",
    }
    names = ("userDefinedRouteResults", "networkSecurityRuleResults", "resourceLockResults", "dnsResolutionResults")
    value: dict[str, list[dict[str, str]]] = {name: [] for name in (*names, *topics.values(), "otherResults")}
    for key, topic in topics.items():
        resource_id = properties.get(key)
        if resource_id and plane.store.find(resource_id) is None:
            message = f"The {key} '{resource_id}' does not exist."
            value[topic].append({"code": "ResourceNotFound", "level": "Error", "message": message})
    return Reply(200, {"value": value})


def _discovery(plane: Plane, call: Call) -> Reply:
    """Answer the addresses of the workspace's services; the SDK reads ``api``, its error texts ``studio``."""
    del plane, call
    services = ("api", "experimentation", "history", "hyperdrive", "modelmanagement", "pipelines", "catalog", "cache")
    return Reply(200, {**dict.fromkeys(services, API_URL), "studio": PORTAL_URL})


def _dependencies(plane: Plane, call: Call) -> Reply:
    find(plane, call.workspace)
    return Reply(200, {"value": []})


ROUTES = (
    Route("GET", f"{PROVIDER}/workspaces", _list),
    Route("GET", f"{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/workspaces", _list_all),
    Route("GET", WORKSPACE, _get),
    Route("PUT", WORKSPACE, _put, slow=True, does="executed"),
    Route("PATCH", WORKSPACE, _patch),
    Route("DELETE", WORKSPACE, _delete, slow=True, does="executed"),
    Route("POST", f"{WORKSPACE}/listKeys", _keys),
    Route("POST", f"{WORKSPACE}/listStorageAccountKeys", _keys),
    Route("POST", f"{WORKSPACE}/resyncKeys", _resync),
    Route("POST", f"{WORKSPACE}/diagnose", _diagnose, does="executed"),
    Route("GET", f"{WORKSPACE}/outboundNetworkDependenciesEndpoints", _dependencies),
    Route("GET", "/discovery", _discovery, open=True),
    Route("GET", "/discovery/workspaces/{guid}", _discovery, open=True),
)
