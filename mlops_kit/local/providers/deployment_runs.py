"""Deployments under way: each runs in a thread of its own, so that it can be looked at meanwhile, and canceled."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.deployments import Outcome, prepared
from mlops_kit.local.arm.ids import duration, stamped, timestamp
from mlops_kit.local.arm.routes import RouteTable
from mlops_kit.local.arm.template_scope import Door, Scope
from mlops_kit.local.arm.wire import ArmError, Call, ConflictError, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane

log = logging.getLogger(__name__)

KIND = "Microsoft.Resources/deployments"
RUNNING = "Running"
_AT_ONCE_SECONDS = 2  # what ends in this time is answered with its end: the SDK's poller would wait for five seconds
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """A deployment that was begun, and the operation under which a client follows it."""

    plane: Plane
    scope: Scope
    request: dict[str, Any]
    operation: str
    started: datetime

    @property
    def canceled(self) -> bool:
        """Say whether somebody has canceled it."""
        return bool(self.plane.operations.document(self.operation)["status"] == "Canceled")

    def require_going(self) -> None:
        """409 where it was canceled: nothing more is begun."""
        if self.canceled:
            raise ArmError(409, **_canceled(self.scope))


def start(plane: Plane, call: Call, scope: Scope, request: dict[str, Any], given: dict[str, Any]) -> Reply:
    """Run a template's deployment; answer with its end, or after some seconds with how to follow it."""
    operation, headers = plane.operations.begin(scope.subscription, status="InProgress")
    run = Run(plane, scope, request, operation, plane.now())
    deploy = prepared(request["properties"]["template"], given, scope, door(plane, call.principal, run))
    running = _begun(run)
    thread = threading.Thread(target=_carried_out, args=(run, deploy), name=f"deployment {scope.name}", daemon=True)
    thread.start()
    thread.join(_AT_ONCE_SECONDS)
    status = plane.operations.document(operation)["status"]
    if status == "InProgress":
        return Reply(201, running, {**headers, "Retry-After": "1"})
    if status == "Succeeded":  # without a header to follow, the SDK's poller ends at once
        return Reply(201, plane.store.get(scope.deployment_id).body)
    return Reply(201, running, headers)


def _begun(run: Run) -> dict[str, Any]:
    """Record that a deployment runs; 409 where one of that name does already."""
    with run.plane.store.transaction():
        there = run.plane.store.find(run.scope.deployment_id)
        if there is not None and there.properties["provisioningState"] == RUNNING:
            raise ArmError(
                409,
                "DeploymentActive",
                f"The deployment with resource id '{there.id}' cannot be saved, because this would overwrite an"
                " existing deployment which is still active.",
            )
        return record(run, run.scope, run.request, Outcome(), RUNNING)


def _carried_out(run: Run, deploy: Callable[[], Outcome]) -> None:
    """Deploy, and record the end, unless another deployment has the name by then."""
    try:
        outcome = deploy()
    except Exception as fault:
        log.exception("fault while deploying %s", run.scope.name)
        outcome = Outcome(error={"code": "LocalControlPlaneFault", "message": f"{type(fault).__name__}: {fault}"})
    with run.plane.store.transaction():
        state = _state(run, outcome)
        if state == "Canceled":
            outcome.error = _canceled(run.scope)
        there = run.plane.store.find(run.scope.deployment_id)
        if there is not None and there.private.get("operation") == run.operation:
            record(run, run.scope, run.request, outcome, state)
        run.plane.operations.finish(run.operation, state, outcome.error)


def _state(run: Run, outcome: Outcome) -> str:
    if run.canceled:
        return "Canceled"
    return "Failed" if outcome.error else "Succeeded"


def cancel(plane: Plane, scope: Scope) -> None:
    """Let a deployment that runs begin nothing more; 409 for one that has ended."""
    with plane.store.transaction():
        there = plane.store.get(scope.deployment_id, f"The deployment '{scope.name}'")
        state = there.properties["provisioningState"]
        if state != RUNNING:
            raise ConflictError(f"The deployment '{scope.name}' is {state} and cannot be canceled.")
        plane.operations.finish(there.private["operation"], "Canceled", _canceled(scope))
        _end(plane, there, "Canceled", _canceled(scope))


def mend(plane: Plane) -> None:
    """Let the deployments fail that ran when the control plane was stopped."""
    for one in plane.store.of_type(KIND):
        if one.properties["provisioningState"] == RUNNING:
            why = "The control plane was stopped while the deployment ran; deploy it again."
            _end(plane, one, "Failed", {"code": "DeploymentFailed", "message": why})


def _end(plane: Plane, one: Resource, state: str, error: dict[str, Any]) -> None:
    plane.store.put({**one.body, "properties": {**one.properties, "provisioningState": state, "error": error}})


def _canceled(scope: Scope) -> dict[str, Any]:
    return {"code": "DeploymentCanceled", "message": f"The deployment '{scope.name}' was canceled."}


def door(plane: Plane, principal: str, run: Run | None = None) -> Door:
    """Return the door through which a deployment uses the same routes as a client, with the rights of its caller."""
    from mlops_kit.local import dispatch, providers  # they list the module that deploys, too

    routes = RouteTable(providers.ROUTES)

    def send(method: str, path: str, body: dict[str, Any] | None = None) -> Reply:
        if run is not None:
            run.require_going()
        route, params = routes.find(method, path)
        raw = b"" if body is None else json.dumps(body).encode()
        call = replace(Call(method, path, {}, {}, raw), params=params, principal=principal)
        reply = dispatch.handled(plane, route, call)
        _await(plane, reply, run)
        return reply

    def put(resource_id: str, body: dict[str, Any]) -> None:
        send("PUT", resource_id, body)

    def get(resource_id: str) -> dict[str, Any] | None:
        found = plane.store.find(resource_id)
        return found.body if found else None

    def act(resource_id: str, action: str) -> dict[str, Any]:
        body: dict[str, Any] = send("POST", f"{resource_id}/{action}", {}).body
        return body

    def nested(scope: Scope, request: dict[str, Any], outcome: Outcome) -> None:
        if run is not None:
            record(replace(run, started=plane.now()), scope, request, outcome, _state(run, outcome))

    return Door(put, get, act, nested, plane.now)


def _await(plane: Plane, reply: Reply, run: Run | None) -> None:
    """Wait for a resource's own operation, as long as nobody cancels; raise what it failed with."""
    operation = str(reply.headers.get("Azure-AsyncOperation", "")).rpartition("/")[2]
    if not operation:
        return
    while (document := plane.operations.document(operation))["status"] == "InProgress":
        if run is None:
            raise ConflictError("A preview does not wait for an operation on a resource to end.")
        run.require_going()
        time.sleep(_POLL_SECONDS)
    if document["status"] == "Failed":
        raise ArmError(409, document["error"]["code"], document["error"]["message"])


def record(run: Run, scope: Scope, request: dict[str, Any], outcome: Outcome, state: str) -> dict[str, Any]:
    """Write a deployment as a GET shows it; return that."""
    asked, now = request["properties"], run.plane.now()
    template = asked["template"]
    properties = {
        "provisioningState": state,
        "correlationId": str(uuid.UUID(run.operation)),
        "timestamp": timestamp(now),
        "duration": duration(run.started, now),
        "mode": "Incremental",
        "templateHash": hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:19],
        "parameters": shown(template, asked.get("parameters") or {}),
        "outputs": outcome.outputs,
        "outputResources": [{"id": one} for one in outcome.written],
        "providers": [],
        "dependencies": [],
    }
    if outcome.error:
        properties["error"] = outcome.error
    kept = {key: request[key] for key in ("location", "tags") if request.get(key)}
    previous = run.plane.store.find(scope.deployment_id)
    body = stamped(run.plane, {**kept, "id": scope.deployment_id, "properties": properties}, previous)
    body["type"] = KIND
    operations = [{**one, "id": f"{scope.deployment_id}/operations/{one['operationId']}"} for one in outcome.operations]
    run.plane.store.put(body, {"operations": operations, "template": template, "operation": run.operation})
    return body


def shown(template: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters as a GET shows them: with their types, and without the values of secure ones."""
    declared = {name.lower(): one for name, one in (template.get("parameters") or {}).items()}
    found = {}
    for name, one in given.items():
        kind = str(declared.get(name.lower(), {}).get("type", "String"))
        value = one.get("value") if isinstance(one, dict) else one
        found[name] = {"type": kind} if kind.lower().startswith("secure") else {"type": kind, "value": value}
    return found
