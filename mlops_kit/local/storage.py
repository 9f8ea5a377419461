"""The blobs of the control plane's one storage account: read, written, listed, signed for; without the storage SDK."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import mimetypes
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

from mlops_kit.errors import LocalError
from mlops_kit.local.arm.wire import ArmError, BadRequestError, NotFoundError
from mlops_kit.local.azurite.process import Azurite
from mlops_kit.local.settings import STORAGE_ACCOUNT, STORAGE_KEY, STORAGE_SUFFIX, LocalSettings

API_VERSION = "2021-12-02"
_IDLE_SECONDS = 4  # Azurite closes a connection that was idle for five
_REVIVE_SECONDS = 10  # how long a request waits for an Azurite that has ended
_CHUNK = 1 << 18
_WORKERS = 8
_Item = TypeVar("_Item")

_MAX_PUT = 256 << 20  # larger files go up in blocks


class Quota:
    """The size that the state folder may reach; without ``quota_bytes`` everything fits."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._size = 0
        self._measured = -1.0

    def check(self, more: int = 0) -> None:
        """Refuse (413) ``more`` bytes that the state folder may not take. The folder is measured twice a second."""
        limit = self._settings.quota_bytes
        if limit is None:
            return
        with self._lock:
            if time.monotonic() - self._measured > 0.5:
                self._size = folder_size(self._settings.state)
                self._measured = time.monotonic()
            if self._size + more > limit:
                raise ArmError(
                    413,
                    "LocalQuotaExceeded",
                    f"The state folder {self._settings.state} holds {self._size} bytes; {more} more would exceed its "
                    f"quota of {limit} bytes (quota_bytes).",
                )
            self._size += more


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder; files that vanish meanwhile count nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(root) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


@dataclass(frozen=True, slots=True)
class Blob:
    """One entry of a listing."""

    name: str
    size: int  # bytes
    modified: datetime  # UTC
    etag: str = ""  # changes with every write
    md5: str = ""  # of the content, in base64; not every blob has one


_Blobs = list[Blob]  # the name ``list`` is a method of the class below


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> str:
        return self.headers.get("x-ms-error-code", "")


class BlobStore:
    """Blobs of the one storage account, by container and path. Safe to use from any thread.

    It speaks the blob REST API itself: an account signature is computed once, not per request, and connections
    are kept, which makes many small files several times faster than the storage SDK.
    """

    def __init__(self, azurite: Azurite, page: int = 5000) -> None:
        self._azurite = azurite
        self._page = page  # entries per request of a listing; 5000 is what the service allows
        self._quota = Quota(azurite.settings)
        self._signature = account_signature(STORAGE_ACCOUNT, STORAGE_KEY)
        self._idle: deque[tuple[http.client.HTTPConnection, float]] = deque()

    def ensure_container(self, name: str) -> None:
        """Create a container where it is missing."""
        answer = self._call("PUT", f"/{name}", {"restype": "container"})
        if answer.status != 201 and answer.code != "ContainerAlreadyExists":
            raise _refusal(answer, f"The container '{name}'")

    def put(self, container: str, path: str, data: bytes) -> None:
        """Write a blob, replacing what was there."""
        self._quota.check(len(data))
        self._write(container, path, data, len(data))

    def get(self, container: str, path: str) -> bytes:
        """Return a blob's content."""
        answer = self._call("GET", _path(container, path))
        if answer.status != 200:
            raise _refusal(answer, f"The blob '{container}/{path}'")
        return answer.body

    def exists(self, container: str, path: str) -> bool:
        """Say whether there is a blob."""
        return self._call("HEAD", _path(container, path)).status == 200

    def size(self, container: str, path: str) -> int:
        """Return a blob's size in bytes."""
        answer = self._call("HEAD", _path(container, path))
        if answer.status != 200:
            raise _refusal(answer, f"The blob '{container}/{path}'")
        return int(answer.headers["Content-Length"])

    def stream(self, container: str, path: str) -> Iterator[bytes]:
        """Yield a blob's content in pieces, without holding all of it."""
        with self._exchange("GET", _path(container, path), {}, {}, None) as response:
            if response.status != 200:
                raise _refusal(_Answer(response.status, response.headers, b""), f"The blob '{container}/{path}'")
            while chunk := response.read(_CHUNK):
                yield chunk

    def copy(self, blob: Blob, source: str, container: str, path: str) -> None:
        """Write a listed blob of the container ``source`` under another path; its content stays in the service."""
        self._quota.check(blob.size)
        # Azurite finds a source of the same account itself; a signed one it would ask for over the network.
        origin = f"https://127.0.0.1:{self._azurite.port}/{STORAGE_ACCOUNT}{_path(source, blob.name)}"
        answer = self._call("PUT", _path(container, path), {}, {"x-ms-copy-source": origin})
        if answer.status != 202 or answer.headers["x-ms-copy-status"] != "success":
            raise _refusal(answer, f"The blob '{source}/{blob.name}'")

    def upload_file(self, container: str, path: str, source: Path) -> None:
        """Write a file as a blob."""
        with source.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            self._quota.check(size)
            if size <= _MAX_PUT:
                self._write(container, path, content, size)
            else:
                self._write_blocks(container, path, content)

    def upload_tree(self, container: str, prefix: str, folder: Path) -> None:
        """Write every file below a folder under ``prefix/``; symbolic links to files are followed, to folders not."""
        files = [Path(root) / name for root, _, names in os.walk(folder) for name in names]
        base = prefix.strip("/")
        targets = ["/".join(filter(None, [base, file.relative_to(folder).as_posix()])) for file in files]
        _in_threads(lambda pair: self.upload_file(container, *pair), list(zip(targets, files, strict=True)))

    def download_tree(self, container: str, prefix: str, folder: Path) -> list[str]:
        """Write every blob under ``prefix/`` (or the blob ``prefix``) below a folder; return the relative paths."""
        base = prefix.strip("/")
        blobs = self._below(container, base)
        names = {blob.name: blob.name[len(base) :].lstrip("/") or base.rpartition("/")[2] for blob in blobs}
        for name in names.values():
            if ".." in name.split("/") or name.startswith("/"):
                raise BadRequestError(f"The blob path '{name}' leads out of the folder it would be written to.")
        _in_threads(lambda pair: self._download(container, pair[0], folder / pair[1]), list(names.items()))
        return sorted(names.values())

    def list(self, container: str, prefix: str = "") -> _Blobs:
        """Return the blobs whose path starts with ``prefix``, in the order of their paths."""
        found: list[Blob] = []
        marker = ""
        while True:
            query = {"restype": "container", "comp": "list", "prefix": prefix, "marker": marker}
            query["maxresults"] = str(self._page)
            answer = self._call("GET", f"/{container}", {name: value for name, value in query.items() if value})
            if answer.status != 200:
                raise _refusal(answer, f"The container '{container}'")
            page = ET.fromstring(answer.body)  # noqa: S314  written by the Azurite that we started
            found += [_blob(element) for element in page.iter("Blob")]
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return found

    def delete(self, container: str, prefix: str) -> int:
        """Delete the blob ``prefix`` and every blob under ``prefix/``; return how many there were."""
        blobs = self._below(container, prefix.strip("/"))
        _in_threads(lambda blob: self._call("DELETE", _path(container, blob.name)), blobs)
        return len(blobs)

    def url(self, container: str, path: str = "") -> str:
        """Return the address under which clients of the control plane know a blob."""
        return f"https://{STORAGE_ACCOUNT}.blob.{STORAGE_SUFFIX}{_path(container, path)}"

    def sas_url(self, container: str, path: str | None = None, permissions: str = "r", hours: float = 24) -> str:
        """Return the address of a blob, or of a container (``path`` None), with a signature that grants access."""
        return f"{self.url(container, path or '')}?{service_signature(container, path, permissions, hours)}"

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop()[0].close()

    def _below(self, container: str, base: str) -> _Blobs:
        if not base:
            return self.list(container)
        return [b for b in self.list(container, base) if b.name == base or b.name.startswith(f"{base}/")]

    def _download(self, container: str, path: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as output:
            output.writelines(self.stream(container, path))

    def _write(self, container: str, path: str, data: bytes | IO[bytes], size: int) -> None:
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": kind, "Content-Length": str(size)}
        answer = self._call("PUT", _path(container, path), {}, headers, data)
        if answer.status != 201:
            raise _refusal(answer, f"The container '{container}'")

    def _write_blocks(self, container: str, path: str, content: IO[bytes]) -> None:
        names: list[str] = []
        while block := content.read(64 << 20):
            names.append(base64.b64encode(f"{len(names):08d}".encode()).decode())
            query = {"comp": "block", "blockid": names[-1]}
            answer = self._call("PUT", _path(container, path), query, {"Content-Length": str(len(block))}, block)
            if answer.status != 201:
                raise _refusal(answer, f"The container '{container}'")
        order = "".join(f"<Latest>{name}</Latest>" for name in names)
        body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{order}</BlockList>'.encode()
        answer = self._call("PUT", _path(container, path), {"comp": "blocklist"}, {}, body)
        if answer.status != 201:
            raise _refusal(answer, f"The blob '{container}/{path}'")

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | IO[bytes] | None = None,
    ) -> _Answer:
        with self._exchange(method, path, query or {}, headers or {}, body) as response:
            return _Answer(response.status, response.headers, response.read())

    @contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | IO[bytes] | None,
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request and lend its response; the connection is kept only if the response was read to its end."""
        target = f"/{STORAGE_ACCOUNT}{path}?{urlencode(query)}&{self._signature}"
        stamped = {"x-ms-version": API_VERSION, "Content-Length": "0", **headers}
        if isinstance(body, bytes):
            stamped["Content-Length"] = str(len(body))
        connection, response = self._send(method, target, body, stamped)
        try:
            yield response
        finally:
            if response.isclosed() and not response.will_close:
                self._idle.append((connection, time.monotonic()))
            else:
                connection.close()

    def _send(
        self, method: str, target: str, body: bytes | IO[bytes] | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        deadline = time.monotonic() + _REVIVE_SECONDS
        while True:
            kept = self._kept()
            connection = kept or self._azurite.connect()
            try:
                connection.request(method, target, body, headers)
                return connection, connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if kept is None and time.monotonic() > deadline:
                    what = f"Azurite does not answer on port {self._azurite.port} ({error})"
                    raise LocalError(f"{what}; stop and start the control plane") from error
                if body is not None and not isinstance(body, bytes):
                    body.seek(0)
            if kept is None:  # Azurite itself has ended; it is being started again
                time.sleep(0.2)

    def _kept(self) -> http.client.HTTPConnection | None:
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            if time.monotonic() - since < _IDLE_SECONDS:
                return connection
            connection.close()
        return None


def account_signature(account: str, key: str, days: float = 3650) -> str:
    """Return the query string of an account SAS that allows everything on blobs (REST API, "Create an account SAS")."""
    expiry = (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    granted, services, kinds = "rwdlacup", "b", "sco"
    text = f"{account}\n{granted}\n{services}\n{kinds}\n\n{expiry}\n\nhttps,http\n{API_VERSION}\n\n"
    fields = {"sv": API_VERSION, "ss": services, "srt": kinds, "sp": granted, "se": expiry, "spr": "https,http"}
    return urlencode({**fields, "sig": _mac(key, text)})


def service_signature(container: str, path: str | None, permissions: str, hours: float) -> str:
    """Return the query string of a service SAS on a blob or a container (REST API, "Create a service SAS")."""
    order = "racwdxyltmeopi"
    granted = "".join(sorted(permissions, key=order.index))
    expiry = (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    resource = f"/blob/{STORAGE_ACCOUNT}/{container}" + (f"/{path}" if path else "")
    kind = "b" if path else "c"
    text = f"{granted}\n\n{expiry}\n{resource}\n\n\nhttps\n{API_VERSION}\n{kind}\n\n\n\n\n\n\n"
    fields = {"sv": API_VERSION, "sr": kind, "sp": granted, "se": expiry, "spr": "https"}
    return urlencode({**fields, "sig": _mac(STORAGE_KEY, text)})


def _mac(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()


def _path(container: str, path: str) -> str:
    return f"/{container}/{quote(path, safe='/~')}" if path else f"/{container}"


def _blob(element: ET.Element) -> Blob:
    properties = element.find("Properties")
    facts = {} if properties is None else {child.tag: child.text or "" for child in properties}
    modified = parsedate_to_datetime(facts["Last-Modified"])
    size, etag, md5 = int(facts["Content-Length"]), facts.get("Etag", ""), facts.get("Content-MD5", "")
    return Blob(element.findtext("Name") or "", size, modified, etag, md5)


def _refusal(answer: _Answer, what: str) -> ArmError:
    if answer.status == 404:
        return NotFoundError(what)
    detail = answer.code or f"status {answer.status}"
    return ArmError(400, "StorageRefused", f"{what} was refused by Azurite: {detail}.")


def _in_threads(work: Callable[[_Item], object], items: Sequence[_Item]) -> None:
    with ThreadPoolExecutor(_WORKERS) as threads:
        list(threads.map(work, items))  # raises the first fault
