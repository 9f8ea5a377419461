"""Every fault of a template: it is rendered as far as it goes, where ``render`` stops at the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import click

from mlops_kit import checks, documents, expressions, parameters, render
from mlops_kit.checks import suppressions
from mlops_kit.checks.findings import Finding, error
from mlops_kit.cli.options import counted
from mlops_kit.documents import Document, Entry, List, Map, Node, Scalar
from mlops_kit.environments import Environment
from mlops_kit.errors import DocumentError, ExpressionError, Place, SourceError, UsageError
from mlops_kit.parameters import Block, Parameter

SAMPLES: Mapping[str, Any] = {"string": "value", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
MOST_FAULTS = 50  # of one template; each costs a rendering


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a template becomes, what is wrong with its expressions, and the places that hold no real value."""

    documents: tuple[Document, ...]
    faults: tuple[Finding, ...] = ()
    blanks: frozenset[Place] = frozenset()


def rendered(
    loaded: tuple[Document, ...],
    environment: Environment,
    given: Mapping[str, Node],
    files: checks.Files | None = None,
) -> tuple[Document, ...]:
    """Return what a template becomes; where it cannot be rendered, print everything that is wrong with it.

    ``files`` is there to check what could be rendered, too; None leaves that out.

    Raises:
        SourceError: One thing is wrong.
        UsageError: Several are, and have been printed.
    """
    try:
        return render.render_documents(loaded, environment, given)
    except SourceError as first:
        found = [*find(loaded, environment, given, files)]
        if not any(each.place == first.place for each in found):
            found.append(_finding(first))
        found = sorted(suppressions.standing(suppressions.applied(found)), key=lambda each: each.place)
        errors = sum(each.severity == "error" for each in found)
        if errors < 2:
            raise
        for each in found:
            click.echo(str(each), err=True)
        raise UsageError(f"{counted(errors, 'error')}; nothing was {'submitted' if files else 'rendered'}") from None


def require_none(made: Iterable[Document], files: checks.Files, so: str, *, protected: bool = False) -> None:
    """Print every finding of rendered documents that no comment passes over; ``so`` says what an error has prevented.

    Raises:
        UsageError: There is an error.
    """
    found = [
        finding
        for document in made
        for finding in checks.check(document.root, document.path, files, protected=protected)
    ]
    standing = suppressions.standing(suppressions.applied(found))
    for finding in standing:
        click.echo(str(finding), err=True)
    if errors := sum(finding.severity == "error" for finding in standing):
        raise UsageError(f"{counted(errors, 'error')}; {so}")


def find(
    loaded: tuple[Document, ...], environment: Environment, settings: Mapping[str, Node], files: checks.Files | None
) -> Iterator[Finding]:
    """Render a template for an environment and yield what is wrong with it, and with what it becomes."""
    rendering = render_all(loaded, environment, settings)
    yield from rendering.faults
    if files is None:
        return
    protected = environment.protected
    each = (checks.check(document.root, document.path, files, protected=protected) for document in rendering.documents)
    for finding in chain(checks.beside(rendering.documents), *each):
        # Where an expression failed, the input it would have used looks unused.
        if finding.place not in rendering.blanks and not (rendering.faults and finding.code == "MK0302"):
            yield finding


def render_all(loaded: tuple[Document, ...], environment: Environment, settings: Mapping[str, Node]) -> Rendering:
    """Return what the documents of a template become; nothing when it does not apply in the environment.

    A scalar whose expression fails is blanked, so that the next fault shows, too. A parameter that must be given and is
    not gets a sample value, and its places count as blanks.
    """
    try:
        blocks = [parameters.block(document.root) for document in loaded]
    except SourceError as fault:
        return Rendering((), (_finding(fault),))
    if blocks and not any(_applies(found, environment) for found in blocks):
        return Rendering(())
    given = _given(blocks, loaded, settings)
    blanks = set(_uses(loaded, given.keys() - settings.keys()))
    faults: list[Finding] = []
    while len(faults) < MOST_FAULTS:
        try:
            rendered = render.render_documents(loaded, environment, given)
        except SourceError as fault:
            failed = _failed(loaded, fault)
            if failed is None or failed.place not in blanks:
                faults.append(_finding(fault))
            if failed is None or failed.place in blanks:
                break
            blanks.add(failed.place)
            loaded = tuple(replace(document, root=_blanked(document.root, failed)) for document in loaded)
        else:
            return Rendering(rendered, tuple(faults), frozenset(blanks))
    return Rendering((), tuple(faults))


def applies(loaded: Iterable[Document], environment: Environment) -> bool:
    """Return whether every document of a template is one of the environment; a block that is wrong is in none."""
    try:
        return all(_applies(parameters.block(document.root), environment) for document in loaded)
    except SourceError:
        return False


def _applies(block: Block, environment: Environment) -> bool:
    return block.environments is None or environment.name in block.environments


def first_expression(root: Node) -> Place | None:
    """Return where the first expression or the ``x-mlops`` of a document stands, None when it has neither."""
    if isinstance(root, Map) and root.get(parameters.BLOCK) is not None:
        return root.key_place(parameters.BLOCK)
    return next((scalar.place for scalar in _with_expressions(root)), None)


def _with_expressions(root: Node) -> Iterable[Scalar]:
    for _, node in documents.walk(root):
        if isinstance(node, Scalar) and "${" in node.text and expressions.has_expressions(node.text):
            yield node


def _given(blocks: Sequence[Block], loaded: Sequence[Document], settings: Mapping[str, Node]) -> dict[str, Any]:
    """Return the settings that mean something to a template, and samples for parameters that must be given."""
    declared = {each.name: each for found in blocks for each in found.parameters}
    given = {path: node for path, node in settings.items() if path in declared or render.is_known(path, tuple(loaded))}
    samples = {name: _sample(each) for name, each in declared.items() if each.default is None and name not in given}
    return {**samples, **given}


def _sample(parameter: Parameter) -> Any:
    if parameter.enum:
        return parameter.enum[0]
    return SAMPLES[parameter.type] if parameter.minimum is None else parameter.minimum


def _uses(loaded: Sequence[Document], names: Iterable[str]) -> Iterable[Place]:
    """Yield the places of the scalars that use one of the parameters."""
    words = tuple(f"var.{name}" for name in names)
    if words:
        for document in loaded:
            yield from (
                node.place for node in _with_expressions(document.root) if any(word in node.text for word in words)
            )


def _finding(fault: SourceError) -> Finding:
    # What makes a template unreadable is found before; here the documents of it cannot become others.
    code = SourceError.code if fault.code == DocumentError.code else fault.code
    return error(code, fault.place or Place("template"), fault.message)


def _failed(loaded: Sequence[Document], fault: SourceError) -> Scalar | None:
    """Return the scalar that a fault is about: the one at its place, else the last expression that begins before it."""
    place = fault.place
    if place is None:
        return None
    for document in loaded:
        for _, node in documents.walk(document.root):
            if isinstance(node, Scalar) and node.place == place:
                return node
    if not isinstance(fault, ExpressionError):
        return None
    before = [
        node
        for document in loaded
        for node in _with_expressions(document.root)
        if node.place.path == place.path and (node.place.line, node.place.column) <= (place.line, place.column)
    ]
    return max(before, key=lambda node: (node.place.line, node.place.column), default=None)


def _blanked(node: Node, failed: Scalar) -> Node:
    """Return a tree with one scalar emptied."""
    if node is failed:
        return Scalar("", "", failed.place, quoted=True)
    if isinstance(node, Map):
        return replace(node, entries=tuple(Entry(each.key, _blanked(each.value, failed)) for each in node.entries))
    return replace(node, items=tuple(_blanked(item, failed) for item in node.items)) if isinstance(node, List) else node
