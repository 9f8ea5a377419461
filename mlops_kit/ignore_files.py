"""What ignore files say about a path: git's patterns (``gitignore(5)``), read as git 2 reads them, byte by byte.

The order is git's: of one file the last pattern that matches decides, a file nearer to the path wins over one above it.
``.amlignore`` files are laid on top: what they say wins over every ``.gitignore``.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from mlops_kit.errors import UsageError

GITIGNORE, AMLIGNORE = ".gitignore", ".amlignore"
NAMES = (AMLIGNORE, GITIGNORE)  # what the first of them says counts more
_WILD = re.compile(rb"[*?\[\\]")
_NAMED_SETS = {
    b"alnum": string.ascii_letters + string.digits,
    b"alpha": string.ascii_letters,
    b"blank": " \t",
    b"cntrl": "".join(map(chr, (*range(32), 127))),
    b"digit": string.digits,
    b"graph": string.ascii_letters + string.digits + string.punctuation,
    b"lower": string.ascii_lowercase,
    b"print": string.ascii_letters + string.digits + string.punctuation + " ",
    b"punct": string.punctuation,
    b"space": " \t\n\r",
    b"upper": string.ascii_uppercase,
    b"xdigit": string.hexdigits,
}


class _NeverMatchesError(Exception):
    """A pattern that git takes and that matches nothing: a bracket or a backslash without its end."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One line; ``by_name`` compares the last part of a path, else all of it from the ignore file's folder on."""

    regex: re.Pattern[bytes]
    is_negated: bool
    folders_only: bool
    by_name: bool

    def matches(self, path: bytes, is_folder: bool) -> bool:
        text = path.rpartition(b"/")[2] if self.by_name else path
        return (is_folder or not self.folders_only) and self.regex.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class _IgnoreFile:
    """The patterns of one file; ``start`` is how long the way to its folder is, in bytes.

    ``any_name`` and ``any_path`` match where any pattern might: most paths are done with these two.
    """

    patterns: tuple[_Pattern, ...]  # the last one first
    any_name: re.Pattern[bytes]
    any_path: re.Pattern[bytes]
    start: int

    def verdict(self, path: bytes, is_folder: bool) -> bool | None:
        """Say whether a path is ignored, None where no pattern matches."""
        own = path[self.start :]
        if not self.any_name.fullmatch(own.rpartition(b"/")[2]) and not self.any_path.fullmatch(own):
            return None
        return next((not each.is_negated for each in self.patterns if each.matches(own, is_folder)), None)


@dataclass(frozen=True, slots=True)
class Rules:
    """The ignore files that count in one folder of a walk, by their names, the nearest first.

    ``way`` leads from the root of the repository to the folder that the walk begins in, with a closing ``/``.
    """

    way: str = ""
    files: dict[str, tuple[_IgnoreFile, ...]] = field(default_factory=dict)

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Say whether a path of the walk is ignored by itself.

        What lies in an ignored folder is ignored with it: the walk does not enter.
        """
        if not self.files:
            return False
        text = os.fsencode(self.way + path)
        said = (each.verdict(text, is_folder) for name in NAMES for each in self.files.get(name, ()))
        return next((verdict for verdict in said if verdict is not None), False)

    def within(self, folder: Path, below: str, names: Iterable[str] = NAMES) -> Rules:
        """Return the rules with the ignore files of a folder too; ``below`` leads to it in the walk, with a ``/``."""
        start = len(os.fsencode(self.way + below))
        found = {
            name: (_read(folder / name, start), *self.files.get(name, ()))
            for name in names
            if (folder / name).is_file()
        }
        return replace(self, files={**self.files, **found}) if found else self


def inherited(folder: Path) -> Rules:
    """Return the rules that a walk begins with: those of the folders above, up to the root of the repository.

    There are none where they ignore the folder itself: it was asked for by name.
    """
    root = repository(folder)
    rules, here, way = Rules(), root, ""
    for name in folder.relative_to(root).parts:
        rules = rules.within(here, way, (GITIGNORE,))
        here, way = here / name, f"{way}{name}/"
        if rules.ignores(way.removesuffix("/"), is_folder=True):
            return Rules()
    return replace(rules, way=way)


def repository(folder: Path) -> Path:
    """Return the root of the repository that a folder lies in, or the folder itself."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def _read(path: Path, start: int) -> _IgnoreFile:
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8") from None
    patterns = tuple(_patterns(content.split(b"\n")))
    any_name, any_path = (_any(each for each in patterns if each.by_name is by_name) for by_name in (True, False))
    return _IgnoreFile(tuple(reversed(patterns)), any_name, any_path, start)


def _any(patterns: Iterable[_Pattern]) -> re.Pattern[bytes]:
    """Return a pattern that matches what any of some matches."""
    return re.compile(b"|".join(each.regex.pattern for each in patterns) or rb"(?!)", re.DOTALL)


def _patterns(lines: Iterable[bytes]) -> Iterator[_Pattern]:
    for line in lines:
        if line and not line.startswith(b"#"):
            text = _without_trailing_spaces(line.removesuffix(b"\r"))
            try:
                yield _pattern(text)
            except _NeverMatchesError:
                continue


def _without_trailing_spaces(line: bytes) -> bytes:
    """Return a line without the spaces at its end; one that a backslash stands before stays."""
    kept = line.rstrip(b" ")
    is_quoted = kept != line and (len(kept) - len(kept.rstrip(b"\\"))) % 2
    return kept + b" " if is_quoted else kept


def _pattern(line: bytes) -> _Pattern:
    text = line.removeprefix(b"!")
    body = text.removesuffix(b"/")
    by_name = b"/" not in body
    path = body.removeprefix(b"/")
    if not path:
        raise _NeverMatchesError
    # git compares all up to the first wildcard as it is, and reads the rest as a pattern of its own: "**" may begin it.
    wild = _WILD.search(path)
    start = wild.start() if wild else len(path)
    regex = re.compile(re.escape(path[:start]) + _translated(path[start:]), re.DOTALL)
    return _Pattern(regex, line.startswith(b"!"), text.endswith(b"/"), by_name)


def _translated(text: bytes) -> bytes:
    """Return a pattern with wildcards as a regular expression (git: wildmatch.c, dowild, with WM_PATHNAME)."""
    parts: list[bytes] = []
    at = 0
    while at < len(text):
        if text[at : at + 1] == b"*":
            part, after = _stars(text, at)
        elif text[at : at + 1] == b"[":
            part, after = _bracket(text, at + 1)
        elif text[at : at + 1] == b"?":
            part, after = rb"[^/]", at + 1
        else:
            at += text[at : at + 1] == b"\\"
            part, after = re.escape(_one(text, at)), at + 1
        parts.append(part)
        at = after
    return b"".join(parts)


def _one(text: bytes, at: int) -> bytes:
    """Return the byte at a position that a pattern must have."""
    if at >= len(text):
        raise _NeverMatchesError
    return text[at : at + 1]


def _stars(text: bytes, at: int) -> tuple[bytes, int]:
    """Translate one or more stars and the slash after them; return where the pattern goes on."""
    end = at
    while text[end : end + 1] == b"*":
        end += 1
    is_deep = end - at > 1 and (at == 0 or text[at - 1 : at] == b"/")
    if is_deep and text[end : end + 1] == b"/":
        return rb"(?:.*/)?", end + 1
    if is_deep and (end == len(text) or text[end : end + 2] == rb"\/"):
        return rb".*", end
    return rb"[^/]*", end


def _bracket(text: bytes, at: int) -> tuple[bytes, int]:
    """Translate the set whose ``[`` stands before ``at``; return where the pattern goes on."""
    is_negated = _one(text, at) in b"!^"
    at += is_negated
    chosen: set[int] = set()
    before = None  # where a range may begin
    is_first = True
    while is_first or _one(text, at) != b"]":
        is_first = False
        byte = _one(text, at)
        name = re.compile(rb"\[:([^\]]*)\]").match(text, at)
        if byte == b"\\":
            at += 1
            before = _one(text, at)[0]
            chosen.add(before)
        elif byte == b"-" and before and text[at + 1 : at + 2] not in {b"", b"]"}:
            at += 1 + (text[at + 1 : at + 2] == b"\\")
            chosen.update(range(before, _one(text, at)[0] + 1))
            before = None
        elif name and name.group(1).endswith(b":"):
            chosen.update(_named_set(name.group(1)[:-1]))
            at, before = name.end() - 1, None
        else:
            before = byte[0]
            chosen.add(before)
        at += 1
    allowed = (chosen ^ set(range(256)) if is_negated else chosen) - {ord("/")}
    return (b"[%s]" % b"".join(b"\\x%02x" % each for each in sorted(allowed)) if allowed else rb"(?!)"), at + 1


def _named_set(name: bytes) -> bytes:
    if name not in _NAMED_SETS:
        raise _NeverMatchesError
    return _NAMED_SETS[name].encode()
