"""What each service accepts as a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


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


def _rule(shortest: int, longest: int, pattern: str, words: str, *, plain: bool = False) -> Rule:
    return Rule(shortest, longest, re.compile(pattern), words, plain)


_WORD = "[A-Za-z0-9]"
# Limits: "Naming rules and restrictions for Azure resources" (learn.microsoft.com), and the published type files of
# the API versions that the modules use, which are stricter for compute.
RULES: Mapping[str, Rule] = {
    "resource_group": _rule(1, 90, r"[\w.()-]*[\w()-]", "letters, digits, `_`, `-`, `.`, `(`, `)`, no `.` at the end"),
    "workspace": _rule(3, 33, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign at the start"),
    "storage": _rule(3, 24, "[a-z0-9]*", "lower-case letters and digits", plain=True),
    "key_vault": _rule(
        3, 24, r"[A-Za-z](-?[A-Za-z0-9])*", "letters, digits and single `-`, a letter first, no `-` at the end"
    ),
    "container_registry": _rule(5, 50, f"{_WORD}*", "letters and digits", plain=True),
    "log_analytics": _rule(4, 63, rf"{_WORD}([A-Za-z0-9-]*{_WORD})?", "letters, digits and `-`, no `-` at either end"),
    "application_insights": _rule(
        1, 255, r"[A-Za-z0-9_.()-]*[A-Za-z0-9_()-]", "letters, digits, `_`, `-`, `.`, `(`, `)`"
    ),
    "action_group": _rule(1, 260, r"[A-Za-z0-9_.()-]*[A-Za-z0-9_()-]", "letters, digits, `_`, `-`, `.`, `(`, `)`"),
    "action_group_short": _rule(1, 12, "[A-Za-z0-9_-]*", "letters, digits, `_` and `-`"),
    "alert": _rule(1, 200, rf"{_WORD}([A-Za-z0-9_ -]*{_WORD})?", "letters, digits, blanks, `_` and `-`"),
    "identity": _rule(3, 128, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign at the start"),
    "federated_credential": _rule(3, 120, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign first"),
    "virtual_network": _rule(
        2, 64, rf"{_WORD}[A-Za-z0-9_.-]*[A-Za-z0-9_]", "letters, digits, `_`, `-`, `.`, a letter or digit first"
    ),
    "private_endpoint": _rule(
        2, 64, rf"{_WORD}[A-Za-z0-9_.-]*[A-Za-z0-9_]", "letters, digits, `_`, `-`, `.`, a letter or digit first"
    ),
    "cluster": _rule(
        3, 24, r"[A-Za-z](?!.*-\d+$)[A-Za-z0-9-]*", "letters, digits and `-`, a letter first, not `-` and digits last"
    ),
    "instance": _rule(
        3, 24, r"[A-Za-z](?!.*-\d+$)[A-Za-z0-9-]*", "letters, digits and `-`, a letter first, not `-` and digits last"
    ),
    "kubernetes_compute": _rule(
        2, 16, r"[A-Za-z](?!.*-\d+$)[A-Za-z0-9-]*", "letters, digits and `-`, a letter first, not `-` and digits last"
    ),
    "kubernetes": _rule(
        1, 63, rf"{_WORD}([A-Za-z0-9_-]*{_WORD})?", "letters, digits, `_` and `-`, no sign at either end"
    ),
    "node_pool": _rule(1, 12, "[a-z][a-z0-9]*", "lower-case letters and digits, a letter first"),
    "instance_type": _rule(1, 63, "[a-z0-9]([a-z0-9-]*[a-z0-9])?", "lower-case letters, digits and `-`"),
    "registry": _rule(3, 33, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign at the start"),
    "event_topic": _rule(3, 128, "[A-Za-z0-9-]*", "letters, digits and `-`"),
    "event_subscription": _rule(3, 64, "[A-Za-z0-9-]*", "letters, digits and `-`"),
    "queue": _rule(3, 63, "[a-z0-9](-?[a-z0-9])*", "lower-case letters, digits and single `-`"),
    "container": _rule(3, 63, "[a-z0-9](-?[a-z0-9])*", "lower-case letters, digits and single `-`"),
    "budget": _rule(1, 63, "[A-Za-z0-9_-]*", "letters, digits, `_` and `-`"),
    "outbound_rule": _rule(3, 33, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign at the start"),
}
