"""Pipeline components that run themselves through the files of others: the SDK would read them without end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding, error
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.checks.subject import Subject


def faults(subject: Subject) -> Iterator[Finding]:
    """Yield the steps of a pipeline whose component leads back to the file of the pipeline."""
    own = os.path.abspath(subject.root.place.path)  # noqa: PTH100  as ``local_path`` writes it
    for reference, path in _components(subject.root, subject.folder):
        way = _way(path, own, subject.files)
        if way:
            names = " -> ".join(Path(each).name for each in (own, *way))
            yield error(
                "MK0328", reference.place, f"the component runs itself: {names}", "let one of them end the chain"
            )


def _components(root: Map, folder: str) -> Iterator[tuple[Scalar, str]]:
    """Yield the components in local files that the steps of a pipeline run, with their paths."""
    jobs = root.get("jobs")
    for entry in jobs.entries if isinstance(jobs, Map) else ():
        component = entry.value.get("component") if isinstance(entry.value, Map) else None
        path = local_path(component.text, folder) if isinstance(component, Scalar) else None
        if path and isinstance(component, Scalar):
            yield component, path


def _way(start: str, goal: str, files: Files) -> list[str]:
    """Return the shortest way of files from one to another, each running the next; empty when there is none."""
    ways, met = [[start]], {start}
    for way in ways:
        if way[-1] == goal:
            return way
        root = files.map(way[-1]) if files.kind(way[-1]) == "file" else None
        for _, path in _components(root, str(Path(way[-1]).parent)) if root else ():
            if path not in met:
                met.add(path)
                ways.append([*way, path])
    return []
