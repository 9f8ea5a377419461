"""Secrets in plain text: what a file holds is read by everybody who may read the repository, the job or its logs.

A text is told by the key it stands under or by the form that its issuer gives it; how random it looks says nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from mlops_kit.checks.files import place_in
from mlops_kit.checks.findings import Finding, error
from mlops_kit.documents import List, Map, Scalar

if TYPE_CHECKING:
    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node
    from mlops_kit.errors import Place

HINT = "write `${secret.NAME}`, which is resolved where it is used, or name an identity"
# A conda file, a requirements file or a Dockerfile goes as it is.
VERBATIM = "take it out of the file and replace it: it stays in the history"
# The end of a key decides: ``secret_name`` and ``token_count`` hold no secret. Tokens of text are none either.
KEY = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|pwd|secret|(?<!pad_)(?<!eos_)(?<!bos_)(?<!unk_)(?<!sep_)(?<!cls_)(?<!mask_)"
    r"(?<!stop_)(?<!end_)(?<!start_)(?<!special_)token|apikey|(?:api|account|access|storage|subscription|client|auth"
    r"|master|sas|shared|private)_?key|connection_?string|conn_str|sas_?token|sas)$"
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Where the key is the name of an input, its value stands under one of these.
VALUE_KEYS = {"default", "value"}
# Each repetition has a limit: a text of any length is searched in a time that grows with its length.
FORMS = re.compile(
    r"(?:AccountKey|SharedAccessKey|SharedAccessSignature)=([^;\s\"']{12,500})"
    r"|[?&]sig=([\w%+/=-]{16,500})"
    r"|\b(eyJ[\w-]{8,300}\.eyJ[\w-]{8,300})"
    r"|\b(AKIA[0-9A-Z]{16})\b"
    r"|\b(gh[pousr]_[A-Za-z0-9]{30,300}|github_pat_\w{30,300}|hf_[A-Za-z0-9]{30,300}|sk-(?:proj-)?[A-Za-z0-9_-]{32,300})"
    r"|\b(xox[abeprs]-[\w-]{20,300})"
    r"|(-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY-----)"
    r"|[a-z]://[^/\s:@]{1,100}:([^/\s@$<{]{3,300})@"
    r"|(?:^|\s)--?(?:[a-z]{1,20}[-_]){0,4}(?:password|passwd|api[-_]?key|account[-_]?key|client[-_]secret)[ =]{1,9}"
    r"([^\s$<{(\"'-]\S{3,300})"
)
PLACEHOLDER = re.compile(
    r"<[^>]{0,100}>|\*{3}|\.\.\.|…|^[xX\W_\d]+$"
    r"|(?i:(?:^|[^a-z])(?:example|dummy|placeholder|sample|changeme|change[-_]me|redacted|your|todo|none|null)(?:[^a-z]|$))"
)
ELSEWHERE = re.compile(r"[$%#]|\{\{|https?://|azureml:|file:|\.{0,2}/|~|@Microsoft\.KeyVault|(?i:true|false)$|\d+$")
SHORTEST = 20  # no form is shorter; most texts are


def check(subject: Subject) -> list[Finding]:
    """Return the secrets that a document holds in plain text."""
    found: list[Finding] = []
    _look(subject.root, found, is_named=False)
    return found


def below(node: Node) -> list[Finding]:
    """Return the secrets that a node of a file holds that goes as it is."""
    found: list[Finding] = []
    _look(node, found, is_named=False)
    return [replace(each, hint=VERBATIM) for each in found]


def at(place: Place, hint: str = VERBATIM) -> Finding:
    """Return the finding that a secret stands at a place."""
    return error("MK0603", place, "the text holds a secret in plain text", hint)


def _look(node: Node, found: list[Finding], *, is_named: bool) -> None:
    """Add the secrets below a node; ``is_named`` says that the key it stands under names one."""
    if type(node) is Map:
        for entry in node.entries:
            key, value = entry.key.text, entry.value
            names_secret = _names_secret(key) or (is_named and key in VALUE_KEYS)
            if type(value) is not Scalar:
                _look(value, found, is_named=names_secret)
            elif names_secret and _is_plain(value):
                found.append(error("MK0603", value.place, f"`{key}` holds a secret in plain text", HINT))
            elif len(value.text) >= SHORTEST and form(value.text):
                found.append(_found(value))
    elif type(node) is List:
        for item in node.items:
            _look(item, found, is_named=False)
    elif type(node) is Scalar and len(node.text) >= SHORTEST and form(node.text):
        found.append(_found(node))


def _found(value: Scalar) -> Finding:
    """Report a text that has the form of a secret, at the very piece, without repeating it."""
    return at(place_in(value, form(value.text)), HINT)


@lru_cache(maxsize=4096)
def _names_secret(key: str) -> bool:
    words = CAMEL.sub("_", key).replace("-", "_").lower()
    return KEY.search(words) is not None


def _is_plain(value: Scalar) -> bool:
    """Return whether the value of a key that names a secret is one, and neither a place for it nor the way to it."""
    text = value.text
    return isinstance(value.value, str) and bool(text) and not ELSEWHERE.match(text) and not PLACEHOLDER.search(text)


@lru_cache(maxsize=4096)
def form(text: str) -> str:
    """Return the piece of a text that has the form of a secret, or nothing."""
    for found in FORMS.finditer(text):
        piece: str = found[found.lastindex or 0]
        if not PLACEHOLDER.search(piece) and "${" not in piece:
            return piece
    return ""
