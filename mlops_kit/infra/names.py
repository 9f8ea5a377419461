"""The physical name of everything that infrastructure creates, computed offline.

A name that stands in the files of the environment is taken as it stands. The others are made of a stem; where it is
longer than the service allows, its end becomes a hash of the whole, so that two long stems do not become one name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlops_kit.checks.names import Rule
from mlops_kit.environments import Environment
from mlops_kit.infra import derived
from mlops_kit.infra.services import RULES
from mlops_kit.infra.wanted import Wanted, wanted

_CUT = 5  # hexadecimal digits that stand for what was cut


@dataclass(frozen=True, slots=True)
class Name:
    """One physical name: ``key`` says of what (``storage``, ``cluster.cpu``), ``kind`` which rule holds.

    ``path`` holds the keys of the environment that give it, or a part of it; it is empty where the stem alone does.
    """

    key: str
    kind: str
    text: str
    path: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule:
        """Return what the service accepts."""
        return RULES[self.kind]


def physical_names(environment: Environment) -> dict[str, str]:
    """Return every physical name of an environment by what it names, such as ``storage`` or ``cluster.cpu-cluster``.

    Raises:
        EnvironmentFileError: A value that names depend on is missing or cannot be evaluated.
    """
    return {name.key: name.text for name in names_of(environment, wanted(environment))}


def names_of(environment: Environment, tree: Wanted, subscription: str | None = None) -> tuple[Name, ...]:
    """Return the names of everything that an environment wants.

    ``subscription`` stands in for that of the environment; the form of a name does not depend on it.
    """
    stems = Stems.of(environment, tree, subscription)
    return tuple(_names(environment, tree, stems))


@dataclass(frozen=True, slots=True)
class Stems:
    """What derived names are made of: the stem, and the suffix of those that must be unique in all of Azure."""

    stem: str
    suffix: str

    @classmethod
    def of(cls, environment: Environment, tree: Wanted, subscription: str | None = None) -> Stems:
        """Return the stem and the suffix of an environment: its own, else of its project, name and subscription."""
        project = str(environment.get("project") or environment.project)
        stem = tree.get("stem") or f"{project}-{environment.name}"
        suffix = tree.get("suffix")
        if not suffix:
            account = subscription or str(environment.require("workspace.subscription_id")).lower()
            suffix = _digest(account, project, environment.name)[:_CUT]
        return cls(stem, suffix)

    def name(self, kind: str, prefix: str, *ends: str, unique: bool = False) -> str:
        """Return ``prefix-stem-ends`` as the service allows it; the stem is what gives way."""
        rule = RULES[kind]
        joint = "" if rule.plain else "-"
        tail = [squeezed(end, joint) for end in (*ends, *([self.suffix] if unique else []))]
        room = rule.longest - len(prefix) - sum(map(len, tail)) - len(joint) * (1 + len(tail))
        return joint.join([prefix, cut(squeezed(self.stem, joint), self.stem, room, joint), *tail])


def squeezed(text: str, joint: str) -> str:
    """Return a text in lower-case letters and digits, all else become single joints; its hash where nothing is left."""
    words = re.sub(r"[^a-z0-9]+", joint, text.lower()).strip("-")
    return words or _digest(text)[:_CUT]


def cut(words: str, source: str, room: int, joint: str) -> str:
    """Return ``words``; where they need more than ``room``, the end becomes a hash of their source."""
    if len(words) <= room:
        return words
    kept = words[: max(room - _CUT - len(joint), 0)].rstrip("-")
    return f"{kept}{joint if kept else ''}{_digest(source)[:_CUT]}"


def _digest(*parts: str) -> str:
    """Return a SHA-256 over the parts, kept apart from each other, in hexadecimal digits."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


def _names(environment: Environment, tree: Wanted, stems: Stems) -> Iterator[Name]:
    for key, part in (("resource_group", "resource_group"), ("workspace", "name")):
        yield Name(key, key, str(environment.require(f"workspace.{part}")), ("workspace", part))
    yield from _services(environment, tree, stems)
    yield from _observability(environment, tree, stems)
    yield from _access(environment, tree, stems)
    yield from _network(tree, stems)
    yield from _compute(tree)
    yield from _kubernetes(tree, stems)
    yield from _optional(tree, stems)


def _own(part: Wanted, module: str, at: str, key: str, derived: str) -> Name:
    """Return the name that a module is given at a key of its own, else the derived one."""
    given = part.get(at)
    return Name(key, key, given or derived, ("infra", module, at) if given else ())


def _made_with_the_workspace(environment: Environment) -> dict[str, str]:
    """Return the names of what the control plane of an environment on this machine has made with its workspace.

    Infrastructure takes these over: a workspace cannot get another storage account or vault.
    """
    if not environment.is_local:
        return {}
    workspace = str(environment.require("workspace.name"))
    beside = {"key_vault": "kv", "log_analytics": "log", "application_insights": "appi"}
    return {
        "storage": "devstoreaccount1",  # the account of the storage emulator
        **{
            key: re.sub("[-_]+", "-", f"{prefix}-{workspace}")[: RULES[key].longest].rstrip("-")
            for key, prefix in beside.items()
        },
    }


def _services(environment: Environment, tree: Wanted, stems: Stems) -> Iterator[Name]:
    made = _made_with_the_workspace(environment)
    for key, prefix in (("storage", "st"), ("key_vault", "kv"), ("container_registry", "cr")):
        if tree[key] is not None:
            yield _own(tree[key], key, "name", key, made.get(key) or stems.name(key, prefix, unique=True))
    for index, container in enumerate(tree["storage"]["containers"]):
        yield Name(f"container.{container}", "container", container, ("infra", "storage", "containers", str(index)))


def _observability(environment: Environment, tree: Wanted, stems: Stems) -> Iterator[Name]:
    part, made = tree["observability"], _made_with_the_workspace(environment)
    name = made.get("log_analytics") or stems.name("log_analytics", "log")
    yield _own(part, "observability", "log_analytics_name", "log_analytics", name)
    if not part["application_insights_id"]:
        name = made.get("application_insights") or stems.name("application_insights", "appi")
        yield _own(part, "observability", "application_insights_name", "application_insights", name)
    if part["emails"]:
        yield Name("action_group", "action_group", stems.name("action_group", "ag"))
        short = RULES["action_group_short"].longest
        yield Name("action_group_short", "action_group_short", cut(squeezed(stems.stem, ""), stems.stem, short, ""))
    for alert in part["alerts"]:
        path = ("infra", "observability", "alerts", alert)
        yield Name(f"alert.{alert}", "alert", stems.name("alert", "alert", alert), path)


def _access(environment: Environment, tree: Wanted, stems: Stems) -> Iterator[Name]:
    for identity in derived.identities(tree):
        yield Name(f"identity.{identity}", "identity", stems.name("identity", "id", identity))
    if (github := tree["identity_and_access"]["github"]) is not None:
        named = github.get("environment") or environment.name
        yield Name("federated_credential.environment", "federated_credential", _credential(f"environment-{named}"))
        if github["pull_requests"]:
            yield Name("federated_credential.pull_request", "federated_credential", _credential("pull-request"))


def _credential(what: str) -> str:
    return cut(f"github-{squeezed(what, '-')}", what, RULES["federated_credential"].longest, "-")


def _network(tree: Wanted, stems: Stems) -> Iterator[Name]:
    part = tree["workspace"]
    if part["network"] != "public":
        yield Name("virtual_network", "virtual_network", stems.name("virtual_network", "vnet"))
    for target in derived.endpoints(tree):
        name = stems.name("private_endpoint", "pe", target)
        yield Name(f"private_endpoint.{target}", "private_endpoint", name)
    for rule in part["outbound_rules"]:
        yield Name(f"outbound_rule.{rule}", "outbound_rule", rule, ("infra", "workspace", "outbound_rules", rule))


def _compute(tree: Wanted) -> Iterator[Name]:
    for kind in ("cluster", "instance"):
        for name in tree["compute"][f"{kind}s"]:
            yield Name(f"{kind}.{name}", kind, name, ("infra", "compute", f"{kind}s", name))
    if (builder := derived.build_cluster(tree)) and builder not in tree["compute"]["clusters"]:
        path = ("infra", "workspace", "image_build_compute") if "image_build_compute" in tree["workspace"] else ()
        yield Name(f"cluster.{builder}", "cluster", builder, path)


def _kubernetes(tree: Wanted, stems: Stems) -> Iterator[Name]:
    if (part := tree["kubernetes"]) is None:
        return
    if not part["cluster_id"]:
        yield _own(part, "kubernetes", "name", "kubernetes", stems.name("kubernetes", "aks"))
        for pool in part["node_pools"]:
            yield Name(f"node_pool.{pool}", "node_pool", pool, ("infra", "kubernetes", "node_pools", pool))
    path = ("infra", "kubernetes", "compute_name")
    yield Name("kubernetes_compute", "kubernetes_compute", part["compute_name"], path)
    for kind in part["instance_types"]:
        yield Name(f"instance_type.{kind}", "instance_type", kind, ("infra", "kubernetes", "instance_types", kind))


def _optional(tree: Wanted, stems: Stems) -> Iterator[Name]:
    if (registry := tree["registry"]) is not None:
        name = stems.name("registry", "mlr", unique=True)
        yield _own(registry, "registry", "name", "registry", name)
    if (trigger := tree["data_trigger"]) is not None:
        yield Name("event_topic", "event_topic", stems.name("event_topic", "evgt"))
        for name in trigger["triggers"]:
            path = ("infra", "data_trigger", "triggers", name)
            yield Name(f"event_subscription.{name}", "event_subscription", name, path)
            if not trigger["triggers"][name]["webhook_url"]:
                yield Name(f"queue.{name}", "queue", f"trigger-{name}", path)
    if tree["budget"] is not None:
        yield Name("budget", "budget", stems.name("budget", "budget"))
