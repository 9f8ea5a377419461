"""Check mutated documents and hold each to the promise: no traceback, no hang, a place for every finding.

``python -m tests.fuzzing.drive --count 1000000 --seed 7 FOLDER`` prints one JSON object: how many documents, how many
findings, the slowest document in seconds, the peak of the memory in bytes. A broken promise ends it with a traceback,
and the text that broke it is in ``FOLDER/broken.yml``.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from mlops_kit import checks, documents, environments
from mlops_kit import project as projects
from mlops_kit.checks.findings import Finding, error
from mlops_kit.cli import faults
from mlops_kit.environments import Environment
from mlops_kit.errors import DocumentError, Place, SourceError
from mlops_kit.infra import rules
from mlops_kit.project import Project
from tests.fuzzing.mutations import mutated

BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ROOT = Path(__file__).resolve().parents[2]
SLOWEST = 1.0  # seconds that one document may take


@dataclass(frozen=True, slots=True)
class Seed:
    """A file to begin with: where it lies in the project, its text, and the documents that are checked because of it.

    ``checked`` is empty for an environment file.
    """

    path: Path
    text: str
    checked: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """The project that every document is checked in."""

    project: Project
    environment: Environment
    files: checks.Files


class BrokenPromiseError(Exception):
    """A document did what no document may do."""


def seeds(folder: Path) -> tuple[Seed, ...]:
    """Copy the project's templates and environments and the examples of its codes; return each file."""
    for name in ("templates", "environments"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    templates = sorted((folder / "templates").rglob("*.yml"))
    found = [Seed(path, path.read_text("utf-8"), (path,)) for path in templates]
    found += [Seed(folder / "environments" / "mutated.yaml", text, ()) for text in _environments(folder)]
    for number, example in enumerate(_examples()):
        place = folder / "more" / str(number)
        for name, text in example.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8")
        documents = tuple(place / name for name in example if name.endswith((".yml", ".yaml")))
        found += [
            Seed(place / name, text, (place / name,) if place / name in documents else documents)
            for name, text in example.items()
        ]
    return tuple(found)


def _environments(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "environments").glob("*.yaml")):
        yield path.read_text(encoding="utf-8")


def _examples() -> Iterator[dict[str, str]]:
    """Yield the files of each half of each page that explains a code, by their names."""
    for page in sorted((ROOT / "mlops_kit" / "checks" / "explanations").glob("*.md")):
        for half in page.read_text(encoding="utf-8").split("\n## ")[1:]:
            if example := {name: text for name, text in BLOCK.findall(half) if not name.startswith("environments/")}:
                yield example


def checked(seed: Seed, text: str, context: Context) -> list[Finding]:
    """Return what ``validate`` would find if the file of a seed held a text."""
    if not seed.checked:
        return _environment(seed, text, context)
    if seed.checked == (seed.path,):
        return _document(seed.path, text, context, context.files)
    _write(seed.path, text)
    fresh = checks.Files(context.project.folder)  # it remembers what it has read
    return [each for path in seed.checked for each in _document(path, path.read_text("utf-8"), context, fresh)]


def _document(path: Path, text: str, context: Context, files: checks.Files) -> list[Finding]:
    try:
        loaded = documents.parse(text, path)
    except DocumentError as fault:
        return [error("MK0100", _place(fault), fault.message)]
    return list(faults.find(loaded, context.environment, {}, files))


def _environment(seed: Seed, text: str, context: Context) -> list[Finding]:
    _write(seed.path, text)
    folder, name = context.project.environments, seed.path.stem
    environment, wrong = environments.examine(folder, name, git=context.project.git)
    found = [error("MK0701", _place(fault), fault.message) for fault in wrong]
    return found + (list(rules.findings(environment)) if environment else [])


def _place(fault: SourceError) -> Place:
    if fault.place is None:
        raise BrokenPromiseError(f"a fault without a place: {fault}")
    return fault.place


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")


def drive(start: Sequence[Seed], context: Context, count: int, dice: Random) -> dict[str, float]:
    """Check ``count`` mutated documents and return what was seen.

    Raises:
        BrokenPromiseError: A document broke a promise; its text is the second argument.
    """
    found, slowest = 0, 0.0
    for number in range(count):
        seed = dice.choice(start)
        text = mutated(dice, seed.text)
        began = time.process_time()
        try:
            findings = checked(seed, text, context)
        except Exception as broken:
            raise BrokenPromiseError(traceback.format_exc(), text) from broken
        slowest = max(slowest, time.process_time() - began)
        if slowest > SLOWEST:
            raise BrokenPromiseError(f"{slowest:.1f} s", text)
        if unplaced := [each for each in findings if seed.checked and each.place.line < 1]:
            raise BrokenPromiseError(f"no place: {unplaced[0]}", text)
        found += len(findings)
        if seed.checked and seed.checked != (seed.path,):
            _write(seed.path, seed.text)
        if number % 1000 == 0:
            gc.collect()
    return {"documents": count, "findings": found, "slowest": round(slowest, 3), "memory": _peak()}


def _peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage tells counts the process that started this one, too
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    start = seeds(asked.folder)
    found = projects.find(asked.folder)
    environment = environments.load(found.environments, "local", git=found.git)
    context = Context(found, environment, checks.Files(found.folder))
    try:
        seen = drive(start, context, asked.count, Random(asked.seed))  # noqa: S311  the dice hide nothing
    except BrokenPromiseError as broken:
        (asked.folder / "broken.yml").write_text(broken.args[-1], encoding="utf-8", errors="surrogatepass")
        sys.exit(str(broken.args[0]))
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
