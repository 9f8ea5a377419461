"""The few questions to Azure Resource Manager that no engine asks: what is there, what is deleted but not gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

# The versions that the requests of this package use; other requests are the engines' own.
GROUPS = "2024-03-01"
LOCKS = "2020-05-01"
STORAGE = "2024-01-01"
VAULTS = "2024-11-01"
WORKSPACES = "2024-10-01"


class Arm(Protocol):
    """A door to Azure Resource Manager, or to the local control plane."""

    def find(self, path: str, version: str, **query: str) -> dict[str, Any] | None:
        """Return what is there, None where there is nothing."""

    def send(self, method: str, path: str, version: str, body: Any = None, **query: str) -> None:
        """Send a change and wait until it has ended; raises OperationFailed with the service's own words."""


def group_id(values: Mapping[str, Any]) -> str:
    """Return the id of the resource group of an environment, from the values that engines get."""
    group = values["resource_group"]
    return f"/subscriptions/{group['subscription_id']}/resourceGroups/{group['name']}"


def type_of(resource_id: str) -> str:
    """Return the resource type of an id, such as ``Microsoft.KeyVault/vaults``, by its last provider."""
    head, provider, tail = resource_id.rpartition("/providers/")
    if not provider:
        return "Microsoft.Resources/resourceGroups" if "/resourcegroups/" in head.lower() + tail.lower() else ""
    namespace, *segments = tail.split("/")
    return "/".join([namespace, *segments[::2]])
