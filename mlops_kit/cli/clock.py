"""``mlops-kit local clock``: show the clock of the control plane, and move it, so that a month runs in seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from mlops_kit.cli import meant as planes
from mlops_kit.cli import options
from mlops_kit.cli.meant import Meant, of_plane
from mlops_kit.errors import OperationFailed, UsageError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"(?:\d+[smhdw])+")


@click.group()
def command() -> None:
    """Show the clock of the control plane, and move it.

    Schedules fire by it, and jobs and computes are dated by it. Tokens, time limits and the programs of jobs go by the
    clock of this machine.
    """


@command.command()
@of_plane
@options.output_option
def show(meant: Meant, output: str) -> None:
    """Say what time it is there."""
    from mlops_kit.local import remote_clock

    options.print_result(_facts(remote_clock.read(*planes.running(meant))), output, _words)


def _wait_option(function: Any) -> Any:
    return click.option(
        "--wait/--no-wait", default=True, help="Let the jobs of a time end before the clock goes on, or do not."
    )(function)


@command.command()
@click.argument("span")
@_wait_option
@of_plane
@options.output_option
def advance(meant: Meant, span: str, wait: bool, output: str) -> None:
    """Move it ahead by SPAN, such as 30d, 12h or 1w2d; every schedule fires at its times in between.

    Units are w, d, h, m and s. More than 1,000 fires are refused.
    """
    from mlops_kit.local import remote_clock

    now = datetime.fromisoformat(remote_clock.read(*planes.running(meant))["now"])
    try:
        target = now + _span(span)
    except OverflowError:
        raise UsageError(f"{span!r} ahead is beyond the end of the calendar") from None
    _move(meant, target.isoformat(), wait, output)


@command.command(name="set")
@click.argument("time")
@_wait_option
@of_plane
@options.output_option
def set_(meant: Meant, time: str, wait: bool, output: str) -> None:
    """Set it to TIME, such as 2026-03-28T08:00:00; in UTC unless it has an offset.

    Ahead, every schedule fires at its times in between. Back, nothing fires, and what has fired does not fire again.
    """
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        raise UsageError(f"{time!r} is no time; write it as 2026-03-28T08:00:00") from None
    _move(meant, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat(), wait, output)


@command.command()
@_wait_option
@of_plane
@options.output_option
def reset(meant: Meant, wait: bool, output: str) -> None:
    """Set it to the clock of this machine again."""
    _move(meant, "", wait, output)


def _span(text: str) -> timedelta:
    """Return a span of time such as ``30d`` or ``1w2d``."""
    if not _SPAN.fullmatch(text):
        raise UsageError(f"{text!r} is no span of time; write it as 30d, 12h or 1w2d")
    parts = re.findall(r"(\d+)([smhdw])", text)
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in parts), timedelta())


def _move(meant: Meant, to: str, wait: bool, output: str) -> None:
    """Move the clock, say on stderr what fires as it does, and print everything in the end."""
    from mlops_kit.local import remote_clock

    fired, now = [], dict[str, Any]()
    for line in remote_clock.move(*planes.running(meant), to, wait=wait):
        if "job" in line:
            fired.append(line)
            reason = f": {line['message']}" if line["message"] else ""
            click.echo(f"{line['at'][:19]}Z  {line['job']} {line['outcome']}{reason}", err=True)
        else:
            now = line
    options.print_result({**_facts(now), "fired": fired}, output, _moved)
    if refused := [line["job"] for line in fired if line["message"]]:
        raise OperationFailed(f"{options.counted(len(refused), 'job')} could not be submitted: {', '.join(refused)}")


def _facts(line: dict[str, Any]) -> dict[str, Any]:
    return {"now": line["now"], "ahead_seconds": round(line["aheadSeconds"], 3)}


def _words(found: dict[str, Any]) -> str:
    ahead = found["ahead_seconds"]
    if not ahead:
        return f"{found['now'][:19]}Z, the clock of this machine"
    far = timedelta(seconds=round(abs(ahead)))
    return f"{found['now'][:19]}Z, {far} {'ahead of' if ahead > 0 else 'behind'} the clock of this machine"


def _moved(found: dict[str, Any]) -> str:
    counts: dict[str, int] = {}
    for one in found["fired"]:
        counts[one["schedule"]] = counts.get(one["schedule"], 0) + (one["outcome"] == "submitted")
    lines = [f"{name} fired {options.counted(count, 'time')}" for name, count in sorted(counts.items())]
    return "\n".join([*(lines or ["nothing fired"]), _words(found)])
