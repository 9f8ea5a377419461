"""MLflow tracking: calls are passed to the workspace's tracking process, and runs that clients start become jobs.

A run has the same id as its job. A run that a job's process writes belongs to a job that exists already; any other run,
such as a notebook's bare ``mlflow.start_run()``, becomes a job of the workspace that follows the run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.routes import WORKSPACE, Handler, Route
from mlops_kit.local.arm.wire import ArmError, Call, NotFoundError, Reply
from mlops_kit.local.plane import Plane

# Both versions of the service's path; azureml-mlflow uses v2.0.
SERVICE = f"/mlflow/{{version}}{WORKSPACE}"
API = f"{SERVICE}/{{api}}/2.0/mlflow"  # ``api``, or ``ajax-api`` from MLflow's pages
KIND = "mlflow"  # what ``private.kind`` of a job says where the job is a client's run

STATUS = {
    "RUNNING": "Running",
    "SCHEDULED": "Queued",
    "FINISHED": "Completed",
    "FAILED": "Failed",
    "KILLED": "Canceled",
}
_ERROR_CODES = {
    400: "INVALID_PARAMETER_VALUE",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_ALREADY_EXISTS",
    501: "NOT_IMPLEMENTED",
}
_PUBLIC = ("api/", "ajax-api/", "graphql")  # the process has other paths, for the control plane alone
_LOG_BATCH = "/mlflow/runs/log-batch"
_PARENT = "mlflow.parentRunId"
_NOTE = "mlflow.note.content"
_NAME = "mlflow.runName"


def mlflow_errors(handler: Handler) -> Handler:
    """Let a handler's errors have the shape that MLflow's client reads: ``{"error_code", "message"}``."""

    @wraps(handler)
    def answer(plane: Plane, call: Call) -> Reply:
        try:
            return handler(plane, call)
        except ArmError as error:
            code = _ERROR_CODES.get(error.status, "BAD_REQUEST")
            return Reply(error.status, {"error_code": code, "message": error.message})

    return answer


def forward(plane: Plane, call: Call) -> Reply:
    """Pass a call on to the tracking process of its workspace; 404 for paths that MLflow does not have."""
    rest = call.path.partition("/workspaces/")[2].partition("/")[2]
    if not rest.startswith(_PUBLIC):
        raise NotFoundError(f"The path '{rest}' of MLflow")
    return plane.tracking.forward(call.workspace, call, rest)


def _answered(reply: Reply) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(reply.body or b"{}") if reply.status == 200 else {}
    return answer


# Runs ------------------------------------------------------------------------------------------------------------


def _create_run(plane: Plane, call: Call) -> Reply:
    reply = forward(plane, call)
    if run := _answered(reply).get("run"):
        experiment = plane.tracking.experiment(call.workspace, run["info"]["experiment_id"])
        body, private = job_of(run, call.workspace, experiment["name"])
        stamped = ids.stamped(plane, body, None)
        stamped["systemData"]["createdAt"] = ids.timestamp(_moment(run["info"]["start_time"]))
        plane.store.put(stamped, private)
    return reply


def job_of(run: dict[str, Any], workspace: str, experiment: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the job resource of a client's run, and its private part.

    The service shows such runs as command jobs without code: azure-ai-ml knows no other type for a job that nothing
    submitted (1.35, ``entities/_job/job.py``).
    """
    from mlops_kit.local.providers.job_bodies import services  # which is built on this module

    info = run["info"]
    tags = {row["key"]: row["value"] for row in run.get("data", {}).get("tags", [])}
    properties = {
        "jobType": "Command",
        "status": STATUS[info["status"]],
        "displayName": info.get("run_name") or info["run_id"],
        "experimentName": experiment,
        "description": tags.get(_NOTE),
        "tags": {key: value for key, value in tags.items() if not key.startswith("mlflow.")},
        "properties": {key: tags[key] for key in ("mlflow.source.name", "mlflow.source.type", _PARENT) if key in tags},
        "isArchived": False,
        "command": tags.get("mlflow.source.name", ""),
        "computeId": None,
        "codeId": None,
        "environmentId": None,
        "inputs": {},
        "outputs": {},
        "services": services(workspace, info["run_id"]),
        "startTimeUtc": ids.timestamp(_moment(info["start_time"])),
    }
    if parent := tags.get(_PARENT):
        properties["parentJobName"] = parent
    body = {"id": f"{workspace}/jobs/{info['run_id']}", "properties": properties}
    return body, {"kind": KIND, "parent": tags.get(_PARENT, ""), "experiment_id": info["experiment_id"]}


def _moment(milliseconds: int | str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _change(plane: Plane, workspace: str, run_id: str, change: Callable[[dict[str, Any], bool], None]) -> None:
    """Apply a change to the properties of a run's job; ``change`` is told whether the job is a client's run."""
    with plane.store.transaction():
        job = plane.store.find(f"{workspace}/jobs/{run_id}")
        if job is None:
            return
        change(job.properties, job.private.get("kind") == KIND)
        plane.store.put(ids.stamped(plane, job.body, job))


def _update_run(plane: Plane, call: Call) -> Reply:
    reply = forward(plane, call)
    if info := _answered(reply).get("run_info"):

        def follow(properties: dict[str, Any], a_clients: bool) -> None:
            properties["displayName"] = info.get("run_name") or properties["displayName"]
            if a_clients:  # a job's own state is what its process did, not what its script told MLflow
                properties["status"] = STATUS[info["status"]]
                if info.get("end_time"):
                    properties["endTimeUtc"] = ids.timestamp(_moment(info["end_time"]))

        _change(plane, call.workspace, info["run_id"], follow)
    return reply


def _set_tag(plane: Plane, call: Call) -> Reply:
    reply = forward(plane, call)
    if reply.status == 200:
        body = call.json()
        _tag(plane, call.workspace, body, {body["key"]: body["value"]})
    return reply


def _log_batch_async(plane: Plane, call: Call) -> Reply:
    """Log a batch for azureml-mlflow, which asks for it to happen later; without a tracking id it asks no more."""
    return _log_batch(plane, replace(call, path=call.path.replace("/preview/mlflow/runs/log-batch-async", _LOG_BATCH)))


def _log_batch(plane: Plane, call: Call) -> Reply:
    reply = forward(plane, call)
    if reply.status == 200 and b'"tags"' in call.raw:
        body = call.json()
        _tag(plane, call.workspace, body, {row["key"]: row["value"] for row in body.get("tags", [])})
    return reply


def _tag(plane: Plane, workspace: str, body: dict[str, Any], tags: dict[str, str]) -> None:
    """Let a run's job have the tags, the name and the note that its run was given."""
    shown = {key: value for key, value in tags.items() if not key.startswith("mlflow.")}

    def follow(properties: dict[str, Any], _: bool) -> None:
        properties["tags"] = {**(properties.get("tags") or {}), **shown}
        properties["displayName"] = tags.get(_NAME, properties.get("displayName"))
        properties["description"] = tags.get(_NOTE, properties.get("description"))

    if shown or _NAME in tags or _NOTE in tags:
        _change(plane, workspace, _run_id(body), follow)


def _delete_tag(plane: Plane, call: Call) -> Reply:
    reply = forward(plane, call)
    if reply.status == 200:
        body = call.json()

        def follow(properties: dict[str, Any], _: bool) -> None:
            properties["tags"] = {key: value for key, value in properties["tags"].items() if key != body["key"]}

        _change(plane, call.workspace, _run_id(body), follow)
    return reply


def _run_id(body: dict[str, Any]) -> str:
    return str(body.get("run_id") or body.get("run_uuid") or "")


def _hide_run(hidden: bool) -> Handler:
    def handler(plane: Plane, call: Call) -> Reply:
        reply = forward(plane, call)
        if reply.status == 200:
            _change(plane, call.workspace, _run_id(call.json()), lambda job, _: job.update(isArchived=hidden))
        return reply

    return handler


# Experiments -----------------------------------------------------------------------------------------------------


def _change_experiment(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Handler:
    """Return a handler that passes the call on and then changes every job of the experiment."""

    def handler(plane: Plane, call: Call) -> Reply:
        body = call.json()
        before = plane.tracking.experiment(call.workspace, str(body.get("experiment_id", "")))
        reply = forward(plane, call)
        if reply.status == 200:
            for job in plane.store.list(f"{call.workspace}/jobs"):
                if job.properties.get("experimentName") == before["name"]:
                    _change(plane, call.workspace, str(job.body["name"]), lambda found, _: change(found, body))
        return reply

    return handler


def _rename(properties: dict[str, Any], body: dict[str, Any]) -> None:
    properties["experimentName"] = body["new_name"]


def _archive(properties: dict[str, Any], _: dict[str, Any]) -> None:
    properties["isArchived"] = True


def _restore(properties: dict[str, Any], _: dict[str, Any]) -> None:
    properties["isArchived"] = False


_FOLLOWED: dict[str, Handler] = {
    "runs/create": _create_run,
    "runs/update": _update_run,
    "runs/set-tag": _set_tag,
    "runs/delete-tag": _delete_tag,
    "runs/log-batch": _log_batch,
    "runs/delete": _hide_run(hidden=True),
    "runs/restore": _hide_run(hidden=False),
    "experiments/update": _change_experiment(_rename),
    "experiments/delete": _change_experiment(_archive),
    "experiments/restore": _change_experiment(_restore),
}
_ASYNC = f"{SERVICE}/{{api}}/2.0/preview/mlflow/runs/log-batch-async"
_PASSED_ON = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROUTES = (
    *(
        Route("POST", f"{API}/{path}", mlflow_errors(handler), slow=True, does="executed")
        for path, handler in _FOLLOWED.items()
    ),
    Route("POST", _ASYNC, mlflow_errors(_log_batch_async), slow=True, does="executed"),
    *(
        Route(method, f"{SERVICE}/{{rest*}}", mlflow_errors(forward), slow=True, does="executed")
        for method in _PASSED_ON
    ),
)
