"""Deploys an ARM template: each of its resources is written through the resource's own route, in order.

Only incremental mode exists: nothing is deleted because a template does not name it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import duration, timestamp
from mlops_kit.local.arm.template_language import Functions, TemplateError, evaluate
from mlops_kit.local.arm.template_plan import Planned, body_of, dependencies, plan
from mlops_kit.local.arm.template_scope import Door, Scope, resolve, with_references
from mlops_kit.local.arm.wire import ArmError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(slots=True)
class Outcome:
    """What a deployment did, filled in while it runs."""

    operations: list[dict[str, Any]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None


def run(
    template: dict[str, Any], parameters: dict[str, Any], scope: Scope, door: Door, outer: Functions | None = None
) -> Outcome:
    """Deploy a template; a resource that is refused ends the deployment and becomes its error."""
    return prepared(template, parameters, scope, door, outer)()


def prepared(
    template: dict[str, Any], parameters: dict[str, Any], scope: Scope, door: Door, outer: Functions | None = None
) -> Callable[[], Outcome]:
    """Return what deploys a template; one that is wrong in itself is refused now."""
    planned, functions = plan(template, parameters, scope, door, outer)
    return lambda: _Run(planned, functions, door).outcome(template.get("outputs") or {})


def preview(
    template: dict[str, Any], parameters: dict[str, Any], scope: Scope, door: Door
) -> list[tuple[Planned, dict[str, Any] | None]]:
    """Return what would be written; None for the body of what depends on a resource that is not there yet."""
    planned, functions = plan(template, parameters, scope, door, None)
    waiting = _Run(planned, functions, door)
    found: list[tuple[Planned, dict[str, Any] | None]] = []
    for one in planned:
        if not one.wanted:
            continue
        try:
            found.append((one, body_of(one, with_references(one.functions, waiting.locate, door))))
        except TemplateError:
            found.append((one, None))
    return found


class _Run:
    """One pass over the resources of a template: each is written once, after what it depends on or refers to."""

    def __init__(self, planned: list[Planned], functions: Functions, door: Door) -> None:
        self._planned = planned
        self._functions = functions
        self._door = door
        self._done: set[str] = set()
        self._result = Outcome()

    def outcome(self, outputs: dict[str, Any]) -> Outcome:
        """Write every resource and evaluate the outputs."""
        try:
            for one in self._planned:
                self._deploy(one)
            functions = with_references(self._functions, self._ready, self._door)
            for name, given in outputs.items():
                if evaluate(given.get("condition", True), functions, f"outputs.{name}.condition"):
                    self._result.outputs[name] = _output(given, functions, f"outputs.{name}")
        except ArmError as error:
            details = [{"code": error.code, "message": error.message}]
            message = f"At least one resource deployment operation failed. {error.message}"
            self._result.error = {"code": "DeploymentFailed", "message": message, "details": details}
        return self._result

    def locate(self, given: str) -> str:
        """Return the id of a resource that an expression names by id, symbol or name."""
        one = self._find(given)
        if one is None and not given.startswith("/"):
            raise ValueError(f"there is no resource '{given}' in the template")
        return one.id if one else given

    def _find(self, given: str) -> Planned | None:
        wanted = given.lower()
        return next(
            (one for one in self._planned if wanted in {one.id.lower(), one.symbol.lower(), one.name.lower()}), None
        )

    def _ready(self, given: str) -> str:
        """Deploy what an expression refers to, which is a dependency although ``dependsOn`` does not say so."""
        one = self._find(given)
        if one is not None:
            self._deploy(one)
        return self.locate(given)

    def _deploy(self, one: Planned) -> None:
        if one.id in self._done:
            return
        self._done.add(one.id)
        for other in dependencies(one, self._planned):
            self._deploy(other)
        if not one.wanted:
            return
        started, functions = self._door.now(), with_references(one.functions, self._ready, self._door)
        try:
            if one.nested:
                _deploy_nested(one, one.nested, functions, self._door)
            else:
                self._door.put(one.id, body_of(one, functions))
        except ArmError as error:
            self._result.operations.append(_operation(one, started, self._door.now(), error))
            raise
        self._result.operations.append(_operation(one, started, self._door.now(), None))
        self._result.written.append(one.id)


def _deploy_nested(one: Planned, scope: Scope, functions: Functions, door: Door) -> None:
    properties = one.raw.get("properties") or {}
    if "template" not in properties:
        raise TemplateError(f"{one.place}.properties", "a linked template cannot be fetched; put it in 'template'.")
    options = properties.get("expressionEvaluationOptions") or {}
    inner = str(options.get("scope", "outer")).lower() == "inner"
    given = evaluate(properties.get("parameters") or {}, functions, f"{one.place}.properties.parameters")
    outcome = run(properties["template"], given, scope, door, None if inner else functions)
    door.record(scope, {"properties": {**properties, "parameters": given}}, outcome)
    if outcome.error:
        raise ArmError(409, outcome.error["code"], outcome.error["message"])


def _operation(one: Planned, started: datetime, ended: datetime, fault: ArmError | None) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "provisioningOperation": "Create",
        "provisioningState": "Failed" if fault else "Succeeded",
        "timestamp": timestamp(ended),
        "duration": duration(started, ended),
        "trackingId": str(uuid.uuid4()),
        "serviceRequestId": str(uuid.uuid4()),
        "statusCode": HTTPStatus(fault.status).phrase.replace(" ", "") if fault else "Created",
        "targetResource": {"id": one.id, "resourceType": one.type, "resourceName": one.name},
    }
    if fault:
        properties["statusMessage"] = {"error": {"code": fault.code, "message": fault.message, "details": []}}
    return {"operationId": uuid.uuid4().hex[:16].upper(), "properties": properties}


def _output(given: dict[str, Any], functions: Functions, place: str) -> dict[str, Any]:
    kind = str(given.get("type", "string"))
    if "copy" in given:
        loop = {"copy": [{"name": "value", **given["copy"]}]}
        return {"type": kind, **resolve(loop, functions, place)}
    if kind.lower().startswith("secure"):
        return {"type": kind}
    return {"type": kind, "value": evaluate(given.get("value"), functions, f"{place}.value")}
