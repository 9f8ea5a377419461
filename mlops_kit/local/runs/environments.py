"""The Python that a job runs in: this interpreter, compared with what the environment asks for, or a venv built for it.

``host`` names every difference and runs nevertheless; ``venv`` installs the specification with uv, once per content.
Images are not run: what an environment says beyond its conda or pip packages is listed as a difference.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from filelock import FileLock, Timeout
from packaging.requirements import InvalidRequirement, Requirement

from mlops_kit.local import uris
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError, BadRequestError
from mlops_kit.local.processes import FOLDER
from mlops_kit.local.providers import versions
from mlops_kit.local.runs.process import Control, Launch
from mlops_kit.local.runs.states import JobFailedError

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

HOST, VENV = "host", "venv"
RUNNERS = (HOST, VENV)
CHOICE = "MLOPS_KIT_RUNNER"  # an environment variable of a job, for that job alone
REPORT = "environment.txt"
DOCKER = "The runner 'docker' is not available in this version: jobs run in this interpreter (host) or in a venv."
# conda names that differ from the name of the same package for pip
_PIP_NAMES = {"pytorch": "torch", "py-xgboost": "xgboost", "matplotlib-base": "matplotlib"}
_NOT_PIP = {"pip", "python", "cudatoolkit", "pytorch-cuda", "setuptools", "wheel"}
# Packages that an environment needs on Azure alone: here jobs get an https address for tracking, and MLflow reads it.
_FOR_AZURE = {"azureml-mlflow"}
_CONDA = re.compile(r"(?:[\w.-]+::)?(?P<name>[A-Za-z0-9_.-]+)\s*(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class Specification:
    """What an environment asks for. ``remarks`` are the parts of it that no runner here can provide."""

    name: str
    python: str
    requirements: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Return a name for the content: the same packages are the same environment."""
        text = json.dumps([self.python, sorted(self.requirements)])
        return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Where ``python`` is, and how it differs from what was asked for."""

    executable: Path
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a venv is built, for which job."""

    plane: Plane
    control: Control
    logs: Path  # the job's system_logs


def find(plane: Plane, workspace: str, reference: str) -> Resource:
    """Return the environment asset that a job names; 404 or 400 in one sentence otherwise."""
    location = uris.parse(reference if ":" in reference or "/" in reference else f"azureml:{reference}", workspace)
    if isinstance(location, uris.RegistryReference):
        location = location.asset
    if isinstance(location, uris.AssetReference) and location.kind in {"", "environments"}:
        name, version = location.name, location.version or location.label
        return versions.find_version(plane, location.workspace, "environments", name, version)
    raise BadRequestError(f"'{reference}' does not name an environment.", target="environmentId")


def runner(default: str, variables: Mapping[str, str]) -> str:
    """Return the runner of a job; 400 or 501 for one that is not available."""
    chosen = variables.get(CHOICE) or default
    if chosen == "docker":
        raise ArmError(501, "NotImplemented", DOCKER, target=f"environmentVariables.{CHOICE}")
    if chosen not in RUNNERS:
        known = ", ".join(RUNNERS)
        raise BadRequestError(
            f"'{chosen}' is not a runner; known runners: {known}.", target=f"environmentVariables.{CHOICE}"
        )
    return chosen


def specification(environment: Resource) -> Specification:
    """Read what an environment asks for: its conda file, or the packages of the curated image that it is."""
    properties = environment.properties
    name = "/".join(environment.id.split("/")[-4:])
    if properties.get("condaFile"):
        return _from_conda(name, yaml.safe_load(properties["condaFile"]) or {})
    entries = properties.get("properties") or {}
    if packages := entries.get("mlops_kit.packages"):
        return Specification(name, str(entries.get("mlops_kit.python", "")), tuple(packages.split("; ")))
    what = f"the image {properties['image']}" if properties.get("image") else "its Docker build context"
    return Specification(name, "", (), (f"{what} is not run: its packages are not known here",))


def _from_conda(name: str, document: Mapping[str, Any]) -> Specification:
    python, found, remarks = "", list[str](), list[str]()
    for entry in document.get("dependencies") or []:
        if isinstance(entry, dict):
            for line in entry.get("pip") or []:
                (remarks if str(line).startswith("-") else found).append(str(line))
        elif match := _CONDA.fullmatch(str(entry).strip()):
            package, rest = match["name"].lower(), match["rest"].strip()
            if package == "python":
                python = rest.strip("=<>~! ").removesuffix(".*").partition(",")[0]
            elif package not in _NOT_PIP:
                found.append(_PIP_NAMES.get(package, package) + _pip_versions(rest))
    remarks = [f"the pip option '{line}' is ignored" for line in remarks]
    return Specification(name, python, tuple(found), tuple(remarks))


def _pip_versions(rest: str) -> str:
    """Return conda's version limits as pip writes them: ``=1.5`` means any 1.5, a build string is dropped."""
    if not rest or rest == "*":
        return ""
    if rest.startswith("=") and not rest.startswith("=="):
        rest = rest[1:].partition("=")[0].strip()
        return f"=={rest}" if rest.endswith("*") or rest.count(".") >= 2 else f"=={rest}.*"
    if rest[0].isdigit():
        return f"=={rest.split()[0]}"
    return rest.partition(" ")[0] if rest.startswith("==") else rest.replace(" ", "")


def differences(wanted: Specification, installed: Callable[[str], str | None], python: str) -> list[str]:
    """Return one sentence for each way in which what is installed differs from what is wanted."""
    found = list(wanted.remarks)
    if wanted.python and not f"{python}.".startswith(f"{wanted.python}."):
        found.append(f"python: asked for {wanted.python}, running {python}")
    for line in wanted.requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            found.append(f"'{line}' is not a requirement that can be compared")
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        version = installed(requirement.name)
        asked = str(requirement.specifier) or "any version"
        if version is None and requirement.name in _FOR_AZURE:
            continue
        if version is None:
            found.append(f"{requirement.name}: asked for {asked}, not installed")
        elif not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement.name}: asked for {asked}, installed {version}")
    return found


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _host(wanted: Specification, _site: Site) -> Interpreter:
    python = ".".join(str(part) for part in sys.version_info[:3])
    return Interpreter(Path(sys.executable), tuple(differences(wanted, _installed, python)))


def _venv(wanted: Specification, site: Site) -> Interpreter:
    folder = site.plane.settings.environments / wanted.digest
    site.plane.settings.environments.mkdir(parents=True, exist_ok=True)
    ready = folder / "complete.json"
    with _lock(folder.with_suffix(".lock"), site.control):
        if not ready.exists():
            remarks = _build(wanted, folder, site)
            draft = ready.with_suffix(".new")
            draft.write_text(json.dumps([*wanted.remarks, *remarks]), encoding="utf-8")
            draft.replace(ready)
    return Interpreter(folder / "bin" / "python", tuple(json.loads(ready.read_text(encoding="utf-8"))))


class _lock:  # noqa: N801  reads as a statement
    """A file lock that gives up when the job is asked to stop."""

    def __init__(self, path: Path, control: Control) -> None:
        self._lock, self._control = FileLock(path), control

    def __enter__(self) -> None:
        while True:
            self._control.check()
            try:
                self._lock.acquire(timeout=0.5)
            except Timeout:
                continue
            return

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _build(wanted: Specification, folder: Path, site: Site) -> list[str]:
    """Create the venv and install into it; return how it differs. The build's output goes to ``system_logs``."""
    create = ["venv", "--clear", str(folder)]
    asked = ["--python", wanted.python] if wanted.python else []
    remarks = []
    if _uv([*create, *asked], site) != 0:
        here = ".".join(str(part) for part in sys.version_info[:3])
        remarks.append(f"python: asked for {wanted.python}, which uv does not find here; running {here}")
        if _uv([*create, "--python", sys.executable], site) != 0:
            raise _build_error(wanted, site)
    if wanted.requirements:
        requirements = site.logs / "requirements.txt"
        requirements.write_text("\n".join(wanted.requirements) + "\n", encoding="utf-8")
        python = ["--python", str(folder / "bin" / "python")]
        if _uv(["pip", "install", "--compile-bytecode", *python, "-r", str(requirements)], site) != 0:
            raise _build_error(wanted, site)
    return remarks


def _uv(arguments: list[str], site: Site) -> int:
    from uv import find_uv_bin

    offline = ["--offline"] if site.plane.settings.network == "deny" else []
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1", FOLDER: str(site.logs.parent)}
    launch = Launch(
        [find_uv_bin(), "--no-progress", *offline, *arguments], site.logs, environment, site.logs / "build.txt"
    )
    return site.control.run([launch]).code


def _build_error(wanted: Specification, site: Site) -> JobFailedError:
    lines = (site.logs / "build.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    tail = "\n".join(lines[-15:])
    offline = site.plane.settings.network == "deny"
    how = " without the network (network: deny): only packages in uv's cache are found" if offline else ""
    return JobFailedError(f"The environment {wanted.name} could not be built{how}:\n{tail}")


_RUNNERS: dict[str, Callable[[Specification, Site], Interpreter]] = {HOST: _host, VENV: _venv}


def prepare(chosen: str, wanted: Specification, site: Site) -> Interpreter:
    """Return the interpreter of a job, built where it must be, and report how it differs in ``environment.txt``."""
    interpreter = _RUNNERS[chosen](wanted, site)
    lines = [f"environment: {wanted.name}", f"runner: {chosen}", f"python: {interpreter.executable}"]
    lines += [f"asked for: {line}" for line in (f"python {wanted.python}".strip(), *wanted.requirements)]
    lines += [f"difference: {line}" for line in interpreter.differences] or ["no differences"]
    (site.logs / REPORT).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return interpreter
