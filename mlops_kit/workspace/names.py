"""Names of jobs: what they are, what they contain, and which attempt submits them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from mlops_kit.slugs import digest, slug


def attempt_token(variables: Mapping[str, str]) -> str | None:
    """Return what identifies this attempt of a GitHub Actions step, or None outside of GitHub Actions.

    A step that is retried by its runner keeps the token; a workflow that a person runs again gets a new one.
    """
    keys = ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "GITHUB_ACTION")
    if not variables.get("GITHUB_RUN_ID"):
        return None
    return ".".join(variables.get(key, "") for key in keys)


def fresh_token() -> str:
    """Return a token for an attempt that nobody else makes."""
    return secrets.token_hex(8)


def job_name(stem: str, content: Iterable[str], attempt: str) -> str:
    """Return the name of a job: what it is, what it contains, and which attempt submits it."""
    return f"{slug(stem, 40).lower()}-{digest([*content, attempt])}"
