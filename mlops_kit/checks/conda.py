"""Environment assets and conda files: an image to install into, and no package of the retired SDK."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding, error, warning
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.documents import Node

# packages of the SDK that was retired in 2026 -> what to write instead
RETIRED = {
    "azureml-defaults": "jobs need `mlflow` and `azureml-mlflow`, endpoints `azureml-inference-server-http`",
    "azureml-sdk": "use `azure-ai-ml` to submit; a job needs `mlflow` only",
    "azureml-core": "only the scoring of batch deployments still needs it",
    "azureml-widgets": "remove it",
    "azureml-pipeline": "use `azure-ai-ml`",
    "azureml-train": "use `azure-ai-ml`",
    "azureml-train-automl": "use `azure-ai-ml`",
    "azureml-interpret": "use `interpret` and log the result with `mlflow`",
}


def is_conda(root: Map) -> bool:
    """Return whether a document is a conda file."""
    return isinstance(root.get("dependencies"), List) and root.get("$schema") is None


def check_file(root: Map) -> list[Finding]:
    """Return the retired packages a conda file asks for."""
    return [
        warning("MK0502", node.place, f"`{node.text}` belongs to the retired SDK", RETIRED[name])
        for node, name in _packages(root.get("dependencies"))
        if name in RETIRED
    ]


def _packages(node: Node | None) -> Iterator[tuple[Scalar, str]]:
    """Yield each package of a list of dependencies with its bare name, those under ``pip:`` too."""
    for item in node.items if isinstance(node, List) else ():
        if isinstance(item, Scalar):
            yield item, re.split(r"[\s<>=!~\[;]", item.text, maxsplit=1)[0].lower().replace("_", "-")
        elif isinstance(item, Map):
            yield from _packages(item.get("pip"))


def check(root: Map, kind: str, folder: str, files: Files) -> list[Finding]:
    """Check an environment asset, or the environments that stand inside of a job, component or deployment."""
    if kind == "environment_asset":
        return _environment(root, folder, files)
    missing = _steps_without(root) if kind in ("pipeline_job", "pipeline_component") else []
    return missing + [finding for found in _inline(root) for finding in _environment(found, folder, files)]


def _steps_without(pipeline: Map) -> list[Finding]:
    """Report steps that run a command and name no environment: the service has no default."""
    jobs = pipeline.get("jobs")
    steps = [entry for entry in jobs.entries if isinstance(entry.value, Map)] if isinstance(jobs, Map) else []
    return [
        error("MK0501", entry.key.place, f"step `{entry.key.text}` has no environment", "add the key `environment`")
        for entry in steps
        if isinstance(entry.value, Map)
        and isinstance(entry.value.get("command"), Scalar)
        and entry.value.get("environment") is None
    ]


def _inline(node: Map) -> Iterator[Map]:
    """Yield the environments that are written out below a map."""
    for entry in node.entries:
        if isinstance(entry.value, Map):
            if entry.key.text == "environment":
                yield entry.value
            else:
                yield from _inline(entry.value)


def _environment(environment: Map, folder: str, files: Files) -> list[Finding]:
    """Check one environment asset and the conda file it names."""
    conda = environment.get("conda_file")
    findings: list[Finding] = []
    if conda is not None and environment.get("image") is None and environment.get("build") is None:
        hint = "name the `image` the packages are installed into"
        findings.append(error("MK0503", conda.place, "an environment with a conda file needs an image", hint))
    path = local_path(conda.text, folder) if isinstance(conda, Scalar) else None
    content = files.map(path) if path and files.kind(path) == "file" else conda
    return findings + (check_file(content) if isinstance(content, Map) else [])
