"""``mlops-kit local`` as a user calls it: real processes, a real control plane."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlops_kit.local import supervisor


def _cli(state: Path, *arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlops_kit", "local", *arguments],
        cwd=cwd or state.parent,
        env={**os.environ, "MLOPS_KIT_LOCAL_STATE": str(state), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cli") / "state"
    started = _cli(folder, "start", "--network", "deny")
    assert started.returncode == 0, started.stderr
    yield folder
    supervisor.stop(folder)


def _program(folder: Path, text: str) -> str:
    path = folder / "program.py"
    path.write_text(textwrap.dedent(text))
    return str(path)


def test_start_says_where_the_state_is_and_what_storage_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    started = _cli(folder, "start")
    assert started.returncode == 0
    assert f"state: {folder}" in started.stdout
    assert "Azurite 3.35.0, blobs only, API version check relaxed" in started.stderr
    stopped = _cli(folder, "stop")
    assert stopped.stdout == f"Stopped; state: {folder}\n"
    again = _cli(folder, "stop")
    assert (again.returncode, again.stdout) == (0, f"It was not running; state: {folder}\n")


def test_starts_from_several_shells_lead_to_one_instance(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mlops_kit", "local", "start", "--state", str(tmp_path / "state")]
    shells = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(3)]
    assert [shell.wait(60) for shell in shells] == [0, 0, 0]
    log = (tmp_path / "state" / "logs" / "control-plane.log").read_text()
    assert log.count("starting on") == 1
    supervisor.stop(tmp_path / "state")


def test_a_second_start_is_a_no_op_and_keeps_the_settings_it_runs_with(state: Path) -> None:
    before = json.loads(_cli(state, "status", "-o", "json").stdout)
    assert _cli(state, "start").returncode == 0
    assert json.loads(_cli(state, "status", "-o", "json").stdout) == before
    assert before["network"] == "deny"


def test_a_start_with_another_setting_is_refused_in_one_line(state: Path) -> None:
    refused = _cli(state, "start", "--network", "allow")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        f"error: The control plane in {state} already runs with other settings: network is 'deny', not 'allow'"
    ]


def test_status_tells_pid_ports_versions_and_counts(state: Path) -> None:
    found = json.loads(_cli(state, "status", "-o", "json").stdout)
    assert found["running"] is True
    assert psutil.pid_exists(found["pid"])
    assert len({found["https_port"], found["proxy_port"], found["blob_port"]}) == 3
    assert found["azurite"] == "3.35.0"
    assert found["workspace"]["name"] == "mlw-local"
    assert found["counts"]["datastores"] >= 1
    text = _cli(state, "status").stdout
    assert f"running    yes, pid {found['pid']}" in text
    assert "Azurite 3.35.0 (its API version check is relaxed)" in text


def test_status_of_what_never_ran_says_no(tmp_path: Path) -> None:
    assert "running    no" in _cli(tmp_path / "nothing", "status").stdout


def test_the_state_lies_in_the_project_folder_around_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "base.yaml").write_text("")
    (tmp_path / "src" / "deep").mkdir(parents=True)
    found = _cli(tmp_path, "status", "-o", "json", cwd=tmp_path / "src" / "deep", MLOPS_KIT_LOCAL_STATE="")
    assert json.loads(found.stdout)["state"] == str(tmp_path / ".mlops_kit" / "local")


def test_the_local_environment_of_the_project_says_how_it_is_started(tmp_path: Path) -> None:
    workspace = "workspace: {subscription_id: 00000000-0000-0000-0000-00000000000a, resource_group: rg, name: mine}\n"
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "base.yaml").write_text("compute: big\n")
    (tmp_path / "environments" / "local.yaml").write_text(workspace + "local: {runner: venv, network: deny}\n")
    state = tmp_path / ".mlops_kit" / "local"
    done = _cli(state, "exec", "--network", "allow", "--config", "--", "true", cwd=tmp_path, MLOPS_KIT_LOCAL_STATE="")
    found = supervisor.read_settings(state)
    supervisor.stop(state)
    assert done.returncode == 0, done.stderr
    assert (found.workspace.name, found.runner, found.network, found.computes) == ("mine", "venv", "allow", ("big",))
    assert json.loads((tmp_path / "config.json").read_text())["workspace_name"] == "mine"


def test_exec_runs_an_unmodified_sdk_program_and_passes_its_exit_code(state: Path, tmp_path: Path) -> None:
    program = _program(
        tmp_path,
        """
        import sys
        from azure.ai.ml import MLClient
        from azure.identity import DefaultAzureCredential

        ml = MLClient.from_config(credential=DefaultAzureCredential())
        print(ml.workspaces.get().name, [store.name for store in ml.datastores.list()][0])
        sys.exit(7)
        """,
    )
    # Credentials of a real tenant are set: they must not be used.
    real = {
        "AZURE_CLIENT_ID": "x",
        "AZURE_CLIENT_SECRET": "y",
        "AZURE_TENANT_ID": "z",
        "AZUREML_CURRENT_CLOUD": "AzureCloud",
    }
    done = _cli(state, "exec", "--config", "--", sys.executable, program, cwd=tmp_path, **real)
    assert done.returncode == 7, done.stderr
    assert done.stdout == "mlw-local workspaceblobstore\n"
    assert json.loads((tmp_path / "config.json").read_text()) == {
        "subscription_id": "00000000-0000-0000-0000-000000000001",
        "resource_group": "rg-local",
        "workspace_name": "mlw-local",
    }


def test_exec_lets_no_azure_host_through(state: Path, tmp_path: Path) -> None:
    program = _program(
        tmp_path,
        """
        import requests

        try:
            requests.get("https://management.azure.com/subscriptions", timeout=10)
        except requests.exceptions.ProxyError as error:
            print(error)
        """,
    )
    done = _cli(state, "exec", "--", sys.executable, program)
    assert "403 The local control plane lets no Azure host through: management.azure.com" in done.stdout


def test_exec_starts_the_control_plane_and_leaves_it_running(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    done = _cli(folder, "exec", "--network", "deny", "--", sys.executable, "-c", "print('ran')")
    assert done.stdout == "ran\n"
    assert "Starting the local control plane" in done.stderr
    assert supervisor.running(folder) is not None
    supervisor.stop(folder)


def test_a_write_beyond_the_quota_reaches_the_user_as_one_refusal_without_retries(tmp_path: Path) -> None:
    program = _program(
        tmp_path,
        """
        import time
        from azure.ai.ml import MLClient
        from azure.ai.ml.entities import Environment
        from azure.core.exceptions import HttpResponseError
        from azure.identity import DefaultAzureCredential

        ml = MLClient.from_config(credential=DefaultAzureCredential())
        began = time.monotonic()
        try:
            ml.environments.create_or_update(Environment(name="e", version="1", image="any"))
        except HttpResponseError as error:
            print(error.status_code, error.message)
        print([one.name for one in ml.environments.list() if one.name == "e"], time.monotonic() - began < 5)
        """,
    )
    folder = tmp_path / "state"
    done = _cli(folder, "exec", "--quota", "1000", "--config", "--", sys.executable, program, cwd=tmp_path)
    supervisor.stop(folder)
    assert "413 (LocalQuotaExceeded) The state folder" in done.stdout, done.stderr
    assert "quota of 1000 bytes (quota_bytes)" in done.stdout
    assert done.stdout.splitlines()[-1] == "[] True"


def test_exec_passes_signals_on(state: Path) -> None:
    command = [sys.executable, "-m", "mlops_kit", "local", "exec", "--", sys.executable, "-c"]
    text = "from signal import *; signal(SIGTERM, lambda *_: exit(9)); print('up', flush=True); pause()"
    variables = {**os.environ, "MLOPS_KIT_LOCAL_STATE": str(state)}
    with subprocess.Popen([*command, text], env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 9


def test_exec_of_an_unknown_program_is_one_line(state: Path) -> None:
    done = _cli(state, "exec", "--", "no-such-program", "-x")
    assert done.returncode == 2
    assert done.stderr == "error: no-such-program cannot be run: No such file or directory\n"


def test_exec_keeps_the_options_of_the_program(state: Path) -> None:
    done = _cli(state, "exec", sys.executable, "-c", "import sys; print(sys.argv[1:])", "--state", "x", "--", "-o")
    assert done.stdout == "['--state', 'x', '--', '-o']\n"


def test_another_config_json_is_not_overwritten_unless_forced(state: Path, tmp_path: Path) -> None:
    other = {"subscription_id": "s", "resource_group": "g", "workspace_name": "production"}
    (tmp_path / "config.json").write_text(json.dumps(other))
    refused = _cli(state, "exec", "--config", "--", "true", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == f"error: {tmp_path / 'config.json'} names another workspace; --force overwrites it\n"
    assert json.loads((tmp_path / "config.json").read_text()) == other
    assert _cli(state, "exec", "--config", "--force", "--", "true", cwd=tmp_path).returncode == 0
    assert json.loads((tmp_path / "config.json").read_text())["workspace_name"] == "mlw-local"
    assert _cli(state, "exec", "--config", "--", "true", cwd=tmp_path).returncode == 0


def test_the_variables_can_be_evaluated_by_a_shell(state: Path) -> None:
    script = f'eval "$({sys.executable} -m mlops_kit local env)" && echo "$IDENTITY_HEADER|$AZURE_CLIENT_ID"'
    variables = {**os.environ, "MLOPS_KIT_LOCAL_STATE": str(state), "AZURE_CLIENT_ID": "real"}
    done = subprocess.run(["sh", "-c", script], env=variables, capture_output=True, text=True, check=True)
    instance = supervisor.running(state)
    assert instance is not None
    assert done.stdout == f"{instance.identity_secret}|\n"


def test_the_variables_are_the_same_in_every_format(state: Path) -> None:
    listed = json.loads(_cli(state, "env", "-o", "json").stdout)
    github = dict(line.split("=", 1) for line in _cli(state, "env", "-o", "github").stdout.splitlines())
    assert set(github) == set(listed)
    assert github["HTTPS_PROXY"] == listed["HTTPS_PROXY"]


def test_env_of_what_does_not_run_says_how_to_start_it(tmp_path: Path) -> None:
    done = _cli(tmp_path / "nothing", "env")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: The control plane of ")
    assert "start it with: mlops-kit local start" in done.stderr


def test_logs_prints_the_last_lines(state: Path) -> None:
    assert _cli(state, "logs", "-n", "1000").stdout.splitlines()[0].endswith(f"starting on {state}")
    assert "Azurite Blob service successfully listens" in _cli(state, "logs", "--of", "azurite").stdout
    assert _cli(state, "logs", "-n", "0").stdout == ""


def test_logs_follows_what_is_added(state: Path) -> None:
    command = [sys.executable, "-m", "mlops_kit", "local", "logs", "-f", "-n", "0", "--of", "start"]
    variables = {**os.environ, "MLOPS_KIT_LOCAL_STATE": str(state)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        time.sleep(1)
        with (state / "logs" / "start.log").open("a") as log:
            log.write("added\n")
        assert process.stdout.readline() == "added\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_reset_asks_and_deletes_only_after_yes(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "settings.json").write_text("{}")
    asked = _cli(folder, "reset")
    assert asked.returncode == 130
    assert folder.exists()
    assert _cli(folder, "reset", "--yes").stdout == f"Deleted {folder}\n"
    assert not folder.exists()
