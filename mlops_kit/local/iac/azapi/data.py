"""The data sources: a resource, a list of them, an action, the parts of an id, who the client is."""

from __future__ import annotations

from typing import Any

from mlops_kit.local.iac.azapi import action, bodies, identity, ids
from mlops_kit.local.iac.azapi.session import DataKind, Session, Values
from mlops_kit.local.iac.azapi.tables import DATA_ACTION, DATA_CLIENT_CONFIG, DATA_ID, DATA_LIST, DATA_RESOURCE
from mlops_kit.local.iac.client import ArmRefusal
from mlops_kit.local.iac.refusals import Refusal


def _address(session: Session, config: Values) -> Values:
    """Return ``name``, ``parent_id`` and ``resource_id`` from whichever of them the configuration has."""
    kind = ids.versioned(config["type"]).type
    if config["resource_id"] is not None:
        whole = ids.check(config["resource_id"], "resource_id")
        return {"name": ids.name_of(whole), "parent_id": ids.parent_of(whole), "resource_id": whole}
    parent = config["parent_id"]
    if parent is None and kind.lower() == ids.GROUP_TYPE.lower():
        parent = f"/subscriptions/{session.subscription}"
    if not parent or not config["name"]:
        raise Refusal("Which resource?", "Set either resource_id, or name and parent_id.", "resource_id")
    return {"name": config["name"], "parent_id": parent, "resource_id": ids.build(parent, kind, config["name"])}


def _resource(session: Session, config: Values) -> Values:
    address = _address(session, config)
    version = ids.versioned(config["type"]).version
    answer = session.client.find(address["resource_id"], version, session.terms(config, "read", requests=""))
    if answer is None:
        if not config["ignore_not_found"]:
            raise Refusal("Resource not found", f"{address['resource_id']} was not found.")
        return {**config, **address, "id": address["resource_id"], "exists": False, "identity": []}
    found = identity.found(answer.get("identity"))
    return {
        **config,
        **address,
        "id": answer.get("id", address["resource_id"]),
        "location": answer.get("location"),
        "tags": answer.get("tags"),
        "identity": [found] if found else [],
        "exists": True,
        "output": bodies.exported(answer, config["response_export_values"]),
    }


def _list(session: Session, config: Values) -> Values:
    kind = ids.versioned(config["type"])
    parent = ids.check(config["parent_id"], "parent_id")
    path = ids.build(parent, kind.type, "").rstrip("/")
    answer = session.client.pages(path, kind.version, session.terms(config, "read", requests=""))
    return {**config, "id": path, "output": bodies.exported(answer, config["response_export_values"])}


def _action(session: Session, config: Values) -> Values:
    model = {**config, "method": config["method"] or "POST"}
    try:
        answer = action.call(session, model, session.terms(config, "read", requests=""))
    except ArmRefusal as refusal:
        raise Refusal("Failed to perform action", f"{config['resource_id']}: {refusal}") from None
    return {**model, **action.outputs(config, answer), "id": config["resource_id"]}


def _id(session: Session, config: Values) -> Values:
    address = _address(session, config)
    facts = parsed(ids.versioned(config["type"]).type, address["resource_id"])
    names = ("resource_group_name", "subscription_id", "provider_namespace", "parts")
    return {**config, **address, "id": address["resource_id"], **{name: facts[name] for name in names}}


def parsed(kind: str, resource_id: str) -> dict[str, Any]:
    """Return the parts of an id that is one of a resource type; refuse one of another type."""
    ids.check(resource_id, "resource_id")
    if ids.type_of(resource_id).lower() != kind.lower():
        raise Refusal("Invalid resource_id", f"{resource_id} is a {ids.type_of(resource_id)}, not a {kind}.")
    parts = ids.parts(resource_id)
    lowered = {name.lower(): value for name, value in parts.items()}
    group, subscription = lowered.get("resourcegroups"), lowered.get("subscriptions")
    return {
        "id": resource_id,
        "type": kind,
        "name": ids.name_of(resource_id),
        "parent_id": ids.parent_of(resource_id),
        "resource_group_name": group or "",
        "resource_group_id": f"/subscriptions/{subscription}/resourceGroups/{group}" if group else "",
        "subscription_id": subscription or "",
        "provider_namespace": kind.partition("/")[0],
        "parts": parts,
    }


def _client_config(session: Session, config: Values) -> Values:
    claims = session.client.claims()
    whole = f"/subscriptions/{session.subscription}"
    return {
        **config,
        "id": f"clientConfigs/subscriptionId={session.subscription};tenantId={claims['tid']}",
        "tenant_id": claims["tid"],
        "object_id": claims["oid"],
        "subscription_id": session.subscription,
        "subscription_resource_id": whole,
    }


KINDS = {
    "azapi_resource": DataKind(DATA_RESOURCE, _resource),
    "azapi_resource_list": DataKind(DATA_LIST, _list),
    "azapi_resource_action": DataKind(DATA_ACTION, _action),
    "azapi_resource_id": DataKind(DATA_ID, _id),
    "azapi_client_config": DataKind(DATA_CLIENT_CONFIG, _client_config),
}
