"""What a protected environment asks for before anything in it changes: a saved plan, and a name for every loss."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mlops_kit.errors import UsageError
from mlops_kit.infra.changes import Change, Changes


@dataclass(frozen=True, slots=True)
class Losses:
    """The resources that a person has named as those that may be replaced, and that may be deleted."""

    replace: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


def check(changes: Changes, allowed: Losses, *, protected: bool, planned: bool) -> None:
    """Refuse what a protected environment does not allow, and names that mean nothing.

    ``planned`` says that the changes come from a saved plan, which somebody could read.

    Raises:
        UsageError: The plan is missing, or a replacement or a deletion is not named; all of them are told.
    """
    _require_known(changes, allowed)
    if not protected or not changes.differs:
        return
    if not planned:
        raise UsageError(
            f"the environment {changes.environment!r} is protected: save a plan with"
            f" 'mlops-kit infra plan -e {changes.environment} --out FILE', read it, and give it with --plan FILE"
        )
    unnamed = [
        f"--{action} {item.address}"
        for action, names in (("replace", allowed.replace), ("delete", allowed.delete))
        for item in changes.items
        if item.action == action and not _is_named(item, names)
    ]
    if unnamed:
        raise UsageError(
            f"the environment {changes.environment!r} is protected, and the plan loses what was not named;"
            f" nothing was changed. To allow it: {' '.join(unnamed)}"
        )


def _require_known(changes: Changes, allowed: Losses) -> None:
    """Refuse a name under which nothing is lost: it is a mistake, or allows something else than was meant."""
    for action, names in (("replace", allowed.replace), ("delete", allowed.delete)):
        for name in names:
            if not any(item.action == action and item.is_called(name) for item in changes.items):
                raise UsageError(f"--{action} {name!r}: the plan does not {action} anything of that name")


def _is_named(item: Change, names: Collection[str]) -> bool:
    return any(item.is_called(name) for name in names)
