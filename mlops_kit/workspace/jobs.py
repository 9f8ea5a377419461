"""Jobs of a workspace: list, show, stream, cancel, download and compare."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_kit.errors import UsageError
from mlops_kit.workspace import artifacts, failures, hints, submission, tracking
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.enums import word
from mlops_kit.workspace.secrets import hidden, masked
from mlops_kit.workspace.unknown import not_found
from mlops_kit.workspace.waiting import FINAL_STATES, NoAnswer

NEAREST_OF = 200  # jobs that are looked at for a near name


@dataclass(frozen=True, slots=True)
class Filters:
    """Which jobs a list shows; empty means any."""

    experiment: str = ""
    status: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    parent: str = ""
    archived: bool = False
    limit: int = 50


def every(workspace: Workspace, filters: Filters) -> list[dict[str, Any]]:
    """Return the newest jobs that pass the filters."""
    view = "ArchivedOnly" if filters.archived else "ActiveOnly"
    with failures.readable("list jobs"):
        found = workspace.ml.jobs.list(parent_job_name=filters.parent or None, list_view_type=view)
        passing = (row(job) for job in found if job is not None and _passes(job, filters))
        return list(itertools.islice(passing, filters.limit))


def seconds(workspace: Workspace, rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Return for how many seconds each of the listed jobs ran, by name; it is the tracking service that knows."""
    experiments = {each["experiment"] for each in rows}
    if not experiments:
        return {}
    with failures.readable("read how long the jobs ran"):
        return tracking.durations(workspace.tracking, experiments, time.time())


def row(job: Any) -> dict[str, Any]:
    """Return what a list shows of a job."""
    created = job.creation_context.created_at if job.creation_context else None
    return {
        "name": job.name,
        "display_name": job.display_name,
        "experiment": job.experiment_name,
        "type": word(job.type),
        "status": word(job.status),
        "created": created.isoformat(timespec="seconds") if created else None,
    }


def get(workspace: Workspace, name: str) -> Any:
    """Return the SDK's job; an unknown name is answered with the nearest recent ones."""
    with failures.readable(f"find the job {name!r}"):
        try:
            return workspace.ml.jobs.get(name)
        except Exception as error:
            if not failures.is_missing(error):
                raise
            recent = itertools.islice(workspace.ml.jobs.list(), NEAREST_OF)
            raise not_found("job", name, [job.name for job in recent if job is not None]) from error


def exists(workspace: Workspace, name: str) -> bool:
    """Tell whether the workspace has a job of this name."""
    with failures.readable(f"look for the job {name!r}"):
        try:
            workspace.ml.jobs.get(name)
        except Exception as error:
            if failures.is_missing(error):
                return False
            raise
        return True


def show(workspace: Workspace, name: str) -> dict[str, Any]:
    """Return what is known of a job: state, inputs, what it logged, the files it wrote; secrets masked."""
    job = get(workspace, name)
    with failures.readable(f"show the job {name!r}"):
        logged = tracking.logged(workspace.tracking, name)
        found = artifacts.files(workspace.store, name)
    known = row(job) | {
        "description": job.description,
        "compute": getattr(job, "compute", None),
        "environment": str(getattr(job, "environment", None) or "") or None,
        "command": getattr(job, "command", None),
        "inputs": inputs(job),
        "environment_variables": getattr(job, "environment_variables", None),
        "tags": job.tags,
        "submission": submission.shown(job.properties),
        "params": logged.parameters,
        "metrics": logged.metrics,
        **_of_family(workspace, job),
        "files": [each.path for each in found],
        "link": hints.page(job),
    }
    return without_secrets(workspace, job, {key: one for key, one in known.items() if one not in (None, {}, [], "")})


def parent(workspace: Workspace, name: str) -> str:
    """Return the name of the job that a job is part of, or the empty string.

    azure-ai-ml 1.35 says it nowhere else: its jobs have a field for it that stays empty.
    """
    with failures.readable(f"find the parent of the job {name!r}"):
        return str(workspace.ml.jobs._runs_operations.get_run(name).parent_run_id or "")  # noqa: SLF001


def _of_family(workspace: Workspace, job: Any) -> dict[str, Any]:
    """Return what a job says of its parent, its reuse and its best child."""
    properties = job.properties or {}
    return {
        "parent": parent(workspace, job.name),
        "reuse": properties.get("mlops_kit.reuse"),
        "reused_job": properties.get("azureml.reusedrunid"),
        "best_trial": properties.get("best_child_run_id"),
    }


def without_secrets(workspace: Workspace, job: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a job without what its submission, or that of the job it is part of, says is secret."""
    paths, above = submission.secrets_of(job.properties), parent(workspace, job.name)
    while above and not paths:
        paths = submission.secrets_of(get(workspace, above).properties)
        above = "" if paths else parent(workspace, above)
    for path in paths:
        steps = path.split(".")
        # A step or a trial has under a key of its own what its parent has at jobs.NAME.KEY or trial.KEY.
        for first in range(len(steps)):
            known = hidden(known, ".".join(steps[first:]))
    return dict(masked(known))


def inputs(job: Any) -> dict[str, Any]:
    """Return the inputs of a job as plain values: literals, or the path of what is read."""
    found = getattr(job, "inputs", None) or {}
    return {key: _plain(value) for key, value in dict(found).items()}


def _plain(value: Any) -> Any:
    """Return the path of an input, or the literal itself."""
    inner = getattr(value, "_data", value)  # nodes of the SDK wrap what was given to them
    path = getattr(inner, "path", None)
    if path is not None:
        return str(path)
    return inner if isinstance(inner, str | int | float | bool) or inner is None else str(inner)


def state(ml: Any, name: str) -> Callable[[], str]:
    """Return a question for :func:`waiting.wait`: the state of a job, or NoAnswer where the service cannot say."""

    def ask() -> str:
        with failures.readable(f"ask for the state of {name!r}"):
            try:
                return word(ml.jobs.get(name).status)
            except Exception as error:
                reason = failures.says_nothing(error)
                if reason is None:
                    raise
                raise NoAnswer(reason) from error

    return ask


def cancel(workspace: Workspace, name: str) -> bool:
    """Ask the service to cancel a job; return whether it had not ended before, once the service has accepted."""
    if word(get(workspace, name).status) in FINAL_STATES:
        return False
    with failures.readable(f"cancel the job {name!r}"):
        workspace.ml.jobs.begin_cancel(name).wait()
    return True


def files(workspace: Workspace, name: str, prefix: str = "") -> list[artifacts.Artifact]:
    """Return the files of a job, sorted by path."""
    get(workspace, name)
    with failures.readable(f"list the files of the job {name!r}"):
        return list(artifacts.files(workspace.store, name, prefix))


def download(workspace: Workspace, name: str, folder: Path, prefix: str = "", force: bool = False) -> list[Path]:
    """Write the files of a job below a folder; ``prefix`` is one file or one folder of them.

    Raises :class:`UsageError` for a prefix the job has not, naming the files it has, and, unless ``force``, for a file
    that would be replaced.
    """
    get(workspace, name)
    with failures.readable(f"download the files of {name!r}"):
        wanted = artifacts.files(workspace.store, name, prefix)
        if not wanted:
            raise missing_path(workspace, name, prefix)
        _require_free(folder, (each.path for each in wanted), force)
        return artifacts.download(workspace.store, name, wanted, folder)


def download_outputs(workspace: Workspace, name: str, folder: Path, force: bool = False) -> list[Path]:
    """Write everything a job has below a folder: its files where :func:`download` has them, and its named outputs.

    Raises :class:`UsageError`, unless ``force``, for a file that would be replaced.
    """
    get(workspace, name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".mlops-kit-") as arrived:
        with failures.readable(f"download the job {name!r}"):
            workspace.ml.jobs.download(name, download_path=arrived, all=True)
        # The SDK puts the files of the job itself into a folder of their own.
        found = {
            path.relative_to(arrived).as_posix().removeprefix("artifacts/"): path
            for path in sorted(Path(arrived).rglob("*"))
            if path.is_file()
        }
        _require_free(folder, found, force)
        return [_moved(path, folder / to) for to, path in sorted(found.items())]


def _require_free(folder: Path, paths: Iterable[str], force: bool) -> None:
    """Refuse to replace a file that is not to be replaced."""
    present = next((folder / path for path in paths if (folder / path).exists()), None)
    if present and not force:
        raise UsageError(f"{present} exists already; --force replaces it")


def _moved(path: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return path.replace(target)


def missing_path(workspace: Workspace, name: str, prefix: str) -> UsageError:
    """Return the error for a path the job has not, naming the files it has."""
    present = [each.path for each in artifacts.files(workspace.store, name)]
    if not present:
        return UsageError(f"the job {name!r} has no files")
    known = (
        "; its files are " + ", ".join(present[:20]) + (f" and {len(present) - 20} more" if len(present) > 20 else "")
    )
    return UsageError(f"the job {name!r} has no file or folder {prefix!r}{known}")


def compare(workspace: Workspace, first: str, second: str) -> dict[str, dict[str, list[Any]]]:
    """Return the inputs, parameters and metrics in which two jobs differ, as ``{kind: {key: [first, second]}}``."""
    jobs = [get(workspace, name) for name in (first, second)]
    with failures.readable("read what the jobs logged"):
        logged = [tracking.logged(workspace.tracking, name) for name in (first, second)]
    pairs = {
        "inputs": [without_secrets(workspace, job, {"inputs": inputs(job)})["inputs"] for job in jobs],
        "params": [each.parameters for each in logged],
        "metrics": [each.metrics for each in logged],
    }
    return {kind: differing(*values) for kind, values in pairs.items()}


def differing(first: dict[str, Any], second: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the keys whose values differ, None standing for a key that one side lacks."""
    keys = sorted(first.keys() | second.keys())
    return {key: [first.get(key), second.get(key)] for key in keys if not _same(first.get(key), second.get(key))}


def _same(one: Any, other: Any) -> bool:
    """Compare two values, NaN being equal to itself."""
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124  the test for NaN


def _passes(job: Any, filters: Filters) -> bool:
    """Tell whether a job passes the filters."""
    return (
        (not filters.experiment or job.experiment_name == filters.experiment)
        and (not filters.status or word(job.status).lower() == filters.status.lower())
        and all((job.tags or {}).get(key) == value for key, value in filters.tags.items())
    )
