"""A chain of steps that do nothing, as ``kfp.local`` runs it. (kfp reads annotations, so these are no texts.)."""

import tempfile
import time
from collections.abc import Callable


def run_of(count: int) -> Callable[[], float]:
    """Return what runs as many steps, each in a process without a venv of its own, and returns its seconds."""
    from kfp import dsl, local

    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=tempfile.mkdtemp())

    @dsl.component  # type: ignore[untyped-decorator]
    def nothing() -> None:
        pass

    @dsl.pipeline  # type: ignore[untyped-decorator]
    def chain() -> None:
        previous = None
        for _ in range(count):
            task = nothing()
            if previous is not None:
                task.after(previous)
            previous = task

    def run() -> float:
        began = time.perf_counter()
        chain()
        return time.perf_counter() - began

    return run
