"""``${{...}}`` references: each points to something declared, and each declared input is used."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_kit.checks.files import local_path, place_in
from mlops_kit.checks.findings import Finding, did_you_mean, error, warning
from mlops_kit.checks.kinds import FAMILIES
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

Reference = tuple["Scalar", str, str]  # the scalar it stands in, its text, and the whole of it as written
REFERENCE = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
FREE = {"name", "default_datastore", "output_name"}  # filled in by the service


@dataclass(frozen=True, slots=True)
class Scope:
    """What references may point to; None means that it cannot be known here, so anything goes."""

    inputs: frozenset[str] | None = frozenset()
    outputs: frozenset[str] | None = frozenset()
    search_space: frozenset[str] = frozenset()
    parent: Scope | None = None
    jobs: dict[str, frozenset[str] | None] = field(default_factory=dict)


def check(subject: Subject) -> list[Finding]:
    """Return the references of a job or component that point nowhere, and the inputs that nothing uses."""
    root, kind = subject.root, subject.kind
    if kind in ("pipeline_job", "pipeline_component"):
        return _pipeline(root, subject.folder, subject.files)
    if kind.endswith("_component") or kind in ("command_job", "spark_job"):
        return _leaf(root, _own_scope(root))
    if kind == "sweep_job":
        return _sweep(root, _own_scope(root))
    return []


def names(node: Node | None) -> frozenset[str]:
    """Return the keys of a map; of nothing, no keys."""
    return frozenset(node.keys()) if isinstance(node, Map) else frozenset()


def _own_scope(root: Map) -> Scope:
    return Scope(names(root.get("inputs")), names(root.get("outputs")), names(root.get("search_space")))


def scalars(node: Node, skip: frozenset[str] = frozenset()) -> Iterator[Scalar]:
    """Yield every scalar value below a node, without those under the top-level keys ``skip``."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, List):
        for item in node.items:
            yield from scalars(item)
    elif isinstance(node, Map):
        for entry in node.entries:
            if entry.key.text not in skip:
                yield from scalars(entry.value)


def references(node: Node, skip: frozenset[str] = frozenset()) -> Iterator[Reference]:
    """Yield every reference below a node."""
    for scalar in scalars(node, skip):
        if "${{" in scalar.text:
            for match in REFERENCE.finditer(scalar.text):
                yield scalar, match[1], match[0]


def _leaf(root: Map, scope: Scope) -> list[Finding]:
    """Check a job or component that runs one command."""
    found = list(references(root, frozenset({"inputs"})))
    findings = [fault for reference in found for fault in _resolve(reference, scope)]
    return findings + unused(root, {text for _, text, _ in found}, "inputs.")


def _sweep(root: Map, scope: Scope) -> list[Finding]:
    """Check a sweep: its trial runs with the inputs and the search space of the sweep."""
    trial = root.get("trial")
    if not isinstance(trial, Map):
        return []
    found = list(references(trial))
    findings = [fault for reference in found for fault in _resolve(reference, scope)]
    return findings + unused(root, {text for _, text, _ in found}, "inputs.")


def unused(root: Map, used: set[str], prefix: str) -> list[Finding]:
    """Warn of declared inputs that no reference and no environment variable of the service reads."""
    inputs = root.get("inputs")
    if not isinstance(inputs, Map):
        return []
    read = {text.removeprefix(prefix).partition(".")[0] for text in used if text.startswith(prefix)}
    command = root.get("command")
    spelled = command.text if isinstance(command, Scalar) else ""
    return [
        warning("MK0302", entry.key.place, f"input `{entry.key.text}` is declared and not used")
        for entry in inputs.entries
        if entry.key.text not in read and f"AZURE_ML_INPUT_{entry.key.text}" not in spelled
    ]


def _resolve(reference: Reference, scope: Scope) -> list[Finding]:
    """Return a finding when a reference points to nothing in scope."""
    root, _, rest = reference[1].partition(".")
    if root in FREE and not rest:
        return []
    if root == "parent" and scope.parent is not None:
        return _resolve_parent(reference, rest, scope.parent)
    known = {"inputs": scope.inputs, "outputs": scope.outputs, "search_space": scope.search_space}
    if root not in known or (root == "search_space" and not scope.search_space):
        allowed = ["parent"] if scope.parent else [name for name, value in known.items() if value]
        return [_unresolved(reference, did_you_mean(root, known) or f"expected {' or '.join(allowed) or 'inputs'}")]
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
    return _member(reference, "outputs", output, parent.jobs[name]) if port == "outputs" else []


def _member(reference: Reference, root: str, name: str, known: frozenset[str] | None) -> list[Finding]:
    if known is None or name in known:
        return []
    declared = ", ".join(sorted(known)) or "none"
    return [_unresolved(reference, did_you_mean(name, known) or f"declared {root}: {declared}")]


def _unresolved(reference: Reference, hint: str) -> Finding:
    scalar, text, written = reference
    return error("MK0301", place_in(scalar, written), f"`${{{{{text}}}}}` points to nothing that is declared", hint)


def _pipeline(root: Map, folder: str, files: Files) -> list[Finding]:
    """Check the steps of a pipeline against the pipeline and against each other."""
    jobs = root.get("jobs")
    if not isinstance(jobs, Map):
        return []
    steps = [
        (entry.key.text, entry.value, component_of(entry.value, folder, files))
        for entry in jobs.entries
        if isinstance(entry.value, Map)
    ]
    outputs = {name: _outputs(step, component) for name, step, component in steps}
    pipeline = Scope(names(root.get("inputs")), names(root.get("outputs")), jobs=outputs)
    findings: list[Finding] = []
    for _, step, component in steps:
        findings += _step(step, component, pipeline)
    used = {text for _, text, _ in references(root)}
    return findings + unused(root, used, "parent.inputs.")


def component_of(step: Map, folder: str, files: Files) -> Map | None:
    """Return the component a step runs, when it stands in the step or in a local file."""
    component = step.get("component") or step.get("trial")
    if isinstance(component, Scalar):
        path = local_path(component.text, folder)
        component = files.map(path) if path and files.kind(path) == "file" else None
        if component is not None and not _is_component(component):
            return None  # a prompt flow, for one, has inputs of its own kind
    return component if isinstance(component, Map) else None


def _is_component(root: Map) -> bool:
    declared = root.get("type")
    return root.get("command") is not None or (
        isinstance(declared, Scalar) and declared.text in FAMILIES["component"].kinds
    )


def _outputs(step: Map, component: Map | None) -> frozenset[str] | None:
    """Return the outputs of a step, None when its component is not at hand."""
    own = names(step.get("outputs"))
    if component is not None:
        return own | names(component.get("outputs"))
    return own if "command" in names(step) else None


def _step(step: Map, component: Map | None, pipeline: Scope) -> list[Finding]:
    """Check the references of one step and what it gives to its component."""
    if step.get("component") is not None or step.get("trial") is not None:
        scope = Scope(None, None, names(step.get("search_space")), pipeline)
        skip = frozenset({"component", "trial"})
    else:
        scope = Scope(names(step.get("inputs")), names(step.get("outputs")), parent=pipeline)
        skip = frozenset()
    found = list(references(step, skip))
    findings = [fault for reference in found for fault in _resolve(reference, scope)]
    return findings + (_contract(step, component) if component is not None else [])


def _contract(step: Map, component: Map) -> list[Finding]:
    """Check that a step gives its component what it declares, and everything it requires."""
    findings: list[Finding] = []
    for port in ("inputs", "outputs"):
        declared, given = component.get(port), step.get(port)
        known = names(declared)
        for name in (entry.key for entry in given.entries) if isinstance(given, Map) else ():
            if name.text not in known:
                hint = did_you_mean(name.text, known) or f"declared {port}: {', '.join(sorted(known)) or 'none'}"
                findings.append(error("MK0303", name.place, f"the component has no {port[:-1]} `{name.text}`", hint))
    required = [name for name in _required(component.get("inputs")) if name not in _given(step)]
    return findings + [
        error("MK0304", step.place, f"the component requires the input `{name}`", "give it under `inputs`")
        for name in required
    ]


def _given(step: Map) -> frozenset[str]:
    """Return the inputs a step gives, by value or by search."""
    return names(step.get("inputs")) | names(step.get("search_space"))


def _required(inputs: Node | None) -> list[str]:
    """Return the inputs without a default that are not optional."""
    entries = inputs.entries if isinstance(inputs, Map) else ()
    return [
        entry.key.text
        for entry in entries
        if isinstance(entry.value, Map) and entry.value.get("default") is None and not is_optional(entry.value)
    ]


def is_optional(port: Node) -> bool:
    """Return whether an input of a component may be left out."""
    optional = port.get("optional") if isinstance(port, Map) else None
    return isinstance(optional, Scalar) and optional.text.lower() == "true"
