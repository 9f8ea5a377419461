"""Upload a code folder of a thousand small files, beside the SDK alone: to this machine, and to one that is far away.

Each upload meets a control plane of its own, because Azurite is slower the more it holds. Far away is a relay in front
of it that lets every byte wait, as it does on its way to Azure; both contenders go through it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from rounds import Row, Target, medians

_FILES = 1000
_ROUND_TRIP = 0.04  # seconds
_CHILD = """
import sys, time
from pathlib import Path
from azure.ai.ml import MLClient
from azure.ai.ml.entities._assets import Code
from azure.identity import DefaultAzureCredential
from mlops_kit import packaging
from mlops_kit.workspace import snapshots

who, folder, *names = sys.argv[1:]
ml = MLClient(DefaultAzureCredential(), *names, show_progress=False)
ml.workspaces.get(names[2])  # signs in
began = time.perf_counter()
if who == "ours":
    packaged = packaging.package(Path(folder))
    snapshots.ensure(ml, Path(folder).name, packaged)
made = ml._code.create_or_update(Code(path=folder))
print(time.perf_counter() - began)
if who == "ours":  # the SDK has found it
    assert made.id.endswith(f"/codes/{snapshots.name_of(packaging.content_id(packaged))}/versions/1"), made.id
"""


def measure(rounds: int) -> list[Row]:
    """Return a row for a store on this machine and one for a store far away."""
    with tempfile.TemporaryDirectory() as scratch:
        code = Path(scratch) / "src"
        for number in range(_FILES):
            file = code / f"package{number % 20}" / f"module{number}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"print({number})\n" * 20, encoding="utf-8")
        near = medians({who: partial(_seconds, who, code, 0) for who in ("sdk", "ours")}, rounds)
        far = medians({who: partial(_seconds, who, code, _ROUND_TRIP / 2) for who in ("sdk", "ours")}, rounds)
    what, peer, target = f"upload {_FILES:,} small files of code", "azure-ai-ml alone", Target(ratio_at_most=0.33)
    return [
        Row(f"{what}, {_ROUND_TRIP * 1000:.0f} ms away", far["ours"], peer, far["sdk"], "s", target),
        Row(f"{what}, to Azurite on this machine", near["ours"], peer, near["sdk"], "s", target),
    ]


def _seconds(who: str, code: Path, wait: float) -> float:
    """Return how long an upload takes in a process of its own, to a new control plane."""
    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import LocalSettings

    with tempfile.TemporaryDirectory() as state:
        settings = LocalSettings(Path(state) / "local")
        instance = supervisor.start(settings)
        name = settings.workspace
        command = [sys.executable, "-c", _CHILD, who, str(code), name.subscription, name.group, name.name]
        try:
            with _at_a_distance(supervisor.environment(instance, settings), wait) as variables:
                env = {**os.environ, **variables}
                done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
        finally:
            supervisor.stop(settings.state)
    return float(done.stdout.split()[-1])


@contextmanager
def _at_a_distance(variables: Mapping[str, str], wait: float) -> Iterator[dict[str, str]]:
    """Lead to a control plane through a relay in which every byte waits so many seconds, each way."""
    if not wait:
        yield dict(variables)
        return
    target = urlsplit(variables["HTTPS_PROXY"]).port
    loop = asyncio.new_event_loop()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_pump(reader, far_writer, wait), _pump(far_reader, writer, wait), return_exceptions=True)
        far_writer.close()
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(accept, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield {**variables, **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://127.0.0.1:{port}")}
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait: float) -> None:
    """Copy what comes, each piece so many seconds later than it came."""
    loop = asyncio.get_running_loop()
    while chunk := await reader.read(1 << 16):
        loop.call_later(wait, writer.write, chunk)
    await asyncio.sleep(wait)
    writer.write_eof()
