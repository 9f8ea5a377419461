"""A pytest plugin for users' own tests: ``azurite``, a clean storage account; ``local_workspace``, a whole workspace.

Both start on first use, work offline once Azurite is installed, and give each pytest-xdist worker its own.
"""

from __future__ import annotations

import base64
import itertools
import os
import secrets
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_kit.errors import LocalError

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

    from mlops_kit.local.settings import WorkspaceName

_ACCOUNTS = 1000  # how many tests share one Azurite; the list must fit into one environment variable


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """An empty storage account of a running Azurite, for one test."""

    account: str
    key: str
    url: str  # of the blob service

    @property
    def connection_string(self) -> str:
        """Return what ``BlobServiceClient.from_connection_string`` takes."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.key};BlobEndpoint={self.url};"
        )


@dataclass(frozen=True, slots=True)
class LocalWorkspace:
    """A running local control plane and its workspace; ``environment`` is already part of ``os.environ``."""

    workspace: WorkspaceName
    environment: dict[str, str]
    state: Path

    def ml_client(self) -> MLClient:
        """Return an unmodified SDK client on the workspace."""
        from azure.ai.ml import MLClient
        from azure.identity import DefaultAzureCredential

        name = self.workspace
        return MLClient(DefaultAzureCredential(), name.subscription, name.group, name.name)

    def advance(self, span: timedelta, *, wait: bool = True) -> list[str]:
        """Move the clock ahead, past every fire of a schedule on the way; return the names of the jobs in their order.

        With ``wait`` the jobs have ended. The clock is that of all tests of the session, and stays ahead.
        """
        from mlops_kit.local import remote_clock, supervisor

        instance = supervisor.running(self.state)
        if instance is None:
            raise LocalError(f"the control plane of {self.state} has ended")
        settings = supervisor.read_settings(self.state)
        target = datetime.fromisoformat(remote_clock.read(settings, instance)["now"]) + span
        fired = remote_clock.move(settings, instance, target.isoformat(), wait=wait)
        return [line["job"] for line in fired if "job" in line]


@pytest.fixture(scope="session")
def _azurite_accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[StorageAccount]]:
    accounts = _accounts(tmp_path_factory.mktemp("azurite"))
    yield accounts
    accounts.close()


def _accounts(folder: Path) -> Generator[StorageAccount]:
    """Yield accounts that nobody has used, starting another Azurite when one has no more."""
    from mlops_kit.local.azurite.process import Azurite
    from mlops_kit.local.settings import LocalSettings

    for number in itertools.count():
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        names = [f"test{number:03d}{index:04d}" for index in range(_ACCOUNTS)]
        service = Azurite.start(LocalSettings(folder / str(number)), accounts=dict.fromkeys(names, key), secure=False)
        try:
            for name in names:
                yield StorageAccount(name, key, f"http://127.0.0.1:{service.port}/{name}")
        finally:
            service.stop()


@pytest.fixture
def azurite(_azurite_accounts: Iterator[StorageAccount]) -> StorageAccount:
    """Return a storage account of a running Azurite that no other test has used."""
    return next(_azurite_accounts)


@pytest.fixture(scope="session")
def local_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """Run a local control plane for the session; ``os.environ`` leads every SDK to it, hosts outside are refused."""
    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import LocalSettings

    settings = LocalSettings(tmp_path_factory.mktemp("local_workspace") / "state", network="deny")
    before = dict(os.environ)
    instance = supervisor.start(settings)
    try:
        variables = supervisor.environment(instance, settings)
        _set_environ(supervisor.applied(variables, before))
        yield LocalWorkspace(settings.workspace, variables, settings.state)
    finally:
        _set_environ(before)
        supervisor.stop(settings.state)


def _set_environ(variables: dict[str, str]) -> None:
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)
