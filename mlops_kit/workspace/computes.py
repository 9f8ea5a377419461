"""Compute of a workspace: list, show, stop, start, and create what is missing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from mlops_kit.errors import UsageError
from mlops_kit.workspace import failures
from mlops_kit.workspace.enums import spelled, word
from mlops_kit.workspace.secrets import KEY, masked
from mlops_kit.workspace.unknown import not_found

if TYPE_CHECKING:
    from mlops_kit.workspace.submit import Item

# Clusters scale to zero by themselves; only an instance is started and stopped by hand.
STOPPABLE = "computeinstance"


def row(compute: Any) -> dict[str, Any]:
    """Return what a list shows of a compute."""
    return {
        "name": compute.name,
        "type": word(compute.type).lower(),
        "state": word(getattr(compute, "state", None) or compute.provisioning_state),
        "size": getattr(compute, "size", None),
        "minimum": getattr(compute, "min_instances", None),
        "maximum": getattr(compute, "max_instances", None),
    }


def every(ml: Any) -> list[dict[str, Any]]:
    """Return all compute of the workspace, by name."""
    with failures.readable("list compute"):
        return sorted((row(each) for each in ml.compute.list()), key=lambda each: str(each["name"]))


def usage(ml: Any) -> list[dict[str, Any]]:
    """Return what of each quota of the workspace's region is used: nodes, cores, clusters."""
    with failures.readable("ask for the quota"):
        # The SDK lays the names of the wire, such as currentValue, beside its own ones, which stay empty (1.35.0).
        found = [{**vars(one)} for one in ml.compute.list_usage()]
    rows = (
        {"quota": one["name"]["value"], "used": one.get("currentValue", one["current_value"]), "limit": one["limit"]}
        for one in found
    )
    return sorted(rows, key=lambda row: row["quota"])


def get(ml: Any, name: str) -> Any:
    """Return one compute; an unknown name is answered with the nearest known ones."""
    with failures.readable(f"show the compute {name!r}"):
        try:
            return ml.compute.get(name)
        except Exception as error:
            if failures.is_missing(error):
                raise not_found("compute", name, [each.name for each in ml.compute.list()]) from error
            raise


def show(ml: Any, name: str) -> dict[str, Any]:
    """Return a compute as the YAML document the SDK makes of it, what a list shows first, secrets masked."""
    found = get(ml, name)
    with failures.readable(f"show the compute {name!r}"):
        document = _document(found)
    # The document has the sizes of a cluster under the names that a file gives them.
    head = {key: value for key, value in row(found).items() if key in {"name", "type", "state"}}
    return dict(masked(head | document))


def _document(compute: Any) -> dict[str, Any]:
    text = io.StringIO()
    compute.dump(text)
    return dict(spelled(yaml.safe_load(text.getvalue())))


def instances(ml: Any, state: str) -> list[str]:
    """Return the names of the compute instances in a state."""
    return [each["name"] for each in every(ml) if each["type"] == STOPPABLE and each["state"] == state]


def stop(ml: Any, name: str) -> dict[str, Any]:
    """Stop an instance, wait until it has stopped, and return its row."""
    _stoppable(ml, name, "stopped")
    with failures.readable(f"stop the compute {name!r}"):
        ml.compute.begin_stop(name).wait()
        return row(ml.compute.get(name))


def start(ml: Any, name: str) -> dict[str, Any]:
    """Start an instance, wait until it runs, and return its row."""
    _stoppable(ml, name, "started")
    with failures.readable(f"start the compute {name!r}"):
        ml.compute.begin_start(name).wait()
        return row(ml.compute.get(name))


@dataclass(frozen=True, slots=True)
class Ensured:
    """What became of a compute that is wanted; ``differences`` are ``{key path: [what it has, what is wanted]}``."""

    name: str
    outcome: str  # created, found, different or missing
    differences: dict[str, list[Any]] = field(default_factory=dict)


def ensure(ml: Any, item: Item, owned: frozenset[str]) -> Ensured:
    """Create the compute of a document where there is none of its name; one that is there is compared, never changed.

    Only what the document says is compared. What others own, by its name in lower case, is never made: it is
    ``missing``.
    """
    wanted = _loaded(item)
    with failures.readable(f"create the compute {wanted.name!r}", item.locate):
        try:
            found = ml.compute.get(wanted.name)
        except Exception as error:
            if not failures.is_missing(error):
                raise
            if str(wanted.name).lower() in owned:
                return Ensured(wanted.name, "missing")
            ml.compute.begin_create_or_update(wanted).result()
            return Ensured(wanted.name, "created")
    differing = dict(_differing(_document(found), yaml.safe_load(item.text), yaml.safe_load(item.content)))
    return Ensured(wanted.name, "different" if differing else "found", differing)


def _loaded(item: Item) -> Any:
    from azure.ai.ml import load_compute

    with failures.readable(f"load {item.path.name}", item.locate):
        compute = load_compute(io.StringIO(item.text), relative_origin=str(item.path))
    compute.tags = {**item.tags, **(compute.tags or {})}
    return compute


def _differing(has: Any, wanted: Any, shown: Any, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield where something lacks what is wanted; ``shown`` is what is wanted with the names of secrets in it.

    What the service never tells, secrets, counts as equal.
    """
    if isinstance(wanted, dict):
        for key in wanted.keys() - {"$schema"}:
            there = has.get(key) if isinstance(has, dict) else None
            if not KEY.search(key):
                yield from _differing(there, wanted[key], shown[key], f"{path}.{key}".lstrip("."))
    elif _told(has) != _told(wanted):
        yield path, [has, shown]


def _told(value: Any) -> str:
    """Return a value as it compares: the service spells names and words in letter cases of its own."""
    return str(value).casefold()


def _stoppable(ml: Any, name: str, verb: str) -> None:
    """Refuse what cannot be started and stopped by hand."""
    found = get(ml, name)
    if word(found.type).lower() != STOPPABLE:
        raise UsageError(
            f"the compute {name!r} is of type {found.type} and cannot be {verb}: only compute instances can"
        )
