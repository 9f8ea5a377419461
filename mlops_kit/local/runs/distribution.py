"""The processes of a job on several nodes: how many there are, and the variables by which each knows its place."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_kit.local.arm.wire import ArmError, BadRequestError

HOST = "127.0.0.1"
LOG = "std_log.txt"


@dataclass(frozen=True, slots=True)
class Rank:
    """One process: the variables that are its own, and the name of its log in ``user_logs``."""

    variables: Mapping[str, str]
    log: str


def check(distribution: Mapping[str, Any] | None) -> None:
    """400 or 501 for a distribution that cannot be run here."""
    kind = (distribution or {}).get("distributionType")
    if kind == "Ray":
        raise ArmError(501, "NotImplemented", "Ray clusters cannot be started by the local control plane.")
    if distribution and kind not in KINDS:
        known = ", ".join(KINDS)
        raise BadRequestError(f"The distribution '{kind}' is not one of {known}.", target="distribution")


def ranks(distribution: Mapping[str, Any] | None, nodes: int) -> list[Rank]:
    """Return the processes of a job on ``nodes`` nodes; without a distribution there is one on each."""
    given = distribution or {}
    if given:
        found = KINDS[str(given["distributionType"])](given, nodes)
    else:
        found = [_node_variables(rank, nodes) for rank in range(nodes)]
    if len(found) == 1:
        return [Rank(found[0], LOG)]
    width = len(str(len(found) - 1))
    return [Rank(one, f"std_log_process_{rank:0{width}d}.txt") for rank, one in enumerate(found)]


def _node_variables(node: int, nodes: int) -> dict[str, str]:
    return {"NODE_RANK": str(node), "AZUREML_NODE_COUNT": str(nodes)}


def _per_instance(given: Mapping[str, Any]) -> int:
    return int(given.get("processCountPerInstance") or 1)


def _pytorch(given: Mapping[str, Any], nodes: int) -> list[dict[str, str]]:
    each, port = _per_instance(given), free_port()
    return [
        {
            **_node_variables(rank // each, nodes),
            "RANK": str(rank),
            "LOCAL_RANK": str(rank % each),
            "WORLD_SIZE": str(nodes * each),
            "LOCAL_WORLD_SIZE": str(each),
            "MASTER_ADDR": HOST,
            "MASTER_PORT": str(port),
        }
        for rank in range(nodes * each)
    ]


def _mpi(given: Mapping[str, Any], nodes: int) -> list[dict[str, str]]:
    each, port = _per_instance(given), free_port()
    return [
        {
            **_node_variables(rank // each, nodes),
            "OMPI_COMM_WORLD_RANK": str(rank),
            "OMPI_COMM_WORLD_LOCAL_RANK": str(rank % each),
            "OMPI_COMM_WORLD_SIZE": str(nodes * each),
            "OMPI_COMM_WORLD_LOCAL_SIZE": str(each),
            "OMPI_COMM_WORLD_NODE_RANK": str(rank % each),
            "AZ_BATCH_MASTER_NODE": f"{HOST}:{port}",
            "AZ_BATCHAI_MPI_MASTER_NODE": HOST,
            "MASTER_ADDR": HOST,
            "MASTER_PORT": str(port),
        }
        for rank in range(nodes * each)
    ]


def _tensorflow(given: Mapping[str, Any], nodes: int) -> list[dict[str, str]]:
    workers = int(given.get("workerCount") or nodes)
    servers = int(given.get("parameterServerCount") or 0)
    tasks = [("worker", index) for index in range(workers)] + [("ps", index) for index in range(servers)]
    cluster: dict[str, list[str]] = {}
    for kind, _ in tasks:
        cluster.setdefault(kind, []).append(f"{HOST}:{free_port()}")
    return [
        {
            **_node_variables(number % nodes, nodes),
            "TF_CONFIG": json.dumps(
                {"cluster": cluster, "task": {"type": kind, "index": index}, "environment": "cloud"}
            ),
        }
        for number, (kind, index) in enumerate(tasks)
    ]


KINDS: dict[str, Callable[[Mapping[str, Any], int], list[dict[str, str]]]] = {
    "PyTorch": _pytorch,
    "Mpi": _mpi,
    "TensorFlow": _tensorflow,
}


def free_port() -> int:
    """Return a port of this host that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
