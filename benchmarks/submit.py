"""Submit a command job whose code is already there: ``mlops-kit``'s path beside a plain MLClient loop."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from rounds import Row, Target

_JOB = """\
type: command
code: ./src
command: "true"
environment:
  image: local
experiment_name: bench
"""


def measure(rounds: int) -> list[Row]:
    """Return the row; the variables of a started control plane must be set before this is called."""
    from azure.ai.ml import load_job

    from mlops_kit.local.settings import DEFAULT_WORKSPACE as NAMES
    from mlops_kit.workspace import connect, submit

    workspace = connect.connect(connect.Target("local", NAMES.subscription, NAMES.group, NAMES.name, "default"))
    figures: dict[str, list[float]] = {"ours": [], "peer": []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "src").mkdir()
        (folder / "src" / "main.py").write_text("print(1)\n", encoding="utf-8")
        template = folder / "job.yml"
        template.write_text(_JOB, encoding="utf-8")
        for _ in range(rounds + 1):  # the first round uploads the code and is dropped
            began = time.perf_counter()
            workspace.ml.jobs.create_or_update(load_job(template))
            figures["peer"].append(time.perf_counter() - began)
            began = time.perf_counter()
            [loaded] = submit.load([submit.Item("job", _JOB, _JOB, template)])
            submit.create_job(workspace, loaded, None)
            figures["ours"].append(time.perf_counter() - began)
    ours, peer = (1000 * statistics.median(figures[name][1:]) for name in ("ours", "peer"))
    return [
        Row("command-job submit, same code again", ours, "MLClient loop", peer, "ms", Target(above_peer_at_most=20))
    ]
