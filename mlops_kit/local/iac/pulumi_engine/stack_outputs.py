"""The outputs of a stack as people and templates get them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_kit.local.iac.pulumi_engine.results import Output
from mlops_kit.local.iac.pulumi_engine.values import Secret, has_unknown, masked, revealed


def named(outputs: Mapping[str, Any]) -> dict[str, Output]:
    """Return recorded outputs by name; one with anything secret in it is secret as a whole."""
    return {name: _output(value) for name, value in outputs.items()}


def _output(value: Any) -> Output:
    if has_unknown(value):
        return Output(masked(value) if isinstance(value, Mapping | list) else None, known=False)
    return Output(revealed(value), secret=_is_secret(value))


def _is_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_is_secret(one) for one in value.values())
    return any(_is_secret(one) for one in value) if isinstance(value, list) else isinstance(value, Secret)
