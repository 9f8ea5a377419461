"""What is wrong with an environment's infrastructure and can be known before any tool runs, each at its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mlops_kit import environment_keys
from mlops_kit.checks.findings import Finding, brief, did_you_mean, error, warning
from mlops_kit.environments import Environment
from mlops_kit.errors import EnvironmentFileError
from mlops_kit.infra import derived, name_rules, network_rules, profiles, v1_names
from mlops_kit.infra.places import Where
from mlops_kit.infra.roles import BUILT_IN, CUSTOM, SCOPES
from mlops_kit.infra.wanted import Wanted, is_wanted, wanted

Rule = Callable[[Wanted, Where], Iterable[Finding]]


def findings(environment: Environment) -> tuple[Finding, ...]:
    """Return everything that is wrong with the infrastructure of one environment, in the order of its files."""
    if not is_wanted(environment):
        return ()
    where = Where(environment)
    try:
        tree = wanted(environment)
        found = [finding for rule in _RULES for finding in rule(tree, where)]
    except EnvironmentFileError as fault:
        return (error("MK0701", fault.place or environment.root.place, fault.message),)
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.place))


def _required(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield every key that a thing needs and neither the files nor the profile give."""
    yield from _missing(tree, environment_keys.schema()["properties"]["infra"], where, ("infra",))
    for path in ("workspace.subscription_id", "location"):
        try:
            value = str(where.environment.require(path))
        except EnvironmentFileError as fault:
            yield error(
                "MK0701" if fault.place else "MK0702", fault.place or where.environment.root.place, fault.message
            )
            continue
        if path != "location" and not _GUID.fullmatch(value):
            message = f"`{path}` is `{brief(value)}`, and a subscription id is a GUID"
            yield error("MK0107", where.place(*path.split(".")), message)


def _missing(value: Any, part: Mapping[str, Any], where: Where, path: tuple[str, ...]) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        return
    for key in part.get("x-required", ()):
        if value.get(key) in (None, "", [], {}, ()):
            yield error("MK0104", where.place(*path), f"`{'.'.join(path)}` needs the key `{key}`")
    for key, inner in value.items():
        yield from _missing(inner, environment_keys.below(part, key) or {}, where, (*path, key))


def _allowed(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield regions and sizes that are not on the lists of the environment."""
    locations: list[tuple[tuple[str, ...], str]] = [(("location",), str(where.environment.get("location", "")))]
    if (registry := tree["registry"]) is not None:
        others = enumerate(registry["locations"])
        locations += [(("infra", "registry", "locations", str(index)), each) for index, each in others]
    for path, location in locations:
        yield from _listed(location, tree["allowed_locations"], "region", where, path)
    for path, size in _sizes(tree):
        yield from _listed(size, tree["allowed_sizes"], "size", where, ("infra", *path, "size"))


def _sizes(tree: Wanted) -> Iterator[tuple[tuple[str, ...], str]]:
    for kind in ("clusters", "instances"):
        yield from ((("compute", kind, name), one["size"]) for name, one in tree["compute"][kind].items())
    if (builder := derived.build_cluster(tree)) and builder not in tree["compute"]["clusters"]:
        yield ("compute", "clusters", builder), profiles.EVERY["compute"]["clusters"]["*"]["size"]
    if (kubernetes := tree["kubernetes"]) is not None and not kubernetes["cluster_id"]:
        pools = kubernetes["node_pools"].items()
        yield from ((("kubernetes", "node_pools", name), one["size"]) for name, one in pools)


def _listed(text: str, allowed: list[str], what: str, where: Where, path: tuple[str, ...]) -> Iterator[Finding]:
    if text and allowed and _folded(text) not in map(_folded, allowed):
        message = (
            f"`{'.'.join(path)}` is the {what} `{brief(text)}`, which `infra.allowed_{_LISTS[what]}` does not list"
        )
        hint = did_you_mean(text, allowed) or f"expected one of {', '.join(allowed)}"
        yield error("MK0613", where.place(*path), message, hint)


def _folded(text: str) -> str:
    return text.replace(" ", "").lower()


def _limits(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield every minimum above its maximum."""
    things = [("compute", "clusters", tree["compute"]["clusters"])]
    if tree["kubernetes"] is not None:
        things.append(("kubernetes", "node_pools", tree["kubernetes"]["node_pools"]))
    for module, kind, found in things:
        for name, one in found.items():
            least, most = one["min_instances"], one["max_instances"]
            if one.get("mode") == "System" and least < 1:
                place = where.place("infra", module, kind, name, "min_instances")
                yield error("MK0614", place, f"`infra.{module}.{kind}.{name}`: a pool of mode System needs a node")
            if least > most:
                path = ("infra", module, kind, name)
                given = "min_instances" if where.gives(*path, "min_instances") else "max_instances"
                message = f"`{'.'.join(path)}`: min_instances {least} is above max_instances {most}"
                yield error("MK0614", where.place(*path, given), message)


def _protected(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield what would leave a protected environment open, or lose it."""
    if not where.environment.protected:
        return
    for kind, path, message in (*_open(tree), *_weak(tree)):
        if kind not in tree["allowed_when_protected"]:
            hint = f"`infra.allowed_when_protected: [{kind}]` allows it" if kind else ""
            name = where.environment.name
            yield error("MK0616", where.place("infra", *path), f"{message}, and {name} is protected", hint)


def _open(tree: Wanted) -> Iterator[tuple[str, tuple[str, ...], str]]:
    kind = "public_network"
    access = {
        ("workspace",): derived.workspace_access(tree),
        ("storage",): tree["storage"]["public_access"],
        ("key_vault",): tree["key_vault"]["public_access"],
        ("container_registry",): derived.registry_access(tree) if tree["container_registry"] is not None else "",
        ("registry",): tree["registry"]["public_access"] if tree["registry"] is not None else "",
    }
    for path, who in access.items():
        if who == "all":
            yield kind, (*path, "public_access"), f"`infra.{path[0]}` is open to all networks"
    if tree["kubernetes"] is not None:
        if not tree["kubernetes"]["cluster_id"] and not derived.is_private_cluster(tree):
            yield kind, ("kubernetes", "private_cluster"), "the API of the Kubernetes cluster is open to all networks"
        if tree["kubernetes"]["extension"]["load_balancer"]:
            yield kind, ("kubernetes", "extension", "load_balancer"), "scoring on Kubernetes is open to all networks"


def _weak(tree: Wanted) -> Iterator[tuple[str, tuple[str, ...], str]]:
    for plural in ("clusters", "instances"):
        for name, one in tree["compute"][plural].items():
            path = ("compute", plural, name)
            if one["ssh"] is not None:
                yield "ssh", (*path, "ssh"), f"`{name}` is open to ssh"
            if one.get("tier") == "low_priority":
                yield "low_priority", (*path, "tier"), f"nodes of `{name}` can be taken away"
    if tree["soft_deleted"] == "purge":
        yield "", ("soft_deleted",), "what was deleted would be purged"
    if tree["key_vault"].get("purge_protection") is False:
        yield "", ("key_vault", "purge_protection"), "the key vault could be purged"


def _names_of_others(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield values that name something which is not there."""
    yield from _roles(tree, where)
    computes = [*tree["compute"]["clusters"], *tree["compute"]["instances"]]
    if (kubernetes := tree["kubernetes"]) is not None:
        computes.append(kubernetes["compute_name"])
        known, meant = list(kubernetes["instance_types"]), kubernetes["default_instance_type"]
        yield from _named(meant, known, "instance type", where, ("infra", "kubernetes", "default_instance_type"))
        if not kubernetes["cluster_id"] and "System" not in {one["mode"] for one in kubernetes["node_pools"].values()}:
            place = where.place("infra", "kubernetes", "node_pools")
            yield error("MK0618", place, "no node pool of the Kubernetes cluster is of mode System")
    default = where.environment.get("compute")
    if default and default != "serverless" and default not in computes:
        message = f"`compute` is `{brief(str(default))}`, which the infrastructure of the environment does not create"
        yield warning("MK0618", where.place("compute"), message, did_you_mean(str(default), computes))
    for name, one in ((tree["data_trigger"] or {}).get("triggers") or {}).items():
        if container := one.get("container"):
            at = ("infra", "data_trigger", "triggers", name, "container")
            yield from _named(container, tree["storage"]["containers"], "container", where, at)


def _named(text: str, known: list[str], what: str, where: Where, path: tuple[str, ...]) -> Iterator[Finding]:
    if text not in known:
        message = f"`{'.'.join(path)}` is `{brief(text)}`, and there is no such {what}"
        hint = did_you_mean(text, known) or f"known are {', '.join(known) or 'none'}"
        yield error("MK0618", where.place(*path), message, hint)


def _roles(tree: Wanted, where: Where) -> Iterator[Finding]:
    part = tree["identity_and_access"]
    absent = {
        "container_registry": tree["container_registry"] is None,
        "application_insights": bool(tree["observability"]["application_insights_id"]),
    }
    there = [scope for scope in SCOPES if not absent.get(scope)]
    same: dict[tuple[str, str, str], str] = {}
    known = [*(CUSTOM if part["custom_roles"] else ()), *BUILT_IN]
    for name, one in part["role_assignments"].items():
        path = ("infra", "identity_and_access", "role_assignments", name)
        if (role := one.get("role")) and not _GUID.fullmatch(role):
            yield from _named(role, known, "role", where, (*path, "role"))
        if not one["scope"].startswith("/subscriptions/"):
            yield from _named(one["scope"], there, "scope", where, (*path, "scope"))
        what = (one["scope"].lower(), str(one.get("principal_id")).lower(), BUILT_IN.get(role or "", role or ""))
        if (other := same.setdefault(what, name)) != name:
            yield error("MK0612", where.place(*path), f"role assignments `{name}` and `{other}` are the same")


def _unused(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield keys that are given and would change nothing; those of the network are told by its own rules."""
    for service in ("storage", "key_vault"):
        if tree[service]["public_access"] != "selected" and tree[service]["allowed_ips"]:
            why = f"public_access is {tree[service]['public_access']}, not selected"
            yield network_rules.unused(where, (service, "allowed_ips"), why)
    if tree["observability"]["application_insights_id"] and tree["observability"].get("application_insights_name"):
        path = ("observability", "application_insights_name")
        yield network_rules.unused(where, path, "`application_insights_id` is given")
    if (kubernetes := tree["kubernetes"]) is not None and kubernetes["cluster_id"]:
        for key in ("name", "version", "tier", "private_cluster", "node_pools"):
            if where.gives("infra", "kubernetes", key):
                yield network_rules.unused(where, ("kubernetes", key), "the cluster exists")
    for name, one in tree["compute"]["instances"].items():
        at = ("compute", "instances", name, "time_zone")
        if not one["start"] and not one["stop"] and where.gives("infra", *at):
            yield network_rules.unused(where, at, "it is not started or stopped at times")


_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LISTS = {"region": "locations", "size": "sizes"}
_RULES: tuple[Rule, ...] = (
    _required,
    _allowed,
    _limits,
    _protected,
    _names_of_others,
    _unused,
    v1_names.check,
    name_rules.check,
    network_rules.check,
)
