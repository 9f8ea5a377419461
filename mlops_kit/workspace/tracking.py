"""What a job logged: metrics and parameters through MLflow's REST API of the workspace.

MLflow itself is not asked: it takes seconds to import and is not part of the ``azure`` extra.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Logged:
    """Last value of every metric, and the parameters, of a run."""

    metrics: dict[str, float] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric; ``at`` in milliseconds since the epoch."""

    value: float
    step: int
    at: int


def open_tracking(uri: str, credential: Any, scope: str) -> Any:
    """Return an azure-core client for a workspace's tracking URI (``azureml://`` is https under another name)."""
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy

    address = uri.replace("azureml://", "https://", 1).partition("?")[0]
    return PipelineClient(address, policies=[RetryPolicy(), BearerTokenCredentialPolicy(credential, scope)])


def logged(client: Any, job: str) -> Logged:
    """Return what a job logged; a job that never started a run has logged nothing."""
    reply = _get(client, "runs/get", run_id=job)
    if reply is None:
        return Logged()
    return _data(reply["run"])


def _data(run: Mapping[str, Any]) -> Logged:
    data = run.get("data", {})
    return Logged(
        {each["key"]: float(each["value"]) for each in data.get("metrics", [])},
        {each["key"]: each["value"] for each in data.get("params", [])},
    )


def children(client: Any, experiment: str, parent: str, now: float) -> dict[str, tuple[Logged, float | None]]:
    """Return what the runs below another one logged and for how many seconds they ran, by their names."""
    ids = _ids(client, {experiment})
    if not ids:
        return {}
    below = f"tags.mlflow.parentRunId = '{parent}'"
    found = _page(client, "runs/search", "runs", experiment_ids=ids, filter=below)
    return {each["info"]["run_id"]: (_data(each), _seconds(each["info"], now)) for each in found}


def _ids(client: Any, experiments: Collection[str]) -> list[str]:
    known = _page(client, "experiments/search", "experiments")
    return [each["experiment_id"] for each in known if each["name"] in experiments]


def durations(client: Any, experiments: Collection[str], now: float) -> dict[str, float]:
    """Return for how many seconds the newest runs of experiments ran, those that still run until ``now``."""
    ids = _ids(client, experiments)
    if not ids:
        return {}
    found = _page(client, "runs/search", "runs", experiment_ids=ids, order_by=["attributes.start_time DESC"])
    spans = {each["info"]["run_id"]: _seconds(each["info"], now) for each in found}
    return {run: seconds for run, seconds in spans.items() if seconds is not None}


def _seconds(info: Mapping[str, Any], now: float) -> float | None:
    """Return how long a run took; None where its end is before its start, as on a clock that was moved meanwhile."""
    start, end = int(info.get("start_time") or 0), int(info.get("end_time") or now * 1000)
    return round((end - start) / 1000, 1) if 0 < start <= end else None


def _page(client: Any, call: str, what: str, **body: Any) -> list[dict[str, Any]]:
    """Return the first page of a search, the largest that the service gives."""
    from azure.core.rest import HttpRequest

    address = client.format_url(f"api/2.0/mlflow/{call}")
    reply = client.send_request(HttpRequest("POST", address, json={"max_results": PAGE, **body}))
    reply.raise_for_status()
    return list(reply.json().get(what, []))


def history(client: Any, job: str, metric: str) -> tuple[Point, ...]:
    """Return every value of a metric in the order of steps and times."""
    points = (
        Point(float(each["value"]), int(each.get("step", 0)), int(each.get("timestamp", 0)))
        for each in _pages(client, job, metric)
    )
    return tuple(sorted(points, key=lambda point: (point.step, point.at)))


def _pages(client: Any, job: str, metric: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of a metric's history, page after page."""
    token: str | None = None
    while True:
        extra = {"page_token": token} if token else {}
        reply = _get(client, "metrics/get-history", run_id=job, metric_key=metric, max_results=PAGE, **extra) or {}
        yield from reply.get("metrics", [])
        token = reply.get("next_page_token")
        if not token:
            return


def _get(client: Any, call: str, **parameters: Any) -> dict[str, Any] | None:
    """Return the JSON of a GET, or None for 404."""
    from azure.core.rest import HttpRequest

    address = client.format_url(f"api/2.0/mlflow/{call}")
    reply = client.send_request(HttpRequest("GET", address, params=parameters))
    if reply.status_code == 404:
        return None
    reply.raise_for_status()
    document: dict[str, Any] = reply.json()
    return document
