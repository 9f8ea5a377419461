"""How the steps of a pipeline hang together: circles, what each gives to its component, what the pipeline hands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.checks import contracts, cycles, nesting, pipelines, ports, values
from mlops_kit.checks.bindings import idle, references, whole
from mlops_kit.checks.findings import Finding, error, warning
from mlops_kit.checks.pipelines import Step, component_of
from mlops_kit.checks.references import unused_inputs
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.bindings import Reference
    from mlops_kit.checks.pipelines import Pipeline
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

MISWIRED = {"MK0304", "MK0307", "MK0311", "MK0312"}  # a binding is missing, or reads from the wrong place


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with how the steps of a pipeline, or a job and its component, hang together."""
    if subject.kind not in pipelines.KINDS:
        return []
    pipeline, named = pipelines.read(subject), subject.root.get("component")
    if pipeline is not None:
        return [*_whole(pipeline, named), *_pipeline(pipeline, subject)]
    if not isinstance(named, Scalar):
        return _empty(subject.root)
    itself = Step(named, subject.root, component_of(subject.root, subject.folder, subject.files))
    return [*contracts.faults(itself), *values.faults(itself, None, subject)]


def _empty(root: Map) -> list[Finding]:
    """Report a pipeline without steps; steps that are no map are reported by the schema."""
    if root.get("jobs") is not None:
        return []
    return [error("MK0104", root.place, "required key `jobs` is missing", "a pipeline is made of steps")]


def _whole(pipeline: Pipeline, component: Node | None) -> list[Finding]:
    """Report a pipeline job that both has steps and runs a pipeline component, and one that has no step at all."""
    if component is not None:
        message = "a pipeline job has `jobs` or runs a `component`, never both"
        return [error("MK0315", pipeline.root.key_place("component"), message, "keep one of them")]
    if not pipeline.steps and not pipeline.opaque:
        return [error("MK0104", pipeline.root.key_place("jobs"), "`jobs` has no step", "a pipeline is made of steps")]
    return []


def _pipeline(pipeline: Pipeline, subject: Subject) -> list[Finding]:
    findings = [*cycles.faults(pipeline), *nesting.faults(subject)]
    for step in pipeline.steps:
        findings += [*contracts.faults(step), *values.faults(step, pipeline, subject)]
    # A wrong value of the pipeline that several steps read is one fault.
    once = {(finding.code, finding.place): finding for finding in reversed(findings)}
    return [*reversed(once.values()), *_outputs(pipeline), *_unused(pipeline, findings)]


def _unused(pipeline: Pipeline, findings: list[Finding]) -> list[Finding]:
    """Warn of inputs that no step reads, unless a step that lacks an input or has a wrong one should have read them."""
    if pipeline.has_files or any(finding.code in MISWIRED for finding in findings) or any(map(_is_cut, pipeline.steps)):
        return []
    return unused_inputs(pipeline.root, _read(pipeline), "parent.inputs.")


def _is_cut(step: Step) -> bool:
    """Return whether an input of a step has no value, or one that none can be, where a reference was surely meant."""
    inputs = step.node.get("inputs")
    given = [entry.value for entry in inputs.entries] if isinstance(inputs, Map) else []
    return any(isinstance(each, List) or (isinstance(each, Scalar) and each.value is None) for each in given)


def _read(pipeline: Pipeline) -> Iterator[Reference]:
    """Yield every reference of a pipeline; one of a step that lacks ``parent``, which is a fault, as it was meant."""
    yield from references(pipeline.root)
    for step in pipeline.steps:
        inputs = step.node.get("inputs")
        for each in references(inputs) if inputs is not None else ():
            if each.parts[0] == "inputs":
                yield each._replace(text=f"parent.{each.text}")


def _outputs(pipeline: Pipeline) -> list[Finding]:
    """Check that each output of a pipeline is written by exactly one step."""
    written: dict[str, str] = {}
    findings: list[Finding] = []
    for step, name, reference in _handed_out(pipeline):
        output = reference.parts[2]
        if output in written:
            message = f"output `{output}` of the pipeline is written by the step `{written[output]}`, too"
            findings.append(error("MK0314", reference.place, message, "give each step an output of its own"))
        else:
            findings += _mistyped(step, name, reference, pipeline)
        written.setdefault(output, step.name)
    if pipeline.opaque:
        return findings
    return findings + [
        warning("MK0313", key.place, f"no step writes the output `{key.text}` of the pipeline")
        for key in idle(pipeline.root.get("outputs"), set(written))
    ]


def _handed_out(pipeline: Pipeline) -> Iterator[tuple[Step, str, Reference]]:
    """Yield each output of a step that is one of the pipeline: the step, the name there, the reference."""
    for step in pipeline.steps:
        outputs = step.node.get("outputs")
        for entry in outputs.entries if isinstance(outputs, Map) else ():
            bound = entry.value.get("path") if isinstance(entry.value, Map) else entry.value
            reference = whole(bound) if isinstance(bound, Scalar) else None
            if reference and reference.text.startswith("parent.outputs."):
                yield step, entry.key.text, reference


def _mistyped(step: Step, name: str, reference: Reference, pipeline: Pipeline) -> list[Finding]:
    """Report an output of the pipeline that declares another type than the step that writes it."""
    outputs, declared = pipeline.root.get("outputs"), step.component.get("outputs") if step.component else None
    target = ports.type_of(outputs.get(reference.parts[2])) if isinstance(outputs, Map) else ""
    source = ports.type_of(declared.get(name)) if isinstance(declared, Map) else ""
    if not source or not target or not ports.is_data(source) or ports.holds(source, target):
        return []
    message = f"output `{name}` of the component is {source}, and `{reference.written}` is declared {target}"
    return [error("MK0312", reference.place, message, values.SAME)]
