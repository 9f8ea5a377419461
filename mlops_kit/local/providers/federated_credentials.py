"""Federated credentials of a user-assigned identity: which tokens of another issuer count as the identity's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.wire import ArmError, BadRequestError

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.providers.resource_rules import Draft

_MOST = 20


def admit(plane: Plane, draft: Draft) -> dict[str, Any]:
    """Refuse a second credential for an issuer and subject, the 21st of an identity, and more than one audience."""
    given = draft.properties
    others = [one for one in plane.store.list(draft.id.rpartition("/")[0]) if one.id.lower() != draft.id.lower()]
    if len(given["audiences"]) != 1:
        raise BadRequestError("A federated credential has exactly one audience.", target="audiences")
    for other in others:
        if (other.properties["issuer"], other.properties["subject"]) == (given["issuer"], given["subject"]):
            raise ArmError(
                409,
                "Conflict",
                f"Issuer and subject combination already exists for this Managed Identity, as '{other.body['name']}'.",
                target="subject",
            )
    if len(others) >= _MOST:
        raise BadRequestError(f"An identity has at most {_MOST} federated credentials.")
    return draft.body
