"""``sensitive_body``: sent, never stored. A salted hash beside the state tells whether it has changed."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from mlops_kit.local.iac.azapi.values import Dynamic, is_null, wholly_known

_KEY = "sensitive_body"
_SALT_BYTES = 16


def remembered(config: Mapping[str, Any]) -> dict[str, str]:
    """Return what is kept of a sensitive body; nothing where its versions tell of a change, or there is none."""
    body = config.get(_KEY)
    if is_null(body) or config.get("sensitive_body_version") is not None:
        return {}
    salt = os.urandom(_SALT_BYTES)
    return {_KEY: f"{salt.hex()}:{_hash(salt, body)}"}


def changed(config: Mapping[str, Any], prior: Mapping[str, Any], private: Mapping[str, Any]) -> bool:
    """Say whether a sensitive body has to be sent again."""
    body, versions = config.get(_KEY), config.get("sensitive_body_version")
    if versions is not None:
        return bool(versions != prior.get("sensitive_body_version"))
    if is_null(body):
        return False
    if not wholly_known(body):
        return True
    salt, _, digest = private.get(_KEY, "").partition(":")
    return not hmac.compare_digest(digest, _hash(bytes.fromhex(salt), body))


def to_send(config: Mapping[str, Any], prior: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what of the sensitive body goes into a request: with versions, the paths whose version is new."""
    body, versions = config.get(_KEY), config.get("sensitive_body_version")
    if is_null(body) or not isinstance(body, Dynamic):
        return {}
    whole = body.json()
    if versions is None:
        return dict(whole)
    before = (prior or {}).get("sensitive_body_version") or {}
    paths = [path for path, version in versions.items() if before.get(path) != version]
    return _picked(whole, [re.findall(r"[^.\[\]]+", path) for path in paths]) if paths else {}


def _picked(whole: Any, paths: list[list[str]]) -> Any:
    """Return the parts of a body that paths lead to, in the mappings and lists that hold them."""
    if [] in paths:
        return whole
    if isinstance(whole, list):
        wanted = {int(path[0]): None for path in paths if path[0].isdigit() and int(path[0]) < len(whole)}
        return [_picked(whole[index], [path[1:] for path in paths if path[0] == str(index)]) for index in wanted]
    if not isinstance(whole, Mapping):
        return whole
    names = {path[0] for path in paths} & set(whole)
    return {name: _picked(whole[name], [path[1:] for path in paths if path[0] == name]) for name in sorted(names)}


def _hash(salt: bytes, body: Any) -> str:
    text = json.dumps(body.json(), sort_keys=True).encode()
    return hashlib.scrypt(text, salt=salt, n=2**12, r=8, p=1).hex()
