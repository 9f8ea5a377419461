"""Documents -> findings. Pure but for the questions asked of the disk through ``files.Files``."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit import schemas
from mlops_kit.checks import (
    automl,
    batch,
    code_folders,
    commands,
    computes,
    datastores,
    declarations,
    deployments,
    endpoints,
    environments,
    keys,
    kinds,
    mltable,
    monitors,
    names,
    output_paths,
    parallel,
    paths,
    pins,
    quoting,
    references,
    resources,
    retired,
    schedules,
    secrets,
    sweeps,
    texts,
    together,
    triggers,
    wiring,
)
from mlops_kit.checks.files import Files
from mlops_kit.checks.findings import Finding, brief, did_you_mean, error
from mlops_kit.checks.mended import mended
from mlops_kit.checks.subject import Subject
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mlops_kit.documents import Document, Node

__all__ = ["CHECKS", "Files", "Finding", "as_written", "beside", "check", "is_azure_ml", "kind_of"]

NO_KIND = "this is no kind of Azure ML file that is known"
# code -> those that say less of the same mistake: that a name has not the form of the schema, that the output of a step
# which a step cannot read at all is of another type
SHARPER = {"MK0201": ("MK0107",), "MK0307": ("MK0311", "MK0312")}
UNTYPED = {"MK0105", "MK0108"}  # of a value that is none, or of the wrong type, there is nothing more to say
# Every check of a document beyond the schema of its kind; each passes over the kinds that it does not concern.
CHECKS: tuple[Callable[[Subject], Iterable[Finding]], ...] = (
    names.check,
    references.check,
    wiring.check,
    declarations.check,
    output_paths.check,
    paths.check,
    code_folders.check,
    commands.check,
    environments.check,
    retired.check,
    quoting.check,
    mltable.check,
    datastores.check,
    secrets.check,
    sweeps.check,
    automl.check,
    schedules.check,
    monitors.check,
    deployments.check,
    endpoints.check,
    batch.check,
    parallel.check,
    resources.check,
    computes.check,
    pins.check,
)


def check(root: Node, path: str | Path, files: Files, *, protected: bool = False) -> tuple[Finding, ...]:
    """Return everything that is wrong with one rendered document of the file ``path``, in the order of the file.

    ``protected`` says that it was rendered for a protected environment, where images are pinned.
    """
    if not isinstance(root, Map):
        return (error("MK0105", root.place, "the document is no map", "an Azure ML file is a map of keys"),)
    if kinds.is_conda(root):
        from mlops_kit.checks import conda  # most templates have none

        return tuple(conda.check_file(root))
    folder, above = _folders(path)
    heads = _heads(root)
    family = kinds.family_of(heads, above)
    if family is None:
        return (_unknown_kind(root),)
    kind, decided = kinds.kind_of(family, heads)
    if kind is None:
        return (_undeclared(root, decided),)
    findings, met = _declared(root, kind, decided), len(files.unreadable)
    subject = Subject(mended(root, findings), kind, folder, files, protected)
    for each in CHECKS:
        findings += each(subject)
    findings += [error(each.code, each.place or root.place, each.message) for each in files.unreadable[met:]]
    return tuple(sorted(dict.fromkeys(_sharpest(findings)), key=_position))


def _sharpest(findings: list[Finding]) -> list[Finding]:
    """Leave out what a sharper finding at the same place makes a second fault of one mistake."""
    untyped = {finding.place for finding in findings if finding.code in UNTYPED}
    sharp = [(finding.place, dulled) for finding in findings if (dulled := SHARPER.get(finding.code))]
    if not sharp and not untyped:
        return findings
    left_out = {(place, code) for place, dulled in sharp for code in dulled}
    kept = [each for each in findings if (each.place, each.code) not in left_out]
    return [each for each in kept if each.code in UNTYPED or each.place not in untyped]


def as_written(document: Document) -> Document:
    """Return a document as the service takes it: text where the SDK takes nothing else, and its names of time zones."""
    kind = kind_of(document)
    if kind is None or not isinstance(document.root, Map):
        return document
    written = texts.as_written(document.root, kind)
    return replace(document, root=triggers.in_service_zones(written) if kind in triggers.KINDS else written)


def beside(documents: Sequence[Document]) -> Iterator[Finding]:
    """Yield what is wrong with the documents of one file beside each other, such as a name that two of them have."""
    if len(documents) > 1:
        pairs = ((document.root, kind_of(document)) for document in documents)
        yield from together.check([(root, kind) for root, kind in pairs if isinstance(root, Map) and kind])


def kind_of(document: Document) -> str | None:
    """Return the kind of Azure ML file that a document is, such as ``command_job``; None when nothing tells it."""
    root = document.root
    if not isinstance(root, Map) or kinds.is_conda(root):
        return None
    heads = _heads(root)
    family = kinds.family_of(heads, _folders(document.path)[1])
    return kinds.kind_of(family, heads)[0] if family else None


def is_azure_ml(root: Node, path: str | Path) -> bool:
    """Return whether a document is a kind of Azure ML file or a conda file, so that it can be checked."""
    if not isinstance(root, Map):
        return False
    return kinds.is_conda(root) or kinds.family_of(_heads(root), _folders(path)[1]) is not None


def _folders(path: str | Path) -> tuple[str, tuple[str, ...]]:
    """Return the folder of a file as absolute text, and its name and those of the folders above, nearest first."""
    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120  for a thousand files pathlib is slow
    return folder, _above(folder)


@cache
def _above(folder: str) -> tuple[str, ...]:
    path = Path(folder)
    return tuple(above.name for above in (path, *path.parents))


def _heads(root: Map) -> dict[str, str | None]:
    """Return the top-level keys with the text of their values, nothing for a list and None for a map."""
    return {entry.key.text: _head(entry.value) for entry in root.entries}


def _head(value: Node) -> str | None:
    return value.text if isinstance(value, Scalar) else None if isinstance(value, Map) else ""


def _position(finding: Finding) -> tuple[str, int, int]:
    return finding.place.path, finding.place.line, finding.place.column


def _declared(root: Map, kind: str, decided: kinds.Family) -> list[Finding]:
    """Check keys against the schema of the kind; a declared type of no kind of the family is one fault of its own."""
    declared = root.get(decided.key)
    if isinstance(declared, Scalar) and declared.text.lower() in decided.retired:
        return [_undeclared(root, decided)]
    findings = keys.check(root, kind)
    if declared is None and _needs_type(kind, decided, findings):
        findings.append(error("MK0104", root.place, f"required key `{decided.key}` is missing"))
    if not isinstance(declared, Scalar) or not decided.kinds or declared.text.lower() in decided.kinds:
        return findings
    allowed = dict.fromkeys([*decided.kinds, *schemas.read(kind)["properties"].get(decided.key, {}).get("enum", ())])
    others = [finding for finding in findings if finding.place != declared.place]
    if len(others) == len(findings):
        return findings
    return [keys.not_allowed(declared, decided.key, allowed), *others]


def _needs_type(kind: str, decided: kinds.Family, findings: Sequence[Finding]) -> bool:
    """Return whether the SDK takes a document for another kind than it is, and nothing has said so."""
    of_runs = decided in (kinds.FAMILIES["job"], kinds.FAMILIES["component"])
    if not of_runs or kind == decided.usual:
        return False
    return not any("`type`" in f"{finding.message} {finding.hint}" for finding in findings)


def _undeclared(root: Map, decided: kinds.Family) -> Finding:
    """Report a document whose kind cannot be told because the key that decides it is absent or wrong."""
    declared = root.get(decided.key)
    if isinstance(declared, Scalar):
        return keys.not_allowed(declared, decided.key, decided.kinds, decided.retired.get(declared.text.lower(), ""))
    hint = f"expected one of {', '.join(decided.kinds)}"
    return error("MK0104", root.place, f"required key `{decided.key}` is missing", hint)


def _unknown_kind(root: Map) -> Finding:
    """Report a document that nothing tells the kind of."""
    words, declared = set(root.keys()), root.get("type")
    if old := next((hint for key, hint in kinds.V1_KEYS.items() if key in words), ""):
        return error("MK0101", root.place, NO_KIND, old)
    if isinstance(declared, Scalar):
        message = f"no kind of Azure ML file has the type `{brief(declared.text)}`"
        return error("MK0101", declared.place, message, did_you_mean(declared.text, kinds.types()) or "add `$schema:`")
    near = (did_you_mean(word, ("command", "jobs", "type", "trial")) for word in sorted(words))
    return error("MK0101", root.place, NO_KIND, next(filter(None, near), "add `$schema:` or `type:`"))
