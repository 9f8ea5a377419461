"""Environment assets, and the environments in jobs, components and deployments: an image to install into, what else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks import images, secrets
from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding, error
from mlops_kit.documents import Map, Scalar
from mlops_kit.requirements import is_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

NAMING = {"environment", "component", "trial"}
PORTS = {"inputs", "outputs", "environment_variables", "tags", "properties"}  # whose keys are names of one's own
Named = tuple[str, "Node", bool]  # the key, its value, and whether what runs there takes mini-batches
Found = tuple["Map", str, "bool | None"]  # an environment, its folder, and whether what runs in it takes mini-batches


def check(subject: Subject) -> list[Finding]:
    """Check an environment asset, or the environments that a job, component or deployment names or holds."""
    root, kind, folder, files = subject.root, subject.kind, subject.folder, subject.files
    if kind == "environment_asset":
        return _environment((root, folder, None), files, protected=subject.protected)
    named = _named(root, kind in ("batch_deployment", "model_batch_deployment", "parallel_component"))
    missing = _steps_without(root) if kind in ("pipeline_job", "pipeline_component") else []
    return [
        *missing,
        *(fault for found in _environments(named, folder, files)
          for fault in _environment(found, files, protected=subject.protected)),
        *_component_files(named, folder, files),
    ]  # fmt: skip


def _named(node: Map, runs_batches: bool) -> list[Named]:
    """Return the environments and components below a map, each with whether what runs there takes mini-batches."""
    found: list[Named] = []
    for entry in node.entries:
        key = entry.key.text
        if key in NAMING and (key == "environment" or isinstance(entry.value, Scalar)):
            found.append((key, entry.value, runs_batches))
        elif isinstance(entry.value, Map) and key not in PORTS:
            found += _named(entry.value, runs_batches or key == "task")
    return found


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


def _environments(named: Iterable[Named], folder: str, files: Files) -> Iterator[Found]:
    """Yield the environments that are written out or in a file that is named, each with its folder."""
    for key, value, runs_batches in named:
        if key == "environment" and isinstance(value, Map):
            yield value, folder, runs_batches
        elif key == "environment" and isinstance(value, Scalar) and value.text.startswith("file:"):
            path, root = _file(value, folder, files)
            if root:
                yield root, str(Path(path).parent), runs_batches


def _file(named: Scalar, folder: str, files: Files) -> tuple[str, Map | None]:
    """Return the path that a text means and the map that the file there holds."""
    path = local_path(named.text, folder) or ""
    return path, files.map(path) if path and files.kind(path) == "file" else None


def _component_files(named: Iterable[Named], folder: str, files: Files) -> Iterator[Finding]:
    """Report component files that need a requirements file: the SDK reads them as they are, and knows conda only."""
    for key, value, _ in named:
        if key == "environment" or not isinstance(value, Scalar):
            continue
        path, root = _file(value, folder, files)
        found = _environments(_named(root, False), str(Path(path).parent), files) if root else ()
        condas = [environment.get("conda_file") for environment, *_ in found]
        if any(isinstance(each, Scalar) and is_requirements(each.text) for each in condas):
            message = f"the component `{value.text}` needs a requirements file, which is not read for it here"
            hint = "register the component and name it as `azureml:NAME@latest`, or give it a conda file"
            yield error("MK0507", value.place, message, hint)


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
    from mlops_kit.checks import conda  # most environments are named, not written out

    if isinstance(specification, Map):
        return findings + conda.check_inline(specification, runs_batches=runs_batches)
    content = files.map(path) if path and files.kind(path) == "file" else None
    return findings + (conda.check_file(content, runs_batches=runs_batches) if content else [])


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
    from mlops_kit.checks import dockerfile  # few environments have one

    return dockerfile.check(file, context, files, protected=protected)


def _requirements(named: Scalar, path: str, files: Files, runs_batches: bool | None) -> list[Finding]:
    """Check a requirements file that stands for a conda file."""
    if files.kind(path) != "file" or files.is_outside(path):
        return []  # reported as a path
    from mlops_kit.checks import packages  # few environments have such a file

    found = files.requirements(path)
    outside = {line.place.path for line in found.lines if files.is_outside(line.place.path)}
    return [
        *(error("MK0402", named.place, f"`{name}`, which `{named.text}` takes in, leads out of the project")
          for name in sorted(outside)),
        *(error("MK0506", fault.place or named.place, fault.message) for fault in found.faults),
        *(fault for line in found.lines for fault in secrets.below(line)),
        *packages.check(list(packages.packages(found.lines, "pip")), runs_batches=runs_batches),
    ]  # fmt: skip
