"""MLflow artefacts: files of runs, logged models and registered models, kept where the jobs' artefacts are.

A client's path is one of: ``ExperimentRun/dcid.<run>/...`` (a run's files), ``ExperimentRun/models/<id>/...`` (a logged
model without a run), ``LocalUpload/...`` and, to read only, ``models/<name>/versions/<version>/...`` (a registered
model, wherever its files are).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mlops_kit.local import uris
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.wire import BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.plane import Plane
from mlops_kit.local.providers import datastores, versions
from mlops_kit.local.providers.mlflow import API, SERVICE, forward, mlflow_errors
from mlops_kit.local.tracking import ARTIFACT_ROOT, artifact_url

_ARTIFACTS = f"{SERVICE}/{{api}}/2.0/mlflow-artifacts"
_ROOTS = (ARTIFACT_ROOT, "LocalUpload")
# What the client looks for before it falls back to a plain PUT or GET (mlflow/exceptions.py).
_UNSUPPORTED = "{} is not supported for the current artifact repository"


def safe(path: str) -> str:
    """Return a client's path without slashes at its ends; 400 where it could leave its folder."""
    parts = path.strip("/").split("/")
    if any(part in {"", ".", ".."} or "\\" in part or "\x00" in part or "%2e" in part.lower() for part in parts):
        raise BadRequestError(f"Invalid path: '{path}'.")
    return "/".join(parts)


def place(plane: Plane, workspace: str, path: str) -> tuple[str, str]:
    """Return the container and the blob path (or prefix) of a client's path; 400 outside the known folders."""
    path = safe(path)
    root, _, rest = path.partition("/")
    if root in _ROOTS and rest:
        return datastores.container(plane, workspace, datastores.ARTIFACTS), path
    if root == "models":
        name, _, rest = rest.partition("/")
        _, _, rest = rest.partition("/")
        version, _, rest = rest.partition("/")
        found = versions.find_version(plane, workspace, "models", name, version)
        container, prefix = uris.resolve(plane, uris.parse(str(found.properties["modelUri"]), workspace))
        return container, "/".join(part for part in (prefix.strip("/"), rest) if part)
    raise BadRequestError(f"Invalid path: '{path}'.")


def client_url(workspace: str, path: str) -> str:
    """Return the URL of a client's path."""
    return f"{artifact_url(workspace).removesuffix(f'/{ARTIFACT_ROOT}')}/{quote(path)}"


def client_path(workspace: str, url: str) -> str:
    """Return the path in a URL of ours, or '' where the URL is another's. Workspace ids compare in any letter case."""
    root = artifact_url(workspace).removesuffix(ARTIFACT_ROOT)
    if url.startswith("mlflow-artifacts:"):
        return url.removeprefix("mlflow-artifacts:").lstrip("/")
    for version in ("v1.0", "v2.0"):
        start = root.replace("/mlflow/v1.0/", f"/mlflow/{version}/")
        if url.lower().startswith(start.lower()):
            return url[len(start) :]
    return ""


def files_below(plane: Plane, container: str, prefix: str, shown: str = "") -> list[dict[str, Any]]:
    """Return what is directly below a folder, as MLflow lists it; ``shown`` goes before each name. A file has none."""
    start = f"{prefix.rstrip('/')}/"
    found: dict[str, dict[str, Any]] = {}
    for blob in plane.blobs.list(container, start):
        name, slash, _ = blob.name[len(start) :].partition("/")
        path = f"{shown}/{name}" if shown else name
        if slash:
            found[name] = {"path": path, "is_dir": True}
        elif name:
            found.setdefault(name, {"path": path, "is_dir": False, "file_size": blob.size})
    return [found[name] for name in sorted(found)]


def content(plane: Plane, container: str, path: str) -> Reply:
    """Return a file as a stream with its length; 404 where it is missing."""
    size = plane.blobs.size(container, path)
    name = quote(path.rpartition("/")[2])
    headers = {
        "content-type": "application/octet-stream",
        "content-length": str(size),
        "content-disposition": f"attachment; filename*=UTF-8''{name}",
        "x-content-type-options": "nosniff",
    }
    return Reply(200, plane.blobs.stream(container, path) if size else b"", headers)


def _list(plane: Plane, call: Call) -> Reply:
    container, prefix = place(plane, call.workspace, call.query.get("path", ""))
    return Reply(200, {"files": files_below(plane, container, prefix)})


def _get(plane: Plane, call: Call) -> Reply:
    return content(plane, *place(plane, call.workspace, call.params["path"]))


def _put(plane: Plane, call: Call) -> Reply:
    plane.blobs.put(*_writable(plane, call), call.raw)
    return Reply(200, {})


def _delete(plane: Plane, call: Call) -> Reply:
    container, path = _writable(plane, call)
    plane.blobs.delete(container, path)
    return Reply(200, {})


def _writable(plane: Plane, call: Call) -> tuple[str, str]:
    path = call.params["path"]
    if path.startswith("models/"):
        raise BadRequestError(f"The files of a registered model cannot be changed: '{path}'.")
    return place(plane, call.workspace, path)


def _plain_only(plane: Plane, call: Call) -> Reply:  # noqa: ARG001  a handler's signature
    what = "Multipart upload" if "/mpu/" in call.path else "Presigned download"
    if call.method == "POST" and "/mpu/" not in call.path:
        what = "Presigned upload"
    return Reply(501, {"error_code": "NOT_IMPLEMENTED", "message": _UNSUPPORTED.format(what)})


def _run_place(plane: Plane, call: Call) -> tuple[str, str, str]:
    """Return the container, the prefix of the run that the query names, and the path in it."""
    run_id = call.query.get("run_id") or call.query.get("run_uuid") or ""
    if not plane.tracking.run(call.workspace, run_id):
        raise NotFoundError(f"Run with id={run_id}")
    container = datastores.container(plane, call.workspace, datastores.ARTIFACTS)
    path = call.query.get("path", "").strip("/")
    return container, f"{ARTIFACT_ROOT}/dcid.{run_id}", safe(path) if path else ""


def _run_list(plane: Plane, call: Call) -> Reply:
    container, root, path = _run_place(plane, call)
    files = files_below(plane, container, f"{root}/{path}", path)
    return Reply(200, {"root_uri": client_url(call.workspace, root), "files": files})


def _run_file(plane: Plane, call: Call) -> Reply:
    container, root, path = _run_place(plane, call)
    return content(plane, container, f"{root}/{path}")


def _create_logged_model(plane: Plane, call: Call) -> Reply:
    """Create a logged model; as on Azure ML, a run's folder of that name holds the model that was logged last."""
    body = call.json()
    if body.get("source_run_id") and body.get("name"):
        moved = plane.tracking.displace_model(call.workspace, body["source_run_id"], body["name"])
        if moved:
            old, new = (place(plane, call.workspace, client_path(call.workspace, url)) for url in moved)
            _move(plane, old, new)
    return forward(plane, call)


def _move(plane: Plane, old: tuple[str, str], new: tuple[str, str]) -> None:
    for blob in plane.blobs.list(old[0], f"{old[1]}/"):
        plane.blobs.copy(blob, old[0], new[0], new[1] + blob.name[len(old[1]) :])
    plane.blobs.delete(old[0], f"{old[1]}/")


def _model_place(plane: Plane, call: Call, path: str) -> tuple[str, str, str]:
    model = plane.tracking.logged_model(call.workspace, call.params["model"])
    root = str(model["info"]["artifact_uri"])
    container, prefix = place(plane, call.workspace, client_path(call.workspace, root))
    return container, f"{prefix}/{safe(path)}" if path else prefix, root


def _model_list(plane: Plane, call: Call) -> Reply:
    path = call.query.get("artifact_directory_path", "").strip("/")
    container, prefix, root = _model_place(plane, call, path)
    return Reply(200, {"root_uri": root, "files": files_below(plane, container, prefix, path)})


def _model_file(plane: Plane, call: Call) -> Reply:
    container, prefix, _ = _model_place(plane, call, call.query.get("artifact_file_path", ""))
    return content(plane, container, prefix)


# The artifact service of Azure ML, as azureml-mlflow calls it for files that belong to no run ---------------------

_SERVICE_FILES = f"/artifact/{{version}}{WORKSPACE}/artifacts/{{origin}}/{{container}}"


def _service_path(call: Call, path: str) -> str:
    return safe("/".join(part for part in (call.params["origin"], call.params["container"], path) if part))


def _service_link(plane: Plane, call: Call, path: str, permissions: str) -> dict[str, Any]:
    container, blob = place(plane, call.workspace, _service_path(call, path))
    link = plane.blobs.sas_url(container, blob, permissions)
    names = {"origin": call.params["origin"], "container": call.params["container"], "path": path}
    return {"contentUri": link, **names}


def _service_create(plane: Plane, call: Call) -> Reply:
    paths = [str(row["path"]) for row in call.json().get("paths", [])]
    links = {path: _service_link(plane, call, path, "rw") for path in paths}
    artifacts = {path: {key: link[key] for key in ("origin", "container", "path")} for path, link in links.items()}
    return Reply(200, {"artifacts": artifacts, "artifactContentInformation": links, "errors": {}})


def _service_info(plane: Plane, call: Call) -> Reply:
    path = call.query.get("path", "")
    plane.blobs.size(*place(plane, call.workspace, _service_path(call, path)))  # 404 where it is missing
    return Reply(200, _service_link(plane, call, path, "r"))


def _service_list(plane: Plane, call: Call) -> Reply:
    container, prefix = place(plane, call.workspace, _service_path(call, ""))
    start = f"{prefix}/"
    rows = [{**call.params, "path": blob.name[len(start) :]} for blob in plane.blobs.list(container, start)]
    return Reply(200, {"value": rows, "continuationToken": None, "nextLink": None})


def _executed(method: str, template: str, handler: Any) -> Route:
    return Route(method, template, mlflow_errors(handler), slow=True, does="executed")


ROUTES = (
    _executed("GET", f"{_ARTIFACTS}/artifacts", _list),
    _executed("GET", f"{_ARTIFACTS}/artifacts/{{path*}}", _get),
    _executed("PUT", f"{_ARTIFACTS}/artifacts/{{path*}}", _put),
    _executed("DELETE", f"{_ARTIFACTS}/artifacts/{{path*}}", _delete),
    _executed("POST", f"{_ARTIFACTS}/{{rest*}}", _plain_only),
    _executed("GET", f"{_ARTIFACTS}/{{rest*}}", _plain_only),
    _executed("GET", f"{API}/artifacts/list", _run_list),
    _executed("GET", f"{SERVICE}/get-artifact", _run_file),
    _executed("POST", f"{API}/logged-models", _create_logged_model),
    _executed("GET", f"{API}/logged-models/{{model}}/artifacts/directories", _model_list),
    _executed("GET", f"{API}/logged-models/{{model}}/artifacts/files", _model_file),
    Route("POST", f"{_SERVICE_FILES}/batch/metadata", _service_create, slow=True, does="executed"),
    Route("GET", f"{_SERVICE_FILES}/contentinfo", _service_info, slow=True, does="executed"),
    Route("GET", _SERVICE_FILES, _service_list, slow=True, does="executed"),
)
