"""Which files of a code or data folder ship, and the id of their content.

Code ships by the rules of git: ``.gitignore`` files count from the root of the repository down to the file's own
folder, ``.amlignore`` files of the code folder on top of them. Data, which repositories often ignore, ships by the one
ignore file in its folder, as azure-ai-ml has it. Object storage has no folders: an empty one does not arrive.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from mlops_kit.errors import UsageError

VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr", "CVS"})
# What programs leave in every folder they visit; it differs from machine to machine.
LEFTOVERS = frozenset({"__pycache__", ".DS_Store", "Thumbs.db", "desktop.ini"})
NEVER = VERSION_CONTROL | LEFTOVERS
_IGNORE_FILES = (".gitignore", ".amlignore")
_CHUNK = 1 << 20
# What azure-ai-ml begins its hash of a code folder with (azure/ai/ml/_utils/_asset_utils.py, get_object_hash, 1.35).
_HASH_START = b"Initialize for october 2021 AML CLI version"


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One file: ``path`` relative to the code folder with ``/``, ``source`` where it lies, ``size`` in bytes."""

    path: str
    source: Path
    size: int


@dataclass(frozen=True, slots=True)
class Package:
    """What ships of a code folder, sorted by path; ``empty_folders`` do not arrive and are worth a warning.

    ``single`` says that the code is one file, not a folder: its name is not part of the content then.
    """

    files: tuple[PackagedFile, ...]
    empty_folders: tuple[str, ...] = ()
    single: bool = False

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(file.size for file in self.files)

    def largest(self, count: int = 10) -> tuple[PackagedFile, ...]:
        """Return the largest files, largest first."""
        return tuple(sorted(self.files, key=lambda file: (-file.size, file.path))[:count])


def package(folder: Path) -> Package:
    """Return what ships of a code folder, or of a single file.

    Raises:
        UsageError: There is no such folder, an ignore file is not UTF-8, or a link leads nowhere or outside.
    """
    if folder.is_file():
        return Package((PackagedFile(folder.name, folder, folder.stat().st_size),), single=True)
    if not folder.is_dir():
        raise UsageError(f"there is no code folder {folder}")
    root = folder.resolve()
    repository = _repository(root)
    return _walked(root, _Walk(root, repository, _IGNORE_FILES), _inherited(root, repository))


def data_package(folder: Path) -> Package:
    """Return what ships of a data folder, or of a single file, less what programs leave behind.

    Of several ignore files azure-ai-ml reads one: ``.amlignore``, else ``.gitignore``, in the folder itself
    (azure/ai/ml/_utils/_asset_utils.py, get_ignore_file, 1.35). Links may lead anywhere.

    Raises:
        UsageError: There is no such folder, the ignore file is not UTF-8, or a link leads nowhere.
    """
    if not folder.is_dir():
        return package(folder)
    root = folder.resolve()
    own = next(([name] for name in reversed(_IGNORE_FILES) if (root / name).is_file()), [])
    return _walked(root, _Walk(root, Path(root.anchor)), _rules(root, own, "", ""))


def _walked(root: Path, walk: _Walk, rules: tuple[_Rules, ...]) -> Package:
    files = tuple(sorted(walk.files(root, "", rules), key=lambda file: file.path))
    return Package(files, tuple(sorted(walk.empty_folders)))


def content_id(packaged: Package) -> str:
    """Return the SHA-256 over names and contents, in hex.

    It is what ``get_object_hash`` of azure-ai-ml gives for a folder of exactly these files.
    """
    digest = hashlib.sha256(_HASH_START)
    for name, source in _hashed(_tree(packaged.files)):
        if not packaged.single:
            digest.update(name.encode())
        if source is not None:
            with source.open("rb") as content:
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Rules:
    """The patterns of one folder's ignore files; ``prefix`` leads from that folder to the code folder."""

    spec: GitIgnoreSpec
    prefix: str
    below: str = ""

    def verdict(self, path: str) -> bool | None:
        """Say whether a path of the code folder is ignored, or None where no pattern matches."""
        if self.below and not path.startswith(self.below):
            return None
        return self.spec.check_file(self.prefix + path.removeprefix(self.below)).include


@dataclass(slots=True)
class _Walk:
    """One walk over a folder: links may not leave ``limit``, and loops of links end.

    ``nested`` are the names of the ignore files that count in every folder on the way.
    """

    root: Path
    limit: Path
    nested: tuple[str, ...] = ()
    empty_folders: list[str] = field(default_factory=list)
    open: list[Path] = field(default_factory=list)

    def files(self, folder: Path, below: str, rules: tuple[_Rules, ...]) -> Iterator[PackagedFile]:
        """Yield the files that ship of a folder; ``below`` is its path in the code folder, with a closing ``/``."""
        real = folder.resolve()
        if real in self.open:
            return
        self.open.append(real)
        rules = (*rules, *_rules(folder, self.nested, "", below))
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        if not entries and below:
            self.empty_folders.append(below.rstrip("/"))
        for entry in entries:
            path = below + entry.name
            if entry.name in NEVER or _ignored(path + ("/" if entry.is_dir() else ""), rules):
                continue
            if entry.is_symlink():
                self._check_link(Path(entry.path), path)
            if entry.is_dir():
                yield from self.files(Path(entry.path), f"{path}/", rules)
            elif entry.is_file():
                yield PackagedFile(path, Path(entry.path), entry.stat().st_size)
        self.open.pop()

    def _check_link(self, link: Path, path: str) -> None:
        target = link.resolve()
        if not target.exists():
            raise UsageError(f"the link {path} in {self.root} leads nowhere")
        if not target.is_relative_to(self.limit):
            raise UsageError(f"the link {path} in {self.root} leads outside {self.limit}")


def _ignored(path: str, rules: tuple[_Rules, ...]) -> bool:
    """Apply the ignore files from the deepest one up: the first that says anything decides."""
    return next((verdict for each in reversed(rules) if (verdict := each.verdict(path)) is not None), False)


def _repository(folder: Path) -> Path:
    """Return the root of the repository that a folder lies in, or the folder itself."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def _inherited(folder: Path, repository: Path) -> tuple[_Rules, ...]:
    """Return the rules of the folders above; none when they ignore the code folder itself: it was asked for by name."""
    found: list[_Rules] = []
    for above in reversed(folder.parents):
        if above.is_relative_to(repository):
            found += _rules(above, (".gitignore",), f"{folder.relative_to(above).as_posix()}/", "")
    return () if _ignored("", tuple(found)) else tuple(found)


def _rules(folder: Path, names: Iterable[str], prefix: str, below: str) -> tuple[_Rules, ...]:
    paths = [folder / name for name in names if (folder / name).is_file()]
    return tuple(_Rules(GitIgnoreSpec.from_lines(_lines(path)), prefix, below) for path in paths)


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        # git's "x/**" is everything inside x, not x itself; the library's is both
        return [f"{line}/*" if line.endswith("/**") else line for line in lines]
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8") from None


_Tree = dict[str, "Path | _Tree"]


def _tree(files: tuple[PackagedFile, ...]) -> _Tree:
    tree: _Tree = {}
    for file in files:
        *folders, name = file.path.split("/")
        here = tree
        for folder in folders:
            inner = here.setdefault(folder, {})
            assert isinstance(inner, dict)  # noqa: S101
            here = inner
        here[name] = file.source
    return tree


def _hashed(tree: _Tree) -> Iterator[tuple[str, Path | None]]:
    """Yield names and files in the order of the SDK: each level by its names in lower case."""
    for name in sorted(tree, key=lambda each: (each.lower(), each)):
        inner = tree[name]
        if isinstance(inner, Path):
            yield name, inner
        else:
            yield name, None
            yield from _hashed(inner)
