"""Faults of the SDK and of the service, turned into ours: one sentence, at the template's line if it can be."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mlops_kit.errors import DocumentError, MlopsKitError, OperationFailed, Place, UsageError

# A key path as the template writes it, e.g. ``inputs.data.path``; the root is the empty path.
Locate = Callable[[str], Place | None]
LONGEST = 400  # characters of a sentence that somebody else wrote
ALTERNATIVES = frozenset({"_schema", "null", "value"})  # marshmallow's own levels between a key and its message
NAMED = frozenset(
    {"inputs", "outputs", "jobs", "environment_variables", "search_space", "tags"}
)  # what is below has names of its own
# A path of the request, or a word between quotes of any kind.
NAMES = re.compile(r"""\b([Pp]roperties(?:\.[\w-]+(?:\[\w+\])?)+)|(?<!\w)['"`]\$?\.?([A-Za-z][\w.\[\]-]*)['"`]""")
NO_ANSWER = frozenset({401, 408, 429, 500, 502, 503, 504})  # says nothing about the thing asked for


def nowhere(key: str) -> Place | None:  # noqa: ARG001  the signature of Locate
    """Locate nothing: for requests that come from no template."""
    return None


@contextlib.contextmanager
def readable(doing: str, locate: Locate = nowhere) -> Iterator[None]:
    """Raise what the SDK raises inside as one of our errors; ``doing`` completes "could not ..."."""
    try:
        yield
    except MlopsKitError:
        raise
    except Exception as error:
        known = explain(error, doing, locate)
        if known is None:
            raise
        raise known from error


def explain(error: Exception, doing: str, locate: Locate = nowhere) -> MlopsKitError | None:
    """Return our error for an exception of the SDK, or None for one that is nobody's input."""
    from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError
    from marshmallow.exceptions import ValidationError

    if isinstance(error, ValidationError):
        return _invalid(str(error), doing, locate)
    if isinstance(error, HttpResponseError):
        return _refused(error, doing, locate)
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return OperationFailed(f"could not {doing}: no connection to the service ({_sentence(str(error))})")
    if isinstance(error, AzureError):  # MlException and its family
        return _invalid(str(error), doing, locate)
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError | PermissionError):
        return UsageError(f"could not {doing}: {error.strerror}: {error.filename}")
    return None


def says_nothing(error: Exception) -> str | None:
    """Return why an exception is no answer about the thing asked for (an expired token, no connection), or None."""
    from azure.core.exceptions import (
        ClientAuthenticationError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return "no connection"
    if isinstance(error, HttpResponseError) and error.status_code in NO_ANSWER:
        return f"HTTP {error.status_code}"
    if isinstance(error, ClientAuthenticationError) and error.status_code is None:
        return "no token"
    return None


def is_missing(error: Exception) -> bool:
    """Tell whether the service said that the thing does not exist."""
    from azure.core.exceptions import HttpResponseError

    return isinstance(error, HttpResponseError) and error.status_code == 404


def is_forbidden(error: BaseException | None) -> bool:
    """Tell whether the service said that this caller may not ask."""
    from azure.core.exceptions import HttpResponseError

    return isinstance(error, HttpResponseError) and error.status_code == 403


def _refused(error: Any, doing: str, locate: Locate) -> MlopsKitError:
    """Explain an HTTP reply: who is at fault decides the exit code."""
    status = error.status_code
    code, message, targets = _parts(error)
    if status in {401, None}:
        return UsageError(f"could not {doing}: the credential was refused ({_sentence(message)})")
    if status == 403:
        return UsageError(f"could not {doing}: not allowed ({_sentence(message)})")
    sentence = f"could not {doing}: {_sentence(message)}" + (f" ({code})" if code and code not in message else "")
    # A 501 is a refusal of what is not there yet, unless the local control plane broke while it answered.
    if (status < 500 and status != 408) or (status == 501 and code != "LocalControlPlaneFault"):
        place = next(filter(None, map(locate, _fields(targets, message))), None)
        return DocumentError(sentence, place) if place else UsageError(sentence)
    return OperationFailed(f"{sentence} [HTTP {status}]")


def _parts(error: Any) -> tuple[str, str, list[str]]:
    """Return code and message of the innermost error of an ARM error reply, and the targets, those inside first."""
    outer = getattr(error, "error", None)
    if outer is None:
        return "", str(error.message or error.reason or error), []
    errors = [*_inside(outer), outer]
    telling = [each for each in errors if getattr(each, "message", None)]
    best = telling[0] if telling else outer
    targets = [str(each.target) for each in errors if getattr(each, "target", None)]
    return str(best.code or ""), str(best.message or error.message or ""), targets


def _inside(error: Any) -> Iterator[Any]:
    """Yield the errors inside of an error, the innermost first, in their order."""
    for detail in getattr(error, "details", None) or ():
        yield from _inside(detail)
        yield detail


def _fields(targets: Iterable[str], message: str) -> Iterator[str]:
    """Yield the key paths that an error may mean, as a template spells them: ``environment`` for ``environmentId``.

    They are its targets, else the paths of a request in the message and what it puts between quotes.
    """
    for found in list(targets) or [match[1] or match[2] for match in NAMES.finditer(message)]:
        steps = re.sub(r"""\[['"]?([\w-]+)['"]?\]""", r".\1", found.removeprefix("$")).split(".")
        parts = [step for step in steps if step.lower() not in {"", "properties", "request"}]
        named = [before in NAMED for before in ("", *map(_spelled, parts))]
        yield ".".join(part if own else _spelled(part) for part, own in zip(parts, named, strict=False))


def _spelled(part: str) -> str:
    """Return the template's word for a field of a request."""
    if part in {"dataUri", "modelUri"}:
        return "path"
    return re.sub(r"_id$", "", re.sub(r"(?<=[a-z])([A-Z])", r"_\1", part).lower())


def _invalid(text: str, doing: str, locate: Locate) -> MlopsKitError:
    """Explain a refusal of the SDK itself, whose text may hold a JSON document with one entry per fault."""
    faults = list(_faults(text))
    if not faults:
        return UsageError(f"could not {doing}: {_sentence(text)}")
    key, message = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    sentence = f"could not {doing}: {key + ': ' if key else ''}{_sentence(message)}{more}"
    place = locate(key)
    return DocumentError(sentence, place) if place else UsageError(sentence)


def _faults(text: str) -> Iterator[tuple[str, str]]:
    """Yield key path and message of every fault in the JSON that the SDK puts into its messages, one per key."""
    seen: set[str] = set()
    for path, message in _entries(text):
        if path not in seen:
            seen.add(path)
            yield path, message


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Yield all entries, unknown keys first: they are the cause of the missing ones."""
    start = text.find("{")
    if start < 0:
        return
    try:
        document, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return
    errors = document.get("errors")
    if not isinstance(errors, list):
        yield from sorted(_leaves(document, ""), key=lambda leaf: leaf[1] != "Unknown field." or "." in leaf[0])
        return
    for entry in errors:
        message = str(entry.get("message") or entry.get("value") or "")
        inner = list(_entries(message))
        yield from inner or [(str(entry.get("path", "")).removeprefix("*").lstrip("."), message)]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the messages of marshmallow's nested dictionary with their key paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, path if key in ALTERNATIVES else f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path, str(value)


def _sentence(text: str) -> str:
    """Return the telling part of a long message: colour codes, markers and repeated blanks removed, one line."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [line.strip().removeprefix("(x)").strip() for line in plain.splitlines()]
    lines = [
        line
        for line in lines
        if line and not line.startswith(("Resolutions", "Details", "If using the CLI", "Content:"))
    ]
    short = re.sub(r"\s+", " ", " ".join(lines)).strip().rstrip(".")
    return short if len(short) <= LONGEST else short[: LONGEST - 3] + "..."
