"""The child process of one command: a request comes in as JSON on stdin, events go out as JSON lines on stdout.

A process of its own keeps the caller's interpreter free of the SDK, and the modules of one run from the next one's.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from mlops_kit.errors import MlopsKitError
from mlops_kit.local.iac.pulumi_engine.cloud import Cloud
from mlops_kit.local.iac.pulumi_engine.run import Request, Result, Run


def main() -> int:
    """Carry out the request on stdin; the last event is ``result`` or ``refused``."""
    gc.disable()  # a short life, and thousands of classes of the SDK that would be looked through again and again
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop, so that what was begun is recorded
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the program prints is for people
    lock = threading.Lock()

    def tell(event: str, **facts: Any) -> None:
        with lock:
            _send(events, {"event": event, **facts})

    try:
        facts = json.loads(sys.stdin.readline())
        request = Request(**{**facts, "folder": Path(facts["folder"]), "state": Path(facts["state"])})
        cloud = Cloud(os.environ)
        threading.Thread(target=_stop_at_end, args=(cloud,), daemon=True).start()
        run = Run(request, cloud, lambda step: tell("step", step=asdict(step)), lambda text: tell("message", text=text))
        result: Result = run.execute()
    except MlopsKitError as error:
        tell("refused", text=str(error), kind=type(error).__name__)
        return 2
    tell("result", report=result.report.as_json(), faults=result.faults, stale=result.stale)
    return 1 if result.faults else 0


def _send(events: IO[str], facts: dict[str, Any]) -> None:
    try:
        events.write(json.dumps(facts) + "\n")
        events.flush()
    except BrokenPipeError:  # the parent is gone; the state file still learns what happens
        return


def _stop_at_end(cloud: Cloud) -> None:
    """Stop the run when the parent closes its end, be it on purpose or by dying."""
    sys.stdin.read()
    cloud.stopped.set()


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # threads that the program or gRPC left behind must not keep the process
