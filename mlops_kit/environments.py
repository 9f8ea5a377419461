"""Layered files -> one frozen Environment: ``base.yaml`` <- ``NAME.yaml`` <- ``MLOPS_KIT_VAR_*`` <- ``--set``.

A value with an expression is evaluated when it is asked for, so that what an environment lacks on this machine (a
variable of the CI, say) is a fault only of what needs it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from mlops_kit import documents, environment_keys, layers
from mlops_kit.documents import List, Map, Node, Scalar
from mlops_kit.errors import EnvironmentFileError, ExpressionError, Place, SourceError, UsageError
from mlops_kit.expressions import ProcessRoot, Root, SecretText, evaluate
from mlops_kit.layers import FROM_ENV, Origin
from mlops_kit.nearest import did_you_mean
from mlops_kit.outputs import WithOutputs, file_of
from mlops_kit.overrides import from_settings, from_variables, override, steps_of
from mlops_kit.scalars import remembering

BASE = "base"
KeyPath = tuple[str, ...]


@dataclass(frozen=True)
class Environment:
    """One environment: its name, what all layers together say, and which layer said what.

    ``values`` is a read-only nested mapping, evaluated on access; ``root`` is the same, merged but not evaluated;
    ``origins`` holds what each layer says about each path, lowest layer first.
    """

    name: str
    root: Map
    origins: Mapping[KeyPath, tuple[Origin, ...]]
    process: Mapping[str, str] = field(repr=False)
    project: str = ""
    git: Mapping[str, str] = field(default_factory=dict, repr=False)
    outputs: Path | None = None  # where the outputs of its infrastructure are recorded

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """Return the values; asking for one that cannot be evaluated raises EnvironmentFileError."""
        return _Values(self.root, (), _Evaluator(self))

    @property
    def protected(self) -> bool:
        """Say whether changes need explicit confirmation."""
        return bool(self.values.get("protected", False))

    @property
    def is_local(self) -> bool:
        """Say whether the environment is on this machine: its file has the key ``local``."""
        return self.root.get("local") is not None

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags of what is created in this environment; one that is null is none.

        Raises:
            EnvironmentFileError: A tag cannot be evaluated, or would show a secret.
        """
        tags = {key: value for key, value in (self.get("tags") or {}).items() if value is not None}
        for key, value in tags.items():
            if isinstance(value, SecretText):
                place = self.origins[("tags", key)][-1].place
                raise EnvironmentFileError(
                    f"tags.{key}: a tag is readable by everybody and cannot hold a secret", place
                )
        return tags

    def get(self, path: str, default: Any = None) -> Any:
        """Return the value at a dotted path, or the default where no layer has one or it is null."""
        value: Any = self.values
        for step in path.split("."):
            if not isinstance(value, Mapping) or step not in value:
                return default
            value = value[step]
        return default if value is None else value

    def require(self, path: str) -> Any:
        """Return the value at a dotted path.

        Raises:
            EnvironmentFileError: It is missing, null, or cannot be evaluated; the message names the path.
        """
        value = self.get(path)
        if value is None or value == "":
            raise EnvironmentFileError(f"environment {self.name!r} has no {path}")
        return value

    @cached_property
    def roots(self) -> Mapping[str, Any]:
        """Return the roots that an expression in one of these files, or in a template, may use."""
        values = self.values if self.outputs is None else WithOutputs(self.values, self.outputs, self.name)
        return {
            "env": Root(values, "value"),
            "project": Root(_ProjectFacts(self), "fact"),
            "git": Root(self.git, "fact"),
            "process": ProcessRoot(self.process),
        }


def known(folder: Path) -> tuple[str, ...]:
    """Return the names of the environments that a folder holds, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.yaml") if path.stem != BASE))


def default_name(folder: Path) -> str:
    """Return the ``default_environment`` of base.yaml: what is meant when no environment is named.

    Raises:
        UsageError: None is configured.
    """
    base = _read(folder / f"{BASE}.yaml")
    name = base.get("default_environment")
    if not isinstance(name, Scalar) or not name.text:
        names = ", ".join(known(folder)) or "none"
        raise UsageError(f"no environment named: use -e NAME or set MLOPS_KIT_ENV; known are {names}")
    _require_known(folder, name.text, name.place)
    if load(folder, name.text).protected:
        raise EnvironmentFileError(f"{name.text!r} is protected and must be named with -e each time", name.place)
    return name.text


def load(
    folder: Path,
    name: str,
    *,
    overrides: Iterable[str] = (),
    process: Mapping[str, str] = os.environ,
    git: Mapping[str, str] | None = None,
) -> Environment:
    """Merge the layers of an environment; ``overrides`` are ``path=YAML`` texts of the command line, strongest last.

    Raises:
        EnvironmentFileError: The environment is not known, or a file has an unknown key or a wrong value.
        DocumentError: A file is not readable YAML.
        UsageError: An override has no such path.
    """
    environment, faults = examine(folder, name, overrides=overrides, process=process, git=git)
    if environment is None:
        first, *others = faults
        raise type(first)(first.message + f" (and {len(others)} more faults)", first.place) if others else first
    return environment


def examine(
    folder: Path,
    name: str,
    *,
    overrides: Iterable[str] = (),
    process: Mapping[str, str] = os.environ,
    git: Mapping[str, str] | None = None,
) -> tuple[Environment | None, tuple[SourceError, ...]]:
    """Return what ``load`` returns, or None and every fault of the files, in their order.

    Raises:
        EnvironmentFileError: The environment is not known.
        DocumentError: An override is not readable YAML.
        UsageError: An override has no such path.
    """
    _require_known(folder, name)
    faults: list[SourceError] = []
    base, own = (_readable(folder / f"{layer}.yaml", faults) for layer in (BASE, name))
    said = [*layers.origins(BASE, base), *layers.origins(name, own)]
    if faults:  # what is laid on a file that cannot be read cannot be judged, its own keys and values can
        faults += environment_keys.faults(layers.merge_files(base, own, lambda _: None), environment_keys.schema())
        return None, _in_order(faults)
    root = layers.merge_files(base, own, faults.append)
    for layer, place, path, text in (*from_variables(process, root), *from_settings(overrides)):
        steps = steps_of(path, root, place)
        node = override(text, place)
        said += layers.origins(layer, node, steps)
        root = layers.put(root, steps, node, faults.append)
    faults += environment_keys.faults(root, environment_keys.schema())
    faults += _misplaced(root, base, own, name)
    if faults:
        return None, _in_order(faults)
    project = folder.resolve().parent
    facts = _by_path(said), process, project.name, git or {}, file_of(project, name)
    return Environment(name, _named(root, name), *facts), ()


def _require_known(folder: Path, name: str, place: Place | None = None) -> None:
    if name not in (names := known(folder)):
        tail = f"; known are {', '.join(names) or 'none'}{did_you_mean(name, list(names))}"
        raise EnvironmentFileError(f"no environment {name!r}{tail}", place)


def _readable(path: Path, faults: list[SourceError]) -> Map:
    """Return the mapping of a file; of one that cannot be read an empty one, and its fault is added to the list."""
    try:
        return _read(path)
    except SourceError as fault:
        faults.append(fault)
        return Map((), Place(documents.displayed(path)))


def _in_order(faults: Iterable[SourceError]) -> tuple[SourceError, ...]:
    """Return each fault once, by file and line."""
    return tuple(sorted({str(fault): fault for fault in faults}.values(), key=lambda fault: fault.place or Place("")))


def problems(environment: Environment) -> tuple[EnvironmentFileError, ...]:
    """Return every value that cannot be evaluated, and every required one that is missing."""
    found = [value for value in flat(environment).values() if isinstance(value, EnvironmentFileError)]
    needed: list[Callable[[], Any]] = [partial(environment.require, path) for path in environment_keys.required()]
    for read in (lambda: environment.tags, *needed):
        try:
            read()
        except EnvironmentFileError as fault:
            found.append(fault)
    return tuple({str(fault): fault for fault in found}.values())


def flat(environment: Environment) -> dict[str, Any]:
    """Return every single value by its dotted path; one that cannot be evaluated is its error."""
    return flat_data(environment.values)


def flat_data(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return every single value of a nested mapping by its dotted path; lists are single values."""
    return {".".join(path): value for path, value in _flat(values, ())}


def _flat(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, _Values):
        for key in value:
            try:
                yield from _flat(value[key], (*path, key))
            except EnvironmentFileError as fault:
                yield (*path, key), fault
    elif isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, (*path, str(key)))
    else:
        yield path, value


def explain(environment: Environment, key: str) -> tuple[Origin, ...]:
    """Return what each layer says about a key and everything below it, by path, lowest layer first.

    Raises:
        UsageError: No layer says anything about the key.
    """
    steps = tuple(key.split("."))
    below = [path for path in environment.origins if path[: len(steps)] == steps]
    above = [path for path in environment.origins if path and steps[: len(path)] == path and path != steps]
    found = [origin for path in (*above, *sorted(below)) for origin in environment.origins[path]]
    if not found:
        names = sorted({".".join(path[:length]) for path in environment.origins for length in range(1, len(path) + 1)})
        raise UsageError(f"no key {key!r} in environment {environment.name!r}{did_you_mean(key, names)}")
    return tuple(found)


def _read(path: Path) -> Map:
    if not path.is_file():
        return Map((), Place(documents.displayed(path)))
    found = documents.load(path)
    if len(found) > 1:
        raise EnvironmentFileError("an environment file holds one document", Place(documents.displayed(path)))
    root: Node = found[0].root if found else Map((), Place(documents.displayed(path), 1, 1))
    if not isinstance(root, Map):
        raise EnvironmentFileError("an environment file is a mapping of keys to values", root.place)
    kept = tuple(entry for entry in root.entries if not entry.key.text.startswith(("x-", "$")))
    return Map(kept, root.place)


def _misplaced(root: Map, base: Map, own: Map, name: str) -> Iterator[EnvironmentFileError]:
    """Yield the faults of keys that mean something in one of the files only."""
    if base.get("local") is not None:
        message = "'local' belongs in the file of an environment on this machine, not in base.yaml"
        yield EnvironmentFileError(message, base.key_place("local"))
    elif root.get("local") is not None and own.get("local") is None:
        message = f"environment {name!r} is not on this machine: only the key 'local' of its file can say so"
        yield EnvironmentFileError(message, root.key_place("local"))
    if own.get("default_environment") is not None:
        message = "'default_environment' belongs in base.yaml: it is what is meant when no environment is named"
        yield EnvironmentFileError(message, own.key_place("default_environment"))
    written_name = root.get("name")
    if isinstance(written_name, Scalar) and written_name.text != name:
        message = f"name: {written_name.text!r} is not the name of the file, {name!r}"
        yield EnvironmentFileError(message, written_name.place)


def _named(root: Map, name: str) -> Map:
    key = Scalar("name", "name", root.place, quoted=True)
    others = tuple(entry for entry in root.entries if entry.key.text != "name")
    return Map((documents.Entry(key, Scalar(name, name, root.place, quoted=True)), *others), root.place)


def _by_path(said: Iterable[Origin]) -> Mapping[KeyPath, tuple[Origin, ...]]:
    found: dict[KeyPath, tuple[Origin, ...]] = {}
    for origin in said:
        found[origin.path] = (*found.get(origin.path, ()), origin)
    return found


class _ProjectFacts(Mapping[str, Any]):
    """``project.name``: the ``project`` of the environment, else the name of the folder."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def __getitem__(self, key: str) -> Any:
        if key != "name":
            raise KeyError(key)
        return self.environment.get("project") or self.environment.project

    def __iter__(self) -> Iterator[str]:
        return iter(("name",))

    def __len__(self) -> int:
        return 1


class _Values(Mapping[str, Any]):
    """A read-only view of a merged map; a value is evaluated when it is asked for, and once."""

    def __init__(self, node: Map, path: KeyPath, evaluator: _Evaluator) -> None:
        self._nodes = {entry.key.text: entry.value for entry in node.entries}
        self._path = path
        self._evaluator = evaluator

    def __getitem__(self, key: str) -> Any:
        return self._evaluator.value(self._nodes[key], (*self._path, key))

    def __contains__(self, key: object) -> bool:
        return key in self._nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


class _Evaluator:
    """Evaluates each value once, in the order of dependency."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.done: dict[KeyPath, Any] = {}
        self.open: list[KeyPath] = []

    def value(self, node: Node, path: KeyPath) -> Any:
        """Return the value of a node; ``path`` names it."""
        if path in self.done:
            return self.done[path]
        if path in self.open:
            loop = " -> ".join(".".join(each) for each in (*self.open[self.open.index(path) :], path))
            raise EnvironmentFileError(f"values refer to each other: {loop}", node.place)
        self.open.append(path)
        try:
            self.done[path] = self._evaluated(node, path)
        finally:
            self.open.remove(path)
        return self.done[path]

    def _evaluated(self, node: Node, path: KeyPath) -> Any:
        if isinstance(node, Map) and node.tag != FROM_ENV:
            return _Values(node, path, self)
        if isinstance(node, List):
            return tuple(self.value(item, (*path, step)) for step, item in layers.children(node))
        try:
            value, text = self._from_env(node) if isinstance(node, Map) else self._scalar(node)
            return environment_keys.fitted(value, text, environment_keys.at(path))
        except ValueError as error:
            raise EnvironmentFileError(f"{'.'.join(path)}: {error}", node.place) from None
        except ExpressionError as error:
            raise EnvironmentFileError(f"{'.'.join(path)}: {error.message}", error.place) from None

    def _scalar(self, node: Scalar) -> tuple[Any, str | None]:
        if isinstance(node.value, str):
            return evaluate(node.value, self.environment.roots, lambda _: node.place), None
        return remembering(node.value, node.text), node.text

    def _from_env(self, node: Map) -> tuple[Any, str | None]:
        variable, default = node.get("from_env"), node.get("default")
        name = variable.text if isinstance(variable, Scalar) else ""
        if name in self.environment.process:
            return self.environment.process[name], None
        if isinstance(default, Scalar):
            return self._scalar(default)
        raise ExpressionError(f"environment variable {name!r} is not set", node.key_place("from_env"))
