"""MLTable folders that data assets, inputs and automated machine learning name: they are opened, and their columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlops_kit.checks import paths
from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.columns import Columns
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

TYPE = "mltable"
LEARNED = ("training_data", "validation_data", "test_data")  # what automated machine learning takes is always a table
COLUMN_KEYS = ("target_column_name", "weight_column_name", "cv_split_column_names")
FORECASTING_KEYS = ("time_column_name", "time_series_id_column_names")
BOUND = re.compile(r"\$\{\{\s*parent\.inputs\.(\w+)\s*\}\}")


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with the MLTable files that a document names, and with the columns that it names of them."""
    root, kind = subject.root, subject.kind
    if kind == "data":
        return opened(root, subject)[1] if _text(root.get("type")) == TYPE else []
    findings: list[Finding] = []
    for entry in root.entries:
        if entry.key.text == "inputs":
            findings += _inputs(entry.value, subject)
        elif entry.key.text == "jobs" and isinstance(entry.value, Map):
            findings += _steps(entry.value, root.get("inputs"), subject)
    return [*findings, *_learning(root, None, subject)] if kind.startswith("automl_") else findings


def _steps(jobs: Map, inputs: Node | None, subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the tables of the steps of a pipeline that has ``inputs``."""
    for entry in jobs.entries:
        if isinstance(entry.value, Map):
            yield from _inputs(entry.value.get("inputs"), subject)
            if _text(entry.value.get("type")) == "automl":
                yield from _learning(entry.value, inputs, subject)


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _inputs(inputs: Node | None, subject: Subject) -> list[Finding]:
    """Return what is wrong with the tables among inputs."""
    entries = inputs.entries if isinstance(inputs, Map) else ()
    tabular = [each.value for each in entries if isinstance(each.value, Map) and _text(each.value.get("type")) == TYPE]
    return [finding for owner in tabular for finding in opened(owner, subject)[1]]


def opened(owner: Map, subject: Subject) -> tuple[Columns | None, list[Finding]]:
    """Return the columns of the table that the ``path`` of a map leads to, and what is wrong with it."""
    files = subject.files
    folder = local_path(_text(owner.get("path")), subject.folder)
    file = f"{folder}/MLTable"
    if folder is None or files.kind(file) != "file" or files.is_outside(file):
        return None, []  # reported as a path
    from mlops_kit.checks import columns, tables  # most jobs take no table

    table = files.once(tables.read, folder)
    known, findings = columns.of(table, files)
    return known, [*tables.faults(table, files), *findings]


def _learning(job: Map, inputs: Node | None, subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the tables of automated machine learning, and the columns that they lack."""
    known: dict[str, Columns | None] = {}
    for key in LEARNED:
        data = job.get(key)
        bound = BOUND.fullmatch(_text(data) or _text(data.get("path") if isinstance(data, Map) else None))
        owner = inputs.get(bound[1]) if bound and isinstance(inputs, Map) else data
        if isinstance(owner, Map):
            known[key], findings = opened(owner, subject)
            yield from findings
            yield from _untyped(owner, subject)
    training = known.get("training_data")
    if training is not None:
        from mlops_kit.checks import columns

        forecasting = job.get("forecasting")
        asked = [*_columns(job, COLUMN_KEYS), *_columns(forecasting, FORECASTING_KEYS)]
        yield from (finding for node in asked for finding in columns.missing(node, training))


def _untyped(owner: Map, subject: Subject) -> list[Finding]:
    """Return what is wrong with a path that says no type, and so means a table here; elsewhere it may be anything."""
    path = owner.get("path")
    if owner.get("type") is not None or not isinstance(path, Scalar):
        return []
    folder = local_path(path.text, subject.folder)
    if folder is None or not subject.files.kind(folder) or subject.files.is_outside(folder):
        return []  # reported as a path
    return paths.kind_faults(paths.LocalPath(path, subject.folder, "path", *paths.TYPES[TYPE]), subject.files)


def _columns(owner: Node | None, keys: tuple[str, ...]) -> Iterator[Scalar]:
    """Yield the columns that the keys of a map name: one, or a list of them."""
    for key in keys:
        node: Any = owner.get(key) if isinstance(owner, Map) else None
        named = node.items if isinstance(node, List) else (node,)
        yield from (each for each in named if isinstance(each, Scalar) and each.text and "${{" not in each.text)
