"""Dockerfiles: instructions that there are, a base image that is pinned, and copies of what the build context holds."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit import documents
from mlops_kit.checks import images, interpreters, secrets
from mlops_kit.checks.files import matching
from mlops_kit.checks.findings import Finding, did_you_mean, error, warning
from mlops_kit.errors import DocumentError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files

INSTRUCTIONS = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
    "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip
HEREDOC = re.compile(r"(?<!<)<<-?\s*([\"']?)([A-Za-z_]\w*)\1")
ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)\s*", re.IGNORECASE)
FLAG = re.compile(r"--[a-z][a-z-]*(?:=\S*)?\s*")
VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
PYTHON = re.compile(r"(?:^|/)python:(\d{1,3})\.(\d{1,3})(?!\d)")
REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|<<")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its word as written, what follows with its lines joined, and the lines with their number."""

    word: str
    rest: str
    lines: tuple[str, ...]
    number: int

    @property
    def name(self) -> str:
        """Return the instruction in capitals, as which it counts."""
        return self.word.upper()

    def place(self, path: str, fragment: str = "") -> Place:
        """Return where a piece of the instruction stands; without one, the instruction."""
        for index, line in enumerate(self.lines):
            column = line.find(fragment or self.word)
            if column >= 0:
                return Place(path, self.number + index, column + 1)
        return Place(path, self.number, 1)


def check(path: str, context: str, files: Files, *, protected: bool) -> list[Finding]:
    """Return what is wrong with a Dockerfile, whose copies are taken from the folder ``context``."""
    try:
        text = documents.read_text(Path(path))
    except DocumentError as fault:
        return [error(fault.code, fault.place or Place(path), fault.message)]
    shown = documents.displayed(Path(path))
    found = list(parsed(text))
    return [
        *_beginning(found, shown),
        *_unknown(found, shown),
        *_base_images(found, shown, protected=protected),
        *(secrets.at(each.place(shown, piece)) for each in found if (piece := secrets.form(each.rest))),
        *(fault for each in found if each.name in ("COPY", "ADD") for fault in _copy(each, shown, context, files)),
    ]


def parsed(text: str) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile; comments, blank lines and the bodies of here-documents are left out."""
    lines = text.splitlines()
    directive = ESCAPE.fullmatch(lines[0].strip()) if lines else None
    continued = re.compile(rf"{re.escape(directive[1] if directive else chr(92))}[ \t]*$")
    index = 0
    while index < len(lines):
        begun = index
        parts: list[str] = []
        while index < len(lines):
            line = lines[index]
            index += 1
            if line.lstrip().startswith("#") or not line.strip():
                if not parts:
                    break
                continue
            parts.append(continued.sub("", line))
            if not continued.search(line):
                break
        if parts:
            word, _, rest = " ".join(parts).strip().partition(" ")
            word, _, glued = word.partition("\t")
            yield Instruction(word, f"{glued} {rest}".strip(), tuple(lines[begun:index]), begun + 1)
            index = _after_documents(lines, index, word, rest)


def _after_documents(lines: list[str], index: int, word: str, rest: str) -> int:
    """Return the line after the here-documents of an instruction."""
    if word.upper() in ("RUN", "COPY", "ADD"):
        for _, end in HEREDOC.findall(rest):
            while index < len(lines) and lines[index].strip() != end:
                index += 1
            index += 1
    return index


def _beginning(found: list[Instruction], shown: str) -> Iterator[Finding]:
    """Report a file that does not begin with the image that it builds on."""
    first = next((each for each in found if each.name != "ARG"), None)
    if first is None:
        yield error("MK0520", Place(shown, 1, 1), "the Dockerfile has no FROM", "begin with `FROM IMAGE:TAG`")
    elif first.name != "FROM" and first.name in INSTRUCTIONS:
        message = f"`{first.word}` stands before the first FROM, where only ARG may"
        yield error("MK0520", first.place(shown), message, "begin with `FROM IMAGE:TAG`")


def _unknown(found: list[Instruction], shown: str) -> Iterator[Finding]:
    """Report the first of successive lines that are no instruction: what follows is most likely part of it."""
    was_known = True
    for each in found:
        is_known = each.name in INSTRUCTIONS
        if not is_known and was_known:
            yield _no_instruction(each, shown)
        was_known = is_known


def _no_instruction(line: Instruction, shown: str) -> Finding:
    if not line.word[0].isalpha():
        message = f"the line begins with `{line.word}`, and the one before it is not continued"
        return error("MK0525", line.place(shown), message, "end the line before it with a backslash")
    hint = did_you_mean(line.word, INSTRUCTIONS) or "expected an instruction such as RUN, or a backslash before it"
    return error("MK0524", line.place(shown), f"`{line.word}` is no instruction of a Dockerfile", hint)


def _base_images(found: list[Instruction], shown: str, *, protected: bool) -> Iterator[Finding]:
    """Report base images that can become other ones, or bring a Python without support; and a FROM without any."""
    defaults = dict(_defaults(found))
    stages = {"scratch"}
    for each in (each for each in found if each.name == "FROM"):
        words = FLAG.sub("", each.rest).split()
        if not words:
            yield error("MK0524", each.place(shown), "FROM names no image", "write `FROM IMAGE:TAG`")
            continue
        image = _resolved(words[0], defaults)
        if "$" not in image and image.lower() not in stages:
            yield from _base_image(image, each.place(shown, words[0]), protected=protected)
        stages.update(name.lower() for name in words[2:3])


def _defaults(found: list[Instruction]) -> Iterator[tuple[str, str]]:
    """Yield the arguments that a FROM may name, with their defaults: those before the first FROM."""
    for each in found:
        if each.name == "FROM":
            return
        if each.name == "ARG":
            name, _, default = each.rest.partition("=")
            yield name.strip(), default.strip().strip("\"'")


def _resolved(text: str, defaults: dict[str, str]) -> str:
    """Return a text with its variables in place; one without a value stays as it is."""
    return VARIABLE.sub(lambda match: defaults.get(match[1] or match[3], "") or match[2] or match[0], text)


def _base_image(image: str, place: Place, *, protected: bool) -> Iterator[Finding]:
    name = images.unpinned(image)
    if name is not None:
        report = error if protected else warning
        message = f"the base image `{image}` is not pinned: the next build may be on another one"
        yield report("MK0521", place, message, images.pin(name))
    python = PYTHON.search(image)
    if python:
        yield from interpreters.out_of_support((int(python[1]), int(python[2])), place)


def _copy(copy: Instruction, shown: str, context: str, files: Files) -> Iterator[Finding]:
    """Report sources of a copy that the build context does not hold."""
    flags = "".join(FLAG.findall(copy.rest))
    words = _words(FLAG.sub("", copy.rest) if flags else copy.rest)
    if len(words) < 2:
        message = f"{copy.name} needs a source and a destination"
        yield error("MK0524", copy.place(shown), message, f"write `{copy.name} SOURCE DESTINATION`")
    elif "--from" not in flags:
        for source in words[:-1]:
            if not REMOTE.match(source) and "$" not in source:
                yield from _source(source, copy.place(shown, source), context, files)


def _words(text: str) -> list[str]:
    """Return the words of a copy, which may be a JSON list."""
    if text.lstrip().startswith("["):
        return re.findall(r'"([^"]*)"', text)
    return text.split()


def _source(source: str, place: Place, context: str, files: Files) -> Iterator[Finding]:
    """Report one source; a leading slash means the context itself."""
    inside = os.path.normpath(source.lstrip("/") or ".")
    target = os.path.normpath(f"{context}/{inside}")
    shown = documents.displayed(Path(context))
    if inside.split("/")[0] == "..":
        message = f"`{source}` leads out of the build context, which is {shown}"
        yield error("MK0523", place, message, "put the file below it, or name a folder above both as `build: path:`")
    elif any(sign in source for sign in "*?["):
        if not any(True for _ in matching(context, inside)):
            message = f"`{source}` matches nothing in the build context"
            yield error("MK0522", place, message, f"looked in {shown}")
    elif not files.kind(target):
        hint = did_you_mean(Path(target).name, files.names(str(Path(target).parent))) or f"looked in {shown}"
        yield error("MK0522", place, f"`{source}` is not in the build context", hint)
