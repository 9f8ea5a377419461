"""What becomes of jobs when their control plane is killed, stopped, or has no room left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from mlops_kit.local import supervisor
from mlops_kit.local.processes import FOLDER
from mlops_kit.local.settings import DEFAULT_WORKSPACE, LocalSettings

pytestmark = pytest.mark.slow


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


def test_twenty_running_jobs_of_a_killed_control_plane_fail_and_leave_no_process(new_plane, tmp_path):
    # Five clusters of four nodes each: room for all of them at a time.
    clusters = tuple(f"cluster{number}" for number in range(5))
    plane = new_plane(LocalSettings(tmp_path / "state", computes=clusters))
    killed = plane.start()
    names = [f"job-{number}" for number in range(20)]
    for number, name in enumerate(names):
        compute = f"{DEFAULT_WORKSPACE.id}/computes/{clusters[number % 5]}"
        plane.submit(name, f"echo $$ > {tmp_path}/{name}; sleep 300", computeId=compute)
    _there([tmp_path / name for name in names])
    while {plane.status(name) for name in names} != {"Running"}:
        time.sleep(0.05)
    os.kill(killed, signal.SIGKILL)
    while supervisor.running(plane.settings.state):
        time.sleep(0.01)
    pids = [int((tmp_path / name).read_text()) for name in names]

    plane.start()
    assert [plane.wait(name) for name in names] == ["Failed"] * 20
    assert {plane.error(name) for name in names} == {"The local control plane was killed while the job was running."}
    left = [pid for pid in pids if psutil.pid_exists(pid)]
    assert not [pid for pid in left if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


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


def test_a_job_that_outgrows_the_quota_fails_with_that_reason_and_keeps_its_log(new_plane, tmp_path):
    plane = new_plane(LocalSettings(tmp_path / "state", network="deny", quota_bytes=20_000_000))
    plane.start()
    try:
        plane.submit("greedy", "echo begun; head -c 30000000 /dev/zero > outputs/large")
        assert plane.wait("greedy") == "Failed"
        assert "quota" in plane.error("greedy")
        assert plane.log("greedy") == "begun\n"
        assert plane.status("greedy") == "Failed"
    finally:
        supervisor.stop(plane.settings.state)


def _kill(pid: int, state: Path) -> None:
    os.kill(pid, signal.SIGKILL)
    while supervisor.running(state):
        time.sleep(0.01)


def _living(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_process_that_was_started_and_not_recorded_is_ended_by_the_next_start(plane):
    """As when the control plane is killed between the start of a job's process and the record of it."""
    killed = plane.start()
    _kill(killed, plane.settings.state)
    variables = {**os.environ, FOLDER: str(plane.settings.runs / "guid" / "job")}
    with subprocess.Popen(["sleep", "300"], env=variables, start_new_session=True) as orphan:
        plane.start()
        assert orphan.wait(30) == -signal.SIGKILL


def test_a_stop_after_a_kill_ends_the_processes_of_jobs(plane, tmp_path):
    killed = plane.start()
    plane.submit("job", f"setsid sleep 300 & echo $! > {tmp_path}/inner; echo $$ > {tmp_path}/outer; wait")
    places = [tmp_path / "inner", tmp_path / "outer"]
    _there(places)
    _kill(killed, plane.settings.state)
    assert supervisor.stop(plane.settings.state)
    assert [_living(int(place.read_text())) for place in places] == [False, False]
    plane.start()
    assert plane.wait("job") == "Failed"
    assert "killed while the job was" in plane.error("job")


@pytest.mark.parametrize("cancelled", [False, True])
def test_nothing_of_a_job_outlives_it_even_in_a_session_of_its_own(plane, tmp_path, cancelled):
    plane.start()
    away = f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 300' &"
    plane.submit("job", f"{away} while test ! -s {tmp_path}/pid; do sleep 0.1; done; {'sleep 300' * cancelled}")
    _there([tmp_path / "pid"])
    if cancelled:
        plane.ask("POST", f"{DEFAULT_WORKSPACE.id}/jobs/job/cancel")
    assert plane.wait("job") == ("Canceled" if cancelled else "Completed")
    assert not _living(int((tmp_path / "pid").read_text()))


def test_a_job_whose_process_is_killed_fails_with_the_signal(plane, tmp_path):
    plane.start()
    plane.submit("job", f"echo $$ > {tmp_path}/pid; sleep 300; true")
    _there([tmp_path / "pid"])
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert plane.wait("job") == "Failed"
    assert "was ended by signal 9" in plane.error("job")


def test_why_a_job_ended_survives_a_kill_while_its_files_are_kept(plane):
    killed = plane.start()
    plane.submit("job", "for n in $(seq 1000); do echo $n > outputs/$n; done; exit 3")
    plane.wait("job", until=("Finalizing",))
    _kill(killed, plane.settings.state)
    plane.start()
    assert plane.wait("job") == "Failed"
    assert "exited with status code 3" in plane.error("job")


@pytest.mark.parametrize("name", ["blanks and Ümlaute", 'it\'s $HOME; (really) & "so"'])
def test_jobs_run_whatever_the_path_of_the_state_folder(new_plane, tmp_path, name):
    plane = new_plane(LocalSettings(tmp_path / name, network="deny"))
    plane.start()
    try:
        plane.submit("job", "mkdir -p ${{outputs.made}} && echo here > ${{outputs.made}}/x", outputs={"made": {}})
        assert plane.wait("job") == "Completed", plane.error("job")
    finally:
        supervisor.reset(plane.settings.state)
    assert not plane.settings.state.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or not mount:
        pytest.skip("only the superuser of Linux can mount a small disk")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_job_that_fills_the_disk_fails_with_its_log_and_leaves_room_for_the_next(small_disk, new_plane):
    plane = new_plane(LocalSettings(small_disk / "state", network="deny"))
    plane.start()
    try:
        plane.submit("greedy", "echo begun; head -c 100000000 /dev/zero > outputs/large")
        assert plane.wait("greedy") == "Failed"
        assert "disk is full" in plane.error("greedy")
        assert plane.log("greedy").startswith("begun\nhead: ")
        plane.submit("next", "echo fits")
        assert plane.wait("next") == "Completed"
    finally:
        supervisor.stop(plane.settings.state)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(1 << 12))


def test_a_full_disk_refuses_a_submission_and_takes_the_next_when_there_is_room(small_disk, new_plane):
    plane = new_plane(LocalSettings(small_disk / "state", network="deny"))
    plane.start()
    try:
        with pytest.raises(OSError, match="No space left"):
            _fill(small_disk / "filler")
        with pytest.raises(httpx.HTTPStatusError, match="413"):
            plane.submit("late", "true " + "x" * 500_000)
        (small_disk / "filler").unlink()
        plane.submit("last", "echo fits again")
        assert plane.wait("last") == "Completed"
    finally:
        supervisor.stop(plane.settings.state)
