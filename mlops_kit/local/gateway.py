"""The router between client processes and the control plane: an HTTP proxy that decides by host name.

It takes product-style host names to this machine's ports, lets no Azure host through, and never opens TLS.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import logging.handlers
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from mlops_kit.local.settings import DOMAIN, SCHEMA_HOST, LocalSettings

log = logging.getLogger("mlops_kit.local.router")


# Every domain under which Azure answers, sovereign clouds included, and where a virtual machine asks for tokens.
AZURE_DOMAINS = (
    "azure.com", "azure.net", "azure.cn", "azure.us", "windows.net", "azureml.ms", "azureml.net", "azureml.com",
    "azureml-test.net", "microsoftonline.com", "microsoftonline.us", "microsoftonline-p.com", "chinacloudapi.cn",
    "partner.microsoftonline.cn", "usgovcloudapi.net", "azurewebsites.net", "azureedge.net", "azurefd.net",
    "azurecr.io", "azure-api.net", "azure-automation.net", "azurecontainer.io", "azurecontainerapps.io", "cloudapp.net",
    "trafficmanager.net", "windowsazure.com", "msidentity.com", "graph.microsoft.com", "services.visualstudio.com",
    "applicationinsights.io", "login.live.com", "169.254.169.254", "168.63.129.16",
)  # fmt: skip
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# What a client that went away makes of reads and writes; RuntimeError is uvloop's word for a closed connection.
_ENDED = (OSError, RuntimeError)
_REVIVE_SECONDS = 10  # how long a connection waits for an Azurite that has ended


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a host leads: ``blob``, ``plane``, ``loopback``, ``outside``; or ``refused`` with the reason."""

    kind: str
    reason: str = ""


def decide(host: str, network: str) -> Decision:
    """Return where the router takes a host. An Azure host is refused whatever ``network`` says."""
    name = host.lower().rstrip(".").strip("[]")
    if name == SCHEMA_HOST:
        return Decision("plane")
    if name.endswith((f".blob.core.{DOMAIN}", f".dfs.core.{DOMAIN}")):
        return Decision("blob")
    if _is_under(name, DOMAIN):
        return Decision("plane")
    if any(_is_under(name, domain) for domain in AZURE_DOMAINS):
        return Decision("refused", f"The local control plane lets no Azure host through: {name}")
    if name in _LOOPBACK:
        return Decision("loopback")
    if network != "allow":
        return Decision("refused", f"The local control plane was started with network: deny and refuses {name}")
    return Decision("outside")


def _is_under(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


class Router:
    """The listening CONNECT router and its open connections."""

    def __init__(self, server: asyncio.Server, connections: set[asyncio.Task[None]]) -> None:
        self._server = server
        self.connections = connections
        self.port: int = server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and drop every open connection."""
        self._server.close()
        for connection in self.connections:
            connection.cancel()


@dataclass(frozen=True, slots=True)
class _Way:
    """What a connection needs to know: the ports on this machine and the proxies that were in use before."""

    network: str
    ports: Mapping[str, int]
    proxies: dict[str, str]  # http, https, all, no -> the value of the variable


@dataclass(frozen=True, slots=True)
class _Request:
    """The head of what a client sent to the proxy; ``head`` is everything up to the blank line."""

    method: str
    target: str
    host: str
    port: int
    head: bytes


async def start_router(
    settings: LocalSettings, https_port: int, blob_port: int, environ: Mapping[str, str] = os.environ
) -> Router:
    """Listen on a free port of 127.0.0.1; hosts outside go through the proxy that ``environ`` names, if any."""
    _log_to(settings.logs / "router.log")
    way = _Way(settings.network, {"plane": https_port, "blob": blob_port}, _proxies(environ))
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # asyncio always runs this callback in a task
            return
        connections.add(task)
        try:
            await _answer(way, reader, writer)
        except asyncio.CancelledError:  # Router.close: the connection ends here, nobody awaits this task
            log.info("closed an open connection at shutdown")
        except _ENDED as error:
            log.info("connection ended: %s", error)
        finally:
            connections.discard(task)
            writer.close()

    return Router(await asyncio.start_server(accept, "127.0.0.1", 0), connections)


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    log.propagate = False
    log.setLevel(logging.INFO)
    for old in log.handlers[:]:
        log.removeHandler(old)
        old.close()
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=10**7, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)


async def _answer(way: _Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = await _read_request(reader)
    if request is None:
        return _refuse(writer, "400", "This port is an HTTP proxy: it takes CONNECT host:port or GET http://host/path")
    decision = decide(request.host, way.network)
    log.info("%s %s:%d %s", request.method, request.host, request.port, decision.kind)
    if decision.kind == "refused":
        return _refuse(writer, "403", decision.reason)
    try:
        far_reader, far_writer = await asyncio.wait_for(_reach(way, decision, request, writer), 30)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        return _refuse(writer, "502", f"{request.host}:{request.port} could not be reached: {error or 'timeout'}")
    try:
        await _pump_both((reader, writer), (far_reader, far_writer))
    finally:
        far_writer.close()


async def _read_request(reader: asyncio.StreamReader) -> _Request | None:
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        address = urlsplit(f"//{target}" if method == "CONNECT" else target)
        port = address.port or (443 if method == "CONNECT" else 80)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ValueError):
        return None
    if not address.hostname or (method != "CONNECT" and address.scheme != "http"):
        return None
    return _Request(method, target, address.hostname, port, head)


def _refuse(writer: asyncio.StreamWriter, status: str, reason: str) -> None:
    # The reason is also the status line's phrase, because that is all that HTTP clients show of a refused CONNECT.
    body = f"{reason}.\n".encode()
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close"
    writer.write(head.encode("latin-1", "replace") + b"\r\n\r\n" + body)
    log.info("  %s %s", status, reason)


_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _reach(way: _Way, decision: Decision, request: _Request, writer: asyncio.StreamWriter) -> _Pair:
    """Open the far side and bring it to the point where bytes only have to be copied."""
    proxy = _proxy_for(way, request) if decision.kind == "outside" else None
    if proxy is not None:
        far = await _open_proxy(proxy, request)
    elif decision.kind in way.ports:
        far = await _open_near(way.ports[decision.kind])
    else:
        far = await asyncio.open_connection(request.host, request.port)
    try:
        if request.method != "CONNECT":
            far[1].write(_forwarded(request, absolute=proxy is not None, proxy=proxy))
        elif proxy is None:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    except _ENDED:  # the client has gone meanwhile
        far[1].close()
        raise
    return far


async def _open_near(port: int) -> _Pair:
    """Connect to a port of ours; Azurite, where it has ended, is being started again."""
    deadline = time.monotonic() + _REVIVE_SECONDS
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy variables by scheme; the lower-case spelling wins, as in curl."""
    named = {name: value for name, value in environ.items() if name.lower().endswith("_proxy") and value}
    return {name.lower().removesuffix("_proxy"): named[name] for name in sorted(named)}


def _proxy_for(way: _Way, request: _Request) -> SplitResult | None:
    if _is_direct(request.host, way.proxies.get("no", "")):
        return None
    address = way.proxies.get("https" if request.method == "CONNECT" else "http") or way.proxies.get("all")
    return urlsplit(address if "://" in address else f"http://{address}") if address else None


def _is_direct(host: str, exceptions: str) -> bool:
    """Say whether a NO_PROXY list names a host: by itself, by a domain above it, or by ``*``."""
    domains = [entry.strip().lstrip(".").lower() for entry in exceptions.split(",")]
    return "*" in domains or any(domain and _is_under(host, domain) for domain in domains)


async def _open_proxy(proxy: SplitResult, request: _Request) -> _Pair:
    secure = proxy.scheme == "https"
    far = await asyncio.open_connection(proxy.hostname, proxy.port or (443 if secure else 80), ssl=secure or None)
    if request.method == "CONNECT":
        place = f"{request.host}:{request.port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *_credentials(proxy)]
        far[1].write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    return far


def _credentials(proxy: SplitResult) -> list[str]:
    if not proxy.username:
        return []
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return [f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}"]


def _forwarded(request: _Request, *, absolute: bool, proxy: SplitResult | None) -> bytes:
    """Return the head of a plain-HTTP request for the far side, which is told to close: one connection, one request."""
    _, *fields = request.head.decode("latin-1").rstrip("\r\n").split("\r\n")
    dropped = ("connection:", "proxy-connection:", "proxy-authorization:", "keep-alive:")
    kept = [field for field in fields if not field.lower().startswith(dropped)]
    parts = urlsplit(request.target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{request.method} {request.target if absolute else path} HTTP/1.1", *kept, "Connection: close"]
    return "\r\n".join([*lines, *(_credentials(proxy) if proxy else []), "", ""]).encode("latin-1")


async def _pump_both(near: _Pair, far: _Pair) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_pump(near, far[1]))
        group.create_task(_pump(far, near[1]))


async def _pump(source: _Pair, writer: asyncio.StreamWriter) -> None:
    """Copy until the sender has finished, then finish towards the receiver, which may still be answering."""
    reader, sender = source
    try:
        while chunk := await reader.read(1 << 16):
            _acknowledge(sender)
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except _ENDED:
        # One side is gone: what the other still sends has nowhere to go.
        writer.close()


def _acknowledge(sender: asyncio.StreamWriter) -> None:
    """Tell the sender at once that its bytes are here.

    urllib3 leaves Nagle's algorithm on for connections through a proxy: the body of a request would wait 40 ms for the
    delayed acknowledgement of its head.
    """
    near = sender.get_extra_info("socket")  # None once it is closed
    if near is not None and hasattr(socket, "TCP_QUICKACK"):  # Linux; the kernel forgets it after each answer
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
