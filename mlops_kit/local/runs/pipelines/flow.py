"""Control nodes of a pipeline, which decide what other steps do: ``if_else``, ``do_while`` and ``parallel_for``. Pure.

They are a preview of azure-ai-ml 1.35 (``AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED``). What they look at are control
outputs: outputs of a component that are no data but a boolean, a number or a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_kit.local.runs.asset_types import DATA, MODELS
from mlops_kit.local.runs.pipelines import graph
from mlops_kit.local.runs.pipelines.bindings import LITERAL, Value

IF_ELSE, DO_WHILE, PARALLEL_FOR = KINDS = ("if_else", "do_while", "parallel_for")
TAG = "azureml.pipeline.control"  # where a run says its control outputs, as one JSON object
_MOST_ITERATIONS = 1000  # of a loop that names no limit, as on the service


class FlowError(Exception):
    """A control node that cannot be; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control node. ``blocks`` are the steps of a condition by its outcome; ``body`` is the step of a loop."""

    name: str
    kind: str
    condition: str = ""
    blocks: Mapping[bool, tuple[str, ...]] = field(default_factory=dict)
    body: str = ""
    mapping: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # output -> inputs of the next turn
    items: Any = None
    limit: int = _MOST_ITERATIONS

    @property
    def owned(self) -> tuple[str, ...]:
        """Return the steps that do not start by themselves."""
        return (self.body,) if self.body else (*self.blocks.get(True, ()), *self.blocks.get(False, ()))

    def needs(self) -> frozenset[str]:
        """Return the steps whose outputs the node itself looks at before anything of it starts."""
        return graph.needs({"seen": self.condition if self.kind == IF_ELSE else self.items})


def read(name: str, node: Mapping[str, Any]) -> Control:
    """Return a control node as it was submitted.

    Raises:
        FlowError: It lacks what its kind needs.
    """
    kind = str(node["type"]).lower()
    if kind == IF_ELSE:
        blocks = {outcome: _steps(node.get(key)) for outcome, key in ((True, "true_block"), (False, "false_block"))}
        if not node.get("condition") or not any(blocks.values()):
            raise FlowError(f"'{name}' needs a condition and a step for one of its outcomes")
        return Control(name, kind, str(node["condition"]), blocks)
    bodies = _steps(node.get("body"))
    if len(bodies) != 1:
        raise FlowError(f"'{name}' needs one step as its body")
    if kind == PARALLEL_FOR:
        if not node.get("items"):
            raise FlowError(f"'{name}' has no items")
        return Control(name, kind, body=bodies[0], items=node["items"])
    limit = int((node.get("limits") or {}).get("max_iteration_count") or _MOST_ITERATIONS)
    mapping = {_output(key): tuple(_inputs(value)) for key, value in (node.get("mapping") or {}).items()}
    condition = _output(str(node.get("condition") or ""))
    return Control(name, kind, condition, body=bodies[0], mapping=mapping, limit=limit)


def _steps(given: Any) -> tuple[str, ...]:
    texts = given if isinstance(given, list) else [given] if given else []
    return tuple(name for text in texts for name in sorted(graph.needs({"step": str(text)})))


def _output(text: str) -> str:
    """Return the name of an output, written plainly or as a binding."""
    return text.strip("${} ").rpartition(".")[2]


def _inputs(given: Any) -> Iterator[str]:
    for one in given if isinstance(given, list) else [given]:
        yield _output(str(one))


def items(given: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the turns of a ``parallel_for``: a name and the inputs of each.

    Raises:
        FlowError: They are no list or mapping of inputs.
    """
    try:
        whole = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        raise FlowError(f"its items are not JSON: {given}") from None
    pairs: list[tuple[Any, Any]] = []
    if isinstance(whole, Mapping | list):
        pairs = list(whole.items() if isinstance(whole, Mapping) else enumerate(whole))
    if not pairs or not all(isinstance(one, Mapping) for _, one in pairs):
        raise FlowError("its items are no list of inputs")
    return [(str(name), dict(one)) for name, one in pairs]


def is_true(value: Value) -> bool:
    """Say what a control output means as a condition."""
    return value is not None and str(value.get("value", "")).strip().lower() in {"true", "1"}


def is_control(port: Mapping[str, Any]) -> bool:
    """Say whether an output of a component is no data but a value."""
    return str(port.get("type") or DATA[1]).lower() not in {*DATA, *MODELS}


def said(tag: str | None, name: str) -> Value:
    """Return a control output that a run has said, None where it said nothing of that name."""
    found = json.loads(tag) if tag else {}
    return {"jobInputType": LITERAL, "value": str(found[name])} if name in found else None
