"""Where a person goes on from here: the commands to type, and the page of a job where it has one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

UNREACHABLE = ".test"  # RFC 6761: no name below it resolves; a local workspace has its addresses there


def typed(options: Sequence[str], *words: str) -> str:
    """Return a command that works as it is printed; ``options`` name the environment, as in :class:`Target`."""
    return shlex.join(["mlops-kit", *words, *options])


def goes_on(job: str, options: Sequence[str]) -> str:
    """Return what a person must know of a job that is not waited for."""
    follow, end = (typed(options, "job", verb, job) for verb in ("stream", "cancel"))
    return f"the job {job} goes on: '{follow}' follows it, '{end}' ends it"


def page(job: Any) -> str:
    """Return the address of a job's page, the empty string where no browser could open it."""
    address = str(job.studio_url or "")
    return "" if (urlsplit(address).hostname or "").endswith(UNREACHABLE) else address
