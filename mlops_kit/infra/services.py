"""What each service accepts as a name."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_kit.checks import names
from mlops_kit.checks.names import Rule

_WORD = "[A-Za-z0-9]"
# Limits: "Naming rules and restrictions for Azure resources" (learn.microsoft.com), and the published type files of
# the API versions that the modules use, which are stricter for compute.
RULES: Mapping[str, Rule] = {
    "resource_group": Rule(1, 90, r"[\w.()-]*[\w()-]", "letters, digits, `_`, `-`, `.`, `(`, `)`, no `.` at the end"),
    "workspace": names.RULES["workspace"],
    "storage": Rule(3, 24, "[a-z0-9]*", "lower-case letters and digits", plain=True),
    "key_vault": Rule(
        3, 24, r"[A-Za-z](-?[A-Za-z0-9])*", "letters, digits and single `-`, a letter first, no `-` at the end"
    ),
    "container_registry": Rule(5, 50, f"{_WORD}*", "letters and digits", plain=True),
    "log_analytics": Rule(4, 63, rf"{_WORD}([A-Za-z0-9-]*{_WORD})?", "letters, digits and `-`, no `-` at either end"),
    "application_insights": Rule(
        1, 255, r"[A-Za-z0-9_.()-]*[A-Za-z0-9_()-]", "letters, digits, `_`, `-`, `.`, `(`, `)`"
    ),
    "action_group": Rule(1, 260, r"[A-Za-z0-9_.()-]*[A-Za-z0-9_()-]", "letters, digits, `_`, `-`, `.`, `(`, `)`"),
    "action_group_short": Rule(1, 12, "[A-Za-z0-9_-]*", "letters, digits, `_` and `-`"),
    "alert": Rule(1, 200, rf"{_WORD}([A-Za-z0-9_ -]*{_WORD})?", "letters, digits, blanks, `_` and `-`"),
    "identity": Rule(3, 128, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign at the start"),
    "federated_credential": Rule(3, 120, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign first"),
    "virtual_network": Rule(
        2, 64, rf"{_WORD}[A-Za-z0-9_.-]*[A-Za-z0-9_]", "letters, digits, `_`, `-`, `.`, a letter or digit first"
    ),
    "private_endpoint": Rule(
        2, 64, rf"{_WORD}[A-Za-z0-9_.-]*[A-Za-z0-9_]", "letters, digits, `_`, `-`, `.`, a letter or digit first"
    ),
    "cluster": names.RULES["compute"],
    "instance": names.RULES["compute"],
    "kubernetes_compute": names.RULES["kubernetes_compute"],
    "kubernetes": Rule(
        1, 63, rf"{_WORD}([A-Za-z0-9_-]*{_WORD})?", "letters, digits, `_` and `-`, no sign at either end"
    ),
    "node_pool": Rule(1, 12, "[a-z][a-z0-9]*", "lower-case letters and digits, a letter first"),
    "instance_type": Rule(1, 63, "[a-z0-9]([a-z0-9-]*[a-z0-9])?", "lower-case letters, digits and `-`"),
    "registry": names.RULES["registry"],
    "event_topic": Rule(3, 128, "[A-Za-z0-9-]*", "letters, digits and `-`"),
    "event_subscription": Rule(3, 64, "[A-Za-z0-9-]*", "letters, digits and `-`"),
    "queue": Rule(3, 63, "[a-z0-9](-?[a-z0-9])*", "lower-case letters, digits and single `-`"),
    "container": Rule(3, 63, "[a-z0-9](-?[a-z0-9])*", "lower-case letters, digits and single `-`"),
    "budget": Rule(1, 63, "[A-Za-z0-9_-]*", "letters, digits, `_` and `-`"),
    "outbound_rule": Rule(3, 33, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign at the start"),
}
