"""Parallel steps of pipelines through the real SDK: mini batches, workers, thresholds, retries, one file of results."""

from __future__ import annotations

from typing import Any

import pytest

SCORE = """\
import os
from pathlib import Path

def init():
    global started
    started = os.getpid()
    Path("outputs", f"init-{started}").touch()

def run(mini_batch):
    Path("outputs", f"batch-{started}-{Path(mini_batch[0]).name}").write_text(str(len(mini_batch)))
    return [f"{Path(name).name}: {int(Path(name).read_text()) % 2}" for name in mini_batch]
"""
STEP = """\
    type: pipeline
    jobs:
      score:
        type: parallel
        mini_batch_size: "5"
        mini_batch_error_threshold: -1
        error_threshold: -1
        max_concurrency_per_instance: 2
        resources: {instance_count: 2}
        retry_settings: {max_retries: 0, timeout: 60}
        input_data: ${{inputs.data}}
        inputs:
          data: {type: uri_folder, path: ./data}
          note: TOKEN
        outputs:
          results: {type: uri_file}
        task:
          type: run_function
          code: src
          entry_script: score.py
          program_arguments: --note ${{inputs.note}}
          append_row_to: ${{outputs.results}}
          environment: ENVIRONMENT
"""


@pytest.fixture
def scoring(pipelines: Any) -> Any:
    """Pipelines with an entry script, and a folder of 100 files that hold their numbers."""
    (pipelines.folder / "src").mkdir()
    (pipelines.folder / "src" / "score.py").write_text(SCORE)
    (pipelines.folder / "data").mkdir()
    for number in range(100):
        (pipelines.folder / "data" / f"{number:03}.csv").write_text(str(number))
    return pipelines


def _script(scoring: Any, text: str) -> None:
    (scoring.folder / "src" / "score.py").write_text(text)


def _rows(scoring: Any, job: Any) -> Any:
    step = scoring.steps(job)["score"]
    target = scoring.folder / "results"
    scoring.ml.jobs.download(step.name, download_path=target, output_name="results")
    (file,) = (path for path in target.rglob("*") if path.is_file())
    return file.read_text().splitlines()


def _left(scoring: Any, job: Any, prefix: str) -> list[str]:
    """Return the names of what the workers left in ``outputs``."""
    target = scoring.folder / "left"
    scoring.ml.jobs.download(scoring.steps(job)["score"].name, download_path=target, all=True)
    return sorted(path.name for path in target.rglob(f"{prefix}-*"))


def test_every_file_gives_one_whole_row_l8_07_l8_12(scoring):
    job = scoring.run(STEP)
    rows = _rows(scoring, job)
    assert job.status == "Completed", scoring.error(job)
    assert rows == [f"{number:03}.csv: {number % 2}" for number in range(100)]


def test_init_is_called_once_by_each_worker_and_files_are_cut_into_batches_l8_03_l8_05(scoring):
    job = scoring.run(STEP)
    workers, batches = _left(scoring, job, "init"), _left(scoring, job, "batch")
    assert len(batches) == 20
    assert 1 <= len(workers) <= 4
    assert {name.split("-")[1] for name in batches} <= {name.split("-")[1] for name in workers}


def test_a_hundred_and_one_files_make_twenty_one_batches_l8_05(scoring):
    (scoring.folder / "data" / "100.csv").write_text("100")
    job = scoring.run(STEP)
    assert len(_left(scoring, job, "batch")) == 21


RUN = "def run(mini_batch):\n"
FAILING = SCORE.replace(RUN, f"{RUN}    if int(Path(mini_batch[0]).read_text()) < BAD: raise ValueError('bad file')\n")
ONCE = """\
    if not Path('outputs', 'tried').exists():
        Path('outputs', 'tried').touch()
        raise OSError('once')
"""


@pytest.mark.parametrize(
    ("bad", "threshold", "status"), [(10, 10, "Completed"), (11, 10, "Failed"), (50, -1, "Completed")]
)
def test_more_failed_items_than_the_threshold_fail_the_step_l8_06(bad, threshold, status, scoring):
    _script(scoring, FAILING.replace("BAD", str(bad)))
    text = STEP.replace('mini_batch_size: "5"', 'mini_batch_size: "1"')
    job = scoring.run(text.replace("        error_threshold: -1", f"        error_threshold: {threshold}"))
    assert scoring.steps(job)["score"].status == status
    log = scoring.log(scoring.steps(job)["score"])
    assert "ValueError: bad file" in log
    if status == "Failed":
        assert "11 items have failed, more than error_threshold allows (10)" in scoring.error(job)
    else:
        assert f"{bad} failed, {bad} items failed" in log
        assert len(_rows(scoring, job)) == 100 - bad


def test_more_failed_mini_batches_than_the_threshold_fail_the_step(scoring):
    _script(scoring, FAILING.replace("BAD", "11"))
    job = scoring.run(STEP.replace("mini_batch_error_threshold: -1", "mini_batch_error_threshold: 2"))
    assert "3 mini batches have failed, more than mini_batch_error_threshold allows (2)" in scoring.error(job)


def test_results_that_are_missing_count_as_failed_items_l8_03(scoring):
    _script(scoring, SCORE.replace("for name in mini_batch]", "for name in mini_batch[1:]]"))
    job = scoring.run(STEP.replace("        error_threshold: -1", "        error_threshold: 3"))
    assert "items have failed, more than error_threshold allows (3)" in scoring.error(job)


def test_a_mini_batch_that_fails_once_passes_with_a_retry_l8_16(scoring):
    _script(scoring, SCORE.replace(RUN, RUN + ONCE))
    text = STEP.replace("max_retries: 0", "max_retries: 1").replace("instance_count: 2", "instance_count: 1")
    job = scoring.run(text.replace("max_concurrency_per_instance: 2", "max_concurrency_per_instance: 1"))
    assert len(_rows(scoring, job)) == 100


def test_a_mini_batch_that_takes_too_long_is_ended_l8_16(scoring):
    _script(scoring, f"import time\n{RUN}    if '000' in mini_batch[0]: time.sleep(600)\n    return mini_batch\n")
    job = scoring.run(STEP.replace("timeout: 60", "timeout: 3"))
    assert job.status == "Completed"
    assert "it took longer than 3 seconds" in scoring.log(scoring.steps(job)["score"])
    assert len(_rows(scoring, job)) == 95


def test_a_worker_that_dies_is_replaced(scoring):
    _script(
        scoring,
        SCORE.replace("def run(mini_batch):\n", "def run(mini_batch):\n    if '050' in mini_batch[0]: os._exit(9)\n"),
    )
    job = scoring.run(STEP)
    assert "the worker died" in scoring.log(scoring.steps(job)["score"])
    assert len(_rows(scoring, job)) == 95


def test_a_script_whose_init_fails_fails_the_step_with_its_reason(scoring):
    _script(
        scoring, "def init():\n    raise RuntimeError('no model')\n\n\ndef run(mini_batch):\n    return mini_batch\n"
    )
    job = scoring.run(STEP)
    assert "RuntimeError: no model" in scoring.error(job)


TABLE = """\
import pandas as pd

def run(mini_batch, context):
    assert isinstance(mini_batch, pd.DataFrame)
    return pd.DataFrame({"rows": [len(mini_batch)], "store": [context.partition_key_value.get("store", "all")]})
"""


def _table(scoring: Any) -> None:
    table = scoring.folder / "table"
    table.mkdir()
    rows = [f"{'north' if number % 3 else 'south'},{number}" for number in range(900)]
    (table / "sales.csv").write_text("\n".join(["store,amount", *rows]) + "\n")
    (table / "MLTable").write_text(
        "paths:\n  - file: ./sales.csv\ntransformations:\n  - read_delimited: {delimiter: ','}\n"
    )
    _script(scoring, TABLE)


def test_a_table_is_cut_by_size(scoring):
    _table(scoring)
    text = STEP.replace("type: uri_folder, path: ./data", "type: mltable, path: ./table, mode: eval_mount")
    job = scoring.run(text.replace('mini_batch_size: "5"', "mini_batch_size: 2kb"))
    rows = [int(row.split()[0]) for row in _rows(scoring, job)]
    assert sum(rows) == 900
    assert 4 <= len(rows) <= 6  # 9 kilobytes


def test_a_table_is_cut_by_its_keys(scoring):
    _table(scoring)
    text = STEP.replace("type: uri_folder, path: ./data", "type: mltable, path: ./table, mode: eval_mount")
    job = scoring.run(text.replace('mini_batch_size: "5"', "partition_keys: [store]"))
    assert _rows(scoring, job) == ["600 north", "300 south"]
