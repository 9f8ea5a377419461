"""Which files of a code or data folder ship, the id of their content, and the limits that they must keep.

Code ships by the rules of git (see ``ignore_files``), less the ignore files of the code folder itself, which have done
their work then. Data, which repositories often ignore, ships by the one ignore file in its folder, as azure-ai-ml has
it. Object storage has no folders: an empty one does not arrive.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlops_kit import ignore_files
from mlops_kit.errors import UsageError
from mlops_kit.ignore_files import Rules

VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr", "CVS"})
# What programs leave in every folder they visit; it differs from machine to machine.
LEFTOVERS = frozenset({"__pycache__", ".DS_Store", "Thumbs.db", "desktop.ini"})
NEVER = VERSION_CONTROL | LEFTOVERS
_CHUNK = 1 << 20
_LINKS = 500  # to folders that one walk follows: those that lead to each other multiply


@dataclass(frozen=True, slots=True)
class Limits:
    """What a code folder may ship; Azure's "storage limit for experiment snapshots is 300 MB and/or 2,000 files".

    The sentence is of "Where to save and write files for Azure Machine Learning experiments".
    """

    files: int = 2000
    size: int = 300 << 20  # bytes


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One file: ``path`` relative to the code folder with ``/``, ``source`` where it lies, ``size`` in bytes."""

    path: str
    source: Path
    size: int


@dataclass(frozen=True, slots=True)
class Package:
    """What ships of a code folder, sorted by path; ``empty_folders`` do not arrive and are worth a warning."""

    files: tuple[PackagedFile, ...]
    empty_folders: tuple[str, ...] = ()

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
        UsageError: There is no such folder, an ignore file or a name is not UTF-8, a link leads nowhere or outside, or
            links lead to each other without end.
    """
    if folder.is_file():
        return Package((PackagedFile(folder.name, folder, folder.stat().st_size),))
    if not folder.is_dir():
        raise UsageError(f"there is no code folder {folder}")
    root = folder.resolve()
    found = _walked(_Walk(root, ignore_files.repository(root), nested=True), ignore_files.inherited(root))
    return Package(tuple(file for file in found.files if file.path not in ignore_files.NAMES), found.empty_folders)


def data_package(folder: Path) -> Package:
    """Return what ships of a data folder, or of a single file, less what programs leave behind.

    Of several ignore files azure-ai-ml reads one: ``.amlignore``, else ``.gitignore``, in the folder itself
    (azure/ai/ml/_utils/_asset_utils.py, get_ignore_file, 1.35). Links may lead anywhere.

    Raises:
        UsageError: There is no such folder, the ignore file or a name is not UTF-8, or a link leads nowhere.
    """
    if not folder.is_dir():
        return package(folder)
    root = folder.resolve()
    own = [name for name in ignore_files.NAMES if (root / name).is_file()]
    return _walked(_Walk(root, Path(root.anchor), nested=False), Rules().within(root, "", own[:1]))


def _walked(walk: _Walk, rules: Rules) -> Package:
    files = tuple(sorted(walk.files(walk.root, "", rules), key=lambda file: file.path))
    return Package(files, tuple(sorted(walk.empty_folders)))


def content_id(packaged: Package) -> str:
    """Return the SHA-256 over names, sizes and contents, in hex, by which the service knows a code version again.

    It is what ``get_content_hash`` of azure-ai-ml gives for a folder of exactly these files
    (azure/ai/ml/_utils/_asset_utils.py, version 202208).
    """
    files = sorted(packaged.files, key=lambda file: (file.path.lower(), file.path))
    digest = hashlib.sha256(str(len(files)).encode())
    for file in files:
        digest.update(f"#{file.path}#{file.size}".encode())
    for file in files:
        with file.source.open("rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def excess(packaged: Package, limits: Limits) -> str:
    """Return by what a package is over the limits, with its largest files; the empty string where it keeps them."""
    count, size = len(packaged.files), packaged.size
    if count <= limits.files and size <= limits.size:
        return ""
    largest = ", ".join(f"{file.path} ({megabytes(file.size)})" for file in packaged.largest())
    allowed = f"{limits.files:,} files and {megabytes(limits.size)}"
    return f"ships {count:,} files of {megabytes(size)}; the limit is {allowed}; the largest are {largest}"


def limits(variables: Mapping[str, str] = os.environ) -> Limits:
    """Return the limits that hold: the documented ones, unless variables of the process say otherwise.

    Raises:
        UsageError: A variable is no whole number.
    """
    usual = Limits()
    return Limits(
        _number(variables, "MLOPS_KIT_CODE_FILES", usual.files),
        _number(variables, "MLOPS_KIT_CODE_MEGABYTES", usual.size >> 20) << 20,
    )


def _number(variables: Mapping[str, str], name: str, usual: int) -> int:
    text = variables.get(name) or str(usual)
    if not text.isdecimal():
        raise UsageError(f"{name} is {text!r}, not a whole number")
    return int(text)


def megabytes(size: int) -> str:
    """Return a number of bytes for people, in the megabytes of 1,048,576 bytes that the service counts in."""
    return f"{size / (1 << 20):,.1f} MB"


@dataclass(slots=True)
class _Walk:
    """One walk over a folder: links may not leave ``limit``, and loops of links end.

    ``nested`` says that ignore files count in every folder on the way.
    """

    root: Path
    limit: Path
    nested: bool
    empty_folders: list[str] = field(default_factory=list)
    open: list[tuple[int, int]] = field(default_factory=list)  # the folders above, by device and inode
    links: int = 0  # to folders, followed so far

    def files(self, folder: Path, below: str, rules: Rules) -> Iterator[PackagedFile]:
        """Yield the files that ship of a folder; ``below`` is its path in the code folder, with a closing ``/``."""
        facts = folder.stat()
        if (facts.st_dev, facts.st_ino) in self.open:
            return
        self.open.append((facts.st_dev, facts.st_ino))
        entries = list(os.scandir(folder))
        if not entries and below:
            self.empty_folders.append(below.rstrip("/"))
        if self.nested:
            rules = rules.within(folder, below, [entry.name for entry in entries if entry.name in ignore_files.NAMES])
        for entry in entries:
            yield from self._entry(entry, below + entry.name, rules)
        self.open.pop()

    def _entry(self, entry: os.DirEntry[str], path: str, rules: Rules) -> Iterator[PackagedFile]:
        if entry.name in NEVER:
            return
        is_folder = _is_folder(entry)
        if rules.ignores(path, is_folder=is_folder):
            return
        if entry.is_symlink() and not self._follows(Path(entry.path), path):
            return
        if is_folder:
            yield from self.files(Path(entry.path), f"{path}/", rules)
        elif entry.is_file():
            self._check_name(path)
            yield PackagedFile(path, Path(entry.path), entry.stat().st_size)

    def _follows(self, link: Path, path: str) -> bool:
        """Refuse a link that leads nowhere, or outside; say whether what it leads to may ship."""
        try:
            target = link.resolve(strict=True)
        except (OSError, RuntimeError):  # of a link that leads to itself Python raises the second
            raise UsageError(f"the link {path} in {self.root} leads nowhere") from None
        if not target.is_relative_to(self.limit):
            raise UsageError(f"the link {path} in {self.root} leads outside {self.limit}")
        self.links += target.is_dir()
        if self.links > _LINKS:
            raise UsageError(f"{self.root} holds links to folders that multiply: more than {_LINKS} were followed")
        may_ship = VERSION_CONTROL.isdisjoint(target.relative_to(self.limit).parts)
        return may_ship or target.is_file()  # tools for large files keep them in there, and link to each

    def _check_name(self, path: str) -> None:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise UsageError(f"the name of the file {os.fsencode(path)!r} in {self.root} is not UTF-8") from None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False
