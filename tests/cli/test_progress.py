"""What is seen of children while their parent is waited for."""

import io
import re

from mlops_kit.cli.progress import Lines, Tree, way
from mlops_kit.workspace.children import Child


class Screen(io.StringIO):
    """A terminal: what a person sees of it in the end."""

    def __init__(self, is_terminal=True):
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self):
        return self._is_terminal

    def seen(self):
        lines: list[str] = []
        for moved, text in re.findall(r"((?:\x1b\[\d+F\x1b\[J)*)(.*)\n", self.getvalue()):
            for count in re.findall(r"\d+", moved):
                del lines[len(lines) - int(count) :]
            lines.append(text)
        return lines


def children(**states):
    return [Child(name, name, state) for name, state in states.items()]


def test_a_line_is_said_once_as_each_child_ends():
    said: list[str] = []
    lines = Lines(said.append)
    lines.show(children(a="Running"))
    lines.show(children(a="Completed", b="Queued"))
    lines.show([*children(a="Completed", b="Failed"), Child("c", "c", "Completed", reused="before")])
    assert said == ["a: Completed", "b: Failed", "c: Completed (reused)"]


def test_a_tree_is_drawn_over_the_one_before():
    screen = Screen()
    now = iter([10.0, 13.0, 13.0])
    tree = Tree(screen, lambda line: screen.write(f"{line}\n"), clock=lambda: next(now))
    tree.say("job: Running")
    tree.show(children(prep="Running"))
    tree.show(children(prep="Completed", train="Queued"))
    tree.say("job: Completed")
    assert screen.seen() == [
        "job: Running",
        "job: Completed",
        "  |-- + prep   Completed  3.0 s",
        "  `--   train  Queued",
    ]


def test_of_many_children_the_last_are_drawn():
    screen = Screen()
    Tree(screen, screen.write).show(children(**{f"trial_{number}": "Queued" for number in range(50)}))
    assert screen.seen()[0] == "  |-- ... 30 more"
    assert len(screen.seen()) == 21
    assert screen.seen()[-1].endswith("trial_49  Queued")


def test_no_tree_is_drawn_where_it_could_not_be_drawn_over():
    assert isinstance(way(print, streaming=False, out=Screen()), Tree)
    assert isinstance(way(print, streaming=True, out=Screen()), Lines)
    assert isinstance(way(print, streaming=False, out=Screen(is_terminal=False)), Lines)
