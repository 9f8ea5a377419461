"""What is seen of a pipeline or a sweep while it is waited for: a tree of its children, or a line as each one ends."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from mlops_kit.cli import present
from mlops_kit.errors import MlopsKitError
from mlops_kit.workspace import children, failures, jobs
from mlops_kit.workspace.children import Child
from mlops_kit.workspace.connect import Workspace
from mlops_kit.workspace.enums import word
from mlops_kit.workspace.waiting import FINAL_STATES

_MARKS = {"Completed": "+", "Failed": "x", "Canceled": "-", "Running": "*"}
_MOST = 20  # children that a tree shows


@dataclass(slots=True)
class Lines:
    """One line as each child ends, for logs and files."""

    say: Callable[[str], None]
    told: set[str] = field(default_factory=set)

    def show(self, found: Sequence[Child]) -> None:
        """Say which children have ended since the last time."""
        for each in found:
            if each.status in FINAL_STATES and each.name not in self.told:
                self.told.add(each.name)
                self.say(f"{each.title}: {state(each)}")


@dataclass(slots=True)
class Tree:
    """All children under the job, drawn again at each look; at the end the last drawing stays."""

    out: TextIO
    print_line: Callable[[str], object]
    clock: Callable[[], float] = time.monotonic
    begun: dict[str, float] = field(default_factory=dict)  # when a running child was first seen
    took: dict[str, float] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)

    def show(self, found: Sequence[Child]) -> None:
        """Draw the children over the drawing before."""
        for each in found:
            self._time(each)
        self._erase()
        size = shutil.get_terminal_size()
        lines = _tree(found, self.took, min(_MOST, max(1, size.lines - 3)))
        self.drawn = [line[: size.columns - 1] for line in lines]  # a line that wraps could not be erased
        self._draw()

    def say(self, line: str) -> None:
        """Print a line about the job above the tree."""
        self._erase()
        self.print_line(line)
        self._draw()

    def _time(self, child: Child) -> None:
        now = self.clock()
        if child.status == "Running":
            self.begun.setdefault(child.name, now)
        if child.name in self.begun:
            self.took[child.name] = now - self.begun[child.name]
        if child.status in FINAL_STATES:
            self.begun.pop(child.name, None)

    def _erase(self) -> None:
        if self.drawn:
            self.out.write(f"\x1b[{len(self.drawn)}F\x1b[J")

    def _draw(self) -> None:
        self.out.write("".join(f"{line}\n" for line in self.drawn))
        self.out.flush()


def _tree(found: Sequence[Child], took: Mapping[str, float], most: int) -> list[str]:
    """Return the lines of a tree; of many children the last ones, after how many there are before."""
    hidden = max(0, len(found) - most)
    wide = max((len(each.title) for each in found), default=0)
    lines = [f"  |-- ... {hidden} more"] if hidden else []
    for each in found[hidden:]:
        seconds = present.duration(took.get(each.name))
        lines.append(f"  |-- {_MARKS.get(each.status, ' ')} {each.title.ljust(wide)}  {state(each)}")
        lines[-1] += f"  {seconds}" if seconds else ""
    if lines:
        lines[-1] = lines[-1].replace("|--", "`--", 1)
    return lines


def state(child: Child) -> str:
    """Return how a child went, in a few words."""
    return "Completed (reused)" if child.reused and child.status == "Completed" else child.status


def followed(workspace: Workspace, job: str, ask: Callable[[], str], shown: Lines | Tree) -> Callable[[], str]:
    """Return a question for the state of a job that looks at its children, too; ``ask`` for one that has none."""
    try:
        kind = word(jobs.get(workspace, job).type).lower()
    except MlopsKitError:  # what is asked next says why
        return ask
    if kind not in children.PARENTS:
        return ask

    def asked() -> str:
        state = ask()
        try:
            with failures.readable(f"list the children of the job {job!r}"):
                shown.show(children.listed(workspace.ml, job))
        except MlopsKitError:
            return state  # the wait is for the job: a look at its children may fail
        return state

    return asked


def way(say: Callable[[str], None], *, streaming: bool, out: TextIO | None = None) -> Lines | Tree:
    """Return how children are shown: a tree on a terminal that nothing else writes to, else lines."""
    screen = out or sys.stderr
    return Tree(screen, say) if screen.isatty() and not streaming else Lines(say)
