"""Compare a document with the JSON schema of its kind: keys, required keys, types and allowed values."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from mlops_kit import schemas
from mlops_kit.checks import fit, kinds, misplaced
from mlops_kit.checks.findings import Edit, Finding, brief, did_you_mean, error, warning
from mlops_kit.checks.misplaced import Home
from mlops_kit.documents import List, Map, Scalar
from mlops_kit.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_kit.documents import Entry, Node

Schema = dict[str, Any]
VERY_NEAR = 0.8  # a key that is this near to one known key, and to no other, is a slip of the hand
TYPE_NAMES = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
}


def check(root: Map, kind: str) -> list[Finding]:
    """Return what is wrong with the keys and values of a document of a kind, one finding per fault."""
    if _predicate(kind)(root):
        return []
    schema = schemas.read(kind)
    return _Walk(schema["$defs"], kind).check(root, schema, "")


@cache
def _predicate(kind: str) -> fit.Fits:
    schema = schemas.read(kind)
    return fit.Compiler(schema["$defs"]).predicate(schema)


class _Walk:
    """Walks a document and a schema side by side; holds the definitions that ``$ref`` points to."""

    def __init__(self, definitions: dict[str, Schema], kind: str) -> None:
        self.definitions = definitions
        self.kind = kind

    def resolved(self, schema: Schema) -> Schema:
        """Follow a reference."""
        reference = schema.get("$ref")
        return self.definitions[reference.rsplit("/", 1)[-1]] if reference else schema

    def check(self, node: Node, schema: Schema, key: str) -> list[Finding]:
        """Check one node that stands at ``key``."""
        if "$ref" in schema:
            schema = self.resolved(schema)
        if not schema:
            return []
        if "anyOf" in schema:
            return self._union(node, schema, key)
        if isinstance(node, Map):
            return (
                self._map(node, schema, key) if schema.get("type") == "object" else [_wrong_type(node, [schema], key)]
            )
        if isinstance(node, List):
            if schema.get("type") != "array":
                return [_wrong_type(node, [schema], key)]
            return [found for item in node.items for found in self.check(item, schema["items"], key)]
        return [] if accepts(node, schema) else [_wrong_value(node, [schema], key)]

    def _map(self, node: Map, schema: Schema, key: str) -> list[Finding]:
        """Check the keys of a map and the values behind them."""
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        findings: list[Finding] = []
        unknown: list[Entry] = []
        for entry in node.entries:
            name, value = entry.key, entry.value
            if name.text in properties:
                findings += self.check(value, properties[name.text], name.text)
            elif isinstance(others, dict):
                findings += _key_form(name, schema) + self.check(value, others, name.text)
            elif not (key == "" and name.text.startswith("x-")) and (properties or others is False):
                unknown.append(entry)
        present = set(node.keys())
        missing = [name for name in schema.get("required", ()) if name not in present]
        for entry in unknown:
            home = misplaced.home(self.kind, key, entry.key.text, entry.value)
            meant = (
                home.instead
                if home
                else "".join(nearest(entry.key.text, (known for known in properties if known not in present)))
            )
            missing = [other for other in missing if other != meant]
            findings.append(
                _misplaced(entry.key, home, present) if home else self._unknown(entry.key, meant, schema, key)
            )
        return findings + [_missing(name, node, key) for name in missing]

    def _unknown(self, name: Scalar, meant: str, schema: Schema, key: str) -> Finding:
        """Report a key that is not known; in an open map it is passed on, so it only deserves a warning."""
        report = warning if schema.get("additionalProperties") else error
        properties, within = schema["properties"], f" in `{key}`" if key else ""
        if meant:
            edit = Edit(name.text, meant) if nearest(name.text, properties, 2, VERY_NEAR) == [meant] else None
            return report("MK0102", name.place, f"unknown key `{name.text}`{within}", f"did you mean `{meant}`", edit)
        if home := self._home(name.text, properties):
            return report("MK0109", name.place, f"misplaced key `{name.text}`{within}", home)
        own = "" if key else "a key of your own, such as one that holds anchors, begins with `x-`"
        hint = f"known keys: {', '.join(sorted(properties))}" if len(properties) <= 12 else own
        return report("MK0102", name.place, f"unknown key `{name.text}`{within}", hint)

    def _home(self, name: str, properties: Schema) -> str:
        """Say under which other key, or in which other file, there is a key of this name."""
        for other, inner in properties.items():
            for option in (self.resolved(option) for option in self.resolved(inner).get("anyOf", [inner])):
                if name in option.get("properties", {}):
                    return f"it belongs under `{other}`"
        if any("Component" in other and name in body["properties"] for other, body in self.definitions.items()):
            return "it belongs in the file of a component"
        return ""

    def _union(self, node: Node, schema: Schema, key: str) -> list[Finding]:
        """Check a node against the alternatives that its declared type leaves."""
        options = [self.resolved(option) for option in schema["anyOf"]]
        flat = [inner for option in options for inner in self._flat(option)]
        if any(not option for option in flat):
            return []
        if isinstance(node, Scalar):
            return [] if any(accepts(node, option) for option in flat) else [_wrong_value(node, flat, key)]
        wanted = "object" if isinstance(node, Map) else "array"
        fitting = [option for option in flat if option.get("type") == wanted]
        if not fitting:
            return [_wrong_type(node, flat, key)]
        if isinstance(node, Map) and "x-by" in schema:
            return self._declared(node, schema, key)
        return self._best(node, self._typed(node, fitting), key)

    def _flat(self, option: Schema) -> list[Schema]:
        """Return the alternatives of an alternative."""
        inner = option.get("anyOf")
        return [flat for item in inner for flat in self._flat(self.resolved(item))] if inner else [option]

    def _declared(self, node: Map, schema: Schema, key: str) -> list[Finding]:
        """Check a map whose kind is decided by one of its keys; without that key the first kind that fits is taken."""
        decides, choose = schema["x-by"]["key"], schema["x-by"]["choose"]
        declared = node.get(decides)
        order = list(range(len(schema["anyOf"])))
        if isinstance(declared, Scalar):
            if declared.text not in choose:
                instead = kinds.instead_of_step(declared.text) if "sweep" in choose and "command" in choose else ""
                return [not_allowed(declared, decides, choose, instead)]
            order = choose[declared.text]
        options = [self.resolved(schema["anyOf"][index]) for index in order]
        if len(options) == 1:
            return self.check(node, options[0], key)
        objects = [option for option in options if option.get("type") == "object" or "anyOf" in option]
        return self._best(node, objects, key)

    def _typed(self, node: Node, options: list[Schema]) -> list[Schema]:
        """Keep the alternatives that allow the declared ``type``; all of them when none does or none is declared."""
        declared = node.get("type") if isinstance(node, Map) else None
        if not isinstance(declared, Scalar):
            return options
        return [option for option in options if self._allows(option, declared)] or options

    def _types_of(self, option: Schema) -> list[Schema]:
        """Return the schemas of the ``type`` key; an alternative without one does not allow it."""
        known = option.get("properties", {}).get("type")
        return self._flat(self.resolved(known)) if known is not None else []

    def _allows(self, option: Schema, declared: Scalar) -> bool:
        return any(accepts(declared, known) for known in self._types_of(option))

    def _best(self, node: Node, options: Sequence[Schema], key: str) -> list[Finding]:
        """Return the findings of the alternative that knows most of the keys, then misses the fewest."""
        best: list[Finding] | None = None
        rank = (0, 0, 0)
        for option in options:
            findings = self.check(node, option, key)
            if not findings:
                return []
            unknown = sum(found.code in ("MK0102", "MK0109") for found in findings)
            missing = sum(found.code == "MK0104" for found in findings)
            if best is None or (unknown, missing, len(findings)) < rank:
                best, rank = findings, (unknown, missing, len(findings))
        return self._one_type_fault(node, best or [], options, key)

    def _one_type_fault(
        self, node: Node, findings: list[Finding], options: Sequence[Schema], key: str
    ) -> list[Finding]:
        """Name every allowed type when the declared one is allowed by no alternative."""
        declared = node.get("type") if isinstance(node, Map) else None
        if not isinstance(declared, Scalar) or any(self._allows(option, declared) for option in options):
            return findings
        allowed = [value for option in options for known in self._types_of(option) for value in known.get("enum", ())]
        is_value = declared.text in TYPE_NAMES and "uri_file" in allowed
        instead = f"a job gives the value itself: write `{key}: VALUE`" if is_value else ""
        return [not_allowed(declared, "type", dict.fromkeys(allowed), instead)]


def accepts(node: Scalar, schema: Schema) -> bool:
    """Return whether a scalar is a value of a schema."""
    return fit.scalar(schema)(node)


def _key_form(name: Scalar, schema: Schema) -> list[Finding]:
    """Check a free key against the form its map asks for."""
    form = schema.get("propertyNames", {})
    if not form or accepts(name, form):
        return []
    meant = re.sub(r"[^a-z0-9_]", "_", name.text.lower())
    return [
        error(
            "MK0201",
            name.place,
            f"`{name.text}` is not a valid name: lower-case letters, digits and `_`, not starting with a digit",
            f"write `{meant}`" if accepts_text(meant, form) else "",
        )
    ]


def accepts_text(text: str, schema: Schema) -> bool:
    """Return whether a text has the form of a string schema."""
    return bool(re.search(schema.get("pattern", ""), text))


def _misplaced(name: Scalar, home: Home, present: set[str]) -> Finding:
    """Report a key that another kind of file, or another part of this one, has."""
    if home.is_renamed:
        edit = Edit(name.text, home.instead) if home.instead not in present else None
        return error("MK0102", name.place, f"unknown key `{name.text}`", home.hint, edit)
    return error("MK0109", name.place, f"misplaced key `{name.text}`", home.hint)


def _missing(name: str, node: Map, key: str) -> Finding:
    return error("MK0104", node.place, f"required key `{name}` is missing{f' in `{key}`' if key else ''}")


def not_allowed(node: Scalar, key: str, allowed: Iterable[str], instead: str = "") -> Finding:
    """Report a value that is not one of the allowed ones; ``instead`` is what to do where that is known."""
    values = list(allowed)
    if node.value is None:
        return error("MK0108", node.place, f"`{key}` has no value", f"expected one of {', '.join(values)}")
    hint = instead or did_you_mean(node.text, values) or f"expected one of {', '.join(values)}"
    return error("MK0106", node.place, f"`{brief(node.text)}` is not a value of `{key}`", hint)


def _wrong_value(node: Scalar, options: list[Schema], key: str) -> Finding:
    """Report a scalar that no alternative accepts."""
    scalars = [option for option in options if option.get("type") not in ("object", "array", "null")]
    if node.value is None:
        return error("MK0108", node.place, f"`{key}` has no value", f"expected {_expected(options)}")
    allowed = [str(value) for option in scalars for value in option.get("enum", ())]
    if allowed:
        return not_allowed(node, key, dict.fromkeys(allowed))
    patterns = [option["pattern"] for option in scalars if "pattern" in option]
    if not patterns:
        return _wrong_type(node, options, key)
    return error(
        "MK0107", node.place, f"`{brief(node.text)}` is not a form that `{key}` can have", _form(node.text, patterns)
    )


def _form(text: str, patterns: list[str]) -> str:
    """Describe the form that was expected."""
    if any(pattern.startswith("^azureml:.+") for pattern in patterns):
        name = brief(text).removeprefix("azureml:")
        return (
            f"write `azureml:{name}`"
            if re.search(r"[:@]", name)
            else f"write `azureml:{name}:VERSION` or `azureml:{name}@latest`"
        )
    if any("a-z" in pattern for pattern in patterns):
        meant = re.sub(r"[^a-z0-9_]", "_", text.lower())
        return f"write `{meant}`" if any(re.search(pattern, meant) for pattern in patterns) else ""
    return f"expected {' or '.join(dict.fromkeys(patterns))}"


def _wrong_type(node: Node, options: list[Schema], key: str) -> Finding:
    """Report a map, list or scalar where something else belongs."""
    if isinstance(node, Scalar):
        return error("MK0105", node.place, f"`{key}` is `{brief(node.text)}`", f"expected {_expected(options)}")
    given = "map" if isinstance(node, Map) else "list"
    return error("MK0105", node.place, f"`{key}` is a {given}", f"expected {_expected(options)}")


def _expected(options: list[Schema]) -> str:
    """Describe the types of the alternatives."""
    names: list[str] = []
    for option in options:
        wanted = option.get("type", "text")
        names += wanted if isinstance(wanted, list) else [wanted]
    return " or ".join(dict.fromkeys(TYPE_NAMES[name] for name in names if name in TYPE_NAMES))
