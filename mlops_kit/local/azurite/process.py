"""Azurite as a process: started on a folder that survives it, checked, stopped so that it saves its data first."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from mlops_kit.errors import LocalError
from mlops_kit.local import azurite as install
from mlops_kit.local import certificates, processes
from mlops_kit.local.settings import STORAGE_ACCOUNT, LocalSettings, typed

_FLAGS = ("--skipApiVersionCheck", "--disableTelemetry", "--loose", "--silent", "--blobHost", "127.0.0.1")
_START_SECONDS = 60
_STOP_SECONDS = 10
_ANSWER_SECONDS = 120
_REVIVE_SECONDS = 5  # between two starts of one that does not stay up
_RECORD = "azurite.json"


@dataclass(frozen=True, slots=True)
class _Record:
    """Azurite's process as recorded in the state folder, so that the next start finds one that was left behind."""

    pid: int
    born: str  # see processes.born
    port: int


class Azurite:
    """A running Azurite blob service on 127.0.0.1 whose data are in one folder and survive it."""

    def __init__(
        self,
        settings: LocalSettings,
        command: Sequence[str],
        trusted: ssl.SSLContext | None,
        accounts: Mapping[str, str],
    ) -> None:
        self.settings = settings
        self._command = command
        self._trusted = trusted
        self._accounts = accounts
        self._spawn(_free_port())

    @classmethod
    def start(
        cls, settings: LocalSettings, *, accounts: Mapping[str, str] | None = None, secure: bool = True
    ) -> Azurite:
        """Start Azurite on ``settings.blobs`` and return when it answers with the right version, folder and port.

        ``accounts`` are name -> base64 key; by default there is the one account that every emulator has. With
        ``secure`` it speaks TLS with the control plane's certificate. An Azurite that a killed control plane left
        on this folder is stopped first, which makes it save its data.
        """
        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        stop_recorded(settings.state)
        settings.blobs.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.logs.mkdir(parents=True, exist_ok=True)
        command, trusted = [*install.program(), *_FLAGS], None
        if secure:
            files = certificates.certificate(settings)
            command += ["--cert", str(files.chain), "--key", str(files.key)]
            trusted = ssl.create_default_context(cafile=str(files.authority))
        for _ in range(3):  # the free port may be taken by another program between the choice and the start
            started = cls(settings, command, trusted, accounts or {})
            try:
                if started.answers():
                    started.check()
                    return started
            except BaseException:
                started.stop()
                raise
        raise LocalError(
            f"Azurite did not start: {_tail(settings.logs / 'azurite.log')} (its data are in {settings.blobs}; if they"
            f" are damaged, '{typed('reset', settings.state)}' starts afresh)"
        )

    def _spawn(self, port: int) -> None:
        self.port = port
        self._spawned = time.monotonic()
        with (self.settings.logs / "azurite.log").open("wb") as output:
            self._process = subprocess.Popen(
                [*self._command, "--blobPort", str(port), "--location", str(self.settings.blobs)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_variables(self._accounts),
                start_new_session=True,  # a signal to the control plane's group must not take the data with it
            )
        record = _Record(self._process.pid, processes.born(self._process.pid), port)
        (self.settings.state / _RECORD).write_text(json.dumps(asdict(record)), encoding="ascii")

    def revive(self) -> bool:
        """Start Azurite again, on the same port, if its process has ended; say whether it had.

        What it acknowledged within its last five seconds may be gone: it saves its index every five seconds.
        """
        if self._process.poll() is None or time.monotonic() - self._spawned < _REVIVE_SECONDS:
            return False
        self._spawn(self.port)
        return True

    def answers(self) -> bool:
        """Wait until the port is open; say whether the process still lives then."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return self._process.poll() is None
        self.stop()
        return False

    def check(self) -> None:
        """Make sure that it is our Azurite (its certificate says so), of the pinned version, on our folder."""
        try:
            connection = self.connect()
            connection.request("GET", f"/{STORAGE_ACCOUNT}?comp=list")
            server = connection.getresponse().headers.get("Server", "")
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise LocalError(f"Azurite does not answer on port {self.port}: {error}") from None
        expected = f"Azurite-Blob/{install.VERSION}"
        if server != expected or not (self.settings.blobs / "__azurite_db_blob__.json").exists():
            raise LocalError(
                f"'{server}' answers on port {self.port}; {expected} on {self.settings.blobs} was expected"
            )

    def connect(self) -> http.client.HTTPConnection:
        """Return a new connection; TLS is verified against the control plane's own authority."""
        if self._trusted is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_SECONDS)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=_ANSWER_SECONDS, context=self._trusted)

    def stop(self) -> None:
        """Stop Azurite; it saves its data first."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        (self.settings.state / _RECORD).unlink(missing_ok=True)


def stop_recorded(state: Path) -> bool:
    """Stop the Azurite that a killed control plane left running on a state folder; say whether there was one."""
    path = state / _RECORD
    try:
        record = _Record(**json.loads(path.read_text(encoding="ascii")))
        process = processes.living(processes.Started(int(record.pid), record.born))
    except (FileNotFoundError, ValueError, TypeError):  # what is not readable was not written by us
        process = None
    if process is not None:
        terminate(process, _STOP_SECONDS)
    path.unlink(missing_ok=True)
    return process is not None


def terminate(process: psutil.Process, seconds: float) -> None:
    """Ask a process to end, and kill it if it has not within ``seconds``."""
    try:
        process.terminate()
        deadline = time.monotonic() + seconds
        # A zombie has ended: whoever started it may collect it late or never.
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.01)
    except psutil.NoSuchProcess:
        return


def _variables(accounts: Mapping[str, str]) -> dict[str, str]:
    # The user's own AZURITE_* variables are for the user's own Azurite.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AZURITE_")}
    listed = ";".join(f"{name}:{key}" for name, key in accounts.items())
    return {**kept, "AZURITE_ACCOUNTS": listed} if listed else kept


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(path: Path, count: int = 5) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines() if path.exists() else []
    return " | ".join(lines[-count:]) or f"{path} is empty"
