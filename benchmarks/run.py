"""Measure every row, print the table and write docs/benchmarks.md. Run by ``nox -s bench``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rounds import Row

PROJECT = Path(__file__).resolve().parent.parent
_ON_A_CONTROL_PLANE = ("submit", "control_plane", "pipelines", "infrastructure")
_HEAD = """\
# Benchmarks

Written by `nox -s bench` ({rounds} interleaved rounds, medians; {machine}, {cores} cores, {date}).
Only ratios travel between machines. A row that misses its target says so.

Terraform writes its whole state after each resource, so its own time grows with the square of their number. The peer
"terraform alone" shows it: as many resources of terraform's own, without a provider, with as much state. What grows
with this project is the time that its provider and its control plane keep a processor busy.

| what | ours | peer | peer's | ratio | target |
|---|---:|---|---:|---:|---|
"""


def main() -> None:
    """Measure the chosen groups (all by default)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", default=["startup", "templates", "start", "uploads", *_ON_A_CONTROL_PLANE])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = _measure(options.groups, options.rounds)
    page = _page(rows, options.rounds)
    print(page)
    (PROJECT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")


def _measure(groups: list[str], rounds: int) -> list[Row]:
    import start
    import startup
    import uploads

    import templates

    rows: list[Row] = []
    offline: dict[str, Callable[[], list[Row]]] = {
        "startup": lambda: startup.measure(rounds),
        "templates": lambda: templates.measure(PROJECT, rounds),
        "start": lambda: start.measure(rounds),
        "uploads": lambda: uploads.measure(rounds),
    }
    for name in groups:
        if name in offline:
            print(f"measuring {name}", file=sys.stderr)
            rows += offline[name]()
    if set(_ON_A_CONTROL_PLANE) & set(groups):
        rows += _with_control_plane(groups, rounds)
    return rows


def _with_control_plane(groups: list[str], rounds: int) -> list[Row]:
    import control_plane
    import infrastructure
    import pipelines
    import submit

    from mlops_kit.local import supervisor
    from mlops_kit.local.settings import LocalSettings

    with tempfile.TemporaryDirectory() as scratch:
        settings = LocalSettings(Path(scratch) / "local")
        instance = supervisor.start(settings)
        try:
            os.environ.update(supervisor.environment(instance, settings))
            rows = submit.measure(4 * rounds) if "submit" in groups else []
            rows += control_plane.measure(settings.state, rounds) if "control_plane" in groups else []
            rows += pipelines.measure(settings.state, rounds) if "pipelines" in groups else []
            rows += infrastructure.measure(PROJECT, rounds, instance.pid) if "infrastructure" in groups else []
        finally:
            supervisor.stop(settings.state)
    return rows


def _page(rows: list[Row], rounds: int) -> str:
    head = _HEAD.format(
        rounds=rounds,
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        cores=os.cpu_count(),
        date=datetime.now(UTC).date(),
    )
    return head + "\n".join(row.line() for row in rows) + "\n"


if __name__ == "__main__":
    main()
