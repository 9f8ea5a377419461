"""``mlops-kit run``: a template becomes documents, the documents are checked, submitted, and waited for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import click

from mlops_kit.cli import finish, options, prepare, record
from mlops_kit.cli.connection import Where, connected, in_workspace
from mlops_kit.errors import DocumentError, MlopsKitError, UsageError
from mlops_kit.workspace import hints, jobs, names, references, submission, submit
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.secrets import masked
from mlops_kit.workspace.waiting import Limits

SECONDS = options.Seconds(min=0)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller wants done with the jobs of a template."""

    wait: bool = True
    stream: bool = False
    limits: Limits = field(default_factory=Limits)
    name: str = ""
    attempt: str | None = None


@click.command()
@click.argument("template", required=False)
@click.option("--like", metavar="JOB", help="Submit the template of JOB again, with the values JOB got; --set wins.")
@options.set_option
@click.option("--wait/--no-wait", default=True, help="Wait for the result, or return once the job is accepted.")
@click.option("--stream", is_flag=True, help="Follow the log of the job on stderr.")
@click.option("--timeout", type=SECONDS, metavar="SECONDS", help="Give up waiting after so many seconds of running.")
@click.option(
    "--queue-timeout", type=SECONDS, metavar="SECONDS", help="Give up waiting after so many seconds in the queue."
)
@click.option("--name", default="", help="Name of the job.  [default: derived from its content]")
@click.option("--attempt", help="The same token and content is the same job.  [default: of the GitHub Actions step]")
@options.yes_option
@in_workspace
def command(
    *,
    where: Where,
    yes: bool,
    template: str | None,
    like: str | None,
    settings: tuple[str, ...],
    timeout: float | None,
    queue_timeout: float | None,
    attempt: str | None,
    **wish: Any,
) -> None:
    """Render TEMPLATE, submit it, and wait for the result.

    TEMPLATE is a file, or the name of one below templates/. Assets in the same file are registered first. --set takes
    a declared parameter, a path that the template holds (inputs.lr=0.1), or a value of the environment
    (env.compute=gpu). The exit code is the job's: 0 completed, 1 failed, 4 cancelled, 5 gave up waiting (the job goes
    on).
    """
    attempt = attempt or _attempt(like)
    wanted = Wish(limits=finish.limits(timeout, queue_timeout), attempt=attempt, **wish)
    if template and not like:
        prepared = prepare.prepare(where, template, settings)
        _require_jobs(where, prepared, template, wanted)
        options.require_consent(prepared.environment, yes, f"run {template}")
        with connected(where, prepared.environment) as workspace:
            results, fault = execute(workspace, prepared, wanted)
    elif like and not template:
        with connected(where, where.environment(options.sorted_settings(settings)[0])) as workspace:
            prepared, changed = _like(where, workspace, like, settings)
            _require_jobs(where, prepared, prepared.submission.template, wanted)
            options.require_consent(prepared.environment, yes, f"run {prepared.submission.template}")
            results, fault = execute(workspace, prepared, wanted)
        results = [{**each, "like": like, "changed": changed} for each in results]
    else:
        raise UsageError("give a TEMPLATE, or --like JOB for the template of a job")
    where.show(results[0] if len(results) == 1 else results, text)
    if fault:
        raise fault


def _attempt(like: str | None) -> str | None:
    """Return the token of a step of GitHub Actions: a job like another one is not that one, even in one step."""
    token = names.attempt_token(os.environ)
    return f"{token}.{like}" if token and like else token


def _like(
    where: Where, workspace: Workspace, job: str, settings: tuple[str, ...]
) -> tuple[prepare.Prepared, dict[str, list[Any]]]:
    """Prepare the template of a job again with the values it got; return it and what differs, and say so."""
    recorded = submission.of(jobs.get(workspace, job).properties)
    if recorded is None:
        raise UsageError(f"the job {job!r} does not say what it was made of: 'mlops-kit run' has not submitted it")
    if recorded.environment != workspace.target.environment:
        raise UsageError(f"the job {job!r} was submitted in the environment {recorded.environment!r}: name it with -e")
    path = where.project.folder / recorded.template
    if not path.resolve().is_relative_to(where.project.folder.resolve()):
        # Whoever can write to the workspace can write this: it must not choose a file of this machine.
        raise UsageError(f"the job {job!r} was made of {recorded.template}, which is outside of this project")
    if not path.is_file():
        raise UsageError(f"{recorded.template}, the template of the job {job!r}, is not there any more")
    texts, values = record.like(job, recorded, settings)
    prepared = prepare.prepare(where, str(path), texts, values)
    changed = record.changes(recorded, prepared.submission)
    for key, (old, new) in changed.items():
        finish.say(job, f"{key} was {_shown(key, old)}, now {_shown(key, new)}")
    contents = {item.properties[submission.CONTENT] for item in prepared.items}
    if not changed and recorded.content not in contents:
        finish.say(job, "the template or the environment has changed since, and renders differently")
    return prepared, masked(changed)


def _shown(key: str, value: Any) -> str:
    return "not there" if value is None else str(masked({key: value})[key])


def _require_jobs(where: Where, prepared: prepare.Prepared, template: str, wish: Wish) -> None:
    """Refuse a template without a job, and one name for several jobs."""
    count = sum(item.kind == "job" for item in prepared.items)
    if not count:
        command = hints.typed(where.typed(prepared.environment.name), prepared.items[0].kind, "register", template)
        raise UsageError(f"{template} holds no job; register it with '{command}'")
    if count > 1 and wish.name:
        raise UsageError(f"{template} holds {count} jobs; --name names one")


def execute(
    workspace: Workspace, prepared: prepare.Prepared, wish: Wish
) -> tuple[list[dict[str, Any]], MlopsKitError | None]:
    """Submit everything and wait as wished; return one result per job and the first fault.

    A job that is refused ends the submission; those before it go on, and are not waited for.
    """
    loaded = submit.load(prepared.items)
    _require_runnable(prepared, loaded)
    _require_references(workspace, prepared)
    registered = []
    for asset in submit.register(workspace, loaded, prepared.project):
        click.echo(f"{asset.kind} {asset.reference} {'registered' if asset.created else 'unchanged'}", err=True)
        registered.append(asdict(asset))
    made, refused = _submit(workspace, loaded, wish)
    ended = [_end(workspace, job, replace(wish, wait=wish.wait and not refused)) for job in made]
    results = [
        {
            "name": job.name,
            "experiment": job.experiment,
            **each.result,
            **({"link": job.link} if job.link else {}),
            "registered": registered,
        }
        for job, each in zip(made, ended, strict=True)
    ]
    return results, refused or next((each.fault for each in ended if each.fault), None)


def _require_runnable(prepared: prepare.Prepared, loaded: Sequence[submit.Loaded]) -> None:
    """Refuse a job that the local control plane would refuse, before the SDK registers the components in it."""
    others = [each for each in loaded if each.item.kind == "job" and each.entity.type != "command"]
    if not (prepared.environment.is_local and others):
        return
    from mlops_kit.local.providers import job_bodies
    from mlops_kit.local.runs.pipelines import steps

    later = {kind.lower(): sentence for kind, sentence in job_bodies.LATER.items()}
    for each in others:
        parts = {"type": each.entity.type}
        parts |= {f"jobs.{name}.type": step.type for name, step in getattr(each.entity, "jobs", {}).items()}
        for path, kind in parts.items():
            known = later if path == "type" else steps.LATER
            if sentence := known.get(str(kind).lower()):
                raise DocumentError(f"{sentence.rstrip('.')}; nothing was submitted", each.item.locate(path))


def _require_references(workspace: Workspace, prepared: prepare.Prepared) -> None:
    """Print every reference to what the workspace lacks, and refuse to go on after one."""
    faults = references.faults(workspace.ml, prepared.items)
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        raise UsageError(f"{options.counted(len(faults), 'error')}; nothing was submitted")


def _submit(
    workspace: Workspace, loaded: Sequence[submit.Loaded], wish: Wish
) -> tuple[list[submit.Submitted], MlopsKitError | None]:
    """Submit the jobs in turn and say so at once; return those made, and why the next one was refused."""
    made: list[submit.Submitted] = []
    for each in loaded:
        if each.item.kind != "job":
            continue
        try:
            job = submit.create_job(workspace, each, wish.attempt, wish.name)
        except MlopsKitError as error:
            if not made:
                raise
            return made, error
        finish.say(job.name, "submitted" if job.created else "was submitted by this attempt before; joining it")
        made.append(job)
    return made, None


def _end(workspace: Workspace, job: submit.Submitted, wish: Wish) -> finish.Ended:
    """Wait for a job if wished, else say how to go on."""
    if wish.wait:
        return finish.finish(workspace, job.name, wish.limits, wish.stream)
    onward = hints.goes_on(job.name, workspace.target.options)
    finish.say(job.name, f"not waited for, its result is unknown; {onward}")
    return finish.Ended({"status": job.state}, None)


def text(value: Any) -> str:
    """Return the words for the result of one or several jobs."""
    results = value if isinstance(value, list) else [value]
    return "\n".join(f"{each['name']}  {each['status']}" for each in results)
