"""Where the engines keep what they know of an environment in Azure: a blob container, made once and no part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_kit.environments import Environment
from mlops_kit.errors import EnvironmentFileError
from mlops_kit.infra import names
from mlops_kit.infra.places import Where
from mlops_kit.infra.wanted import wanted

_KEY = ("infra", "state", "storage_account")


@dataclass(frozen=True, slots=True)
class State:
    """A container of a storage account; both engines reach it by identity, and each environment has its own blobs."""

    storage_account: str
    container: str
    blob: str
    """What terraform calls its blob; it names the project, since several may share a container. Pulumi does so, too."""

    @property
    def terraform(self) -> Mapping[str, Any]:
        """Return the arguments of terraform's backend ``azurerm``."""
        return {
            "storage_account_name": self.storage_account,
            "container_name": self.container,
            "key": self.blob,
            "use_azuread_auth": True,
        }

    @property
    def pulumi(self) -> str:
        """Return the address that ``pulumi login`` takes."""
        return f"azblob://{self.container}?storage_account={self.storage_account}"


def state(environment: Environment) -> State | None:
    """Return where the state of an environment is kept; None where that is a file on this machine.

    Raises:
        EnvironmentFileError: The environment is protected and does not say it, the account is one that the environment
            itself makes, or a value cannot be evaluated.
    """
    if environment.is_local:  # its control plane and its state come and go together
        return None
    given, where = wanted(environment)["state"], Where(environment)
    if given is None:
        if environment.protected:
            message = f"{environment.name!r} is protected and does not say where its state is kept: no {'.'.join(_KEY)}"
            raise EnvironmentFileError(message, where.place("infra"))
        return None
    account = given["storage_account"]
    if account == names.physical_names(environment)["storage"]:
        message = f"{'.'.join(_KEY)}: {account!r} is made and destroyed with the environment; state needs another"
        raise EnvironmentFileError(message, where.place(*_KEY))
    project = str(environment.get("project") or environment.project)
    return State(account, given["container"], f"{project}/{environment.name}.tfstate")
