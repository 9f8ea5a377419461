"""What a program wishes of one resource: a registration of the protocol as frozen data, with its URN and aliases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.runtime.proto import alias_pb2, resource_pb2

from mlops_kit.local.iac.pulumi_engine.values import decode

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


@dataclass(frozen=True, slots=True)
class Wish:
    """One registration. ``aliases`` are the URNs under which the resource may be known until now."""

    urn: str
    type: str
    name: str
    custom: bool
    inputs: dict[str, Any]
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool = False
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    secret_outputs: frozenset[str] = frozenset()
    import_id: str = ""
    deleted_with: str = ""
    timeouts: tuple[tuple[str, str], ...] = ()  # create, update, delete -> a duration such as 30m


def wish_of(
    request: resource_pb2.RegisterResourceRequest,
    project: str,
    stack: str,
    known_aliases: Mapping[str, tuple[str, ...]],
) -> Wish:
    """Return a registration as data; ``known_aliases`` holds the aliases of the parents that came before."""
    dependencies = {*request.dependencies, *(urn for one in request.propertyDependencies.values() for urn in one.urns)}
    return Wish(
        urn=urn_of(project, stack, request.parent, request.type, request.name),
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=decode(request.object),
        parent=request.parent,
        dependencies=tuple(sorted(dependencies)),
        aliases=_aliases(request, project, stack, known_aliases.get(request.parent, ())),
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=request.deleteBeforeReplace,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        secret_outputs=frozenset(request.additionalSecretOutputs),
        import_id=request.importId,
        deleted_with=request.deletedWith,
        timeouts=tuple((name, text) for name, text in _timeouts(request.customTimeouts) if text),
    )


def _timeouts(given: resource_pb2.RegisterResourceRequest.CustomTimeouts) -> Iterable[tuple[str, str]]:
    return ("create", given.create), ("update", given.update), ("delete", given.delete)


def urn_of(project: str, stack: str, parent: str, kind: str, name: str) -> str:
    """Return the URN of a resource; the type carries the types of its parents, save that of the stack."""
    above = parent.split("::")[2] if parent else ""
    chain = f"{above}$" if above and above != STACK_TYPE else ""
    return f"urn:pulumi:{stack}::{project}::{chain}{kind}::{name}"


def _aliases(
    request: resource_pb2.RegisterResourceRequest, project: str, stack: str, parents: Iterable[str]
) -> tuple[str, ...]:
    """Return every URN that the aliases of a resource and of its parent lead to."""
    found: dict[str, None] = dict.fromkeys(request.aliasURNs)
    for alias in request.aliases:
        if alias.urn:
            found[alias.urn] = None
            continue
        for parent in _parents(alias.spec, request.parent, parents):
            spec = alias.spec
            name = spec.name or _inherited_name(request, parent)
            urn = urn_of(spec.project or project, spec.stack or stack, parent, spec.type or request.type, name)
            found[urn] = None
    for parent in parents:
        found[urn_of(project, stack, parent, request.type, _inherited_name(request, parent))] = None
    return tuple(found)


def _parents(spec: alias_pb2.Alias.Spec, own: str, others: Iterable[str]) -> list[str]:
    if spec.noParent:
        return [""]
    return [spec.parentUrn] if spec.parentUrn else [own, *others]


def _inherited_name(request: resource_pb2.RegisterResourceRequest, parent: str) -> str:
    """Return the name under an aliased parent: a child named after its parent was named after the old one."""
    own = request.parent.rpartition("::")[2]
    other = parent.rpartition("::")[2]
    return other + request.name[len(own) :] if own and request.name.startswith(own) and parent else request.name
