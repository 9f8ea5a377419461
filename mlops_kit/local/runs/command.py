"""Running a command job: everything put in place, the command run, what it left behind kept.

The command's lines are given to ``bash -e``: a job whose first of two lines fails has failed. (The service runs the
lines joined; a command that relies on a failing line being passed over must say so with ``|| true``.)
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sqlite3
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from mlops_kit.local import processes, shortcut
from mlops_kit.local.arm import ids
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.processes import Started
from mlops_kit.local.providers import codes
from mlops_kit.local.runs import (
    bookends,
    command_line,
    content,
    distribution,
    environments,
    inputs,
    outputs,
    parallel,
    states,
    variables,
)
from mlops_kit.local.runs.content import Copy
from mlops_kit.local.runs.distribution import Rank
from mlops_kit.local.runs.environments import Interpreter
from mlops_kit.local.runs.outputs import Output
from mlops_kit.local.runs.process import EXPIRED, Exit, Launch
from mlops_kit.local.runs.states import JobFailedError, Outcome, StoppedError
from mlops_kit.local.runs.work import LOGS, SYSTEM_LOGS, Work, fresh
from mlops_kit.local.settings import Instance

log = logging.getLogger(__name__)

SHELL = ("/bin/bash", "-e", "-c")
_TAIL_LINES = 15
_TAIL_BYTES = 16384


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A job whose command can be started."""

    launches: list[Launch]
    outputs: list[Output]
    copies: list[Copy]


def run(work: Work) -> tuple[Outcome, dict[str, object]]:
    """Run a command job to its end; return how it ended and the properties that it has now.

    The caller has moved it to Preparing and records the end; this moves it through Running and Finalizing.
    """
    fresh(work.folder)
    tracked = bookends.begin(work)
    prepared = _Prepared([], [], [])
    properties: dict[str, object] = {}
    try:
        prepared = _prepare(work)
        try:
            outcome = _execute(work, prepared)
        finally:
            processes.end_marked(work.folder)  # also what left the group of the command, as when a container ends
        properties = _finalize(work, prepared, outcome)
    except StoppedError:
        outcome = bookends.stopped(work)
        _spoiled(prepared)
        _keep_partial(work, prepared)
    except JobFailedError as failure:
        outcome = Outcome(states.FAILED, str(failure))
    except (ArmError, OSError, sqlite3.OperationalError) as failure:
        outcome = Outcome(states.FAILED, f"The job could not be run: {failure}", "SystemError")
    return bookends.conclude(work, tracked, outcome), properties


# Preparing ---------------------------------------------------------------------------------------------------------


def _prepare(work: Work) -> _Prepared:
    """Put code, inputs, outputs and environment in place at the same time."""
    with ThreadPoolExecutor(4) as threads:
        interpreter = threads.submit(_interpreter, work)
        code = threads.submit(_put_code, work)
        bound = threads.submit(_bind_inputs, work)
        places = _place_outputs(work)
        code.result()
        texts, copies = bound.result()
        found = interpreter.result()
    work.control.check()
    texts |= {f"outputs.{one.name}": one.text for one in places}
    texts = {name: _as_one_word(work, text) for name, text in texts.items()}
    command = command_line.rendered(str(work.properties["command"]), texts)
    shared = _variables(work, found, texts)
    launches = [
        _launch(work, command, {**shared, **rank.variables}, rank)
        for rank in distribution.ranks(work.properties.get("distribution"), _started_nodes(work))
    ]
    return _Prepared(launches, places, copies)


def _as_one_word(work: Work, text: str | None) -> str | None:
    """Return a path in the state folder so that a command can name it without quotes; anything else as it is."""
    state = f"{work.plane.settings.state}{os.sep}"
    if text is None or not text.startswith(state):
        return text
    return str(shortcut.to(work.plane.settings.state) / text.removeprefix(state))


def _interpreter(work: Work) -> Interpreter:
    asset = environments.find(work.plane, work.workspace, str(work.properties["environmentId"]))
    chosen = environments.runner(work.plane.settings.runner, work.properties.get("environmentVariables") or {})
    site = environments.Site(work.plane, work.control, work.folder / SYSTEM_LOGS)
    found = environments.prepare(chosen, environments.specification(asset), site)
    warnings = _not_started(work)
    if found.differences:
        warnings.append(f"The environment differs from what was asked for: {'; '.join(found.differences)}.")
    if warnings:
        states.note(work.plane, work.job.id, private={"warnings": warnings})
    return found


def _not_started(work: Work) -> list[str]:
    """Say which interactive services of the job are not there."""
    own = {"Tracking", "Studio"}
    given = {name: one for name, one in (work.properties.get("services") or {}).items() if name not in own}
    return [
        f"The service '{name}' ({(one or {}).get('jobServiceType')}) is not started by the local control plane."
        for name, one in given.items()
    ]


def _put_code(work: Work) -> None:
    """Copy the code snapshot into the working directory, which has nothing else in it."""
    code = work.properties.get("codeId")
    if not code:
        return
    container, prefix = codes.code_location(work.plane, work.workspace, str(code))
    copy = work.cache.folder(work.plane.blobs, container, prefix)
    shutil.copytree(copy.path, work.code, copy_function=shutil.copyfile, dirs_exist_ok=True)


def _bind_inputs(work: Work) -> tuple[dict[str, str | None], list[Copy]]:
    texts: dict[str, str | None] = {}
    copies: list[Copy] = []
    for name, given in (work.properties.get("inputs") or {}).items():
        work.control.check()
        source = inputs.Source(work.plane, work.cache, work.workspace, name, given or {}, work.folder / "inputs" / name)
        bound = inputs.bind(source)
        texts[f"inputs.{name}"] = bound.text if bound else None
        copies += bound.copies if bound else ()
    return texts, copies


def _place_outputs(work: Work) -> list[Output]:
    return [
        outputs.place(work.plane, work.job.id, name, given, work.folder / "named" / name)
        for name, given in (work.properties.get("outputs") or {}).items()
    ]


def _variables(work: Work, interpreter: Interpreter, texts: Mapping[str, str | None]) -> dict[str, str]:
    instance = Instance.read(work.plane.settings.instance_file)
    if instance is None:
        raise JobFailedError("The local control plane is not recorded as running.")
    guid = ids.workspace_guid(work.plane, work.workspace)
    around = variables.Surroundings(work.plane.settings, instance, guid, interpreter.executable)
    given = {name: text for name, text in texts.items() if text is not None}
    asked = work.properties.get("parallel")
    return {**variables.of_job(work.job, around, given), **({parallel.VARIABLE: json.dumps(asked)} if asked else {})}


def _started_nodes(work: Work) -> int:
    """Return on how many nodes the command is started; the driver of a parallel job starts its workers itself."""
    if work.properties.get("parallel"):
        return 1
    return int((work.properties.get("resources") or {}).get("instanceCount") or 1)


def _launch(work: Work, command: str, environment: Mapping[str, str], rank: Rank) -> Launch:
    marked = {**environment, processes.FOLDER: str(work.folder)}
    return Launch([*SHELL, command], work.code, marked, work.logs / rank.log)


# Running -----------------------------------------------------------------------------------------------------------


def _execute(work: Work, prepared: _Prepared) -> Outcome:
    work.control.check()
    states.advance(work.plane, work.job.id, states.RUNNING)
    with _limited(work):
        ended = work.control.run(prepared.launches, lambda started: _record(work, started))
    if ended.code:
        return Outcome(states.FAILED, _reason(ended, prepared.launches[ended.index]))
    return Outcome(states.COMPLETED)


def _record(work: Work, started: list[Started]) -> None:
    """Keep which processes run, so that they can be ended if this control plane is killed."""
    states.note(work.plane, work.job.id, private={"processes": [asdict(one) for one in started]})


class _limited:  # noqa: N801  reads as a statement
    """Stops a job that runs longer than its limit; time in the queue does not count."""

    def __init__(self, work: Work) -> None:
        limit = ids.seconds_of((work.properties.get("limits") or {}).get("timeout"))
        self._timer = threading.Timer(limit, work.control.stop, (EXPIRED,)) if limit else None

    def __enter__(self) -> None:
        if self._timer:
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()


def _reason(ended: Exit, launch: Launch) -> str:
    how = f"exited with status code {ended.code}" if ended.code > 0 else f"was ended by signal {-ended.code}"
    lines = last_lines(launch.log)
    where = f"{LOGS}/{launch.log.name}"
    shown = "\n".join(lines) if lines else "(it is empty)"
    error = next((line for line in reversed(lines) if _EXCEPTION.match(line)), "")
    return f"Execution failed. User process {how}. {error}\nLast lines of {where}:\n{shown}"


_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning)\b")


def last_lines(path: Path, count: int = _TAIL_LINES) -> list[str]:
    """Return the last lines of a log of any size."""
    if not path.exists():
        return []
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return list(deque(stream.read().decode("utf-8", "replace").splitlines(), count))


# Finalizing --------------------------------------------------------------------------------------------------------


def _finalize(work: Work, prepared: _Prepared, outcome: Outcome) -> dict[str, object]:
    """Keep and register the outputs; return the properties of the finished job. A failed job's mounts are kept too."""
    states.advance(work.plane, work.job.id, states.FINALIZING)
    spoiled = _spoiled(prepared)
    if outcome.status != states.COMPLETED:
        _keep_partial(work, prepared)
        return {}
    if spoiled:
        raise JobFailedError(f"The job wrote to a read-only input: {'; '.join(spoiled)}.")
    for output in prepared.outputs:
        outputs.check(work.plane, output)
    for output in prepared.outputs:
        outputs.keep(work.plane, output)
    shown = {one.name: outputs.registered(work.plane, work.workspace, work.name, one) for one in prepared.outputs}
    return {"outputs": shown} if shown else {}


def _spoiled(prepared: _Prepared) -> list[str]:
    """Return what the job did to read-only inputs; no other job gets these copies."""
    found = [(copy, content.changed(copy)) for copy in prepared.copies]
    return [f"{what} below {copy.path}" for copy, what in found if what]


def _keep_partial(work: Work, prepared: _Prepared) -> None:
    """A mount shows what was written before a failure; an upload happens at the end of a job that succeeded."""
    for output in prepared.outputs:
        if output.mode == outputs.DEFAULT_MODE:
            try:
                outputs.keep(work.plane, output)
            except (ArmError, OSError) as error:
                log.warning("the output '%s' of %s was not kept: %s", output.name, work.name, error)
