"""Computes: how many machines, who reaches them, in which network, and what is attached."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks import bounds, endpoints
from mlops_kit.checks.bounds import Bounds
from mlops_kit.checks.deployments import SIZE
from mlops_kit.checks.findings import Finding, brief, error, warning
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

_COUNTS = {"min_instances": Bounds(0), "max_instances": Bounds(0), "idle_time_before_scale_down": Bounds(0)}
_USUAL = {"min_instances": 0.0, "max_instances": 4.0}  # entities/_compute/aml_compute.py
# "Schedule idle shutdown" (learn.microsoft.com): from a quarter of an hour to three days
_IDLE = {"idle_time_before_shutdown_minutes": Bounds(15, 4320, "minutes")}
_DURATION = re.compile(r"P(?=.)(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NAMESPACE = re.compile(r"(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_PUBLIC_KEY = re.compile(r"(ssh-|ecdsa-|sk-)\S+\s+\S+")
_IN = "/subscriptions/ID/resourceGroups/NAME/providers/"
# kind -> the resources that are attached as one
_ATTACHED = {
    "virtual_machine_compute": ("Microsoft.Compute/virtualMachines/NAME",),
    "synapse_spark_compute": ("Microsoft.Synapse/workspaces/NAME/bigDataPools/NAME",),
    "kubernetes_compute": (
        "Microsoft.ContainerService/managedClusters/NAME",
        "Microsoft.Kubernetes/connectedClusters/NAME",
    ),
}


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with a compute beyond its keys."""
    checks = _CHECKS.get(subject.kind)
    return [fault for each in checks for fault in each(subject)] if checks else []


def _cluster(subject: Subject) -> Iterator[Finding]:
    root = subject.root
    yield from bounds.outside(root, _COUNTS)
    yield from bounds.crossed(root, "min_instances", "max_instances", _USUAL)
    tier = root.get("tier")
    if subject.protected and isinstance(tier, Scalar) and tier.text.lower() == "low_priority":
        message = "machines of `low_priority` can be taken away at any time, and the environment is protected"
        yield warning("MK1029", tier.place, message, "write `tier: dedicated`")


def _instance(subject: Subject) -> Iterator[Finding]:
    root = subject.root
    yield from bounds.outside(root, _IDLE)
    idle = root.get("idle_time_before_shutdown")
    if isinstance(idle, Scalar) and not _DURATION.fullmatch(idle.text):
        message = f"`idle_time_before_shutdown` is `{brief(idle.text)}`, no duration"
        yield error("MK1025", idle.place, message, "write one such as `PT30M`")
    yield from _owner(root.get("create_on_behalf_of"))


def _owner(owner: Node | None) -> Iterator[Finding]:
    """Check for whom an instance is made: two ids, each a GUID."""
    for key in ("user_tenant_id", "user_object_id") if isinstance(owner, Map) else ():
        value = owner.get(key) if isinstance(owner, Map) else None
        if value is None and owner is not None:
            yield error("MK0104", owner.place, f"required key `{key}` is missing in `create_on_behalf_of`")
        elif isinstance(value, Scalar) and not _GUID.fullmatch(value.text):
            yield error("MK1021", value.place, f"`{key}` is `{brief(value.text)}`, no GUID")


def _size(subject: Subject) -> Iterator[Finding]:
    node = subject.root.get("size")
    if isinstance(node, Scalar) and not SIZE.fullmatch(node.text):
        message = f"`size` is `{brief(node.text)}`, no size of virtual machines"
        yield error("MK1013", node.place, message, "write one such as `Standard_DS3_v2`")


def _ssh(subject: Subject) -> Iterator[Finding]:
    """Check who may come in through SSH."""
    root, kind = subject.root, subject.kind
    enabled, settings = root.get("ssh_public_access_enabled"), root.get("ssh_settings")
    key = settings.get("ssh_key_value") if isinstance(settings, Map) else None
    if isinstance(key, Scalar) and not _PUBLIC_KEY.match(key.text):
        hint = "write the line of the file that ends in `.pub`"
        yield error("MK1022", key.place, "`ssh_key_value` is no public key", hint)
    if not isinstance(enabled, Scalar) or enabled.value is not True:
        return
    if subject.protected:
        message = "SSH is open to the internet, and the environment is protected"
        yield error("MK1029", enabled.place, message, "write `ssh_public_access_enabled: false`")
    elif key is None and kind == "compute_instance":
        yield error("MK1022", enabled.place, "SSH is enabled, and there is no key for it", _KEY)
    elif key is None and not (isinstance(settings, Map) and settings.get("admin_password")):
        yield warning("MK1022", enabled.place, "SSH is enabled, and nobody can sign in", _KEY)


_KEY = "add `ssh_settings: {ssh_key_value: ssh-rsa ...}`"


def _network(subject: Subject) -> Iterator[Finding]:
    """Report a subnet without its network, and a network without a subnet."""
    network = subject.root.get("network_settings")
    if not isinstance(network, Map):
        return
    subnet, vnet = network.get("subnet"), network.get("vnet_name")
    if isinstance(subnet, Scalar) and vnet is None and not subnet.text.startswith(("/", "${{")):
        hint = "add `vnet_name`, or write the whole resource id of the subnet"
        yield error("MK1023", subnet.place, f"the subnet `{brief(subnet.text)}` is named without its network", hint)
    elif vnet is not None and subnet is None:
        yield error("MK1023", vnet.place, "a network is named without a subnet of it", "add `subnet`")


def _attached(subject: Subject) -> Iterator[Finding]:
    """Report an id of something that is not attached as this kind of compute."""
    node, forms = subject.root.get("resource_id"), _ATTACHED[subject.kind]
    if not isinstance(node, Scalar) or "${{" in node.text:
        return
    patterns = (re.escape(_IN + form).replace("/ID/", "/[^/]+/").replace("NAME", "[^/]+") for form in forms)
    if not any(re.fullmatch(pattern, node.text, re.IGNORECASE) for pattern in patterns):
        message = f"`resource_id` is `{brief(node.text)}`, which cannot be attached here"
        yield error("MK1021", node.place, message, f"the form is {' or '.join(_IN + form for form in forms)}")


def _namespace(subject: Subject) -> Iterator[Finding]:
    node = subject.root.get("namespace")
    if isinstance(node, Scalar) and not _NAMESPACE.fullmatch(node.text):
        message = f"`namespace` is `{brief(node.text)}`; allowed are lower-case letters, digits and `-`, 63 at most"
        yield error("MK0201", node.place, message, "no `-` at either end")


def _identity(subject: Subject) -> Iterator[Finding]:
    yield from endpoints.identity(subject.root.get("identity"))


_CHECKS: dict[str, tuple[Callable[[Subject], Iterable[Finding]], ...]] = {
    "amlcompute": (_cluster, _size, _ssh, _network, _identity),
    "compute_instance": (_instance, _size, _ssh, _network, _identity),
    "kubernetes_compute": (_attached, _namespace, _identity),
    "virtual_machine_compute": (_attached,),
    "synapse_spark_compute": (_attached, _identity),
}
