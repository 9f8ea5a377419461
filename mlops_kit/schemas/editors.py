"""Schemas as editors may use them: they see a template before it is rendered, and must not complain of what is right.

``${...}`` may stand for any value and in any key, an enumeration takes the case that the SDK takes, and text may look
like a number. What the environment may add is not required.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from mlops_kit import schemas

Schema = dict[str, Any]
EXPRESSION: Schema = {"type": "string", "pattern": r"\$\{"}
ADDED = frozenset({"environment"})  # required keys that ``defaults`` of an environment file can stand in for
WORDS = {
    "boolean": "true|on|yes|t|y|1|false|off|no|f|n|0",
    "number": r"[-+]?[\d.]+([eE][-+]?\d+)?",
    "integer": r"[-+]?\d+",
}


@cache
def schema(kind: str) -> Schema:
    """Return the schema of a kind for editors, with all that it refers to; the caller must not change it."""
    return _body(schemas.read(kind))


def any_case(words: list[str], gap: str = "") -> str:
    """Return the pattern of one of several words whatever their case; ``gap`` may stand between any two letters."""
    letters = (gap.join(_letter(each) for each in word) for word in words)
    return f"^({'|'.join(letters)})$"


def _letter(character: str) -> str:
    if character.isalpha():
        return f"[{character.upper()}{character.lower()}]"
    return character if character.isalnum() or character == "_" else f"\\{character}"


def _body(part: Schema) -> Schema:
    """Return the form for editors of a whole schema, or of a definition, which may not be an expression by itself."""
    return _map(part) if "properties" in part else _part(part)


def _part(part: Schema) -> Schema:
    """Return the form for editors of what stands at a key: an expression may stand there as well."""
    if "anyOf" in part:
        return {"anyOf": [*(_part(option) for option in part["anyOf"]), EXPRESSION]}
    if "$ref" in part:
        return {"anyOf": [part, EXPRESSION]}
    if part.get("type") == "array":
        return {"anyOf": [{**part, "items": _part(part.get("items", {}))}, EXPRESSION]}
    if "properties" in part or part.get("type") == "object":
        return {"anyOf": [_map(part), EXPRESSION]}
    return _scalar(part)


def _map(part: Schema) -> Schema:
    """Return a map whose keys may be expressions."""
    known = {key: value for key, value in part.items() if not key.startswith("x-")}
    known["properties"] = {key: _part(value) for key, value in part.get("properties", {}).items()}
    known["patternProperties"] = {**part.get("patternProperties", {}), EXPRESSION["pattern"]: {}}
    if isinstance(part.get("additionalProperties"), dict):
        known["additionalProperties"] = _part(part["additionalProperties"])
    if "propertyNames" in part:
        known["propertyNames"] = {"anyOf": [_scalar(part["propertyNames"]), EXPRESSION]}
    if "required" in part:
        known["required"] = [name for name in part["required"] if name not in ADDED]
    if "$defs" in part:
        return {**known, "$defs": {name: _body(body) for name, body in part["$defs"].items()}}
    return known


def _scalar(part: Schema) -> Schema:
    """Return the schema of one value, which may be written in each way that the checks take."""
    plain = {key: value for key, value in part.items() if not key.startswith("x-") and key != "format"}
    wanted = part.get("type")
    if "enum" in part:
        return _words(part, plain)
    if wanted == "string" and "pattern" not in part:
        return {**plain, "type": ["string", "number", "boolean"]}
    if isinstance(wanted, str) and wanted in WORDS:
        return {"anyOf": [plain, {"type": "string", "pattern": f"^({WORDS[wanted]})$"}, EXPRESSION]}
    return {"anyOf": [plain, EXPRESSION]} if wanted == "string" else plain


def _words(part: Schema, plain: Schema) -> Schema:
    """Return an enumeration: its words for completion, and every way of writing them that the SDK takes."""
    words = [str(word) for word in part["enum"]]
    case = part.get("x-case", "")
    if not case:
        return {"anyOf": [plain, EXPRESSION]}
    written = any_case([word.replace("_", "") for word in words], "_?") if case == "loose" else any_case(words)
    return {"anyOf": [plain, {"type": "string", "pattern": written}, EXPRESSION]}
