"""Secrets are kept out of every stream that a tool writes to, however the tool spells them."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlops_kit.infra.changes import MASK, Change, Changes, Difference

_LEAST = 6  # shorter values are words that occur everywhere
# Variables that hold secrets by what they are called; those that name a file or a user hold none.
_SECRET = re.compile(
    r"SECRET|PASSWORD|PASSPHRASE|PASSWD|CREDENTIAL|CONNECTION_?STRING|PRIVATE_?KEY|IDENTITY_HEADER"
    r"|(?:^|_)(?:TOKENS?|ACCESS_?KEYS?|API_?KEYS?|ACCOUNT_?KEYS?|PAT|SAS)(?:$|_)"
    r"|(?:^|_)KEYS?$|CLIENT_CERTIFICATE$",
    re.IGNORECASE,
)
_NAMES_A_PLACE = re.compile(
    r"(?:_FILE|_PATH|_NAME|_ID|_PROVIDER)$|^(?:GOOGLE_APPLICATION|AZURE_TOKEN)_CREDENTIALS$", re.IGNORECASE
)
_NAMES_AN_ADDRESS = re.compile(r"(?:_URL|_URI|_ENDPOINT)$", re.IGNORECASE)
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z]).{8,}|.{24,}")  # a segment of a path that nobody would call a thing
# A part of a secret that is a secret by itself: AccountKey=...; in a connection string, clientSecret in a JSON object.
_PART = re.compile(r"(?:key|signature|password|secret|token)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Texts that must not be seen. Its ``repr`` shows none of them."""

    pattern: re.Pattern[str] | None

    def __repr__(self) -> str:
        """Return the name alone."""
        return "Redactor()"

    def text(self, line: str) -> str:
        """Return a line with a mask in place of every secret."""
        return self.pattern.sub(MASK, line) if self.pattern is not None else line

    def value(self, value: Any) -> Any:
        """Return a JSON value with a mask in place of every secret in its texts."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def changes(self, found: Changes) -> Changes:
        """Return changes as they may be seen; in clear they are compared with what a person and the service name."""
        items, drift = (tuple(map(self._change, each)) for each in (found.items, found.drift))
        return replace(found, items=items, drift=drift, outputs=tuple(map(self.text, found.outputs)))

    def _change(self, item: Change) -> Change:
        return replace(
            item,
            address=self.text(item.address),
            name=self.text(item.name),
            id=self.value(item.id),
            reasons=tuple(map(self.text, item.reasons)),
            differences=tuple(
                Difference(self.text(one.path), self.value(one.before), self.value(one.after))
                for one in item.differences
            ),
        )


def redactor(environ: Mapping[str, str], secrets: Iterable[str] = ()) -> Redactor:
    """Return what keeps the secrets of these variables, and others, out of texts."""
    named = [
        value
        for name, value in environ.items()
        if _SECRET.search(name) and not _is_place(name, value) and not value.isdigit()
    ]
    whole = (*named, *secrets)
    texts = (*whole, *(part for text in whole for part in _parts(text)), *_segments(environ))
    spelled = {form for text in texts if len(text.strip()) >= _LEAST for form in _spellings(text)}
    longest_first = sorted(spelled, key=len, reverse=True)
    return Redactor(re.compile("|".join(map(re.escape, longest_first))) if longest_first else None)


def _is_place(name: str, value: str) -> bool:
    """Say whether a variable only says where something is; an address with a query or a user is more than that."""
    is_address = _NAMES_AN_ADDRESS.search(name) and "?" not in value and "@" not in value
    return bool(is_address or _NAMES_A_PLACE.search(name))


def _segments(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what is secret in the path of an address whose name says so: the segments that are no words."""
    for name, value in environ.items():
        if _SECRET.search(name) and _NAMES_AN_ADDRESS.search(name):
            yield from (one for one in urllib.parse.urlsplit(value).path.split("/") if _RANDOM.fullmatch(one))


def _parts(text: str) -> list[str]:
    """Return what is secret by itself in a secret that has parts."""
    try:
        facts = json.loads(text)
    except ValueError:
        pairs = [part.partition("=")[::2] for part in text.split(";") if "=" in part]
    else:
        pairs = list(facts.items()) if isinstance(facts, Mapping) else []
    return [str(value) for name, value in pairs if _PART.search(str(name).strip())]


def _spellings(text: str) -> set[str]:
    """Return a text as programs write it: plain, line by line, in JSON once and twice, in a URL, in base64."""
    lines = {line.strip() for line in text.splitlines() if len(line.strip()) >= _LEAST}
    quoted = json.dumps(text)[1:-1]
    unicode = json.dumps(text, ensure_ascii=False)[1:-1]
    encoded = base64.b64encode(text.encode()).decode()
    urls = {urllib.parse.quote(text, safe=""), urllib.parse.quote(text), urllib.parse.quote_plus(text)}
    return {text.strip(), *lines, quoted, unicode, json.dumps(quoted)[1:-1], encoded, encoded.rstrip("="), *urls}
