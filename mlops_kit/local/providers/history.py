"""Run history: what the SDK reads to stream, download, update and archive a job.

The SDK reads a log whole, again and again, and remembers how many lines of it it has printed. So a log is served as it
is on disk, without its last line while that is not finished, as valid UTF-8, and never held in memory.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.routes import WORKSPACE, Route
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import BadRequestError, Call, NotFoundError, Reply
from mlops_kit.local.providers import datastores, jobs, mlflow
from mlops_kit.local.runs import states
from mlops_kit.local.runs.asset_types import MODELS
from mlops_kit.local.runs.work import LOGS, SYSTEM_LOGS, artifact_prefix, folder_of
from mlops_kit.local.settings import API_URL

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

_SERVICE = f"/history/v1.0{WORKSPACE}"
_SHOWN = (LOGS, SYSTEM_LOGS, "logs")  # the folders of a job's artefacts that are its logs
_CHUNK = 1 << 18
_FIELDS = {"displayName": "displayName", "description": "description", "hidden": "isArchived"}
_PAGE = 500


def run_of(job: Resource) -> dict[str, Any]:
    """Return a job as run history shows it."""
    properties = job.properties
    workspace, name = ids.workspace_of(job.id), str(job.body["name"])
    system = job.body["systemData"]
    compute = str(properties.get("computeId") or "").rpartition("/")[2]
    experiment = str(properties["experimentName"])
    shown = {
        "runId": name,
        "runUuid": ids.stable_guid(job.id),
        "parentRunId": properties.get("parentJobName"),
        "rootRunId": properties.get("parentJobName") or name,
        "experimentId": ids.stable_guid(workspace, experiment),
        "experimentName": experiment,
        "displayName": properties.get("displayName"),
        "description": properties.get("description"),
        "status": properties["status"],
        "createdUtc": system["createdAt"],
        "lastModifiedUtc": system["lastModifiedAt"],
        "startTimeUtc": properties.get("startTimeUtc"),
        "endTimeUtc": properties.get("endTimeUtc"),
        "target": compute or None,
        "compute": {"target": compute} if compute else None,
        "hidden": bool(properties.get("isArchived")),
        "runType": "azureml." + str(properties["jobType"]),
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
        "outputs": _outputs(name, properties.get("outputs") or {}),
    }
    return {key: value for key, value in shown.items() if value is not None}


def _outputs(job: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs that exist, under an address by which the data service finds them again.

    Models are shown as folders: azure-ai-ml 1.35.2 cannot ask where a model is (a TypeError in its own code).
    """
    kinds = {name: str(one.get("jobOutputType")) for name, one in given.items() if one and one.get("uri")}
    return {
        name: {"assetId": f"azureml://jobs/{job}/outputs/{name}", "type": "uri_folder" if kind in MODELS else kind}
        for name, kind in kinds.items()
    }


def _get(plane: Plane, call: Call) -> Reply:
    return Reply(200, run_of(_find(plane, call)))


def _find(plane: Plane, call: Call) -> Resource:
    return jobs.find(plane, call.workspace, call.params["run"])


def _details(plane: Plane, call: Call) -> Reply:
    job = _find(plane, call)
    status = _status_to_reader(plane, job)
    shown = {key: value for key, value in run_of(job).items() if key not in {"outputs", "compute"}}
    shown |= {"status": status, "logFiles": _links(plane, job)}
    if warnings := job.private.get("warnings"):
        shown["warnings"] = [{"source": "environment", "message": one} for one in warnings]
    if (error := job.private.get("error")) and job.properties["status"] in states.FINAL:
        shown["error"] = {"error": error, "environment": "local", "location": "local"}
    return Reply(200, shown)


def _status_to_reader(plane: Plane, job: Resource) -> str:
    """Return the status for someone who follows a job: its very first reader, if late, is told Finalizing once.

    The SDK prints no log of a job that has ended before it looks; a job here often ends before anybody can look.
    """
    status = str(job.properties["status"])
    if job.private.get("read") or job.private.get("kind") == mlflow.KIND:
        return status
    states.note(plane, job.id, private={"read": True})
    return states.FINALIZING if status in states.FINAL else status


# Logs ------------------------------------------------------------------------------------------------------------


def _run_folder(plane: Plane, workspace: str, name: str) -> Path:
    return folder_of(plane.settings, ids.workspace_guid(plane, workspace), name)


def _log_names(plane: Plane, workspace: str, name: str) -> list[str]:
    """Return the logs of a job: those on disk while it runs, those among its artefacts afterwards."""
    folder = _run_folder(plane, workspace, name)
    found = [file for top in (LOGS, SYSTEM_LOGS) for file in sorted((folder / top).glob("*")) if file.is_file()]
    if found:
        return [file.relative_to(folder).as_posix() for file in found]
    container = datastores.container(plane, workspace, datastores.ARTIFACTS)
    start = f"{artifact_prefix(name)}/"
    names = [blob.name[len(start) :] for blob in plane.blobs.list(container, start)]
    return [one for one in names if one.partition("/")[0] in _SHOWN]


def _links(plane: Plane, job: Resource) -> dict[str, str]:
    workspace, name = ids.workspace_of(job.id), str(job.body["name"])
    return {log: log_url(plane, workspace, name, log) for log in _log_names(plane, workspace, name)}


def log_url(plane: Plane, workspace: str, job: str, log: str) -> str:
    """Return a signed address of a log; it serves what there is at the time, also while the job writes it."""
    path = f"/history/v1.0{workspace}/runs/{job}/log/{log}"
    return f"{API_URL}{quote(path)}?{urlencode({'sig': plane.signer.sign(path.lower())})}"


def _log(plane: Plane, call: Call) -> Reply:
    plane.signer.check(call.path.lower(), call.query.get("sig", ""))
    job, path = _find(plane, call), call.params["path"]
    if ".." in path.split("/") or path.partition("/")[0] not in _SHOWN:
        raise BadRequestError(f"'{path}' is not a log of a job.")
    file = _run_folder(plane, call.workspace, str(job.body["name"])) / path
    kind = {"content-type": "text/plain; charset=utf-8"}
    if file.is_file():
        ended = job.properties["status"] in states.FINAL
        return Reply(200, _valid(_read(file, whole=ended)), kind)
    container = datastores.container(plane, call.workspace, datastores.ARTIFACTS)
    blob = f"{artifact_prefix(str(job.body['name']))}/{path}"
    if not plane.blobs.exists(container, blob):
        raise NotFoundError(f"The log '{path}'")
    return Reply(200, _valid(plane.blobs.stream(container, blob)), kind)


def _read(file: Path, *, whole: bool) -> Iterator[bytes]:
    """Yield a file as it is now; without a last line that has no end yet, unless ``whole``."""
    with file.open("rb") as stream:
        left = os.fstat(stream.fileno()).st_size if whole else _end_of_lines(file)
        while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk


def _end_of_lines(file: Path) -> int:
    """Return the position after the last line break of a file."""
    with file.open("rb") as stream:
        at = os.fstat(stream.fileno()).st_size
        while at > 0:
            start = max(0, at - _CHUNK)
            stream.seek(start)
            found = stream.read(at - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            at = start
    return 0


def _valid(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Replace what is not UTF-8: the SDK decodes strictly."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


# Runs and experiments --------------------------------------------------------------------------------------------


def _children(plane: Plane, call: Call) -> Reply:
    parent = str(_find(plane, call).body["name"])
    return _page(call, _sorted(plane, call, lambda job: job.properties.get("parentJobName") == parent))


def _sorted(plane: Plane, call: Call, wanted: Any) -> list[Resource]:
    return [job for job in plane.store.list(f"{call.workspace}/jobs", newest_first=True) if wanted(job)]


def _page(call: Call, found: list[Resource]) -> Reply:
    top, skip = int(call.query.get("$top") or _PAGE), int(call.query.get("$continuationtoken") or 0)
    body: dict[str, Any] = {"value": [run_of(job) for job in found[skip : skip + top]]}
    if skip + top < len(found) and "$top" not in call.query:
        body["continuationToken"] = str(skip + top)
        query = urlencode({**call.query, "$continuationtoken": skip + top})
        body["nextLink"] = f"{API_URL}{quote(call.path)}?{query}"
    return Reply(200, body)


def _change(plane: Plane, call: Call) -> Reply:
    """Answer PATCH of a run with what it changes: names, tags, properties, hidden (which is: archived)."""
    job, sent = _find(plane, call), call.json()
    change = {_FIELDS[key]: value for key, value in sent.items() if key in _FIELDS and value is not None}
    for key in ("tags", "properties"):
        if sent.get(key):
            change[key] = {name: str(value) for name, value in sent[key].items()}
    changed = jobs.describe(plane, job.id, change)
    if "tags" in change and job.properties["status"] != states.QUEUED:
        name = str(job.body["name"])
        if plane.tracking.run(call.workspace, name):
            plane.tracking.update_tags(call.workspace, name, change["tags"])
    return Reply(200, run_of(changed))


def _cancel(plane: Plane, call: Call) -> Reply:
    job = _find(plane, call)
    jobs.cancel(plane, job)
    return Reply(200, run_of(plane.store.get(job.id)))


def _data(plane: Plane, call: Call) -> Reply:
    name = str(call.json().get("runId", ""))
    return Reply(200, {"runMetadata": run_of(jobs.find(plane, call.workspace, name))})


def _query(plane: Plane, call: Call) -> Reply:
    """Answer a query for runs; a filter expression is refused rather than passed over."""
    if call.json().get("filter"):
        raise BadRequestError("Run history has no filter expressions here; use MLflow's search_runs.", target="filter")
    experiment = call.params.get("experiment")
    return _page(call, _sorted(plane, call, lambda job: experiment in {None, job.properties["experimentName"]}))


def _experiments(plane: Plane, call: Call) -> Reply:
    names = dict.fromkeys(str(job.properties["experimentName"]) for job in _sorted(plane, call, lambda _: True))
    return Reply(200, {"value": [_experiment_of(call.workspace, name) for name in names]})


def _experiment(plane: Plane, call: Call) -> Reply:
    name = call.params["experiment"]
    if not _sorted(plane, call, lambda job: job.properties["experimentName"] == name):
        raise NotFoundError(f"The experiment '{name}'")
    return Reply(200, _experiment_of(call.workspace, name))


def _experiment_of(workspace: str, name: str) -> dict[str, Any]:
    return {"experimentId": ids.stable_guid(workspace, name), "name": name, "archivedTime": None, "tags": {}}


def _service_instances(plane: Plane, call: Call) -> Reply:
    _find(plane, call)
    return Reply(200, {"instances": {}})


_RUN = f"{_SERVICE}/runs/{{run}}"
_IN_EXPERIMENT = f"{_SERVICE}/experiments/{{experiment}}"
_EXPERIMENT_RUN = f"{_IN_EXPERIMENT}/runs/{{run}}"
ROUTES = (
    *(
        row
        for run in (_RUN, _EXPERIMENT_RUN)
        for row in (
            Route("GET", run, _get),
            Route("PATCH", run, _change, slow=True),
            Route("GET", f"{run}/details", _details, slow=True, does="executed"),
            Route("GET", f"{run}/children", _children),
            Route("POST", f"{run}/cancel", _cancel, slow=True, does="executed"),
        )
    ),
    Route("GET", f"{_RUN}/log/{{path*}}", _log, slow=True, open=True, does="executed"),
    Route("GET", f"{_RUN}/serviceinstances/{{node}}", _service_instances),
    Route("POST", f"{_SERVICE}/rundata", _data),
    Route("POST", f"{_SERVICE}/runs:query", _query),
    Route("POST", f"{_IN_EXPERIMENT}/runs:query", _query),
    Route("POST", f"{_SERVICE}/experiments:query", _experiments),
    Route("GET", f"{_SERVICE}/experiments", _experiments),
    Route("GET", _IN_EXPERIMENT, _experiment),
)
