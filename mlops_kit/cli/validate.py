"""``mlops-kit validate``: every fault of templates and environment files, each on one line, all in one run."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from mlops_kit import checks, documents, environments, parameters, render
from mlops_kit import project as projects
from mlops_kit.checks import suppressions
from mlops_kit.checks.findings import Finding, error
from mlops_kit.cli import faults, options, parallel
from mlops_kit.documents import Document, Node
from mlops_kit.environments import Environment
from mlops_kit.errors import DocumentError, Place, SourceError, UsageError
from mlops_kit.project import Project

SUFFIXES = (".yml", ".yaml")
UNRENDERED = "the template needs an environment"


@dataclass(frozen=True, slots=True)
class File:
    """A file to check; one that was found in a folder and is no Azure ML file is passed over."""

    path: Path
    is_named: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """The environment to check in, if there is one; ``is_wrong`` where there is one that cannot be loaded."""

    environment: Environment | None = None
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What every file is checked against."""

    chosen: Chosen
    settings: Mapping[str, Node]
    reader: checks.Files


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("-C", "--project", "start", type=click.Path(path_type=Path), metavar="FOLDER", help="Project folder.")
@options.environment_option
@click.option("--all", "whole", is_flag=True, help="Check the whole project; the default without PATHS.")
@click.option("--strict", is_flag=True, help="Let warnings fail, too.")
@click.option("--fix", "mend", is_flag=True, help="Mend what is safe to mend in the files, then check again.")
@click.option("--diff", is_flag=True, help="With --fix: print what would be changed, and change nothing.")
@options.set_option
@options.output_choice("text", "json", "yaml", "github", "sarif")
def command(
    *,
    paths: tuple[Path, ...],
    start: Path | None,
    env: str | None,
    whole: bool,
    strict: bool,
    mend: bool,
    diff: bool,
    settings: tuple[str, ...],
    output: str,
) -> None:
    """Check files, folders of files, templates by their names, or the whole project: its templates and environments.

    A template with ${...} is rendered for the environment first; positions are those of the template. A comment
    '# mlops-kit: ignore[CODE] reason' at the end of a line, or alone on the line before, passes over a finding. --fix
    quotes texts that look like numbers, writes paths with slashes and renames keys that are near to one known key; what
    it does not know for certain it leaves. The exit code is 2 when an error was found.
    """
    if diff and not mend:
        raise UsageError("--diff shows what --fix would do: give both")
    gc.disable()  # documents are trees without cycles: collecting among thousands of live nodes only costs time
    whole = whole or not paths
    project = _project(start, paths, needed=whole or env is not None)
    files = tuple(_files(paths, project, whole=whole))
    overrides, own = options.sorted_settings(settings)
    chosen, found = _environments(project, env, None if whole else [each.path for each in files], overrides)
    context = Context(chosen, render.parse_settings(own), checks.Files(project.folder if project else None))
    templates = [file for file in files if not _is_environment_file(file.path, project)]
    _require_used(context.settings, overrides, templates, chosen)
    found = suppressions.applied(found)
    findings = _findings(found, templates, context)
    if mend and _mend(findings, templates, context, write=not diff) and not diff:
        # What was read of the files before is not true any more.
        context = replace(context, reader=checks.Files(project.folder if project else None))
        findings = _findings(found, templates, context)
    if not diff:
        _print(findings, output)
    if chosen.is_wrong:
        click.echo("templates with ${...} were not checked: their environment is wrong", err=True)
    _conclude(findings, len(files), strict)


def _findings(found: Sequence[Finding], templates: Sequence[File], context: Context) -> tuple[Finding, ...]:
    """Return what was found in the environments and what is wrong with the templates, each finding once."""
    more = parallel.flat_map(lambda file: _file_findings(file, context), templates)
    return _asked_once(tuple(dict.fromkeys([*found, *more])))


def _mend(findings: Sequence[Finding], templates: Sequence[File], context: Context, *, write: bool) -> bool:
    """Mend the files that have findings with a safe edit; return whether there was one to make.

    Each edit is told on stderr; with ``write`` off the difference is printed instead, and the files stay as they are.
    """
    from mlops_kit.cli import fix

    editable = {finding.place.path for finding in findings if finding.edit}
    mended = False
    for file in templates:
        if documents.displayed(file.path) not in editable:
            continue
        result = fix.fixed(file.path, partial(_text_findings, file=file, context=context))
        if result.mended and not write:
            click.echo(fix.difference(result))
        elif result.mended:
            fix.write(result)
            click.echo("\n".join(map(fix.line, result.mended)), err=True)
        mended = mended or bool(result.mended)
    return mended


def _print(findings: Sequence[Finding], output: str) -> None:
    """Print findings in the form that was asked for; what a comment passes over is in the forms for programs only."""
    if output == "sarif":
        from mlops_kit.cli import sarif

        options.print_result(sarif.log(findings), "json")
        return
    standing = suppressions.standing(findings)
    lines = [each.as_annotation() if output == "github" else str(each) for each in standing]
    rows = [each.as_dict() for each in findings]
    options.print_result(rows, "text" if output == "github" else output, lambda _: "\n".join(lines))


def _project(start: Path | None, paths: Sequence[Path], *, needed: bool) -> Project | None:
    """Return the project of the folder, or of the first path; files outside of any project can be checked, too."""
    first = next((path if path.is_dir() else path.parent for path in paths if path.exists()), Path.cwd())
    try:
        return projects.find(start or first)
    except UsageError:
        if needed or start:
            raise
        return None


def _files(paths: Sequence[Path], project: Project | None, *, whole: bool) -> Iterator[File]:
    """Yield each file to check: all templates of the project, the paths; hidden files and folders are left out."""
    if project and whole:
        yield from (File(path, is_named=False) for path in projects.template_paths(project))
    for path in paths:
        if path.is_dir():
            yield from (File(found, is_named=False) for found in _below(path))
        elif path.exists():
            yield File(path, is_named=True)
        else:
            yield File(_template(path, project), is_named=True)


def _template(path: Path, project: Project | None) -> Path:
    """Return the template that has a name."""
    absent = f"there is no file or folder {path}"
    if project is None:
        raise UsageError(absent)
    try:
        return options.template_path(project, str(path))
    except UsageError as error:
        raise UsageError(f"{absent} and {error}") from None


def _below(folder: Path) -> Iterator[Path]:
    """Yield the YAML files below a folder in the order of their names."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        yield from (Path(parent, name) for name in sorted(names) if name.endswith(SUFFIXES))


def _environments(
    project: Project | None, env: str | None, paths: Sequence[Path] | None, overrides: Sequence[str]
) -> tuple[Chosen, list[Finding]]:
    """Return the environment to check in, if any, and what is wrong with it and with those whose files were named.

    ``paths`` is None when the whole project is checked: then the files of every environment are read, and the one to
    check in must have every value that it needs.
    """
    if project is None:
        return Chosen(), []
    known = environments.known(project.environments)
    wanted, findings = _wanted(project, env)
    named = [path.stem for path in paths or () if _is_environment_file(path, project)]
    extra = known if paths is None or environments.BASE in named else named
    chosen = Chosen(is_wrong=bool(findings))
    sound: list[Environment] = []
    for name in dict.fromkeys([*([wanted] if wanted else []), *extra]):
        over = overrides if name == wanted else ()
        environment, wrong = environments.examine(project.environments, name, overrides=over, git=project.git)
        findings += [_finding(fault, project.environments / f"{name}.yaml") for fault in wrong]
        if name == wanted:
            chosen = Chosen(environment, is_wrong=environment is None)
        if environment and (name in named if paths is not None else name == wanted):
            findings += _problems(environment, project)
        if environment:
            sound.append(environment)
    return chosen, [*findings, *_infrastructure(sound)]


def _wanted(project: Project, env: str | None) -> tuple[str | None, list[Finding]]:
    """Return the name of the environment that is meant, if one is, and what is wrong with the default one."""
    try:
        return env or environments.default_name(project.environments), []
    except UsageError:
        return None, []  # templates without expressions need none
    except SourceError as fault:
        return None, [_finding(fault, project.environments / f"{environments.BASE}.yaml")]


def _finding(fault: SourceError, path: Path) -> Finding:
    return error(fault.code, fault.place or Place(documents.displayed(path)), fault.message)


def _require_used(
    settings: Mapping[str, Node], overrides: Sequence[str], files: Sequence[File], chosen: Chosen
) -> None:
    """Refuse settings that would change nothing: those that no file knows, and any without an environment."""
    if (settings or overrides) and not chosen.environment and not chosen.is_wrong:
        raise UsageError("--set needs an environment: name one with -e")
    if settings:
        render.require_known(settings, tuple(document for file in files for document in _readable(file.path)))


def _readable(path: Path) -> tuple[Document, ...]:
    """Return the documents of a file, none when it has faults: those are reported where it is checked."""
    try:
        loaded = documents.load(path)
        for document in loaded:
            parameters.block(document.root)
    except SourceError:
        return ()
    return loaded


def _problems(environment: Environment, project: Project) -> Iterator[Finding]:
    """Yield what an environment lacks; a key that no file has is a fault of the environment's own file."""
    own = Place(documents.displayed(project.environments / f"{environment.name}.yaml"))
    for fault in environments.problems(environment):
        yield error("MK0701" if fault.place else "MK0702", fault.place or own, fault.message)


def _infrastructure(found: Sequence[Environment]) -> Iterator[Finding]:
    """Yield what is wrong with the infrastructure of environments; what they lack here, ``_problems`` tells."""
    from mlops_kit.infra import name_rules, rules

    for environment in found:
        yield from (each for each in rules.findings(environment) if each.code not in {"MK0701", "MK0702"})
    yield from name_rules.clashes(found)


def _is_environment_file(path: Path, project: Project | None) -> bool:
    return project is not None and path.suffix == ".yaml" and path.absolute().parent == project.environments


def _file_findings(file: File, context: Context) -> list[Finding]:
    """Return what is wrong with one file."""
    try:
        return _text_findings(documents.read_text(file.path), file, context)
    except DocumentError as fault:
        return [_finding(fault, file.path)]


def _text_findings(text: str, file: File, context: Context) -> list[Finding]:
    """Return what is wrong with the text of one file.

    Raises:
        DocumentError: The text is no YAML.
    """
    loaded = documents.parse(text, file.path)
    if context.chosen.environment is None:
        found = _unrendered(loaded, file.path, context)
    else:
        found = list(faults.find(loaded, context.chosen.environment, context.settings, context.reader))
    if not found and suppressions.MARKER not in text:
        return []
    if not file.is_named and not any(checks.is_azure_ml(document.root, file.path) for document in loaded):
        return []
    is_whole = _is_whole(loaded, found, context.chosen.environment)
    judged = suppressions.applied(found, {documents.displayed(file.path): text} if is_whole else None)
    return sorted(judged, key=lambda finding: (finding.place.line, finding.place.column))


def _is_whole(loaded: Sequence[Document], found: Sequence[Finding], environment: Environment | None) -> bool:
    """Return whether a file was checked from end to end: all of it was rendered, or needed no rendering."""
    if environment is None and any(faults.first_expression(document.root) for document in loaded):
        return False
    is_cut = any(suppressions.is_firm(finding) for finding in found)
    return not is_cut and (environment is None or faults.applies(loaded, environment))


def _unrendered(loaded: Sequence[Document], path: Path, context: Context) -> list[Finding]:
    """Check documents as they are; those that must be rendered first need an environment, and a right one."""
    findings = list(checks.beside([each for each in loaded if not faults.first_expression(each.root)]))
    for document in loaded:
        if place := faults.first_expression(document.root):
            if not context.chosen.is_wrong:
                findings.append(error("MK0801", place, UNRENDERED, "name one with -e"))
        else:
            findings += checks.check(document.root, path, context.reader)
    return findings


def _asked_once(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Keep the first of the templates that need an environment: that none was named is one fault, not one for each."""
    asking = [finding for finding in findings if finding.message == UNRENDERED]
    if len(asking) < 2:
        return findings
    told = replace(asking[0], message=f"{UNRENDERED}, and so do {len(asking) - 1} more")
    return (told, *(finding for finding in findings if finding.message != UNRENDERED))


def _conclude(findings: Sequence[Finding], files: int, strict: bool) -> None:
    """Say on stderr how many faults there are, and leave with exit code 2 when they fail the check."""
    standing = suppressions.standing(findings)
    errors = sum(finding.severity == "error" for finding in standing)
    warnings, suppressed = len(standing) - errors, len(findings) - len(standing)
    counts = ((files, "file"), (errors, "error"), (warnings, "warning"))
    words = [options.counted(count, noun) for count, noun in counts]
    click.echo(", ".join([*words, f"{suppressed} suppressed"] if suppressed else words), err=True)
    if errors or (strict and warnings):
        sys.exit(2)
