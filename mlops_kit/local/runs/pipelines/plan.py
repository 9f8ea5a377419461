"""A pipeline as it was submitted, read and checked: its steps, what each needs, and what each would be given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.wire import BadRequestError
from mlops_kit.local.runs.pipelines import bindings, graph, ports, steps
from mlops_kit.local.runs.pipelines.bindings import Scope, Value
from mlops_kit.local.runs.pipelines.steps import Given, Step

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """The steps of a pipeline by name, in the order written, and the steps that each must wait for."""

    steps: Mapping[str, Step]
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

    def given(self, step: Step, ended: Mapping[str, Mapping[str, Value]]) -> Given:
        """Return what a step is given; ``ended`` are the outputs of the steps that it needs.

        Raises:
            UnboundError, MisfitError: A binding points to nothing, or a value does not fit; the message names the step.
        """
        try:
            scope = Scope(self.inputs, ended)
            values = {name: scope.value(one) for name, one in (step.node.get("inputs") or {}).items()}
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
    found = {name: steps.read(plane, workspace, name, node or {}) for name, node in nodes.items()}
    settings = properties.get("settings") or {}
    plan = PipelinePlan(
        found,
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
    promised = {name: _promised(step) for name, step in plan.steps.items()}
    for name, step in plan.steps.items():
        try:
            plan.given(step, promised)
        except (bindings.UnboundError, ports.MisfitError) as error:
            sentence = str(error)
            raise BadRequestError(f"{sentence[:1].upper()}{sentence[1:]}.", target=f"jobs.{name}") from None


def _promised(step: Step) -> dict[str, Value]:
    """Return the outputs that a step will have; where they will be is not known yet."""
    made = ports.outputs(step.spec.get("outputs"))
    return {name: {"jobInputType": str(port["jobOutputType"]), "uri": "azureml:promised"} for name, port in made}
