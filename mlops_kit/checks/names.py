"""Names that the service would refuse late: one rule for each kind of thing that has a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, brief, error
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node


@dataclass(frozen=True, slots=True)
class Rule:
    """What a service accepts as a name; ``words`` completes "allowed are"."""

    shortest: int
    longest: int
    pattern: re.Pattern[str]
    words: str
    plain: bool = False
    """Letters and digits only: a derived name has no hyphens."""

    def accepts(self, text: str) -> bool:
        """Say whether a name has the length and the form."""
        return self.shortest <= len(text) <= self.longest and self.pattern.fullmatch(text) is not None

    def fault(self, text: str) -> str:
        """Return what is wrong with a name that is not accepted: its length, else its form."""
        if self.pattern.fullmatch(text) is None or not text:
            return f"; allowed are {self.words}"
        return f": {len(text)} character{'s' * (len(text) > 1)}, allowed are {self.shortest} to {self.longest}"

    def mended(self, text: str) -> str:
        """Return the nearest name that is accepted, or nothing where it is not plain what was meant."""
        meant = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")
        joined = {sign: re.sub(r"[^A-Za-z0-9]+", sign, text).strip(sign) for sign in "-_"}
        tried = (meant, joined["-"], joined["_"], joined["_"].lower())
        return next((each for each in tried if self.accepts(each)), "")


def rule(shortest: int, longest: int, pattern: str, words: str, *, plain: bool = False) -> Rule:
    """Return a rule; the pattern is matched against the whole name."""
    return Rule(shortest, longest, re.compile(pattern), words, plain)


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
    "experiment": rule(1, 256, _RUN, _RUN_WORDS),
    "job": rule(1, 255, _RUN, _RUN_WORDS),
    "schedule": rule(1, 255, _RUN, _RUN_WORDS),
    "asset": rule(1, 255, _ASSET, _ASSET_WORDS),
    "component": rule(1, 255, r"[a-z][a-z0-9_]*", "lower-case letters, digits and `_`, a letter first"),
    "step": rule(1, 255, r"[a-z_][a-z0-9_]*", "lower-case letters, digits and `_`, not starting with a digit"),
    "version": rule(1, 255, _ASSET, _ASSET_WORDS),
    "datastore": rule(1, 255, r"[A-Za-z0-9_]+", "letters, digits and `_`"),
    "connection": rule(3, 33, r"[A-Za-z0-9][\w.-]*", _ASSET_WORDS),
    "compute": rule(3, 24, _COMPUTE, _COMPUTE_WORDS),
    "kubernetes_compute": rule(2, 16, _COMPUTE, _COMPUTE_WORDS),
    "endpoint": rule(3, 32, _ENDPOINT, _ENDPOINT_WORDS),
    "deployment": rule(3, 32, _ENDPOINT, _ENDPOINT_WORDS),
    "workspace": rule(3, 33, _RUN, "letters, digits, `_` and `-`, no sign at the start"),
    "registry": rule(3, 33, _RUN, "letters, digits, `_` and `-`, no sign at the start"),
    "variable": rule(1, 32_767, r"[A-Za-z_][A-Za-z0-9_.-]*", "letters, digits and `_`, not starting with a digit"),
    "tag": rule(1, 512, r"[^<>%&\\?/]+", "all characters but `<`, `>`, `%`, `&`, `\\`, `?` and `/`"),
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
    root, kind = subject.root, subject.kind
    named = _rule_of(kind)
    findings: list[Finding] = []
    for entry in root.entries:
        key, value = entry.key.text, entry.value
        if key == "name" and named:
            findings += _name(value, key, RULES[named]) or _case(value, kind, named)
        elif key == "experiment_name":
            findings += _name(value, key, RULES["experiment"])
        elif key == "endpoint_name" and named == "deployment":
            findings += _name(value, key, RULES["endpoint"])
        elif key == "version" and (kind in _VERSIONED or named == "component"):
            findings += _version(value)
        elif key == "tags" and named in _RESOURCES:
            findings += _tags(value)
        elif key == "environment_variables":
            findings += _variables(value)
        elif key == "jobs" and isinstance(value, Map):
            findings += [fault for step in value.entries for fault in _of_step(step.value)]
    return findings


def _of_step(step: Node) -> Iterator[Finding]:
    """Check the environment variables of one step of a pipeline."""
    variables = step.get("environment_variables") if isinstance(step, Map) else None
    return _variables(variables) if variables else iter(())


@cache
def _rule_of(kind: str) -> str | None:
    """Return which rule the ``name`` of a kind follows."""
    parts = (rule for part, rule in _PARTS.items() if kind.startswith(part) or kind.endswith(part))
    return _KINDS.get(kind) or next(parts, None)


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
    return [error("MK0202", node.place, message, f"write `{lowered}`")]


def _version(node: Node) -> list[Finding]:
    """Check the version of an asset; ``latest`` would be taken for the label."""
    if not isinstance(node, Scalar) or node.value is None:
        return []
    if node.text == "latest":
        message = "`version` is `latest`, which is the label of the version that was made last"
        return [error("MK0203", node.place, message, "write a number, or leave the key out and get the next one")]
    form = RULES["version"]
    if form.accepts(node.text):
        return []
    message = f"`version` is `{brief(node.text)}`{form.fault(node.text)}"
    return [error("MK0203", node.place, message, _instead(node.text, form))]


def _variables(node: Node) -> Iterator[Finding]:
    """Check the names of environment variables."""
    form = RULES["variable"]
    for entry in node.entries if isinstance(node, Map) else ():
        if not form.accepts(entry.key.text):
            name = brief(entry.key.text)
            yield error("MK0204", entry.key.place, f"environment variable `{name}`{form.fault(entry.key.text)}")


def _tags(node: Node) -> Iterator[Finding]:
    """Check the tags of what is a resource of Azure: their names, the length of their values, how many there are."""
    entries = node.entries if isinstance(node, Map) else ()
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
