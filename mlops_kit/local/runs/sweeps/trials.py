"""A point of the search space as a job: the command of the sweep's trial with the values of the point in it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mlops_kit.local.runs import command_line

_SPACE = re.compile(r"\$\{\{\s*search_space\.([^{}\s]+)\s*\}\}")


class UnknownParameterError(Exception):
    """A command asks for a hyperparameter that is not in the search space; the message is a sentence."""


def body(sweep: Mapping[str, Any], number: int, point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the command job of one trial; ``sweep`` are the properties of the sweep job.

    Raises:
        UnknownParameterError: The command asks for what the point does not have.
    """
    trial, limits = sweep.get("trial") or {}, sweep.get("limits") or {}
    texts = {name: _text(value) for name, value in point.items()}
    command = _SPACE.sub(lambda found: _value(found[1], texts), str(trial.get("command") or ""))
    read = set(command_line.references(command))
    picked = {
        name: {"jobInputType": "literal", "value": text} for name, text in texts.items() if f"inputs.{name}" in read
    }
    return {
        "jobType": "Command",
        "displayName": f"{sweep.get('displayName')}_{number}",
        "command": command,
        "codeId": trial.get("codeId"),
        "environmentId": trial.get("environmentId"),
        "environmentVariables": trial.get("environmentVariables") or {},
        "distribution": trial.get("distribution"),
        "resources": sweep.get("resources") or trial.get("resources") or {},
        "computeId": sweep.get("computeId"),
        "identity": sweep.get("identity"),
        "inputs": {**(sweep.get("inputs") or {}), **picked},
        "outputs": dict(sweep.get("outputs") or {}),
        "limits": {"jobLimitsType": "Command", "timeout": limits.get("trialTimeout")},
        "tags": {f"hyperparameter.{name}": text for name, text in texts.items()},
        "properties": {"hyperparameters": json.dumps(dict(point))},
    }


def asked(sweep: Mapping[str, Any]) -> set[str]:
    """Return the hyperparameters that the command of the trial asks for."""
    command = str((sweep.get("trial") or {}).get("command") or "")
    inputs = {name.removeprefix("inputs.") for name in command_line.references(command)}
    return {*_SPACE.findall(command), *(inputs & (sweep.get("searchSpace") or {}).keys())}


def _value(name: str, texts: Mapping[str, str]) -> str:
    if name not in texts:
        known = ", ".join(texts) or "none"
        raise UnknownParameterError(f"The command asks for '{name}', which the search space lacks (it has: {known}).")
    return texts[name]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
