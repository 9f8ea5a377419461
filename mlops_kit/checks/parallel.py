"""Parallel components and steps: which input is divided, into what, and which script works through the parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks import batch, bounds
from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Edit, Finding, brief, error, warning
from mlops_kit.checks.resources import machines
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

SIZE = re.compile(r"(\d{1,15})([kmg]b)?", re.IGNORECASE)
_BOUNDS = {key: each for key, each in batch.BOUNDS.items() if key != "mini_batch_size"}
_SIZES = "write a number of files, or a size such as `10kb` or `5mb`"
_FILES = {"uri_file", "uri_folder"}


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with a parallel component, or with the parallel steps of a pipeline."""
    if subject.kind == "parallel_component":
        return list(_faults(subject.root, subject.folder, subject.files))
    jobs = subject.root.get("jobs") if subject.kind in ("pipeline_job", "pipeline_component") else None
    steps = [entry.value for entry in jobs.entries] if isinstance(jobs, Map) else []
    return [
        fault
        for step in steps
        if isinstance(step, Map) and step.get("task") is not None
        for fault in _faults(step, subject.folder, subject.files)
    ]


def _faults(node: Map, folder: str, files: Files) -> Iterator[Finding]:
    """Yield what is wrong with one parallel component or step."""
    task = node.get("task")
    if not isinstance(task, Map) or _text(node.get("type")) != "parallel":
        return
    yield from bounds.outside(node, _BOUNDS)
    yield from bounds.outside(node.get("retry_settings"), batch.RETRIES)
    yield from machines(node.get("resources"))
    yield from _divided(node)
    yield from _mini_batch(node)
    yield from _appended(task, node.get("outputs"))
    yield from _script(task, folder, files)


def _divided(node: Map) -> Iterator[Finding]:
    """Report a missing or wrong ``input_data``: it names the input that is divided."""
    given = node.get("input_data")
    if given is None:
        yield error("MK0104", node.place, "required key `input_data` is missing", _named(node.get("inputs"), "inputs"))
    elif isinstance(given, Scalar) and not _is_reference(given.text, "inputs"):
        message = f"`input_data` is `{brief(given.text)}`, no reference to an input"
        yield error("MK1018", given.place, message, _named(node.get("inputs"), "inputs", given.text))


def _appended(task: Map, outputs: Node | None) -> Iterator[Finding]:
    """Report an ``append_row_to`` that is no reference to an output."""
    given = task.get("append_row_to")
    if isinstance(given, Scalar) and not _is_reference(given.text, "outputs"):
        message = f"`append_row_to` is `{brief(given.text)}`, no reference to an output"
        yield error("MK1018", given.place, message, _named(outputs, "outputs", given.text))


def _is_reference(text: str, port: str) -> bool:
    return re.fullmatch(rf"\$\{{\{{\s*{port}\.\w+\s*\}}\}}", text) is not None


def _named(ports: Node | None, port: str, name: str = "") -> str:
    """Return how to write the reference to a port: to the one that was meant, or to the first."""
    known = ports.keys() if isinstance(ports, Map) else ()
    return f"write `${{{{{port}.{name if name in known else (known or ('NAME',))[0]}}}}}`"


def _mini_batch(node: Map) -> Iterator[Finding]:
    """Report a size of mini-batches that the SDK cannot read, that is nothing, or that has no effect."""
    given = node.get("mini_batch_size")
    if not isinstance(given, Scalar) or given.value is None or "${{" in given.text:
        return
    found = SIZE.fullmatch(given.text)
    if found is None or not int(found[1]):
        meant = re.sub(r"[\s_]", "", given.text).lower()
        message = f"`mini_batch_size` is `{brief(given.text)}`, no size that can be read"
        if re.match("[1-9]", meant) and SIZE.fullmatch(meant):
            yield error("MK1019", given.place, message, f"write `{meant}`", Edit(given.text, meant))
        else:
            yield error("MK1019", given.place, message, _SIZES)
    elif node.get("partition_keys") is not None:
        message = "`mini_batch_size` has no effect beside `partition_keys`"
        yield warning("MK1020", node.key_place("mini_batch_size"), message, "keep one of them")
    elif found[2] and _type_divided(node) in _FILES:
        message = f"`mini_batch_size` is `{given.text}`, and the parts of a {_type_divided(node)} are counted in files"
        yield warning("MK1019", given.place, message, "write a number of files, such as `10`")


def _type_divided(node: Map) -> str:
    """Return the type of the input that is divided, where it is written out."""
    name = re.sub(r"^\$\{\{\s*inputs\.|\s*\}\}$", "", _text(node.get("input_data")))
    inputs = node.get("inputs")
    port = inputs.get(name) if isinstance(inputs, Map) else None
    return _text(port.get("type")) if isinstance(port, Map) else ""


def _script(task: Map, folder: str, files: Files) -> Iterator[Finding]:
    """Check the script of a task, whose ``run`` may take the context of the mini-batch, too."""
    script, code = task.get("entry_script"), task.get("code")
    if script is None and _text(task.get("type")).lower() in ("run_function", "function"):
        yield error(
            "MK0104", task.place, "required key `entry_script` is missing in `task`", "name the script in `code`"
        )
    if not isinstance(script, Scalar):
        return
    where = local_path(_text(code), folder) if code is not None else folder
    path = local_path(script.text, where) if where else None
    if path:
        from mlops_kit.checks import scoring  # which reads Python

        yield from scoring.check(script, path, files, most=2, needs_result=True)


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
