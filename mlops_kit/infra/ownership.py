"""Which engine has made an environment: each program says so in a tag of the resource group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_kit.errors import UsageError
from mlops_kit.infra.arm import GROUPS, Arm, group_id

TAG = "mlops-kit-engine"  # infra/terraform/main.tf and modules/pulumi/resource_group.py set it


def made_by(arm: Arm, values: Mapping[str, Any]) -> str | None:
    """Return the engine that the resource group names; None where it names none, or is not there."""
    group = arm.find(group_id(values), GROUPS) or {}
    return (group.get("tags") or {}).get(TAG)


def require(engine: str, made: str | None, name: str) -> None:
    """Refuse to take over, with one engine, what the other one has made of the environment ``name``."""
    if made not in (None, engine):
        raise UsageError(
            f"the infrastructure of {name!r} was made by {made}: go on with --engine {made}; to move, destroy it first,"
            f" or take the tag {TAG} of its resource group away and take over what is there"
        )
