"""The clock of a control plane, asked for and moved from another process."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from mlops_kit.errors import LocalError, UsageError
from mlops_kit.local.providers.clock import PATH
from mlops_kit.local.settings import MANAGEMENT_URL
from mlops_kit.local.signing import Signer

if TYPE_CHECKING:
    from mlops_kit.local.settings import Instance, LocalSettings

_TOKEN_SECONDS = 600


def read(settings: LocalSettings, instance: Instance) -> dict[str, Any]:
    """Return what time it is there: ``now``, and ``aheadSeconds`` of this machine."""
    return next(_lines(settings, instance, "GET", None))


def move(settings: LocalSettings, instance: Instance, to: str, *, wait: bool) -> Iterator[dict[str, Any]]:
    """Move the clock to a time, '' is this machine's; yield each fire on the way, then what time it is.

    Raises:
        UsageError: There are too many fires on the way.
        LocalError: The control plane ended meanwhile.
    """
    yield from _lines(settings, instance, "POST", {"to": to, "wait": wait})


def _lines(settings: LocalSettings, instance: Instance, method: str, body: Any) -> Iterator[dict[str, Any]]:
    token, _ = Signer((settings.state / "secret").read_bytes()).token(MANAGEMENT_URL, seconds=_TOKEN_SECONDS)
    trusted = ssl.create_default_context(cafile=str(settings.certificates / "authority.pem"))
    connection = http.client.HTTPSConnection("127.0.0.1", instance.https_port, context=trusted)
    with closing(connection):
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, PATH, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            if answer.status >= 400:
                raise UsageError(json.load(answer)["error"]["message"])
            for line in answer:
                yield json.loads(line)
        except (OSError, http.client.HTTPException) as error:
            raise LocalError(f"the control plane of {settings.state} ended while it was asked: {error}") from error
