"""Environment assets and conda files: an image to install into, packages that are named once and are not retired."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding, error, warning
from mlops_kit.documents import List, Map, Scalar
from mlops_kit.requirements import is_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

Package = tuple["Scalar", str]  # as written, and its bare name
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
    """Return the retired packages a conda file asks for, and those it names twice."""
    node = root.get("dependencies")
    items = node.items if isinstance(node, List) else ()
    own = list(_packages(items))
    lists = [item.get("pip") for item in items if isinstance(item, Map)]
    pip = [package for inner in lists if isinstance(inner, List) for package in _packages(inner.items)]
    return _retired([*own, *pip]) + _twice(own) + _twice(pip)


def _packages(items: Iterable[Node]) -> Iterator[Package]:
    """Yield each package of a list with its bare name."""
    for item in items:
        if isinstance(item, Scalar) and not item.text.startswith("-"):
            name = re.split(r"[\s<>=!~\[;@]", item.text.rpartition("::")[2], maxsplit=1)[0]
            yield item, re.sub(r"[-_.]+", "-", name).lower()


def _retired(packages: Iterable[Package]) -> list[Finding]:
    return [
        warning("MK0502", node.place, f"`{node.text}` belongs to the retired SDK", RETIRED[name])
        for node, name in packages
        if name in RETIRED
    ]


def _twice(packages: Iterable[Package]) -> list[Finding]:
    """Report packages that one list names again; with markers, each line may be for another machine."""
    seen: dict[str, Scalar] = {}
    findings = []
    for node, name in packages:
        first = seen.setdefault(name, node)
        if first is not node and ";" not in first.text + node.text:
            message = f"`{node.text}` is there already, as `{first.text}` in line {first.place.line}"
            findings.append(error("MK0504", node.place, message, "keep one of them"))
    return findings


def check(subject: Subject) -> list[Finding]:
    """Check an environment asset, or the environments that a job, component or deployment names or holds."""
    root, kind, folder, files = subject.root, subject.kind, subject.folder, subject.files
    found = [(root, folder)] if kind == "environment_asset" else _environments(root, folder, files)
    missing = _steps_without(root) if kind in ("pipeline_job", "pipeline_component") else []
    faults = [fault for each, where in found for fault in _environment(each, where, files, protected=subject.protected)]
    return missing + faults + _component_files(root, folder, files)


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


def _environments(node: Map, folder: str, files: Files) -> Iterator[tuple[Map, str]]:
    """Yield the environments that are written out below a map or in a file it names, each with its folder."""
    for entry in node.entries:
        value = entry.value
        if isinstance(value, Map):
            if entry.key.text == "environment":
                yield value, folder
            else:
                yield from _environments(value, folder, files)
        elif entry.key.text == "environment" and isinstance(value, Scalar) and value.text.startswith("file:"):
            path = local_path(value.text, folder)
            root = files.map(path) if path and files.kind(path) == "file" else None
            if path and root:
                yield root, str(Path(path).parent)


def _component_files(node: Map, folder: str, files: Files) -> list[Finding]:
    """Report component files that need a requirements file: the SDK reads them as they are, and knows conda only."""
    findings: list[Finding] = []
    for entry in node.entries:
        value = entry.value
        if isinstance(value, Map):
            findings += _component_files(value, folder, files)
        elif entry.key.text in ("component", "trial") and isinstance(value, Scalar):
            path = local_path(value.text, folder)
            root = files.map(path) if path and files.kind(path) == "file" else None
            found = _environments(root, str(Path(path).parent), files) if path and root else ()
            condas = [environment.get("conda_file") for environment, _ in found]
            if any(isinstance(conda, Scalar) and is_requirements(conda.text) for conda in condas):
                message = f"the component `{value.text}` needs a requirements file, which is not read for it here"
                hint = "register the component and name it as `azureml:NAME@latest`, or give it a conda file"
                findings.append(error("MK0507", value.place, message, hint))
    return findings


def _environment(environment: Map, folder: str, files: Files, *, protected: bool) -> list[Finding]:
    """Check one environment asset and the conda or requirements file it names."""
    conda, image = environment.get("conda_file"), environment.get("image")
    findings: list[Finding] = []
    if conda is not None and image is None and environment.get("build") is None:
        hint = "name the `image` the packages are installed into"
        findings.append(error("MK0503", conda.place, "an environment with a conda file needs an image", hint))
    if protected and isinstance(image, Scalar):
        findings += _image(image)
    path = local_path(conda.text, folder) if isinstance(conda, Scalar) else None
    if isinstance(conda, Scalar) and path and is_requirements(path):
        return findings + _requirements(conda, path, files)
    content = files.map(path) if path and files.kind(path) == "file" else conda
    return findings + (check_file(content) if isinstance(content, Map) else [])


def _image(image: Scalar) -> list[Finding]:
    """Report an image that can become another one: without a digest, and without a tag of its own."""
    text = image.text
    tag = text.rpartition("/")[2].partition(":")[2]  # a colon before the last slash is a port
    if "@sha256:" in text or "${{" in text or tag not in ("", "latest"):
        return []
    name = text.removesuffix(":latest").removesuffix(":")
    message = f"the image `{text}` is not pinned, and the environment is protected"
    return [error("MK0505", image.place, message, f"write `{name}:TAG` or `{name}@sha256:DIGEST`")]


def _requirements(conda: Scalar, path: str, files: Files) -> list[Finding]:
    """Check a requirements file that stands for a conda file."""
    if files.kind(path) != "file" or files.is_outside(path):
        return []  # reported as a path
    found = files.requirements(path)
    packages = list(_packages(found.lines))
    outside = {line.place.path for line in found.lines if files.is_outside(line.place.path)}
    return [
        *(error("MK0402", conda.place, f"`{name}`, which `{conda.text}` takes in, leads out of the project")
          for name in sorted(outside)),
        *(error("MK0506", fault.place or conda.place, fault.message) for fault in found.faults),
        *_retired(packages),
        *_twice(packages),
    ]  # fmt: skip
