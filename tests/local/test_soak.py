"""Long runs: many jobs, many hands, and what must be true whatever happened to whom."""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from mlops_kit.local import processes, supervisor
from mlops_kit.local.settings import DEFAULT_WORKSPACE

FINAL = {"Completed", "Failed", "Canceled"}
JOBS = f"{DEFAULT_WORKSPACE.id}/jobs"
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

# What a job prints, for those that print something.
LOGS = {
    "echo line one; echo line two": "line one\nline two\n",
    "setsid sleep 600 & echo left behind": "left behind\n",
}
# What a job does -> how it may end.
KINDS = {
    "echo line one; echo line two": {"Completed", "Canceled"},
    "echo kept > outputs/kept.txt": {"Completed", "Canceled"},
    "setsid sleep 600 & echo left behind": {"Completed", "Canceled"},
    "exit 3": {"Failed", "Canceled"},
    "kill -9 $$": {"Failed", "Canceled"},
    "sleep 600": {"Canceled"},
}


def _submit_some(plane, submitter: int, count: int) -> list[tuple[str, str]]:
    """Submit jobs one after the other, cancelling at random and always what would not end; return name and command."""
    chance = random.Random(submitter)  # noqa: S311  the same jobs every time
    done = []
    for number in range(count):
        name, command = f"job-{submitter}-{number}", chance.choice(list(KINDS))
        plane.submit(name, command)
        done.append((name, command))
        if command == "sleep 600" or chance.random() < 0.2:
            time.sleep(chance.random() * 2)
            plane.ask("POST", f"{JOBS}/{name}/cancel")
    return done


def _handles(pid: int) -> int:
    return psutil.Process(pid).num_fds()


def test_two_hundred_jobs_of_four_submitters_with_random_cancels(plane):
    pid = plane.start()
    plane.submit("first", "true")
    plane.wait("first")
    before = _handles(pid)
    with ThreadPoolExecutor(4) as threads:
        submitted = [row for rows in threads.map(lambda n: _submit_some(plane, n, 50), range(4)) for row in rows]
    ended = {name: plane.wait(name) for name, _ in submitted}
    assert [(name, ended[name]) for name, command in submitted if ended[name] not in KINDS[command]] == []
    assert len(set(ended.values())) == 3

    listed: dict[str, str] = {}
    page = JOBS
    while page:
        answer = plane.ask("GET", page)
        listed |= {one["name"]: one["properties"]["status"] for one in answer["value"]}
        page = answer.get("nextLink", "").partition(".test")[2]
    assert {name: listed[name] for name in ended} == ended
    completed = [(name, command) for name, command in submitted if ended[name] == "Completed"]
    assert [wrong for name, command in completed if (wrong := _wrong_log(plane, name, command))] == []

    assert processes.marked(plane.settings.runs) == []
    assert list(plane.settings.runs.glob("*/*")) == []
    assert _handles(pid) < before + 40, psutil.Process(pid).open_files()


def _wrong_log(plane, name: str, command: str) -> str:
    """Return what is wrong with the log of a completed job."""
    if command not in LOGS:
        return ""
    found = plane.log(name)
    return "" if found == LOGS[command] else json.dumps(found)


def test_twenty_kills_in_the_middle_of_submissions_lose_nothing_that_was_acknowledged(plane):
    chance = random.Random(0)  # noqa: S311
    acknowledged = []
    for round_number in range(20):
        pid = plane.start()
        for number in range(chance.randrange(1, 6)):
            name = f"job-{round_number}-{number}"
            plane.submit(name, "sleep 0.2; echo ran")
            acknowledged.append(name)
        time.sleep(chance.random())
        psutil.Process(pid).kill()
        while supervisor.running(plane.settings.state):
            time.sleep(0.01)
    plane.start()
    ended = {name: plane.wait(name) for name in acknowledged}
    assert set(ended.values()) <= {"Completed", "Failed"}
    wrong = {name: plane.error(name) for name, status in ended.items() if status == "Failed"}
    assert [text for text in wrong.values() if not text.startswith("The local control plane was killed while")] == []
    assert [name for name, status in ended.items() if status == "Completed" and plane.log(name) != "ran\n"] == []
    assert processes.marked(plane.settings.runs) == []
