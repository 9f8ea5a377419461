"""A control plane of one test alone, asked without the SDK."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlops_kit.local import supervisor
from mlops_kit.local.settings import DEFAULT_WORKSPACE, LocalSettings

FINAL = ("Completed", "Failed", "Canceled")


@dataclass(frozen=True)
class Plane:
    """A control plane that a test starts, kills and stops as it likes."""

    settings: LocalSettings

    def start(self) -> int:
        """Start it; return its process id."""
        return supervisor.start(self.settings).pid

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        instance = supervisor.running(self.settings.state)
        assert instance is not None
        token = supervisor.environment(instance, self.settings)["MLFLOW_TRACKING_TOKEN"]
        url = f"https://127.0.0.1:{instance.https_port}{path}"
        with httpx.Client(verify=False, trust_env=False, timeout=60) as client:  # noqa: S501  loopback
            answer = client.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def submit(self, name: str, command: str, **more: Any) -> None:
        environment = "azureml:AzureML-minimal@latest"
        compute = f"{DEFAULT_WORKSPACE.id}/computes/cpu-cluster"
        facts = {"jobType": "Command", "command": command, "environmentId": environment, "computeId": compute, **more}
        self.ask("PUT", f"{DEFAULT_WORKSPACE.id}/jobs/{name}", {"properties": facts})

    def status(self, name: str) -> str:
        return str(self.ask("GET", f"{DEFAULT_WORKSPACE.id}/jobs/{name}")["properties"]["status"])

    def wait(self, name: str, until: Collection[str] = FINAL) -> str:
        end = time.monotonic() + 120
        while (status := self.status(name)) not in until:
            assert time.monotonic() < end, f"{name} is {status}"
            time.sleep(0.05)
        return status

    def details(self, name: str) -> Any:
        return self.ask("GET", f"/history/v1.0{DEFAULT_WORKSPACE.id}/runs/{name}/details")

    def log(self, name: str) -> str:
        link = self.details(name)["logFiles"]["user_logs/std_log.txt"]
        return str(self.ask("GET", link.partition(".test")[2]))

    def error(self, name: str) -> str:
        return str(self.details(name)["error"]["error"]["message"])


@pytest.fixture
def new_plane() -> Iterator[Callable[[LocalSettings], Plane]]:
    """Make control planes that are stopped when the test ends."""
    made: list[Plane] = []

    def make(settings: LocalSettings) -> Plane:
        made.append(Plane(settings))
        return made[-1]

    yield make
    for plane in made:
        supervisor.stop(plane.settings.state)


@pytest.fixture
def plane(new_plane: Callable[[LocalSettings], Plane], tmp_path: Path) -> Plane:
    """A control plane on an empty folder."""
    return new_plane(LocalSettings(tmp_path / "state", network="deny"))
