"""The values of a submission: what is kept of them with the job, and how they come back for another one like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_kit import render
from mlops_kit.documents import Node, from_data, to_data
from mlops_kit.errors import Place, UsageError
from mlops_kit.expressions import SecretText
from mlops_kit.overrides import assignment, override
from mlops_kit.workspace.secrets import masked
from mlops_kit.workspace.submission import HIDDEN, Submission


def submission(
    template: str, environment: str, parameters: Mapping[str, Any], given: Sequence[str], again: Mapping[str, Node]
) -> Submission:
    """Return what a submission records: resolved ``parameters``, and the texts of ``--set`` that are none of them.

    ``again`` holds the values that come from the record of another job. A value that may be a secret is not kept.
    """
    texts = dict(map(assignment, given))
    named = {**texts, **again}
    kept = {name: _kept(name, value) for name, value in parameters.items()}
    return Submission(
        template,
        environment,
        # A default that is not kept is in the template.
        {name: value for name, value in kept.items() if value != HIDDEN or name in named},
        {path: _kept_text(path, text) for path, text in texts.items() if path not in parameters},
    )


def _kept(name: str, value: Any) -> Any:
    """Return a parameter's value as a setting that becomes it again; of a secret, its name."""
    setting = render.as_setting(value)
    return setting if isinstance(value, SecretText) or _is_plain(name, setting) else HIDDEN


def _kept_text(path: str, text: str) -> str:
    return text if _is_plain(path, to_data(override(text, Place("--set")))) else HIDDEN


def _is_plain(name: str, value: Any) -> bool:
    return bool(masked({name: value}) == {name: value})


def like(job: str, recorded: Submission, explicit: Sequence[str]) -> tuple[list[str], dict[str, Node]]:
    """Return the texts of ``--set`` and the values of parameters for a job like another one; explicit texts win.

    Raises:
        UsageError: The other job got a value that was not kept, and nothing is given in its place.
    """
    named = {assignment(text)[0] for text in explicit}
    lost = [path for path, value in {**recorded.parameters, **recorded.settings}.items() if value == HIDDEN]
    if missing := [path for path in lost if path not in named]:
        raise UsageError(
            f"the job {job!r} was given {missing[0]!r}, which is not kept because it may be a secret: "
            f"give it again with --set {missing[0]}=VALUE"
        )
    texts = [f"{path}={text}" for path, text in recorded.settings.items() if path not in named]
    place = Place(f"recorded with the job {job}")
    values = {name: from_data(value, place) for name, value in recorded.parameters.items() if name not in named}
    return [*texts, *explicit], values


def changes(recorded: Submission, made: Submission) -> dict[str, list[Any]]:
    """Return the values that differ between two submissions, None standing for one that is not there."""
    old, new = ({**each.parameters, **each.settings} for each in (recorded, made))
    return {path: [old.get(path), new.get(path)] for path in {**old, **new} if old.get(path) != new.get(path)}
