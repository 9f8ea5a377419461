"""How the tools sign in to Azure: as our own commands do, by the environment's ``auth`` and the variables ``AZURE_*``.

The providers of both engines read variables of their own, ``ARM_*``; one that is set already is left as it is.
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


def signed_in(environ: Mapping[str, str], auth: str, subscription: str) -> dict[str, str]:
    """Return the variables of a tool that is to sign in as ``auth`` says, to one subscription."""
    taken = {name: environ[source] for name, source in _TAKEN.get(auth, {}).items() if environ.get(source)}
    return {"ARM_SUBSCRIPTION_ID": subscription, **_FIXED.get(auth, {}), **taken, **environ}
