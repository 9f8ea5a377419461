"""What each service accepts as a name."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_kit.checks import names
from mlops_kit.checks.names import Rule, rule

_WORD = "[A-Za-z0-9]"
# Limits: "Naming rules and restrictions for Azure resources" (learn.microsoft.com), and the published type files of
# the API versions that the modules use, which are stricter for compute.
RULES: Mapping[str, Rule] = {
    "resource_group": rule(1, 90, r"[\w.()-]*[\w()-]", "letters, digits, `_`, `-`, `.`, `(`, `)`, no `.` at the end"),
    "workspace": names.RULES["workspace"],
    "storage": rule(3, 24, "[a-z0-9]*", "lower-case letters and digits", plain=True),
    "key_vault": rule(
        3, 24, r"[A-Za-z](-?[A-Za-z0-9])*", "letters, digits and single `-`, a letter first, no `-` at the end"
    ),
    "container_registry": rule(5, 50, f"{_WORD}*", "letters and digits", plain=True),
    "log_analytics": rule(4, 63, rf"{_WORD}([A-Za-z0-9-]*{_WORD})?", "letters, digits and `-`, no `-` at either end"),
    "application_insights": rule(
        1, 255, r"[A-Za-z0-9_.()-]*[A-Za-z0-9_()-]", "letters, digits, `_`, `-`, `.`, `(`, `)`"
    ),
    "action_group": rule(1, 260, r"[A-Za-z0-9_.()-]*[A-Za-z0-9_()-]", "letters, digits, `_`, `-`, `.`, `(`, `)`"),
    "action_group_short": rule(1, 12, "[A-Za-z0-9_-]*", "letters, digits, `_` and `-`"),
    "alert": rule(1, 200, rf"{_WORD}([A-Za-z0-9_ -]*{_WORD})?", "letters, digits, blanks, `_` and `-`"),
    "identity": rule(3, 128, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign at the start"),
    "federated_credential": rule(3, 120, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign first"),
    "virtual_network": rule(
        2, 64, rf"{_WORD}[A-Za-z0-9_.-]*[A-Za-z0-9_]", "letters, digits, `_`, `-`, `.`, a letter or digit first"
    ),
    "private_endpoint": rule(
        2, 64, rf"{_WORD}[A-Za-z0-9_.-]*[A-Za-z0-9_]", "letters, digits, `_`, `-`, `.`, a letter or digit first"
    ),
    "cluster": names.RULES["compute"],
    "instance": names.RULES["compute"],
    "kubernetes_compute": names.RULES["kubernetes_compute"],
    "kubernetes": rule(
        1, 63, rf"{_WORD}([A-Za-z0-9_-]*{_WORD})?", "letters, digits, `_` and `-`, no sign at either end"
    ),
    "node_pool": rule(1, 12, "[a-z][a-z0-9]*", "lower-case letters and digits, a letter first"),
    "instance_type": rule(1, 63, "[a-z0-9]([a-z0-9-]*[a-z0-9])?", "lower-case letters, digits and `-`"),
    "registry": names.RULES["registry"],
    "event_topic": rule(3, 128, "[A-Za-z0-9-]*", "letters, digits and `-`"),
    "event_subscription": rule(3, 64, "[A-Za-z0-9-]*", "letters, digits and `-`"),
    "queue": rule(3, 63, "[a-z0-9](-?[a-z0-9])*", "lower-case letters, digits and single `-`"),
    "container": rule(3, 63, "[a-z0-9](-?[a-z0-9])*", "lower-case letters, digits and single `-`"),
    "budget": rule(1, 63, "[A-Za-z0-9_-]*", "letters, digits, `_` and `-`"),
    "outbound_rule": rule(3, 33, rf"{_WORD}[A-Za-z0-9_-]*", "letters, digits, `_` and `-`, no sign at the start"),
}
