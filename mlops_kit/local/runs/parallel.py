"""A parallel step as a command job: its command is the driver that hands mini batches to workers."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_kit.local import drivers
from mlops_kit.local.drivers.parallel_run.settings import VARIABLE, Settings

__all__ = ["VARIABLE", "ParallelError", "command", "settings"]

_DRIVER = Path(drivers.__file__).with_name("run_parallel.py")
_UNITS = {"kb": 1024, "mb": 1024**2, "gb": 1024**3}


class ParallelError(Exception):
    """A parallel step that cannot be; the message is a sentence."""


def command(task: Mapping[str, Any], input_data: str) -> str:
    """Return the command of a job that runs an entry script over an input."""
    append_to = task.get("append_row_to") or "-"
    arguments = " ".join(str(task.get("program_arguments") or "").split())
    return f"python {shlex.quote(str(_DRIVER))} {input_data} {append_to} -- {arguments}".rstrip()


def settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the driver is asked to do; ``given`` is the component with what the node says instead.

    Raises:
        ParallelError: A number cannot be.
    """
    task, retry = given.get("task") or {}, given.get("retry_settings") or {}
    if not task.get("entry_script"):
        raise ParallelError("its task has no entry_script")
    if not given.get("input_data"):
        raise ParallelError("it has no input_data")
    found = Settings(
        entry_script=str(task["entry_script"]),
        size=_size(given.get("mini_batch_size")),
        partition_keys=tuple(_keys(given.get("partition_keys"))),
        nodes=_number(given.get("resources"), "instance_count", 1),
        processes=_number(given, "max_concurrency_per_instance", 1),
        retries=_number(retry, "max_retries", 2, least=0),
        timeout=_number(retry, "timeout", 60),
        mini_batch_error_threshold=_number(given, "mini_batch_error_threshold", -1, least=-1),
        error_threshold=_number(given, "error_threshold", -1, least=-1),
    )
    return {**asdict(found), "partition_keys": list(found.partition_keys)}


def _number(given: Mapping[str, Any] | None, name: str, usual: int, least: int = 1) -> int:
    value = (given or {}).get(name)
    if value is None:
        return usual
    if int(value) < least:
        raise ParallelError(f"its {name} is {value}, and must be at least {least}")
    return int(value)


def _size(given: Any) -> int:
    """Return a size of mini batches: a count of files, or ``10kb`` in bytes."""
    text = str(given or 1).strip().lower()
    unit = next((name for name in _UNITS if text.endswith(name)), "")
    number = text.removesuffix(unit).strip()
    if not number.isdigit() or int(number) < 1:
        raise ParallelError(f"its mini_batch_size is '{given}', and must be a count of files or a size such as 10kb")
    return int(number) * _UNITS.get(unit, 1)


def _keys(given: Any) -> list[str]:
    """Return partition keys, which components keep as the text of a JSON list."""
    if isinstance(given, str) and given:
        given = json.loads(given)
    return [str(key) for key in given or []]
