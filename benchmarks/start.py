"""From ``local start`` to the first answer, beside Azurite alone, and a restart with many resources."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from rounds import Row, Target, medians

_MANY = 100_000


def measure(rounds: int) -> list[Row]:
    """Return the rows; each round starts on a new state folder, restarts a full one, and stops what it started."""
    with tempfile.TemporaryDirectory() as scratch:
        empty, full = Path(scratch) / "empty", Path(scratch) / "full"
        _fill(full, _MANY)

        def fresh() -> float:
            shutil.rmtree(empty, ignore_errors=True)
            return _start_seconds(empty)

        contenders = {"fresh": fresh, "full": lambda: _start_seconds(full), "peer": _azurite_alone}
        figures = medians(contenders, rounds)
    again = f"restart with {_MANY:,} resources"
    return [
        Row(
            "`local start` to first answer",
            figures["fresh"],
            "Azurite alone",
            figures["peer"],
            "s",
            Target(at_most=2.5),
        ),
        Row(again, figures["full"], "Azurite alone, empty", figures["peer"], "s", Target(at_most=3)),
    ]


def _start_seconds(state: Path) -> float:
    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import LocalSettings

    began = time.perf_counter()
    supervisor.start(LocalSettings(state))
    seconds = time.perf_counter() - began
    supervisor.stop(state)
    return seconds


def _fill(state: Path, count: int) -> None:
    """Make a state folder and put finished jobs into its store: what a restart reads to find those to go on with."""
    from mlops_kit.local.arm.store import ResourceStore
    from mlops_kit.local.settings import DEFAULT_WORKSPACE, LocalSettings

    _start_seconds(state)
    store = ResourceStore(LocalSettings(state).database)
    with store.transaction():
        for number in range(count):
            properties = {"jobType": "Command", "command": "true", "status": "Completed", "experimentName": "many"}
            name = f"job-{number}"
            store.put({"id": f"{DEFAULT_WORKSPACE.id}/jobs/{name}", "name": name, "properties": properties})
    store.close()


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
