"""What a job, or an asset, carries of how it was made: its template, its environment, and the values it got.

Kept as properties, which cannot change. The service takes 50 of them, 1,000 characters each ("Service limits in Azure
Machine Learning"), so a long text goes on in ``KEY.1``, ``KEY.2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_kit import documents

TEMPLATE, ENVIRONMENT, CONTENT = "mlops_kit.template", "mlops_kit.environment", "mlops_kit.content"
PARAMETERS, SETTINGS, SECRETS = "mlops_kit.parameters", "mlops_kit.settings", "mlops_kit.secrets"
LONGEST = 1000
HIDDEN = "***"  # stands for a value that was given and is not kept, because it may be a secret


@dataclass(frozen=True, slots=True)
class Submission:
    """``parameters`` are those of the template, resolved; ``settings`` are other values of ``--set``, as written.

    ``template`` is a path in the project; ``content`` is a digest of the rendered document; ``secrets`` are key paths
    in it, of the values that have a secret in them.
    """

    template: str
    environment: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    content: str = ""
    secrets: tuple[str, ...] = ()


def as_properties(made: Submission) -> dict[str, str]:
    """Return a submission as properties of a job or asset."""
    texts = {
        TEMPLATE: made.template,
        ENVIRONMENT: made.environment,
        CONTENT: made.content,
        PARAMETERS: documents.dump([made.parameters]) if made.parameters else "",
        SETTINGS: documents.dump([made.settings]) if made.settings else "",
        SECRETS: "\n".join(made.secrets),
    }
    return {key: part for name, text in texts.items() for key, part in _parts(name, text).items()}


def _parts(name: str, text: str) -> dict[str, str]:
    parts = [text[start : start + LONGEST] for start in range(0, len(text), LONGEST)]
    return {f"{name}.{number}" if number else name: part for number, part in enumerate(parts)}


def of(properties: Mapping[str, Any] | None) -> Submission | None:
    """Return what properties say of a submission; None where they say nothing."""
    found = properties or {}
    if TEMPLATE not in found:
        return None
    return Submission(
        _joined(TEMPLATE, found),
        _joined(ENVIRONMENT, found),
        _data(_joined(PARAMETERS, found)),
        _data(_joined(SETTINGS, found)),
        _joined(CONTENT, found),
        secrets_of(found),
    )


def secrets_of(properties: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the key paths of the values that have a secret in them."""
    return tuple(_joined(SECRETS, properties or {}).splitlines())


def _joined(name: str, properties: Mapping[str, Any]) -> str:
    text, number = str(properties.get(name) or ""), 1
    while f"{name}.{number}" in properties:
        text, number = text + str(properties[f"{name}.{number}"]), number + 1
    return text


def _data(text: str) -> dict[str, Any]:
    found = documents.parse(text, Path("properties"))
    return dict(documents.to_data(found[0], keep_text=True)) if found else {}


def shown(properties: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is shown of the submission of a job or asset: nothing where there is none."""
    made = of(properties)
    if made is None:
        return {}
    known = {
        "template": made.template,
        "environment": made.environment,
        "parameters": dict(made.parameters),
        "settings": dict(made.settings),
    }
    return {key: value for key, value in known.items() if value}
