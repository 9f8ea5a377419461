"""Follow the logs of a job as they grow."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any, TextIO

# What the SDK writes around the logs (azure/ai/ml/operations/_job_ops_helper.py, 1.35), each line in one go; lines of
# a log come without their end.
FRAME = re.compile(r"(RunId: .*|Web View: .*|Execution Summary|=================)\n")


@contextlib.contextmanager
def followed(ml: Any, job: str) -> Iterator[threading.Thread]:
    """Print the job's logs on stderr as they grow, in a thread that ends with the job.

    A thread, because the SDK's ``stream`` has no time limit and stops for good when a token expires.
    """
    with contextlib.redirect_stdout(LogOnly(sys.stderr)):
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
    """Pass whole lines of logs on, and drop the SDK's own words before and after them: ours say the same."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._line = ""

    def write(self, text: str) -> int:
        """Take a piece of text; it is passed on once its line is whole."""
        if self._line or not FRAME.fullmatch(text):
            whole, end, self._line = (self._line + text).rpartition("\n")
            self._out.write(whole + end)
        return len(text)

    def flush(self) -> None:
        """Let what is passed on be seen."""
        self._out.flush()
