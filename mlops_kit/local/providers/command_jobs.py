"""What the service checks and fills in when a command job is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import seconds_of
from mlops_kit.local.arm.wire import BadRequestError, concerning
from mlops_kit.local.providers import codes, computes, usages
from mlops_kit.local.runs import capacity, command_line, distribution, environments, inputs, outputs

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

Properties = dict[str, Any]
# What a job keeps for ever: a second PUT of the same name may repeat it, not change it.
CONTENT = (
    "command",
    "codeId",
    "environmentId",
    "environmentVariables",
    "computeId",
    "inputs",
    "outputs",
    "resources",
    "limits",
    "distribution",
)


def completed(plane: Plane, workspace: str, given: Properties) -> Properties:
    """Return the job with what the service fills in; 400, 404, 409 or 501 where it could not be run."""
    if not str(given.get("command") or "").strip():
        raise BadRequestError("A command job needs a command.", target="properties.command")
    with concerning("properties.environmentId"):
        _check_environment(plane, workspace, given)
    if code := given.get("codeId"):
        with concerning("properties.codeId"):
            codes.code_location(plane, workspace, str(code))
    with concerning("properties.computeId"):
        given = {**given, **_resources(plane, workspace, given)}
    with concerning("properties.distribution"):
        distribution.check(given.get("distribution"))
    _check_limits(given.get("limits") or {})
    sent = [(name, one) for name, one in _named(given, "inputs") if not _is_left_out(one)]
    found = {name: inputs.completed(plane, workspace, name, one) for name, one in sent}
    made = {name: outputs.completed(plane, workspace, name, one) for name, one in _named(given, "outputs")}
    _check_command(str(given["command"]), found, made)
    return {**given, "inputs": found, "outputs": made}


def _is_left_out(one: Properties | None) -> bool:
    """Say whether an input is an optional one without a value, which the SDK sends all the same."""
    return one is None or (str(one.get("jobInputType")).lower() == "literal" and one.get("value") is None)


def _named(given: Properties, key: str) -> list[tuple[str, Any]]:
    return list((given.get(key) or {}).items())


def _check_environment(plane: Plane, workspace: str, given: Properties) -> None:
    reference = given.get("environmentId")
    if not reference:
        raise BadRequestError("A command job needs an environment.", target="properties.environmentId")
    environments.specification(environments.find(plane, workspace, str(reference)))
    environments.runner(plane.settings.runner, given.get("environmentVariables") or {})
    for name, value in (given.get("environmentVariables") or {}).items():
        if value is None or "\0" in str(value) or "=" in name:
            raise BadRequestError(
                f"The environment variable '{name}' has no value that a process can be given.",
                target="environmentVariables",
            )


def _resources(plane: Plane, workspace: str, given: Properties) -> Properties:
    """Check compute and node count; return the resources with their defaults."""
    resources = {**(given.get("resources") or {})}
    wanted = int(resources.get("instanceCount") or 1)
    if wanted < 1:
        raise BadRequestError(f"A job cannot run on {wanted} nodes.", target="resources.instanceCount")
    name = str(given.get("computeId") or "").rpartition("/")[2]
    room = usages.MOST_NODES
    if name.lower() not in capacity.HOST_NAMES:
        if "/virtualclusters/" in str(given["computeId"]).lower():
            raise BadRequestError(
                f"'{name}' is a virtual cluster, which only Azure has; use a compute of the workspace.",
                target="computeId",
            )
        room = computes.runnable(plane, workspace, str(given["computeId"])).nodes
    if wanted > room:
        where = f"the compute '{name}' has" if name else "this host has"
        raise BadRequestError(
            f"The job asks for {wanted} nodes, but {where} at most {room}.", target="resources.instanceCount"
        )
    return {"resources": {**resources, "instanceCount": wanted, "properties": resources.get("properties") or {}}}


def _check_limits(limits: Mapping[str, Any]) -> None:
    try:
        seconds_of(limits.get("timeout"))
    except ValueError as error:
        raise BadRequestError(f"{error}.", target="limits.timeout") from None


def _check_command(text: str, found: Mapping[str, Properties], made: Mapping[str, Properties]) -> None:
    bindings: dict[str, str | None] = {
        f"inputs.{name}": "given" if (one.get("value") is not None or one.get("uri")) else None
        for name, one in found.items()
    }
    bindings |= {f"outputs.{name}": "given" for name in made}
    try:
        command_line.check(text, bindings)
    except command_line.UnboundError as error:
        raise BadRequestError(str(error), target="properties.command") from None
