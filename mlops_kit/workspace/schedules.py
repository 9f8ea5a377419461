"""Schedules of a workspace: create or change what differs, list, show, enable, disable, trigger and delete."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import yaml

from mlops_kit.errors import DocumentError, UsageError
from mlops_kit.slugs import digest, slug
from mlops_kit.workspace import content, failures, snapshots, submission, submit, uploading
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.enums import spelled, word
from mlops_kit.workspace.quiet import silent
from mlops_kit.workspace.secrets import masked
from mlops_kit.workspace.submit import Item
from mlops_kit.workspace.unknown import not_found

ELSEWHERE = "azureml:a-job-of-a-file"  # stands for a job that is loaded by itself
PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A schedule to have: its document, and that of the job in a file that it names, with its own changes in it."""

    item: Item
    job: Item | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a schedule: ``created``, ``updated`` or ``unchanged``; and whether it fires."""

    name: str
    outcome: str
    enabled: bool


def job_of(document: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the file that a schedule has its job in, and what the schedule changes of it; '' for a job elsewhere."""
    named = document.get("create_job")
    changes = {key: value for key, value in named.items() if key != "job"} if isinstance(named, dict) else {}
    text = str(named.get("job", "") if isinstance(named, dict) else named or "")
    return ("" if text.startswith("azureml:") else text.removeprefix("file:")), changes


def changed(item: Item, changes: Mapping[str, Any]) -> Item:
    """Return a document with what a schedule changes of it, at any depth."""
    text, shown = (yaml.safe_dump(_merged(yaml.safe_load(each), changes)) for each in (item.text, item.content))
    return Item(item.kind, text, shown, item.path, item.locate, item.properties, item.tags)


def _merged(value: Any, changes: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(changes, Mapping):
        return changes
    return {**value, **{key: _merged(value.get(key), inner) for key, inner in changes.items()}}


def apply(workspace: Workspace, wanted: Wanted, *, enabled: bool | None, enabled_at_first: bool) -> Applied:
    """Let the workspace have a schedule, once; what it has already is not written again.

    ``enabled`` None leaves a schedule that is there as it is, and one that is new gets ``enabled_at_first``.
    """
    schedule = _loaded(wanted)
    found = _find(workspace.ml, schedule.name)
    if enabled is None:
        enabled = bool(found.is_enabled) if found else enabled_at_first
    if found and _same(found, schedule, enabled=enabled):
        return Applied(schedule.name, "unchanged", enabled)
    schedule._is_enabled = enabled  # noqa: SLF001  a schedule that is loaded has no other way to say it (1.35)
    _send(workspace, schedule, wanted)
    return Applied(schedule.name, "updated" if found else "created", enabled)


def _same(found: Any, schedule: Any, *, enabled: bool) -> bool:
    content_of = [(each.properties or {}).get(submission.CONTENT) for each in (found, schedule)]
    return content_of[0] == content_of[1] and bool(found.is_enabled) == enabled


def _loaded(wanted: Wanted) -> Any:
    """Return the SDK's object, made anew: sending one changes the job in it, so none is sent twice."""
    from azure.ai.ml.entities._load_functions import load_schedule  # no public name of it loads one (1.35)

    item = wanted.item
    text = item.text
    if wanted.job:
        text = yaml.safe_dump({**yaml.safe_load(text), "create_job": ELSEWHERE})
    with failures.readable(f"load {item.path.name}", item.locate):
        schedule = load_schedule(io.StringIO(text), relative_origin=str(item.path))
    schedule.tags = {**item.tags, **(schedule.tags or {})}
    parts = [submit.content_digest(each) for each in (item, wanted.job) if each]
    schedule.properties = {**(schedule.properties or {}), **item.properties, submission.CONTENT: digest(parts)}
    if wanted.job:
        (loaded,) = submit.load([wanted.job])
        schedule.create_job = loaded.entity
        loaded.entity.experiment_name = loaded.entity.experiment_name or slug(wanted.job.path.stem)
    _require_pipeline(schedule.create_job, item)
    return schedule


def _require_pipeline(job: Any, item: Item) -> None:
    """Refuse a job that the SDK takes no schedule of (``JobSchedule._to_rest_object``, 1.35)."""
    kind = PIPELINE if isinstance(job, str) else str(job.type)
    if kind != PIPELINE:
        raise DocumentError(
            f"a schedule submits pipelines, not a job of type {kind!r}: make it a step of a pipeline",
            item.locate("create_job"),
        )


def _send(workspace: Workspace, schedule: Any, wanted: Wanted) -> None:
    upload = partial(snapshots.ensure, workspace.ml)
    doing = f"apply the schedule {schedule.name!r}"
    with failures.readable(doing, wanted.item.locate), content.staged(schedule.create_job, upload), silent():
        uploading.created(lambda: workspace.ml.schedules.begin_create_or_update(schedule).result())


def _find(ml: Any, name: str) -> Any:
    with failures.readable(f"look for the schedule {name!r}"):
        try:
            return ml.schedules.get(name)
        except Exception as error:
            if failures.is_missing(error):
                return None
            raise


def get(ml: Any, name: str) -> Any:
    """Return one schedule; an unknown name is answered with the nearest known ones."""
    found = _find(ml, name)
    if found is None:
        raise not_found("schedule", name, [str(each.name) for each in ml.schedules.list(list_view_type="All")])
    return found


def every(ml: Any) -> list[dict[str, Any]]:
    """Return all schedules of the workspace, by name."""
    with failures.readable("list schedules"):
        return sorted((row(each) for each in ml.schedules.list(list_view_type="All")), key=lambda each: each["name"])


def row(schedule: Any) -> dict[str, Any]:
    """Return what a list shows of a schedule."""
    trigger = schedule.trigger
    return {
        "name": str(schedule.name),
        "enabled": bool(schedule.is_enabled),
        "trigger": _rule(trigger),
        "time_zone": word(trigger.time_zone),
        "start": trigger.start_time,
        "end": trigger.end_time,
    }


def _rule(trigger: Any) -> str:
    if word(trigger.type).lower() == "cron":
        return f"cron {trigger.expression}"
    unit = word(trigger.frequency).lower()
    every_so_many = f"every {unit}" if trigger.interval == 1 else f"every {trigger.interval} {unit}s"
    pattern = trigger.schedule
    times = [f"{hour:02}:{minute:02}" for hour in pattern.hours or () for minute in pattern.minutes or ()]
    days = [str(day).lower() for day in [*(pattern.week_days or ()), *(pattern.month_days or ())]]
    parts = [f"{preposition} {', '.join(values)}" for preposition, values in (("on", days), ("at", times)) if values]
    return " ".join([every_so_many, *parts])


def show(ml: Any, name: str) -> dict[str, Any]:
    """Return a schedule as the YAML document the SDK makes of it, secrets masked."""
    found, text = get(ml, name), io.StringIO()
    with failures.readable(f"show the schedule {name!r}"):
        found.dump(text)
    return dict(masked(spelled(yaml.safe_load(text.getvalue()))))


def switch(ml: Any, name: str, *, enabled: bool) -> dict[str, Any]:
    """Enable or disable a schedule, and return its row; one that is so already is not written."""
    found = get(ml, name)
    if bool(found.is_enabled) != enabled:
        change = ml.schedules.begin_enable if enabled else ml.schedules.begin_disable
        with failures.readable(f"{'enable' if enabled else 'disable'} the schedule {name!r}"), silent():
            found = change(name).result()
    return row(found)


def trigger(ml: Any, name: str) -> str:
    """Submit the job of a schedule now, and return its name."""
    if not get(ml, name).is_enabled:
        raise UsageError(f"the schedule {name!r} is disabled, and the service triggers none that is: enable it first")
    with failures.readable(f"trigger the schedule {name!r}"):
        return str(ml.schedules.trigger(name).job_name)


def delete(ml: Any, name: str) -> None:
    """Delete a schedule, which is disabled for it; the jobs that it has submitted stay."""
    switch(ml, name, enabled=False)
    with failures.readable(f"delete the schedule {name!r}"), silent():
        ml.schedules.begin_delete(name).result()
