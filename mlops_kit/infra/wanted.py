"""What an environment wants: its ``infra`` section laid on its profile, as plain data. What is not wanted is None."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_kit import environment_keys
from mlops_kit.documents import Map
from mlops_kit.environments import Environment
from mlops_kit.errors import EnvironmentFileError
from mlops_kit.expressions import SecretText
from mlops_kit.infra import profiles, v1_names
from mlops_kit.infra.places import Where

SECTION = "infra"
Wanted = dict[str, Any]


def wanted(environment: Environment) -> Wanted:
    """Return every value of the ``infra`` section: the environment's own, else its profile's.

    A key that depends on others and is not given is absent; ``settings`` derives it.

    Raises:
        EnvironmentFileError: A value cannot be evaluated, or holds a secret.
    """
    part = environment_keys.schema()["properties"][SECTION]
    given = v1_names.renamed(_plain(environment, environment.values.get(SECTION) or {}, (SECTION,)), part)
    every = _over(profiles.EVERY, profiles.PROFILES[given.get("profile") or profiles.EVERY["profile"]])
    laid: Wanted = _laid(every, given, part, profiles.WHEN_WANTED)
    return laid


def is_wanted(environment: Environment) -> bool:
    """Say whether the environment has infrastructure of its own at all."""
    return isinstance(environment.root.get(SECTION), Map)


def _plain(environment: Environment, value: Any, path: tuple[str, ...]) -> Any:
    """Return read-only mappings and tuples as plain data."""
    if isinstance(value, SecretText):
        message = f"{'.'.join(path)}: an infrastructure value is readable by everybody and cannot hold a secret"
        raise EnvironmentFileError(message, Where(environment).place(*path))
    if isinstance(value, Mapping):
        return {key: _plain(environment, value[key], (*path, key)) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(environment, item, (*path, str(index))) for index, item in enumerate(value)]
    return value


def _over(under: Any, over: Any) -> Any:
    """Return two trees of default values as one."""
    if not (isinstance(under, Mapping) and isinstance(over, Mapping)):
        return over
    return {**under, **{key: _over(under[key], value) if key in under else value for key, value in over.items()}}


def _laid(default: Any, given: Any, part: Mapping[str, Any], when_wanted: Any) -> Any:
    """Return what is given laid on the default of the same place; ``when_wanted`` adds what an unwanted thing lacks."""
    if given is None:
        return None if "x-null" in part else _laid(default, {}, part, when_wanted) if _is_map(default) else default
    if not isinstance(given, Mapping):
        return given
    known = _over(when_wanted or {}, default or {}) if _is_map(default or when_wanted or {}) else {}
    extra = when_wanted or {}
    return dict(_items(known, given, part, extra))


def _items(
    known: Mapping[str, Any], given: Mapping[str, Any], part: Mapping[str, Any], extra: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    of_any = known.get("*")
    for key in dict.fromkeys([*known, *given]):
        if key == "*":
            continue
        below = environment_keys.below(part, key) or {}
        default = _over(of_any, known[key]) if key in known and of_any else known.get(key, of_any)
        more = extra.get(key, extra.get("*"))
        if key in given:
            value = _laid(default, given[key], below, more)
        else:
            value = _laid(default, {}, below, more) if _is_map(default) else default
        if value is not None or not of_any or key not in given:
            yield key, value


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)
