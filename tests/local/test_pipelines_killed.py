"""A control plane that is killed in the middle of a pipeline: what has ended is not run again, and nothing is left."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlops_kit.local import supervisor
from mlops_kit.local.processes import FOLDER
from mlops_kit.local.settings import DEFAULT_WORKSPACE

pytestmark = pytest.mark.slow

STEPS = 50
STEP = "${{inputs.step}}"
COMPONENTS = f"{DEFAULT_WORKSPACE.id}/components"


def _component(plane: Any, ran: Path) -> None:
    """Store a component that takes note that it runs, and hands on what it got."""
    spec = {
        "name": "note",
        "version": "1",
        "type": "command",
        "command": f"echo {STEP} >> {ran} && sleep 0.05 && echo {STEP} > ${{{{outputs.out}}}}",
        "environment": "azureml:AzureML-minimal@latest",
        "inputs": {"step": {"type": "integer"}, "after": {"type": "uri_file", "optional": True}},
        "outputs": {"out": {"type": "uri_file"}},
    }
    plane.ask("PUT", f"{COMPONENTS}/note/versions/1", {"properties": {"componentSpec": spec}})


def _pipeline() -> dict[str, Any]:
    """Return fifty steps in five chains of ten."""
    nodes = {}
    for number in range(STEPS):
        inputs = {"step": {"job_input_type": "literal", "value": str(number)}}
        if number >= 5:
            inputs["after"] = {"job_input_type": "literal", "value": f"${{{{parent.jobs.s{number - 5}.outputs.out}}}}"}
        nodes[f"s{number}"] = {"type": "command", "componentId": f"{COMPONENTS}/note/versions/1", "inputs": inputs}
    return {"properties": {"jobType": "Pipeline", "experimentName": "killed", "displayName": "fifty", "jobs": nodes}}


def _children(plane: Any, name: str) -> dict[str, str]:
    """Return the status of each step that has been started."""
    runs = plane.ask("GET", f"/history/v1.0{DEFAULT_WORKSPACE.id}/runs/{name}/children")["value"]
    return {run["displayName"]: run["status"] for run in runs}


def _left_processes(plane: Any) -> list[int]:
    """Return the processes that belong to a job of this state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            place = process.environ().get(FOLDER, "")
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if place.startswith(str(plane.settings.state)):
            found.append(process.pid)
    return found


def test_finished_steps_of_a_killed_pipeline_are_reused_and_nothing_is_left(plane, tmp_path):
    ran = tmp_path / "ran.txt"
    killed = plane.start()
    _component(plane, ran)
    plane.ask("PUT", f"{DEFAULT_WORKSPACE.id}/jobs/first", _pipeline())
    end = time.monotonic() + 120
    while Counter(_children(plane, "first").values())["Completed"] < STEPS // 3:
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(killed, signal.SIGKILL)
    while supervisor.running(plane.settings.state):
        time.sleep(0.01)

    plane.start()
    assert plane.wait("first") == "Failed"
    while not set((before := _children(plane, "first")).values()) <= {"Completed", "Failed", "Canceled"}:
        assert time.monotonic() < end + 60
        time.sleep(0.05)
    plane.ask("PUT", f"{DEFAULT_WORKSPACE.id}/jobs/second", _pipeline())
    assert plane.wait("second") == "Completed", plane.error("second")

    times = Counter(ran.read_text().split())
    finished = {name.removeprefix("s") for name, status in before.items() if status == "Completed"}
    assert len(finished) >= STEPS // 3
    assert {times[number] for number in finished} == {1}
    assert set(times) == {str(number) for number in range(STEPS)}
    assert _left_processes(plane) == []
