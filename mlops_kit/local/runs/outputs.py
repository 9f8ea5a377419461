"""The outputs of a job: where its command writes them, and where they are kept and registered when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_kit.local import uris
from mlops_kit.local.arm.wire import ArmError, BadRequestError, concerning
from mlops_kit.local.providers import data, datastores, models, versions
from mlops_kit.local.providers.versions import Draft
from mlops_kit.local.runs.asset_types import DATA, FILE, MODELS
from mlops_kit.local.runs.states import JobFailedError

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

DEFAULT_MODE = "ReadWriteMount"
MODES = (DEFAULT_MODE, "Upload", "Direct")
ARTIFACTS = "artifacts"  # the name under which a job can declare what it leaves in ``outputs`` and ``logs``


@dataclass(frozen=True, slots=True)
class Output:
    """One output: ``text`` is what the command gets, a path or an address; ``uri`` is where it is kept."""

    name: str
    kind: str
    mode: str
    uri: str
    container: str
    path: str  # of the blob, or the prefix of the blobs
    text: str
    asset_name: str = ""
    asset_version: str = ""

    @property
    def is_file(self) -> bool:
        """Say whether the output is one file."""
        return self.kind == FILE


def completed(plane: Plane, workspace: str, name: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return an output with what the service fills in; 400 where it cannot be. No address is made up yet."""
    whole = dict(given or {})
    kind = whole.setdefault("jobOutputType", "uri_folder")
    mode = whole["mode"] = whole.get("mode") or DEFAULT_MODE
    target = f"outputs.{name}"
    if kind not in (*DATA, *MODELS):
        known = ", ".join((*DATA, *MODELS))
        raise BadRequestError(f"The output '{name}' has the type '{kind}'; known types: {known}.", target=target)
    if mode not in MODES:
        known = ", ".join(MODES)
        raise BadRequestError(f"The output '{name}' has the mode '{mode}'; known modes: {known}.", target=target)
    if uri := whole.get("uri"):
        with concerning(f"{target}.uri"):
            location = uris.parse(_filled(plane, workspace, str(uri), "job", name), workspace)
            if not isinstance(location, uris.DatastorePath | uris.BlobPath):
                raise BadRequestError(f"The output '{name}' cannot be written to '{uri}'.", target=target)
            uris.resolve(plane, location)
    return whole


def place(plane: Plane, job_id: str, name: str, given: Mapping[str, Any], folder: Path) -> Output:
    """Decide where an output is written and kept, and make the folder that its command may rely on.

    For a file that is the folder around it: the path itself must not exist.
    """
    workspace, _, job = job_id.rpartition("/jobs/")
    kind, mode = str(given["jobOutputType"]), str(given["mode"])
    uri = _filled(plane, workspace, str(given.get("uri") or _default_uri(name, kind)), job, name)
    if kind == FILE and uri.endswith("/"):
        uri += name
    container, path = uris.resolve(plane, uris.parse(uri, workspace))
    local = folder / (path.rpartition("/")[2] if kind == FILE else "")
    if mode == "Direct":
        text = uris.long_form(uris.parse(uri, workspace)) or uri
    else:
        folder.mkdir(parents=True)
        text = str(local)
    named = {"asset_name": str(given.get("assetName") or ""), "asset_version": str(given.get("assetVersion") or "")}
    output = Output(name, kind, mode, uri, container, path, text, **named)
    if mode == DEFAULT_MODE and given.get("uri"):
        _show_present(plane, output)
    return output


def _default_uri(name: str, kind: str) -> str:
    if name == ARTIFACTS:
        return f"azureml://datastores/{datastores.ARTIFACTS}/paths/ExperimentRun/dcid.${{{{name}}}}/"
    end = "" if kind == FILE else "/"
    return f"azureml://datastores/${{{{default_datastore}}}}/paths/azureml/${{{{name}}}}/${{{{output_name}}}}{end}"


def _filled(plane: Plane, workspace: str, uri: str, job: str, name: str) -> str:
    tokens = {
        "name": job,
        "output_name": name,
        "default_datastore": datastores.default_datastore(plane, workspace),
    }
    for token, value in tokens.items():
        uri = uri.replace(f"${{{{{token}}}}}", value)
    return uri


def _show_present(plane: Plane, output: Output) -> None:
    """Let a mount show what is at its place already."""
    if not output.is_file and plane.blobs.list(output.container, f"{output.path.rstrip('/')}/"):
        plane.blobs.download_tree(output.container, output.path, Path(output.text))


def check(plane: Plane, output: Output) -> None:
    """Raise JobFailedError for an output that was not written."""
    if output.name == ARTIFACTS:
        return
    local = Path(output.text)
    if output.mode == "Direct":
        written = bool(plane.blobs.list(output.container, output.path))
    elif output.is_file:
        written = local.is_file()
    else:
        written = any(file.is_file() for file in local.rglob("*"))
    if not written:
        raise JobFailedError(f"The output '{output.name}' was not written: {_expected(output)}.")


def _expected(output: Output) -> str:
    if output.is_file:
        found = " (a folder is there)" if Path(output.text).is_dir() else ""
        return f"no file was left at ${{{{outputs.{output.name}}}}}{found}"
    return f"no file was left in the folder ${{{{outputs.{output.name}}}}}"


def keep(plane: Plane, output: Output) -> None:
    """Upload what the command wrote; nothing where it wrote nothing."""
    local = Path(output.text)
    if output.mode == "Direct" or not local.exists():
        return
    if local.is_file():
        plane.blobs.upload_file(output.container, output.path, local)
    else:
        plane.blobs.upload_tree(output.container, output.path, local)


def registered(plane: Plane, workspace: str, job: str, output: Output) -> dict[str, Any]:
    """Return the output as the finished job shows it, after registering it where it has an asset name."""
    shown: dict[str, Any] = {"jobOutputType": output.kind, "mode": output.mode, "uri": output.uri}
    if not output.asset_name:
        return shown
    try:
        version = _register(plane, workspace, job, output)
    except ArmError as error:
        what = f"{output.asset_name}:{output.asset_version}" if output.asset_version else output.asset_name
        raise JobFailedError(f"The output '{output.name}' could not be registered as '{what}': {error}") from error
    return {**shown, "assetName": output.asset_name, "assetVersion": version}


def _register(plane: Plane, workspace: str, job: str, output: Output) -> str:
    if output.kind in MODELS:
        kind, sent = models.KIND, {"modelUri": output.uri, "modelType": output.kind, "jobName": job}
    else:
        kind, sent = data.KIND, {"dataUri": output.uri, "dataType": output.kind}
    draft = Draft(workspace, output.asset_name, output.asset_version, sent)
    return versions.version_of(versions.write(plane, kind, draft)[0])
