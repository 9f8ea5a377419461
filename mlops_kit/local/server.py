"""The control plane's process: it composes the services, answers HTTPS, and stops everything it started.

Run by the supervisor as ``python -m mlops_kit.local.server STATE``; the settings are read from ``STATE/settings.json``.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import logging.handlers
import os
import secrets
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from filelock import FileLock, Timeout

from mlops_kit.errors import LocalError, MlopsKitError
from mlops_kit.files import write_private
from mlops_kit.local import certificates, dispatch, gateway, processes, providers
from mlops_kit.local.arm.operations import Operations
from mlops_kit.local.arm.routes import Route, RouteTable
from mlops_kit.local.arm.store import ResourceStore
from mlops_kit.local.arm.wire import ArmError, Call, Reply, call_of
from mlops_kit.local.azurite.process import Azurite
from mlops_kit.local.clock import Clock
from mlops_kit.local.faults import Faults
from mlops_kit.local.plane import Plane
from mlops_kit.local.runs.scheduler import Scheduler
from mlops_kit.local.schedules.timer import Timer
from mlops_kit.local.settings import Instance, LocalSettings
from mlops_kit.local.signing import Signer
from mlops_kit.local.storage import BlobStore, Quota
from mlops_kit.local.supervisor import read_settings, unreadable
from mlops_kit.local.tracking import Tracking

log = logging.getLogger("mlops_kit.local")

_WRITES = {"PUT", "PATCH"}  # a POST may free what was taken: cancel, archive
_LOCK = "server.lock"
_LOCK_SECONDS = 20  # longer than an instance takes to stop
_WATCH_SECONDS = 0.5
_SECRET_BYTES = 32
_Send = Callable[[dict[str, Any]], Awaitable[None]]
_Receive = Callable[[], Awaitable[dict[str, Any]]]


class Application:
    """The ASGI application: one call in, one handler, one reply out."""

    def __init__(self, plane: Plane, workers: int = 32) -> None:
        self._plane = plane
        self._routes = RouteTable(providers.ROUTES)
        self._quota = Quota(plane.settings)
        self._noted: set[tuple[Route, int]] = set()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="handler")

    async def __call__(self, scope: dict[str, Any], receive: _Receive, send: _Send) -> None:
        """Answer one HTTP request; ASGI's life-span messages are not used."""
        if scope["type"] != "http":
            return
        call = await _read_call(scope, receive)
        reply = await self.answer(call)
        if reply.status >= 400:
            log.info("%s %s -> %d", call.method, call.path, reply.status)
        await self._send(reply, send, head=call.method == "HEAD")

    async def answer(self, call: Call) -> Reply:
        """Find the handler and run it; every fault becomes a reply in ARM's shape."""
        try:
            route, params = self._routes.find(call.method, call.path)
            principal = "" if route.open else self._plane.signer.check_token(call.headers.get("authorization", ""))
            if call.method in _WRITES or call.path.lower().endswith("/startpendingupload"):
                self._quota.check(len(call.raw))
            call = Call(
                call.method, call.path, call.query, call.headers, call.raw, params, call.query_string, principal
            )
            if route.slow:
                loop = asyncio.get_running_loop()
                reply = await loop.run_in_executor(self._threads, dispatch.handled, self._plane, route, call)
            else:
                reply = dispatch.handled(self._plane, route, call)
        except ArmError as error:
            return error.reply()
        except Exception as fault:
            if _is_full(fault):
                return ArmError(413, "LocalDiskFull", f"The disk of {self._plane.settings.state} is full.").reply()
            # Not 500: the SDKs would retry it for eleven seconds before they show it.
            log.exception("fault while answering %s %s", call.method, call.path)
            message = f"{type(fault).__name__}: {fault} (while answering {call.method} {call.path})"
            return ArmError(501, "LocalControlPlaneFault", message).reply()
        self._note(route, reply.status)
        return reply

    def _note(self, route: Route, status: int) -> None:
        """Log the first time that an operation is answered with a status: which operations a client uses."""
        if (route, status) not in self._noted:
            self._noted.add((route, status))
            log.info("operation %s %s -> %d", route.method, route.template, status)

    async def _send(self, reply: Reply, send: _Send, *, head: bool) -> None:
        body, kind = reply.encoded()
        headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
        if kind and "content-type" not in {name.lower() for name in reply.headers}:
            headers.append((b"content-type", kind.encode()))
        if isinstance(body, bytes):
            if reply.status not in {204, 304}:
                headers.append((b"content-length", str(len(body)).encode()))
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if head else body})
            return
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        loop = asyncio.get_running_loop()
        while (chunk := await loop.run_in_executor(self._threads, _next_chunk, body)) is not None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _is_full(fault: Exception) -> bool:
    if isinstance(fault, sqlite3.OperationalError):
        return fault.sqlite_errorcode == sqlite3.SQLITE_FULL
    return isinstance(fault, OSError) and fault.errno in {errno.ENOSPC, errno.EDQUOT}


def _next_chunk(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)


async def _read_call(scope: dict[str, Any], receive: _Receive) -> Call:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    target = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
    query = scope["query_string"].decode("latin-1")
    return call_of(scope["method"], f"{target}?{query}" if query else target, headers, b"".join(parts))


def compose(settings: LocalSettings, azurite: Azurite) -> Plane:
    """Open the state folder and build every service on it."""
    signer = Signer(_secret(settings.state / "secret"))
    clock = Clock(settings.clock)
    try:
        store = ResourceStore(settings.database)
    except sqlite3.DatabaseError as error:
        raise LocalError(unreadable(settings.database, error)) from None
    return Plane(
        settings=settings,
        store=store,
        operations=Operations(),
        signer=signer,
        blobs=BlobStore(azurite),
        tracking=Tracking(settings, store),
        runs=Scheduler(settings),
        faults=Faults(settings.faults),
        now=clock.now,
        schedules=Timer(clock),
    )


def _secret(path: Path) -> bytes:
    if not path.exists() or path.stat().st_size != _SECRET_BYTES:
        write_private(path, secrets.token_bytes(_SECRET_BYTES))
    return path.read_bytes()


def _bound_socket() -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", 0))
    return bound


async def serve(settings: LocalSettings) -> None:
    """Run until SIGTERM or SIGINT: Azurite, the router, the HTTPS server, then the jobs that waited."""
    azurite = Azurite.start(settings)
    try:
        plane = compose(settings, azurite)
        listening = _bound_socket()
        router = await gateway.start_router(settings, https_port=listening.getsockname()[1], blob_port=azurite.port)
        certificate = certificates.certificate(settings)
        server = uvicorn.Server(
            uvicorn.Config(
                Application(plane),
                log_level="warning",
                access_log=False,
                lifespan="off",
                ssl_certfile=str(certificate.chain),
                ssl_keyfile=str(certificate.key),
                timeout_keep_alive=60,
                timeout_graceful_shutdown=1,
                server_header=False,
            )
        )
        ready = asyncio.create_task(_announce(plane, azurite, server, listening, router.port))
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn stops at either, then raises it once more for whoever listened before: without a listener
            # that would end this process before it has stopped what it started.
            signal.signal(number, lambda number, _: log.info("stopping at signal %d", number))
        await server.serve(sockets=[listening])
        if not ready.cancel():
            ready.result()  # raises what kept it from coming up
        router.close()
        await asyncio.to_thread(plane.schedules.stop)
        await asyncio.to_thread(plane.runs.stop)
        await asyncio.to_thread(plane.tracking.stop)
        plane.store.close()
    finally:
        azurite.stop()
        settings.instance_file.unlink(missing_ok=True)
        log.info("stopped")


async def _announce(
    plane: Plane, azurite: Azurite, server: uvicorn.Server, listening: socket.socket, proxy_port: int
) -> None:
    """Record the instance once it answers, let the jobs run, then watch over what others may take away."""
    while not server.started:  # noqa: ASYNC110  uvicorn offers no event
        await asyncio.sleep(0.005)
    try:
        await asyncio.to_thread(providers.prepare, plane)
        instance = Instance(
            pid=os.getpid(),
            born=processes.born(os.getpid()),
            https_port=listening.getsockname()[1],
            proxy_port=proxy_port,
            blob_port=azurite.port,
            identity_secret=plane.signer.sign("identity"),
            network=plane.settings.network,
        )
        instance.write(plane.settings.instance_file)
        threading.Thread(target=plane.runs.start, args=(plane,), name="scheduler", daemon=True).start()
        plane.schedules.start(plane)
        await _watch(plane.settings, instance, azurite)
    finally:
        server.should_exit = True


async def _watch(settings: LocalSettings, instance: Instance, azurite: Azurite) -> None:
    """Mend what a user or the system breaks while this runs; return where the state folder itself is gone."""
    held = (settings.state / _LOCK).stat()
    while _is_there(settings.state / _LOCK, held):
        await asyncio.sleep(_WATCH_SECONDS)
        try:
            if azurite.revive():
                log.warning("Azurite had ended; started again on port %d", azurite.port)
            if Instance.read(settings.instance_file) != instance:
                log.warning("%s was changed or deleted; written again", settings.instance_file)
                instance.write(settings.instance_file)
        except OSError as error:  # the disk is full, say: the next round tries again
            log.warning("could not look after %s: %s", settings.state, error)
    log.warning("the state folder %s is gone; stopping", settings.state)


def _is_there(file: Path, as_before: os.stat_result) -> bool:
    try:
        return os.path.samestat(file.stat(), as_before)
    except FileNotFoundError:
        return False


def main() -> None:
    """Start the control plane whose state folder is the first argument."""
    settings = read_settings(Path(sys.argv[1]))
    settings.logs.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(settings.logs / "control-plane.log", maxBytes=10**7, backupCount=2)
    logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped while starting"))
    try:
        # Held while this process lives: it keeps a second one off the folder even if the supervisor was killed.
        with FileLock(settings.state / _LOCK, timeout=_LOCK_SECONDS):
            log.info("starting on %s", settings.state)
            uvloop.run(serve(settings))
    except Timeout:
        sys.exit(f"Another control plane holds {settings.state}")
    except MlopsKitError as error:
        log.error("%s", error)  # noqa: TRY400  a fault of the surroundings; its sentence says it all
        sys.exit(str(error))
    except Exception as fault:
        log.exception("ended by a fault")
        sys.exit(f"{type(fault).__name__}: {fault} (details: {settings.logs / 'control-plane.log'})")


if __name__ == "__main__":
    main()
