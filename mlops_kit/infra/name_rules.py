"""Names that a service would refuse late, and names that two resources would share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_kit.checks.findings import Finding, brief, error
from mlops_kit.environments import Environment
from mlops_kit.errors import EnvironmentFileError
from mlops_kit.infra import names
from mlops_kit.infra.names import Name
from mlops_kit.infra.places import Where
from mlops_kit.infra.wanted import Wanted, is_wanted, wanted

_ANY_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"  # the form of a name does not depend on it
_COMPUTE = ("cluster", "instance", "kubernetes_compute")
_WHOLE_AZURE = ("storage", "key_vault", "container_registry", "registry")


def check(tree: Wanted, where: Where) -> Iterator[Finding]:
    """Yield the names of one environment that break a rule, or that two of its resources would share."""
    found = names.names_of(where.environment, tree, _ANY_SUBSCRIPTION)
    for name in found:
        if not name.rule.accepts(name.text):
            yield _broken(name, where)
    taken: dict[tuple[str, str], Name] = {}
    for name in found:
        kind = "compute" if name.kind in _COMPUTE else name.kind
        other = taken.setdefault((kind, name.text.lower()), name)
        if other is not name:
            message = f"{_said(name)} and {_said(other)} are both `{brief(name.text)}`"
            yield error("MK0612", where.place(*name.path), message, f"one {kind} has a name")


def clashes(environments: Iterable[Environment]) -> Iterator[Finding]:
    """Yield the names, unique in all of Azure, that two environments are given."""
    taken: dict[tuple[str, str], str] = {}
    for environment in environments:
        for name in _given(environment):
            other = taken.setdefault((name.kind, name.text.lower()), environment.name)
            if other != environment.name:
                message = f"{_said(name)} is `{name.text}` in {environment.name} and in {other}"
                yield error("MK0612", Where(environment).place(*name.path), message, "it is unique in all of Azure")


def _given(environment: Environment) -> list[Name]:
    """Return the names, unique in all of Azure, that the files give; none where they cannot be evaluated here."""
    try:
        found = names.names_of(environment, wanted(environment), _ANY_SUBSCRIPTION) if is_wanted(environment) else ()
    except EnvironmentFileError:
        return []
    return [name for name in found if name.kind in _WHOLE_AZURE and name.path]


def _broken(name: Name, where: Where) -> Finding:
    """Return what is wrong with a name: its length, else its form."""
    rule, text = name.rule, name.text
    head = f"{_said(name)} is `{brief(text)}` in {where.environment.name}"
    if rule.shortest <= len(text) <= rule.longest:
        message = f"{head}; allowed are {rule.words}"
    else:
        message = f"{head}: {len(text)} characters, allowed are {rule.shortest} to {rule.longest}"
    place = where.place(*(name.path or ("infra", "stem")))
    meant = offer(name)
    return error("MK0611", place, message, f"did you mean `{meant}`" if meant else "")


def offer(name: Name) -> str:
    """Return the name in allowed letters and cut to the allowed length, or nothing where that is still not a name."""
    joint = "" if name.rule.plain else "-"
    meant = names.cut(names.squeezed(name.text, joint), name.text, name.rule.longest, joint)
    return meant if name.rule.accepts(meant) else ""


def _said(name: Name) -> str:
    """Return how a name is spoken of: by the key that gives it, else by what it names."""
    return f"`{'.'.join(name.path)}`" if name.path else f"the name of {name.key}"
