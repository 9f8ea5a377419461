"""The three things that the engine asks of Azure Resource Manager: what is there, make it so, take it away."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mlops_kit.errors import LocalError
from mlops_kit.local.iac.access import access
from mlops_kit.local.iac.client import ArmClient, ArmRefusal, Terms
from mlops_kit.local.iac.refusals import Refusal
from mlops_kit.local.iac.waiting import Deadline, Retry

_DEFAULT_SECONDS = "30m"  # what the provider allows an operation where the program says nothing
# A new principal takes a while to reach every directory server. Waiting helps; for a wrong id it does not, so it ends.
_REPLICATION = Retry((re.compile(r"^PrincipalNotFound\b"),), interval=0.5, longest=20)
_REPLICATION_SECONDS = "3m"


class CloudError(Exception):
    """What the service refused, or what did not end, in one sentence."""


class Cloud:
    """A connection to the local control plane, shared by threads."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        if not environ.get("ARM_CLOUD_METADATA_URL"):
            why = "the Pulumi engine speaks with the local control plane only, and none is named here"
            raise LocalError(f"{why}; run it under 'mlops-kit local exec --' after 'mlops-kit local start'")
        try:
            self._client = ArmClient(access(environ))
        except Refusal as refusal:
            raise LocalError(refusal.detail) from None
        self.stopped = threading.Event()

    @property
    def subscription(self) -> str:
        """Return the subscription that programs use unless they name another."""
        return self._client.access.subscription

    def find(self, resource_id: str, version: str) -> dict[str, Any] | None:
        """Return a resource, None where there is none."""
        with _sentences("reading", resource_id):
            found: dict[str, Any] | None = self._client.find(resource_id, version, self._terms("read", "5m"))
            return found

    def put(self, resource_id: str, version: str, body: dict[str, Any], allowed: str = "") -> dict[str, Any]:
        """Create or update a resource, wait until that has ended, and return the resource as it is then."""
        grant = "/roleassignments/" in resource_id.lower()
        limit = allowed or (_REPLICATION_SECONDS if grant else _DEFAULT_SECONDS)
        with _sentences("writing", resource_id):
            terms = self._terms("create", limit, _REPLICATION if grant else Retry())
            answer = self._client.send("PUT", resource_id, version, body, terms)
            if _is_finished(answer):
                return dict(answer)
        made = self.find(resource_id, version)
        if made is None:
            raise CloudError(f"writing {resource_id}: the operation succeeded, and the resource is not there")
        return made

    def delete(self, resource_id: str, version: str, allowed: str = "") -> None:
        """Delete a resource and wait until it is gone; one that is not there is no fault."""
        with _sentences("deleting", resource_id):
            try:
                terms = self._terms("delete", allowed or _DEFAULT_SECONDS)
                self._client.send("DELETE", resource_id, version, None, terms)
            except ArmRefusal as refusal:
                if refusal.status != 404:
                    raise

    def claims(self) -> dict[str, Any]:
        """Return what the token says about whom the programs act as."""
        return self._client.claims()

    def token(self) -> str:
        """Return an access token for the control plane."""
        return self._client._bearer()  # noqa: SLF001

    def _terms(self, operation: str, allowed: str, retry: Retry | None = None) -> Terms:
        deadline = Deadline.of({operation: allowed}, operation, self.stopped)
        return Terms(deadline, retry or Retry())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _is_finished(answer: Any) -> bool:
    """Say whether an answer is the resource as it will stay: nothing was begun that ended after it was sent."""
    if not isinstance(answer, Mapping) or "id" not in answer:
        return False
    properties = answer.get("properties")
    state = properties.get("provisioningState") if isinstance(properties, Mapping) else None
    return state in {None, "Succeeded"}


@contextmanager
def _sentences(what: str, resource_id: str) -> Iterator[None]:
    """Turn what the client raises into one sentence that names the resource."""
    try:
        yield
    except ArmRefusal as refusal:
        raise CloudError(f"{what} {resource_id}: {refusal}") from None
    except Refusal as refusal:
        told = refusal.detail.replace("Terraform was interrupted", "the run was stopped")
        raise CloudError(f"{what} {resource_id}: {told}") from None
