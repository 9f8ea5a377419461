"""The router's decisions and its copying, against real sockets."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from mlops_kit.local import gateway
from mlops_kit.local.settings import LocalSettings


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("management.mlops.test", "plane"),
        ("API.mlops.test.", "plane"),
        ("azuremlschemasprod.azureedge.net", "plane"),
        ("devstoreaccount1.blob.core.mlops.test", "blob"),
        ("devstoreaccount1.dfs.core.mlops.test", "blob"),
        ("localhost", "loopback"),
        ("127.0.0.1", "loopback"),
        ("example.org", "outside"),
        ("notazure.com.example.org", "outside"),
        ("myazure.com", "outside"),
    ],
)
def test_hosts_lead_to(host: str, kind: str) -> None:
    assert gateway.decide(host, "allow").kind == kind


@pytest.mark.parametrize(
    "host",
    [
        "management.azure.com",
        "MANAGEMENT.AZURE.COM.",
        "account.blob.core.windows.net",
        "login.microsoftonline.com",
        "westeurope.api.azureml.ms",
        "vault.vault.azure.net",
        "registry.azurecr.io",
        "other.azureedge.net",
        "management.chinacloudapi.cn",
        "management.usgovcloudapi.net",
        "graph.microsoft.com",
        "169.254.169.254",
    ],
)
@pytest.mark.parametrize("network", ["allow", "deny"])
def test_an_azure_host_is_refused_whatever_the_network_setting(host: str, network: str) -> None:
    decision = gateway.decide(host, network)
    assert decision.kind == "refused"
    assert host.lower().rstrip(".") in decision.reason


def test_a_host_outside_is_refused_under_network_deny_and_the_reason_names_the_setting() -> None:
    decision = gateway.decide("example.org", "deny")
    assert decision.kind == "refused"
    assert decision.reason == "The local control plane was started with network: deny and refuses example.org"
    assert gateway.decide("localhost", "deny").kind == "loopback"


_Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _listen(serve: _Serve) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def _upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer only when the sender has finished: without half-close there would be no answer."""
    writer.write((await reader.read()).upper())
    writer.close()


async def _ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


def _head(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()


def test_bytes_reach_the_plane_and_the_blobs_and_the_answer_comes_after_half_close(tmp_path: Path) -> None:
    async def check() -> None:
        plane, plane_port = await _listen(_upper)
        blob, blob_port = await _listen(_reversed)
        router = await gateway.start_router(LocalSettings(tmp_path), plane_port, blob_port, {})
        answer = await _ask(router.port, _head("management.mlops.test:443") + b"hello")
        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\nHELLO"
        answer = await _ask(router.port, _head("a.blob.core.mlops.test:443") + b"hello")
        assert answer.endswith(b"\r\n\r\nolleh")
        for server in (plane, blob):
            server.close()
        router.close()

    async def _reversed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read())[::-1])
        writer.close()

    asyncio.run(check())


def test_a_large_transfer_arrives_whole(tmp_path: Path) -> None:
    content = os.urandom(5 << 20)

    async def check() -> bytes:
        plane, plane_port = await _listen(_echo)
        router = await gateway.start_router(LocalSettings(tmp_path), plane_port, 1, {})
        answer = await _ask(router.port, _head("api.mlops.test:443") + content)
        plane.close()
        router.close()
        return answer.partition(b"\r\n\r\n")[2]

    async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    assert asyncio.run(check()) == content


def _answer(settings: LocalSettings, request: bytes, environ: dict[str, str] | None = None) -> bytes:
    async def check() -> bytes:
        router = await gateway.start_router(settings, 1, 1, environ or {})
        try:
            return await _ask(router.port, request)
        finally:
            router.close()

    return asyncio.run(check())


def test_a_refusal_says_why_in_its_status_line_and_body_and_is_logged(tmp_path: Path) -> None:
    answer = _answer(LocalSettings(tmp_path), _head("management.azure.com:443"))
    reason = b"The local control plane lets no Azure host through: management.azure.com"
    assert answer.startswith(b"HTTP/1.1 403 " + reason + b"\r\n")
    assert answer.endswith(b"\r\n\r\n" + reason + b".\n")
    logged = (tmp_path / "logs" / "router.log").read_text()
    assert "CONNECT management.azure.com:443 refused" in logged


@pytest.mark.parametrize("request_", [b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"CONNECT a:b HTTP/1.1\r\n\r\n"])
def test_what_is_not_a_proxy_request_is_answered_400(tmp_path: Path, request_: bytes) -> None:
    assert _answer(LocalSettings(tmp_path), request_).startswith(b"HTTP/1.1 400 This port is an HTTP proxy")


def test_a_host_that_cannot_be_reached_is_answered_502(tmp_path: Path) -> None:
    answer = _answer(LocalSettings(tmp_path), _head("127.0.0.1:1"))
    assert answer.startswith(b"HTTP/1.1 502 127.0.0.1:1 could not be reached")


async def _show_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + head)
    writer.close()


def test_plain_http_is_passed_on_in_origin_form_one_request_a_connection(tmp_path: Path) -> None:
    async def check() -> bytes:
        server, port = await _listen(_show_request)
        router = await gateway.start_router(LocalSettings(tmp_path), 1, 1, {})
        try:
            head = f"GET http://127.0.0.1:{port}/a?b=1 HTTP/1.1\r\nHost: h\r\nProxy-Connection: keep-alive\r\n\r\n"
            return await _ask(router.port, head.encode())
        finally:
            server.close()
            router.close()

    seen = asyncio.run(check()).partition(b"\r\n\r\n")[2]
    assert seen == b"GET /a?b=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_hosts_outside_go_through_the_proxy_that_was_set_before(tmp_path: Path, name: str) -> None:
    async def check() -> bytes:
        server, port = await _listen(_show_request)
        environ = {name: f"http://user:p%40ss@127.0.0.1:{port}", "NO_PROXY": "intranet.example"}
        router = await gateway.start_router(LocalSettings(tmp_path), 1, 1, environ)
        try:
            return await _ask(router.port, _head("example.org:443"))
        finally:
            server.close()
            router.close()

    seen = asyncio.run(check()).partition(b"\r\n\r\n")[2].decode()
    assert seen.startswith("CONNECT example.org:443 HTTP/1.1\r\n")
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'user:p@ss').decode()}" in seen


def test_a_host_that_the_user_excepted_does_not_go_through_the_proxy(tmp_path: Path) -> None:
    environ = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "other, .invalid"}
    answer = _answer(LocalSettings(tmp_path), _head("host.invalid:443"), environ)
    assert answer.startswith(b"HTTP/1.1 502 host.invalid:443 could not be reached")
    assert b"Connect call failed" not in answer  # a name that does not resolve, not the proxy's closed port


def test_closing_the_router_drops_idle_connections(tmp_path: Path) -> None:
    async def check() -> tuple[bytes, bool]:
        plane, plane_port = await _listen(_upper)
        router = await gateway.start_router(LocalSettings(tmp_path), plane_port, 1, {})
        reader, writer = await asyncio.open_connection("127.0.0.1", router.port)
        writer.write(_head("api.mlops.test:443"))
        await reader.readuntil(b"\r\n\r\n")
        router.close()
        rest = await asyncio.wait_for(reader.read(), 5)
        plane.close()
        try:
            await asyncio.open_connection("127.0.0.1", router.port)
        except ConnectionRefusedError:
            return rest, True
        return rest, False

    assert asyncio.run(check()) == (b"", True)


def test_no_connection_is_left_after_many_clients(tmp_path: Path) -> None:
    async def check() -> int:
        plane, plane_port = await _listen(_upper)
        router = await gateway.start_router(LocalSettings(tmp_path), plane_port, 1, {})
        await asyncio.gather(*[_ask(router.port, _head("api.mlops.test:443") + b"x") for _ in range(50)])
        await asyncio.sleep(0.1)
        left = len(router.connections)
        plane.close()
        router.close()
        return left

    assert asyncio.run(check()) == 0


def _vanish(port: int, sent: bytes, *, reading: bool) -> None:
    """Send something, and go away as a killed client does: without a goodbye."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.send(sent)
        if reading:
            client.recv(1000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("loop", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_clients_that_vanish_at_any_moment_leave_no_traceback_and_no_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, loop: Callable[[Awaitable[int]], int]
) -> None:
    hosts = ["management.azure.com:443", "api.mlops.test:443", "127.0.0.1:1", "a.blob.core.mlops.test:443"]
    sent = [b"", _head(hosts[0])[:9], *map(_head, hosts), *[_head(host) + bytes(200_000) for host in hosts]]

    async def check() -> int:
        plane, plane_port = await _listen(_upper)
        router = await gateway.start_router(LocalSettings(tmp_path), plane_port, plane_port, {})
        for number in range(100):
            reading = bool(number % 3) and number % len(sent) > 1
            await asyncio.to_thread(_vanish, router.port, sent[number % len(sent)], reading=reading)
        await asyncio.sleep(0.3)
        left = len(router.connections)
        plane.close()
        router.close()
        return left

    with caplog.at_level(logging.WARNING):
        assert loop(check()) == 0
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
