"""The machines of a command: how many, how its processes are spread over them, and for how long it may run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks import bounds, ranges
from mlops_kit.checks.bounds import Bounds
from mlops_kit.checks.findings import Edit, Finding, brief, error, warning
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

_COUNTS = {"instance_count": Bounds(1), "max_instance_count": Bounds(1)}
_PROCESSES = {
    "process_count_per_instance": Bounds(1),
    "worker_count": Bounds(1),
    "parameter_server_count": Bounds(0),
    "port": Bounds(1, 65_535),
    "dashboard_port": Bounds(1, 65_535),
}
_LIMITS = {"timeout": Bounds(1, unit="second")}
_SHARED = re.compile(r"0*[1-9]\d*[bkmg]", re.IGNORECASE)


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with the machines that the command of a document, or those of its steps, run on."""
    root, kind = subject.root, subject.kind
    if kind in ("command_job", "command_component"):
        return list(_faults(root))
    jobs = root.get("jobs") if kind in ("pipeline_job", "pipeline_component") else None
    steps = [entry.value for entry in jobs.entries] if isinstance(jobs, Map) else []
    return [fault for step in steps if isinstance(step, Map) for fault in _of_step(step)]


def _of_step(step: Map) -> Iterator[Finding]:
    """Check a step, and the component that is written out in it."""
    if step.get("search_space") is None:  # the limits of a sweep are its own
        yield from _faults(step)
    for key in ("component", "trial"):
        inner = step.get(key)
        if isinstance(inner, Map):
            yield from _faults(inner)


def _faults(node: Map) -> Iterator[Finding]:
    """Yield what is wrong with the machines of one command."""
    resources, distribution = node.get("resources"), node.get("distribution")
    yield from machines(resources)
    if isinstance(distribution, Map):
        yield from bounds.outside(distribution, _PROCESSES)
        yield from _spread(distribution, resources)
    yield from bounds.outside(node.get("limits"), _LIMITS)


def machines(resources: Node | None) -> Iterator[Finding]:
    """Yield what is wrong with the number of machines that are asked for, and with their shared memory."""
    if isinstance(resources, Map):
        yield from bounds.outside(resources, _COUNTS)
        yield from bounds.crossed(resources, "instance_count", "max_instance_count")
        yield from _shared_memory(resources)


def _shared_memory(resources: Map) -> Iterator[Finding]:
    """Report a size of shared memory that Docker cannot read."""
    size = resources.get("shm_size")
    if isinstance(size, Scalar) and "${{" not in size.text and not _SHARED.fullmatch(size.text):
        meant = re.sub(r"[\s_]|(?<=[kmg])i?b?$", "", size.text.lower())
        message = f"`shm_size` is `{brief(size.text)}`, no size that Docker reads"
        if _SHARED.fullmatch(meant):
            yield error("MK1025", size.place, message, f"write `{meant}`", Edit(size.text, meant))
        else:
            yield error("MK1025", size.place, message, "write a number and `b`, `k`, `m` or `g`: `2g`")


def _spread(distribution: Map, resources: Node | None) -> Iterator[Finding]:
    """Report workers and parameter servers of TensorFlow that are not as many as there are machines."""
    workers = ranges.number(distribution.get("worker_count"))
    if workers is None:
        return
    servers = ranges.number(distribution.get("parameter_server_count")) or 0
    given = resources.get("instance_count") if isinstance(resources, Map) else None
    machines = 1.0 if given is None else ranges.number(given)
    if machines is not None and workers + servers != machines:
        message = f"{workers + servers:g} processes of TensorFlow are spread over {machines:g} machines"
        hint = f"write `instance_count: {workers + servers:g}`: each machine runs one"
        yield warning("MK1024", distribution.key_place("worker_count"), message, hint)
