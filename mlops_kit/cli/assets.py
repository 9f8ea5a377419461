"""``mlops-kit data | model | component | environment``: list, show and register assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from mlops_kit.cli import options, prepare, present
from mlops_kit.cli.connection import Where, connected, in_workspace
from mlops_kit.errors import UsageError
from mlops_kit.workspace import assets, hints, models, submit, sweeps

_VERSION_COLUMNS = ("name", "version", "created", "tags", "properties", "description")


def _group(kind: str) -> click.Group:
    """Return the command group of one kind of asset."""
    group = click.Group(kind, help=f"List, show and register {assets.WORDS[kind]}s.")
    group.add_command(_list(kind))
    group.add_command(_show(kind))
    group.add_command(register_model if kind == "model" else _register(kind))
    return group


def _list(kind: str) -> click.Command:
    word = assets.WORDS[kind]

    @click.command("list", help=f"List the {word}s with their newest version, or every version of NAME.")
    @click.argument("name", required=False)
    @click.option("--archived", is_flag=True, help="Archived ones instead of active ones.")
    @in_workspace
    def list_(name: str | None, archived: bool, where: Where) -> None:
        with connected(where) as workspace:
            if name:
                rows = assets.versions(workspace.ml, kind, name, archived)
            else:
                rows = assets.latest(workspace.ml, kind, archived)
        names = _VERSION_COLUMNS if name else ("name", "version", *(["type"] if kind == "data" else []))
        shown = [{key: _without_ours(value) for key, value in row.items()} for row in rows]
        where.show(rows, lambda _: present.columns(shown, names, f"no {word}s"))

    return list_


def _without_ours(value: Any) -> Any:
    """Return tags or properties without those that say how the asset was made; None for none."""
    if not isinstance(value, Mapping):
        return value
    return {key: one for key, one in value.items() if not key.startswith(assets.OURS)} or None


def _show(kind: str) -> click.Command:
    @click.command("show", help=f"Show one {assets.WORDS[kind]}: NAME (the newest), NAME:VERSION or NAME@latest.")
    @click.argument("reference", metavar="NAME[:VERSION]")
    @in_workspace
    def show(reference: str, where: Where) -> None:
        with connected(where) as workspace:
            found = assets.show(workspace.ml, kind, reference)
        where.show(found, present.outline)

    return show


_new_version = click.option("--new-version", is_flag=True, help="Make the next version even of unchanged content.")


def _register(kind: str) -> click.Command:
    words = f"Register the {assets.WORDS[kind]}s of TEMPLATE. Unchanged content makes no new version."

    @click.command("register", help=words)
    @click.argument("template")
    @options.set_option
    @_new_version
    @options.yes_option
    @in_workspace
    def register(template: str, settings: tuple[str, ...], new_version: bool, yes: bool, where: Where) -> None:
        made = _from_template(kind, template, settings, where, new_version=new_version, yes=yes)
        _show_registered(made, where)

    return register


def _from_template(
    kind: str, template: str, settings: Sequence[str], where: Where, *, new_version: bool, yes: bool
) -> list[assets.Registered]:
    """Render a template and register its assets, which must be of one kind."""
    prepared = prepare.prepare(where, template, settings)
    other = next((item.kind for item in prepared.items if item.kind != kind), None)
    if other:
        verb = ["run"] if other == "job" else [other, "register"]
        command = hints.typed(where.typed(prepared.environment.name), *verb, template)
        raise UsageError(f"{template} holds a {other}, not only {kind}; use '{command}'")
    options.require_consent(prepared.environment, yes, f"register {template}")
    with connected(where, prepared.environment) as workspace:
        loaded = submit.load(prepared.items)
        return list(submit.register(workspace, loaded, prepared.project, new_version=new_version))


@click.command("register")
@click.argument("template", required=False)
@click.option("--job", default="", help="Register what this job wrote, instead of a TEMPLATE.")
@click.option("--sweep", default="", help="Register what the best trial of this sweep wrote, as with --job.")
@click.option("--path", default="", help="With --job: file or folder of the job, for example outputs/model.")
@click.option("--name", default="", help="With --job: name of the model; its version is the next one.")
@click.option("--type", "kind", type=click.Choice(models.TYPES), help="With --job; default: as its files say.")
@click.option("--description", default="", help="With --job: description of the model.")
@click.option("--property", "properties", multiple=True, metavar="KEY=VALUE", help="With --job; may be repeated.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="With --job; may be repeated.")
@click.option("--from-metrics", is_flag=True, help="With --job: the job's metrics become properties of the model.")
@options.set_option
@_new_version
@options.yes_option
@in_workspace
def register_model(
    *,
    where: Where,
    yes: bool,
    template: str | None,
    settings: tuple[str, ...],
    properties: tuple[str, ...],
    tags: tuple[str, ...],
    new_version: bool,
    sweep: str,
    **given: Any,
) -> None:
    """Register the models of TEMPLATE, or with --job or --sweep what a job wrote.

    A template with unchanged content makes no new version; from a job the next version is made every time.
    """
    if [bool(template), bool(given["job"]), bool(sweep)].count(True) != 1:
        raise UsageError("give a TEMPLATE, or --job or --sweep with --path and --name")
    if template:
        _refuse_unused({**given, "properties": properties, "tags": tags})
        registered = _from_template("model", template, settings, where, new_version=new_version, yes=yes)
        _show_registered(registered, where)
        return
    if not (given["path"] and given["name"]):
        option = "--sweep" if sweep else "--job"
        raise UsageError(f"{option} needs --path (file or folder of the job) and --name (of the model)")
    overrides, own = options.sorted_settings(settings)
    if own:
        raise UsageError(f"--set {own[0].partition('=')[0]} would change nothing: with --job there is no template")
    environment = where.environment(overrides)
    options.require_consent(environment, yes, f"register the model {given['name']}")
    project = prepare.project_name(environment)
    owned = {**environment.tags, **options.pairs(tags, "--tag"), assets.PROJECT_TAG: project}
    wish = models.FromJob(properties=options.pairs(properties, "--property"), tags=owned, **given)
    with connected(where, environment) as workspace:
        wish = replace(wish, job=sweeps.best(workspace, sweep)) if sweep else wish
        made = models.register(workspace, wish)
    _show_registered([made], where)


def _refuse_unused(given: Mapping[str, Any]) -> None:
    """Refuse what only means something with --job; the template says it itself."""
    spelled = {"kind": "type", "properties": "property", "tags": "tag", "from_metrics": "from-metrics"}
    unused = [spelled.get(key, key) for key, value in given.items() if value]
    if unused:
        raise UsageError(f"--{unused[0]} would change nothing: it goes with --job, a TEMPLATE says it itself")


def _show_registered(registered: list[assets.Registered], where: Where) -> None:
    """Print what was registered: one object, or a list of several."""
    rows = [asdict(each) for each in registered]
    shown = [{**row, "": "new" if row["created"] else "unchanged"} for row in rows]
    text = present.columns(shown, ("kind", "name", "version", ""), "nothing to register")
    where.show(rows[0] if len(rows) == 1 else rows, lambda _: text)


data = _group("data")
model = _group("model")
component = _group("component")
environment = _group("environment")
