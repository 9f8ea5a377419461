"""Template + environment + parameters -> documents, as Azure ML reads them. Pure: same input, same bytes everywhere.

The YAML is parsed first and expressions are evaluated in its scalars, so that a value can never change the structure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_kit import documents
from mlops_kit.documents import Document, Entry, List, Map, Node, Scalar, from_data
from mlops_kit.environments import Environment
from mlops_kit.errors import DocumentError, EmptyVariableError, Place, UsageError
from mlops_kit.expressions import Locate, Root, Secret, SecretText, evaluate
from mlops_kit.layers import children, list_index
from mlops_kit.nearest import did_you_mean
from mlops_kit.overrides import assignment, override
from mlops_kit.parameters import Block, block, iterations, values

Settings = Mapping[str, Any]


def render(template: Path, environment: Environment, settings: Settings | None = None) -> tuple[Document, ...]:
    """Return the documents that a template file becomes in an environment.

    ``settings`` sets declared parameters by name, and values that the template holds by dotted path. A secret stays in
    the result as a SecretText, shown as ``${secret.NAME}``; ``reveal`` resolves it where it is used.

    Raises:
        DocumentError: The file is not a template, does not apply in the environment, or a parameter is wrong.
        ExpressionError: An expression cannot be evaluated.
        UsageError: A setting is neither a parameter nor a path of the template.
    """
    return render_documents(documents.load(template), environment, settings)


def render_documents(
    loaded: tuple[Document, ...], environment: Environment, settings: Settings | None = None
) -> tuple[Document, ...]:
    """Return what the loaded documents of a template become; see ``render``."""
    blocks = [block(document.root) for document in loaded]
    given = _nodes(settings)
    parameters = {each.name for found in blocks for each in found.parameters}
    changed = [_with_settings(document, given, parameters) for document in loaded]
    _require_used(given, parameters, loaded)
    chosen = [
        (document, found) for document, found in zip(changed, blocks, strict=True) if _applies(found, environment)
    ]
    if loaded and not chosen:
        names = sorted({name for found in blocks for name in found.environments or ()})
        message = (
            f"the template does not apply in environment {environment.name!r}, only in {', '.join(names) or 'none'}"
        )
        raise DocumentError(message, next(found.place for found in blocks if found.place))
    roots = [root for document, found in chosen for root in _rendered(document, found, environment, given)]
    return tuple(Document(loaded[0].path, index, root) for index, root in enumerate(roots))


def parse_settings(settings: Iterable[str]) -> dict[str, Node]:
    """Return ``path=YAML`` texts as nodes by path; the last one wins.

    They are data, often of another hand (a title, a branch): an expression in one is text and is never evaluated.
    """
    nodes = {path: override(text, Place(f"--set {path}")) for path, text in map(assignment, settings)}
    return {path: _literal(node) for path, node in nodes.items()}


def _literal(node: Node) -> Node:
    """Return a node whose texts and keys evaluate to themselves."""
    if isinstance(node, Scalar):
        return _text(_escaped(node.value), node.place) if isinstance(node.value, str) and "${" in node.value else node
    if isinstance(node, Map):
        entries = (
            Entry(replace(each.key, text=_escaped(each.key.text)), _literal(each.value)) for each in node.entries
        )
        return replace(node, entries=tuple(entries))
    return _mapped(node, _literal)


def _escaped(text: str) -> str:
    return text.replace("${", "$${")


def parameter_values(
    loaded: tuple[Document, ...], environment: Environment, settings: Settings | None = None
) -> dict[str, Any]:
    """Return the value of every parameter of the documents that apply; one they do not agree on is left out.

    Raises:
        DocumentError: A parameter is wrong.
        ExpressionError: A value cannot be evaluated.
    """
    given, found = _nodes(settings), list[tuple[str, Any]]()
    for document in loaded:
        declared = block(document.root)
        if _applies(declared, environment):
            evaluated = _Evaluation(environment.roots, document.path).node
            found += values(declared.parameters, given, evaluated).items()
    return {name: value for name, value in found if all(other == value for same, other in found if same == name)}


def as_setting(value: Any) -> Any:
    """Return a value as a setting that is evaluated to it again: expressions in it escaped, secrets by name."""
    if isinstance(value, SecretText):
        return "".join(str(part) if isinstance(part, Secret) else as_setting(part) for part in value.parts)
    if isinstance(value, str):
        return _escaped(value)
    if isinstance(value, Mapping):
        return {key: as_setting(item) for key, item in value.items()}
    return [as_setting(item) for item in value] if isinstance(value, list | tuple) else value


def is_known(path: str, loaded: tuple[Document, ...]) -> bool:
    """Return whether a setting is a path that one of the documents holds."""
    return any(_at(document.root, path.split(".")) is not None for document in loaded)


def require_known(settings: Settings, loaded: tuple[Document, ...]) -> None:
    """Refuse a setting that is neither a parameter nor a path of any of the documents: it would change nothing.

    Raises:
        UsageError: There is such a setting; the message names the nearest path.
        DocumentError: What a document declares is wrong.
    """
    parameters = {each.name for document in loaded for each in block(document.root).parameters}
    _require_used(_nodes(settings), parameters, loaded)


def reveal(rendered: Iterable[Document], lookup: Callable[[str], str]) -> tuple[Document, ...]:
    """Return the documents with the value of every secret in place, as ``lookup`` gives it by name."""

    def revealed(node: Node) -> Node:
        if isinstance(node, Scalar) and isinstance(node.value, SecretText):
            text = node.value.reveal(lookup)
            return replace(node, value=text, text=text)
        return _mapped(node, revealed)

    return tuple(replace(document, root=revealed(document.root)) for document in rendered)


def _nodes(settings: Settings | None) -> dict[str, Node]:
    return {path: from_data(value, Place(f"--set {path}")) for path, value in (settings or {}).items()}


def _applies(found: Block, environment: Environment) -> bool:
    return found.environments is None or environment.name in found.environments


def _with_settings(document: Document, given: Mapping[str, Node], parameters: set[str]) -> Document:
    """Return the document with the settings that are paths of it."""
    root = document.root
    for path, value in given.items():
        if path not in parameters and _at(root, path.split(".")) is not None:
            root = _put(root, path.split("."), value)
    return replace(document, root=root)


def _require_used(given: Mapping[str, Node], parameters: set[str], loaded: tuple[Document, ...]) -> None:
    for path, value in given.items():
        steps = path.split(".")
        if path not in parameters and not is_known(path, loaded):
            raise UsageError(f"{value.place}: {_no_such_path(steps, parameters, loaded)}")


def _no_such_path(steps: list[str], parameters: set[str], loaded: tuple[Document, ...]) -> str:
    """Say where a path ends in the document that knows most of it."""
    known = max((_known_part(document.root, steps) for document in loaded), key=len, default=[])
    node = next((found for document in loaded if (found := _at(document.root, known)) is not None), None)
    names = [name for name, _ in children(node) if not name.startswith("x-")] if isinstance(node, Map | List) else []
    names += [] if known else sorted(parameters)
    before = "".join(f"{step}." for step in known)
    wrong = steps[len(known)]
    tail = did_you_mean(wrong, names, before) or f"; known are {', '.join(before + name for name in names) or 'none'}"
    return f"no such path {before + wrong!r}{tail}"


def _known_part(root: Node, steps: list[str]) -> list[str]:
    return next(steps[:length] for length in range(len(steps) - 1, -1, -1) if _at(root, steps[:length]) is not None)


def _child(node: Node | None, step: str) -> Node | None:
    if isinstance(node, List):
        index = list_index(node, step)
        return None if index is None else node.items[index]
    return node.get(step) if isinstance(node, Map) and not step.startswith("x-") else None


def _at(node: Node | None, steps: list[str]) -> Node | None:
    for step in steps:
        node = _child(node, step)
    return node


def _put(node: Node, steps: list[str], value: Node) -> Node:
    """Return the node with a value replaced at a path that exists."""
    if not steps:
        return value
    if isinstance(node, List):
        index = list_index(node, steps[0])
        items = (_put(item, steps[1:], value) if at == index else item for at, item in enumerate(node.items))
        return replace(node, items=tuple(items))
    if isinstance(node, Map):
        entries = (
            replace(entry, value=_put(entry.value, steps[1:], value)) if entry.key.text == steps[0] else entry
            for entry in node.entries
        )
        return replace(node, entries=tuple(entries))
    return node


def _rendered(document: Document, found: Block, environment: Environment, given: Mapping[str, Node]) -> Iterable[Node]:
    """Yield the roots that one document becomes: one, or one for each item."""
    root = _without_extensions(document.root)
    chosen = values(found.parameters, given, _Evaluation(environment.roots, document.path).node)
    roots = {**environment.roots, "var": Root(chosen, "parameter")}
    each = _Evaluation(roots, document.path).node(found.for_each) if found.for_each else None
    for item in iterations(each):
        roots["var"] = Root({**chosen, **item}, "parameter")
        yield _with_defaults(_Evaluation(roots, document.path).node(root), environment)


def _without_extensions(root: Node) -> Node:
    """Drop ``x-mlops`` and the extension keys, which may hold anchors for the rest."""
    if not isinstance(root, Map):
        raise DocumentError("a template is a mapping of keys to values", root.place)
    return replace(root, entries=tuple(entry for entry in root.entries if not entry.key.text.startswith("x-")))


def _with_defaults(root: Node, environment: Environment) -> Node:
    """Give what names none the ``defaults`` of the environment: a command job its asset, packages their image."""
    if not isinstance(root, Map):
        return root
    kind = root.get("type")
    is_command = isinstance(root.get("command"), Scalar) and (not isinstance(kind, Scalar) or kind.text == "command")
    if is_command and root.get("environment") is None:
        asset = environment.get("defaults.environment")
        return _with(root, "environment", asset) if asset else root
    image = environment.get("defaults.image")
    return _with_images(root, image) if image else root


def _with_images(node: Node, image: str) -> Node:
    """Give an image to an environment that has packages and neither an image nor a build, here or in a step."""
    if not isinstance(node, Map):
        return node
    if node.get("conda_file") is not None:
        return node if node.get("image") or node.get("build") else _with(node, "image", image)
    entries = tuple(
        _changed(entry, _with_images(entry.value, image))
        if entry.key.text == "environment"
        else _changed(entry, _mapped(entry.value, lambda step: _with_images(step, image)))
        if entry.key.text == "jobs"
        else entry
        for entry in node.entries
    )
    same = all(new is old for new, old in zip(entries, node.entries, strict=True))
    return node if same else replace(node, entries=entries)


def _with(node: Map, key: str, value: Any) -> Map:
    entry = Entry(_text(key, node.place), from_data(value, node.place))
    return replace(node, entries=(*node.entries, entry))


def _mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a map or list with each child changed; the very node when nothing did."""
    if isinstance(node, Map):
        entries = tuple(_changed(entry, change(entry.value)) for entry in node.entries)
        same = all(new is old for new, old in zip(entries, node.entries, strict=True))
        return node if same else replace(node, entries=entries)
    if isinstance(node, List):
        items = tuple(change(item) for item in node.items)
        return (
            node if all(new is old for new, old in zip(items, node.items, strict=True)) else replace(node, items=items)
        )
    return node


def _changed(entry: Entry, value: Node) -> Entry:
    return entry if value is entry.value else Entry(entry.key, value)


class _Evaluation:
    """Evaluates the expressions of a tree against fixed roots."""

    def __init__(self, roots: Mapping[str, Any], file: Path) -> None:
        self.roots = roots
        self.file = file

    def node(self, node: Node) -> Node:
        """Return a node without expressions; the very node when it has none."""
        if node.tag is not None:
            raise DocumentError(f"the tag {node.tag} has no meaning in a template", node.place)
        if isinstance(node, Scalar):
            return self._scalar(node) if isinstance(node.value, str) and "${" in node.value else node
        if isinstance(node, Map):
            return self._map(node)
        return _mapped(node, self.node)

    def _scalar(self, node: Scalar) -> Node:
        value = evaluate(node.value, self.roots, self._locate(node))
        if isinstance(value, str):
            return node if value == node.value and not isinstance(value, SecretText) else _text(value, node.place)
        return from_data(value, node.place)

    def _map(self, node: Map) -> Map:
        entries = []
        is_changed = False
        for entry in node.entries:
            key = self._key(entry.key, node) if "${" in entry.key.text else entry.key
            value = self.node(entry.value)
            if key.text == "environment_variables" and isinstance(value, Map):
                value = _mapped(value, _variable)
            if key is entry.key and value is entry.value:
                entries.append(entry)
            else:
                entries.append(Entry(key, value))
                is_changed = True
        return replace(node, entries=tuple(entries)) if is_changed else node

    def _key(self, key: Scalar, within: Map) -> Scalar:
        value = evaluate(key.text, self.roots, self._locate(key))
        if not isinstance(value, str):
            raise DocumentError(f"the key {key.text} must become text", key.place)
        if value != key.text and within.get(value) is not None:
            raise DocumentError(f"the key {key.text} becomes {value!r}, which is there already", key.place)
        return _text(value, key.place)

    def _locate(self, node: Scalar) -> Locate:
        return lambda expression: _place(expression, node.place, self.file)


def _variable(node: Node) -> Node:
    """Return the value of an environment variable as the text that was written: ``true``, ``5``, ``1.50``."""
    if not isinstance(node, Scalar) or isinstance(node.value, str):
        return node
    if node.value is None:
        raise EmptyVariableError('an environment variable cannot be null; write "" for an empty one', node.place)
    return replace(node, value=node.text)


def _text(text: str, place: Place) -> Scalar:
    return Scalar(text, text, place, quoted=True)


def _place(expression: str, begins: Place, file: Path) -> Place:
    """Return where an expression stands: a scalar of several lines knows only where it begins itself."""
    if begins.path != documents.displayed(file) or not file.is_file():
        return begins
    lines = documents.read_text(file).splitlines()
    for number in range(begins.line, len(lines) + 1):
        if (column := lines[number - 1].find(expression, begins.column - 1 if number == begins.line else 0)) >= 0:
            return Place(begins.path, number, column + 1)
    return begins
