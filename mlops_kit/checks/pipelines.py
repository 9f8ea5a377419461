"""A pipeline as its steps: what each runs, and what it hands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_kit.checks.bindings import names
from mlops_kit.checks.files import local_path
from mlops_kit.checks.kinds import FAMILIES
from mlops_kit.checks.mended import spelled
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from mlops_kit.checks.files import Files
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

KINDS = ("pipeline_job", "pipeline_component")
TYPES = {"", *FAMILIES["job"].kinds, *FAMILIES["component"].kinds}  # of steps; a step of no known type runs nothing
FALSE = {"false", "no", "off"}  # to readers of YAML 1.1, such as the SDK
RUNS = ("component", "trial")  # the keys that say what a step runs, where it does not say so itself


@dataclass(frozen=True, slots=True)
class Step:
    """One step; ``component`` is None where it runs none, or none that is at hand."""

    key: Scalar
    node: Map
    component: Map | None

    @property
    def name(self) -> str:
        """Return the name that references use."""
        return self.key.text

    @property
    def is_inline(self) -> bool:
        """Return whether the step says itself what it runs."""
        return not any(self.node.get(key) is not None for key in RUNS)

    def outputs(self) -> frozenset[str] | None:
        """Return the outputs of the step, None when its component is not at hand."""
        own = names(self.node.get("outputs"))
        if self.component is not None:
            return own | names(self.component.get("outputs"))
        return own if self.is_inline else None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline job or component; ``opaque`` are the steps of which nothing is known, such as those in other files."""

    root: Map
    steps: tuple[Step, ...]
    opaque: frozenset[str]

    @property
    def has_files(self) -> bool:
        """Return whether some step is written in a file of its own."""
        jobs = self.root.get("jobs")
        return isinstance(jobs, Map) and any(isinstance(entry.value, Scalar) for entry in jobs.entries)

    def step(self, name: str) -> Step | None:
        """Return the step of a name."""
        return next((step for step in self.steps if step.name == name), None)


def read(subject: Subject) -> Pipeline | None:
    """Return the pipeline that a document is; None when it is none, or has no steps of its own."""
    jobs = subject.root.get("jobs") if subject.kind in KINDS else None
    if not isinstance(jobs, Map):
        return None
    steps = tuple(
        Step(entry.key, entry.value, component_of(entry.value, subject.folder, subject.files))
        for entry in jobs.entries
        if isinstance(entry.value, Map) and text_of(entry.value.get("type")).lower() in TYPES
    )
    return Pipeline(subject.root, steps, names(jobs) - {step.name for step in steps})


def component_of(step: Map, folder: str, files: Files) -> Map | None:
    """Return the component a step runs, when it stands in the step or in a local file."""
    component = step.get("component") or step.get("trial")
    if isinstance(component, Scalar):
        path = local_path(component.text, folder)
        component = files.map(path) if path and files.kind(path) == "file" else None
        if component is not None and not _is_component(component):
            return None  # a prompt flow, for one, has inputs of its own kind
        component = spelled(component) if component else None  # what is misspelt there is found there
    return component if isinstance(component, Map) else None


def _is_component(root: Map) -> bool:
    declared = root.get("type")
    return root.get("command") is not None or (
        isinstance(declared, Scalar) and declared.text in FAMILIES["component"].kinds
    )


def text_of(node: Node | None) -> str:
    """Return the text of a scalar; of anything else, none."""
    return node.text if isinstance(node, Scalar) else ""


def is_optional(port: Node) -> bool:
    """Return whether an input of a component may be left out; one that rendering decides on may."""
    declared = port.get("optional") if isinstance(port, Map) else None
    return declared is not None and text_of(declared).lower() not in FALSE  # another word is a fault of its own
