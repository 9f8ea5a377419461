"""Hide secrets in what is shown: values whose key names a secret or that are known as one, signatures in addresses."""

from __future__ import annotations

import re
from typing import Any

_KEYS = "api|account|access|storage|subscription|private|signing|encryption|shared|primary|secondary"
KEY = re.compile(
    rf"(?i)(secret|passw|pwd|credential|connection_?string|(?:{_KEYS})_?key|(?<![a-z])(?:token|sas|pat)(?![a-z]))"
)
SIGNATURE = re.compile(
    r"(?i)([?&](?:sig|code|token)=)[^&\s\"']+|(AccountKey=|SharedAccessSignature=)[^;\s\"']+|(://[^/\s:@]+:)[^/\s@]+(?=@)"
)
HIDDEN = "***"


def masked(value: Any, key: str = "") -> Any:
    """Return a copy of a document with every secret replaced by ``***``."""
    if isinstance(value, dict):
        return {name: masked(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, key) for inner in value]
    if isinstance(value, str):
        return HIDDEN if value and KEY.search(key) else SIGNATURE.sub(_hide, value)
    return value


def hidden(value: Any, path: str) -> Any:
    """Return a copy of a document with ``***`` at a key path; what does not have the path stays as it is."""
    step, _, rest = path.partition(".")
    if not isinstance(value, dict) or step not in value:
        return value
    inner = value[step]
    return {**value, step: hidden(inner, rest) if rest and isinstance(inner, dict) else HIDDEN}


def _hide(found: re.Match[str]) -> str:
    """Keep what introduces a secret, hide the secret."""
    return f"{found[1] or found[2] or found[3]}{HIDDEN}"
