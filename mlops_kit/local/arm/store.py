"""The resource store: ARM documents verbatim in SQLite, found by id in any letter case, listed by collection."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_kit.local.arm.wire import NotFoundError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    key TEXT PRIMARY KEY,           -- the id in lower case
    collection TEXT NOT NULL,       -- the key without its last segment
    body TEXT NOT NULL,             -- what a GET returns
    private TEXT NOT NULL DEFAULT '{}',  -- what only this control plane knows: process ids, folders, secrets
    sequence INTEGER NOT NULL,      -- grows with every first write; the order of creation
    kind TEXT                       -- the type in lower case, of what is no part of another resource
);
CREATE INDEX IF NOT EXISTS by_collection ON resources (collection, sequence);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
# Partial: jobs and versions, which are many, are parts of a workspace.
_INDEX = "CREATE INDEX IF NOT EXISTS by_kind ON resources (kind, key) WHERE kind IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Resource:
    """A stored document: its ARM body, and what the control plane keeps beside it."""

    body: dict[str, Any]
    private: dict[str, Any]

    @property
    def id(self) -> str:
        """Return the ARM id in the letter case of the first write."""
        return str(self.body["id"])

    @property
    def properties(self) -> dict[str, Any]:
        """Return ``body.properties``."""
        properties: dict[str, Any] = self.body["properties"]
        return properties


class ResourceStore:
    """Resources by id. Every write is on disk (WAL) before it returns, so ``kill -9`` loses nothing acknowledged.

    One connection behind one lock: handlers on the event loop and job threads share it. ``transaction`` groups
    a read and the writes that depend on it.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        self._depth = 0
        self._add_kinds()
        self._connection.execute(_INDEX)

    def _add_kinds(self) -> None:
        """Bring a database of an earlier version up to date."""
        if "kind" in {row[1] for row in self._connection.execute("PRAGMA table_info(resources)")}:
            return
        with self.transaction():
            self._connection.execute("ALTER TABLE resources ADD COLUMN kind TEXT")
            rows = self._connection.execute("SELECT key, collection FROM resources").fetchall()
            kinds = [(_kind(collection), key) for key, collection in rows]
            self._connection.executemany("UPDATE resources SET kind = ? WHERE key = ?", kinds)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside happen together or not at all, with no other writer in between."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if outermost:
                    self._connection.execute("COMMIT")
            except BaseException:
                if outermost and self._connection.in_transaction:  # a full disk may have ended it already, or not
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def text(self, resource_id: str) -> str | None:
        """Return the body as stored JSON text, for a GET that need not look into it."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM resources WHERE key = ?", (resource_id.lower(),)
            ).fetchone()
        return row[0] if row else None

    def find(self, resource_id: str) -> Resource | None:
        """Return the resource, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body, private FROM resources WHERE key = ?", (resource_id.lower(),)
            ).fetchone()
        return Resource(json.loads(row[0]), json.loads(row[1])) if row else None

    def get(self, resource_id: str, what: str = "") -> Resource:
        """Return the resource; 404 naming ``what`` (default: the id) where it is missing."""
        found = self.find(resource_id)
        if found is None:
            raise NotFoundError(what or f"The resource '{resource_id}'")
        return found

    def put(self, body: dict[str, Any], private: dict[str, Any] | None = None) -> None:
        """Write the resource ``body['id']``; ``private`` None keeps what is there."""
        key = str(body["id"]).lower()
        with self.transaction():
            kept = self._connection.execute(
                "UPDATE resources SET body = ?, private = coalesce(?, private) WHERE key = ?",
                (_text(body), None if private is None else _text(private), key),
            ).rowcount
            if not kept:
                collection = key.rpartition("/")[0]
                self._connection.execute(
                    "INSERT INTO resources (key, collection, body, private, sequence, kind) VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        key,
                        collection,
                        _text(body),
                        _text(private or {}),
                        self.next_number("sequence"),
                        _kind(collection),
                    ),
                )

    def delete(self, resource_id: str) -> bool:
        """Remove the resource and everything below it; say whether it was there."""
        key = resource_id.lower()
        with self.transaction():
            there = self._connection.execute("DELETE FROM resources WHERE key = ?", (key,)).rowcount
            # '0' is the character after '/': the range holds exactly the keys that start with key + '/'
            self._connection.execute("DELETE FROM resources WHERE key > ? AND key < ?", (key + "/", key + "0"))
        return bool(there)

    def under(self, prefix: str) -> list[Resource]:
        """Return every resource below an id, at any depth, in order of creation."""
        key = prefix.lower().rstrip("/")
        with self._lock:
            rows = self._connection.execute(
                "SELECT body, private FROM resources WHERE key > ? AND key < ? ORDER BY sequence",
                (key + "/", key + "0"),
            ).fetchall()
        return [Resource(json.loads(body), json.loads(private)) for body, private in rows]

    def gather(self, collections: Iterable[str]) -> list[Resource]:
        """Return the members of several collections in order of creation."""
        keys = [collection.lower() for collection in collections]
        query = (
            f"SELECT body, private FROM resources WHERE collection IN ({','.join('?' * len(keys))}) ORDER BY sequence"  # noqa: S608
        )
        with self._lock:
            rows = self._connection.execute(query, keys).fetchall()
        return [Resource(json.loads(body), json.loads(private)) for body, private in rows]

    def of_type(self, kind: str, scope: str = "/subscriptions") -> list[Resource]:
        """Return the resources of a type such as ``Microsoft.KeyVault/vaults`` below a scope, in order of creation.

        Types that are parts of another one are not found: their ids have names between.
        """
        with self._lock:
            rows = self._connection.execute(
                "SELECT body, private FROM resources WHERE kind = ? AND key > ? AND key < ? ORDER BY sequence",
                (kind.lower(), f"{scope.lower()}/", f"{scope.lower()}0"),
            ).fetchall()
        return [Resource(json.loads(body), json.loads(private)) for body, private in rows]

    def named(self, kind: str, name: str) -> list[Resource]:
        """Return the resources of a type with a name, wherever they are, deleted ones too."""
        ending = f"/{name.lower()}"
        with self._lock:
            rows = self._connection.execute(
                "SELECT body, private FROM resources WHERE kind = ? AND substr(key, ?) = ?",
                (kind.lower(), -len(ending), ending),
            ).fetchall()
        return [Resource(json.loads(body), json.loads(private)) for body, private in rows]

    def mentioning(self, text: str) -> list[Resource]:
        """Return the resources whose body holds a text such as a guid. It reads every body: not for the common path."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT body, private FROM resources WHERE instr(body, ?) ORDER BY sequence", (text,)
            ).fetchall()
        return [Resource(json.loads(body), json.loads(private)) for body, private in rows]

    def names(self, collection: str, count: int = 100) -> list[str]:
        """Return the names of up to ``count`` members, newest first: enough to offer one, however many there are."""
        query = "SELECT json_extract(body, '$.name') FROM resources WHERE collection = ? ORDER BY sequence DESC LIMIT ?"
        with self._lock:
            rows = self._connection.execute(query, (collection.lower(), count)).fetchall()
        return [str(name) for (name,) in rows]

    def move(self, resource_id: str, to: str) -> None:
        """File a resource, and everything below it, under another key; the bodies keep the ids they have."""
        key, new = resource_id.lower(), to.lower()
        with self.transaction():
            self._connection.execute(
                "UPDATE resources SET collection = CASE key WHEN ?1 THEN ?3 ELSE ?2 || substr(collection, ?4) END,"
                " key = ?2 || substr(key, ?4) WHERE key = ?1 OR (key > ?1 || '/' AND key < ?1 || '0')",
                (key, new, new.rpartition("/")[0], len(key) + 1),
            )

    def list(self, collection: str, *, newest_first: bool = False, mentioning: str = "") -> list[Resource]:
        """Return the members of a collection such as ``.../workspaces/w/jobs`` in order of creation.

        ``mentioning`` leaves only those whose body holds a text, in any letter case; the others need not be parsed.
        """
        order = "DESC" if newest_first else "ASC"
        query = (
            "SELECT body, private FROM resources"  # noqa: S608
            f" WHERE collection = ? AND (? = '' OR instr(lower(body), ?)) ORDER BY sequence {order}"
        )
        text = mentioning.lower()
        with self._lock:
            rows = self._connection.execute(query, (collection.lower(), text, text)).fetchall()
        return [Resource(json.loads(body), json.loads(private)) for body, private in rows]

    def next_number(self, name: str) -> int:
        """Return 1, 2, 3, ... for a counter; a number is given once, whatever happens to what it was used for."""
        with self.transaction():
            row = self._connection.execute(
                "INSERT INTO counters (name, value) VALUES (?, 1)"
                " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
                (name,),
            ).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()


def _kind(collection: str) -> str | None:
    """Return the type of a collection's members; None where they are parts of another resource, or of none at all."""
    kind = collection.rpartition("/providers/")[2]
    return kind if kind != collection and kind.count("/") == 1 else None


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
