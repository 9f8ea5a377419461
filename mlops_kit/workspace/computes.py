"""Compute of a workspace: list, show, stop and start."""

from __future__ import annotations

import io
from typing import Any

import yaml

from mlops_kit.errors import UsageError
from mlops_kit.workspace import failures
from mlops_kit.workspace.enums import spelled, word
from mlops_kit.workspace.secrets import masked
from mlops_kit.workspace.unknown import not_found

# Clusters scale to zero by themselves; only an instance is started and stopped by hand.
STOPPABLE = "computeinstance"


def row(compute: Any) -> dict[str, Any]:
    """Return what a list shows of a compute."""
    return {
        "name": compute.name,
        "type": word(compute.type).lower(),
        "state": word(getattr(compute, "state", None) or compute.provisioning_state),
        "size": getattr(compute, "size", None),
        "minimum": getattr(compute, "min_instances", None),
        "maximum": getattr(compute, "max_instances", None),
    }


def every(ml: Any) -> list[dict[str, Any]]:
    """Return all compute of the workspace, by name."""
    with failures.readable("list compute"):
        return sorted((row(each) for each in ml.compute.list()), key=lambda each: str(each["name"]))


def get(ml: Any, name: str) -> Any:
    """Return one compute; an unknown name is answered with the nearest known ones."""
    with failures.readable(f"show the compute {name!r}"):
        try:
            return ml.compute.get(name)
        except Exception as error:
            if failures.is_missing(error):
                raise not_found("compute", name, [each.name for each in ml.compute.list()]) from error
            raise


def show(ml: Any, name: str) -> dict[str, Any]:
    """Return a compute as the YAML document the SDK makes of it, what a list shows first, secrets masked."""
    found = get(ml, name)
    text = io.StringIO()
    with failures.readable(f"show the compute {name!r}"):
        found.dump(text)
    document = spelled(yaml.safe_load(text.getvalue()))
    # The document has the sizes of a cluster under the names that a file gives them.
    head = {key: value for key, value in row(found).items() if key in {"name", "type", "state"}}
    return dict(masked(head | document))


def instances(ml: Any, state: str) -> list[str]:
    """Return the names of the compute instances in a state."""
    return [each["name"] for each in every(ml) if each["type"] == STOPPABLE and each["state"] == state]


def stop(ml: Any, name: str) -> dict[str, Any]:
    """Stop an instance, wait until it has stopped, and return its row."""
    _stoppable(ml, name, "stopped")
    with failures.readable(f"stop the compute {name!r}"):
        ml.compute.begin_stop(name).wait()
        return row(ml.compute.get(name))


def start(ml: Any, name: str) -> dict[str, Any]:
    """Start an instance, wait until it runs, and return its row."""
    _stoppable(ml, name, "started")
    with failures.readable(f"start the compute {name!r}"):
        ml.compute.begin_start(name).wait()
        return row(ml.compute.get(name))


def _stoppable(ml: Any, name: str, verb: str) -> None:
    """Refuse what cannot be started and stopped by hand."""
    found = get(ml, name)
    if word(found.type).lower() != STOPPABLE:
        raise UsageError(
            f"the compute {name!r} is of type {found.type} and cannot be {verb}: only compute instances can"
        )
