"""The values and bindings that a step gives, against the types that the inputs of its component declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_kit.checks import paths, ports
from mlops_kit.checks.bindings import is_known, whole
from mlops_kit.checks.findings import Finding, brief, error, warning
from mlops_kit.checks.pipelines import is_optional, text_of
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.bindings import Reference
    from mlops_kit.checks.pipelines import Pipeline, Step
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Entry, Node

SAME = "let both declare the same type"


@dataclass(frozen=True, slots=True)
class Source:
    """What a reference brings: its type, empty where that cannot be known, and its value where the file has it."""

    type: str = ""
    value: Scalar | None = None
    optional: bool = False


def faults(step: Step, pipeline: Pipeline | None, subject: Subject) -> Iterator[Finding]:
    """Yield the inputs of a step whose value or binding does not fit; ``pipeline`` is None where the step has none."""
    given = step.node.get("inputs")
    declared = step.component.get("inputs") if step.component else None
    for entry in given.entries if isinstance(given, Map) else ():
        port = declared.get(entry.key.text) if isinstance(declared, Map) else None
        if step.is_inline:
            port = entry.value  # an input of a step that has no component declares itself
        if isinstance(port, Map) and ports.type_of(port):
            yield from _input(entry, port, step, pipeline, subject)


def _input(entry: Entry, port: Map, step: Step, pipeline: Pipeline | None, subject: Subject) -> list[Finding]:
    """Check one given input against what is declared for it."""
    value = entry.value
    content = value if isinstance(value, Scalar) else _content(value)
    if isinstance(content, Scalar) and "${{" in content.text:
        reference = whole(content)
        return _bound(reference, entry.key.text, port, step, pipeline) if reference and pipeline else []
    if step.is_inline or (isinstance(content, Scalar) and not is_known(content)):
        return []
    if isinstance(value, Map) and value.get("value") is None:
        return _data(entry, value, port, subject)
    return _literal(entry, content, port, subject) if isinstance(content, Scalar) else []


def _content(value: Node) -> Node | None:
    """Return the value or path of an input that is written as a map."""
    return (value.get("value") or value.get("path")) if isinstance(value, Map) else None


def _literal(entry: Entry, value: Scalar, port: Map, subject: Subject) -> list[Finding]:
    """Check a value that is written where the input is given."""
    kind, name = ports.type_of(port), entry.key.text
    if value.value is None:
        return []  # reported by the schema
    if not ports.is_data(kind):
        misfit = ports.misfit(value, port)
        return [error(misfit.code, value.place, _is(name, value), misfit.expected)] if misfit else []
    if isinstance(value.value, str):
        return paths.faults(_path(value, kind, subject), subject.files)
    return [error("MK0311", value.place, _is(name, value), f"expected data of type {kind}")]


def _is(name: str, value: Scalar) -> str:
    return f"input `{name}` is `{brief(value.text)}`"


def _data(entry: Entry, value: Map, port: Map, subject: Subject) -> list[Finding]:
    """Check data that is given as a map."""
    kind, given, name = ports.type_of(port), ports.type_of(value), entry.key.text
    declared = value.get("type")
    place = declared.place if declared else value.place
    if not ports.is_data(kind):
        message = f"input `{name}` is given data"
        return [error("MK0311", place, message, f"expected {ports.LITERALS[kind]}")] if _is_data_map(value) else []
    path = value.get("path")
    if ports.is_data(given) and not ports.holds(given, kind):
        message = f"input `{name}` is given as {given}, and the component declares {kind}"
        return [warning("MK0312", place, message, "let both say what it is")]
    if not given and isinstance(path, Scalar):
        found = paths.kind_faults(_path(path, kind, subject), subject.files)
        return [each for each in found if each.code in ("MK0404", "MK0406")]  # the rest needs no type to be known
    return []


def _path(value: Scalar, kind: str, subject: Subject) -> paths.LocalPath:
    return paths.LocalPath(value, subject.folder, "path", *paths.TYPES.get(kind, paths.ANYTHING))


def _is_data_map(value: Map) -> bool:
    return value.get("path") is not None or ports.is_data(ports.type_of(value))


def _bound(reference: Reference, name: str, port: Map, step: Step, pipeline: Pipeline) -> list[Finding]:
    """Check that what a reference brings is what the input takes."""
    source = _source(reference, pipeline)
    target = ports.type_of(port)
    if source.value is not None and not ports.is_data(target):
        return _bound_value(source.value, name, port, step)
    if not source.type:
        return []
    return _types(reference, source, name, target) or _optional(reference, source, name, port)


def _bound_value(value: Scalar, name: str, port: Map, step: Step) -> list[Finding]:
    """Check a value of the pipeline that a step reads."""
    misfit = ports.misfit(value, port)
    if misfit is None:
        return []
    message = f"`{brief(value.text)}` is no value for `{name}` of the step `{step.name}`, which reads it"
    return [error(misfit.code, value.place, message, misfit.expected)]


def _types(reference: Reference, source: Source, name: str, target: str) -> list[Finding]:
    """Check the type of what is bound."""
    message = f"input `{name}` takes {target}, and `{reference.written}` is {source.type}"
    if ports.is_data(source.type) != ports.is_data(target):
        hint = "bind it to data" if ports.is_data(target) else "bind it to a value"
        return [error("MK0311", reference.place, message, hint)]
    fits, code = (ports.holds, "MK0312") if ports.is_data(target) else (ports.takes, "MK0308")
    return [] if fits(source.type, target) else [error(code, reference.place, message, SAME)]


def _optional(reference: Reference, source: Source, name: str, port: Map) -> list[Finding]:
    if not source.optional or is_optional(port):
        return []
    message = f"`{reference.written}` may be left out, and input `{name}` of the component may not"
    return [error("MK0320", reference.place, message, "declare both optional, or neither")]


def _source(reference: Reference, pipeline: Pipeline) -> Source:
    """Return what a reference of a step brings."""
    match reference.parts:
        case ["parent", "inputs", name]:
            inputs = pipeline.root.get("inputs")
            return _pipeline_input(inputs.get(name)) if isinstance(inputs, Map) else Source()
        case ["parent", "jobs", name, "outputs", output]:
            step = pipeline.step(name)
            return Source(output_type(step, output, pipeline)) if step else Source()
    return Source()


def _pipeline_input(node: Node | None) -> Source:
    """Return what an input of a pipeline holds: a value of a job, or what a component declares."""
    value = node.get("value") if isinstance(node, Map) else node
    if isinstance(value, Scalar):
        return Source(_type_of_value(value), value) if is_known(value) and value.value is not None else Source()
    if not isinstance(node, Map):
        return Source()
    return Source(ports.type_of(node), optional=is_optional(node))


def _type_of_value(value: Scalar) -> str:
    if isinstance(value.value, bool):
        return "boolean"
    return "integer" if isinstance(value.value, int) else "number" if isinstance(value.value, float) else "string"


def output_type(step: Step, name: str, pipeline: Pipeline) -> str:
    """Return the type of an output of a step: what the step says, else its component, else the pipeline output."""
    outputs = step.node.get("outputs")
    own = outputs.get(name) if isinstance(outputs, Map) else None
    declared = step.component.get("outputs") if step.component else None
    known = ports.type_of(own) or ports.type_of(declared.get(name) if isinstance(declared, Map) else None)
    if known or not isinstance(own, Scalar):
        return known
    target = text_of(own).strip("${} ").removeprefix("parent.outputs.")
    wanted = pipeline.root.get("outputs")
    return ports.type_of(wanted.get(target)) if isinstance(wanted, Map) else ""
