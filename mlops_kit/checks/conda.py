"""Conda files: lines that conda or pip can read, a Python that is there and supported, pip beside its list."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from mlops_kit import requirements
from mlops_kit.checks import interpreters, packages, secrets
from mlops_kit.checks.findings import Finding, brief, did_you_mean, error, warning
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.packages import Package
    from mlops_kit.documents import Entry, Node

_VERSION = r"[\w.*+!-]+"
_CLAUSE = rf"(?:==|!=|>=|<=|>|<|~=|=)\s*{_VERSION}"
# [channel::]name, then versions, then perhaps a build: ``numpy``, ``numpy 1.26.*``, ``numpy>=1.26,<2``,
# ``numpy=1.26.4=py311h``, ``numpy[version='>=1']`` (conda, MatchSpec).
SPECIFICATION = re.compile(
    r"(?:[\w./:-]+::)?[A-Za-z0-9_][\w.-]*"
    rf"(?:\s*{_CLAUSE}|\s+{_VERSION})?(?:\s*[,|]\s*(?:{_CLAUSE}|{_VERSION}))*(?:\s*=\s*[\w.*]+|\s+[\w.*]+)?"
    r"\s*(?:\[[^\]=]+=[^\]]*\])?"
)
PIN = re.compile(r"\s*(?:==?|<=|~=|\s)\s*(\d{1,9})(?:\.(\d{1,9}))?")  # of a Python
KEYS = ("name", "channels", "dependencies", "variables", "prefix")
REVERSED = re.compile(r"(.*?)(=>|=<|=~)(.*)")


def check_file(root: Map, *, runs_batches: bool | None = None) -> list[Finding]:
    """Return what is wrong with a conda file; see ``check_inline``."""
    return [*check_inline(root, runs_batches=runs_batches), *secrets.below(root)]


def check_inline(root: Map, *, runs_batches: bool | None) -> list[Finding]:
    """Return what is wrong with a map that stands for a conda file, less the secrets in it.

    ``runs_batches`` says whether it is for a batch deployment or a parallel step, None where that is not known.
    """
    node = root.get("dependencies")
    items = node.items if isinstance(node, List) else ()
    lists = [entry for item in items if isinstance(item, Map) for entry in item.entries if entry.key.text == "pip"]
    inner = [item for entry in lists if isinstance(entry.value, List) for item in entry.value.items]
    own = list(packages.packages(items, "conda"))
    return [
        *_misplaced(root),
        *(fault for item in items for fault in _specification(item)),
        *(fault for item in inner for fault in _requirement(item)),
        *(fault for each in own if each.name == "python" for fault in _interpreter(each)),
        *_without_pip(own, lists),
        *packages.check([*own, *packages.packages(inner, "pip")], runs_batches=runs_batches),
    ]


def _misplaced(root: Map) -> Iterator[Finding]:
    """Report what stands where conda passes over it: below a misspelt key, or packages below `pip` alone."""
    for key in () if root.get("dependencies") is not None and root.get("channels") is not None else root.keys():
        if key not in KEYS and (near := did_you_mean(key, KEYS)):
            yield error("MK0102", root.key_place(key), f"unknown key `{key}`, which conda passes over", near)
    if root.get("pip") is not None:
        message = "`pip` is no key of a conda file, so nothing of it is installed"
        yield error("MK0102", root.key_place("pip"), message, "it belongs under `dependencies`, as an item `- pip:`")


def _specification(item: Node) -> Iterator[Finding]:
    """Report a line of ``dependencies`` that conda cannot read."""
    if isinstance(item, Map):
        yield from (_as_map(entry) for entry in item.entries if entry.key.text != "pip")
    elif isinstance(item, Scalar) and not _is_readable(item.text):
        message = f"`{brief(item.text)}` is not a specification that conda reads"
        yield error("MK0513", item.place, message, _instead(item.text))


def _is_readable(text: str) -> bool:
    return text.startswith("-") or "://" in text or SPECIFICATION.fullmatch(text) is not None


def _as_map(entry: Entry) -> Finding:
    name, value = entry.key.text, entry.value
    hint = f"write `{name}={value.text}`" if isinstance(value, Scalar) and value.text else "write NAME=VERSION"
    return error("MK0513", entry.key.place, f"`{name}:` is a map, and conda reads text", hint)


def _instead(text: str) -> str:
    """Say what is meant by a line that conda cannot read."""
    if turned := REVERSED.fullmatch(text):
        return f"write `{turned[1]}{turned[2][::-1]}{turned[3]}`"
    if re.search(r"[;@]|\[[^=\]]{0,100}\]", text):
        return "markers, addresses and extras are pip's: put the line under `pip:`"
    return "expected NAME, NAME=VERSION or NAME>=VERSION"


def _requirement(item: Node) -> Iterator[Finding]:
    """Report a line under ``pip:`` that pip cannot read, or not on the machine that builds the image."""
    if isinstance(item, Scalar) and (wrong := requirements.line_fault(item.text)):
        yield error("MK0506", item.place, wrong)


def _interpreter(python: Package) -> list[Finding]:
    """Report a Python that is not there, and one that gets no fixes any more."""
    place = python.node.place
    pin = PIN.match(python.rest)
    if pin and (int(pin[1]), int(pin[2] or 0)) not in interpreters.KNOWN and (pin[2] or pin[1] not in ("2", "3")):
        release = f"{pin[1]}.{pin[2]}" if pin[2] else pin[1]
        meant = interpreters.meant((int(pin[1]), int(pin[2] or 0)))
        hint = f"did you mean `python={meant}`" if meant else "name a release such as 3.12"
        return [error("MK0509", place, f"there is no Python {release}", hint)]
    high = python.versions.high
    # A bound such as ``<4`` or no bound at all leaves the choice to conda, which takes a new one.
    is_bound = len(high) > 1 and all(number < math.inf for number in high[:2])
    return interpreters.out_of_support((int(high[0]), int(high[1])), place) if is_bound else []


def _without_pip(own: list[Package], lists: list[Entry]) -> Iterator[Finding]:
    """Report a list for pip in a file that does not ask for pip."""
    if lists and not any(each.name == "pip" for each in own):
        message = "packages are listed for pip, and pip itself is not a dependency, so conda may use another one"
        yield warning("MK0512", lists[0].key.place, message, "add `- pip` above it")
