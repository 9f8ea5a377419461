"""The ``identity`` block: its body in a request, what an answer says, and which differences are none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops_kit.local.iac.azapi.values import UNKNOWN, wholly_known
from mlops_kit.local.iac.refusals import Refusal

_KNOWN = ("SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned", "None")
_TYPES = {kind.replace(" ", "").lower(): kind for kind in _KNOWN}
_USER = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+",
    re.IGNORECASE,
)
_Identity = dict[str, Any]


def validate(blocks: list[_Identity]) -> None:
    """Refuse an identity block that the service would refuse."""
    for block in blocks:
        if not wholly_known(block):
            continue
        kind, users = block["type"], block["identity_ids"] or []
        if kind not in _TYPES.values():
            raise Refusal("Invalid identity", f"type {kind!r} is not one of {sorted(_TYPES.values())}.", "identity")
        if bad := [one for one in users if not _USER.fullmatch(one)]:
            raise Refusal("Invalid identity", f"{bad[0]!r} is not the id of a user-assigned identity.", "identity")
        if ("UserAssigned" in kind) != bool(users):
            needs = "needs identity_ids" if "UserAssigned" in kind else "takes no identity_ids"
            raise Refusal("Invalid identity", f"An identity of type {kind!r} {needs}.", "identity")


def planned(blocks: list[_Identity], prior: list[_Identity]) -> list[_Identity]:
    """Return the identity to plan: that of the state where the configuration says the same, else one to be known."""
    if not blocks or not isinstance(blocks, list):
        return blocks
    wanted = blocks[0]
    if prior and wanted["type"] == prior[0]["type"] and _same_users(wanted["identity_ids"], prior[0]["identity_ids"]):
        users = prior[0]["identity_ids"] if wanted["identity_ids"] else wanted["identity_ids"]
        return [{**prior[0], "identity_ids": users}]
    return [{**wanted, "principal_id": UNKNOWN, "tenant_id": UNKNOWN}]


def _same_users(one: Any, other: Any) -> bool:
    known = wholly_known(one) and wholly_known(other)
    return known and sorted(map(str.lower, one or [])) == sorted(map(str.lower, other or []))


def body(block: _Identity) -> dict[str, Any]:
    """Return an identity as a request has it."""
    whole: dict[str, Any] = {"type": block["type"]}
    if block["identity_ids"]:
        whole["userAssignedIdentities"] = {one: {} for one in block["identity_ids"]}
    return whole


def found(answer: Mapping[str, Any] | None) -> _Identity | None:
    """Return the identity that an answer holds; None where it has none."""
    if not answer:
        return None
    kind = str(answer.get("type", "None"))
    return {
        "type": _TYPES.get(kind.replace(" ", "").lower(), kind),
        "identity_ids": list(answer.get("userAssignedIdentities") or {}) or None,
        "principal_id": answer.get("principalId"),
        "tenant_id": answer.get("tenantId"),
    }


def read(answer: Mapping[str, Any] | None, prior: list[_Identity]) -> list[_Identity]:
    """Return the identity for the state: what the service has, as the state spells it where both mean the same."""
    now = found(answer)
    if now is None or now["type"] == "None":
        return prior if prior and prior[0]["type"] == "None" else []
    if prior and _same_users(now["identity_ids"], prior[0]["identity_ids"]):
        now["identity_ids"] = prior[0]["identity_ids"]  # [] and null, the order and the letter case mean nothing
    return [now]
