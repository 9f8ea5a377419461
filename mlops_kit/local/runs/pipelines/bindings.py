"""What the ``${{parent...}}`` of a pipeline stand for. Pure.

A value is what a job's input looks like on the wire: ``{"jobInputType": "literal", "value": "0.1"}`` or
``{"jobInputType": "uri_folder", "uri": "azureml://..."}``; None is an optional input that was left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Value = dict[str, Any] | None

_EACH = re.compile(r"\$\{\{\s*([^{}]+?)\s*\}\}")
_SNAKE = re.compile(r"_([a-z0-9])")
LITERAL = "literal"
PROMISED: dict[str, Any] = {"jobInputType": LITERAL, "value": None}  # a value that a step will say
OUTPUT = "parent.outputs."


class UnboundError(Exception):
    """A binding points to nothing, or cannot stand where it does; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the nodes of one pipeline may be bound to: its inputs, and the outputs of the steps that have ended."""

    inputs: Mapping[str, Value]
    steps: Mapping[str, Mapping[str, Value]]

    def value(self, given: Any) -> Value:
        """Return what an input of a node is given."""
        if given is None:
            return None
        if str(given.get("job_input_type", LITERAL)).lower() != LITERAL:
            found: dict[str, Any] = camel(given)
            return found
        text, mode = given.get("value"), given.get("mode")
        if not isinstance(text, str):
            return None if text is None else literal(text)
        whole = _EACH.fullmatch(text.strip())
        if whole is None:
            return literal(_EACH.sub(lambda found: self._text(found[1]), text))
        bound = self.lookup(whole[1])
        return {**bound, "mode": mode} if bound and mode and bound["jobInputType"] != LITERAL else bound

    def lookup(self, path: str) -> Value:
        """Return what a path stands for: ``parent.inputs.x`` or ``parent.jobs.a.outputs.b``."""
        root, _, rest = path.removeprefix("parent.").partition(".")
        if not path.startswith("parent.") or root not in {"inputs", "jobs"}:
            raise UnboundError(
                f"'${{{{{path}}}}}' is bound to neither an input of the pipeline nor an output of a step"
            )
        if root == "inputs":
            return _one(self.inputs, rest, "The pipeline", "input")
        step, _, port = rest.partition(".")
        if step not in self.steps:
            raise UnboundError(f"the pipeline has no step '{step}' (it has: {', '.join(sorted(self.steps)) or 'none'})")
        kind, _, name = port.partition(".")
        if kind != "outputs":
            raise UnboundError(f"'${{{{{path}}}}}' is bound to no output of the step '{step}'")
        return _one(self.steps[step], name, f"The step '{step}'", "output")

    def _text(self, path: str) -> str:
        """Return a value as part of a text."""
        found = self.lookup(path)
        if found is None:
            return ""
        return str(found["value"] if found["jobInputType"] == LITERAL else found["uri"])


def _one(known: Mapping[str, Value], name: str, owner: str, noun: str) -> Value:
    if name not in known:
        raise UnboundError(f"{owner} has no {noun} '{name}' (it has: {', '.join(sorted(known)) or 'none'})")
    return known[name]


def literal(value: Any) -> dict[str, Any]:
    """Return a plain value as an input."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {"jobInputType": LITERAL, "value": text}


def pipeline_output(given: Any) -> str:
    """Return the name of the pipeline's output that an output of a node is, or ''."""
    text = given.get("value") if isinstance(given, Mapping) else None
    whole = _EACH.fullmatch(text.strip()) if isinstance(text, str) else None
    return whole[1].removeprefix(OUTPUT) if whole and whole[1].startswith(OUTPUT) else ""


def camel(value: Any, keep: Callable[[str], bool] = lambda _: False) -> Any:
    """Return a value of a node, which is written in snake case, as the body of a job is written.

    Below a key for which ``keep`` holds, names are a user's own and stay.
    """
    if isinstance(value, Mapping):
        return {_camel(key): one if keep(key) else camel(one, keep) for key, one in value.items()}
    return [camel(one, keep) for one in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    return _SNAKE.sub(lambda found: found[1].upper(), name)
