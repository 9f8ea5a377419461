"""Programs of others, run without a shell: found, or told how to get; no secret in what is told, their status kept."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.infra.redaction import Redactor

INSTALL: Mapping[str, tuple[str, str]] = {
    "terraform": (
        "https://developer.hashicorp.com/terraform/install",
        "brew install hashicorp/tap/terraform" if sys.platform == "darwin" else "sudo snap install terraform --classic",
    ),
    "pulumi": ("https://www.pulumi.com/docs/install", "curl -fsSL https://get.pulumi.com | sh"),
}
_OURS = frozenset({2, 3, 4, 5, 6, 130})  # exit codes that mean something of our own
_LAST_LINES = 3


class ToolFailed(OperationFailed):
    """A program ended with a status other than 0, which becomes our exit code where that means nothing else."""

    def __init__(self, program: str, doing: str, status: int, said: Iterable[str]) -> None:
        told = "; ".join(said) or "it said nothing"
        ended = f"signal {-status}" if status < 0 else f"status {status}"
        super().__init__(f"{program} {doing} ended with {ended}: {told}")
        self.status = status
        self.exit_code = status if 0 < status < 128 and status not in _OURS else 1


@dataclass(frozen=True, slots=True)
class Finished:
    """What a program left: its status, and its two streams.

    ``out`` is in clear, to be parsed: a mask in it could change what it means. ``err`` is cleared of secrets, and what
    is shown of ``out`` must go through ``redactor``.
    """

    status: int
    out: str = field(repr=False)
    err: str
    redactor: Redactor

    def last_lines(self) -> list[str]:
        """Return the end of what it said, on stderr if it said anything there, without secrets."""
        lines = [line.strip() for line in (self.err.strip() or self.out).splitlines() if line.strip()]
        return [self.redactor.text(line) for line in lines[-_LAST_LINES:]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, the folder and the variables it runs with, and what must not be seen of them."""

    path: str
    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    redactor: Redactor

    def run(self, arguments: Iterable[str], on_line: Callable[[str], None] = lambda _: None) -> Finished:
        """Run the program to its end; ``on_line`` hears of each line of stdout as it comes, in clear.

        The program is in a process group of its own: a Ctrl-C reaches it once, through us, so that it can record what
        it has begun before it ends.
        """
        child = subprocess.Popen(
            [self.path, *arguments],
            cwd=self.folder,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,
            umask=0o077,  # states and plans hold values in clear
        )
        errors: list[str] = []
        lines: list[str] = []
        reader = threading.Thread(target=_read, args=(child.stderr, errors.append), daemon=True)
        reader.start()

        def hear(line: str) -> None:
            lines.append(line)
            on_line(line)

        self._until_end(child, hear)
        reader.join()
        said = "\n".join(map(self.redactor.text, errors))
        return Finished(child.returncode, "\n".join(lines), said, self.redactor)

    def _until_end(self, child: subprocess.Popen[str], hear: Callable[[str], None]) -> None:
        interrupted = False
        while True:
            try:
                _read(child.stdout, hear)
                child.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
                child.send_signal(signal.SIGINT)
            except BaseException:
                child.terminate()
                child.wait()
                raise
        if interrupted:
            raise KeyboardInterrupt


def _read(stream: IO[str] | None, hear: Callable[[str], None]) -> None:
    for line in stream or ():
        hear(line.rstrip("\n"))


def find(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of a program; UsageError with the command that installs it where there is none."""
    path = shutil.which(name, path=environ.get("PATH"))
    if path is None:
        page, command = INSTALL[name]
        raise UsageError(f"the program {name!r} is not on PATH: install it with '{command}' (or see {page})")
    return path


def events(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects of a stream, one a line; warnings and colours between them are no events."""
    found = (event(line) for line in text.splitlines())
    return [one for one in found if one is not None]


def event(line: str) -> dict[str, Any] | None:
    """Return the JSON object that a line is, None for any other line."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def document(text: str) -> Any:
    """Return the one JSON value of an answer; lines before it, such as coloured warnings, are passed over."""
    decoder = json.JSONDecoder()
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        if line.lstrip()[:1] in {"{", "[", "n"}:  # an object, a list, null
            try:
                return decoder.raw_decode("".join(lines[index:]).lstrip())[0]
            except ValueError:
                continue
    raise OperationFailed("the tool answered with no JSON")
