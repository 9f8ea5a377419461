"""Compute of the workspace: clusters, instances, Kubernetes; durations and scripts as ARM has them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_kit.infra import derived, profiles
from mlops_kit.infra.contract import (
    Cluster,
    ClusterSsh,
    Compute,
    Extension,
    Instance,
    InstanceType,
    Kubernetes,
    ManagedCluster,
    NodePool,
    Schedule,
    Script,
    Serverless,
    User,
)
from mlops_kit.infra.wanted import Wanted, is_wanted, wanted

if TYPE_CHECKING:
    from mlops_kit.environments import Environment

_IDENTITIES = {"compute": "compute", "system": "system", "none": None}


def compute(tree: Wanted) -> Compute:
    """Return the clusters and instances; the cluster that builds images is among them where it has no entry."""
    clusters = dict(tree["compute"]["clusters"])
    if builder := derived.build_cluster(tree):
        clusters.setdefault(builder, {**profiles.EVERY["compute"]["clusters"]["*"], "max_instances": 1})
    return Compute(
        {name: _cluster(one, tree) for name, one in clusters.items()},
        {name: _instance(one, tree) for name, one in tree["compute"]["instances"].items()},
    )


def owned(environment: Environment) -> frozenset[str]:
    """Return the names, in lower case, of the compute that the infrastructure of an environment makes or attaches."""
    if not is_wanted(environment):
        return frozenset()
    tree = wanted(environment)
    attached = [tree["kubernetes"]["compute_name"]] if tree["kubernetes"] is not None else []
    made = compute(tree)
    return frozenset(name.lower() for name in (*made.clusters, *made.instances, *attached))


def serverless(tree: Wanted) -> Serverless:
    """Return how the compute of jobs that name none is connected."""
    return Serverless(_subnet({}, tree), not _public_ip(tree["compute"]["serverless"], tree))


def _subnet(one: Mapping[str, Any], tree: Wanted) -> str | None:
    """Return the subnet of the network that compute stands in, unless it names one of its own."""
    in_yours = tree["workspace"]["network"] == "byo_vnet" and not one.get("subnet_id")
    return "compute" if in_yours else None


def _public_ip(one: Mapping[str, Any], tree: Wanted) -> bool:
    given = one.get("public_ip")
    return tree["workspace"]["network"] == "public" if given is None else bool(given)


def _cluster(one: Mapping[str, Any], tree: Wanted) -> Cluster:
    ssh = one["ssh"]
    return Cluster(
        size=one["size"],
        tier={"dedicated": "Dedicated", "low_priority": "LowPriority"}[one["tier"]],
        min_instances=one["min_instances"],
        max_instances=one["max_instances"],
        idle_time_before_scale_down=f"PT{one['idle_time_before_scale_down']}S",
        identity=_IDENTITIES[one["identity"]],
        subnet=_subnet(one, tree),
        subnet_id=one.get("subnet_id"),
        public_ip=_public_ip(one, tree),
        ssh=None if ssh is None else ClusterSsh(ssh["user"], ssh["public_key"]),
    )


def _instance(one: Mapping[str, Any], tree: Wanted) -> Instance:
    idle, user = one["idle_shutdown_minutes"], one["assigned_user"]
    return Instance(
        size=one["size"],
        idle_time_before_shutdown=None if idle is None else f"PT{idle}M",
        identity=_IDENTITIES[one["identity"]],
        subnet=_subnet(one, tree),
        subnet_id=one.get("subnet_id"),
        public_ip=_public_ip(one, tree),
        ssh_public_key=None if one["ssh"] is None else one["ssh"]["public_key"],
        assigned_user=None if user is None else User(user["tenant_id"], user["object_id"]),
        creation_script=_script(one["setup_script"]),
        startup_script=_script(one["startup_script"]),
        schedules=tuple(
            Schedule(action.capitalize(), one[action], one["time_zone"]) for action in ("start", "stop") if one[action]
        ),
    )


def _script(one: Mapping[str, Any] | None) -> Script | None:
    if one is None:
        return None
    data = base64.b64encode(one["text"].encode()).decode()
    return Script(data, one["arguments"], f"{one['timeout_minutes']}m")


def kubernetes(tree: Wanted, named: Mapping[str, str]) -> Kubernetes | None:
    """Return the Kubernetes cluster that is attached, if any."""
    part = tree["kubernetes"]
    if part is None:
        return None
    return Kubernetes(
        cluster=None if part["cluster_id"] else _managed_cluster(tree, named["kubernetes"]),
        cluster_id=part["cluster_id"],
        extension=Extension("azureml", _extension(part["extension"])),
        compute_name=part["compute_name"],
        namespace=part["namespace"],
        identity="compute",
        instance_types={
            name: InstanceType(one["cpu"], one["memory"], str(one["gpu"]), one["node_selector"])
            for name, one in part["instance_types"].items()
        },
        default_instance_type=part["default_instance_type"],
    )


def _managed_cluster(tree: Wanted, name: str) -> ManagedCluster:
    part = tree["kubernetes"]
    pools = {
        pool: NodePool(one["size"], one["mode"], one["min_instances"], one["max_instances"])
        for pool, one in part["node_pools"].items()
    }
    private = derived.is_private_cluster(tree)
    return ManagedCluster(name, name[:54].rstrip("-_"), part["version"], part["tier"], private, pools)


def _extension(part: Mapping[str, bool]) -> dict[str, str]:
    """Return the settings of the extension: "Azure Machine Learning extension configuration settings"."""
    return {
        "enableTraining": str(part["training"]).lower(),
        "enableInference": str(part["inference"]).lower(),
        "inferenceRouterServiceType": "LoadBalancer" if part["load_balancer"] else "ClusterIP",
        "allowInsecureConnections": str(part["allow_insecure"]).lower(),
    }
