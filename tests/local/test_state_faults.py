"""What becomes of a control plane whose state folder was damaged, deleted or made read-only by hand."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlops_kit.errors import LocalError
from mlops_kit.local import processes, supervisor
from mlops_kit.local.processes import Started
from mlops_kit.local.settings import DEFAULT_WORKSPACE, Instance, LocalSettings
from mlops_kit.local.signing import Signer


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[LocalSettings]:
    used = LocalSettings(tmp_path / "state", network="deny")
    yield used
    supervisor.stop(used.state)


def _until(done: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("content", [None, "", "{bad", "[]", "null", '{"pid": 1}', '{"pid": "x", "colour": 2}'])
def test_a_damaged_record_of_the_instance_names_none(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "instance.json").write_text(content)
    assert supervisor.running(tmp_path) is None
    assert not supervisor.status(tmp_path).running


def test_a_running_instance_writes_its_record_again(settings: LocalSettings) -> None:
    instance = supervisor.start(settings)
    for content in ("{bad", None):
        settings.instance_file.unlink() if content is None else settings.instance_file.write_text(content)
        assert supervisor.start(settings) == instance
    assert "written again" in (settings.logs / "control-plane.log").read_text()


def test_a_control_plane_whose_folder_was_deleted_ends_with_everything_it_started(tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path / "state", network="deny")
    instance = supervisor.start(settings)
    family = [psutil.Process(instance.pid), *psutil.Process(instance.pid).children(recursive=True)]
    assert len(family) >= 2
    settings.state.rename(tmp_path / "moved")
    _until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family))
    assert not settings.state.exists()
    assert not (tmp_path / "moved" / "blobs").exists()


def test_a_killed_azurite_is_started_again_and_the_control_plane_says_so(settings: LocalSettings) -> None:
    instance = supervisor.start(settings)
    before = (settings.state / "azurite.json").read_text()
    time.sleep(5)  # one that does not stay up is not started again and again
    azurite = next(one for one in psutil.Process(instance.pid).children() if str(one.pid) in before)
    azurite.kill()
    _until(lambda: (settings.state / "azurite.json").read_text() != before)
    assert f"started again on port {instance.blob_port}" in (settings.logs / "control-plane.log").read_text()
    assert supervisor.start(settings) == instance


def test_a_damaged_resource_store_is_named_with_the_way_out(settings: LocalSettings) -> None:
    settings.state.mkdir()
    supervisor.write_settings(settings)
    settings.database.write_bytes(b"no database" * 1000)
    afresh = f"'mlops-kit local reset --state {settings.state}' starts afresh"
    sentence = f"{settings.database} cannot be read: file is not a database; {afresh}"
    with pytest.raises(LocalError) as caught:
        supervisor.start(settings)
    assert str(caught.value) == f"the control plane did not start: {sentence}"
    with pytest.raises(LocalError) as caught:
        supervisor.status(settings.state)
    assert str(caught.value) == sentence
    supervisor.reset(settings.state)
    assert supervisor.start(settings).pid


def test_damaged_storage_is_named_with_the_way_out(settings: LocalSettings) -> None:
    supervisor.start(settings)
    supervisor.stop(settings.state)
    (settings.blobs / "__azurite_db_blob__.json").write_text("{")
    with pytest.raises(LocalError, match=f"Azurite did not start: .*its data are in {settings.blobs}; if they"):
        supervisor.start(settings)
    supervisor.reset(settings.state)
    assert supervisor.start(settings).pid


def test_an_empty_secret_is_replaced(settings: LocalSettings) -> None:
    supervisor.start(settings)
    supervisor.stop(settings.state)
    (settings.state / "secret").write_bytes(b"")
    instance = supervisor.start(settings)
    assert instance.identity_secret != Signer(b"").sign("identity")
    assert len((settings.state / "secret").read_bytes()) == 32


def test_damaged_settings_are_replaced_by_the_next_start(settings: LocalSettings) -> None:
    settings.state.mkdir()
    (settings.state / supervisor._LOCK).touch()  # what tells a state folder from any other
    (settings.state / "settings.json").write_text("{")
    with pytest.raises(LocalError, match=r"settings\.json was not written by this version of mlops_kit"):
        supervisor.status(settings.state)
    supervisor.start(settings)
    assert supervisor.read_settings(settings.state) == settings


@pytest.mark.parametrize("name", ["with blanks", "a%20b?c#d'e\"", "Räume/データ"])
def test_any_path_can_hold_the_state(tmp_path: Path, name: str) -> None:
    settings = LocalSettings(tmp_path / name / "state", network="deny")
    supervisor.start(settings)
    assert supervisor.status(settings.state).counts["workspaces"] == 1
    assert supervisor.stop(settings.state)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_state_folder_is_named(settings: LocalSettings) -> None:
    supervisor.start(settings)
    supervisor.stop(settings.state)
    (settings.state / "start.lock").unlink(missing_ok=True)
    settings.state.chmod(0o500)
    try:
        for attempt in (supervisor.stop, supervisor.reset):
            with pytest.raises(
                LocalError, match=f"the state folder {settings.state} cannot be written: Permission denied"
            ):
                attempt(settings.state)
    finally:
        settings.state.chmod(0o700)


def test_the_clock_plays_no_part_in_telling_whether_it_runs(settings: LocalSettings) -> None:
    """What is recorded is not a time of day: a clock that is set does not make another process of it."""
    instance = supervisor.start(settings)
    assert Instance.read(settings.instance_file) == instance
    assert instance.born == processes.born(instance.pid)
    assert str(int(psutil.Process(instance.pid).create_time())) not in instance.born
    assert processes.living(Started(instance.pid, instance.born)) is not None


def test_a_deployment_that_ran_when_the_control_plane_was_killed_has_failed(
    tmp_path: Path, new_plane: Callable[[LocalSettings], Any]
) -> None:
    plane = new_plane(LocalSettings(tmp_path / "state", network="deny"))
    pid = plane.start()
    stuck = {"method": "PUT", "id": "*/id-stuck", "outcome": "hang"}
    plane.settings.faults.write_text(json.dumps({"operations": [stuck]}))
    identity = "Microsoft.ManagedIdentity/userAssignedIdentities"
    resource = {"type": identity, "apiVersion": "2023-01-31", "name": "id-stuck", "location": "westeurope"}
    template = {"contentVersion": "1.0.0.0", "resources": [resource]}
    group = DEFAULT_WORKSPACE.id.partition("/providers/")[0]
    deployment = f"{group}/providers/Microsoft.Resources/deployments/stuck"
    begun = plane.ask("PUT", deployment, {"properties": {"mode": "Incremental", "template": template}})
    assert begun["properties"]["provisioningState"] == "Running"

    os.kill(pid, signal.SIGKILL)
    _until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    plane.start()
    ended = plane.ask("GET", deployment)["properties"]
    assert (ended["provisioningState"], ended["error"]["code"]) == ("Failed", "DeploymentFailed")
    assert "was stopped while the deployment ran" in ended["error"]["message"]
