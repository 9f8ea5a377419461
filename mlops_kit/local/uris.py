"""The ways Azure ML names data, as text, and where each of them is: a container and a path in storage."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mlops_kit.local.arm.wire import BadRequestError, registry_id
from mlops_kit.local.providers import datastores, versions
from mlops_kit.local.settings import STORAGE_ACCOUNT, STORAGE_SUFFIX

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

# What a code asset's address looks like: azure-ai-ml 1.35 accepts no other suffix (operations/_code_operations.py).
PUBLIC_SUFFIX = "core.windows.net"
_OUR_HOSTS = {f"{STORAGE_ACCOUNT}.{kind}.{end}" for kind in ("blob", "dfs") for end in (STORAGE_SUFFIX, PUBLIC_SUFFIX)}


@dataclass(frozen=True, slots=True)
class DatastorePath:
    """A path in a datastore of a workspace; ``path`` has no leading slash and may be empty."""

    workspace: str
    datastore: str
    path: str


@dataclass(frozen=True, slots=True)
class JobOutput:
    """A path in a named output of a job. The output ``artifacts`` holds everything the job left behind."""

    workspace: str
    job: str
    output: str
    path: str


@dataclass(frozen=True, slots=True)
class BlobPath:
    """A path in a container of this control plane's storage account."""

    container: str
    path: str


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An address outside this control plane's storage."""

    url: str


@dataclass(frozen=True, slots=True)
class AssetReference:
    """A version of an asset, or a label that names one. ``kind`` is the collection (``data``, ...) or empty.

    ``workspace`` is the id of the workspace or registry that holds it.
    """

    workspace: str
    kind: str
    name: str
    version: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class RegistryReference:
    """A version of an asset in a registry, or a label that names one."""

    registry: str
    kind: str
    name: str
    version: str = ""
    label: str = ""

    @property
    def asset(self) -> AssetReference:
        """Return this as a reference to an asset of the registry that holds it."""
        return AssetReference(registry_id(self.registry), self.kind, self.name, self.version, self.label)


@dataclass(frozen=True, slots=True)
class ArmResource:
    """Any other resource of a workspace: a compute, a job, a datastore."""

    id: str


Location = DatastorePath | JobOutput | BlobPath | WebAddress | AssetReference | RegistryReference | ArmResource

_WORKSPACE = (
    r"/?subscriptions/(?P<s>[^/]+)/resourcegroups/(?P<g>[^/]+)/(?:providers/microsoft\.machinelearningservices/)?"
    r"workspaces/(?P<w>[^/]+)/"
)
_PICK = r"(?:versions/(?P<version>[^/]+)|labels/(?P<label>[^/]+))/?"
_TAIL = r"(?:/paths)?(?:/(?P<path>.*))?"
_Match = re.Match[str]


def _owner(match: _Match, workspace: str) -> str:
    found = match.groupdict()
    if not found.get("w"):
        return workspace
    return (
        f"/subscriptions/{found['s']}/resourceGroups/{found['g']}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{found['w']}"
    )


def _datastore_path(match: _Match, workspace: str) -> Location:
    return DatastorePath(_owner(match, workspace), match["datastore"], (match["path"] or "").lstrip("/"))


def _job_output(match: _Match, workspace: str) -> Location:
    return JobOutput(_owner(match, workspace), match["job"], match["output"], (match["path"] or "").lstrip("/"))


def _run_artifact(match: _Match, workspace: str) -> Location:
    return JobOutput(workspace, match["job"], "artifacts", match["path"] or "")


def _asset(match: _Match, workspace: str) -> Location:
    kind = match["kind"].lower() if match["kind"] else ""
    return AssetReference(
        _owner(match, workspace), kind, match["name"], match["version"] or "", match.groupdict().get("label") or ""
    )


def _registry(match: _Match, _workspace: str) -> Location:
    return RegistryReference(
        match["registry"], match["kind"].lower(), match["name"], match["version"] or "", match["label"] or ""
    )


def _named(match: _Match, workspace: str) -> Location:
    return AssetReference(workspace, "", match["name"], match["version"] or "", match["label"] or "")


def _storage(match: _Match, _workspace: str) -> Location:
    return BlobPath(match["container"], (match["path"] or "").lstrip("/"))


_KIND = r"(?P<kind>data|models|environments|components|codes)"
_SCOPE = rf"(?:{_WORKSPACE}|/?resourcegroups/[^/]+/workspaces/[^/]+/)?"
# Tried in order on the text without its ``azureml:`` prefix; all of it must match, in any letter case.
_FORMS: tuple[tuple[str, Callable[[_Match, str], Location]], ...] = (
    (r"/*registries/(?P<registry>[^/]+)/(?P<kind>\w+)/(?P<name>[^/]+)/" + _PICK, _registry),
    (r"//" + _SCOPE + r"datastores/(?P<datastore>[^/]+)" + _TAIL, _datastore_path),
    (r"//" + _SCOPE + r"jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)" + _TAIL, _job_output),
    (r"//locations/[^/]+/workspaces/[^/]+/" + _KIND + r"/(?P<name>[^/]+)/" + _PICK, _asset),
    (r"/*" + _SCOPE + _KIND + r"/(?P<name>[^/]+)/" + _PICK, _asset),
    (r"(?P<name>[^/:@]+)(?::(?P<version>[^/:@]+)|@(?P<label>[^/:@]+))", _named),
)
_PATTERNS = tuple((re.compile(form, re.IGNORECASE | re.DOTALL), build) for form, build in _FORMS)
_RUN = re.compile(r"runs:/(?P<job>[^/]+)(?:/(?P<path>.*))?", re.DOTALL)
_CONTAINER_URL = re.compile(r"(?:wasbs?|abfss?)://(?P<container>[^@/]+)@(?P<host>[^/]+)(?:/(?P<path>.*))?", re.DOTALL)


def parse(text: str, workspace_id: str) -> Location:
    """Read any form in which data, a model or another resource is named.

    Accepts ``azureml:NAME:VERSION``, ``azureml:NAME@LABEL``, ``azureml://`` in its datastore (short and long), job,
    asset, registry and locations forms, ``runs:/RUN/PATH``, ARM ids with or without ``azureml:`` in front, and
    https, wasbs and abfss addresses. Forms that name no workspace mean ``workspace_id``; 400 for everything else, and
    for a path that leads out of its datastore, container or output.
    """
    location = _read(text, workspace_id)
    if isinstance(location, DatastorePath | JobOutput | BlobPath) and ".." in location.path.split("/"):
        raise BadRequestError(f"The path of '{text}' has a '..', which leads nowhere in storage.", target="uri")
    return location


def _read(text: str, workspace_id: str) -> Location:
    if run := _RUN.fullmatch(text):
        return _run_artifact(run, workspace_id)
    if text.lower().startswith(("http://", "https://")):
        return _web(text)
    if remote := _CONTAINER_URL.fullmatch(text):
        return _storage(remote, workspace_id) if remote["host"].lower() in _OUR_HOSTS else WebAddress(text)
    rest = text
    while rest.lower().startswith("azureml:"):  # the SDK writes azureml:azureml:NAME:VERSION in places
        rest = rest[len("azureml:") :]
    if rest != text or rest.startswith("/subscriptions/"):
        for pattern, build in _PATTERNS:
            if match := pattern.fullmatch(rest):
                return build(match, workspace_id)
        if rest.startswith("/subscriptions/"):
            return ArmResource(rest)
    raise BadRequestError(f"'{text}' is not an address that Azure ML knows.", target="uri")


def _web(url: str) -> Location:
    parts = urlsplit(url)
    if (parts.hostname or "").lower() not in _OUR_HOSTS:
        return WebAddress(url)
    container, _, path = unquote(parts.path).lstrip("/").partition("/")
    return BlobPath(container, path)


def long_form(location: Location) -> str:
    """Return the address under which the service stores a datastore path; other locations have none and give ''."""
    if not isinstance(location, DatastorePath):
        return ""
    _, _, subscription, _, group, _, _, _, workspace = location.workspace.split("/")
    return (
        f"azureml://subscriptions/{subscription}/resourcegroups/{group}/workspaces/{workspace}"
        f"/datastores/{location.datastore}/paths/{location.path}"
    )


def settle(plane: Plane, location: Location, *, kind: str = "") -> Location:
    """Follow job outputs and assets to the datastore path, blob or web address that they stand for.

    ``kind`` says which collection a bare ``azureml:NAME:VERSION`` is in. 404 where the asset or job is missing.
    """
    if isinstance(location, JobOutput):
        return _settle_output(plane, location)
    if isinstance(location, RegistryReference):
        location = location.asset
    if isinstance(location, AssetReference):
        return _settle_asset(plane, location, location.kind or kind)
    return location


def settled(plane: Plane, text: str, workspace_id: str) -> str:
    """Return an address as the service stores it: long form, job outputs and assets followed; 404 if it is nowhere."""
    location = settle(plane, parse(text, workspace_id))
    if isinstance(location, DatastorePath):
        datastores.container(plane, location.workspace, location.datastore)
    return long_form(location) or text


def resolve(plane: Plane, location: Location, *, kind: str = "") -> tuple[str, str]:
    """Return the container and the path (a blob, or a prefix of blobs) of a location.

    ``kind`` as for ``settle``. 404 where the asset, job output or datastore is missing; 400 where the location is not
    in this control plane's storage.
    """
    place = settle(plane, location, kind=kind)
    if isinstance(place, DatastorePath):
        return datastores.container(plane, place.workspace, place.datastore), place.path
    if isinstance(place, BlobPath):
        return place.container, place.path
    raise BadRequestError(f"{place} is not in this control plane's storage.", target="uri")


def _settle_asset(plane: Plane, asset: AssetReference, kind: str) -> Location:
    found = versions.find_version(plane, asset.workspace, kind, asset.name, asset.version or asset.label)
    address = {"data": "dataUri", "models": "modelUri", "codes": "codeUri"}.get(kind)
    if address is None:
        raise BadRequestError(f"An asset of {kind or 'unknown kind'} is not data.", target="uri")
    return settle(plane, parse(str(found.properties[address]), asset.workspace))


def _settle_output(plane: Plane, output: JobOutput) -> Location:
    """Find a job's output: where the job says it is, else where a compute puts it by default."""
    if output.output in {"artifacts", "default"}:
        path = f"ExperimentRun/dcid.{output.job}/{output.path}"
        return DatastorePath(output.workspace, datastores.ARTIFACTS, path)
    job = plane.store.get(f"{output.workspace}/jobs/{output.job}", f"The job '{output.job}'")
    known = job.properties.get("outputs") or {}
    if output.output not in known:
        names = ", ".join(sorted({*known, "artifacts"}))
        raise BadRequestError(f"The job '{output.job}' has no output '{output.output}'; it has: {names}.", target="uri")
    uri = (known[output.output] or {}).get("uri") or _default_output(plane, output)
    place = settle(plane, parse(str(uri), output.workspace))
    if not output.path or not isinstance(place, DatastorePath):
        return place
    return DatastorePath(place.workspace, place.datastore, f"{place.path.rstrip('/')}/{output.path}")


def _default_output(plane: Plane, output: JobOutput) -> str:
    store = datastores.default_datastore(plane, output.workspace)
    return f"azureml://datastores/{store}/paths/azureml/{output.job}/{output.output}/"
