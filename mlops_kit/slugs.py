"""Names made of other texts, such as a branch: valid, the same on every machine, and never equal for two texts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

# What the service accepts for an experiment; a job's name follows the same alphabet.
VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
LONGEST = 255
# What endpoints, deployments and computes accept, too, and what no letter case is changed in.
STRICT = re.compile(r"[a-z](-?[a-z0-9])*")
SHORTEST_LIMIT = 16  # the hash and enough of the text to know it again


def slug(text: str, longest: int = LONGEST, *, lower: bool = False) -> str:
    """Return ``text`` as a valid name; one that had to change carries its own hash, so no two share a slug.

    With ``lower`` it is of lower-case letters, digits and single hyphens, and begins with a letter.

    Raises:
        ValueError: ``longest`` leaves no room for the hash.
    """
    if longest < SHORTEST_LIMIT:
        raise ValueError(f"a slug needs room for {SHORTEST_LIMIT} characters, not {longest}")
    if len(text) <= longest and (STRICT if lower else VALID).fullmatch(text):
        return text
    # The name of a compute may not end in a hyphen and digits: no hash is of digits only.
    mark = f"h{digest([text], 7)}" if lower else digest([text], 8)
    words = _strict_words(text) if lower else re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")
    return f"{words[: longest - len(mark) - 1].rstrip('-_')}-{mark}" if words else f"x-{mark}"


def _strict_words(text: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words if words[:1].isalpha() or not words else f"x-{words}"


def digest(parts: Iterable[str], length: int = 12) -> str:
    """Return the first ``length`` hexadecimal digits of a SHA-256 over the parts, kept apart from each other."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode()
        total.update(f"{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()[:length]
