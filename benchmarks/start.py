"""From ``local start`` to the first answer, beside Azurite alone, and a restart with many resources."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from rounds import Row, medians


def measure(rounds: int) -> list[Row]:
    """Return the row; each round starts on a new state folder and stops what it started."""
    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import LocalSettings

    def ours() -> float:
        with tempfile.TemporaryDirectory() as state:
            began = time.perf_counter()
            supervisor.start(LocalSettings(Path(state) / "local"))
            seconds = time.perf_counter() - began
            supervisor.stop(Path(state) / "local")
        return seconds

    figures = medians({"ours": ours, "peer": _azurite_alone}, rounds)
    return [Row("`local start` to first answer", figures["ours"], "Azurite alone", figures["peer"], "s", "<= 2.5 s")]


def _azurite_alone() -> float:
    from mlops_kit.local import azurite

    program = azurite.program()
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        began = time.perf_counter()
        process = subprocess.Popen(
            [*program, "--blobPort", str(port), "-l", folder, "--disableTelemetry", "--silent"],
            stdout=subprocess.DEVNULL,
        )
        try:
            return _answered(port, began)
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)
            Path(folder).mkdir(exist_ok=True)


def _answered(port: int, began: float) -> float:
    while time.perf_counter() - began < 60:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.01)
        else:
            return time.perf_counter() - began
    raise RuntimeError("Azurite did not answer within 60 s")
