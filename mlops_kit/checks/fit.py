"""Say fast whether a document fits its schema, without saying why not; most documents are right, and need no more."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mlops_kit.documents import List, Map, Node, Scalar

Schema = dict[str, Any]
Fits = Callable[[Node], bool]
TRUTH = {"t", "true", "on", "y", "yes", "1", "f", "false", "off", "n", "no", "0"}  # what the SDK reads as a boolean


class Compiler:
    """Turns the schemas of one kind into predicates, each definition once and when it is first met."""

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self.definitions = definitions
        self.done: dict[str, Fits] = {}

    def predicate(self, schema: Schema) -> Fits:
        """Return whether-a-node-fits for one schema."""
        if "$ref" in schema:
            return self._reference(schema["$ref"].rsplit("/", 1)[-1])
        if not schema:
            return _anything
        if "anyOf" in schema:
            return self._union(schema)
        if schema.get("type") == "object":
            return self._object(schema)
        if schema.get("type") == "array":
            return self._array(schema)
        return scalar(schema)

    def _reference(self, name: str) -> Fits:
        """Return a predicate that compiles the definition when it is first used, so that recursion ends."""

        def fits(node: Node) -> bool:
            if name not in self.done:
                self.done[name] = self.predicate(self.definitions[name])
            return self.done[name](node)

        return fits

    def _object(self, schema: Schema) -> Fits:
        known = {key: self.predicate(value) for key, value in schema.get("properties", {}).items()}
        others = schema.get("additionalProperties", True)
        extra: Fits | None = (
            self.predicate(others) if isinstance(others, dict) else (None if known or others is False else _anything)
        )
        form = scalar(schema["propertyNames"]) if "propertyNames" in schema else _anything
        required = frozenset(schema.get("required", ()))
        free = re.compile(next(iter(schema.get("patternProperties", {"(?!)": {}})))).match

        def fits(node: Node) -> bool:
            if type(node) is not Map:
                return False
            met = 0
            for entry in node.entries:
                name = entry.key.text
                value_fits = known.get(name)
                if value_fits is not None:
                    if not value_fits(entry.value):
                        return False
                    met += name in required
                elif extra is not None:
                    if not (form(entry.key) and extra(entry.value)):
                        return False
                elif not free(name):
                    return False
            return met == len(required)

        return fits

    def _array(self, schema: Schema) -> Fits:
        item_fits = self.predicate(schema.get("items", {}))
        return lambda node: type(node) is List and all(item_fits(item) for item in node.items)

    def _union(self, schema: Schema) -> Fits:
        options = [self.predicate(option) for option in schema["anyOf"]]
        if "x-by" not in schema:
            return lambda node: any(option(node) for option in options)
        decides = schema["x-by"]["key"]
        choose = {name: [options[index] for index in indices] for name, indices in schema["x-by"]["choose"].items()}

        def fits(node: Node) -> bool:
            declared = node.get(decides) if type(node) is Map else None
            chosen = choose.get(declared.text, []) if isinstance(declared, Scalar) else options
            return any(option(node) for option in chosen)

        return fits


def _anything(_node: Node) -> bool:
    return True


def scalar(schema: Schema) -> Fits:
    """Return a predicate for a schema of one value; text is taken as written, whatever it looks like."""
    wanted = schema.get("type")
    types: list[str] = wanted if isinstance(wanted, list) else [str(wanted)]
    if "null" in types:
        return lambda node: type(node) is Scalar and node.value is None
    text_fits = _text(schema, types)
    return lambda node: type(node) is Scalar and node.value is not None and text_fits(node.text)


def _text(schema: Schema, types: list[str]) -> Callable[[str], bool]:
    """Return a predicate for the text of a value."""
    if "const" in schema:
        constant = str(schema["const"])
        return lambda text: text == constant
    if "enum" in schema:
        return _word(schema["enum"], schema.get("x-case", ""))
    if "string" in types:
        pattern = re.compile(schema["pattern"]).search if "pattern" in schema else None
        return (lambda text: bool(pattern(text))) if pattern else (lambda _text: True)
    if "boolean" in types:
        return lambda text: text.lower() in TRUTH
    if "number" in types or "integer" in types:
        return lambda text: _number(text, schema, "number" not in types)
    return lambda _text: False


def _word(words: list[str], case: str) -> Callable[[str], bool]:
    """Compare with the allowed values the way the SDK does."""
    if case == "loose":
        loose = {word.lower().replace("_", "") for word in words}
        return lambda text: text.lower().replace("_", "") in loose
    allowed = frozenset(words)
    return (lambda text: text.lower() in allowed) if case else (lambda text: text in allowed)


def _number(text: str, schema: Schema, whole: bool) -> bool:
    """Return whether a text is a number within the limits of a schema."""
    try:
        number = float(text)
    except ValueError:
        return False
    if whole and not number.is_integer():
        return False
    return bool(schema.get("minimum", number) <= number <= schema.get("maximum", number))
