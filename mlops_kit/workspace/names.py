"""Names of jobs and experiments: derived deterministically, valid, and never equal for different sources."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping

# What the service accepts for an experiment; a job's name follows the same alphabet.
VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
LONGEST = 255


def slug(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` as a valid name; one that had to change carries its own hash, so no two share a slug."""
    if len(text) <= longest and VALID.fullmatch(text):
        return text
    mark = digest([text], 8)
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")
    return f"{words[: longest - len(mark) - 1].rstrip('-_')}-{mark}" if words else f"x-{mark}"


def digest(parts: Iterable[str], length: int = 12) -> str:
    """Return the first ``length`` hexadecimal digits of a SHA-256 over the parts, kept apart from each other."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode()
        total.update(f"{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()[:length]


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
