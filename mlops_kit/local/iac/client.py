"""Azure Resource Manager over HTTPS: one request, tried again where the service says so, and followed to its end."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import urllib3

from mlops_kit.local.iac.access import Access
from mlops_kit.local.iac.refusals import Refusal
from mlops_kit.local.iac.waiting import Deadline, Retry

log = logging.getLogger(__name__)

_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_BUSY_ATTEMPTS = 4
_BUSY_SECONDS = 0.2
_POLL_SECONDS = 0.5  # where the service names no Retry-After
_LEAST_SECONDS = 0.01  # ``Retry-After: 0`` must not become a busy loop
_CONNECTIONS = 16
_TOKEN_SECONDS = 30  # the identity endpoint is on this machine: it answers at once, or not at all
_TOKEN_MARGIN = 300  # a token is renewed this many seconds before it expires
_ENDED = frozenset({"succeeded", "failed", "canceled", "cancelled"})


class ArmRefusal(Exception):  # noqa: N818  what the service said, not a fault of this program
    """An error that the service answered with, in its own words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a request is sent: its time, what is tried again, and what the user adds to it."""

    deadline: Deadline
    retry: Retry = field(default_factory=Retry)
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


class ArmClient:
    """A connection pool to one control plane, and its token. Threads share it."""

    def __init__(self, access: Access) -> None:
        self.access = access
        kept: dict[str, Any] = {"maxsize": _CONNECTIONS, "retries": False}
        if access.authorities:
            kept["ca_certs"] = access.authorities
        self._near = urllib3.PoolManager(**kept)  # the identity endpoint is on a port of this machine
        through = access.proxy and access.endpoint.startswith("https:")
        self._pool = urllib3.ProxyManager(access.proxy, **kept) if through else self._near
        self._lock = threading.Lock()
        self._token = ""
        self._expires = 0.0

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()
        self._near.clear()

    def get(self, path: str, version: str, terms: Terms) -> Any:
        """Return the body of a GET. Raises ArmRefusal, 404 among them."""
        return self._attempt("GET", path, version, None, terms).body

    def find(self, path: str, version: str, terms: Terms) -> Any:
        """Return the body of a GET, None where there is no such resource."""
        try:
            return self.get(path, version, terms)
        except ArmRefusal as refusal:
            if refusal.status == 404:
                return None
            raise

    def pages(self, path: str, version: str, terms: Terms) -> dict[str, Any]:
        """Return a list of resources as one ``{"value": [...]}``, however many pages it comes in."""
        page = self.get(path, version, terms)
        found = list(page.get("value", []))
        while page.get("nextLink"):
            page = self._once("GET", self._ours(page["nextLink"]), None, terms).body
            found += page.get("value", [])
        return {"value": found}

    def send(self, method: str, path: str, version: str, body: Any, terms: Terms) -> Any:
        """Send a request and follow the operation it begins to its end; return the last body that held a result."""
        answer = self._attempt(method, path, version, body, terms)
        return self._follow(method, path, version, answer, terms)

    def _attempt(self, method: str, path: str, version: str, body: Any, terms: Terms) -> _Answer:
        url = f"{self.access.endpoint}{path}?{urlencode({'api-version': version, **terms.query}, doseq=True)}"
        pauses = terms.retry.pauses()
        while True:
            try:
                return self._once(method, url, body, terms)
            except ArmRefusal as refusal:
                if not terms.retry.matches(str(refusal)):
                    raise
                log.info("%s %s is tried again after status %d", method, path, refusal.status)
                try:
                    terms.deadline.pause(next(pauses), f"another attempt of {method} {path}")
                except Refusal as over:
                    raise Refusal(over.summary, f"{over.detail} The last answer was {refusal}") from None

    def _once(self, method: str, url: str, body: Any, terms: Terms) -> _Answer:
        """Send one request; a busy service is asked a few times."""
        for attempt in range(1, _BUSY_ATTEMPTS + 1):
            answer = self._exchange(method, url, body, terms)
            if answer.status not in _BUSY or attempt == _BUSY_ATTEMPTS:
                break
            terms.deadline.pause(_retry_after(answer, _BUSY_SECONDS * 2**attempt), f"{method} {url.partition('?')[0]}")
        if answer.status >= 400:
            raise _refusal(answer)
        return answer

    def _exchange(self, method: str, url: str, body: Any, terms: Terms) -> _Answer:
        headers = {**terms.headers, "Authorization": f"Bearer {self._bearer()}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body)
        try:
            answer = self._request(method, url, content, headers, terms)
        except urllib3.exceptions.TimeoutError:
            raise terms.deadline.over(f"{method} {url.partition('?')[0]}") from None
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self.access.endpoint, error) from None
        log.info("%s %s -> %d", method, url.partition("?")[0], answer.status)
        return _Answer(answer.status, answer.headers, _json(answer.data))

    def _request(
        self, method: str, url: str, content: str | None, headers: Mapping[str, str], terms: Terms
    ) -> urllib3.BaseHTTPResponse:
        """Send a request; once more where the connection was closed meanwhile and a second time does no harm."""
        left = max(terms.deadline.end - time.monotonic(), _LEAST_SECONDS)
        try:
            return self._pool.request(method, url, body=content, headers=headers, timeout=left)
        except urllib3.exceptions.ProtocolError:
            if method == "POST":
                raise
            return self._pool.request(method, url, body=content, headers=headers, timeout=left)

    def _bearer(self) -> str:
        with self._lock:
            if self._expires - _TOKEN_MARGIN < time.time():
                answer = self._token_answer()
                if answer.status != 200:
                    detail = f"{self.access.token_url} answered {answer.status}; is this the running control plane's?"
                    raise Refusal("No token from the control plane", detail)
                facts = answer.json()
                self._token, self._expires = facts["access_token"], float(facts["expires_on"])
            return self._token

    def _token_answer(self) -> urllib3.BaseHTTPResponse:
        try:
            return self._near.request(
                "GET",
                self.access.token_url,
                fields={"resource": self.access.endpoint, "api-version": "2019-08-01"},
                headers={"X-IDENTITY-HEADER": self.access.token_secret},
                timeout=_TOKEN_SECONDS,
            )
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self.access.token_url, error) from None

    def claims(self) -> dict[str, Any]:
        """Return what the token says about its bearer."""
        import base64

        part = self._bearer().split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return claims

    def _follow(self, method: str, path: str, version: str, answer: _Answer, terms: Terms) -> Any:
        """Wait for the operation that an answer announces; return its result."""
        status_url, location = answer.headers.get("Azure-AsyncOperation"), answer.headers.get("Location")
        if status_url:
            self._wait_for_status(f"{method} {path}", self._ours(status_url), answer, terms)
            if method == "POST" and location:
                return self._wait_for_location(f"{method} {path}", self._ours(location), answer, terms)
        elif location and answer.status in {201, 202}:
            return self._wait_for_location(f"{method} {path}", self._ours(location), answer, terms)
        elif method in {"PUT", "PATCH"}:
            self._wait_for_state(f"{method} {path}", path, version, answer, terms)
        return answer.body

    def _wait_for_status(self, what: str, url: str, answer: _Answer, terms: Terms) -> None:
        while True:
            answer = self._polled(what, url, answer, terms)
            if _ended(what, (answer.body or {}).get("status"), (answer.body or {}).get("error")):
                return

    def _wait_for_location(self, what: str, url: str, answer: _Answer, terms: Terms) -> Any:
        while True:
            answer = self._polled(what, url, answer, terms)
            if answer.status != 202:
                return answer.body

    def _polled(self, what: str, url: str, answer: _Answer, terms: Terms) -> _Answer:
        """Ask again for an operation; one that is forgotten says nothing about its resource, though it is a 404."""
        terms.deadline.pause(_retry_after(answer, _POLL_SECONDS), f"the operation of {what}")
        try:
            return self._once("GET", url, None, terms)
        except ArmRefusal as refusal:
            if refusal.status != 404:
                raise
            detail = f"The service no longer knows the operation of {what}. Its outcome is unknown: look, or try again."
            raise Refusal("Operation lost", detail) from None

    def _wait_for_state(self, what: str, path: str, version: str, answer: _Answer, terms: Terms) -> None:
        """Wait until the resource itself says that it has been made; most say so at once."""
        while True:
            properties = (answer.body or {}).get("properties")
            properties = properties if isinstance(properties, dict) else {}
            state = properties.get("provisioningState", "Succeeded")
            if _ended(what, state, properties.get("provisioningError")):
                return
            terms.deadline.pause(_retry_after(answer, _POLL_SECONDS), f"the operation of {what}")
            answer = self._attempt("GET", path, version, None, terms)

    def _ours(self, url: str) -> str:
        """Return a URL that the service named; refuse one elsewhere, which must not be shown the token."""
        if url.startswith("/"):
            return self.access.endpoint + url
        if not url.startswith(f"{self.access.endpoint}/"):
            raise Refusal("Unexpected address", f"The service names {url}, which is not below {self.access.endpoint}.")
        return url


def _unreachable(address: str, error: Exception) -> Refusal:
    detail = f"{address} cannot be reached: {type(error).__name__}. Is the control plane running?"
    return Refusal("No answer from the control plane", detail)


def _ended(what: str, status: Any, error: Any) -> bool:
    """Say whether an operation has succeeded; refuse where it has ended otherwise."""
    if not isinstance(status, str) or status.lower() not in _ENDED:
        return False
    if status.lower() == "succeeded":
        return True
    facts = error if isinstance(error, dict) else {}
    said = f"{facts.get('code', status)}: {facts.get('message', 'the service gives no reason')}"
    raise Refusal("Operation failed", f"{what} ended as {status}. {said}")


def _retry_after(answer: _Answer, otherwise: float) -> float:
    text = answer.headers.get("Retry-After", "")
    return max(float(text), _LEAST_SECONDS) if text.replace(".", "", 1).isdigit() else otherwise


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode("utf-8", "replace")


def _refusal(answer: _Answer) -> ArmRefusal:
    error = answer.body.get("error", answer.body) if isinstance(answer.body, dict) else {}
    error = error if isinstance(error, dict) else {}
    message = str(error.get("message", answer.body or "the service gives no reason"))
    details = [one for one in error.get("details") or [] if isinstance(one, dict)]
    more = "".join(f" {one.get('code', '')}: {one.get('message', '')}" for one in details)
    return ArmRefusal(answer.status, str(error.get("code", f"HTTP {answer.status}")), message + more)
