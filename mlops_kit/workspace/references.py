"""What documents refer to in a workspace, asked for before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mlops_kit.errors import DocumentError, MlopsKitError, UsageError
from mlops_kit.workspace import assets, computes, failures
from mlops_kit.workspace.submit import Item

COMPUTE_KEYS = frozenset({"compute", "default_compute"})
ASSET_KEYS = {"environment": "environment", "component": "component", "trial": "component"}
MODEL_TYPES = frozenset({"custom_model", "mlflow_model", "triton_model"})
NO_COMPUTE = frozenset({"local", "serverless"})  # words of the service, not names
ASSET = re.compile(r"azureml:(?P<name>[^:@/]+)(?::[^:@/]+|@[^:@/]+)")
COMPUTE = re.compile(r"(?:azureml:)?(?P<name>[A-Za-z][A-Za-z0-9-]*)")


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing of a workspace that a document names: of which kind, and at which key path."""

    key: str
    kind: str  # compute, or one of assets.KINDS
    name: str
    text: str


def faults(ml: Any, items: Sequence[Item]) -> list[MlopsKitError]:
    """Return an error, at the template's line, for every reference to what neither workspace nor documents hold."""
    made = {(item.kind, str(yaml.safe_load(item.content).get("name"))) for item in items}
    answers: dict[tuple[str, str], str] = {}
    found: list[MlopsKitError] = []
    for item in items:
        for each in _references(item):
            if (each.kind, each.name) in made:
                continue
            if (each.kind, each.text) not in answers:
                answers[each.kind, each.text] = _missing(ml, each)
            if message := answers[each.kind, each.text]:
                place = item.locate(each.key)
                found.append(DocumentError(message, place) if place else UsageError(message))
    return found


def _missing(ml: Any, reference: Reference) -> str:
    """Return what is wrong with a reference, the empty string where the workspace holds it or will not say."""
    try:
        if reference.kind == "compute":
            computes.get(ml, reference.name)
        else:
            assets.get(ml, reference.kind, reference.text)
    except UsageError as fault:
        return "" if failures.is_forbidden(fault.__cause__) else str(fault)
    return ""


def _references(item: Item) -> Iterable[Reference]:
    return _below(yaml.safe_load(item.content), "") if item.kind in {"job", "component"} else ()


def _below(node: Any, key: str) -> Iterator[Reference]:
    """Yield the references in a part of a document, at any depth."""
    for part in node if isinstance(node, list) else ():
        yield from _below(part, key)
    for name, value in node.items() if isinstance(node, dict) else ():
        here = f"{key}.{name}".lstrip(".")
        if not isinstance(value, str):
            yield from _below(value, here)
        elif found := _reference(here, str(name), value, str(node.get("type"))):
            yield found


def _reference(key: str, name: str, text: str, declared: str) -> Reference | None:
    """Return what a text under a key refers to, None for any other text; ``declared`` is the type beside it."""
    if name in COMPUTE_KEYS:
        compute = COMPUTE.fullmatch(text)
        return Reference(key, "compute", compute["name"], text) if compute and text not in NO_COMPUTE else None
    asset = ASSET.fullmatch(text)
    kind = ASSET_KEYS.get(name) or (("model" if declared in MODEL_TYPES else "data") if name == "path" else "")
    return Reference(key, kind, asset["name"], text) if asset and kind else None
