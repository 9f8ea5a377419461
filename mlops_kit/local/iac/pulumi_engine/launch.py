"""The caller's side of a run: start the child process, pass on what it tells, end it when the caller is interrupted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mlops_kit.errors import LocalError, MlopsKitError, UsageError
from mlops_kit.local.iac.pulumi_engine.results import (
    DeploymentError,
    DeviationError,
    Report,
    Step,
    report_from_json,
    step_from_json,
)

_STOP_SECONDS = 60  # how long what was begun may take to end after an interruption
_REFUSALS: dict[str, type[MlopsKitError]] = {"UsageError": UsageError, "LocalError": LocalError}
_MASK = "[secret]"


def _ignore(told: Step | str) -> None:
    del told


@dataclass(frozen=True, slots=True)
class Stack:
    """A project folder with Pulumi.yaml, the name of a stack, and the file that remembers it.

    ``environ`` leads to the control plane and is all that the program sees of variables. ``config`` goes over what
    ``Pulumi.<name>.yaml`` says; its keys may leave out the project's name, its values be any JSON. ``on_event`` hears
    of each step as it ends, and of each line that the program says. ``parallel`` resources are worked on at a time.
    ``adopts`` takes over what exists and the state does not know, where it would be refused.
    """

    folder: Path
    name: str
    state: Path
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secret_config: frozenset[str] = frozenset()
    on_event: Callable[[Step | str], None] = _ignore
    parallel: int = 16
    adopts: bool = False


def perform(stack: Stack, command: str, *, plan: Report | None = None) -> Report:
    """Run a command in a child process and return its report.

    Raises DeploymentError where it ended early, DeviationError where ``plan`` is not what it would do.
    """
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", __package__],  # -P: a folder called pulumi beside the caller is not the SDK
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=dict(stack.environ),
    )
    told = _Told(stack, plan)
    if child.stdin is None or child.stdout is None or child.stderr is None:  # never: all three are pipes
        raise LocalError("the Pulumi engine could not be started")
    reader = threading.Thread(target=told.lines, args=(child.stderr,), daemon=True)
    reader.start()
    try:
        child.stdin.write(json.dumps(_request(stack, command, plan)) + "\n")
        child.stdin.flush()
        told.events(child.stdout)
        child.wait()
    except BaseException:
        _stop(child)
        raise
    finally:
        reader.join(timeout=5)
    return told.report(command, child.returncode)


def _request(stack: Stack, command: str, plan: Report | None) -> dict[str, Any]:
    return {
        "command": command,
        "folder": str(stack.folder.resolve()),
        "stack": stack.name,
        "state": str(stack.state.resolve()),
        "config": {key: value if isinstance(value, str) else json.dumps(value) for key, value in stack.config.items()},
        "secret_keys": sorted(stack.secret_config),
        "parallel": stack.parallel,
        "adopts": stack.adopts,
        "plan": plan.fingerprint() if plan is not None else "",
    }


def _stop(child: subprocess.Popen[str]) -> None:
    """Let what was begun come to its end and be recorded; end the process if that takes too long."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()  # the end of stdin is the word to begin nothing more; nobody reads events from here on
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


class _Told:
    """What a child process has told so far."""

    def __init__(self, stack: Stack, plan: Report | None) -> None:
        self._plan = plan
        self._tell = stack.on_event
        self._secrets = [str(stack.config[key]) for key in stack.secret_config if stack.config.get(key)]
        self._last: dict[str, Any] = {}
        self._lines: list[str] = []

    def events(self, stream: IO[str]) -> None:
        """Take the events of the protocol until the child closes its end."""
        for line in stream:
            event = json.loads(line)
            if event["event"] == "step":
                self._tell(step_from_json(event["step"]))
            elif event["event"] == "message":
                self._tell(event["text"])
            else:
                self._last = event

    def lines(self, stream: IO[str]) -> None:
        """Take what the program and the interpreter print."""
        for line in stream:
            text = line.rstrip("\n")
            for secret in self._secrets:
                text = text.replace(secret, _MASK)
            self._lines.append(text)
            self._tell(text)

    def report(self, command: str, status: int) -> Report:
        """Return the report, or raise what the child ended with."""
        if self._last.get("event") == "refused":
            raise _REFUSALS.get(self._last["kind"], LocalError)(self._last["text"])
        if not self._last:
            why = " | ".join([line for line in self._lines if line.strip()][-3:]) or "it said nothing"
            raise LocalError(f"the Pulumi engine ended with status {status} during {command}: {why}")
        report = report_from_json(self._last["report"])
        if self._last["stale"] and self._plan is not None:
            raise DeviationError(self._plan, report)
        if self._last["faults"]:
            raise DeploymentError(tuple(self._last["faults"]), report)
        return report
