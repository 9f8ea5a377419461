"""Files go to a store in parallel, survive its faults, are not sent twice, and are confirmed last or not at all."""

from __future__ import annotations

import base64
import hashlib
import http.client
import http.server
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from mlops_kit.errors import OperationFailed
from mlops_kit.workspace import blobs

MARK = {"upload_status": "completed", "name": "n"}


@dataclass
class Store:
    """A store of blobs on a port of this machine that can be told what to get wrong."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    marks: dict[str, dict[str, str]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)  # of the blobs as they were written
    connections: int = 0
    faults: list[int] = field(default_factory=list)  # what the next writes are answered with; 0 breaks the connection
    dies_after: int | None = None  # writes, from when on every one is refused
    lists: bool = True
    lock: Any = field(default_factory=threading.Lock)
    address: str = ""

    def fault(self) -> int | None:
        with self.lock:
            if self.dies_after is not None and len(self.order) >= self.dies_after:
                return 403
            return self.faults.pop(0) if self.faults else None

    def write(self, name: str, content: bytes, marks: dict[str, str]) -> None:
        with self.lock:
            self.blobs[name] = content
            self.marks[name] = marks
            self.order.append(name)


def _handler(store: Store) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            store.connections += 1

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            fault = store.fault()
            if fault == 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            sent = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
            if fault is None and (
                parse_qs(urlsplit(self.path).query)["sig"] != ["s="] or sent != self.headers["Content-MD5"]
            ):
                fault = 400
            if fault is None:
                name = unquote(urlsplit(self.path).path).removeprefix("/box/")
                marks = {
                    key[10:].lower(): value for key, value in self.headers.items() if key.lower()[:10] == "x-ms-meta-"
                }
                store.write(name, content, marks)
            self._say(fault or 201)

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            after, prefix = asked.get("marker", [""])[0], asked["prefix"][0]
            names = [name for name in sorted(store.blobs) if name.startswith(prefix) and name > after]
            page, more = names[:2], names[2:]
            body = "".join(
                f"<Blob><Name>{escape(name)}</Name><Properties><Content-MD5>"
                f"{base64.b64encode(hashlib.md5(store.blobs[name], usedforsecurity=False).digest()).decode()}"
                "</Content-MD5></Properties></Blob>"
                for name in page
            )
            marker = f"<NextMarker>{escape(page[-1])}</NextMarker>" if more else "<NextMarker/>"
            self._say(200 if store.lists else 403, f"<Results><Blobs>{body}</Blobs>{marker}</Results>".encode())

        def _say(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-ms-error-code", "Said")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    made.address = f"127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()


def _upload(
    store: Store, files: list[blobs.File], pauses: tuple[float, ...] = (0.0, 0.0), is_same: bool = True
) -> None:
    container = blobs.Container(
        f"https://{store.address}/box?sig=s%3D", lambda: http.client.HTTPConnection(store.address, timeout=10), pauses
    )
    try:
        blobs.upload(container, files, lambda: is_same, MARK)
    finally:
        container.close()


def _files(root: Path, count: int = 6) -> list[blobs.File]:
    root.mkdir(parents=True, exist_ok=True)
    return [_file(root, f"f{number:03}.py", f"print({number})\n".encode()) for number in range(count)]


def _file(root: Path, name: str, content: bytes) -> blobs.File:
    (root / name).write_bytes(content)
    return blobs.File(f"src/{name}", root / name, len(content))


def test_all_files_arrive_and_the_first_comes_last_with_the_mark(store, tmp_path):
    files = [*_files(tmp_path), _file(tmp_path, "empty", b""), _file(tmp_path, "é &?#%+.txt", b"x")]

    _upload(store, files)

    assert store.blobs == {file.name: file.source.read_bytes() for file in files}
    assert store.order[-1] == min(file.name for file in files)
    assert [name for name, marks in store.marks.items() if marks] == [store.order[-1]]
    assert store.marks[store.order[-1]] == MARK


def test_one_file_is_confirmed_in_the_request_that_writes_it(store, tmp_path):
    _upload(store, _files(tmp_path, 1))

    assert store.order == ["src/f000.py"]
    assert store.marks["src/f000.py"] == MARK


def test_large_file_is_read_in_pieces_and_arrives_whole(store, tmp_path):
    content = bytes(range(256)) * (blobs.WHOLE // 200)
    store.faults = [503]

    _upload(store, [*_files(tmp_path, 1), _file(tmp_path, "model.bin", content)])

    assert store.blobs["src/model.bin"] == content


def test_many_files_share_few_connections(store, tmp_path):
    _upload(store, _files(tmp_path, 200))

    assert len(store.blobs) == 200
    assert 1 < store.connections <= blobs.CONNECTIONS


@pytest.mark.parametrize("fault", [0, 429, 500, 503])
def test_fault_of_the_store_or_the_network_is_tried_again(store, tmp_path, fault):
    store.faults = [fault, fault]

    _upload(store, _files(tmp_path, 3))

    assert len(store.blobs) == 3
    assert store.marks["src/f000.py"] == MARK


@pytest.mark.parametrize(("fault", "said"), [(503, "HTTP 503"), (0, "the connection to the store broke")])
def test_fault_that_stays_ends_the_upload_unconfirmed(store, tmp_path, fault, said):
    store.faults = [fault] * 50

    with pytest.raises(OperationFailed, match=said):
        _upload(store, _files(tmp_path, 3))
    assert not any(store.marks.values())


def test_refusal_is_told_at_once_and_nothing_is_confirmed(store, tmp_path):
    store.faults = [403]

    with pytest.raises(OperationFailed, match=r"could not upload src/f\d+.py: Said \[HTTP 403\]"):
        _upload(store, _files(tmp_path, 3))
    assert store.faults == []
    assert not any(store.marks.values())


def test_interrupted_upload_goes_on_where_it_stopped(store, tmp_path):
    files = _files(tmp_path, 40)
    store.dies_after = 15
    with pytest.raises(OperationFailed, match="HTTP 403"):
        _upload(store, files)
    assert len(store.order) == 15
    assert not any(store.marks.values())

    store.dies_after = None
    _upload(store, files)

    assert len(store.order) == 40
    assert store.order[-1] == "src/f000.py"
    assert store.blobs == {file.name: file.source.read_bytes() for file in files}


def test_file_of_which_the_store_has_other_bytes_is_sent_again(store, tmp_path):
    files = _files(tmp_path, 3)
    store.blobs["src/f001.py"] = b"half of i"

    _upload(store, files)

    assert store.blobs["src/f001.py"] == files[1].source.read_bytes()


def test_store_that_may_not_be_listed_gets_every_file(store, tmp_path):
    store.lists = False

    _upload(store, _files(tmp_path, 3))

    assert len(store.blobs) == 3


def test_change_during_the_upload_leaves_it_unconfirmed(store, tmp_path):
    with pytest.raises(OperationFailed, match="has changed while it was uploaded"):
        _upload(store, _files(tmp_path, 3), is_same=False)
    assert "src/f000.py" not in store.blobs


@pytest.mark.parametrize(
    ("variables", "host", "expected"),
    [
        ({}, "a.blob.core.windows.net", None),
        ({"https_proxy": "http://user:p%40ss@proxy:8080"}, "a.blob.core.windows.net", ("proxy", 8080)),
        ({"https_proxy": "proxy:8080"}, "a.blob.core.windows.net", ("proxy", 8080)),
        ({"https_proxy": "http://proxy:8080", "no_proxy": ".core.windows.net"}, "a.blob.core.windows.net", None),
    ],
)
def test_proxy_is_that_of_the_variables(monkeypatch, variables, host, expected):
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = blobs._proxy(host)

    assert (found and (found.hostname, found.port)) == expected
    if found and found.username:
        assert blobs._credentials(found) == {"Proxy-Authorization": "Basic dXNlcjpwQHNz"}
