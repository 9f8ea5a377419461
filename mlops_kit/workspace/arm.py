"""Requests to Azure Resource Manager for which the SDK has no operation: as they are, followed to their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from mlops_kit.errors import OperationFailed, WaitExpired
from mlops_kit.workspace import failures
from mlops_kit.workspace.credentials import SCOPE, Credential

PUBLIC = "https://management.azure.com"
_PATIENCE = 1800.0  # seconds that one change may take
_POLL_SECONDS = 1.0
_ENDED = {"failed", "canceled", "cancelled"}


class ArmDoor:
    """A connection to one Azure Resource Manager that signs in when first used; the pipeline is azure-core's."""

    def __init__(self, sign_in: Callable[[], Credential], endpoint: str = PUBLIC) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._sign_in = sign_in

    @cached_property
    def _client(self) -> Any:
        from azure.core import PipelineClient
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy

        policies = [RetryPolicy(), BearerTokenCredentialPolicy(self._sign_in().token, SCOPE)]
        return PipelineClient(self._endpoint, policies=policies)

    def find(self, path: str, version: str, **query: str) -> dict[str, Any] | None:
        """Return the body of a GET, None for 404."""
        answer = self._answer("GET", self._url(path), version, None, query)
        if answer.status_code == 404:
            return None
        _require_success(answer, f"read {path}")
        return dict(answer.json())

    def send(self, method: str, path: str, version: str, body: Any = None, **query: str) -> None:
        """Send a change and wait until it has ended."""
        answer = self._answer(method, self._url(path), version, body, query)
        doing = f"{method} {path}"
        _require_success(answer, doing)
        status, location = (answer.headers.get(name) for name in ("Azure-AsyncOperation", "Location"))
        end = time.monotonic() + _PATIENCE
        while (url := status or location) and answer.status_code in {200, 201, 202}:
            if time.monotonic() > end:
                raise WaitExpired(f"gave up waiting for {doing} after {_PATIENCE:.0f} s")
            time.sleep(_pause(answer.headers))
            answer = self._answer("GET", self._ours(url, doing), None, None, {})
            _require_success(answer, doing)
            if (status and _has_ended(answer, doing)) or (not status and answer.status_code != 202):
                return

    def _url(self, path: str) -> str:
        return f"{self._endpoint}{path}"

    def _ours(self, url: str, doing: str) -> str:
        """Refuse an address elsewhere, which must not be shown the token."""
        if not url.startswith(f"{self._endpoint}/"):
            raise OperationFailed(f"could not follow {doing}: the service names {url}, which is not its own address")
        return url

    def _answer(self, method: str, url: str, version: str | None, body: Any, query: Mapping[str, str]) -> Any:
        from azure.core.rest import HttpRequest

        parameters = {**({"api-version": version} if version else {}), **query}
        request = HttpRequest(method, url, params=parameters, json=body)
        with failures.readable(f"reach {self._endpoint}"):
            return self._client.send_request(request)


def _pause(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "")
    return float(text) if text.isdigit() and text != "0" else _POLL_SECONDS / 10 if text == "0" else _POLL_SECONDS


def _has_ended(answer: Any, doing: str) -> bool:
    facts = answer.json() if answer.content else {}
    status = str(facts.get("status", "Succeeded")).lower()
    if status in _ENDED:
        raise OperationFailed(f"could not {doing}: {_said(facts)}")
    return status == "succeeded"


def _require_success(answer: Any, doing: str) -> None:
    if answer.status_code >= 400:
        try:
            facts = answer.json()
        except ValueError:
            facts = {}
        raise OperationFailed(f"could not {doing}: {_said(facts)} (HTTP {answer.status_code})")


def _said(facts: Any) -> str:
    error = facts.get("error") if isinstance(facts, Mapping) else None
    error = error if isinstance(error, Mapping) else {}
    return f"{error.get('code', 'no code')}: {error.get('message', 'the service gives no reason')}"
