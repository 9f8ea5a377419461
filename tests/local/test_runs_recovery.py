"""What becomes of jobs when their control plane is killed, stopped, or has no room left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from mlops_kit.local import supervisor
from mlops_kit.local.settings import DEFAULT_WORKSPACE, LocalSettings

FINAL = ("Completed", "Failed", "Canceled")
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Plane:
    """A control plane of this test alone, asked without the SDK."""

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

    def submit(self, name: str, command: str) -> None:
        environment = "azureml:AzureML-minimal@latest"
        compute = f"{DEFAULT_WORKSPACE.id}/computes/cpu-cluster"
        facts = {"jobType": "Command", "command": command, "environmentId": environment, "computeId": compute}
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
def plane(tmp_path: Path) -> Iterator[Plane]:
    yield (made := Plane(LocalSettings(tmp_path / "state", network="deny")))
    supervisor.stop(made.settings.state)


def _there(paths: list[Path]) -> None:
    end = time.monotonic() + 60
    while not all(path.exists() and path.read_text() for path in paths):
        assert time.monotonic() < end, paths
        time.sleep(0.05)


def test_jobs_of_a_killed_control_plane_fail_with_that_reason_and_queued_ones_run(plane, tmp_path):
    killed = plane.start()
    names = [f"job-{number}" for number in range(20)]
    for name in names:
        plane.submit(name, f"echo $$ > {tmp_path}/{name}; echo of {name}; test -e {tmp_path}/go || sleep 300")
    running = names[:4]
    _there([tmp_path / name for name in running])
    while [plane.status(name) for name in running] != ["Running"] * 4:
        time.sleep(0.05)
    os.kill(killed, signal.SIGKILL)
    while supervisor.running(plane.settings.state):
        time.sleep(0.01)
    pids = [int((tmp_path / name).read_text()) for name in running]
    (tmp_path / "go").touch()

    assert plane.start() != killed
    assert {plane.wait(name) for name in running} == {"Failed"}
    assert not [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]
    assert {plane.error(name) for name in running} == {"The local control plane was killed while the job was running."}
    assert [plane.log(name) for name in running] == [f"of {name}\n" for name in running]
    assert {plane.wait(name) for name in names[4:]} == {"Completed"}
    assert sorted(path.name for path in tmp_path.glob("job-*")) == sorted(names)


def test_jobs_of_a_stopped_control_plane_fail_and_queued_ones_wait_for_the_next_start(plane, tmp_path):
    plane.start()
    for number in range(5):
        plane.submit(f"job-{number}", f"echo x > {tmp_path}/{number}; test -e {tmp_path}/go || sleep 300")
    _there([tmp_path / str(number) for number in range(4)])
    assert supervisor.stop(plane.settings.state)
    (tmp_path / "go").touch()
    plane.start()
    assert [plane.wait(f"job-{number}") for number in range(5)] == ["Failed"] * 4 + ["Completed"]
    assert plane.error("job-0") == "The local control plane was stopped while the job ran."


def test_a_job_that_outgrows_the_quota_fails_with_that_reason_and_keeps_its_log(tmp_path):
    plane = Plane(LocalSettings(tmp_path / "state", network="deny", quota_bytes=20_000_000))
    plane.start()
    try:
        plane.submit("greedy", "echo begun; head -c 30000000 /dev/zero > outputs/large")
        assert plane.wait("greedy") == "Failed"
        assert "quota" in plane.error("greedy")
        assert plane.log("greedy") == "begun\n"
        assert plane.status("greedy") == "Failed"
    finally:
        supervisor.stop(plane.settings.state)
