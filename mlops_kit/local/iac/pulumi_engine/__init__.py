"""Preview, up, refresh, destroy and outputs of a Pulumi program against the local control plane, without the CLI.

The program is the one that ``pulumi up`` runs. It runs in a child process, on the real SDK; the engine behind the SDK
turns its registrations into requests to Azure Resource Manager, which the variables of ``mlops-kit local env`` lead to
the local control plane and nowhere else.
"""

from __future__ import annotations

from mlops_kit.local.iac.pulumi_engine.launch import Stack, perform
from mlops_kit.local.iac.pulumi_engine.results import (
    Action,
    DeploymentError,
    DeviationError,
    Difference,
    Output,
    Report,
    Step,
    report_from_json,
)

__all__ = [
    "Action",
    "DeploymentError",
    "DeviationError",
    "Difference",
    "Output",
    "Report",
    "Stack",
    "Step",
    "destroy",
    "outputs",
    "owned",
    "preview",
    "refresh",
    "report_from_json",
    "up",
]


def preview(stack: Stack) -> Report:
    """Return what an up would do; nothing is changed. All faults that can be known by now are told in one error."""
    return perform(stack, "preview")


def up(stack: Stack, *, plan: Report | None = None) -> Report:
    """Make everything as the program says, and return what was done.

    It previews first, so that a program that cannot work changes nothing; DeviationError where ``plan``, an earlier
    preview, is no longer what would be done. Raises DeploymentError where something failed midway: what was made until
    then is in the state, and the next up goes on from there.
    """
    return perform(stack, "up", plan=plan)


def refresh(stack: Stack) -> Report:
    """Record what is there now; the steps ``refresh`` and ``delete`` are what was changed outside."""
    return perform(stack, "refresh")


def destroy(stack: Stack) -> Report:
    """Delete everything that the stack owns, dependents first; refused as a whole where anything is protected."""
    return perform(stack, "destroy")


def owned(stack: Stack) -> tuple[Step, ...]:
    """Return what a destroy would delete, or leave where it is and forget, without running the program."""
    from mlops_kit.local.iac.pulumi_engine import resource_types
    from mlops_kit.local.iac.pulumi_engine.state import read

    state = read(stack.state) if stack.state.is_file() else None
    steps = []
    for entry in [*state.entries.values(), *state.superseded.values()] if state else ():
        if entry.in_arm:
            row = resource_types.find(entry.type)
            stays = entry.retain_on_delete or (row is not None and row.singleton)
            steps.append(Step(entry.urn, entry.type, entry.name, entry.id, "forget" if stays else "delete"))
    return tuple(steps)


def outputs(stack: Stack) -> dict[str, Output]:
    """Return the outputs of the last up, without running the program."""
    from mlops_kit.local.iac.pulumi_engine.stack_outputs import named
    from mlops_kit.local.iac.pulumi_engine.state import read

    return named(read(stack.state).outputs) if stack.state.is_file() else {}
