"""``${{...}}`` references: each points to something declared, and what is declared is used."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlops_kit.checks import pipelines
from mlops_kit.checks.bindings import idle, named, names, references
from mlops_kit.checks.findings import Edit, Finding, did_you_mean, error, warning
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_kit.checks.bindings import Reference
    from mlops_kit.checks.pipelines import Pipeline, Step
    from mlops_kit.checks.subject import Subject

READ_BY_THE_SERVICE = {"data_transfer", "import", "automl"}  # types of components that have no command
FREE = {"name", "default_datastore", "output_name"}  # filled in by the service
GIVEN = frozenset({"inputs"})
RUNS = frozenset(pipelines.RUNS)
PORTS = frozenset({"inputs", "outputs"})
LEGACY = ("inputs", "outputs", "jobs")  # what the preview of v2 read without ``parent``


@dataclass(frozen=True, slots=True)
class Scope:
    """What references may point to; None means that it cannot be known here, so anything goes."""

    inputs: frozenset[str] | None = frozenset()
    outputs: frozenset[str] | None = frozenset()
    search_space: frozenset[str] = frozenset()
    parent: Scope | None = None
    jobs: dict[str, frozenset[str] | None] = field(default_factory=dict)


def check(subject: Subject) -> list[Finding]:
    """Return the references of a job or component that point nowhere, and the inputs that its command does not use."""
    root, kind = subject.root, subject.kind
    if kind in pipelines.KINDS:
        pipeline = pipelines.read(subject)
        return _pipeline(pipeline) if pipeline else []
    if kind.endswith("_component") or kind in ("command_job", "spark_job"):
        return _leaf(root)
    if kind == "sweep_job":
        return _sweep(root)
    return []


def _leaf(root: Map) -> list[Finding]:
    """Check a job or component that runs one command."""
    found = list(references(root, GIVEN))
    scope = Scope(names(root.get("inputs")), names(root.get("outputs")), names(root.get("search_space")))
    findings = _all_resolved(found, scope)
    is_read = pipelines.text_of(root.get("type")) not in READ_BY_THE_SERVICE
    return findings + unused_inputs(root, found, "inputs.") if is_read else findings


def _sweep(root: Map, parent: Scope | None = None) -> list[Finding]:
    """Check the trial of a sweep: it runs with the inputs and the search space of the sweep."""
    trial = root.get("trial")
    space = root.get("search_space")
    if not isinstance(trial, Map):
        return []
    found = list(references(trial, GIVEN))
    if isinstance(space, Map) and not space.entries:  # nothing to search: that is the fault
        found = [each for each in found if each.parts[0] != "search_space"]
    inputs, outputs = (names(root.get(port)) | names(trial.get(port)) for port in ("inputs", "outputs"))
    findings = _all_resolved(found, Scope(inputs, outputs, names(space), parent))
    return findings + unused_inputs(root, found, "inputs.")


def _pipeline(pipeline: Pipeline) -> list[Finding]:
    """Check the steps of a pipeline against the pipeline and against each other."""
    root = pipeline.root
    outputs: dict[str, frozenset[str] | None] = {}
    for step in pipeline.steps:
        # a name that is no identifier is one fault, reported at the step; references may have the right one already
        outputs |= {re.sub(r"[^a-z0-9_]", "_", step.name.lower()): step.outputs(), step.name: step.outputs()}
    outputs |= dict.fromkeys(pipeline.opaque)
    scope = Scope(names(root.get("inputs")), names(root.get("outputs")), jobs=outputs)
    return [finding for step in pipeline.steps for finding in _step(step, scope)]


def _step(step: Step, pipeline: Scope) -> list[Finding]:
    """Check the references of one step, and of the component or trial that is written in it."""
    node, component = step.node, step.node.get("component")
    own = Scope(names(node.get("inputs")), names(node.get("outputs")), parent=pipeline)
    scope = own if step.is_inline else Scope(None, None, names(node.get("search_space")), pipeline)
    findings = _ports(node, pipeline) + _all_resolved(references(node, RUNS | PORTS), scope)
    return findings + (_leaf(component) if isinstance(component, Map) else _sweep(node, pipeline))


def _ports(step: Map, pipeline: Scope) -> list[Finding]:
    """Check what the inputs and outputs of a step are bound to: nothing but the pipeline and its other steps."""
    found = [each for port in PORTS if (node := step.get(port)) is not None for each in references(node)]
    legacy = [each for each in found if each.is_closed and each.parts[0] in LEGACY]
    findings = _all_resolved([each for each in found if each not in legacy], Scope(None, None, parent=pipeline))
    return findings + [_without_parent(each) for each in legacy]


def _without_parent(reference: Reference) -> Finding:
    written = f"${{{{parent.{reference.text}}}}}"
    return replace(_unresolved(reference, f"write `{written}`"), edit=Edit(reference.written, written))


def _all_resolved(found: Iterable[Reference], scope: Scope) -> list[Finding]:
    return [fault for reference in found for fault in _resolve(reference, scope)]


def _resolve(reference: Reference, scope: Scope) -> list[Finding]:
    """Return a finding when a reference points to nothing in scope."""
    if not reference.is_closed:
        written = f"${{{{{reference.text}}}}}"
        edit = Edit(reference.written, written)
        return [error("MK0323", reference.place, f"`{reference.written}` lacks its end", f"write `{written}`", edit)]
    root, _, rest = reference.text.partition(".")
    if root in FREE and not rest:
        return []
    if root == "parent" and scope.parent is not None:
        return _resolve_parent(reference, rest, scope.parent)
    known = {"inputs": scope.inputs, "outputs": scope.outputs, "search_space": scope.search_space}
    if root not in known or (root == "search_space" and not scope.search_space):
        allowed = ["parent"] if scope.parent else [name for name, value in known.items() if value]
        meant = "" if root in known else did_you_mean(root, known)
        return [_unresolved(reference, meant or f"expected {' or '.join(allowed) or 'inputs'}")]
    return _member(reference, root, rest.partition(".")[0], known[root])


def _resolve_parent(reference: Reference, rest: str, parent: Scope) -> list[Finding]:
    """Check ``parent.inputs.x``, ``parent.outputs.x`` and ``parent.jobs.j.outputs.x``."""
    root, _, rest = rest.partition(".")
    name, _, rest = rest.partition(".")
    if root == "inputs":
        return _member(reference, "inputs", name, parent.inputs)
    if root == "outputs":
        return _member(reference, "outputs", name, parent.outputs)
    if root != "jobs":
        return [_unresolved(reference, did_you_mean(root, ("inputs", "outputs", "jobs")))]
    if name not in parent.jobs:
        return [_unresolved(reference, did_you_mean(name, parent.jobs) or f"there is no job `{name}`")]
    port, _, output = rest.partition(".")
    if port != "outputs":
        return [_unresolved(reference, did_you_mean(port, ("outputs",)) or "a step can read the `outputs` of another")]
    return _member(reference, "outputs", output, parent.jobs[name])


def _member(reference: Reference, root: str, name: str, known: frozenset[str] | None) -> list[Finding]:
    if known is None or name in known:
        return []
    declared = ", ".join(sorted(known)) or "none"
    return [_unresolved(reference, did_you_mean(name, known) or f"declared {root}: {declared}")]


def _unresolved(reference: Reference, hint: str) -> Finding:
    message = f"`${{{{{reference.text}}}}}` points to nothing that is declared"
    return error("MK0301", reference.place, message, hint)


def unused_inputs(root: Map, found: Iterable[Reference], prefix: str) -> list[Finding]:
    """Warn of declared inputs that no reference and no environment variable of the service reads."""
    declared, command = root.get("inputs"), root.get("command")
    spelled = command.text if isinstance(command, Scalar) else ""
    return [
        warning("MK0302", key.place, f"input `{key.text}` is declared and not used")
        for key in idle(declared, named(found, prefix))
        if f"AZURE_ML_INPUT_{key.text}" not in spelled
    ]
