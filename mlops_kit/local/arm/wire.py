"""HTTP as the providers see it: a ``Call`` comes in, a ``Reply`` goes out, an ``ArmError`` says what was wrong."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from mlops_kit.nearest import nearest

JSON_TYPE = "application/json; charset=utf-8"
REGISTRIES = "azureml://registries/"


def registry_id(name: str) -> str:
    """Return the id under which a registry's assets are; the service writes the registry's name in lower case."""
    return REGISTRIES + name.lower()


class ArmError(Exception):
    """A refusal in ARM's shape: ``{"error": {"code", "message"}}``.

    Use 4xx or 501 only: the SDKs retry 408, 429 and 5xx (except 501) with seconds of back-off.
    """

    def __init__(
        self, status: int, code: str, message: str, *, target: str = "", details: Sequence[Mapping[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.details = details

    def reply(self) -> Reply:
        """Return the reply that carries this error."""
        return Reply(self.status, {"error": error_body(self.code, self.message, self.target, self.details)})


def error_body(code: str, message: str, target: str = "", details: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """Return an error as ARM writes it; the field that it is about and the errors inside of it only where known."""
    more = {"target": target, "details": list(details)}
    return {"code": code, "message": message, **{key: value for key, value in more.items() if value}}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence that offers up to three near names, after a blank, or nothing."""
    near = nearest(name, known, 3)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


class NotFoundError(ArmError):
    """404: the resource is not there."""

    def __init__(self, what: str) -> None:
        super().__init__(404, "ResourceNotFound", f"{what} was not found.")

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str]) -> NotFoundError:
        """Return the 404 for ``The <kind> '<name>'`` that offers the nearest of the names that exist."""
        error = cls(f"The {kind} '{name}'")
        error.message += did_you_mean(name, known)
        error.args = (error.message,)
        return error


class BadRequestError(ArmError):
    """400: the body or the query cannot be accepted; ``target`` names the field."""

    def __init__(self, message: str, *, target: str = "") -> None:
        super().__init__(400, "ValidationError", message, target=target)


class ConflictError(ArmError):
    """409: the resource exists with other content, or is in a state that forbids the operation."""

    def __init__(self, message: str) -> None:
        super().__init__(409, "Conflict", message)


@contextlib.contextmanager
def concerning(target: str) -> Iterator[None]:
    """Let a refusal inside name this field of the request, unless it names one itself."""
    try:
        yield
    except ArmError as error:
        error.target = error.target or target
        raise


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``params`` are the values of the URL template, decoded, in the caller's letter case."""

    method: str
    path: str  # decoded, without the query
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    raw: bytes = b""
    params: Mapping[str, str] = field(default_factory=dict)
    query_string: str = ""  # as it came, for calls that are passed on
    principal: str = ""  # the object id of who calls; '' is the owner, who may do anything

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object; 400 where it is anything else."""
        try:
            value = json.loads(self.raw or b"{}")
        except ValueError as error:
            raise BadRequestError(f"The body of {self.method} {self.path} is not JSON: {error}.") from None
        if not isinstance(value, dict):
            raise BadRequestError(f"The body of {self.method} {self.path} is not a JSON object.")
        return value

    @property
    def workspace(self) -> str:
        """Return the id of the workspace that this call is about, in canonical spelling of the fixed segments."""
        return (
            f"/subscriptions/{self.params['subscription']}/resourceGroups/{self.params['group']}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.params['workspace']}"
        )

    @property
    def owner(self) -> str:
        """Return the id of the workspace or registry whose assets this call is about."""
        registry = self.params.get("registry")
        return registry_id(registry) if registry else self.workspace


@dataclass(frozen=True, slots=True)
class Reply:
    """One response. ``body`` is a JSON value, text already encoded as bytes, an iterator of bytes, or None."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes | Iterator[bytes], str]:
        """Return the bytes (or their iterator) and the content type."""
        kind = self.headers.get("content-type", "")
        if self.body is None:
            return b"", kind
        if isinstance(self.body, bytes):
            return self.body, kind or JSON_TYPE
        if isinstance(self.body, dict | list | str | int | float | bool):
            return json.dumps(self.body, separators=(",", ":")).encode(), kind or JSON_TYPE
        return self.body, kind or "application/octet-stream"


def call_of(method: str, target: str, headers: Mapping[str, str], raw: bytes = b"") -> Call:
    """Build a call from a request target such as ``/a/b?x=1``. Repeated slashes in the path count as one."""
    path, _, query = target.partition("?")
    path = unquote(path)
    while "//" in path:  # the SDK joins some base URLs and paths with two slashes
        path = path.replace("//", "/")
    return Call(method, path, dict(parse_qsl(query, keep_blank_values=True)), headers, raw, {}, query)
