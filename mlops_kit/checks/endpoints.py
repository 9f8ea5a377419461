"""Endpoints: shares of the traffic, who may call them, and as whom they act."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, brief, error
from mlops_kit.checks.ranges import number
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

ONLINE = {"managed_online_endpoint", "kubernetes_online_endpoint"}
# kind -> the ways to sign in that its service does not know ("Authentication for endpoints", learn.microsoft.com)
_REFUSED = {"kubernetes_online_endpoint": {"aad_token"}, "batch_endpoint": {"key", "aml_token"}}
_MOST_MIRRORED = 50  # percent: OnlineEndpointProperties.mirrorTraffic of the API
IDENTITY = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.managedidentity/userassignedidentities/[^/]+",
    re.IGNORECASE,
)


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with an endpoint beyond its keys."""
    root, kind = subject.root, subject.kind
    if kind not in ONLINE and kind != "batch_endpoint":
        return []
    found = [*_auth(root.get("auth_mode"), kind), *identity(root.get("identity"))]
    if kind == "kubernetes_online_endpoint" and root.get("compute") is None:
        hint = "name the attached cluster: `compute: azureml:NAME`"
        found.append(error("MK0104", root.place, "required key `compute` is missing", hint))
    return [*found, *_traffic(root), *_mirror(root, kind)] if kind in ONLINE else found


def _auth(node: Node | None, kind: str) -> list[Finding]:
    """Report a way to sign in that the kind of endpoint does not have."""
    refused = _REFUSED.get(kind, set())
    declared = _snake(node.text) if isinstance(node, Scalar) else ""
    if declared not in refused or not isinstance(node, Scalar):
        return []
    allowed = [each for each in ("key", "aml_token", "aad_token") if each not in refused]
    noun = "a batch endpoint" if kind == "batch_endpoint" else "an endpoint on Kubernetes"
    hint = " or ".join(f"`auth_mode: {each}`" for each in allowed)
    return [error("MK1014", node.place, f"{noun} does not know `{brief(node.text)}`", f"write {hint}")]


def _snake(text: str) -> str:
    """Return a value of an enumeration in snake case: the SDK takes ``AADToken``, too."""
    word = text.lower().replace("_", "")
    return {"amltoken": "aml_token", "aadtoken": "aad_token"}.get(word, word)


def identity(node: Node | None) -> Iterator[Finding]:
    """Yield what is wrong with the identity of an endpoint or a compute."""
    declared = node.get("type") if isinstance(node, Map) else None
    if not isinstance(node, Map) or not isinstance(declared, Scalar):
        return
    kind, given = declared.text.replace("_", "").replace(" ", "").lower(), node.get("user_assigned_identities")
    items = given.items if isinstance(given, List) else ()
    if "userassigned" in kind and not items:
        hint = "add `user_assigned_identities`, a list with a `resource_id` each"
        yield error("MK1015", declared.place, f"`{declared.text}` needs an identity that is named", hint)
    elif "userassigned" not in kind and items:
        message = f"`user_assigned_identities` do not go with `type: {declared.text}`"
        yield error("MK1015", node.key_place("user_assigned_identities"), message, "write `type: user_assigned`")
    for item in items:
        resource = item.get("resource_id") if isinstance(item, Map) else None
        if isinstance(resource, Scalar) and "${{" not in resource.text and not IDENTITY.fullmatch(resource.text):
            yield error("MK1021", resource.place, *_no_identity(resource.text))


def _no_identity(text: str) -> tuple[str, str]:
    form = "/subscriptions/ID/resourceGroups/NAME/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME"
    return f"`{brief(text)}` is no resource id of a user-assigned identity", f"the form is {form}"


def _traffic(root: Map) -> Iterator[Finding]:
    """Report shares of the traffic that do not sum to 100, or to 0 while nothing is deployed."""
    shares = root.get("traffic")
    if not isinstance(shares, Map):
        return
    numbers = [number(entry.value) for entry in shares.entries]
    known = [share for share in numbers if share is not None]
    if len(known) < len(numbers):
        return
    for entry, share in zip(shares.entries, known, strict=True):
        if not 0 <= share <= 100:
            hint = "a share is 0 to 100 percent"
            yield error("MK1010", entry.value.place, f"the share of `{entry.key.text}` is {share:g}", hint)
            return
    if sum(known) not in (0, 100):
        message = f"the shares of `traffic` sum to {sum(known):g}"
        yield error("MK1010", root.key_place("traffic"), message, "they must sum to 100, or be 0 all")


def _mirror(root: Map, kind: str) -> Iterator[Finding]:
    """Report a mirror of the traffic that the service refuses: more than half, to two deployments, or to a live one."""
    mirror = root.get("mirror_traffic")
    if not isinstance(mirror, Map):
        return
    place, live = root.key_place("mirror_traffic"), root.get("traffic")
    if kind == "kubernetes_online_endpoint":
        yield error("MK1012", place, "an endpoint on Kubernetes mirrors no traffic", "leave `mirror_traffic` out")
        return
    total = sum(number(entry.value) or 0 for entry in mirror.entries)
    if total > _MOST_MIRRORED:
        yield error("MK1012", place, f"`mirror_traffic` is {total:g} percent", f"{_MOST_MIRRORED} is the most")
    elif len(mirror.entries) > 1:
        yield error("MK1012", place, "`mirror_traffic` names more than one deployment", "keep one of them")
    for entry in mirror.entries:
        if isinstance(live, Map) and number(live.get(entry.key.text)):
            message = f"`{entry.key.text}` gets traffic and its mirror"
            yield error("MK1012", entry.key.place, message, "take it out of one of them")
