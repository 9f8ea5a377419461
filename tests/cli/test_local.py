"""``mlops-kit local`` as a user calls it: real processes, a real control plane."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import psutil
import pytest
import yaml

from mlops_kit.local import supervisor
from mlops_kit.local.azurite import installed
from mlops_kit.local.outside import outside


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


def _read_to_the_end(pid: int, log: Path) -> None:
    """Wait until a process has a log open and stands at its end."""
    process, size = psutil.Process(pid), log.stat().st_size
    while not any(each.path == str(log) and each.position == size for each in process.open_files()):
        assert process.is_running()
        time.sleep(0.01)


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
    assert refused.stderr == (
        f"error: the control plane in {state} already runs with other settings: network is 'deny', not 'allow'; "
        f"stop it first: mlops-kit local stop --state {state}\n"
    )


def test_status_tells_pid_ports_versions_and_counts(state: Path) -> None:
    found = json.loads(_cli(state, "status", "-o", "json").stdout)
    assert found["running"] is True
    assert psutil.pid_exists(found["pid"])
    assert len({found["https_port"], found["proxy_port"], found["blob_port"]}) == 3
    assert found["azurite"] == "3.35.0"
    assert found["workspace"]["name"] == "mlw-local"
    assert set(found["counts"]) <= {"jobs", "data", "models", "components", "environments"}
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
        from azure.ai.ml import MLClient
        from azure.ai.ml.entities import Environment
        from azure.core.exceptions import HttpResponseError
        from azure.identity import DefaultAzureCredential

        ml = MLClient.from_config(credential=DefaultAzureCredential())
        try:
            ml.environments.create_or_update(Environment(name="e", version="1", image="any"))
        except HttpResponseError as error:
            print(error.status_code, error.message)
        print([one.name for one in ml.environments.list() if one.name == "e"])
        """,
    )
    folder = tmp_path / "state"
    done = _cli(folder, "exec", "--quota", "1000", "--config", "--", sys.executable, program, cwd=tmp_path)
    supervisor.stop(folder)
    assert "413 (LocalQuotaExceeded) The state folder" in done.stdout, done.stderr
    assert "quota of 1000 bytes (quota_bytes)" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
    log = (folder / "logs" / "control-plane.log").read_text(encoding="utf-8")
    assert len(re.findall(r"PUT \S*/environments/e/versions/1\S* -> 413", log)) == 1


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
    state = tmp_path / "no thing"
    done = _cli(tmp_path / "other", "env", "--state", str(state))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: the control plane of ")
    assert done.stderr.endswith(f"start it with: mlops-kit local start --state '{state}'\n")


def test_logs_prints_the_last_lines(state: Path) -> None:
    assert _cli(state, "logs", "-n", "1000").stdout.splitlines()[0].endswith(f"starting on {state}")
    assert "Azurite Blob service successfully listens" in _cli(state, "logs", "--of", "azurite").stdout
    assert _cli(state, "logs", "-n", "0").stdout == ""


def test_logs_follows_what_is_added(state: Path) -> None:
    command = [sys.executable, "-m", "mlops_kit", "local", "logs", "-f", "-n", "0", "--of", "start"]
    variables = {**os.environ, "MLOPS_KIT_LOCAL_STATE": str(state)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        _read_to_the_end(process.pid, state / "logs" / "start.log")
        with (state / "logs" / "start.log").open("a") as log:
            log.write("added\n")
        assert process.stdout.readline() == "added\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_reset_asks_and_deletes_only_after_yes(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "start.lock").touch()  # what tells a state folder from any other
    asked = _cli(folder, "reset")
    assert asked.returncode == 130
    assert folder.exists()
    assert _cli(folder, "reset", "--yes").stdout == f"Deleted {folder}\n"
    assert not folder.exists()


@pytest.mark.parametrize("arguments", [[], ["--yes"]])
def test_reset_of_what_is_not_there_asks_nothing_and_says_so(tmp_path: Path, arguments: list[str]) -> None:
    done = _cli(tmp_path / "nothing", "reset", *arguments)
    assert (done.returncode, done.stdout) == (0, f"There is no {tmp_path / 'nothing'}: nothing to delete\n")
    told = _cli(tmp_path / "nothing", "reset", "-o", "json").stdout
    assert json.loads(told) == {"deleted": False, "state": str(tmp_path / "nothing")}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{}", "is no file that names a workspace; --force overwrites it"),
        ("no json", "is no file that names a workspace; --force overwrites it"),
        (None, "cannot be written: is a directory"),
    ],
)
def test_config_json_that_is_anything_else_is_told_as_it_is(
    state: Path, tmp_path: Path, content: str | None, expected: str
) -> None:
    path = tmp_path / "config.json"
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    done = _cli(state, "exec", "--config", "--", "true", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, f"error: {path} {expected}\n")


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_config_json_that_may_not_be_written_is_one_line(state: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").touch(mode=0o000)
    done = _cli(state, "exec", "--config", "--force", "--", "true", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith("config.json cannot be written: permission denied\n")


def test_project_folder_can_be_named_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "shop" / "environments").mkdir(parents=True)
    (tmp_path / "shop" / "environments" / "base.yaml").write_text("")
    found = _cli(tmp_path, "status", "-o", "json", "-C", "shop", cwd=tmp_path, MLOPS_KIT_LOCAL_STATE="")
    assert json.loads(found.stdout)["state"] == str(tmp_path / "shop" / ".mlops_kit" / "local")
    refused = _cli(tmp_path, "stop", "-C", "environments", cwd=tmp_path, MLOPS_KIT_LOCAL_STATE="")
    assert (refused.returncode, refused.stderr) == (2, "error: environments is not a folder\n")


def test_second_environment_of_this_machine_has_a_control_plane_of_its_own(tmp_path: Path) -> None:
    name = "workspace: {subscription_id: 00000000-0000-0000-0000-00000000000b, resource_group: rg, name: ws-"
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "base.yaml").write_text("compute: cpu-cluster\n")
    (tmp_path / "environments" / "laptop.yaml").write_text(name + "laptop}\nlocal: {network: deny}\n")
    (tmp_path / "environments" / "local.yaml").write_text(name + "local}\nlocal: {network: deny}\n")
    (tmp_path / "environments" / "dev.yaml").write_text(name + "dev}\n")

    def kit(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mlops_kit", *arguments, "-o", "json"]
        variables = {key: value for key, value in os.environ.items() if key != "MLOPS_KIT_LOCAL_STATE"}
        return subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    try:
        computes = kit("compute", "list", "-e", "laptop")
        assert computes.returncode == 0, computes.stderr
        assert [row["name"] for row in json.loads(computes.stdout)] == ["cpu-cluster"]
        assert "ws-laptop" in computes.stderr
        running = json.loads(kit("local", "status", "-e", "laptop").stdout)
        assert running["state"] == str(tmp_path / ".mlops_kit" / "laptop")
        assert (running["running"], running["workspace"]["name"]) == (True, "ws-laptop")
        assert json.loads(kit("local", "status").stdout)["running"] is False
        assert json.loads(kit("local", "stop", "-e", "laptop").stdout)["stopped"] is True
    finally:
        supervisor.stop(tmp_path / ".mlops_kit" / "laptop")
    refused = kit("local", "start", "-e", "dev")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "error: the environment 'dev' is not on this machine: its file has no key 'local'\n"


def test_status_names_what_it_holds_in_words(tmp_path: Path) -> None:
    from mlops_kit.cli.local import HELD
    from mlops_kit.cli.options import counted

    assert counted(1, HELD["data"]) == "1 data asset"
    assert counted(2, HELD["environments"]) == "2 environment assets"
    assert set(HELD) == {"jobs", "data", "models", "components", "environments"}


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_start_stop_and_logs_can_be_read_by_programs(state: Path, form: str) -> None:
    reads: dict[str, Callable[[str], Any]] = {"json": json.loads, "yaml": yaml.safe_load}
    read = reads[form]
    started = read(_cli(state, "start", "-o", form).stdout)
    assert (started["running"], started["started"], started["state"]) == (True, False, str(state))
    lines = read(_cli(state, "logs", "-n", "1", "-o", form).stdout)
    assert len(lines) == 1
    assert read(_cli(state, "env", "-o", form).stdout)["MLOPS_KIT_LOCAL_STATE"] == str(state)
    refused = _cli(state, "logs", "-f", "-o", form)
    assert (refused.returncode, refused.stderr) == (2, f"error: --follow prints lines as they come, not {form}\n")


# What may stand in a user's shell and must not matter: a proxy and a bundle that are not there, no HOME, no UTF-8.
SHELL = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://user:word@127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "all_proxy": "socks5://127.0.0.1:9",
    "NO_PROXY": "*",
    "no_proxy": "*",
    "REQUESTS_CA_BUNDLE": "/nonexistent.pem",
    "SSL_CERT_FILE": "/nonexistent.pem",
    "CURL_CA_BUNDLE": "/nonexistent.pem",
    "HOME": "",
    "TMPDIR": "/nonexistent",
    "LC_ALL": "C",
    "LANG": "C",
    "COLUMNS": "40",
    "NO_COLOR": "1",
    "PYTHONWARNINGS": "error",
    "NODE_OPTIONS": "--max-old-space-size=2000",
    "AZURITE_ACCOUNTS": "mine:a2V5",
    "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
}


def test_what_stands_in_the_users_shell_does_not_matter(tmp_path: Path) -> None:
    program = _program(
        tmp_path,
        """
        from azure.ai.ml import MLClient
        from azure.ai.ml.entities import Data
        from azure.identity import DefaultAzureCredential

        ml = MLClient.from_config(credential=DefaultAzureCredential())
        print(ml.data.create_or_update(Data(name="d", path=__file__, type="uri_file")).version)
        """,
    )
    folder = tmp_path / "Zustände hier"
    # A closed standard input and a tight umask as well.
    line = ["sh", "-c", 'umask 077; exec "$@" <&-', "sh", sys.executable, "-m", "mlops_kit", "local", "exec"]
    line += ["--network", "deny", "--state", str(folder), "--config", "--", sys.executable, "-W", "ignore", program]
    # Where a control plane of the session is led to, the user's own variables are kept beside it and would come back.
    variables = {**outside(os.environ), **SHELL, "MLOPS_KIT_AZURITE": str(installed())}
    try:
        done = subprocess.run(line, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
        assert (folder / "certificates" / "bundle.pem").read_bytes().startswith(Path(certifi.where()).read_bytes())
    finally:
        supervisor.stop(folder)


@pytest.mark.parametrize("arguments", [["logs", "-n", "1000"], ["status"], ["env", "-o", "json"], ["--help"]])
def test_a_reader_that_goes_away_is_no_fault(state: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "mlops_kit", "local", *arguments]
    variables = {**os.environ, "MLOPS_KIT_LOCAL_STATE": str(state)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_damaged_records_are_one_line_without_a_traceback(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "settings.json").write_text("{")
    told = _cli(folder, "status")
    assert told.returncode == 2
    assert told.stderr.startswith(f"error: {folder}/settings.json was not written by this version of mlops_kit: ")
    assert len(told.stderr.splitlines()) == 1
    (folder / "settings.json").unlink()
    (folder / "instance.json").write_text("[]")
    assert "running    no" in _cli(folder, "status").stdout


def test_a_missing_azurite_without_a_registry_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    done = _cli(
        tmp_path / "state",
        "start",
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        MLOPS_KIT_AZURITE="",
        npm_config_registry="http://127.0.0.1:9",
        npm_config_fetch_retries="0",
    )
    assert done.returncode == 2
    told = done.stderr.splitlines()[-1]
    assert told.startswith("error: ")
    assert "Azurite 3.35.0 could not be installed" in told
    assert "set MLOPS_KIT_AZURITE to the folder of an installed azurite 3.35.0" in told
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "cache" / "mlops_kit").glob("*azurite*/")) == []
