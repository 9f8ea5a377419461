"""The project folder: where it begins, which environments and templates it holds, and what git says about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlops_kit.errors import UsageError
from mlops_kit.nearest import nearest

_SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True)
class Project:
    """A folder that holds ``environments/base.yaml`` and, usually, ``templates/``."""

    folder: Path

    @property
    def environments(self) -> Path:
        """Return the folder of environment files."""
        return self.folder / "environments"

    @property
    def templates(self) -> Path:
        """Return the folder of templates."""
        return self.folder / "templates"

    def holds(self, folder: Path) -> bool:
        """Return whether this is the project that ``folder`` lies in."""
        return _around(folder) == self.folder

    @cached_property
    def git(self) -> Mapping[str, str]:
        """Return ``commit``, ``short_commit`` and ``branch`` of the working tree, as far as there are any."""
        return _git_facts(self.folder)


def find(start: Path) -> Project:
    """Return the project that ``start`` lies in: the nearest folder upwards with ``environments/base.yaml``.

    Raises:
        UsageError: ``start`` is not a folder, or lies in no project.
    """
    if not start.is_dir():
        raise UsageError(f"{start} is not a folder")
    if folder := _around(start):
        return Project(folder)
    raise UsageError(f"{start} lies in no project: neither it nor a folder above it holds environments/base.yaml")


def _around(start: Path) -> Path | None:
    """Return the nearest folder upwards that begins a project."""
    here = start.resolve()
    marks = (folder for folder in (here, *here.parents) if (folder / "environments" / "base.yaml").is_file())
    return next(marks, None)


def template_paths(project: Project) -> tuple[Path, ...]:
    """Return every YAML file below ``templates/``, sorted; hidden folders are left out."""
    found: list[str] = []
    for folder, folders, files in os.walk(project.templates):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        found.extend(os.path.join(folder, name) for name in files if name.endswith(_SUFFIXES))  # noqa: PTH118
    # By folder, then by name, as Path objects sort; a thousand of those sort slowly.
    return tuple(map(Path, sorted(found, key=lambda path: path.replace(os.sep, "\0"))))


def find_template(
    project: Project, name: str, *, start: Path | None = None, is_template: Callable[[Path], bool] = lambda _: True
) -> Path:
    """Return the template that a path or a name such as ``train`` or ``pipelines/train`` means.

    A path counts from ``start`` (default: the current folder), then from the project folder. A name that several
    folders of ``templates/`` have means the one in ``jobs/``. ``is_template`` says which of the YAML files there have a
    name; it is asked only about those that matter.

    Raises:
        UsageError: There is no such template, or several.
    """
    for folder in (start or Path.cwd(), project.folder):
        if (path := folder / name).is_file():
            return path
    known = {_name(project, path): path for path in template_paths(project)}
    wanted = name.removesuffix(".yaml").removesuffix(".yml")
    if wanted in known and is_template(known[wanted]):
        return known[wanted]
    ending = [full for full in known if full.endswith(f"/{wanted}") and is_template(known[full])]
    chosen = [full for full in ending if full == f"jobs/{wanted}"] or ending
    if len(chosen) == 1:
        return known[chosen[0]]
    if chosen:
        raise UsageError(f"several templates are called {name!r}: {', '.join(sorted(chosen))}; name one of them")
    raise UsageError(_unknown_template(name, wanted, [full for full, path in known.items() if is_template(path)]))


def _name(project: Project, path: Path) -> str:
    return path.relative_to(project.templates).with_suffix("").as_posix()


def _unknown_template(name: str, wanted: str, known: list[str]) -> str:
    short = {full.rpartition("/")[2] for full in known}
    near = nearest(wanted, sorted({*known, *short}), 3)
    if near:
        return f"no template {name!r}; did you mean {' or '.join(near)}?"
    return f"no template {name!r}; known are {', '.join(sorted(known)) or 'none, templates/ is empty'}"


def _git_facts(folder: Path) -> Mapping[str, str]:
    """Read the commit and branch from git's own files: no process, and none of the user's git settings."""
    marks = [parent / ".git" for parent in (folder, *folder.parents) if (parent / ".git").exists()]
    if not marks:
        return {}
    own = marks[0]
    if own.is_file():
        own = (own.parent / own.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()
    shared = own / _read(own / "commondir") if (own / "commondir").is_file() else own
    head = _read(own / "HEAD")
    if not head.startswith("ref: "):
        return _commit_facts(head)
    reference = head.removeprefix("ref: ")
    commit = _read(own / reference) or _read(shared / reference) or _packed(shared, reference)
    return {**_commit_facts(commit), "branch": reference.removeprefix("refs/heads/")}


def _commit_facts(commit: str) -> dict[str, str]:
    return {"commit": commit, "short_commit": commit[:10]} if commit else {}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _packed(shared: Path, reference: str) -> str:
    lines = _read(shared / "packed-refs").splitlines()
    return next((line.split()[0] for line in lines if line.endswith(f" {reference}")), "")
