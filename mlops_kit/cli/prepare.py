"""From a template on the command line to checked documents, ready to be submitted. Nothing is sent from here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_kit import checks, documents, render, requirements
from mlops_kit.checks import kinds
from mlops_kit.cli import faults, options, record
from mlops_kit.documents import Document, List, Map, Node, Scalar
from mlops_kit.errors import DocumentError, Place, UsageError
from mlops_kit.expressions import SecretText
from mlops_kit.layers import children
from mlops_kit.slugs import digest
from mlops_kit.workspace.failures import Locate
from mlops_kit.workspace.submission import Submission, as_properties
from mlops_kit.workspace.submit import Item

if TYPE_CHECKING:
    from mlops_kit.cli.connection import Where
    from mlops_kit.environments import Environment

SECRET_PREFIX = "MLOPS_KIT_SECRET_"  # noqa: S105  the name of the variables, not a secret
# Families of Azure ML files -> the kinds that can be submitted.
SUBMITTED = {
    "job": "job",
    "data": "data",
    "model": "model",
    "component": "component",
    "environment_asset": "environment",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Checked documents of a template, the environment they were rendered for, and the project they belong to."""

    items: tuple[Item, ...]
    environment: Environment
    project: str
    submission: Submission


def prepare(
    where: Where,
    template: str,
    settings: Sequence[str],
    again: Mapping[str, Node] | None = None,
    taken: Mapping[str, str] = SUBMITTED,
) -> Prepared:
    """Render a template and check every document of it; raises UsageError after all faults have been printed.

    ``settings`` are texts of ``--set``, which win over the values of parameters in ``again``; ``taken`` are the
    families that the command takes, with their kinds.
    """
    overrides, own = options.sorted_settings(settings)
    environment = where.environment(overrides)
    path = options.template_path(where.project, template)
    loaded = documents.load(path)
    given = {**(again or {}), **render.parse_settings(own)}
    # A template from elsewhere, named by its path, may not reach out of its own folder.
    inside = path.resolve().is_relative_to(where.project.folder.resolve())
    files = checks.Files(where.project.folder if inside else path.parent)
    rendered = faults.rendered(loaded, environment, given, files)
    faults.require_none(rendered, files, "nothing was submitted", protected=environment.protected)
    rendered = tuple(checks.as_written(requirements.wrapped(each)) for each in rendered)
    parameters = render.parameter_values(loaded, environment, given)
    name = path.resolve().relative_to(where.project.folder.resolve()).as_posix() if inside else path.name
    made = record.submission(name, environment.name, parameters, settings, again or {})
    revealed = render.reveal(rendered, secret)
    tags = environment.tags
    items = tuple(_item(shown, full, made, tags, taken) for shown, full in zip(rendered, revealed, strict=True))
    return Prepared(items, environment, project_name(environment), made)


def project_name(environment: Environment) -> str:
    """Return the name under which the project owns what it creates."""
    return str(environment.roots["project"]["name"])


def secret(name: str, variables: Mapping[str, str] = os.environ) -> str:
    """Return a secret from the process environment: ``${secret.DB_KEY}`` is ``MLOPS_KIT_SECRET_DB_KEY``."""
    variable = SECRET_PREFIX + name.upper()
    if variable not in variables:
        raise UsageError(f"the secret {name!r} is not known: set {variable} in the process environment")
    return variables[variable]


def _item(shown: Document, full: Document, made: Submission, tags: Mapping[str, str], taken: Mapping[str, str]) -> Item:
    """Return a document for submission: ``shown`` names its content, ``full`` has the secrets in it."""
    family = _family(shown) or ""
    kind = taken.get(family)
    if kind is None:
        known = ", ".join(taken.values())
        other = "; 'mlops-kit compute ensure' makes a compute" if family == "compute" else ""
        raise DocumentError(f"this kind of file cannot be submitted here; known are {known}{other}", shown.root.place)
    path = shown.path.absolute()
    content = json.dumps(documents.to_data(shown), sort_keys=True)
    properties = as_properties(replace(made, content=digest([content]), secrets=tuple(_secrets(shown.root))))
    return Item(kind, documents.dump([full]), documents.dump([shown]), path, locator(shown.root), properties, tags)


def _secrets(node: Node, path: str = "") -> Iterator[str]:
    """Yield the key paths of the values that have a secret in them."""
    if isinstance(node, Scalar):
        if isinstance(node.value, SecretText):
            yield path
        return
    for step, inner in children(node):
        yield from _secrets(inner, f"{path}.{step}".lstrip("."))


def _family(document: Document) -> str | None:
    """Return which family of Azure ML files a document belongs to."""
    root = document.root
    entries = root.entries if isinstance(root, Map) else ()
    heads = {entry.key.text: entry.value.text if isinstance(entry.value, Scalar) else None for entry in entries}
    return kinds.family_of(heads, tuple(parent.name for parent in document.path.absolute().parents))


def locator(root: Node) -> Locate:
    """Return a function from a key path such as ``inputs.data.path`` to its place in the template, None if unknown.

    Where only the beginning of a path is there, that is the place: what is missing is missing in it.
    """

    def locate(key: str) -> Place | None:
        node: Node | None = root
        place = None
        for step in key.split("."):
            if isinstance(node, List) and step.isdecimal() and int(step) < len(node.items):
                node = node.items[int(step)]
                place = node.place
            elif isinstance(node, Map) and node.get(step) is not None:
                place = node.key_place(step)
                node = node.get(step)
            else:
                break
        return place

    return locate
