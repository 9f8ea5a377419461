"""Tokens and signed links: what proves to this control plane that a caller was given access by it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any

from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.settings import TENANT

OBJECT_ID = "00000000-0000-0000-0000-0000000000ee"


class Signer:
    """HMAC-SHA256 over one secret of the state folder."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        # token -> expiry and principal; verification is on the path of every call
        self._verified: dict[str, tuple[float, str]] = {}

    def token(self, audience: str, *, seconds: float = 24 * 3600, principal: str = OBJECT_ID) -> tuple[str, int]:
        """Return a JWT for ``audience`` and its expiry (Unix seconds); ``principal`` is an object id."""
        now = int(time.time())
        expires = now + int(seconds)
        claims = {
            "aud": audience.rstrip("/"),
            "iss": f"https://sts.windows.net/{TENANT}/",
            "iat": now,
            "nbf": now - 60,
            "exp": expires,
            "tid": TENANT,
            "oid": principal,
            **({"name": "local", "upn": "local@mlops.test"} if principal == OBJECT_ID else {"idtyp": "app"}),
        }
        head = _encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        body = _encode(json.dumps(claims).encode())
        return f"{head}.{body}.{_encode(self._mac(f'{head}.{body}'))}", expires

    def check_token(self, authorization: str) -> str:
        """Accept an ``Authorization`` header with a token of ours that has not expired; 401 otherwise.

        Return the object id of the principal it was given to; '' stands for the owner.
        """
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise ArmError(401, "AuthenticationFailed", "A bearer token of this control plane is required.")
        known = self._verified.get(token)
        if known is None:
            claims = self.claims(token)
            known = float(claims["exp"]), "" if claims["oid"] == OBJECT_ID else str(claims["oid"])
            self._verified[token] = known
        if known[0] < time.time():
            raise ArmError(401, "ExpiredAuthenticationToken", "The bearer token has expired.")
        return known[1]

    def claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token of ours; 401 where the signature is not ours."""
        try:
            head, body, mac = token.split(".")
            genuine = hmac.compare_digest(_decode(mac), self._mac(f"{head}.{body}"))
            claims: dict[str, Any] = json.loads(_decode(body)) if genuine else {}
        except (ValueError, binascii.Error):
            claims = {}
        if not claims:
            raise ArmError(401, "InvalidAuthenticationToken", "The bearer token was not issued by this control plane.")
        return claims

    def sign(self, text: str) -> str:
        """Return a signature for a link; it does not expire while the state folder lives."""
        return _encode(self._mac(text))

    def check(self, text: str, signature: str) -> None:
        """Accept a signature of ours; 403 otherwise."""
        if not hmac.compare_digest(self.sign(text), signature):
            raise ArmError(403, "AuthorizationFailed", "The signature of the link is not valid.")

    def _mac(self, text: str) -> bytes:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
