"""Names that the service would refuse late: one rule for each kind of thing that has a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Edit, Finding, brief, error
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node


@dataclass(frozen=True, slots=True)
class Rule:
    """What a service accepts as a name; ``words`` completes "allowed are", ``pattern`` is of the whole name."""

    shortest: int
    longest: int
    pattern: str
    words: str
    plain: bool = False
    """Letters and digits only: a derived name has no hyphens."""

    def accepts(self, text: str) -> bool:
        """Say whether a name has the length and the form."""
        return self.shortest <= len(text) <= self.longest and _matcher(self.pattern)(text) is not None

    def fault(self, text: str) -> str:
        """Return what is wrong with a name that is not accepted: its length, else its form."""
        if not text or _matcher(self.pattern)(text) is None:
            return f"; allowed are {self.words}"
        return f": {len(text)} character{'s' * (len(text) > 1)}, allowed are {self.shortest} to {self.longest}"

    def mended(self, text: str) -> str:
        """Return the nearest name that is accepted, or nothing where it is not plain what was meant."""
        meant = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")
        joined = {sign: re.sub(r"[^A-Za-z0-9]+", sign, text).strip(sign) for sign in "-_"}
        tried = (meant, joined["-"], joined["_"], joined["_"].lower())
        return next((each for each in tried if self.accepts(each)), "")


@cache
def _matcher(pattern: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(pattern).fullmatch


_RUN = "[A-Za-z0-9][A-Za-z0-9_-]*"
_RUN_WORDS = "letters, digits, `_` and `-`, not starting with a sign"
_ASSET = "[A-Za-z0-9][A-Za-z0-9._-]*"
_ASSET_WORDS = "letters, digits, `_`, `-` and `.`, not starting with a sign"
_COMPUTE = r"[A-Za-z](?!.*-\d+$)[A-Za-z0-9-]*"
_COMPUTE_WORDS = "letters, digits and `-`, a letter first, not `-` and digits last"
_ENDPOINT = "[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?"
_ENDPOINT_WORDS = "letters, digits and `-`, a letter first, no `-` last"

# Limits: what the service answers (experiments), ``azure.ai.ml`` (endpoints, components, steps), the patterns of the
# published API versions (computes, workspaces, registries, schedules), "Naming rules and restrictions for Azure
# resources" on learn.microsoft.com.
RULES: Mapping[str, Rule] = {
    "experiment": Rule(1, 256, _RUN, _RUN_WORDS),
    "job": Rule(1, 255, _RUN, _RUN_WORDS),
    "schedule": Rule(1, 255, _RUN, _RUN_WORDS),
    "asset": Rule(1, 255, _ASSET, _ASSET_WORDS),
    "component": Rule(1, 255, r"[a-z][a-z0-9_]*", "lower-case letters, digits and `_`, a letter first"),
    "step": Rule(1, 255, r"[a-z_][a-z0-9_]*", "lower-case letters, digits and `_`, not starting with a digit"),
    "version": Rule(1, 255, _ASSET, _ASSET_WORDS),
    "datastore": Rule(1, 255, r"[A-Za-z0-9_]+", "letters, digits and `_`"),
    "connection": Rule(3, 33, r"[A-Za-z0-9][\w.-]*", _ASSET_WORDS),
    "compute": Rule(3, 24, _COMPUTE, _COMPUTE_WORDS),
    "kubernetes_compute": Rule(2, 16, _COMPUTE, _COMPUTE_WORDS),
    "endpoint": Rule(3, 32, _ENDPOINT, _ENDPOINT_WORDS),
    "deployment": Rule(3, 32, _ENDPOINT, _ENDPOINT_WORDS),
    "workspace": Rule(3, 33, _RUN, "letters, digits, `_` and `-`, no sign at the start"),
    "registry": Rule(3, 33, _RUN, "letters, digits, `_` and `-`, no sign at the start"),
    "variable": Rule(1, 32_767, r"[A-Za-z_][A-Za-z0-9_.-]*", "letters, digits and `_`, not starting with a digit"),
    "tag": Rule(1, 512, r"[^<>%&\\?/]+", "all characters but `<`, `>`, `%`, `&`, `\\`, `?` and `/`"),
}

# kind -> the rule of its ``name``; those that are told by a part of it stand in ``_PARTS``
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("command_job", "sweep_job", "pipeline_job", "spark_job", "import_job", "distillation_job"), "job"),
    **dict.fromkeys(("data", "model", "environment_asset", "feature_set", "feature_store_entity"), "asset"),
    **dict.fromkeys(
        ("azure_blob", "azure_file", "azure_data_lake_gen1", "azure_data_lake_gen2", "one_lake"), "datastore"
    ),
    **dict.fromkeys(("amlcompute", "compute_instance", "virtual_machine_compute", "synapse_spark_compute"), "compute"),
    "kubernetes_compute": "kubernetes_compute",
    **dict.fromkeys(("workspace", "hub", "project", "feature_store"), "workspace"),
    "registry": "registry",
}
# a part at either end of a kind -> the rule of its ``name``
_PARTS: Mapping[str, str] = {
    "_component": "component",
    "automl_": "job",
    "_finetuning": "job",
    "connection": "connection",
    "_endpoint": "endpoint",
    "_deployment": "deployment",
    "_schedule": "schedule",
}
# Names that the SDK writes in lower case without a word: entities/_endpoint/endpoint.py, _deployment/deployment.py and,
# for jobs that are read as steps of a pipeline are, entities/_builders/base_node.py; other jobs keep theirs (1.35).
_LOWERED_KINDS, _LOWERED_RULES = {"command_job", "spark_job"}, {"endpoint", "deployment"}
_VERSIONED = {"data", "model", "environment_asset", "feature_set", "feature_store_entity"}
_RESOURCES = {"workspace", "registry", "endpoint", "deployment", "compute", "kubernetes_compute"}
MOST_TAGS, LONGEST_TAG = 50, 256
PLACEHOLDER = re.compile(r"<[^<>]*>|\{\{.*\}\}")


def check(subject: Subject) -> list[Finding]:
    """Return the names of a document that break the rules of the service."""
    kind = subject.kind
    named = rule_of(kind)
    findings: list[Finding] = []
    for entry in subject.root.entries:
        find = _FINDERS.get(entry.key.text)
        if find:
            findings += find(entry.value, kind, named)
    return findings


def _own_name(node: Node, kind: str, named: str) -> list[Finding]:
    return (_name(node, "name", RULES[named]) or _case(node, kind, named)) if named else []


def _experiment(node: Node, _kind: str, _named: str) -> list[Finding]:
    return _name(node, "experiment_name", RULES["experiment"])


def _endpoint(node: Node, _kind: str, named: str) -> list[Finding]:
    return _name(node, "endpoint_name", RULES["endpoint"]) if named == "deployment" else []


def _steps(node: Node, _kind: str, _named: str) -> list[Finding]:
    steps = node.entries if isinstance(node, Map) else ()
    return [fault for step in steps for fault in _of_step(step.value)]


def _of_step(step: Node) -> Iterator[Finding]:
    """Check the environment variables of one step of a pipeline."""
    variables = step.get("environment_variables") if isinstance(step, Map) else None
    return _variables(variables, "", "") if variables else iter(())


@cache
def rule_of(kind: str) -> str:
    """Return which rule the ``name`` of a kind follows, nothing where it has no name of its own."""
    parts = (rule for part, rule in _PARTS.items() if kind.startswith(part) or kind.endswith(part))
    return _KINDS.get(kind) or next(parts, "")


def _name(node: Node, key: str, form: Rule) -> list[Finding]:
    """Check one name; a name that is filled in by the service is left alone."""
    if not isinstance(node, Scalar) or node.value is None or "${{" in node.text or form.accepts(node.text):
        return []
    message = f"`{key}` is `{brief(node.text)}`{form.fault(node.text)}"
    return [error("MK0201", node.place, message, _instead(node.text, form))]


def _instead(text: str, form: Rule) -> str:
    """Say what to write instead of a name; a placeholder that was left open has no right form."""
    if PLACEHOLDER.search(text):
        return "fill in the placeholder"
    meant = form.mended(text)
    return f"write `{meant}`" if meant else ""


def _case(node: Node, kind: str, named: str) -> list[Finding]:
    """Report a name with capitals where the SDK makes another one of it."""
    if not isinstance(node, Scalar) or (kind not in _LOWERED_KINDS and named not in _LOWERED_RULES):
        return []
    lowered = node.text.lower()
    if lowered == node.text or "${{" in node.text:
        return []
    message = f"`name` is `{brief(node.text)}`, of which the SDK makes `{brief(lowered)}`"
    return [error("MK0202", node.place, message, f"write `{lowered}`", Edit(node.text, lowered))]


def _version(node: Node, kind: str, named: str) -> list[Finding]:
    """Check the version of an asset; ``latest`` would be taken for the label."""
    if not isinstance(node, Scalar) or node.value is None or (kind not in _VERSIONED and named != "component"):
        return []
    if node.text == "latest":
        message = "`version` is `latest`, which is the label of the version that was made last"
        return [error("MK0203", node.place, message, "write a number, or leave the key out and get the next one")]
    form = RULES["version"]
    if form.accepts(node.text):
        return []
    message = f"`version` is `{brief(node.text)}`{form.fault(node.text)}"
    return [error("MK0203", node.place, message, _instead(node.text, form))]


def _variables(node: Node, _kind: str, _named: str) -> Iterator[Finding]:
    """Check the names of environment variables."""
    form = RULES["variable"]
    for entry in node.entries if isinstance(node, Map) else ():
        if not form.accepts(entry.key.text):
            name = brief(entry.key.text)
            yield error("MK0204", entry.key.place, f"environment variable `{name}`{form.fault(entry.key.text)}")


def _tags(node: Node, _kind: str, named: str) -> Iterator[Finding]:
    """Check the tags of what is a resource of Azure: their names, the length of their values, how many there are."""
    entries = node.entries if isinstance(node, Map) and named in _RESOURCES else ()
    form = RULES["tag"]
    for entry in entries:
        key, value = entry.key, entry.value
        if not form.accepts(key.text):
            yield error("MK0205", key.place, f"tag `{brief(key.text)}`{form.fault(key.text)}")
        elif isinstance(value, Scalar) and len(value.text) > LONGEST_TAG:
            message = f"the value of the tag `{key.text}` has {len(value.text)} characters, allowed are {LONGEST_TAG}"
            yield error("MK0205", value.place, message)
    if len(entries) > MOST_TAGS:
        message = f"there are {len(entries)} tags, a resource of Azure has {MOST_TAGS} at most"
        yield error("MK0205", entries[MOST_TAGS].key.place, message)


_FINDERS: Mapping[str, Callable[[Node, str, str], Iterable[Finding]]] = {
    "name": _own_name,
    "experiment_name": _experiment,
    "endpoint_name": _endpoint,
    "version": _version,
    "tags": _tags,
    "environment_variables": _variables,
    "jobs": _steps,
}
