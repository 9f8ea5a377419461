"""The outputs that a preview gives to the program: what the inputs decide is known, the rest an ``up`` will tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_kit.local.iac.pulumi_engine.values import UNKNOWN, Secret

_OPEN = frozenset({"tags"})  # mappings to which no service adds anything


def forecast(inputs: Mapping[str, Any], resource_id: str | None, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the outputs of a resource that is to be created, or that is to be updated from ``before``.

    The id stays unknown until it is made, as it does with the Pulumi CLI; the name is decided by the inputs.
    """
    if before is not None:
        return {**before, **{name: _merged(before.get(name), value) for name, value in inputs.items()}}
    known = {name: _shown(name, value) for name, value in inputs.items()}
    return {**known, "name": resource_id.rpartition("/")[2]} if resource_id else known


def _shown(name: str, value: Any) -> Any:
    """Return an input, unless it is a structure: the service may add to one, so that its parts are not all known."""
    inner = value.value if isinstance(value, Secret) else value
    if name in _OPEN or not isinstance(inner, Mapping | list):
        return value
    if isinstance(inner, list) and not any(isinstance(one, Mapping | list) for one in inner):
        return value
    return UNKNOWN


def _merged(before: Any, value: Any) -> Any:
    if isinstance(before, Mapping) and isinstance(value, Mapping):
        return {**before, **{name: _merged(before.get(name), one) for name, one in value.items()}}
    if before is None and isinstance(value, Mapping | list):
        return UNKNOWN  # new to the resource, and the service may answer it in another form
    return value if not isinstance(before, Mapping) else before  # identities: a list of ids, answered as a mapping
