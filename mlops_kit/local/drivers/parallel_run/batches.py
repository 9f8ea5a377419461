"""The mini batches of an input: so many files each, so many bytes of a table, or one for each value of its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .settings import Settings

MLTABLE = "MLTable"
_READERS = ("read_delimited", "read_parquet", "read_json_lines")
_LEAST_ROWS = 1


@dataclass(frozen=True)
class Batch:
    """One mini batch: its files, or the pickled rows of a table. ``items`` is how many files or rows it has."""

    index: int
    items: int
    files: tuple[str, ...] = ()
    rows: str = ""
    keys: tuple[tuple[str, Any], ...] = ()

    @property
    def names(self) -> str:
        """Return what a message calls the mini batch by."""
        return ", ".join(Path(name).name for name in self.files) or f"rows of mini batch {self.index}"


def cut(source: Path, settings: Settings, folder: Path) -> Iterator[Batch]:
    """Yield the mini batches of an input; rows of tables are put into ``folder``."""
    table = source / MLTABLE
    if not table.is_file():
        yield from _by_count(_files(source), settings.size)
        return
    document = _document(table)
    paths = list(_paths(source, document))
    reader = next((step for step in document.get("transformations") or [] if _name(step) in _READERS), None)
    if reader is None:
        yield from _by_count(paths, settings.size)
    else:
        yield from _by_rows(paths, reader, settings, folder)


def _files(source: Path) -> list[str]:
    if source.is_file():
        return [str(source)]
    return sorted(str(path) for path in source.rglob("*") if path.is_file())


def _by_count(files: list[str], size: int) -> Iterator[Batch]:
    for index, start in enumerate(range(0, len(files), size)):
        part = tuple(files[start : start + size])
        yield Batch(index, len(part), part)


def _document(table: Path) -> dict[str, Any]:
    """Return an MLTable as data."""
    import yaml  # a table needs pandas and PyYAML in the job's environment, files need neither

    found: dict[str, Any] = yaml.safe_load(table.read_text(encoding="utf-8")) or {}
    return found


def _paths(source: Path, document: dict[str, Any]) -> Iterator[str]:
    for entry in document.get("paths") or []:
        kind, text = next(iter(entry.items()))
        relative = str(text).removeprefix("./")
        if kind == "pattern":
            yield from sorted(str(path) for path in source.glob(relative) if path.is_file())
        elif kind == "folder":
            yield from _files(source / relative)
        else:
            yield str(source / relative)


def _name(step: Any) -> str:
    return str(step) if isinstance(step, str) else str(next(iter(step)))


def _by_rows(paths: list[str], reader: Any, settings: Settings, folder: Path) -> Iterator[Batch]:
    if settings.partition_keys:
        yield from _by_keys(paths, reader, settings, folder)
        return
    index = 0
    for path in paths:
        frame = _frame(path, reader)
        each = max(1, Path(path).stat().st_size // max(1, len(frame)))  # bytes of a row, on average
        count = max(_LEAST_ROWS, settings.size // each)
        for start in range(0, len(frame), count):
            part = frame.iloc[start : start + count].reset_index(drop=True)
            yield _kept(index, part, folder)
            index += 1


def _by_keys(paths: list[str], reader: Any, settings: Settings, folder: Path) -> Iterator[Batch]:
    import pandas as pd

    whole = pd.concat([_frame(path, reader) for path in paths], ignore_index=True)
    keys = list(settings.partition_keys)
    for index, (values, part) in enumerate(whole.groupby(keys, sort=True)):
        found = values if isinstance(values, tuple) else (values,)
        yield _kept(index, part.reset_index(drop=True), folder, tuple(zip(keys, found, strict=True)))


def _kept(index: int, part: Any, folder: Path, keys: tuple[tuple[str, Any], ...] = ()) -> Batch:
    place = folder / f"{index}.pkl"
    part.to_pickle(place)
    return Batch(index, len(part), (), str(place), keys)


def _frame(path: str, reader: Any) -> Any:
    import pandas as pd

    name, options = (reader, {}) if isinstance(reader, str) else next(iter(reader.items()))
    options = options or {}
    if name == "read_parquet":
        return pd.read_parquet(path)
    if name == "read_json_lines":
        return pd.read_json(path, lines=True)
    header = None if str(options.get("header", "")).lower() in {"no_header", "none"} else 0
    return pd.read_csv(path, sep=options.get("delimiter", ","), header=header)


def sent(batch: Batch) -> str:
    """Return a mini batch as a worker reads it: one line of JSON."""
    keys = [[name, value if isinstance(value, str | int | float | bool) else str(value)] for name, value in batch.keys]
    given = {"index": batch.index, "files": batch.files, "rows": batch.rows, "keys": keys}
    return json.dumps(given, default=str) + "\n"
