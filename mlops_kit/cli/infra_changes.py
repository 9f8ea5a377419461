"""``mlops-kit infra plan | up | refresh | destroy``: change the infrastructure of an environment, or see what would."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_kit import outputs as recorded_outputs
from mlops_kit.cli import options
from mlops_kit.errors import MlopsKitError, OperationFailed, UsageError

if TYPE_CHECKING:
    from mlops_kit.cli.infra_site import Site, Wanted
    from mlops_kit.infra.changes import Changes
    from mlops_kit.infra.protection import Losses
    from mlops_kit.infra.saved_plan import Planned
    from mlops_kit.infra.soft_deleted import Tombstone

DIFFERENT = 3
_FILE = click.Path(dir_okay=False, path_type=Path)


def on_infrastructure(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-e``, ``--set``, ``--engine``, ``-o`` and ``-C``; the command gets ``wanted`` and ``output``."""

    @functools.wraps(command)
    def collected(*, project: Any, env: str | None, settings: tuple[str, ...], engine: str, **rest: Any) -> Any:
        from mlops_kit.cli.infra_site import Wanted

        return command(wanted=Wanted(project, env, settings, engine, rest.pop("adopt", ())), **rest)

    engine = click.option(
        "--engine",
        type=click.Choice(("terraform", "pulumi")),
        default="terraform",
        show_default=True,
        envvar="MLOPS_KIT_ENGINE",
        show_envvar=True,
        help="What makes the resources.",
    )
    for option in (options.project_option, options.output_option, engine, options.set_option):
        collected = option(collected)
    return options.environment_option(collected)


def _adopt_option(command: Callable[..., Any]) -> Callable[..., Any]:
    text = "Take over a resource that exists; may be given several times. On this machine all are."
    return click.option("--adopt", multiple=True, metavar="ID", help=text)(command)


def _loss_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for action in ("delete", "replace"):
        text = f"Let a protected environment {action} this resource: its address, name or id. May be repeated."
        command = click.option(f"--{action}", f"{action}s", multiple=True, metavar="ID", help=text)(command)
    return command


@click.command()
@click.option("--out", type=_FILE, metavar="FILE", help="Save the plan, for 'up --plan' or 'destroy --plan'.")
@click.option("--destroy", "destroys", is_flag=True, help="Plan to delete everything.")
@click.option("--exit-code", is_flag=True, help="Leave with 3 when 'up' would do something.")
@_adopt_option
@on_infrastructure
def plan(wanted: Wanted, output: str, out: Path | None, destroys: bool, exit_code: bool) -> None:
    """Print what 'up' would do; nothing is changed.

    What was changed outside is printed, too. Where 'up' would leave it as it is, it is nothing to do, and --exit-code
    does not count it: that of 'refresh' does.
    """
    from mlops_kit.cli.infra_site import opened
    from mlops_kit.infra import changes, saved_plan

    with opened(wanted) as site:
        _require_ours(site, needed=False)
        planned = _plan(site, destroys=destroys)
        if not destroys:
            _note_deleted(site)
        if out is not None:
            saved_plan.save(out, planned, site.basis)
    _show(planned.changes, output, changes.as_text)
    if exit_code and planned.changes.differs:
        sys.exit(DIFFERENT)


def _note_deleted(site: Site) -> None:
    """Tell which names are kept by what is deleted; a plan is a plan without that, too."""
    try:
        found = _deleted(site)
    except MlopsKitError as error:
        _note(f"which deleted vaults and workspaces keep their names is not known: {error}")
        return
    for one in found:
        _note(f"{one}; 'up' will {one.fate}")


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)


@click.command()
@click.option("--plan", "file", type=_FILE, metavar="FILE", help="Apply this saved plan, exactly.")
@options.yes_option
@_loss_options
@_adopt_option
@on_infrastructure
def up(
    *, wanted: Wanted, output: str, file: Path | None, yes: bool, replaces: tuple[str, ...], deletes: tuple[str, ...]
) -> None:
    """Make the infrastructure as the environment says: plan, show, ask, apply.

    A protected environment needs a saved plan, and the names of what may be replaced or deleted.
    """
    from mlops_kit.cli.infra_site import opened
    from mlops_kit.infra import changes, protection, soft_deleted

    if file is not None and wanted.adopt:
        raise UsageError("--adopt belongs to 'plan --out': a saved plan says already what is taken over")
    with opened(wanted) as site:
        _require_ours(site)
        planned = _loaded(site, file, destroys=False) if file else _plan(site)
        deleted = soft_deleted.as_allowed(_deleted(site), deletes)
        of_plan = tuple(name for name in deletes if not any(one.lacks and one.is_called({name}) for one in deleted))
        allowed = _losses(replaces, of_plan)
        protection.check(planned.changes, allowed, protected=site.environment.protected, planned=file is not None)
        _require_freeable(site, planned, deleted)
        if planned.changes.differs:
            _require_consent(site, planned.changes, deleted, yes=yes, shown=file is not None)
            planned = _with_names_freed(site, planned, deleted)
            done = site.engine.apply(planned, lambda line: click.echo(line, err=True))
        else:
            done = planned.changes
        _record(site)
    _show(done, output, changes.summary_line)


@click.command()
@click.option("--exit-code", is_flag=True, help="Leave with 3 when something was changed outside.")
@on_infrastructure
def refresh(wanted: Wanted, output: str, exit_code: bool) -> None:
    """Look at what is there, record it, and print what was changed outside since the engine last looked."""
    from mlops_kit.cli.infra_site import opened
    from mlops_kit.infra import changes

    with opened(wanted) as site:
        found = site.engine.refresh()
        _record(site)
    _show(found, output, lambda drifted: changes.as_text(drifted) if drifted.drift else "nothing was changed outside")
    if exit_code and found.drift:
        sys.exit(DIFFERENT)


@click.command()
@click.option("--confirm", metavar="NAME", help="The name of the environment, instead of being asked for it.")
@click.option("--plan", "file", type=_FILE, metavar="FILE", help="Apply this plan, saved by 'plan --destroy --out'.")
@click.option("--delete", "deletes", multiple=True, metavar="ID", help="Let this resource of others go, too.")
@on_infrastructure
def destroy(wanted: Wanted, output: str, confirm: str | None, file: Path | None, deletes: tuple[str, ...]) -> None:
    """Delete everything that the engine has made, and print what is left.

    A protected environment needs a saved plan. What others have put into the resource group would go with it, and has
    to be named. On this machine the control plane goes, too, when it holds nothing else.
    """
    from mlops_kit.cli.infra_site import is_last, is_untouched, opened
    from mlops_kit.infra import changes
    from mlops_kit.infra.receipt import NOTHING, receipt

    environment = options.chosen_environment(wanted.project, wanted.env, overrides=wanted.settings)
    if confirm is not None:
        _require_name(environment.name, confirm)
    if is_untouched(wanted, environment):
        click.echo(f"{wanted.engine} has made nothing here", err=True)
        options.print_result(NOTHING.as_dict(), output, lambda _: NOTHING.as_text())
        return
    with opened(wanted) as site:
        _require_ours(site)
        planned = _loaded(site, file, destroys=True) if file else _plan(site, destroys=True)
        purged: tuple[str, ...] = ()
        if planned.changes.real:
            _require_planned(site, file)
            _require_alone(site, planned, deletes)
            click.echo(changes.as_text(_cleared(planned.changes)), err=True)
            _require_name(site.name, confirm)
            site.engine.apply(planned, lambda line: click.echo(line, err=True))
            recorded_outputs.record(recorded_outputs.file_of(site.project.folder, site.name), {})
            purged = _purged(site)
        else:
            click.echo(f"{site.engine.name} has made nothing in {site.name!r}", err=True)
        left = receipt(site.arm, site.values, purged=purged, state=str(site.state))
        is_over = not left.soft_deleted and is_last(site)
    if is_over:
        left = replace(left, state=None)
        _remove_plane(site)
    options.print_result(left.as_dict(), output, lambda _: left.as_text())


def _require_ours(site: Site, *, needed: bool = True) -> None:
    """Refuse to go on with what the other engine has made; only a plan goes on where that cannot be known."""
    from mlops_kit.infra import ownership

    try:
        made = ownership.made_by(site.arm, site.values)
    except MlopsKitError as error:
        if needed:
            raise
        _note(f"which engine has made the resource group is not known: {error}")
    else:
        ownership.require(site.engine.name, made, site.name)


def _plan(site: Site, *, destroys: bool = False) -> Planned:
    """Say what is to be known before, and return the engine's plan; refuse an id to take over that it does not want."""
    for one in () if destroys or site.environment.is_local else _preflight(site):
        _note(one)
    planned = site.engine.plan(destroys=destroys)
    taken = {(item.id or "").lower() for item in planned.changes.items}
    if unknown := sorted(site.adopted - taken):
        raise UsageError(f"--adopt {unknown[0]}: no resource of this environment has that id")
    return planned


def _preflight(site: Site) -> Iterator[str]:
    from mlops_kit.infra import preflight

    return preflight.notes(site.values)


def _loaded(site: Site, file: Path, *, destroys: bool) -> Planned:
    from mlops_kit.infra import saved_plan

    planned = saved_plan.load(file, site.name, site.engine.name, site.basis)
    if planned.destroys != destroys:
        verb, other = ("destroy", "up") if destroys else ("up", "destroy")
        raise UsageError(f"{file} is not a plan for {verb!r}: give it to 'mlops-kit infra {other}'")
    site.engine.require_fresh(planned)
    return planned


def _losses(replaces: tuple[str, ...], deletes: tuple[str, ...]) -> Losses:
    from mlops_kit.infra.protection import Losses

    return Losses(replaces, deletes)


def _deleted(site: Site) -> tuple[Tombstone, ...]:
    """Return the deleted vault and workspace that keep their names; note what is not known of them."""
    from mlops_kit.infra import soft_deleted

    return soft_deleted.find(site.arm, site.values, _note)


def _require_freeable(site: Site, planned: Planned, deleted: tuple[Tombstone, ...]) -> None:
    """Refuse to go on where a name cannot be freed, or where the plan does not need it."""
    from mlops_kit.infra import soft_deleted

    if not deleted:
        return
    # To the pulumi CLI nobody says what it is to take over: that is the program's, or 'pulumi import'.
    soft_deleted.require_possible(deleted, adopts=site.environment.is_local or site.engine.name != "pulumi")
    soft_deleted.require_expected(deleted, planned.changes, site.engine.owned())


def _require_consent(site: Site, changes: Changes, deleted: tuple[Tombstone, ...], *, yes: bool, shown: bool) -> None:
    """Show what is about to be done, and ask; a saved plan was read already, unless the environment is protected."""
    from mlops_kit.infra.changes import as_text

    click.echo(as_text(_cleared(changes)), err=True)
    for one in deleted:
        click.echo(f"{one}; 'up' will {one.fate}", err=True)
    if yes or (shown and not site.environment.protected):
        return
    if not sys.stdin.isatty():
        raise UsageError(f"nobody can be asked: give --yes to change the infrastructure of {site.name!r}")
    click.confirm(f"Do this in {site.name!r}?", abort=True, err=True)


def _with_names_freed(site: Site, planned: Planned, deleted: tuple[Tombstone, ...]) -> Planned:
    """Purge or recover what keeps a name; what is recovered is taken over, and nothing else may change by that."""
    from mlops_kit.infra import soft_deleted

    if deleted:  # what is purged does not come back, whatever the engine says afterwards
        site.engine.require_fresh(planned)
    for one in deleted:
        click.echo(f"{'purging' if one.policy == 'purge' else 'recovering'} the {one.kind} {one.name}", err=True)
        soft_deleted.resolve(site.arm, site.values, one)
        if one.policy == "recover":
            site.adopted.add(one.id.lower())
    if not any(one.policy == "recover" for one in deleted):
        return planned
    fresh = site.engine.plan()
    if _beyond_adoption(planned.changes, fresh.changes):
        raise UsageError(
            "what was deleted is back, and now another plan is needed: run 'mlops-kit infra plan' and look at it"
        )
    return fresh


def _beyond_adoption(before: Changes, after: Changes) -> bool:
    """Say whether a plan does anything but what an earlier one did, with some creations become adoptions."""
    was = {item.address: item.action for item in before.real}
    return any(
        was.get(item.address) != item.action and (was.get(item.address), item.action) != ("create", "adopt")
        for item in after.real
    )


def _record(site: Site) -> None:
    """Record the outputs for ``${env.infra.NAME}``; the secret ones are left out."""
    found = {name: one.value for name, one in site.engine.outputs().items() if not one.secret}
    recorded_outputs.record(recorded_outputs.file_of(site.project.folder, site.name), found)


def _require_planned(site: Site, file: Path | None) -> None:
    if site.environment.protected and file is None:
        raise UsageError(
            f"the environment {site.name!r} is protected: save a plan with 'mlops-kit infra plan -e {site.name}"
            " --destroy --out FILE', read it, and give it with --plan FILE"
        )


def _require_alone(site: Site, planned: Planned, deletes: tuple[str, ...]) -> None:
    """Refuse to take along what others have put into the group, unless it is named."""
    from mlops_kit.infra.arm import group_id
    from mlops_kit.infra.receipt import outsiders

    group = group_id(site.values).lower()
    if not any((item.id or "").lower() == group for item in planned.changes.real):
        return
    named = {one.lower() for one in deletes}
    others = [one for one in outsiders(site.arm, site.values, site.engine.owned()) if one.lower() not in named]
    if others:
        allow = " ".join(f"--delete {one}" for one in others)
        raise UsageError(
            f"the resource group holds what {site.engine.name} has not made and what would go with it; nothing was"
            f" changed. To allow it: {allow}"
        )


def _require_name(name: str, confirm: str | None) -> None:
    if confirm is None:
        if not sys.stdin.isatty():
            raise UsageError(f"nobody can be asked: give --confirm {name} to destroy it")
        confirm = click.prompt(f"Name the environment that is to be destroyed ({name})", err=True)
    if confirm != name:
        raise UsageError(f"{confirm!r} is not {name!r}; nothing was destroyed")


def _remove_plane(site: Site) -> None:
    from mlops_kit.cli import plane
    from mlops_kit.local import supervisor

    folder = plane.state_folder(site.project, site.name)
    supervisor.reset(folder)
    click.echo(f"the control plane held nothing else: it was stopped, and {folder} deleted", err=True)


def _purged(site: Site) -> tuple[str, ...]:
    """Purge what is deleted but not gone where the environment says so; never what is protected from that."""
    from mlops_kit.infra import soft_deleted

    gone = []
    for one in _deleted(site):
        if one.policy != "purge" or one.protected:
            continue
        click.echo(f"purging the {one.kind} {one.name}", err=True)
        try:
            soft_deleted.purge(site.arm, one)
        except OperationFailed as refused:  # not the end: the receipt says that it is still there
            _note(str(refused))
        else:
            gone.append(one.id)
    return tuple(gone)


def _cleared(found: Changes) -> Changes:
    """Return changes without what secret variables say."""
    from mlops_kit.infra.redaction import redactor

    return redactor(os.environ).changes(found)


def _show(found: Changes, output: str, text: Callable[[Changes], str]) -> None:
    clear = _cleared(found)
    options.print_result(clear.as_dict() if output != "text" else clear, output, text)
