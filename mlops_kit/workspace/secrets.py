"""Hide secrets in what is shown: values whose key names a secret, and signatures in addresses."""

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


def _hide(found: re.Match[str]) -> str:
    """Keep what introduces a secret, hide the secret."""
    return f"{found[1] or found[2] or found[3]}{HIDDEN}"
