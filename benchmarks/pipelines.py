"""What a step of a pipeline costs beside its command: chains of steps that do nothing, beside a bare process."""

from __future__ import annotations

import json
import ssl
import time
import urllib.request
from pathlib import Path
from typing import Any

from rounds import Row, Target, medians, seconds_of

_ENVIRONMENT = "azureml:AzureML-minimal@latest"
_SPEC = {
    "name": "nothing",
    "version": "1",
    "type": "command",
    "command": "echo > ${{outputs.out}}",
    "environment": _ENVIRONMENT,
    "inputs": {"step": {"type": "integer"}, "after": {"type": "uri_file", "optional": True}},
    "outputs": {"out": {"type": "uri_file"}},
    "is_deterministic": False,
}
_SHORT, _LONG = 10, 100
_LOOK_SECONDS = 0.01
_LINEAR = Target(ratio_at_most=1.2)


class _Plane:
    """A started control plane, asked without the SDK: its time is not that of a step."""

    def __init__(self, state: Path) -> None:
        from mlops_kit.local import supervisor
        from mlops_kit.local.settings import DEFAULT_WORKSPACE, LocalSettings

        instance = supervisor.running(state)
        assert instance is not None
        token = supervisor.environment(instance, LocalSettings(state))["MLFLOW_TRACKING_TOKEN"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._base = f"https://127.0.0.1:{instance.https_port}"
        self._context = ssl._create_unverified_context()  # noqa: S323, SLF001  loopback
        self.workspace = DEFAULT_WORKSPACE.id

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask for one resource of the workspace."""
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self._base}{self.workspace}{path}", data, self._headers, method=method)
        with urllib.request.urlopen(asked, context=self._context) as answer:
            return json.loads(answer.read())


def measure(state: Path, rounds: int) -> list[Row]:
    """Return the rows; the control plane of ``state`` must have been started."""
    plane = _Plane(state)
    plane.ask("PUT", "/components/nothing/versions/1", {"properties": {"componentSpec": _SPEC}})
    _chain(plane, 1)  # the first job of a workspace starts its tracking
    ours = medians({"short": lambda: _chain(plane, _SHORT), "peer": lambda: seconds_of("bash", "-c", "true")}, rounds)
    long = _chain(plane, _LONG)
    wide = _fan(plane, _LONG)
    mean, peer = 1000 / _SHORT * ours["short"], 1000 * ours["peer"]
    return [
        Row(f"a step, chain of {_SHORT}", mean, "a process of bash", peer, "ms", Target(at_most=60)),
        Row(f"a step, chain of {_LONG}", 10 * long, f"chain of {_SHORT}", mean, "ms", _LINEAR),
        Row(f"a step, {_LONG} side by side", 10 * wide, f"chain of {_SHORT}", mean, "ms"),
    ]


def _chain(plane: _Plane, count: int) -> float:
    """Return the seconds of a pipeline whose steps follow each other."""
    return _run(plane, {f"s{number}": _node(number, after=number - 1) for number in range(count)})


def _fan(plane: _Plane, count: int) -> float:
    return _run(plane, {f"s{number}": _node(number) for number in range(count)})


def _node(number: int, after: int = -1) -> dict[str, Any]:
    inputs = {"step": {"job_input_type": "literal", "value": str(number)}}
    if after >= 0:
        inputs["after"] = {"job_input_type": "literal", "value": f"${{{{parent.jobs.s{after}.outputs.out}}}}"}
    return {"type": "command", "componentId": "azureml:nothing:1", "inputs": inputs}


def _run(plane: _Plane, nodes: dict[str, Any]) -> float:
    name = f"bench-{time.time_ns()}"
    began = time.perf_counter()
    plane.ask("PUT", f"/jobs/{name}", {"properties": {"jobType": "Pipeline", "experimentName": "bench", "jobs": nodes}})
    while (status := plane.ask("GET", f"/jobs/{name}")["properties"]["status"]) not in {"Completed", "Failed"}:
        time.sleep(_LOOK_SECONDS)
    assert status == "Completed", name
    return time.perf_counter() - began
