"""The engine's memory of a stack: one JSON file, mode 0600, written anew in one step after every change.

Secrets are in it encrypted, not as digests: an ``up`` that goes on after a kill, and ``outputs``, need their values
without running the program. The key is in a file of its own, so that the state alone gives nothing away.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from filelock import FileLock, Timeout

from mlops_kit.errors import LocalError
from mlops_kit.files import write_private
from mlops_kit.local.iac.pulumi_engine.values import SECRET, SIGNATURE, Secret, walk

VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource of the stack. Components and providers have no ARM id; ``external`` ones were only read.

    ``begun`` names the operation that was sent and not yet answered when the entry was written, so that the next run
    knows that the resource may be there.
    """

    urn: str
    type: str
    id: str = ""
    custom: bool = True
    parent: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    api_version: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    external: bool = False
    begun: str = ""

    @property
    def name(self) -> str:
        """Return the name that the program gave."""
        return self.urn.rpartition("::")[2]

    @property
    def in_arm(self) -> bool:
        """Say whether there is a resource in ARM that this stack owns."""
        return self.custom and bool(self.id) and not self.type.startswith("pulumi:") and not self.external


class State:
    """The entries of a stack by URN, the superseded ones that are still to be deleted, and the outputs."""

    def __init__(self, path: Path | None, cipher: Fernet | None) -> None:
        self._path = path  # None: a preview, which leaves no trace
        self._cipher = cipher
        self._lock = threading.RLock()
        self._texts: dict[str, str] = {}
        self.entries: dict[str, Entry] = {}
        self.superseded: dict[str, Entry] = {}  # by ARM id: replaced by another that has the same URN
        self.outputs: dict[str, Any] = {}

    def put(self, entry: Entry) -> None:
        """Record an entry, and write the file."""
        with self._lock:
            self.entries[entry.urn] = entry
            self._texts.pop(entry.urn, None)
            self._write()

    def drop(self, urn: str) -> None:
        """Forget an entry, and write the file."""
        with self._lock:
            self.entries.pop(urn, None)
            self._texts.pop(urn, None)
            self._write()

    def supersede(self, entry: Entry) -> None:
        """Remember the resource of an entry that another takes the place of, until it is deleted."""
        with self._lock:
            self.superseded[entry.id] = entry
            self._write()

    def forget_superseded(self, resource_id: str) -> None:
        """Forget a superseded resource."""
        with self._lock:
            self.superseded.pop(resource_id, None)
            self._write()

    def rename(self, old: str, new: str) -> Entry:
        """Give an entry another URN, in everything that names it; return the entry."""
        with self._lock:
            entry = replace(self.entries.pop(old), urn=new, type=new.split("::")[2].rpartition("$")[2])
            self._texts.clear()
            self.entries[new] = entry
            for urn, one in list(self.entries.items()):
                dependencies = tuple(new if dependency == old else dependency for dependency in one.dependencies)
                parent = new if one.parent == old else one.parent
                self.entries[urn] = replace(one, dependencies=dependencies, parent=parent)
            self._write()
            return self.entries[new]

    def set_outputs(self, outputs: dict[str, Any]) -> None:
        """Record the outputs of the stack."""
        with self._lock:
            self.outputs = outputs
            self._write()

    def below(self, resource_id: str) -> list[Entry]:
        """Return what lies below an ARM id, the deepest first: it goes with the resource of that id."""
        prefix = resource_id.lower() + "/"
        with self._lock:
            found = [one for one in self.entries.values() if one.in_arm and one.id.lower().startswith(prefix)]
        return sorted(found, key=lambda one: one.id.count("/"), reverse=True)

    def scratch(self) -> State:
        """Return a copy for a preview."""
        copy = State(None, None)
        copy.entries, copy.superseded, copy.outputs = dict(self.entries), dict(self.superseded), dict(self.outputs)
        return copy

    def _write(self) -> None:
        if self._path is None:
            return
        for urn, entry in self.entries.items():  # only what changed is written out anew: many steps stay cheap
            if urn not in self._texts:
                self._texts[urn] = json.dumps(self._sealed(_facts(entry)), separators=(",", ":"))
        rest = {"superseded": [_facts(one) for one in self.superseded.values()], "outputs": self.outputs}
        head = json.dumps({"version": VERSION, **self._sealed(rest)})
        text = f'{head[:-1]}, "resources": [\n' + ",\n".join(self._texts[urn] for urn in self.entries) + "\n]}\n"
        write_private(self._path, text)

    def _sealed(self, value: Any) -> Any:
        def seal(leaf: Any) -> Any:
            if not isinstance(leaf, Secret) or self._cipher is None:
                return leaf
            text = json.dumps(self._sealed(leaf.value))
            return {SIGNATURE: SECRET, "ciphertext": self._cipher.encrypt(text.encode()).decode()}

        return walk(value, seal)


def _facts(entry: Entry) -> dict[str, Any]:
    return {one.name: getattr(entry, one.name) for one in fields(Entry)}


@contextmanager
def opened(path: Path) -> Iterator[State]:
    """Give the state of a stack to one run at a time; LocalError where another has it, or where it is damaged."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LocalError(f"another run has the stack of {path}; wait until it ends") from None
    try:
        yield read(path)
    finally:
        lock.release()


def read(path: Path) -> State:
    """Return the state of a stack, empty where there is none yet."""
    cipher = _cipher(path.with_name("secrets.key"))
    state = State(path, cipher)
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["version"] != VERSION:
            raise LocalError(f"{path} was written by another version of mlops_kit: version {facts['version']}")
        whole = _opened(facts, cipher)
        state.entries = {one.urn: one for one in _entries(whole["resources"])}
        state.superseded = {one.id: one for one in _entries(whole["superseded"])}
        state.outputs = whole["outputs"]
    except FileNotFoundError:
        return state
    except InvalidToken:
        raise LocalError(f"the secrets in {path} cannot be read with {path.with_name('secrets.key')}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(f"{path} is not a state file of the Pulumi engine: {error}") from None
    return state


def _entries(found: Iterable[Mapping[str, Any]]) -> list[Entry]:
    return [Entry(**{**one, "dependencies": tuple(one["dependencies"])}) for one in found]


def _cipher(path: Path) -> Fernet:
    if not path.exists():
        write_private(path, Fernet.generate_key().decode())
    return Fernet(path.read_text(encoding="ascii"))


def _opened(value: Any, cipher: Fernet) -> Any:
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return Secret(_opened(json.loads(cipher.decrypt(value["ciphertext"].encode())), cipher))
        return {name: _opened(one, cipher) for name, one in value.items()}
    if isinstance(value, list):
        return [_opened(one, cipher) for one in value]
    return value
