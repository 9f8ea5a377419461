"""Follow the logs of a job as they grow."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any, TextIO


@contextlib.contextmanager
def followed(ml: Any, job: str) -> Iterator[threading.Thread]:
    """Print the job's logs on stderr as they grow, in a thread that ends with the job.

    A thread, because the SDK's ``stream`` has no time limit and stops for good when a token expires.
    """
    with contextlib.redirect_stdout(LogOnly(sys.stderr, job)):
        thread = threading.Thread(target=_stream, args=(ml, job), daemon=True)
        thread.start()
        yield thread


def _stream(ml: Any, job: str) -> None:
    """Stream until the job ends; how it ended is asked for elsewhere."""
    from azure.core.exceptions import AzureError

    try:
        ml.jobs.stream(job)
    except AzureError:
        return


class LogOnly(io.TextIOBase):
    """Pass the lines of logs on, and drop the SDK's own words before and after them: ours say the same.

    They are as in azure/ai/ml/operations/_job_ops_helper.py, 1.35.
    """

    def __init__(self, out: TextIO, job: str) -> None:
        self._out = out
        head = (re.escape(f"RunId: {job}\n"), r"Web View: .*\n")
        self._frames = (head, (r"Execution Summary\n", r"=================\n", *head))
        self._part = ""  # of a line
        self._held: list[str] = []  # lines that may turn out to be a frame

    def write(self, text: str) -> int:
        """Take a piece of text; it is passed on once it is clear what its line is."""
        *whole, self._part = (self._part + text).splitlines(keepends=True) or [""]
        if self._part.endswith("\n"):
            whole, self._part = [*whole, self._part], ""
        for line in whole:
            self._take(line)
        return len(text)

    def _take(self, line: str) -> None:
        if self._held and not self._may_be_frame([*self._held, line]):
            self._pass_on()
        self._held.append(line)
        if not self._may_be_frame(self._held):
            self._pass_on()
        elif len(self._held) in {len(frame) for frame in self._frames if re.fullmatch(frame[0], self._held[0])}:
            self._held = []

    def _may_be_frame(self, lines: list[str]) -> bool:
        """Tell whether lines are how one of the frames begins."""
        return any(
            len(lines) <= len(frame) and all(map(re.fullmatch, frame[: len(lines)], lines)) for frame in self._frames
        )

    def _pass_on(self) -> None:
        self._out.write("".join(self._held))
        self._held = []

    def flush(self) -> None:
        """Let what is passed on be seen."""
        self._out.flush()
