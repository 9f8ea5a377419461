"""``mlops-kit validate``: every fault of templates and environment files, each on one line, all in one run."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from mlops_kit import checks, documents, environments, parameters, render
from mlops_kit import project as projects
from mlops_kit.checks.findings import Finding, error
from mlops_kit.cli import options, parallel
from mlops_kit.cli.rendering import first_expression, render_all
from mlops_kit.documents import Document, Node
from mlops_kit.environments import Environment
from mlops_kit.errors import DocumentError, EnvironmentFileError, Place, SourceError, UsageError
from mlops_kit.project import Project

SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True, slots=True)
class File:
    """A file to check; one that was found in a folder and is no Azure ML file is passed over."""

    path: Path
    is_named: bool


@dataclass(frozen=True, slots=True)
class Context:
    """What every file is checked against."""

    environments: tuple[Environment, ...]
    settings: Mapping[str, Node]
    reader: checks.Files


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("-C", "--project", "start", type=click.Path(path_type=Path), metavar="FOLDER", help="Project folder.")
@options.environment_option
@click.option("--all", "whole", is_flag=True, help="Check the whole project; the default without PATHS.")
@click.option("--strict", is_flag=True, help="Let warnings fail, too.")
@options.set_option
@options.output_choice("text", "json", "github")
def command(
    *,
    paths: tuple[Path, ...],
    start: Path | None,
    env: str | None,
    whole: bool,
    strict: bool,
    settings: tuple[str, ...],
    output: str,
) -> None:
    """Check files, folders of files, or the whole project: its templates and its environments.

    A template with ${...} is rendered for the environment first; positions are those of the template. The exit code is
    2 when an error was found.
    """
    gc.disable()  # documents are trees without cycles: collecting among thousands of live nodes only costs time
    whole = whole or not paths
    project = _project(start, paths, needed=whole or env is not None)
    files = tuple(_files(paths, project if whole else None))
    overrides, own = options.sorted_settings(settings)
    chosen, found = _environments(project, env, None if whole else [each.path for each in files], overrides)
    context = Context(chosen, render.parse_settings(own), checks.Files(project.folder if project else None))
    templates = [file for file in files if not _is_environment_file(file.path, project)]
    _require_used(context.settings, overrides, templates, chosen)
    found += parallel.flat_map(lambda file: _file_findings(file, context), templates)
    findings = tuple(dict.fromkeys(found))
    lines = [each.as_annotation() if output == "github" else str(each) for each in findings]
    options.print_result([each.as_dict() for each in findings], output, lambda _: "\n".join(lines))
    _conclude(findings, len(files), strict)


def _project(start: Path | None, paths: Sequence[Path], *, needed: bool) -> Project | None:
    """Return the project of the folder, or of the first path; files outside of any project can be checked, too."""
    first = next((path if path.is_dir() else path.parent for path in paths if path.exists()), Path.cwd())
    try:
        return projects.find(start or first)
    except UsageError:
        if needed or start:
            raise
        return None


def _files(paths: Sequence[Path], project: Project | None) -> Iterator[File]:
    """Yield each file to check: all templates of the project, the paths; hidden files and folders are left out."""
    if project:
        yield from (File(path, is_named=False) for path in projects.template_paths(project))
    for path in paths:
        if path.is_dir():
            yield from (File(found, is_named=False) for found in _below(path))
        elif path.exists():
            yield File(path, is_named=True)
        else:
            raise UsageError(f"there is no file or folder {path}")


def _below(folder: Path) -> Iterator[Path]:
    """Yield the YAML files below a folder in the order of their names."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        yield from (Path(parent, name) for name in sorted(names) if name.endswith(SUFFIXES))


def _environments(
    project: Project | None, env: str | None, paths: Sequence[Path] | None, overrides: Sequence[str]
) -> tuple[tuple[Environment, ...], list[Finding]]:
    """Return the environment to check in, if any, and what is wrong with it and with those whose files were named.

    ``paths`` is None when the whole project is checked: then an environment must have every value that it needs.
    """
    if project is None:
        return (), []
    wanted = (env,) if env else _default(project)
    named = [path.stem for path in paths or () if _is_environment_file(path, project)]
    extra = environments.known(project.environments) if environments.BASE in named else named
    loaded: list[Environment] = []
    findings: list[Finding] = []
    for name in dict.fromkeys([*wanted, *extra]):
        try:
            over = overrides if name in wanted else ()
            environment = environments.load(project.environments, name, overrides=over, git=project.git)
        except (EnvironmentFileError, DocumentError) as fault:
            if fault.place is None:
                raise
            findings.append(error("MK0701", fault.place, fault.message))
            continue
        if name in wanted:
            loaded.append(environment)
        if paths is None or name in extra:
            findings += _problems(environment, project)
    return tuple(loaded), findings


def _require_used(
    settings: Mapping[str, Node], overrides: Sequence[str], files: Sequence[File], chosen: Sequence[Environment]
) -> None:
    """Refuse settings that would change nothing: those that no file knows, and any without an environment."""
    if (settings or overrides) and not chosen:
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


def _default(project: Project) -> tuple[str, ...]:
    try:
        return (environments.default_name(project.environments),)
    except UsageError:
        return ()  # templates without expressions need none


def _problems(environment: Environment, project: Project) -> Iterator[Finding]:
    """Yield what an environment lacks; a key that no file has is a fault of the environment's own file."""
    own = Place(documents.displayed(project.environments / f"{environment.name}.yaml"))
    for fault in environments.problems(environment):
        yield error("MK0701" if fault.place else "MK0702", fault.place or own, fault.message)


def _is_environment_file(path: Path, project: Project | None) -> bool:
    return project is not None and path.suffix == ".yaml" and path.absolute().parent == project.environments


def _file_findings(file: File, context: Context) -> list[Finding]:
    """Return what is wrong with one file, in every environment it is checked in."""
    try:
        loaded = documents.load(file.path)
    except DocumentError as fault:
        code = "MK0103" if "written twice" in fault.message else "MK0100"
        return [error(code, fault.place or Place(str(file.path)), fault.message)]
    if not context.environments:
        found = _unrendered(loaded, file.path, context)
    else:
        found = [finding for each in context.environments for finding in _rendered(loaded, file.path, each, context)]
    if not found or file.is_named or any(checks.is_azure_ml(document.root, file.path) for document in loaded):
        return sorted(found, key=lambda finding: (finding.place.line, finding.place.column))
    return []


def _unrendered(loaded: Sequence[Document], path: Path, context: Context) -> list[Finding]:
    """Check documents as they are; those that must be rendered first need an environment."""
    findings: list[Finding] = []
    for document in loaded:
        if place := first_expression(document.root):
            findings.append(error("MK0801", place, "the template needs an environment", "name one with -e"))
        else:
            findings += checks.check(document.root, path, context.reader)
    return findings


def _rendered(
    loaded: tuple[Document, ...], path: Path, environment: Environment, context: Context
) -> Iterator[Finding]:
    """Render a template for an environment and check what it becomes."""
    rendering = render_all(loaded, environment, context.settings)
    yield from rendering.faults
    for document in rendering.documents:
        for finding in checks.check(document.root, path, context.reader, protected=environment.protected):
            # Where an expression failed, the input it would have used looks unused.
            if finding.place not in rendering.blanks and not (rendering.faults and finding.code == "MK0302"):
                yield finding


def _conclude(findings: Sequence[Finding], files: int, strict: bool) -> None:
    """Say on stderr how many faults there are, and leave with exit code 2 when they fail the check."""
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    click.echo(f"{files} files, {errors} errors, {warnings} warnings", err=True)
    if errors or (strict and warnings):
        sys.exit(2)
