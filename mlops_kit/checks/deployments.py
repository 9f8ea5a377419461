"""Online deployments: code that answers, an environment, the machine, and numbers that the service takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks import bounds
from mlops_kit.checks.bounds import Bounds
from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding, brief, error, warning
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

KINDS = {"managed_online_deployment", "kubernetes_online_deployment"}
SIZE = re.compile(r"(standard|basic)_[a-z0-9_-]+", re.IGNORECASE)
# "Manage and increase quotas" (learn.microsoft.com): a request takes 180 s at most on managed machines, 300 s on
# Kubernetes, whose liveness probes know no other threshold than one success.
_COUNTS = {"instance_count": Bounds(1)}
_REQUESTS = {"max_concurrent_requests_per_instance": Bounds(1), "max_queue_wait_ms": Bounds(0)}
_TIMEOUTS = {
    "managed_online_deployment": Bounds(1, 180_000, "milliseconds"),
    "kubernetes_online_deployment": Bounds(1, 300_000, "milliseconds"),
}
_PROBE = {
    "initial_delay": Bounds(0),
    "period": Bounds(1),
    "timeout": Bounds(1),
    "success_threshold": Bounds(1),
    "failure_threshold": Bounds(1),
}
_LIVENESS = {
    "managed_online_deployment": _PROBE,
    "kubernetes_online_deployment": {**_PROBE, "success_threshold": Bounds(1, 1)},
}
_SCALES = {
    "min_instances": Bounds(0),
    "max_instances": Bounds(1),
    "target_utilization_percentage": Bounds(1, 100),
    "polling_interval": Bounds(1),
}
_COLLECTOR = {"sampling_rate": Bounds(0, 1)}


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with an online deployment beyond its keys."""
    if subject.kind not in KINDS:
        return []
    root, kind = subject.root, subject.kind
    return [
        *code(root, subject.folder, subject.files),
        *unanswered(root),
        *_machine(root, kind),
        *_numbers(root, kind),
        *_scales(root, kind),
    ]


def code(deployment: Map, folder: str, files: Files, *, needs_result: bool = False) -> list[Finding]:
    """Return what is wrong with the code of a deployment: half of it named, or functions that are missing."""
    configuration = deployment.get("code_configuration")
    if not isinstance(configuration, Map):
        return []
    source, script = configuration.get("code"), configuration.get("scoring_script")
    if (source is None) is not (script is None):
        missing = "code" if source is None else "scoring_script"
        hint = "name the folder that ships" if source is None else "name the script in the folder, such as `score.py`"
        place = deployment.key_place("code_configuration")
        return [error("MK1004", place, f"`code_configuration` has no `{missing}`", hint)]
    inside = local_path(source.text, folder) if isinstance(source, Scalar) else None
    path = local_path(script.text, inside) if inside and isinstance(script, Scalar) else None
    if path is None or not isinstance(script, Scalar):
        return []
    from mlops_kit.checks import scoring  # which reads Python

    return scoring.check(script, path, files, needs_result=needs_result)


def unanswered(deployment: Map) -> list[Finding]:
    """Return the fault that nothing in a deployment would answer, or that its code has no environment."""
    environment, model = deployment.get("environment"), deployment.get("model")
    if deployment.get("code_configuration") is not None:
        if environment is not None:
            return []
        place = deployment.key_place("code_configuration")
        message = "the deployment has code and no `environment` to run it in"
        return [error("MK1005", place, message, "name an environment, or leave the code of an MLflow model out")]
    if not isinstance(model, Map) or _type_of(model) in ("mlflow_model", "triton_model"):
        return []  # the service has a server for it; of which type a registered model is, only the workspace knows
    if environment is not None and not (isinstance(environment, Map) and environment.get("inference_config") is None):
        return []  # its container says where it answers, or only the workspace knows
    report = error if environment is None else warning
    hint = "add `code_configuration` and an environment, or `type: mlflow_model`"
    return [report("MK1006", deployment.key_place("model"), "nothing is said to run this model", hint)]


def _type_of(model: Node | None) -> str:
    """Return the type of a model that is written out in the deployment."""
    declared = model.get("type") if isinstance(model, Map) else None
    return declared.text.lower() if isinstance(declared, Scalar) else ""


def _machine(deployment: Map, kind: str) -> list[Finding]:
    """Report a size of machines where Kubernetes has types of its own, and the other way round."""
    node = deployment.get("instance_type")
    if not isinstance(node, Scalar) or "${{" in node.text:
        return []
    is_size = SIZE.fullmatch(node.text) is not None
    if kind == "kubernetes_online_deployment" and is_size:
        hint = "name an InstanceType of the cluster, or leave the key out and get `defaultinstancetype`"
        message = f"`instance_type` is `{brief(node.text)}`, a size of virtual machines, which Kubernetes does not know"
        return [error("MK1013", node.place, message, hint)]
    if kind == "managed_online_deployment" and not is_size:
        hint = "write one such as `Standard_DS3_v2`, or `type: kubernetes`"
        return [
            error("MK1013", node.place, f"`instance_type` is `{brief(node.text)}`, no size of virtual machines", hint)
        ]
    return []


def _numbers(deployment: Map, kind: str) -> Iterator[Finding]:
    yield from bounds.outside(deployment, _COUNTS)
    requests = deployment.get("request_settings")
    if requests is not None:
        yield from bounds.outside(requests, {**_REQUESTS, "request_timeout_ms": _TIMEOUTS[kind]})
    yield from bounds.outside(deployment.get("liveness_probe"), _LIVENESS[kind])
    yield from bounds.outside(deployment.get("readiness_probe"), _PROBE)
    yield from bounds.outside(deployment.get("data_collector"), _COLLECTOR)
    yield from _resources(deployment.get("resources"))


def _resources(resources: Node | None) -> Iterator[Finding]:
    """Report amounts that Kubernetes cannot read, and requests above their limits."""
    if not isinstance(resources, Map):
        return
    requests, limits = resources.get("requests"), resources.get("limits")
    for part in (requests, limits):
        for entry in part.entries if isinstance(part, Map) else ():
            if isinstance(entry.value, Scalar) and not bounds.is_amount(entry.value.text):
                message = f"`{entry.key.text}` is `{brief(entry.value.text)}`, no amount that Kubernetes reads"
                yield error("MK1025", entry.value.place, message, "write one such as `500m`, `2`, `512Mi` or `4Gi`")
    for entry in requests.entries if isinstance(requests, Map) else ():
        most = bounds.amount(limits.get(entry.key.text)) if isinstance(limits, Map) else None
        asked = bounds.amount(entry.value)
        if asked is not None and most is not None and asked > most:
            message = f"`requests` has more of `{entry.key.text}` than `limits`"
            yield error("MK1008", entry.value.place, message, "ask for as much as the limit at most")


def _scales(deployment: Map, kind: str) -> Iterator[Finding]:
    """Report scaling that the kind of deployment does not have, and its numbers."""
    scales = deployment.get("scale_settings")
    declared = scales.get("type") if isinstance(scales, Map) else None
    if not isinstance(declared, Scalar):
        return
    if declared.text.replace("_", "").lower() == "targetutilization" and kind == "managed_online_deployment":
        message = f"`{declared.text}` is for Kubernetes only"
        hint = "write `type: default` and let a rule of Azure Monitor change `instance_count`"
        yield error("MK1009", declared.place, message, hint)
        return
    yield from bounds.outside(scales, _SCALES)
    yield from bounds.crossed(scales, "min_instances", "max_instances")
