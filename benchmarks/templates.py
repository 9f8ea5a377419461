"""Validate and render job templates in a cold process, beside the SDK's own ``load_job``: a thousand, and one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rounds import Row, Target, medians, seconds_of

_COUNT = 1000
_TEMPLATE = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
type: command
display_name: train-{number}
experiment_name: bench
code: ./src
command: >-
  python train.py --data ${{{{inputs.data}}}} --reg-rate ${{{{inputs.reg_rate}}}} --out ${{{{outputs.model}}}}
environment: azureml:sklearn@latest
compute: azureml:{compute}
inputs:
  data:
    type: uri_file
    path: azureml:diabetes@latest
  reg_rate: 0.{number}
outputs:
  model:
    type: uri_folder
environment_variables:
  RUN: "{number}"
"""


def _write(folder: Path, compute: str) -> None:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text("print('train')\n", encoding="utf-8")
    for number in range(_COUNT):
        text = _TEMPLATE.format(number=number, compute=compute)
        (folder / f"job-{number:04}.yml").write_text(text, encoding="utf-8")


_LOAD = """
import glob, logging, sys, time, warnings
warnings.simplefilter("ignore"); logging.disable(50)
from azure.ai.ml import load_job
files = sorted(glob.glob(sys.argv[1] + "/*.yml"))
began = time.perf_counter()
for file in files:
    load_job(file)
print(time.perf_counter() - began)
"""


_LOAD_ONE = """
import logging, sys, warnings
warnings.simplefilter("ignore"); logging.disable(50)
from azure.ai.ml import load_job
load_job(sys.argv[1])
"""


def measure(project: Path, rounds: int) -> list[Row]:
    """Return the rows; ``project`` is the folder that holds ``environments/``."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as scratch:
        ours, peer = Path(scratch) / "ours", Path(scratch) / "peer"
        _write(ours / "templates", "${env.compute}")
        (ours / "environments").symlink_to(project / "environments")
        _write(peer, "cpu-cluster")

        def validate() -> float:
            return seconds_of("mlops-kit", "validate", "-C", str(ours), "-e", "local", "--all", env=env)

        def load_job() -> float:
            command = [sys.executable, "-c", _LOAD, str(peer)]
            return float(subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout)

        def validate_one() -> float:
            one = str(ours / "templates" / "job-0000.yml")
            return seconds_of("mlops-kit", "validate", "-e", "local", one, env=env)

        def load_one() -> float:
            one = str(peer / "job-0000.yml")
            return seconds_of(sys.executable, "-c", _LOAD_ONE, one, env=env)

        began = time.perf_counter()
        alone = medians({"ours": validate_one, "peer": load_one}, rounds)
        figures = medians({"ours": validate, "peer": load_job}, rounds)
        print(f"templates: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    what = f"validate + render {_COUNT:,} job templates, cold process"
    target = Target(at_most=0.35, ratio_at_most=0.125)
    one = "validate one job template, cold process (the pre-commit hook)"
    return [
        Row(what, figures["ours"], "azure-ai-ml load_job, import not counted", figures["peer"], "s", target),
        Row(one, 1000 * alone["ours"], "azure-ai-ml load_job", 1000 * alone["peer"], "ms", Target(at_most=300)),
    ]
