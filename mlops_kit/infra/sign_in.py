"""How the tools sign in to Azure: as our own commands do, by the environment's ``auth`` and the variables ``AZURE_*``.

The providers of both engines read variables of their own, ``ARM_*``. Where one of those that sign in is set, the tools
get them as they are: half of one identity and half of another would be none.
"""

from __future__ import annotations

from collections.abc import Mapping

_NAMED = {"ARM_TENANT_ID": "AZURE_TENANT_ID", "ARM_CLIENT_ID": "AZURE_CLIENT_ID"}
# auth -> variable of the tools -> the variable that has its value
_TAKEN: Mapping[str, Mapping[str, str]] = {
    "sp": {**_NAMED, "ARM_CLIENT_SECRET": "AZURE_CLIENT_SECRET"},
    "oidc": {**_NAMED, "ARM_OIDC_TOKEN_FILE_PATH": "AZURE_FEDERATED_TOKEN_FILE"},
}
_FIXED: Mapping[str, Mapping[str, str]] = {"oidc": {"ARM_USE_OIDC": "true"}, "cli": {"ARM_USE_CLI": "true"}}
_OF_THE_TOOLS = ("ARM_CLIENT_", "ARM_TENANT_ID", "ARM_USE_", "ARM_OIDC_")


def signed_in(environ: Mapping[str, str], auth: str, subscription: str) -> dict[str, str]:
    """Return the variables of a tool that is to sign in as ``auth`` says, to one subscription."""
    whole = {**environ, "ARM_SUBSCRIPTION_ID": subscription}
    if any(value and name.startswith(_OF_THE_TOOLS) for name, value in environ.items()):
        return whole
    way = _first_complete(environ) if auth == "default" else auth
    taken = {name: environ[source] for name, source in _TAKEN.get(way, {}).items() if environ.get(source)}
    return {**whole, **_FIXED.get(way, {}), **taken}


def _first_complete(environ: Mapping[str, str]) -> str:
    """Return what ``DefaultAzureCredential`` finds in the variables, which it asks first; else what the tools find."""
    complete = (way for way, taken in _TAKEN.items() if all(environ.get(source) for source in taken.values()))
    return next(complete, "")
