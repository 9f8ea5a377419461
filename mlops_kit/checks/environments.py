"""Environment assets, and the environments in jobs, components and deployments: an image to install into, what else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks import conda, dockerfile, images, packages
from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding, error
from mlops_kit.documents import Map, Scalar
from mlops_kit.requirements import is_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.checks.subject import Subject

Found = tuple["Map", str, "bool | None"]  # an environment, its folder, and whether what runs in it takes mini-batches


def check(subject: Subject) -> list[Finding]:
    """Check an environment asset, or the environments that a job, component or deployment names or holds."""
    root, kind, folder, files = subject.root, subject.kind, subject.folder, subject.files
    runs_batches = kind in ("batch_deployment", "model_batch_deployment", "parallel_component")
    found = [(root, folder, None)] if kind == "environment_asset" else _environments(root, folder, files, runs_batches)
    missing = _steps_without(root) if kind in ("pipeline_job", "pipeline_component") else []
    faults = [fault for each in found for fault in _environment(each, files, protected=subject.protected)]
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
        and entry.value.get("component") is None
    ]


def _environments(node: Map, folder: str, files: Files, runs_batches: bool) -> Iterator[Found]:
    """Yield the environments that are written out below a map or in a file it names, each with its folder."""
    for entry in node.entries:
        key, value = entry.key.text, entry.value
        if isinstance(value, Map):
            if key == "environment":
                yield value, folder, runs_batches
            else:
                yield from _environments(value, folder, files, runs_batches or key == "task")
        elif key == "environment" and isinstance(value, Scalar) and value.text.startswith("file:"):
            path = local_path(value.text, folder)
            root = files.map(path) if path and files.kind(path) == "file" else None
            if path and root:
                yield root, str(Path(path).parent), runs_batches


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
            found = _environments(root, str(Path(path).parent), files, False) if path and root else ()
            condas = [environment.get("conda_file") for environment, *_ in found]
            if any(isinstance(each, Scalar) and is_requirements(each.text) for each in condas):
                message = f"the component `{value.text}` needs a requirements file, which is not read for it here"
                hint = "register the component and name it as `azureml:NAME@latest`, or give it a conda file"
                findings.append(error("MK0507", value.place, message, hint))
    return findings


def _environment(found: Found, files: Files, *, protected: bool) -> list[Finding]:
    """Check one environment and the conda file, requirements file or Dockerfile that it names."""
    environment, folder, runs_batches = found
    specification, image, build = (environment.get(key) for key in ("conda_file", "image", "build"))
    findings: list[Finding] = []
    if specification is not None and image is None and build is None:
        hint = "name the `image` the packages are installed into"
        findings.append(error("MK0503", specification.place, "an environment with a conda file needs an image", hint))
    if protected and isinstance(image, Scalar):
        findings += _image(image)
    if isinstance(build, Map):
        findings += _dockerfile(build, folder, files, protected=protected)
    path = local_path(specification.text, folder) if isinstance(specification, Scalar) else None
    if isinstance(specification, Scalar) and path and is_requirements(path):
        return findings + _requirements(specification, path, files, runs_batches)
    content = files.map(path) if path and files.kind(path) == "file" else specification
    return findings + (conda.check_file(content, runs_batches=runs_batches) if isinstance(content, Map) else [])


def _image(image: Scalar) -> list[Finding]:
    """Report an image that can become another one."""
    name = None if "${{" in image.text else images.unpinned(image.text)
    message = f"the image `{image.text}` is not pinned, and the environment is protected"
    return [] if name is None else [error("MK0505", image.place, message, images.pin(name))]


def _dockerfile(build: Map, folder: str, files: Files, *, protected: bool) -> list[Finding]:
    """Check the Dockerfile of a build context that is there; what is absent is reported as a path."""
    path, name = build.get("path"), build.get("dockerfile_path")
    context = local_path(path.text, folder) if isinstance(path, Scalar) else None
    if context is None or files.kind(context) != "folder" or files.is_outside(context):
        return []
    file = local_path(name.text if isinstance(name, Scalar) and name.text else "Dockerfile", context)
    if file is None or files.kind(file) != "file" or files.is_outside(file):
        return []
    return dockerfile.check(file, context, files, protected=protected)


def _requirements(named: Scalar, path: str, files: Files, runs_batches: bool | None) -> list[Finding]:
    """Check a requirements file that stands for a conda file."""
    if files.kind(path) != "file" or files.is_outside(path):
        return []  # reported as a path
    found = files.requirements(path)
    outside = {line.place.path for line in found.lines if files.is_outside(line.place.path)}
    return [
        *(error("MK0402", named.place, f"`{name}`, which `{named.text}` takes in, leads out of the project")
          for name in sorted(outside)),
        *(error("MK0506", fault.place or named.place, fault.message) for fault in found.faults),
        *packages.check(list(packages.packages(found.lines, "pip")), runs_batches=runs_batches),
    ]  # fmt: skip
