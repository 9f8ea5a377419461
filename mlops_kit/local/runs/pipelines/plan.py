"""A pipeline as it was submitted, read and checked: its steps, what each needs, and what each would be given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.wire import BadRequestError
from mlops_kit.local.runs.pipelines import bindings, flow, graph, ports, steps
from mlops_kit.local.runs.pipelines.bindings import Scope, Value
from mlops_kit.local.runs.pipelines.flow import Control
from mlops_kit.local.runs.pipelines.steps import Given, Step

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """The steps and control nodes of a pipeline by name, in the order written, and what each must wait for."""

    steps: Mapping[str, Step]
    controls: Mapping[str, Control]
    needs: Mapping[str, frozenset[str]]
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Any]
    settings: Mapping[str, Any]
    compute: str | None

    def computes(self) -> Iterator[tuple[str, str]]:
        """Yield each compute that is named, with the step that names it, or '' for that of all others."""
        if self.compute:
            yield "", self.compute
        for name, step in self.steps.items():
            if step.node.get("computeId"):
                yield name, str(step.node["computeId"])

    @property
    def owned(self) -> frozenset[str]:
        """Return the steps that control nodes start."""
        return frozenset(name for control in self.controls.values() for name in control.owned)

    def value(self, text: Any, ended: Mapping[str, Mapping[str, Value]]) -> Value:
        """Return what a control node looks at.

        Raises:
            UnboundError: It is bound to nothing.
        """
        return Scope(self.inputs, ended).value({"value": text})

    def given(
        self, step: Step, ended: Mapping[str, Mapping[str, Value]], instead: Mapping[str, Value] | None = None
    ) -> Given:
        """Return what a step is given; ``ended`` are the outputs of the steps that it needs.

        ``instead`` takes the place of inputs, in a turn of a loop.

        Raises:
            UnboundError, MisfitError: A binding points to nothing, or a value does not fit; the message names the step.
        """
        try:
            scope = Scope(self.inputs, ended)
            sent = step.node.get("inputs") or {}
            values = {name: scope.value(one) for name, one in sent.items() if name not in (instead or {})}
            values |= instead or {}
        except bindings.UnboundError as error:
            raise bindings.UnboundError(f"{step.title} cannot be run: {error}") from None
        searched = step.node.get("search_space") or {}
        declared = {name: port for name, port in ports.flat(step.spec.get("inputs")).items() if name not in searched}
        filled = ports.filled(step.title, declared, values)
        compute = step.node.get("computeId") or self.compute
        return Given(filled, steps.node_outputs(step, self.outputs), compute, self.settings)


def read(plane: Plane, workspace: str, properties: Mapping[str, Any]) -> PipelinePlan:
    """Read a pipeline; 400, 404 or 501 where it cannot be run."""
    nodes = properties.get("jobs") or {}
    if not nodes:
        raise BadRequestError("The pipeline has no steps.", target="properties.jobs")
    controls = {name: _control(name, node) for name, node in nodes.items() if _is_control(node)}
    found = {
        name: steps.read(plane, workspace, name, node or {}) for name, node in nodes.items() if name not in controls
    }
    settings = properties.get("settings") or {}
    plan = PipelinePlan(
        found,
        controls,
        {name: graph.needs(step.node) for name, step in found.items()},
        dict(properties.get("inputs") or {}),
        properties.get("outputs") or {},
        settings,
        settings.get("default_compute") or properties.get("computeId"),
    )
    _check(plan)
    return plan


def _check(plan: PipelinePlan) -> None:
    """Refuse a pipeline with a cycle, a binding that points to nothing, or a value that does not fit."""
    if path := graph.cycle({name: needed & plan.steps.keys() for name, needed in plan.needs.items()}):
        raise BadRequestError(f"The steps of the pipeline wait for each other: {' -> '.join(path)}.", target="jobs")
    promised: dict[str, dict[str, Value]] = {name: _promised(step) for name, step in plan.steps.items()}
    for control in plan.controls.values():
        _check_control(plan, control)
        if control.kind == flow.PARALLEL_FOR:
            promised[control.name] = promised[control.body]
    loops = {control.body for control in plan.controls.values() if control.kind == flow.PARALLEL_FOR}
    for name, step in plan.steps.items():
        if name in loops:
            continue  # what it is given is known when the loop starts
        try:
            plan.given(step, promised)
        except (bindings.UnboundError, ports.MisfitError) as error:
            sentence = str(error)
            raise BadRequestError(f"{sentence[:1].upper()}{sentence[1:]}.", target=f"jobs.{name}") from None


def _is_control(node: Any) -> bool:
    return str((node or {}).get("type", "")).lower() in flow.KINDS


def _control(name: str, node: Mapping[str, Any]) -> Control:
    try:
        return flow.read(name, node)
    except flow.FlowError as error:
        raise BadRequestError(f"The step {error}.", target=f"jobs.{name}") from None


def _check_control(plan: PipelinePlan, control: Control) -> None:
    """Refuse a control node whose steps are not there, or whose body has not the outputs that it looks at."""
    wanted = {*control.owned, *control.needs()}
    if unknown := sorted(wanted - plan.steps.keys()):
        known = ", ".join(plan.steps)
        message = (
            f"The step '{control.name}' names a step '{unknown[0]}' that the pipeline does not have (it has: {known})."
        )
        raise BadRequestError(message, target=f"jobs.{control.name}")
    if control.kind != flow.DO_WHILE:
        return
    made = plan.steps[control.body].spec.get("outputs") or {}
    for output in (*([control.condition] if control.condition else []), *control.mapping):
        if output not in made:
            message = f"The step '{control.name}' looks at an output '{output}' that '{control.body}' does not have."
            raise BadRequestError(message, target=f"jobs.{control.name}")


def _promised(step: Step) -> dict[str, Value]:
    """Return the outputs that a step will have; where they will be is not known yet."""
    made = ports.outputs(step.spec.get("outputs"))
    data: dict[str, Value] = {
        name: {"jobInputType": str(port["jobOutputType"]), "uri": "azureml:promised"} for name, port in made
    }
    values = {name: port.get("default") for name, port in (step.spec.get("outputs") or {}).items() if name not in data}
    return {**data, **dict.fromkeys(values, bindings.PROMISED)}
