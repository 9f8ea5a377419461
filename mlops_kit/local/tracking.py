"""The door to MLflow: one tracking process per workspace, started when first needed, stopped with the control plane."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from mlops_kit.local.arm.store import ResourceStore
from mlops_kit.local.arm.wire import ArmError, Call, NotFoundError, Reply
from mlops_kit.local.settings import API_URL, LocalSettings

ARTIFACT_ROOT = "ExperimentRun"
_SECRET_HEADER = "X-Tracking-Secret"  # noqa: S105  the name of a header
_START_SECONDS = 120
_API = "api/2.0/mlflow"
_STOPPED = "The tracking process of this workspace did not start"


def tracking_url(workspace_id: str) -> str:
    """Return the tracking URI of a workspace, as its property ``mlFlowTrackingUri`` has it."""
    return f"{API_URL}/mlflow/v1.0{workspace_id}"


def artifact_url(workspace_id: str) -> str:
    """Return the URL under which the artefacts of all runs of a workspace are read and written."""
    return f"{tracking_url(workspace_id)}/api/2.0/mlflow-artifacts/artifacts/{ARTIFACT_ROOT}"


@dataclass(slots=True)
class _Child:
    """A running tracking process, and the kept-alive connections to it: one per calling thread."""

    process: subprocess.Popen[bytes]
    port: int
    secret: str
    connections: threading.local = field(default_factory=threading.local)

    def send(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Ask once; a connection that the process has closed is replaced and the question repeated."""
        for last in (False, True):
            connection = getattr(self.connections, "value", None)
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
                self.connections.value = connection
            try:
                connection.request(method, target, body, {**headers, _SECRET_HEADER: self.secret})
                answer = connection.getresponse()
                return Reply(answer.status, answer.read(), {"content-type": answer.getheader("Content-Type", "")})
            except (OSError, http.client.HTTPException):
                connection.close()
                self.connections.value = None
                if last:
                    raise
        raise AssertionError(target)

    def stop(self) -> None:
        """End the process by closing its standard input."""
        if self.process.stdin:
            with suppress(OSError):
                self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Tracking:
    """The tracking processes of this instance. ``workspace_id`` is everywhere the ARM id of a workspace.

    Each workspace has a database of its own, named after its ``workspaceId``, so that a workspace that is deleted and
    created again starts empty.
    """

    def __init__(self, settings: LocalSettings, store: ResourceStore | None = None) -> None:
        self._settings = settings
        self._resources = store or ResourceStore(settings.database)
        self._children: dict[str, _Child] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._beginning: dict[Future[str], str] = {}  # runs that are being created -> their workspace
        self._stopping = False

    def warm(self, workspace_id: str) -> None:
        """Start the process of a workspace in the background."""
        threading.Thread(target=self._child, args=(workspace_id,), name="tracking", daemon=True).start()

    def ensure_run(
        self,
        workspace_id: str,
        run_id: str,
        experiment: str,
        *,
        name: str = "",
        tags: dict[str, str] | None = None,
        start_ms: int | None = None,
    ) -> str:
        """Create the run of a job where it is missing; return the id of its experiment."""
        start = int(time.time() * 1000) if start_ms is None else start_ms
        body = {"experiment": experiment, "name": name, "tags": tags or {}, "start_ms": start}
        answer = self._ask(workspace_id, "PUT", f"internal/runs/{quote(run_id, safe='')}", body)
        return str(answer["experiment_id"])

    def begin_run(
        self, workspace_id: str, run_id: str, experiment: str, *, name: str, tags: dict[str, str], start_ms: int
    ) -> Future[str]:
        """Create the run of a job in the background, as ``ensure_run`` does; who asks for runs meanwhile, waits.

        So a job need not wait for a tracking process that is only starting: its own first call will.
        """
        begun: Future[str] = Future()
        self._beginning[begun] = workspace_id.lower()

        def create() -> None:
            try:
                begun.set_result(
                    self.ensure_run(workspace_id, run_id, experiment, name=name, tags=tags, start_ms=start_ms)
                )
            except BaseException as fault:  # noqa: BLE001  whoever asks for the result gets it
                begun.set_exception(fault)
            finally:
                self._beginning.pop(begun, None)

        threading.Thread(target=create, name=f"run {run_id}", daemon=True).start()
        return begun

    def _await_begun(self, workspace_id: str) -> None:
        wait([begun for begun, of in list(self._beginning.items()) if of == workspace_id.lower()])

    def finish_run(self, workspace_id: str, run_id: str, status: str, end_ms: int) -> None:
        """Set the final status (FINISHED, FAILED, KILLED) of a run."""
        body = {"run_id": run_id, "status": status, "end_time": end_ms}
        self._ask(workspace_id, "POST", f"{_API}/runs/update", body)

    def copy_run(
        self,
        workspace_id: str,
        source: str,
        target: str,
        *,
        experiment: str,
        title: str,
        tags: dict[str, str],
        status: str,
    ) -> None:
        """Create a run that has ended and shows the last metrics and the parameters of another one."""
        earlier = self.run(workspace_id, source)
        info = earlier.get("info", {})
        start, end = int(info.get("start_time", 0)), int(info.get("end_time", info.get("start_time", 0)))
        self.ensure_run(workspace_id, target, experiment, name=title, tags=tags, start_ms=start)
        metrics = [
            {"key": key, "value": value, "timestamp": end, "step": 0}
            for key, value in earlier.get("metrics", {}).items()
        ]
        params = [{"key": key, "value": value} for key, value in earlier.get("params", {}).items()]
        if metrics or params:
            batch = {"run_id": target, "metrics": metrics, "params": params}
            self._ask(workspace_id, "POST", f"{_API}/runs/log-batch", batch)
        self.finish_run(workspace_id, target, status, end)

    def run(self, workspace_id: str, run_id: str) -> dict[str, Any]:
        """Return ``metrics``, ``params``, ``tags``, ``status`` and ``info`` of a run; empty where it is missing."""
        self._child(workspace_id)  # a missing workspace is an error, a missing run is not
        self._await_begun(workspace_id)
        try:
            found = self._ask(workspace_id, "GET", f"{_API}/runs/get?{urlencode({'run_id': run_id})}")["run"]
        except NotFoundError:
            return {}
        data = found.get("data", {})
        return {
            "metrics": {row["key"]: float(row["value"]) for row in data.get("metrics", [])},
            "params": {row["key"]: row["value"] for row in data.get("params", [])},
            "tags": {row["key"]: row["value"] for row in data.get("tags", [])},
            "status": found["info"]["status"],
            "info": found["info"],
        }

    def metric_history(self, workspace_id: str, run_id: str, key: str) -> list[dict[str, Any]]:
        """Return every value of a metric: ``key``, ``value``, ``step``, ``timestamp`` (ms), in the order of logging."""
        rows: list[dict[str, Any]] = []
        page = ""
        while True:
            query = urlencode({"run_id": run_id, "metric_key": key, **({"page_token": page} if page else {})})
            answer = self._ask(workspace_id, "GET", f"{_API}/metrics/get-history?{query}")
            rows.extend(answer.get("metrics", []))
            page = answer.get("next_page_token", "")
            if not page:
                return [
                    {
                        "key": row["key"],
                        "value": float(row["value"]),
                        "step": int(row.get("step", 0)),
                        "timestamp": int(row.get("timestamp", 0)),
                    }
                    for row in rows
                ]

    def update_tags(self, workspace_id: str, run_id: str, tags: dict[str, str]) -> None:
        """Set tags of a run."""
        rows = [{"key": key, "value": value} for key, value in tags.items()]
        self._ask(workspace_id, "POST", f"{_API}/runs/log-batch", {"run_id": run_id, "tags": rows})

    def experiment(self, workspace_id: str, experiment_id: str) -> dict[str, Any]:
        """Return an experiment: ``name``, ``lifecycle_stage``, ...; 404 where it is missing."""
        query = urlencode({"experiment_id": experiment_id})
        found: dict[str, Any] = self._ask(workspace_id, "GET", f"{_API}/experiments/get?{query}")["experiment"]
        return found

    def logged_model(self, workspace_id: str, model_id: str) -> dict[str, Any]:
        """Return ``info`` and ``data`` of a logged model; 404 where it is missing."""
        found: dict[str, Any] = self._ask(workspace_id, "GET", f"{_API}/logged-models/{quote(model_id, safe='')}")[
            "model"
        ]
        return found

    def displace_model(self, workspace_id: str, run_id: str, name: str) -> tuple[str, str] | None:
        """Give the logged model that is at ``name`` in a run's artefacts another place; return both URLs."""
        rest = f"internal/runs/{quote(run_id, safe='')}/displace"
        moved = self._ask(workspace_id, "POST", rest, {"name": name})
        return (moved["old"], moved["new"]) if moved else None

    def search(
        self, workspace_id: str, kind: str, rows: list[dict[str, Any]], question: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the page of ``registered_models`` or ``model_versions`` that MLflow's search language selects."""
        return self._ask(workspace_id, "POST", f"internal/search/{kind}", {**question, "rows": rows})

    def forward(self, workspace_id: str, call: Call, rest: str) -> Reply:
        """Answer an MLflow REST call (``rest`` is ``api/2.0/mlflow/...``) with what the process answers."""
        self._await_begun(workspace_id)
        kind = call.headers.get("content-type", "application/json")
        target = f"/{quote(rest)}?{call.query_string}" if call.query_string else f"/{quote(rest)}"
        reply = self._send(workspace_id, call.method, target, call.raw, {"Content-Type": kind})
        if reply.status >= 500:  # MLflow's client would repeat the call for minutes
            return Reply(400, reply.body, reply.headers)
        return reply

    def release(self, workspace_id: str) -> None:
        """Stop the process of a workspace; its runs stay, and the next question starts another process."""
        with self._lock:
            child = self._children.pop(self._guid(workspace_id), None)
        if child:
            child.stop()

    def forget(self, workspace_id: str) -> None:
        """Stop the process of a workspace that is being deleted, and delete its runs."""
        self.release(workspace_id)
        for file in self._settings.tracking.glob(f"{self._guid(workspace_id)}.*"):
            file.unlink()

    def stop(self) -> None:
        """Stop every tracking process."""
        with self._lock:
            self._stopping = True
            children, self._children = list(self._children.values()), {}
        for child in children:
            child.stop()

    def _ask(self, workspace_id: str, method: str, rest: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        reply = self._send(workspace_id, method, f"/{rest}", raw, {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(reply.body or b"{}")
        if reply.status == 404:
            raise NotFoundError(str(answer.get("message") or rest))
        if reply.status >= 400:
            raise ArmError(400, str(answer.get("error_code", "BadRequest")), str(answer.get("message", "")))
        return answer

    def _send(self, workspace_id: str, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        try:
            return self._child(workspace_id).send(method, target, body, headers)
        except (OSError, http.client.HTTPException):  # it died while it was asked
            return self._child(workspace_id).send(method, target, body, headers)

    def _child(self, workspace_id: str) -> _Child:
        key = self._guid(workspace_id)
        child = self._children.get(key)
        if child is not None and child.process.poll() is None:
            return child
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            child = self._children.get(key)
            if child is None or child.process.poll() is not None:
                child = self._start(workspace_id, key)
                with self._lock:
                    self._children[key] = child
                    stopping = self._stopping
                if stopping:
                    child.stop()
                    raise ArmError(409, "Stopping", "The local control plane is stopping.")
            return child

    def _guid(self, workspace_id: str) -> str:
        found = self._resources.get(workspace_id, f"The workspace '{workspace_id.rpartition('/')[2]}'")
        return str(found.properties["workspaceId"])

    def _start(self, workspace_id: str, guid: str) -> _Child:
        folder = self._settings.tracking
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._settings.logs.mkdir(parents=True, exist_ok=True)
        port_file = folder / f"{guid}.port"
        port_file.unlink(missing_ok=True)
        secret = secrets.token_hex(24)
        log = self._settings.logs / f"tracking-{workspace_id.rpartition('/')[2]}.log"
        process = _launch(folder / f"{guid}.db", artifact_url(workspace_id), port_file, log)
        if process.stdin:
            process.stdin.write(f"{secret}\n".encode())
            process.stdin.flush()
        return _Child(process, _port(process, port_file, log), secret)


def _launch(database: Path, artifacts: str, port_file: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mlops_kit.local.tracking_server"]
    command += ["--database", str(database), "--artifacts", artifacts, "--port-file", str(port_file)]
    # The process serves; settings of a user's MLflow client are not its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AZUREML_"))}
    environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )


def _port(process: subprocess.Popen[bytes], port_file: Path, log: Path) -> int:
    """Return the port of the process once it answers; a fault naming its log where it does not."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if port_file.exists():
            return int(port_file.read_text(encoding="ascii"))
        if process.poll() is not None:
            raise ArmError(501, "TrackingFault", f"{_STOPPED}: it ended with code {process.returncode}; see {log}.")
        time.sleep(0.02)
    process.kill()
    raise ArmError(501, "TrackingFault", f"{_STOPPED} within {_START_SECONDS} s; see {log}.")
