"""The credential of a command: chosen by the environment's ``auth``, tried once within seconds, and named."""

from __future__ import annotations

import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_kit.errors import UsageError

SCOPE = "https://management.azure.com/.default"
PATIENCE = 8.0  # seconds; a chain that tries a silent metadata service would otherwise take minutes


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential that has answered once; ``token`` is an azure-core TokenCredential, ``name`` is for people."""

    name: str
    token: Any


def choose(auth: str, variables: Mapping[str, str], scope: str = SCOPE, patience: float = PATIENCE) -> Credential:
    """Build the credential that ``auth`` names and ask it for one token, for at most ``patience`` seconds.

    Raises :class:`UsageError` in one sentence when ``auth`` is unknown or no token can be had.
    """
    if auth not in KINDS:
        raise UsageError(f"unknown auth {auth!r}; known are {', '.join(KINDS)}")
    name, token = KINDS[auth](variables)
    _probe(auth, token, scope, patience)
    return Credential(_answered(token) or name, token)


def _probe(auth: str, token: Any, scope: str, patience: float) -> None:
    """Ask for a token in a thread that may be left behind."""
    faults: list[Exception | None] = []

    def ask() -> None:
        try:
            token.get_token(scope)
            faults.append(None)
        except Exception as error:  # noqa: BLE001  any fault of any credential means the same to the user
            faults.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    if not faults:
        raise UsageError(f"no Azure credential: auth {auth!r} did not answer within {patience:.0f} s; {REMEDIES[auth]}")
    if faults[0] is not None:
        raise UsageError(f"no Azure credential: {_reason(faults[0])}; {REMEDIES[auth]}")


def _reason(error: Exception) -> str:
    """Return the first line of an error without the full stop and the invitation to a web page."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split("Visit https", maxsplit=1)[0].split("See https", maxsplit=1)[0].strip().rstrip(".")[:300]


def _answered(token: Any) -> str | None:
    """Return the member of a chain that answered; azure-identity keeps it in an attribute without a public name."""
    member = getattr(token, "_successful_credential", None)
    return f"{type(token).__name__}: {type(member).__name__}" if member is not None else None


def _default(_variables: Mapping[str, str]) -> tuple[str, Any]:
    from azure.identity import DefaultAzureCredential

    return "DefaultAzureCredential", DefaultAzureCredential(process_timeout=int(PATIENCE))


def _service_principal(variables: Mapping[str, str]) -> tuple[str, Any]:
    from azure.identity import ClientSecretCredential

    tenant, client, secret = _needed(variables, "sp", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    return f"service principal {client}", ClientSecretCredential(tenant, client, secret)


def _federated(variables: Mapping[str, str]) -> tuple[str, Any]:
    """Build a credential that fetches a new assertion for every renewal: one assertion lives only minutes."""
    from azure.identity import ClientAssertionCredential, WorkloadIdentityCredential

    if variables.get("AZURE_FEDERATED_TOKEN_FILE"):
        tenant, client = _needed(variables, "oidc", "AZURE_TENANT_ID", "AZURE_CLIENT_ID")
        file = variables["AZURE_FEDERATED_TOKEN_FILE"]
        return f"federated token of {client}", WorkloadIdentityCredential(
            tenant_id=tenant, client_id=client, token_file_path=file
        )
    keys = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    tenant, client, url, bearer = _needed(variables, "oidc", *keys)
    return f"GitHub OIDC for {client}", ClientAssertionCredential(tenant, client, github_assertion(url, bearer))


def _command_line(_variables: Mapping[str, str]) -> tuple[str, Any]:
    from azure.identity import AzureCliCredential

    return "Azure CLI", AzureCliCredential(process_timeout=int(PATIENCE))


def github_assertion(url: str, bearer: str) -> Callable[[], str]:
    """Return a function that asks the GitHub runner for a fresh OIDC assertion for Azure."""
    address = f"{url}&{urllib.parse.urlencode({'audience': 'api://AzureADTokenExchange'})}"

    def fetch() -> str:
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {bearer}"})  # noqa: S310  the runner's own address
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            return str(json.load(reply)["value"])

    return fetch


def _needed(variables: Mapping[str, str], auth: str, *keys: str) -> list[str]:
    """Return the values of environment variables that must all be set."""
    missing = [key for key in keys if not variables.get(key)]
    if missing:
        raise UsageError(f"no Azure credential: auth {auth!r} needs {' and '.join(missing)} in the process environment")
    return [variables[key] for key in keys]


KINDS: dict[str, Callable[[Mapping[str, str]], tuple[str, Any]]] = {
    "default": _default,
    "sp": _service_principal,
    "oidc": _federated,
    "cli": _command_line,
}
REMEDIES = {
    "default": "sign in with 'az login', or set auth to sp, oidc or cli in the environment's file",
    "sp": "check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
    "oidc": "check the federated credential and the permission 'id-token: write'",
    "cli": "sign in with 'az login'",
}
