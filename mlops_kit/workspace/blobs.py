"""Files into a blob container whose address carries its own signature: many at once, over connections that stay open.

azure-storage-blob takes milliseconds of processor time for each file. Here a small file is one request and no more, as
"Put Blob" of the REST API has it; proxies and certificates are found where the SDK's own requests find them.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import math
import os
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass
from xml.etree import ElementTree as ET

from mlops_kit.errors import OperationFailed

API_VERSION = "2021-12-02"
CONNECTIONS = 32  # at most; the store is some milliseconds away, so most of them are waiting
FILES_A_CONNECTION = 8  # that make one worth opening: it takes about four round trips
TIMEOUT = 300.0  # seconds that the store may be silent
WHOLE = 4 << 20  # bytes; a larger file is read in pieces
AGAIN = frozenset({408, 429, 500, 502, 503, 504})
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds before a request is sent again


@dataclass(frozen=True, slots=True)
class File:
    """A file to write: the name of its blob, and where it lies."""

    name: str
    source: Path
    size: int


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    code: str  # the service's word for what is wrong
    body: bytes


class Container:
    """A container that is written to from many threads; close it at the end."""

    def __init__(
        self, address: str, connect: Callable[[], http.client.HTTPConnection], pauses: Iterable[float]
    ) -> None:
        parts = urlsplit(address)
        self._path, self._signature = parts.path.rstrip("/"), parts.query
        self._connect = connect
        self._pauses = tuple(pauses)
        self._idle: deque[http.client.HTTPConnection] = deque()

    def put(self, file: File, metadata: Mapping[str, str]) -> None:
        """Write a file in one step; the service compares what arrives with the digest that is sent with it."""
        with file.source.open("rb") as content:
            body: bytes | IO[bytes] = content.read() if file.size <= WHOLE else content
            digest = _digest(body)
            headers = {
                "x-ms-blob-type": "BlockBlob",
                "Content-MD5": digest,
                "Content-Length": str(len(body) if isinstance(body, bytes) else file.size),
                **{f"x-ms-meta-{name}": value for name, value in metadata.items()},
            }
            answer = self._answer("PUT", f"/{quote(file.name, safe='/~')}", headers, body)
        if answer.status != 201:
            raise OperationFailed(
                f"could not upload {file.name}: {answer.code or 'no reason given'} [HTTP {answer.status}]"
            )

    def digests(self, prefix: str) -> dict[str, str]:
        """Return the MD5 digests of the blobs whose names begin so; nothing where listing is not allowed."""
        found: dict[str, str] = {}
        marker = ""
        while True:
            asked = {"restype": "container", "comp": "list", "prefix": prefix, **({"marker": marker} if marker else {})}
            answer = self._answer("GET", f"?{urlencode(asked)}", {}, b"")
            if answer.status != 200:
                return {}
            page = ET.fromstring(answer.body)  # noqa: S314  the service's own answer
            found |= {_text(blob, "Name"): _text(blob, "Properties/Content-MD5") for blob in page.iter("Blob")}
            marker = _text(page, "NextMarker")
            if not marker:
                return found

    def close(self) -> None:
        """Close all connections."""
        while self._idle:
            self._idle.pop().close()

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes | IO[bytes]) -> _Answer:
        """Send a request until it is answered, whatever the network does in between."""
        sign = "&" if "?" in target else "?"
        url = f"{self._path}{target}{sign}{self._signature}"
        for pause in (*self._pauses, None):
            try:
                answer = self._exchange(method, url, headers, body)
            except (OSError, http.client.HTTPException) as error:
                if pause is None:
                    said = f"the connection to the store broke: {error or type(error).__name__}"
                    raise OperationFailed(f"{said}; run this again, which sends what is missing") from error
            else:
                if pause is None or answer.status not in AGAIN:
                    return answer
            time.sleep(pause)
        raise AssertionError  # the last turn of the loop has returned or raised

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | IO[bytes]) -> _Answer:
        """Send a request over a kept connection, or a new one; one that failed is not kept."""
        if not isinstance(body, bytes):
            body.seek(0)
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            connection.request(method, url, body, {"x-ms-version": API_VERSION, **headers})
            response = connection.getresponse()
            answer = _Answer(response.status, response.headers.get("x-ms-error-code", ""), response.read())
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer


def open_container(address: str, pauses: Iterable[float] = PAUSES) -> Container:
    """Return the container at an address with a signature (SAS); nothing is sent yet."""
    parts = urlsplit(address)
    context = _trusting()
    proxy = _proxy(parts.hostname or "")

    def connect() -> http.client.HTTPConnection:
        if proxy is None:
            return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=TIMEOUT, context=context)
        through = http.client.HTTPSConnection(proxy.hostname or "", proxy.port, timeout=TIMEOUT, context=context)
        through.set_tunnel(parts.hostname or "", parts.port or 443, _credentials(proxy))
        return through

    return Container(address, connect, pauses)


def upload(container: Container, files: Iterable[File], is_same: Callable[[], bool], mark: Mapping[str, str]) -> None:
    """Write files that belong together; what is there already, of an upload that was interrupted, is not sent again.

    ``mark`` is the metadata that says that all are there. It is written with the first file, after all others, and
    only if ``is_same`` then says that none of them has changed meanwhile.

    Raises:
        OperationFailed: A file could not be written, or has changed.
    """
    first, *others = sorted(files, key=lambda file: file.name)
    present = container.digests(f"{first.name.partition('/')[0]}/")
    missing = [file for file in others if file.name not in present or present[file.name] != _digest_of(file.source)]
    _in_threads(lambda file: container.put(file, {}), missing)
    if not is_same():
        raise OperationFailed(f"a file beside {first.name} has changed while it was uploaded; run this again")
    container.put(first, mark)


def _in_threads(send: Callable[[File], None], files: list[File]) -> None:
    """Send all files, the largest first; the first that fails ends it, those that have not begun are left out."""
    count = min(CONNECTIONS, math.ceil(len(files) / FILES_A_CONNECTION))
    stop = threading.Event()

    def unless_stopped(file: File) -> None:
        if not stop.is_set():
            send(file)

    with ThreadPoolExecutor(max(count, 1), thread_name_prefix="upload") as threads:
        try:
            for _ in threads.map(unless_stopped, sorted(files, key=lambda file: -file.size)):
                pass
        finally:
            stop.set()


def _digest_of(path: Path) -> str:
    with path.open("rb") as content:
        return _digest(content)


def _digest(body: bytes | IO[bytes]) -> str:
    """Return the MD5 digest as the service writes it; it guards against faults of the network, not against people."""
    if isinstance(body, bytes):
        found = hashlib.md5(body, usedforsecurity=False).digest()
    else:
        found = hashlib.file_digest(body, lambda: hashlib.md5(usedforsecurity=False)).digest()  # type: ignore[arg-type]
    return base64.b64encode(found).decode()


def _trusting(variables: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Return a context that trusts whom the SDK's requests trust: the variables of ``requests``, else certifi."""
    import certifi

    named = variables.get("REQUESTS_CA_BUNDLE") or variables.get("CURL_CA_BUNDLE") or certifi.where()
    if Path(named).is_dir():
        return ssl.create_default_context(capath=named)
    return ssl.create_default_context(cafile=named)


def _proxy(host: str) -> SplitResult | None:
    """Return the proxy that leads to a host, None where the way is direct."""
    known = getproxies()
    address = known.get("https") or known.get("all")
    if not address or proxy_bypass(host):
        return None
    return urlsplit(address if "://" in address else f"http://{address}")


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _text(element: ET.Element, path: str) -> str:
    return element.findtext(path) or ""
