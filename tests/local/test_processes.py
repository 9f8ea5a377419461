"""Telling processes apart, and finding those of a job wherever they went."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlops_kit.local import processes
from mlops_kit.local.processes import FOLDER, Started, born, end_marked, living, marked


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    variables = {**os.environ, FOLDER: str(tmp_path / "runs" / "a")}
    with subprocess.Popen(["sleep", "60"], env=variables, start_new_session=True) as process:
        yield process
        process.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems keep no time since the start")
def test_the_start_of_a_process_is_counted_from_the_start_of_the_machine() -> None:
    boot, ticks = born(os.getpid()).split("/")
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")
    assert abs(age - (time.time() - psutil.Process().create_time())) < 2
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_a_process_whose_name_has_blanks_and_brackets_has_a_start(tmp_path: Path) -> None:
    program = tmp_path / "a) b (c"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "60"]) as process:
        assert born(process.pid).partition("/")[0] == born(os.getpid()).partition("/")[0]
        process.kill()


def test_a_process_that_ended_or_was_replaced_is_not_living(sleeper: subprocess.Popen[bytes]) -> None:
    started = Started(sleeper.pid, born(sleeper.pid))
    assert living(started) == psutil.Process(sleeper.pid)
    assert living(Started(sleeper.pid, started.born + "1")) is None
    assert living(Started(sleeper.pid, "another-boot/" + started.born.partition("/")[2])) is None
    sleeper.kill()
    time.sleep(0.1)
    assert living(started) is None  # not collected yet
    sleeper.wait()
    assert living(started) is None
    with pytest.raises(psutil.NoSuchProcess):
        born(2**22 + 1)


def test_marked_processes_are_found_at_and_below_a_folder(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert [one.pid for one in marked(tmp_path / "runs" / "a")] == [sleeper.pid]
    assert [one.pid for one in marked(tmp_path / "runs")] == [sleeper.pid]
    assert marked(tmp_path / "runs" / "b") == []
    assert marked(tmp_path / "run") == []


def test_what_moved_to_a_group_of_its_own_is_ended(tmp_path: Path) -> None:
    variables = {**os.environ, FOLDER: str(tmp_path)}
    command = ["/bin/bash", "-c", "setsid sleep 60 & setsid sleep 60 & echo; wait"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert end_marked(tmp_path) >= 3
        assert processes.marked(tmp_path) == []


def test_a_process_does_not_end_itself(tmp_path: Path) -> None:
    text = (
        f"from pathlib import Path; from mlops_kit.local.processes import *; print(end_marked(Path({str(tmp_path)!r})))"
    )
    variables = {**os.environ, FOLDER: str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", text], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
