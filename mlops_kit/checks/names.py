"""Names the service would refuse late: experiments, jobs, assets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, brief, error
from mlops_kit.documents import Scalar

if TYPE_CHECKING:
    from mlops_kit.checks.subject import Subject

# The rule the service states for experiments and jobs: 1 to 256 letters, digits, ``_``, ``-``, the first no sign.
RUN = (re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,255}$"), "letters, digits, `_` and `-`, not starting with a sign")
ASSET = (
    re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$"),
    "letters, digits, `_`, `-` and `.`, not starting with a sign",
)
ASSETS = {"data", "model", "environment_asset"}
JOBS = {"command_job", "sweep_job", "pipeline_job", "spark_job"}


def check(subject: Subject) -> list[Finding]:
    """Return the names of a document that break the rules of the service."""
    root, kind = subject.root, subject.kind
    rules = {"experiment_name": RUN}
    if kind in ASSETS:
        rules["name"] = ASSET
    if kind in JOBS or kind.startswith("automl"):
        rules["name"] = RUN
    return [finding for key, rule in rules.items() for finding in _name(root.get(key), key, *rule)]


def _name(node: object, key: str, rule: re.Pattern[str], words: str) -> list[Finding]:
    """Check one name; a name that is filled in by the service is left alone."""
    if not isinstance(node, Scalar) or node.value is None or "${{" in node.text or rule.match(node.text):
        return []
    meant = re.sub(r"[^A-Za-z0-9_-]+", "-", node.text).strip("-_")
    hint = f"write `{meant}`" if meant and rule.match(meant) else ""
    return [error("MK0201", node.place, f"`{key}` is `{brief(node.text)}`; allowed are {words}", hint)]
