"""A worker: it calls ``init()`` of the entry script once, then ``run(mini_batch)`` for each mini batch it is given.

It reads one JSON line for each mini batch from one pipe, and answers with one on another. What ``run`` returns goes
into a file, row by row, so that nothing of it passes through the master.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

READY, DONE, FAILED = "ready", "done", "failed"


def main(arguments: Sequence[str]) -> None:
    """Serve one master: ``arguments`` are two file descriptors, a folder for results, the entry script, and its own."""
    tasks, answers, results, script, *rest = arguments
    with os.fdopen(int(tasks), encoding="utf-8") as asked, os.fdopen(int(answers), "w", encoding="utf-8") as answered:
        try:
            entry = _entry(Path(script), rest)
        except BaseException:  # noqa: BLE001  a script may leave in any way; the master is told, whatever it was
            _answer(answered, {"state": FAILED, "error": traceback.format_exc()})
            return
        _answer(answered, {"state": READY})
        for line in asked:
            _answer(answered, _served(entry, json.loads(line), Path(results)))


def _answer(stream: Any, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


def _entry(script: Path, arguments: Sequence[str]) -> ModuleType:
    """Load the entry script as its author runs it, and call its ``init()``."""
    sys.argv = [str(script), *arguments]
    sys.path[0] = str(script.resolve().parent)
    spec = importlib.util.spec_from_file_location("entry_script", script)
    if spec is None or spec.loader is None:
        raise ImportError(f"{script} is no Python file")
    entry = importlib.util.module_from_spec(spec)
    sys.modules["entry_script"] = entry
    spec.loader.exec_module(entry)
    if not callable(getattr(entry, "run", None)):
        raise TypeError(f"{script} has no function run(mini_batch)")
    if callable(getattr(entry, "init", None)):
        entry.init()
    return entry


def _served(entry: ModuleType, task: dict[str, Any], folder: Path) -> dict[str, Any]:
    try:
        returned = entry.run(*_arguments(entry.run, task))
        rows = list(_rows(returned))
        place = folder / f"{task['index']}.txt"
        draft = place.with_suffix(".new")
        draft.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
        draft.replace(place)
    except Exception:  # noqa: BLE001  whatever the entry script raises, its mini batch has failed
        return {"state": FAILED, "error": traceback.format_exc()}
    return {"state": DONE, "items": len(rows)}


def _arguments(run: Any, task: dict[str, Any]) -> list[Any]:
    """Return the mini batch, and what is known of it where ``run`` takes that, too."""
    batch = _frame(task["rows"]) if task["rows"] else list(task["files"])
    context = SimpleNamespace(minibatch_index=task["index"], partition_key_value=dict(task["keys"]))
    takes = len(inspect.signature(run).parameters)
    return [batch, context] if takes > 1 else [batch]


def _frame(rows: str) -> Any:
    import pandas as pd

    return pd.read_pickle(rows)  # noqa: S301  written by the master of this very job


def _rows(returned: Any) -> Iterable[str]:
    """Yield what ``run`` returned as lines: the items of a list, or the rows of a data frame, set apart by blanks."""
    if hasattr(returned, "itertuples"):
        for row in returned.itertuples(index=False):
            yield " ".join(_cell(value) for value in row)
    elif hasattr(returned, "tolist"):
        yield from map(str, returned.tolist())
    elif isinstance(returned, list | tuple):
        yield from map(str, returned)
    else:
        raise TypeError(f"run() returned a {type(returned).__name__}, not a list or a DataFrame")


def _cell(value: Any) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ' "\n') else text


if __name__ == "__main__":
    main(sys.argv[1:])
