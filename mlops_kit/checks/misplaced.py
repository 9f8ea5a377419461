"""Keys that another kind of file has: where each belongs, for the fields that the SDK refuses without saying why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_kit.checks import bounds
from mlops_kit.documents import Map

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_kit.documents import Node


@dataclass(frozen=True, slots=True)
class Home:
    """What to do about a key of a kind that has none of this name; ``instead`` is the key that is written for it."""

    hint: str
    instead: str = ""
    is_renamed: bool = False


# cores and GiB -> the smallest size of a virtual machine with as many
SIZES = (
    (2, 7, "Standard_DS2_v2"),
    (4, 14, "Standard_DS3_v2"),
    (8, 28, "Standard_DS4_v2"),
    (16, 56, "Standard_DS5_v2"),
    (32, 256, "Standard_E32s_v3"),
)


def home(kind: str, key: str, name: str, value: Node) -> Home | None:
    """Return where ``name`` belongs that stands under ``key`` ("" at the top) of a kind, if that is known."""
    if key:
        return None
    if kind == "managed_online_deployment" and name in _MACHINE:
        return Home(
            f"a managed deployment gets cpu and memory with `instance_type: {_size(name, value)}`", "instance_type"
        )
    known = HOMES.get(kind, {}).get(name)
    if isinstance(known, str):
        return Home(known)
    return known


def _size(name: str, value: Node) -> str:
    """Return the smallest size of machine that has what a deployment asks for."""
    if isinstance(value, Map):
        cores, memory = _most(value, "cpu"), _most(value, "memory")
    else:
        cores, memory = (_gib(value), 0.0) if name.startswith("cpu") else (0.0, _gib(value))
    return next((size for most, gib, size in SIZES if cores <= most and memory <= gib), SIZES[-1][2])


def _most(resources: Map, key: str) -> float:
    """Return the larger of what the requests and the limits ask for."""
    parts = [part for part in (resources.get("requests"), resources.get("limits"), resources) if isinstance(part, Map)]
    return max(_gib(part.get(key)) for part in parts)


def _gib(node: Node | None) -> float:
    """Return a number of cores or of GiB; what is above a million is bytes."""
    found = bounds.amount(node) or 0.0
    return found / 2**30 if found > 1e6 else found


_MACHINE = {"resources", "cpu", "memory", "cpu_cores", "memory_gb"}
_TO_ENDPOINT = dict.fromkeys(
    ("traffic", "mirror_traffic", "auth_mode", "public_network_access", "identity"),
    "it belongs in the file of the endpoint",
)
_BATCH = dict.fromkeys(
    (
        "mini_batch_size",
        "output_action",
        "output_file_name",
        "error_threshold",
        "retry_settings",
        "max_concurrency_per_instance",
    ),
    "only a batch deployment has it",
)
_TO_DEPLOYMENT = dict.fromkeys(
    (
        "model",
        "environment",
        "environment_variables",
        "code_configuration",
        "instance_type",
        "instance_count",
        "app_insights_enabled",
        "data_collector",
        "egress_public_network_access",
        "scale_settings",
        "request_settings",
        "liveness_probe",
        "readiness_probe",
        "mini_batch_size",
        "output_action",
    ),
    "it belongs in the file of a deployment",
)
_ONLINE = dict.fromkeys(
    (
        "app_insights_enabled",
        "data_collector",
        "egress_public_network_access",
        "scale_settings",
        "request_settings",
        "liveness_probe",
        "readiness_probe",
    ),
    "only an online deployment has it",
)
_OF_A_MODEL = dict.fromkeys(
    ("model", "environment", "environment_variables", "code_configuration"),
    "a deployment of a pipeline takes it from its component; with a model, write `type: model`",
)
_OF_A_STEP = dict.fromkeys(
    (*_BATCH, "resources"), "it belongs in the parallel step of the pipeline; with a model, write `type: model`"
)


def _renamed(names: Mapping[str, str]) -> dict[str, Home]:
    """Return what v1 called otherwise."""
    return {old: Home(f"it is called `{new}` since v2", new, is_renamed=True) for old, new in names.items()}


HOMES: Mapping[str, Mapping[str, str | Home]] = {
    "managed_online_deployment": {
        **_TO_ENDPOINT,
        **_BATCH,
        "compute": Home("a managed deployment runs on machines of the service: `instance_type`", "instance_type"),
        "target": Home("ACI is retired; a managed deployment has `instance_type: Standard_DS2_v2`", "instance_type"),
    },
    "kubernetes_online_deployment": {
        **_TO_ENDPOINT,
        **_BATCH,
        "compute": "it belongs in the file of the endpoint",
        **dict.fromkeys(("cpu", "memory"), "it belongs under `resources: {requests: ...}`"),
        "egress_public_network_access": "only a managed deployment has it; here the network of the cluster decides",
    },
    "managed_online_endpoint": _TO_DEPLOYMENT,
    "kubernetes_online_endpoint": {
        **_TO_DEPLOYMENT,
        "public_network_access": "only a managed endpoint has it; here the network of the cluster decides",
    },
    "batch_endpoint": {
        **_TO_DEPLOYMENT,
        "compute": "it belongs in the file of a deployment",
        "traffic": "a batch endpoint calls one deployment: `defaults: {deployment_name: NAME}`",
        "public_network_access": "only a managed online endpoint has it; here the workspace decides",
    },
    "batch_deployment": {
        **_TO_ENDPOINT,
        **_ONLINE,
        "settings": "write `type: model`, or `type: pipeline` with a component: these have settings",
        **dict.fromkeys(("instance_type", "instance_count"), "it belongs under `resources`"),
    },
    "model_batch_deployment": {
        **_TO_ENDPOINT,
        **_ONLINE,
        **dict.fromkeys(("component", "job_definition"), "with a component, write `type: pipeline`"),
        **dict.fromkeys(("instance_type", "instance_count"), "it belongs under `resources`"),
    },
    "pipeline_component_batch_deployment": {
        **_TO_ENDPOINT,
        **_ONLINE,
        **_OF_A_MODEL,
        **_OF_A_STEP,
        "compute": "a deployment of a pipeline names it as `settings: {default_compute: NAME}`",
    },
    "amlcompute": _renamed(
        {
            "vm_size": "size",
            "vm_priority": "tier",
            "min_nodes": "min_instances",
            "max_nodes": "max_instances",
            "idle_seconds_before_scaledown": "idle_time_before_scale_down",
        }
    ),
    "compute_instance": _renamed(
        {
            "vm_size": "size",
            "ssh_public_access": "ssh_public_access_enabled",
            "idle_time_before_shutdown_in_minutes": "idle_time_before_shutdown_minutes",
        }
    ),
}
