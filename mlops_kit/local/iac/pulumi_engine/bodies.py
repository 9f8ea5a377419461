"""Inputs of the SDK's classes as ids and bodies of ARM, and bodies of ARM as the outputs of these classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_kit.errors import LocalError
from mlops_kit.local.iac.pulumi_engine.resource_types import ResourceType
from mlops_kit.local.iac.pulumi_engine.values import UNKNOWN, revealed

# What the provider fills in where a program leaves it out. Other names are not made up: the environment gives them all.
_DEFAULTS = {"blobServicesName": "default", "managementPolicyName": "default"}


def id_of(row: ResourceType, inputs: Mapping[str, Any], subscription: str) -> str | None:
    """Return the ARM id that the inputs lead to; None where a part of it is not known yet."""
    given = {"subscriptionId": subscription, **_DEFAULTS, **{name: inputs[name] for name in inputs}}
    parts: dict[str, str] = {}
    for segment in row.segments:
        value = revealed(given.get(segment))
        if value is UNKNOWN:
            return None
        if not value:
            raise LocalError(f"the input {segment!r} is missing: names are given, the engine makes none up")
        parts[segment] = "/" + str(value).strip("/") if segment in {"scope", "resourceUri"} else str(value)
    return row.path.format_map(parts)


def body_of(row: ResourceType, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of the PUT for known inputs, secrets in clear."""
    body: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    ours = {*row.segments, "resourceGroupName", "id", "name"}
    for name, value in revealed(inputs).items():
        if name in ours or value is None:
            continue
        sent = _to_arm(row, value, name)
        if name == "identity":
            body[name] = _with_identities(sent)
        elif name in row.top_level:
            body[name] = sent
        elif name == "properties" and row.whole:
            properties.update(sent)
        else:
            properties[row.renamed.get(name, name)] = sent
    return {**body, "properties": properties} if properties else body


def _to_arm(row: ResourceType, value: Any, where: str) -> Any:
    if isinstance(value, list):
        return [_to_arm(row, one, f"{where}[*]") for one in value]
    if not isinstance(value, Mapping):
        return value
    sent = {
        row.renamed.get(f"{where}.{name}", name): _to_arm(row, one, f"{where}.{name}")
        for name, one in value.items()
        if one is not None
    }
    outside = row.wrapped.get(where)
    if outside is None:
        return sent
    inner = {name: one for name, one in sent.items() if name not in outside}
    return {name: one for name, one in sent.items() if name in outside} | ({"properties": inner} if inner else {})


def _with_identities(identity: dict[str, Any]) -> dict[str, Any]:
    users = identity.get("userAssignedIdentities")
    if isinstance(users, list):
        return {**identity, "userAssignedIdentities": {one: {} for one in users}}
    return identity


def outputs_of(row: ResourceType, version: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ARM answered as the outputs of the SDK's class."""
    outer = {name: _from_arm(row, value, name) for name, value in body.items() if name != "properties"}
    inner = body.get("properties") or {}
    if row.whole:
        return {**outer, "properties": _from_arm(row, inner, "properties"), "azureApiVersion": version}
    return {**_renamed(row, inner, ""), **outer, "azureApiVersion": version}


def _renamed(row: ResourceType, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return members by the names that the SDK has for them at a place."""
    own = {arm: path.rpartition(".")[2] for path, arm in row.renamed.items() if path.rpartition(".")[0] == where}
    found: dict[str, Any] = {}
    for arm, value in values.items():
        name = own.get(arm, arm)
        found[name] = _from_arm(row, value, f"{where}.{name}" if where else name)
    return found


def _from_arm(row: ResourceType, value: Any, where: str) -> Any:
    if isinstance(value, list):
        return [_from_arm(row, one, f"{where}[*]") for one in value]
    if not isinstance(value, Mapping):
        return value
    if where in row.wrapped and isinstance(value.get("properties"), Mapping):
        value = {**{name: one for name, one in value.items() if name != "properties"}, **value["properties"]}
    return _renamed(row, value, where)


def as_inputs(inputs: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """Return live outputs in the shape of inputs, where the two differ: the list of assigned identities."""
    identity = live.get("identity")
    given = revealed(inputs.get("identity"))
    if not isinstance(identity, Mapping) or not isinstance(given, Mapping):
        return dict(live)
    users = identity.get("userAssignedIdentities")
    if not isinstance(users, Mapping) or not isinstance(given.get("userAssignedIdentities"), list):
        return dict(live)
    known = {
        one.lower(): one for one in given["userAssignedIdentities"]
    }  # ids compare without case, order means nothing
    kept = [one for one in given["userAssignedIdentities"] if one.lower() in {user.lower() for user in users}]
    added = [one for one in users if one.lower() not in known]
    return {**live, "identity": {**identity, "userAssignedIdentities": kept + added}}
