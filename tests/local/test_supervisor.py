"""Starting, stopping, killing and describing real control planes."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from mlops_kit.errors import LocalError
from mlops_kit.local import supervisor
from mlops_kit.local.outside import outside
from mlops_kit.local.settings import Instance, LocalSettings
from mlops_kit.testing import LocalWorkspace


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[LocalSettings]:
    used = LocalSettings(tmp_path / "state", network="deny")
    yield used
    supervisor.stop(used.state)


def _kill(pid: int) -> None:
    """End a process as a power cut would, and wait until it is gone."""
    process = psutil.Process(pid)
    process.kill()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)


def _metadata(instance: Instance, settings: LocalSettings) -> str:
    """Ask for the cloud metadata on the recorded port, trusting the local authority."""
    trusted = ssl.create_default_context(cafile=str(settings.certificates / "authority.pem"))
    address = f"https://127.0.0.1:{instance.https_port}/metadata/endpoints?api-version=2019-05-01"
    with urllib.request.urlopen(address, context=trusted) as response:
        return str(response.read().decode())


def test_folder_with_settings_of_another_program_is_left_as_it_is(tmp_path):
    from mlops_kit.errors import LocalError
    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import LocalSettings

    (tmp_path / "settings.json").write_text("{}", encoding="utf-8")
    for action in (lambda: supervisor.reset(tmp_path), lambda: supervisor.start(LocalSettings(tmp_path))):
        with pytest.raises(LocalError, match="is not a state folder"):
            action()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("settings.json", "{}")]


def test_a_started_instance_answers_on_the_ports_it_recorded(settings: LocalSettings) -> None:
    instance = supervisor.start(settings)
    assert Instance.read(settings.instance_file) == instance
    assert "AzureLocal" in _metadata(instance, settings)
    open_ports = {
        connection.laddr.port: connection.laddr.ip
        for process in (psutil.Process(instance.pid), *psutil.Process(instance.pid).children(recursive=True))
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert {instance.https_port, instance.proxy_port, instance.blob_port} <= set(open_ports)
    assert set(open_ports.values()) == {"127.0.0.1"}


def test_only_the_owner_can_look_into_the_state_folder(settings: LocalSettings) -> None:
    settings.state.mkdir(mode=0o755)
    supervisor.start(settings)
    assert settings.state.stat().st_mode & 0o777 == 0o700
    for name in ("instance.json", "secret", "certificates/key.pem"):
        assert (settings.state / name).stat().st_mode & 0o077 == 0, name


def test_a_second_start_is_a_no_op(settings: LocalSettings) -> None:
    first = supervisor.start(settings)
    begun = (settings.logs / "start.log").stat().st_mtime_ns  # every process that is started writes it anew
    assert supervisor.start(settings) == first
    assert (settings.logs / "start.log").stat().st_mtime_ns == begun


def test_a_start_with_other_settings_names_what_differs(settings: LocalSettings) -> None:
    supervisor.start(settings)
    with pytest.raises(LocalError, match="already runs with other settings: network is 'deny', not 'allow'"):
        supervisor.start(LocalSettings(settings.state, network="allow"))


def test_starts_at_the_same_time_lead_to_one_instance(settings: LocalSettings) -> None:
    with ThreadPoolExecutor(4) as threads:
        instances = list(threads.map(lambda _: supervisor.start(settings), range(4)))
    assert len(set(instances)) == 1


def test_a_killed_instance_is_recovered_with_everything_it_acknowledged(settings: LocalSettings) -> None:
    killed = supervisor.start(settings)
    counts = supervisor.status(settings.state).counts
    azurite = json.loads((settings.state / "azurite.json").read_text())["pid"]
    _kill(killed.pid)
    assert not supervisor.status(settings.state).running
    again = supervisor.start(settings)
    assert again.pid != killed.pid
    assert "AzureLocal" in _metadata(again, settings)
    assert supervisor.status(settings.state).counts == counts
    assert not psutil.pid_exists(azurite) or psutil.Process(azurite).status() == psutil.STATUS_ZOMBIE


def test_a_stop_after_a_kill_stops_the_azurite_that_was_left_behind(settings: LocalSettings) -> None:
    instance = supervisor.start(settings)
    azurite = json.loads((settings.state / "azurite.json").read_text())["pid"]
    _kill(instance.pid)
    assert supervisor.stop(settings.state)
    assert not psutil.pid_exists(azurite) or psutil.Process(azurite).status() == psutil.STATUS_ZOMBIE


def test_a_recorded_pid_that_now_belongs_to_another_process_is_not_taken_for_the_instance(
    settings: LocalSettings,
) -> None:
    settings.state.mkdir()
    supervisor.write_settings(settings)
    stale = Instance(os.getpid(), "another-boot/1000", 1, 2, 3, "secret")
    stale.write(settings.instance_file)
    assert supervisor.running(settings.state) is None
    assert not supervisor.stop(settings.state)
    assert supervisor.start(settings).pid != os.getpid()


def test_stop_ends_every_process_and_keeps_the_state(settings: LocalSettings) -> None:
    instance = supervisor.start(settings)
    family = [psutil.Process(instance.pid), *psutil.Process(instance.pid).children(recursive=True)]
    assert len(family) >= 2
    assert supervisor.stop(settings.state)
    assert [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
    assert not supervisor.stop(settings.state)
    assert settings.database.exists()
    assert "stopped" in (settings.logs / "control-plane.log").read_text().splitlines()[-1]


def test_sigint_stops_in_order_too(settings: LocalSettings) -> None:
    process = psutil.Process(supervisor.start(settings).pid)
    process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + 15
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not settings.instance_file.exists()
    assert not (settings.state / "azurite.json").exists()


def test_the_same_workspace_is_there_after_a_restart(settings: LocalSettings) -> None:
    supervisor.start(settings)
    before = supervisor.status(settings.state).counts
    supervisor.stop(settings.state)
    supervisor.start(settings)
    assert before["workspaces"] == 1
    assert supervisor.status(settings.state).counts == before


def test_reset_deletes_the_state_of_a_running_instance(settings: LocalSettings) -> None:
    instance = supervisor.start(settings)
    supervisor.reset(settings.state)
    assert not settings.state.exists()
    assert not psutil.pid_exists(instance.pid) or psutil.Process(instance.pid).status() == psutil.STATUS_ZOMBIE


def test_reset_refuses_a_folder_that_is_not_a_state_folder(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(LocalError, match="is not a state folder of the local control plane; nothing was deleted"):
        supervisor.reset(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_start_refuses_a_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(LocalError, match="is not empty and is not a state folder"):
        supervisor.start(LocalSettings(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_start_that_fails_ends_with_the_reason(settings: LocalSettings) -> None:
    settings.state.mkdir()
    supervisor.write_settings(settings)
    settings.database.mkdir()
    with pytest.raises(LocalError, match=r"did not start: .*resources\.db cannot be read: unable to open "):
        supervisor.start(settings)
    assert supervisor.running(settings.state) is None
    assert not (settings.state / "azurite.json").exists()


def _server(settings: LocalSettings) -> subprocess.Popen[bytes]:
    settings.logs.mkdir(parents=True)
    supervisor.write_settings(settings)
    command = [sys.executable, "-m", "mlops_kit.local.server", str(settings.state)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def _wait_until(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert path.exists()


def test_a_start_that_is_interrupted_leaves_no_process(settings: LocalSettings) -> None:
    process = _server(settings)
    _wait_until(settings.state / "azurite.json")
    azurite = json.loads((settings.state / "azurite.json").read_text())["pid"]
    process.terminate()
    assert b"stopped while starting" in process.communicate(timeout=30)[1]
    assert not psutil.pid_exists(azurite) or psutil.Process(azurite).status() == psutil.STATUS_ZOMBIE
    assert not (settings.state / "azurite.json").exists()


def test_a_server_that_is_still_starting_is_taken_over_by_the_next_start(settings: LocalSettings) -> None:
    """As after ``kill -9`` of the program that was starting it."""
    process = _server(settings)
    _wait_until(settings.state / "azurite.json")
    assert supervisor.start(settings).pid == process.pid
    process.terminate()
    assert process.wait(30) == 0


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path, computes=("a", "b"), runner="venv", network="deny", quota_bytes=5)
    supervisor.write_settings(settings)
    assert supervisor.read_settings(tmp_path) == settings


def test_settings_of_another_version_are_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"workspace": {"subscription": "s"}}')
    with pytest.raises(LocalError, match="was not written by this version of mlops_kit"):
        supervisor.read_settings(tmp_path)


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match=f"the state folder {tmp_path}/file/state cannot be written: Not a directory"):
        supervisor.start(LocalSettings(tmp_path / "file" / "state"))


def test_git_ignores_the_state_folder(settings: LocalSettings) -> None:
    supervisor.start(settings)
    assert (settings.state / ".gitignore").read_text() == "*\n"


def test_a_folder_without_settings_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=f"{tmp_path} is not a state folder"):
        supervisor.read_settings(tmp_path)


def test_the_status_of_a_folder_that_was_never_started_says_so(tmp_path: Path) -> None:
    found = supervisor.status(tmp_path / "nothing")
    assert (found.running, found.pid, found.counts) == (False, None, {})
    assert not (tmp_path / "nothing").exists()


def test_the_variables_lead_programs_to_the_instance(local_workspace: LocalWorkspace) -> None:
    instance = supervisor.running(local_workspace.state)
    assert instance is not None
    variables = local_workspace.environment
    assert variables["HTTPS_PROXY"] == variables["https_proxy"] == f"http://127.0.0.1:{instance.proxy_port}"
    assert variables["IDENTITY_ENDPOINT"] == f"https://127.0.0.1:{instance.https_port}/msi/token"
    assert variables["IDENTITY_HEADER"] == instance.identity_secret
    assert variables["MLFLOW_TRACKING_URI"].endswith(f"/mlflow/v1.0{local_workspace.workspace.id}")
    bundle = Path(variables["REQUESTS_CA_BUNDLE"]).read_bytes()
    assert (local_workspace.state / "certificates" / "authority.pem").read_bytes() in bundle


def test_variables_that_lead_to_azure_are_removed_from_programs() -> None:
    secret = {"AZURE_CLIENT_ID": "a", "AZURE_CLIENT_SECRET": "b", "AZURE_TENANT_ID": "c", "AZUREML_CURRENT_CLOUD": "d"}
    seen = supervisor.applied({"HTTPS_PROXY": "ours"}, {**secret, "HTTPS_PROXY": "theirs", "PATH": "/bin"})
    assert not set(secret) & set(seen)
    assert (seen["HTTPS_PROXY"], seen["PATH"]) == ("ours", "/bin")


def test_a_control_plane_started_among_our_variables_sees_what_was_set_before_them() -> None:
    before = {"HTTPS_PROXY": "theirs", "AZURE_CLIENT_ID": "a", "PATH": "/bin"}
    once = supervisor.applied({"HTTPS_PROXY": "ours", "https_proxy": "ours"}, before)
    twice = supervisor.applied({"HTTPS_PROXY": "newer", "https_proxy": "newer"}, once)
    assert outside(once) == before
    assert outside(twice) == before
    assert twice["HTTPS_PROXY"] == "newer"


def test_the_life_cycle_is_loaded_without_what_the_control_plane_runs() -> None:
    program = "import sys, mlops_kit.local.supervisor; print(*[m for m in sys.modules if m.startswith('mlops_kit')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"mlops_kit.local.providers", "mlops_kit.local.runs", "mlops_kit.local.arm"}


def test_a_control_plane_that_a_job_starts_is_no_part_of_that_job(
    settings: LocalSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops_kit.local.processes import FOLDER

    monkeypatch.setenv(FOLDER, str(settings.state))
    instance = supervisor.start(settings)
    assert FOLDER not in psutil.Process(instance.pid).environ()
