"""The kinds of computes: their names, and what the service makes of the settings of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import AUTHOR, seconds_of, timestamp
from mlops_kit.local.arm.wire import ArmError, BadRequestError, ConflictError
from mlops_kit.local.providers import usages
from mlops_kit.local.settings import TENANT
from mlops_kit.local.signing import OBJECT_ID

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

# The SDK sends these in lower case and dispatches on them in this case.
KINDS = {
    kind.lower(): kind for kind in ("AmlCompute", "ComputeInstance", "Kubernetes", "VirtualMachine", "SynapseSpark")
}
ATTACHED = frozenset({"Kubernetes", "VirtualMachine", "SynapseSpark"})
REFUSED = {
    "databricks": "Azure Databricks cannot be attached: azure-ai-ml has no Databricks compute."
    " Run that step in Databricks itself, or on an AmlCompute cluster.",
    "aks": "AKS inference clusters (azure-ai-ml v1) cannot be created; attach the cluster as type 'kubernetes'.",
    "hdinsight": "HDInsight cannot be attached; use an AmlCompute cluster or a Synapse Spark pool.",
    "datalakeanalytics": "Azure Data Lake Analytics was retired in February 2024; use an AmlCompute cluster.",
    "datafactory": "Data Factory cannot be attached; run the data movement as a job on an AmlCompute cluster.",
}
# Characters of a name, by kind: Azure's naming rules for workspaces/computes.
_LENGTHS = {"ComputeInstance": (3, 24), "AmlCompute": (2, 32)}
_NAME = re.compile(r"(?!.*-[^A-Za-z]*$)[A-Za-z][A-Za-z0-9-]*")  # a letter somewhere after each hyphen
_SECRETS = ("password", "privateKeyData")
# What needs a new compute, besides its type, size and priority.
_PLACE = ("properties.properties.subnet.id", "properties.properties.enableNodePublicIp")
FIXED = {
    "AmlCompute": (*_PLACE, "properties.properties.osType", "properties.properties.isolatedNetwork"),
    "ComputeInstance": (*_PLACE, "properties.properties.computeInstanceAuthorizationType"),
    "Kubernetes": ("properties.resourceId", "properties.properties.namespace"),
}
REFERS = ("properties.resourceId", "properties.properties.subnet.id")


def kind_of(text: Any) -> str:
    """Return a compute type in its own letter case; 501 with a pointer, or 400, for any other."""
    lowered = str(text or "").lower()
    if lowered in REFUSED:
        raise ArmError(501, "NotImplemented", REFUSED[lowered], target="computeType")
    if lowered not in KINDS:
        known = ", ".join(KINDS.values())
        raise BadRequestError(f"The compute type '{text}' is not one of {known}.", target="computeType")
    return KINDS[lowered]


def check_name(name: str, kind: str) -> None:
    """400 with the rule for a name that Azure would refuse."""
    least, most = _LENGTHS.get(kind, (2, 32))
    if not _NAME.fullmatch(name) or not least <= len(name) <= most:
        raise BadRequestError(
            f"The compute name '{name}' is not valid: use {least} to {most} letters, digits and hyphens, begin with a"
            " letter, do not end with a hyphen, and let a letter follow each hyphen.",
            target="name",
        )


def without_default_size(details: dict[str, Any]) -> dict[str, Any]:
    """Return an update without the size that azure-ai-ml 1.35 sends for a compute whose size was not given.

    ``AmlCompute(name=..., max_instances=2)`` scales a cluster of any size (constants/_compute.py).
    """
    return {key: value for key, value in details.items() if (key, value) != ("vmSize", "STANDARD_DS3_V2")}


def check_change(previous: Resource, kind: str, details: dict[str, Any]) -> None:
    """409 for a change that needs a new compute: of the type, the size or the priority."""
    name, earlier = previous.body["name"], previous.properties
    if kind != earlier["computeType"]:
        raise ConflictError(f"The compute '{name}' is of type {earlier['computeType']} and cannot become {kind}.")
    for field in ("vmSize", "vmPriority"):
        was, wanted = earlier["properties"].get(field), details.get(field)
        if was and wanted and was.lower() != wanted.lower():
            raise ConflictError(
                f"The {field} of the compute '{name}' is {was} and cannot become {wanted};"
                " delete it and create it anew."
            )


_Details = tuple[dict[str, Any], dict[str, Any]]


def _cluster(plane: Plane, name: str, given: dict[str, Any], previous: Resource | None) -> _Details:
    earlier = previous.properties["properties"] if previous else {}
    scale: dict[str, Any] = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"}
    scale |= {key: value for key, value in (given.get("scaleSettings") or {}).items() if value is not None}
    least, most = scale["minNodeCount"], scale["maxNodeCount"]
    if not 0 <= least <= most:
        raise BadRequestError(
            f"The cluster '{name}' cannot have at least {least} and at most {most} nodes.", target="scaleSettings"
        )
    usages.check_nodes(name, most)
    _check_idle_time(name, "nodeIdleTimeBeforeScaleDown", scale)
    size = given.get("vmSize") or earlier.get("vmSize") or "Standard_DS3_v2"
    usages.check_size(size)
    account, secrets = _split(given.get("userAccountCredentials"), ("adminUserPassword",))
    details = {
        "osType": "Linux",
        "vmPriority": earlier.get("vmPriority", "Dedicated"),
        "isolatedNetwork": False,
        "remoteLoginPortPublicAccess": "NotSpecified",
        "enableNodePublicIp": True,
        **given,
        "vmSize": size,
        "scaleSettings": scale,
        "allocationState": "Steady",
        "allocationStateTransitionTime": timestamp(plane.now()),
        "errors": None,
    }
    if account:
        details["userAccountCredentials"] = account
    return details, secrets


def _check_idle_time(name: str, field: str, settings: dict[str, Any]) -> None:
    """400 for an idle time that is no duration."""
    try:
        seconds_of(settings.get(field))
    except ValueError as error:
        raise BadRequestError(f"The compute '{name}' cannot wait idle: {error}.", target=field) from None


def _instance(plane: Plane, name: str, given: dict[str, Any], previous: Resource | None) -> _Details:
    _check_idle_time(name, "idleTimeBeforeShutdown", given)
    earlier = previous.properties["properties"] if previous else {}
    size = given.get("vmSize") or earlier.get("vmSize") or "Standard_DS3_v2"
    usages.check_size(size)
    details = {
        "applicationSharingPolicy": "Shared",
        "computeInstanceAuthorizationType": "personal",
        "enableNodePublicIp": True,
        **given,
        "vmSize": size,
        "state": earlier.get("state", "Running"),
        "errors": None,
        "applications": [],
        "connectivityEndpoints": {"publicIpAddress": None, "privateIpAddress": "127.0.0.1"},
        "createdBy": {"userName": AUTHOR, "userOrgId": TENANT, "userId": OBJECT_ID},
        "lastOperation": earlier.get("lastOperation") or operation(plane, "Create"),
    }
    ssh = given.get("sshSettings")
    if ssh:
        details["sshSettings"] = {"adminUserName": "azureuser", "sshPublicAccess": "Disabled", **ssh}
    if (schedules := (given.get("schedules") or {}).get("computeStartStop")) is not None:
        numbered = [
            {"id": str(number), "provisioningStatus": "Completed", **one} for number, one in enumerate(schedules)
        ]
        details["schedules"] = {"computeStartStop": numbered}
    return details, {}


def _machine(plane: Plane, name: str, given: dict[str, Any], previous: Resource | None) -> _Details:
    del plane, name, previous
    account, secrets = _split(given.get("administratorAccount"), _SECRETS)
    return {"sshPort": 22, **given, "administratorAccount": account}, secrets


def _as_given(plane: Plane, name: str, given: dict[str, Any], previous: Resource | None) -> _Details:
    del plane, name, previous
    return given, {}


DETAILS: dict[str, Callable[[Plane, str, dict[str, Any], Resource | None], _Details]] = {
    "AmlCompute": _cluster,
    "ComputeInstance": _instance,
    "VirtualMachine": _machine,
    "Kubernetes": _as_given,
    "SynapseSpark": _as_given,
}


def _split(account: dict[str, Any] | None, secret: tuple[str, ...]) -> _Details:
    """Return an account without its secrets, and the secrets."""
    whole = account or {}
    public = {key: value for key, value in whole.items() if key not in secret}
    return public, {key: value for key, value in whole.items() if key in secret and value is not None}


def operation(plane: Plane, name: str) -> dict[str, str]:
    """Return an operation that has just ended, for ``lastOperation`` of an instance."""
    return {
        "operationName": name,
        "operationTime": timestamp(plane.now()),
        "operationStatus": "Succeeded",
        "operationTrigger": "User",
    }
