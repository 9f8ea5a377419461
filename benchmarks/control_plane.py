"""Requests a second of the local control plane, beside moto's server, the emulator of another cloud."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import statistics
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Self

from rounds import Row, Target

_CLIENTS = 8
_READ = "/bench/read"  # the parameter that moto is asked for


@dataclass(frozen=True, slots=True)
class _Rate:
    """Requests a second, and the milliseconds that 99 of 100 requests stay below."""

    rate: float
    p99: float


def _drive(connect: Callable[[], HTTPConnection], request: Callable[[HTTPConnection, int], None], count: int) -> _Rate:
    """Send ``count`` requests over ``_CLIENTS`` kept connections."""
    share = count // _CLIENTS
    taken: list[float] = []

    def client(number: int) -> None:
        connection = connect()
        for index in range(share):
            sent = time.perf_counter()
            request(connection, number * share + index)
            taken.append(1000 * (time.perf_counter() - sent))
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(_CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = share * _CLIENTS / (time.perf_counter() - began)
    return _Rate(rate, statistics.quantiles(taken, n=100)[98])


def _send(connection: HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status}")


def measure(state: Path, rounds: int, count: int = 2000) -> list[Row]:
    """Return GET and PUT rows; needs a started control plane in ``state``."""
    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import AML_RESOURCE, DEFAULT_WORKSPACE, Instance

    settings = supervisor.read_settings(state)
    instance = Instance.read(settings.instance_file)
    if instance is None:
        raise RuntimeError(f"no control plane runs in {state}")
    context = ssl.create_default_context(cafile=str(settings.certificates / "bundle.pem"))
    url = f"https://127.0.0.1:{instance.https_port}/msi/token?resource={AML_RESOURCE}&api-version=2019-08-01"
    ask = urllib.request.Request(url, headers={"X-IDENTITY-HEADER": instance.identity_secret})
    token = json.load(urllib.request.urlopen(ask, context=context))["access_token"]
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    workspace = DEFAULT_WORKSPACE.id

    def connect() -> HTTPConnection:
        return HTTPSConnection("127.0.0.1", instance.https_port, context=context)

    def get(connection: HTTPConnection, _: int) -> None:
        _send(connection, "GET", f"{workspace}?api-version=2024-10-01", b"", headers)

    def put(connection: HTTPConnection, number: int) -> None:
        body = json.dumps({"properties": {"image": "ubuntu:22.04", "description": str(number)}}).encode()
        path = f"{workspace}/environments/bench-{time.monotonic_ns()}-{number}/versions/1?api-version=2024-04-01"
        _send(connection, "PUT", path, body, headers)

    figures: dict[str, list[_Rate]] = {"get": [], "put": [], "moto get": [], "moto put": []}
    with _Moto() as moto:
        for _ in range(rounds):
            figures["get"].append(_drive(connect, get, count))
            figures["put"].append(_drive(connect, put, count))
            if moto.port:
                figures["moto get"].append(_drive(moto.connect, moto.get, count // 4))
                figures["moto put"].append(_drive(moto.connect, moto.put, count // 4))
    return [
        row
        for what, name, least in (("GET a resource", "get", 2000), ("durable PUT", "put", 800))
        for row in _rows(what, figures[name], figures[f"moto {name}"], least)
    ]


def _rows(what: str, ours: list[_Rate], peer: list[_Rate], least: int) -> list[Row]:
    what = f"control plane, {_CLIENTS} clients: {what}"
    rate, slow = (_median(ours, "rate"), _median(ours, "p99"))
    return [
        Row(what, rate, "moto_server", _median(peer, "rate"), "req/s", Target(at_least=least)),
        Row(f"{what}, p99", slow, "moto_server", _median(peer, "p99"), "ms", Target(at_most=20)),
    ]


def _median(rounds: list[_Rate], field: str) -> float:
    return statistics.median(asdict(each)[field] for each in rounds) if rounds else float("nan")


class _Moto:
    """A running moto_server, or nothing where it is not installed."""

    port = 0

    def __enter__(self) -> Self:
        if shutil.which("moto_server"):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self._process = subprocess.Popen(
                ["moto_server", "-H", "127.0.0.1", "-p", str(self.port)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self.port:
            self._process.terminate()
            self._process.wait()

    def _wait(self) -> None:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError:
                time.sleep(0.1)
            else:
                self._put(self.connect(), _READ)
                return
        raise RuntimeError("moto_server did not start")

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port)

    def _call(self, connection: HTTPConnection, target: str, body: dict[str, str]) -> None:
        headers = {
            "X-Amz-Target": f"AmazonSSM.{target}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/ssm/aws4_request, Signature=a",
        }
        _send(connection, "POST", "/", json.dumps(body).encode(), headers)

    def put(self, connection: HTTPConnection, number: int) -> None:
        self._put(connection, f"/bench/{time.monotonic_ns()}/{number}")

    def get(self, connection: HTTPConnection, _: int) -> None:
        self._call(connection, "GetParameter", {"Name": _READ})

    def _put(self, connection: HTTPConnection, name: str) -> None:
        self._call(connection, "PutParameter", {"Name": name, "Value": "v", "Type": "String"})
