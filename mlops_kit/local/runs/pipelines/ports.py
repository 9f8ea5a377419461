"""The inputs and outputs of a component, and whether what a step gives them fits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_kit.local.arm.wire import did_you_mean
from mlops_kit.local.runs.asset_types import DATA, MODELS
from mlops_kit.local.runs.pipelines import flow
from mlops_kit.local.runs.pipelines.bindings import LITERAL, Value, literal

_NUMBERS = {"integer": int, "number": float}
_TRUTH = {"true", "false", "1", "0"}
_INPUT_MODES = {
    "ro_mount": "ReadOnlyMount",
    "mount": "ReadOnlyMount",
    "rw_mount": "ReadWriteMount",
    "download": "Download",
    "direct": "Direct",
    "eval_mount": "EvalMount",
    "eval_download": "EvalDownload",
}
_OUTPUT_MODES = {"rw_mount": "ReadWriteMount", "mount": "ReadWriteMount", "upload": "Upload", "direct": "Direct"}


class MisfitError(Exception):
    """What a step gives to a component does not fit; the message is a sentence."""


def flat(ports: Mapping[str, Any] | None, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Return the inputs of a component by their names, those of a group as ``group.name``."""
    found: dict[str, dict[str, Any]] = {}
    for name, port in (ports or {}).items():
        entry = dict(port or {})
        if str(entry.get("type", "")).lower() == "group":
            found |= flat(entry.get("values"), f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = entry
    return found


def filled(component: str, declared: Mapping[str, Any], given: Mapping[str, Value]) -> dict[str, dict[str, Any]]:
    """Return every input that a component gets: what is given, else its default; an optional one may be left out.

    Raises:
        MisfitError: An input is unknown, missing, or not of its type, range or choice.
    """
    ports = flat(declared)
    for name in given:
        if name not in ports:
            raise MisfitError(f"{component} has no input '{name}'{did_you_mean(name, ports)}")
    found = {name: _filled(component, name, port, given.get(name)) for name, port in ports.items()}
    return {name: value for name, value in found.items() if value is not None}


def _filled(component: str, name: str, port: Mapping[str, Any], given: Value) -> Value:
    if given is None and port.get("default") is not None:
        given = _default(port)
    if given is None:
        if not _is_true(port.get("optional")):
            raise MisfitError(f"{component} is not given its input '{name}', which is required")
        return None
    kind = str(port.get("type") or "string").lower()
    if kind in (*DATA, *MODELS, "path"):
        return _data(component, name, port, given)
    if given["jobInputType"] != LITERAL:
        raise MisfitError(f"{component} takes a {kind} as its input '{name}', not {given['jobInputType']}")
    if given["value"] is not None:
        _check(component, name, port, str(given["value"]))
    return given


def _default(port: Mapping[str, Any]) -> Value:
    kind, default = str(port.get("type")).lower(), port["default"]
    if kind in (*DATA, *MODELS):
        return {"jobInputType": kind, "uri": str(default)}
    return literal(default)


def _data(component: str, name: str, port: Mapping[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    kind = str(port["type"]).lower()
    if given["jobInputType"] == LITERAL:
        raise MisfitError(f"{component} takes {kind} as its input '{name}', not the literal '{given['value']}'")
    mode = given.get("mode") or _INPUT_MODES.get(str(port.get("mode") or "").lower())
    kind = kind if kind != "path" else str(given["jobInputType"])
    return {**given, "jobInputType": kind, **({"mode": mode} if mode else {})}


def _check(component: str, name: str, port: Mapping[str, Any], text: str) -> None:
    """Refuse a literal that is not of the type, the range or the choice of an input."""
    kind = str(port.get("type") or "string").lower()
    wrong = f"{component} is given '{text}' as its input '{name}'"
    if kind == "boolean" and text.lower() not in _TRUTH:
        raise MisfitError(f"{wrong}, which is neither true nor false")
    if kind in _NUMBERS:
        number = _number(kind, text)
        if number is None:
            raise MisfitError(f"{wrong}, which is no {kind}")
        low, high = (_number("number", str(port[key])) if port.get(key) is not None else None for key in ("min", "max"))
        if (low is not None and number < low) or (high is not None and number > high):
            limits = [f"{word} {port[key]}" for word, key in (("at least", "min"), ("at most", "max")) if key in port]
            raise MisfitError(f"{wrong}, which must be {' and '.join(limits)}")
    if (choice := port.get("enum")) and text not in map(str, choice):
        raise MisfitError(f"{wrong}, which must be one of {', '.join(map(str, choice))}")


def _number(kind: str, text: str) -> float | None:
    try:
        return float(_NUMBERS[kind](text))
    except ValueError:
        return None


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def outputs(declared: Mapping[str, Any] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each output of a component that is data, as the body of a job has it."""
    for name, port in (declared or {}).items():
        entry = dict(port or {})
        if flow.is_control(entry):
            continue
        mode = _OUTPUT_MODES.get(str(entry.get("mode") or "").lower())
        yield name, {"jobOutputType": entry.get("type") or "uri_folder", **({"mode": mode} if mode else {})}
