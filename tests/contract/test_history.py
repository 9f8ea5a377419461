"""Run history through the real SDK: streaming, details, logs of any size, downloads."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from azure.ai.ml.exceptions import JobException


def _text(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        content: bytes = answer.read()
        return content


def _link(jobs: Any, name: str, log: str = "user_logs/std_log.txt") -> str:
    end = time.monotonic() + 30
    while log not in (links := jobs.details(name).log_files):
        assert time.monotonic() < end, links
        time.sleep(0.05)
    return str(links[log])


def test_stream_prints_the_log_of_a_running_job(jobs, capsys):
    job = jobs.submit("for i in 1 2 3; do echo line $i; sleep 0.6; done")
    jobs.ml.jobs.stream(job.name)
    shown = capsys.readouterr().out
    assert f"RunId: {job.name}" in shown
    assert shown.count("line 1\n") == shown.count("line 2\n") == shown.count("line 3\n") == 1
    assert "Execution Summary" in shown


def test_stream_prints_the_log_of_a_job_that_ended_before_it_looked(jobs, capsys):
    job = jobs.submit("echo quick")
    while jobs.ml.jobs.get(job.name).status != "Completed":
        time.sleep(0.05)
    jobs.ml.jobs.stream(job.name)
    assert "\nquick\n" in capsys.readouterr().out


def test_stream_raises_with_the_reason_of_a_failure(jobs, capsys):
    job = jobs.submit("echo before; exit 5")
    with pytest.raises(JobException, match="exited with status code 5"):
        jobs.ml.jobs.stream(job.name)
    assert "before" in capsys.readouterr().out


def test_stream_shows_how_the_environment_differs(jobs, capsys):
    job = jobs.submit("true", environment="AzureML-sklearn-0.24@latest")
    jobs.ml.jobs.stream(job.name)
    shown = capsys.readouterr().out
    assert "The environment differs from what was asked for: python: asked for 3.8" in shown


def test_a_line_is_not_served_before_it_has_ended(jobs, tmp_path):
    job = jobs.submit(f"echo whole; printf half; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo ' done'")
    link = _link(jobs, job.name)
    end = time.monotonic() + 20
    while not (served := _text(link)):
        assert time.monotonic() < end
    time.sleep(0.2)
    assert served == _text(link) == b"whole\n"
    (tmp_path / "go").touch()
    jobs.wait(job)
    assert _text(link) == b"whole\nhalf done\n"


def test_bytes_that_are_no_text_do_not_break_a_stream(jobs, capsys):
    job = jobs.submit("printf 'a\\xff\\xfeb\\n'; sleep 1.5; printf '\\xc3\\xa9t\\xc3\\xa9\\n'")
    jobs.ml.jobs.stream(job.name)
    shown = capsys.readouterr().out
    assert "a\ufffd\ufffdb" in shown
    assert "été" in shown


@pytest.mark.slow
def test_a_log_of_100_megabytes_is_streamed_and_kept_whole(jobs, capsys, local_workspace):
    import json

    import psutil

    line = "x" * 99
    job = jobs.submit(f"yes {line} | head -n 1000000; echo the last line; sleep 2")
    jobs.ml.jobs.stream(job.name)
    shown = capsys.readouterr().out
    assert shown.count(line) == 1_000_000
    assert "\nthe last line\n" in shown
    assert jobs.wait(job).status == "Completed"
    assert len(_text(_link(jobs, job.name))) == 100_000_000 + len("the last line\n")
    plane = psutil.Process(json.loads((local_workspace.state / "instance.json").read_text())["pid"])
    assert plane.memory_info().rss < 400 << 20


def test_a_log_needs_its_signature(jobs):
    job = jobs.completed("true")
    link = _link(jobs, job.name)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        _text(link[:-4])
    with pytest.raises(urllib.error.HTTPError, match="403"):
        _text(link.replace("std_log.txt", "std_log2.txt"))


def test_one_output_is_downloaded_by_name(jobs, tmp_path):
    from azure.ai.ml import Output

    outputs = {
        name: Output(type=kind) for name, kind in (("f", "uri_file"), ("d", "uri_folder"), ("m", "custom_model"))
    }
    command = "echo f > ${{outputs.f}}; echo d > ${{outputs.d}}/d.txt; echo m > ${{outputs.m}}/m.txt"
    job = jobs.completed(command, outputs=outputs)
    jobs.ml.jobs.download(job.name, download_path=tmp_path, output_name="d")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["d.txt"]
    left = jobs.left(job)
    assert {"named-outputs/d/d.txt", "named-outputs/m/m.txt"} <= set(left)
    assert [path.read_text() for name, path in left.items() if name.startswith("named-outputs/f")] == ["f\n"]


def test_a_job_has_no_children_and_no_services(jobs):
    job = jobs.completed("true")
    assert list(jobs.ml.jobs.list(parent_job_name=job.name)) == []
    assert jobs.ml.jobs.show_services(job.name) is None


def test_details_say_when_and_where_it_ran(jobs):
    job = jobs.completed("true", tags={"k": "v"})
    jobs.details(job.name)
    details = jobs.details(job.name)
    assert details.status == "Completed"
    assert details.target == "cpu-cluster"
    assert details.tags == {"k": "v"}
    assert set(details.log_files) == {"system_logs/environment.txt", "user_logs/std_log.txt"}


def test_system_log_names_the_runner_and_the_differences(jobs):
    job = jobs.completed("true", environment="AzureML-sklearn-0.24@latest")
    report = jobs.log(job, "system_logs/environment.txt")
    assert "runner: host" in report
    assert "difference: python: asked for 3.8" in report
