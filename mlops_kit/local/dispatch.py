"""One call from the route to the reply: the caller's roles, locks, faults that were asked for, then the handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.local.arm.wire import ArmError, Call, Reply
from mlops_kit.local.faults import METHODS, Fault
from mlops_kit.local.providers import access, locks

if TYPE_CHECKING:
    from mlops_kit.local.arm.routes import Route
    from mlops_kit.local.plane import Plane

_POLL_SECONDS = "1"  # how long a client waits before it asks again for an operation that hangs


def handled(plane: Plane, route: Route, call: Call) -> Reply:
    """Answer a call that has its route and parameters; raises ArmError for what is refused."""
    if call.principal and not route.open:
        access.check(plane, call)
    fault = None
    if call.method in METHODS and call.path.lower().startswith("/subscriptions/"):
        locks.check(plane, call)
        fault = plane.faults.strike(call.method, call.path)
    reply = _struck(plane, route, call, fault) if fault else route.handler(plane, call)
    return access.shortened(plane, call, reply) if call.principal else reply


def _struck(plane: Plane, route: Route, call: Call, fault: Fault) -> Reply:
    if fault.outcome == "refuse":
        raise ArmError(fault.status, fault.code, fault.message, target=fault.target, details=fault.details)
    name, headers = plane.operations.begin(call.params["subscription"], status="InProgress")
    if fault.outcome == "hang":
        headers["Retry-After"] = _POLL_SECONDS
    if call.method in {"DELETE", "POST"}:
        reply = Reply(202, None, headers)
    else:
        written = route.handler(plane, call)
        if written.status >= 400 or not isinstance(written.body, dict):
            return written
        state = "Creating" if written.status == 201 else "Updating"
        _set_state(plane, str(written.body.get("id")), "Failed" if fault.outcome == "fail" else state)
        properties = {**written.body.get("properties", {}), "provisioningState": state}
        reply = Reply(201, {**written.body, "properties": properties}, {**written.headers, **headers})
    if fault.outcome == "fail":
        plane.operations.finish(name, "Failed", fault.error)
    elif fault.seconds is not None:
        _end_later(plane, route, call, name, fault.seconds)
    return reply


def _end_later(plane: Plane, route: Route, call: Call, name: str, seconds: float) -> None:
    def end() -> None:
        if call.method in {"DELETE", "POST"}:
            route.handler(plane, call)
        else:
            _set_state(plane, call.path, "Succeeded")

    plane.operations.finish_after(name, seconds, end)


def _set_state(plane: Plane, resource_id: str, state: str) -> None:
    found = plane.store.find(resource_id)
    if found is not None and "provisioningState" in (found.body.get("properties") or {}):
        plane.store.put({**found.body, "properties": {**found.properties, "provisioningState": state}})
