"""Processes of jobs: how they end, how they are stopped, and that nothing of them is left."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest

from mlops_kit.local.processes import Started, born
from mlops_kit.local.runs.process import CANCELLED, Control, Exit, Launch, end_recorded
from mlops_kit.local.runs.states import StoppedError


def _launch(folder: Path, command: str, name: str = "log.txt") -> Launch:
    return Launch(["/bin/bash", "-e", "-c", command], folder, dict(os.environ), folder / name)


def _stopped_after(control: Control, log: Path, text: str) -> threading.Thread:
    def wait() -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end and not (log.exists() and text in log.read_text()):
            time.sleep(0.01)
        control.stop(CANCELLED)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_process_ends_with_its_code(tmp_path):
    assert Control().run([_launch(tmp_path, "echo a; exit 3")]) == Exit(3, 0)
    assert (tmp_path / "log.txt").read_text() == "a\n"


def test_what_a_process_leaves_in_its_group_is_ended(tmp_path):
    Control().run([_launch(tmp_path, "sleep 60 & echo $!")])
    left = int((tmp_path / "log.txt").read_text())
    end = time.monotonic() + 5
    while psutil.pid_exists(left) and psutil.Process(left).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_first_failure_stops_the_others(tmp_path):
    began = time.monotonic()
    ended = Control().run([_launch(tmp_path, "sleep 60", "0"), _launch(tmp_path, "exit 4", "1")])
    assert ended == Exit(4, 1)
    assert time.monotonic() - began < 20


def test_a_stop_reaches_a_running_process(tmp_path):
    control = Control()
    thread = _stopped_after(control, tmp_path / "log.txt", "begun")
    with pytest.raises(StoppedError, match=CANCELLED):
        control.run([_launch(tmp_path, "trap 'echo asked; exit 0' TERM; echo begun; while true; do sleep 0.05; done")])
    thread.join()
    assert "asked" in (tmp_path / "log.txt").read_text()


def test_a_process_that_does_not_listen_is_killed_after_the_grace(tmp_path):
    control = Control(grace=0.2)
    thread = _stopped_after(control, tmp_path / "log.txt", "begun")
    with pytest.raises(StoppedError):
        control.run([_launch(tmp_path, "trap '' TERM; echo begun; while true; do sleep 0.05; done")])
    thread.join()


def test_a_stop_before_the_start_starts_nothing(tmp_path):
    control = Control()
    control.stop(CANCELLED)
    with pytest.raises(StoppedError):
        control.run([_launch(tmp_path, "echo started")])
    assert not (tmp_path / "log.txt").exists()


def test_the_first_reason_is_kept():
    control = Control()
    control.stop("first")
    control.stop("second")
    assert control.reason == "first"


def test_recorded_process_is_ended_and_a_reused_number_is_not(tmp_path):
    with subprocess.Popen(["/bin/bash", "-c", "sleep 60; true"], cwd=tmp_path, start_new_session=True) as process:
        recorded = Started(process.pid, born(process.pid))
        assert end_recorded([Started(recorded.pid, f"another-boot/{recorded.born}")]) == 0
        assert process.poll() is None
        assert end_recorded([recorded]) == 1
        assert end_recorded([recorded]) == 0
