"""``mlops-kit job graph``: the steps of a pipeline job as a table, as a Mermaid flowchart, or as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from mlops_kit import layered
from mlops_kit.cli import connection, present
from mlops_kit.cli.connection import Where, connected
from mlops_kit.workspace import graphs
from mlops_kit.workspace.graphs import Step

FORMS = ("text", "mermaid", "svg", "json", "yaml")
_COLOURS = {
    "Completed": "#d9f2dc",
    "Reused": "#d3e6fb",
    "Failed": "#f9d6d5",
    "Canceled": "#fbe3d3",
    "Running": "#fff3c4",
}
_OTHER = "#e8eaed"


@click.command()
@click.argument("name", metavar="JOB")
@connection.in_workspace_as(*FORMS)
def command(name: str, where: Where) -> None:
    """Draw the steps of a pipeline job: what each reads of which other one, its state, and how long it took.

    A step that is a pipeline or a sweep itself is one box; 'job children' tells the name of its job.
    """
    with connected(where) as workspace:
        steps = graphs.read(workspace, name)
    if where.output == "mermaid":
        click.echo(mermaid(steps), nl=False)
    elif where.output == "svg":
        click.echo(svg(name, steps), nl=False)
    else:
        where.show([row(step) for step in steps], lambda _: _text(steps))


def row(step: Step) -> dict[str, Any]:
    """Return a step as JSON has it."""
    return {
        "name": step.name,
        "type": step.kind,
        "status": step.status,
        "reused": step.is_reused,
        "seconds": step.seconds,
        "needs": {need: list(outputs) for need, outputs in step.needs.items()},
        "jobs": [ran.child.name for ran in step.runs],
        "reuse": [ran.child.reuse for ran in step.runs if ran.child.reuse],
    }


def _text(steps: Sequence[Step]) -> str:
    rows = [
        {
            "step": step.name,
            "after": ", ".join(step.needs) or None,
            "status": said(step),
            "duration": present.duration(step.seconds),
            "why": "; ".join(dict.fromkeys(ran.child.reuse for ran in step.runs)) or None,
        }
        for step in steps
    ]
    names = ("step", "after", "status", "duration", *(["why"] if any(row["why"] for row in rows) else []))
    return present.columns(rows, names, "the pipeline has no steps")


def said(step: Step) -> str:
    """Return how a step went, in a word: ``Reused`` is one that was completed before."""
    return "Reused" if step.is_reused and step.status == "Completed" else step.status


def _below(step: Step) -> str:
    """Return the second line of a box."""
    turns = f"{len(step.runs)} jobs" if len(step.runs) > 1 else None
    kind = step.kind if step.kind != "command" else None
    return " · ".join(part for part in (kind, said(step), turns, present.duration(step.seconds)) if part)


def mermaid(steps: Sequence[Step]) -> str:
    """Return a flowchart, which GitHub and MkDocs draw from a code block called ``mermaid``."""
    ids = {step.name: f"s{number}" for number, step in enumerate(steps)}
    return "\n".join(["flowchart LR", *_mermaid_lines(steps, ids), ""])


def _mermaid_lines(steps: Sequence[Step], ids: dict[str, str]) -> Iterator[str]:
    for step in steps:
        yield f'  {ids[step.name]}["{_quoted(step.name)}<br/>{_quoted(_below(step))}"]:::{said(step)}'
    for step in steps:
        for need, outputs in step.needs.items():
            label = f"|{_quoted(', '.join(outputs))}|" if outputs else ""
            yield f"  {ids.get(need, need)} -->{label} {ids[step.name]}"
    for state in dict.fromkeys(map(said, steps)):
        yield f"  classDef {state} fill:{_COLOURS.get(state, _OTHER)},stroke:#5f6368,color:#202124"


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


def svg(title: str, steps: Sequence[Step]) -> str:
    """Return the steps as a picture of boxes and lines."""
    known = {step.name for step in steps}
    boxes = {step.name: _box(step) for step in steps}
    return layered.picture(f"The steps of {title}", boxes, {step.name: step.needs.keys() & known for step in steps})


def _box(step: Step) -> layered.Box:
    hint = "\n".join(dict.fromkeys(ran.child.reuse for ran in step.runs if ran.child.reuse))
    return layered.Box(step.name, _below(step), _COLOURS.get(said(step), _OTHER), hint)
