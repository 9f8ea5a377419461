"""Where outputs are written: a path that is the same in every run lets each run overwrite the last."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, warning
from mlops_kit.checks.pipelines import text_of
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject

KINDS = {"command_job", "sweep_job", "spark_job", "pipeline_job", "pipeline_component"}
DATASTORE = re.compile(r"azureml:.*datastores/.+/paths/.+")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the outputs of a job and of its steps that are written to one fixed path."""
    if subject.kind not in KINDS and not subject.kind.startswith("automl_"):
        return
    yield from _outputs(subject.root)
    jobs = subject.root.get("jobs")
    for entry in jobs.entries if isinstance(jobs, Map) else ():
        if isinstance(entry.value, Map):
            yield from _outputs(entry.value)


def _outputs(owner: Map) -> Iterator[Finding]:
    outputs = owner.get("outputs")
    for entry in outputs.entries if isinstance(outputs, Map) else ():
        path = entry.value.get("path") if isinstance(entry.value, Map) else None
        if isinstance(path, Scalar) and DATASTORE.match(path.text) and not _is_filled_in(path):
            message = f"every run writes output `{entry.key.text}` to the same place, over what the last run wrote"
            hint = f"write `{_unique(path.text, text_of(entry.value.get('type')))}`"  # type: ignore[union-attr]
            yield warning("MK0325", path.place, message, hint)


def _is_filled_in(path: Scalar) -> bool:
    """Return whether the service or the template fills in a part of a path, which may then differ for each run."""
    if "${" in path.text:
        return True
    file, line = Path(path.place.path), path.place.line
    written = file.read_text(encoding="utf-8-sig", errors="replace").splitlines() if file.is_file() else []
    return "${" in "".join(written[line - 1 : line])


def _unique(path: str, kind: str) -> str:
    """Return a path that the service makes unique: the name of the run is its last folder."""
    if kind == "uri_file":
        folder, _, name = path.rpartition("/")
        return f"{folder}/${{{{name}}}}/{name}"
    return f"{path.rstrip('/')}/${{{{name}}}}/"
