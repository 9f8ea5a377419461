"""What every operation of a configured provider is given, and the shapes of what it is asked and answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from mlops_kit.local.iac.azapi.schema import Schema
from mlops_kit.local.iac.client import ArmClient, Terms
from mlops_kit.local.iac.refusals import Refusal
from mlops_kit.local.iac.waiting import Deadline, Retry

Values = dict[str, Any]


class Locks:
    """Named locks: operations that name the same one happen one after another."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._named: dict[str, threading.Lock] = {}

    @contextmanager
    def held(self, names: Sequence[str] | None) -> Iterator[None]:
        """Hold the locks of all names, always in the same order."""
        with ExitStack() as stack:
            for name in sorted({name.lower() for name in names or ()}):
                with self._guard:
                    lock = self._named.setdefault(name, threading.Lock())
                stack.enter_context(lock)
            yield


@dataclass(frozen=True, slots=True)
class Session:
    """A configured provider."""

    client: ArmClient
    subscription: str
    stopped: threading.Event
    ignore_no_op_changes: bool = True
    locks: Locks = field(default_factory=Locks)

    def terms(self, model: Mapping[str, Any], operation: str, *, requests: str | None = None) -> Terms:
        """Return the terms that a resource's arguments set for ``create``, ``read``, ``update`` or ``delete``.

        ``requests`` is the prefix of the arguments with headers and query parameters where it is not the operation.
        """
        prefix = f"{operation}_" if requests is None else requests
        return Terms(
            Deadline.of(model.get("timeouts"), operation, self.stopped),
            Retry.of(model.get("retry")),
            model.get(f"{prefix}headers") or {},
            model.get(f"{prefix}query_parameters") or {},
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What Terraform wants changed. ``planned`` is its proposal when a plan is made, the plan when it is applied."""

    config: Values
    planned: Values
    prior: Values | None  # None: the resource is to be created
    private: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A new state (None: gone), what is kept beside it, which attributes force a new resource, and what went wrong."""

    state: Values | None
    private: Mapping[str, Any] = field(default_factory=dict)
    replace: tuple[str, ...] = ()
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type of the provider: its schema, and what is done with it."""

    schema: Schema
    validate: Callable[[Values], None]
    plan: Callable[[Session, Change], Outcome]
    apply: Callable[[Session, Change], Outcome]
    destroy: Callable[[Session, Values], None]
    read: Callable[[Session, Values, Mapping[str, Any]], Outcome]
    adopt: Callable[[Session, str], Values]


@dataclass(frozen=True, slots=True)
class DataKind:
    """A data source of the provider."""

    schema: Schema
    read: Callable[[Session, Values], Values]
