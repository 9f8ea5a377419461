"""Network settings that do not go together, or that would change nothing (the profile as a whole, not key by key)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from mlops_kit.checks.findings import Finding, error
from mlops_kit.infra import derived
from mlops_kit.infra.places import Where
from mlops_kit.infra.wanted import Wanted

_SERVICES = {"storage": "storage_blob", "key_vault": "key_vault"}  # and the endpoint that leads to each


def check(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield every contradiction of the network of one environment."""
    yield from _unreachable(tree, where)
    yield from _endpoints(tree, where)
    yield from _registry(tree, where)
    yield from _isolation(tree, where)
    yield from _outbound(tree, where)
    yield from _compute(tree, where)
    yield from _unused(tree, where)
    yield from _ranges(tree, where)


def _contradiction(where: Where, path: tuple[str, ...], message: str, hint: str = "") -> Finding:
    return error("MK0615", where.place("infra", *path), message, hint)


def unused(where: Where, path: tuple[str, ...], why: str) -> Finding:
    """Return the finding of a key that is given and changes nothing."""
    return error("MK0617", where.place("infra", *path), f"`infra.{'.'.join(path)}` changes nothing: {why}")


def _unreachable(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield what nobody would reach."""
    mode, there = tree["workspace"]["network"], derived.endpoints(tree)
    if derived.workspace_access(tree) == "disabled" and "workspace" not in there:
        message = "nobody would reach the workspace: its public access is disabled, it has no private endpoint"
        yield _contradiction(where, ("workspace", "public_access"), message)
    for service, endpoint in _SERVICES.items():
        access = tree[service]["public_access"]
        if access == "selected" and mode == "public" and not tree[service]["allowed_ips"]:
            message = f"nobody would reach `{service}`: its public access is selected, and nothing is selected"
            hint = "give allowed_ips, or a network other than public"
            yield _contradiction(where, (service, "public_access"), message, hint)
        if access == "disabled" and mode != "managed" and endpoint not in there:
            message = f"nobody would reach `{service}`: its public access is disabled, it has no private endpoint"
            yield _contradiction(where, (service, "public_access"), message, f"add {endpoint} to private_endpoints")


def _endpoints(tree: Wanted, where: Where) -> Iterator[Finding]:
    given = tree["workspace"].get("private_endpoints") or ()
    path = ("workspace", "private_endpoints")
    if given and tree["workspace"]["network"] == "public":
        hint = "expected network managed or byo_vnet"
        yield _contradiction(where, path, "private endpoints need a network, and `workspace.network` is public", hint)
    if "container_registry" in given and tree["container_registry"] is None:
        yield _contradiction(where, path, "a container registry that Azure makes later gets no private endpoint")


def _registry(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield why a private container registry would not work (R45)."""
    if (part := tree["container_registry"]) is None:
        if tree["workspace"]["network"] != "public":
            message = "a container registry that Azure makes later is open, and the network is not"
            yield _contradiction(where, ("container_registry",), message, "expected a container registry of its own")
        return
    if (sku := part.get("sku")) not in {None, "Premium"} and derived.is_private_registry(tree):
        message = f"a private container registry is of tier Premium, not {sku}"
        yield _contradiction(where, ("container_registry", "sku"), message, "write `Premium`, or leave it out")
    if derived.registry_access(tree) == "all":
        return
    if derived.build_cluster(tree) is None:
        message = "with a private container registry the workspace cannot build images without a cluster"
        path = ("workspace", "image_build_compute")
        yield _contradiction(where, path, message, "name one, or leave it out: one is made")
    if tree["workspace"]["network"] == "public":
        message = "the container registry is private, and `workspace.network` is public: jobs would not reach it"
        yield _contradiction(where, ("container_registry", "public_access"), message)


def _isolation(tree: Wanted, where: Where) -> Iterator[Finding]:
    part = tree["workspace"]
    if part["network"] != "managed" and where.gives("infra", "workspace", "isolation"):
        yield unused(where, ("workspace", "isolation"), f"`workspace.network` is {part['network']}, not managed")


def _outbound(tree: Wanted, where: Where) -> Iterator[Finding]:
    part = tree["workspace"]
    if part["outbound_rules"] and (part["network"], part["isolation"]) != ("managed", "allow_only_approved_outbound"):
        why = "they need the network managed with isolation allow_only_approved_outbound"
        yield unused(where, ("workspace", "outbound_rules"), why)
    for name, rule in part["outbound_rules"].items():
        path = ("workspace", "outbound_rules", name)
        if bool(rule.get("fqdn")) == bool(rule.get("service_tag")):
            yield _contradiction(where, path, f"outbound rule `{name}` names neither or both of fqdn and service_tag")
        for key in ("protocol", "ports"):
            if rule.get("fqdn") and where.gives("infra", *path, key):
                yield unused(where, (*path, key), "it belongs to a service tag")


def _compute(tree: Wanted, where: Where) -> Iterator[Finding]:
    mode = tree["workspace"]["network"]
    for kind in ("clusters", "instances"):
        for name, one in tree["compute"][kind].items():
            path = ("compute", kind, name)
            if one.get("subnet_id") and mode != "byo_vnet":
                reason = "compute in a managed network has no subnet of yours" if mode == "managed" else "there is none"
                message = f"`{name}` stands in a subnet, and `workspace.network` is {mode}: {reason}"
                yield _contradiction(where, (*path, "subnet_id"), message, "expected network byo_vnet")
            yield from _address(one, path, mode, where)
    yield from _address(tree["compute"]["serverless"], ("compute", "serverless"), mode, where)


def _address(one: Wanted, path: tuple[str, ...], mode: str, where: Where) -> Iterator[Finding]:
    if one.get("public_ip") is False and mode == "public":
        message = f"`{path[-1]}` has no public address, and `workspace.network` is public: nothing would reach it"
        yield _contradiction(where, (*path, "public_ip"), message, "expected network managed or byo_vnet")


def _unused(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield keys of the virtual network that are given and change nothing, and addresses that nobody asks for."""
    part = tree["workspace"]
    mode, made = part["network"], part["virtual_network"]
    above = ("workspace", "virtual_network")
    if mode == "public":
        for key in ("virtual_network", "dns_zones_in"):
            if where.gives("infra", "workspace", key) and (key == "virtual_network" or part[key]):
                yield unused(where, ("workspace", key), "`workspace.network` is public")
        return
    uses = ("endpoints", "compute") if mode == "byo_vnet" else ("endpoints",)
    if mode == "managed":
        for key in ("compute_prefix", "compute_subnet_id"):
            if where.gives("infra", *above, key):
                yield unused(where, (*above, key), "compute stands in the managed network")
    for use in uses:
        if made[f"{use}_subnet_id"] and where.gives("infra", *above, f"{use}_prefix"):
            yield unused(where, (*above, f"{use}_prefix"), f"`{use}_subnet_id` is given")
    if all(made[f"{use}_subnet_id"] for use in uses) and where.gives("infra", *above, "address_space"):
        yield unused(where, (*above, "address_space"), "the virtual network exists")
    yield from _whose(made, uses, where)


def _whose(made: Wanted, uses: tuple[str, ...], where: Where) -> Iterator[Finding]:
    """Yield subnets that are not of one virtual network."""
    homes = {(made[f"{use}_subnet_id"] or "").lower().rpartition("/subnets/")[0] for use in uses}
    if len(homes) > 1:
        path = ("workspace", "virtual_network", "compute_subnet_id")
        message = "the subnets of endpoints and of compute are not of one virtual network"
        yield _contradiction(where, path, message, "expected two that exist in one network, or none")


def _ranges(tree: Wanted, where: Where) -> Iterator[Finding]:
    part = tree["workspace"]
    made, path = part["virtual_network"], ("workspace", "virtual_network")
    uses = {"public": (), "managed": ("endpoints",), "byo_vnet": ("endpoints", "compute")}[part["network"]]
    keys = [f"{use}_prefix" for use in uses if not made[f"{use}_subnet_id"]]
    if not keys:
        return
    try:
        space = [ipaddress.ip_network(each) for each in made["address_space"]]
        ranges = {key: ipaddress.ip_network(made[key]) for key in keys}
    except ValueError as fault:
        yield _contradiction(where, path, f"an address range is wrong: {fault}")
        return
    for key, one in ranges.items():
        if not any(one.subnet_of(each) for each in space):  # type: ignore[arg-type]
            message = f"`{key}` {one} lies outside of the address space {', '.join(map(str, space))}"
            yield _contradiction(where, (*path, key), message)
    if len(ranges) == 2 and ranges[keys[0]].overlaps(ranges[keys[1]]):
        yield _contradiction(where, (*path, keys[1]), f"`{keys[0]}` and `{keys[1]}` overlap")
